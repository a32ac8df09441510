import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { PACKAGE } from './vectors.js';

const packageFolder = fileURLToPath(PACKAGE);
const project = mkdtempSync(join(tmpdir(), 'imo-client-user-'));
let files: string[] = [];

function run(program: string, args: string[], cwd = project): string {
    try {
        return execFileSync(program, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    } catch (error) {
        const { stdout, stderr } = error as { stdout: string; stderr: string };
        throw new Error(`${program} ${args.join(' ')}:\n${stdout}${stderr}`);
    }
}

const PROGRAM = `
import { findPaymentAccount, loadVerifier, memoryStorage, Payer, tensorRoot, type Bought, type Verdict } from '@imo/client';
import { fetchModel, findModelPda, MODEL_TOKEN_ERRORS, type Model } from '@imo/client/model-token';
import { findReportPda } from '@imo/client/opml-oracle';
import { getCollectInstructionAsync } from '@imo/client/revenue-escrow';
import { YIELD_DISTRIBUTOR_EVENTS, type YieldDistributorEvent } from '@imo/client/yield-distributor';
import type { Address } from '@solana/kit';

const creator = '11111111111111111111111111111111' as Address;
const [model] = await findModelPda({ creator, index: 0 });
const [report] = await findReportPda({ operator: model, sequence: 1n });
const account: Address = await findPaymentAccount(creator, model);
const verifier = await loadVerifier();
const use = (bought: Bought, verdict: Verdict, data: Model, event: YieldDistributorEvent): string => bought.receipt.lane + verdict.kind + data.developer + event.name;
console.log([model, report, account, verifier, use, Payer, memoryStorage, tensorRoot, fetchModel, getCollectInstructionAsync].every(Boolean) && YIELD_DISTRIBUTOR_EVENTS.kinds.length > 0 && MODEL_TOKEN_ERRORS[6600].name);
`;

before(() => {
    const [packed] = JSON.parse(run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', project], packageFolder)) as [
        { filename: string; files: Array<{ path: string }> },
    ];
    files = packed.files.map(({ path }) => path);
    writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'user', private: true, type: 'module' }));
    // Brings kit, which the package wants its user to have.
    run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', `./${packed.filename}`]);
    writeFileSync(join(project, 'main.ts'), PROGRAM);
});
after(() => rmSync(project, { recursive: true }));

test('given the packed package when its files are listed then what users need and nothing else', () => {
    for (const needed of ['package.json', 'README.md', 'LICENSE', 'dist/index.js', 'dist/index.d.ts', 'dist/opml.wasm', 'dist/generated/model-token/index.d.ts']) {
        assert.ok(files.includes(needed), needed);
    }
    assert.deepEqual(
        files.filter((path) => !/^(dist\/.*(\.js|\.d\.ts|\.wasm)|package\.json|README\.md|LICENSE)$/.test(path)),
        [],
    );
});

for (const [name, options] of [
    ['Node’s ESM', ['--module', 'nodenext', '--moduleResolution', 'nodenext']],
    ['bundlers', ['--module', 'esnext', '--moduleResolution', 'bundler']],
] as const) {
    test(`given a fresh project when its types are resolved as ${name} do then without an error`, () => {
        const tsc = join(packageFolder, 'node_modules/.bin/tsc');
        const settings = ['--strict', '--target', 'es2022', '--lib', 'es2022,dom', '--types', '', '--skipLibCheck', 'false', '--pretty', 'false'];
        const { stdout } = spawnSync(tsc, [...settings, ...options, '--outDir', '.', 'main.ts'], { cwd: project, encoding: 'utf8' });
        // The declarations of kit's dependencies want those of Node; the project's own and the package's are to be right without.
        const own = stdout.split('\n').filter((line) => /^(main\.ts|node_modules\/@imo)/.test(line));
        assert.deepEqual(own, []);
    });
}

test('given a fresh project when its program runs under Node then every entry is imported and the verifier is found', () => {
    assert.match(run(process.execPath, ['main.js']), /^\w+\n$/);
});
