// Puts the verifier, which cargo compiles, beside the module that loads it.

import { copyFileSync, existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const built = fileURLToPath(new URL('../wasm/opml.wasm', import.meta.url));
if (!existsSync(built)) {
    console.error('clients/ts/wasm/opml.wasm is not there: run `cargo xtask wasm` first.');
    process.exit(1);
}
copyFileSync(built, fileURLToPath(new URL('../dist/opml.wasm', import.meta.url)));
