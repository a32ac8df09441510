import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { fileStorage, indexedDbStorage, localStorageStorage, memoryStorage, type PurseStorage } from '@imo/client';
import 'fake-indexeddb/auto';

const folder = mkdtempSync(join(tmpdir(), 'imo-purses-'));
after(() => rmSync(folder, { recursive: true }));

// What a browser has and Node 20 has not.
const queues = new Map<string, Promise<unknown>>();
const locks = {
    request: (name: string, work: () => Promise<unknown>) => {
        const result = (queues.get(name) ?? Promise.resolve()).then(work, work);
        queues.set(name, result.catch(() => undefined));
        return result;
    },
};
const kept = new Map<string, string>();
const localStorage = { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, text: string) => void kept.set(key, text) };
for (const [name, value] of Object.entries({ navigator: { locks }, localStorage })) {
    Object.defineProperty(globalThis, name, { value, configurable: true });
}

for (const [name, make] of [
    ['memory', async () => memoryStorage()],
    ['a folder', () => fileStorage(join(folder, 'kept'))],
    ['IndexedDB', async () => indexedDbStorage()],
    ['local storage', async () => localStorageStorage()],
] as Array<[string, () => Promise<PurseStorage>]>) {
    test(`given ${name} when texts are saved then the last one of each name is loaded`, async () => {
        const storage = await make();
        assert.equal(await storage.load('a'), undefined);
        await storage.save('a', 'one');
        await storage.save('b', 'other');
        await storage.save('a', 'two');
        assert.deepEqual([await storage.load('a'), await storage.load('b')], ['two', 'other']);
    });

    test(`given ${name} when work comes at the same time then one after the other, and a failure holds up nobody`, async () => {
        const storage = await make();
        let running = 0;
        const work = async (fails: boolean): Promise<void> => {
            running += 1;
            assert.equal(running, 1);
            await new Promise((resolve) => setTimeout(resolve, 5));
            running -= 1;
            if (fails) throw new Error('failed');
        };
        const results = await Promise.allSettled([false, true, false].map((fails) => storage.exclusively('a', () => work(fails))));
        assert.deepEqual(results.map(({ status }) => status), ['fulfilled', 'rejected', 'fulfilled']);
    });
}

test('given a folder when a purse is saved then only its owner may read it and nothing else is left', async () => {
    const own = join(folder, 'own');
    const storage = await fileStorage(own);
    await storage.exclusively('lane', () => storage.save('lane', '{}'));
    assert.deepEqual(readdirSync(own), ['lane.json']);
    assert.equal(statSync(join(own, 'lane.json')).mode & 0o077, 0);
});

test('given a lock of a process that has ended when somebody wants the purse then it is taken over', async () => {
    const stale = join(folder, 'stale');
    const storage = await fileStorage(stale);
    const ended = execFileSync(process.execPath, ['-p', 'process.pid'], { encoding: 'utf8' }).trim();
    writeFileSync(join(stale, 'lane.json.lock'), ended);
    assert.equal(await storage.exclusively('lane', async () => 'in'), 'in');
    assert.deepEqual(readdirSync(stale), []);
});

test('given a purse that another process holds when wanted then it waits', async () => {
    const shared = join(folder, 'shared');
    const storage = await fileStorage(shared);
    writeFileSync(join(shared, 'lane.json.lock'), String(process.ppid));
    let isIn = false;
    const waiting = storage.exclusively('lane', async () => {
        isIn = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.equal(isIn, false);
    rmSync(join(shared, 'lane.json.lock'));
    await waiting;
    assert.ok(isIn);
});

test('given a browser without locks when a purse is wanted then refused, for tabs would sign for the same place', async () => {
    Object.defineProperty(globalThis, 'navigator', { value: {}, configurable: true });
    await assert.rejects(() => indexedDbStorage().exclusively('a', async () => undefined), /has no locks/);
});
