// Runs the examples of README.md, as one program, against a local network of its own, and compares what they print with what the page says (… stands for anything).

import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const packageFolder = fileURLToPath(new URL('..', import.meta.url));
const START_MILLISECONDS = 300_000;

try {
    await main();
} catch (error) {
    console.error(error.message);
    process.exitCode = 1;
}

async function main() {
    const page = readFileSync(join(packageFolder, 'README.md'), 'utf8');
    const folder = join(packageFolder, 'build/readme');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'examples.ts'), blocks(page, 'ts').join('\n'));
    run(join(packageFolder, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.readme.json']);

    const state = mkdtempSync(join(tmpdir(), 'imo-localnet-'));
    const ports = ['rpc', 'ws', 'api', 'gateway', 'watcher', 'liar'].flatMap((name) => [`--${name}-port`, '0']);
    const localnet = spawn(process.env.IMO ?? 'imo', ['localnet', '--json', '--state', state, ...ports], { stdio: ['ignore', 'pipe', 'pipe'] });
    const ended = new Promise((resolve) => {
        localnet.once('exit', resolve);
        localnet.once('error', resolve);
    });
    try {
        const printed = run(process.execPath, [join(folder, 'js/examples.js')], { IMO_LOCALNET: await started(localnet) });
        console.log(printed.trimEnd());
        compare(printed, blocks(page, 'text').join(''));
    } finally {
        localnet.kill('SIGTERM');
        await ended;
        rmSync(state, { recursive: true, force: true });
    }
}

/** The page's blocks in a language. */
function blocks(page, language) {
    const found = [...page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(([, block]) => block);
    if (found.length === 0) throw new Error(`README.md has no ${language} blocks.`);
    return found;
}

function compare(printed, said) {
    const lines = (text) => text.trimEnd().split('\n');
    const matches = (line, pattern) => new RegExp(`^${pattern.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.+')}$`).test(line);
    const [actual, expected] = [lines(printed), lines(said)];
    const wrong = expected.findIndex((pattern, at) => !matches(actual[at] ?? '', pattern));
    if (wrong >= 0) throw new Error(`README.md says that line ${wrong + 1} is "${expected[wrong]}", but it is "${actual[wrong] ?? ''}".`);
    if (actual.length > expected.length) throw new Error(`README.md does not say that "${actual[expected.length]}" is printed.`);
}

/** The address of its description, which it prints when everything is ready. */
function started(child) {
    return new Promise((resolve, reject) => {
        let [out, said] = ['', ''];
        const timer = setTimeout(() => reject(new Error(`imo localnet is not ready after ${START_MILLISECONDS / 1000} s:\n${said}`)), START_MILLISECONDS);
        child.stderr.on('data', (data) => (said += data));
        child.stdout.on('data', (data) => {
            out += data;
            try {
                resolve(JSON.parse(out).api);
                clearTimeout(timer);
            } catch {
                // There is more to come.
            }
        });
        child.once('error', (error) => reject(new Error(`imo localnet cannot be started (${error.message}): set IMO to the imo program.`)));
        child.once('exit', (code) => reject(new Error(`imo localnet ended with code ${code}:\n${said}`)));
    });
}

function run(program, args, env = {}) {
    try {
        return execFileSync(program, args, { cwd: packageFolder, env: { ...process.env, ...env }, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    } catch (error) {
        throw new Error(`${[program, ...args].join(' ')} did not pass:\n${error.stdout}${error.stderr}`);
    }
}
