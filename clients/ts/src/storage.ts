/** Where purses are kept. */

/**
 * Keeps texts by name. `save` has written durably when it returns. `exclusively` runs one piece of work on a name at a time, among everybody who shares the storage: two that
 * sign for the same place on a lane would spend its money on one answer.
 */
export interface PurseStorage {
    load(name: string): Promise<string | undefined>;
    save(name: string, text: string): Promise<void>;
    exclusively<T>(name: string, work: () => Promise<T>): Promise<T>;
}

/** One after another, by name, within this program. */
class Queue {
    readonly #last = new Map<string, Promise<unknown>>();

    run<T>(name: string, work: () => Promise<T>): Promise<T> {
        const before = this.#last.get(name) ?? Promise.resolve();
        const result = before.then(work, work);
        const settled = result.then(
            () => undefined,
            () => undefined,
        );
        this.#last.set(name, settled);
        void settled.then(() => {
            if (this.#last.get(name) === settled) this.#last.delete(name);
        });
        return result;
    }
}

/** Forgets with the program: for tests, and for lanes that are closed at its end. */
export function memoryStorage(): PurseStorage {
    const texts = new Map<string, string>();
    const queue = new Queue();
    return {
        load: async (name) => texts.get(name),
        save: async (name, text) => void texts.set(name, text),
        exclusively: (name, work) => queue.run(name, work),
    };
}

/** A browser's IndexedDB, shared by all tabs of an origin. It asks the browser to write to the disk before it goes on. */
export function indexedDbStorage(database = 'imo-purses'): PurseStorage {
    const STORE = 'purses';
    const open = (): Promise<IDBDatabase> =>
        new Promise((resolve, reject) => {
            const request = indexedDB.open(database, 1);
            request.onupgradeneeded = () => request.result.createObjectStore(STORE);
            request.onsuccess = () => resolve(request.result);
            request.onerror = () => reject(request.error);
        });
    const within = async <T>(mode: IDBTransactionMode, act: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> => {
        const opened = await open();
        try {
            return await new Promise((resolve, reject) => {
                const transaction = opened.transaction(STORE, mode, { durability: 'strict' });
                const request = act(transaction.objectStore(STORE));
                transaction.oncomplete = () => resolve(request.result);
                transaction.onabort = () => reject(transaction.error);
            });
        } finally {
            opened.close();
        }
    };
    return {
        load: (name) => within<string | undefined>('readonly', (store) => store.get(name)),
        save: async (name, text) => void (await within('readwrite', (store) => store.put(text, name))),
        exclusively: inBrowser,
    };
}

/** A browser's local storage, which it writes to the disk when it likes: prefer `indexedDbStorage`. */
export function localStorageStorage(prefix = 'imo-purse:'): PurseStorage {
    return {
        load: async (name) => localStorage.getItem(prefix + name) ?? undefined,
        save: async (name, text) => localStorage.setItem(prefix + name, text),
        exclusively: inBrowser,
    };
}

async function inBrowser<T>(name: string, work: () => Promise<T>): Promise<T> {
    if (!navigator.locks) throw new Error('This browser has no locks: use one that keeps several tabs apart, on a page served by https.');
    return (await navigator.locks.request(`imo-purse:${name}`, work)) as T;
}

/** A folder on disk, for Node: a file for each purse, in the form that `imo pay infer` reads. */
export async function fileStorage(folder: string): Promise<PurseStorage> {
    // Not for bundlers to look at.
    const [files, paths] = ['node:fs/promises', 'node:path'];
    const fs = (await import(/* @vite-ignore */ files!)) as typeof import('node:fs/promises');
    const { join } = (await import(/* @vite-ignore */ paths!)) as typeof import('node:path');
    await fs.mkdir(folder, { recursive: true });
    const file = (name: string): string => join(folder, `${name}.json`);
    const queue = new Queue();
    return {
        load: async (name) => {
            try {
                return await fs.readFile(file(name), 'utf8');
            } catch (error) {
                if (hasCode(error, 'ENOENT')) return undefined;
                throw error;
            }
        },
        save: async (name, text) => {
            // A crash leaves the old file or the new one.
            const next = `${file(name)}.next`;
            const handle = await fs.open(next, 'w', 0o600);
            try {
                await handle.writeFile(text);
                await handle.sync();
            } finally {
                await handle.close();
            }
            await fs.rename(next, file(name));
            const directory = await fs.open(folder, 'r');
            try {
                await directory.sync();
            } finally {
                await directory.close();
            }
        },
        exclusively: (name, work) => queue.run(name, () => withLockFile(fs, `${file(name)}.lock`, work)),
    };
}

type Files = typeof import('node:fs/promises');

/** One process at a time. A lock whose process has ended is taken over. */
async function withLockFile<T>(fs: Files, path: string, work: () => Promise<T>): Promise<T> {
    for (let waited = 0; ; ) {
        try {
            await fs.writeFile(path, String(process.pid), { flag: 'wx' });
            break;
        } catch (error) {
            if (!hasCode(error, 'EEXIST')) throw error;
            waited += 1;
            const owner = Number(await fs.readFile(path, 'utf8').catch(() => ''));
            if (owner > 0 && owner !== process.pid && !isRunning(owner)) {
                await takeOver(fs, path, owner);
            } else if (waited > 600) {
                throw new Error(`${path} is held by process ${owner || 'unknown'}: another payer uses this purse. If none does, delete the file.`);
            } else {
                await new Promise((resolve) => setTimeout(resolve, 100));
            }
        }
    }
    try {
        return await work();
    } finally {
        await fs.rm(path, { force: true });
    }
}

/** Removes the lock of a process that has ended, unless somebody else has done so meanwhile: only who made the second file may. */
async function takeOver(fs: Files, path: string, owner: number): Promise<void> {
    const taking = `${path}.taking`;
    try {
        await fs.writeFile(taking, String(process.pid), { flag: 'wx' });
    } catch (error) {
        if (!hasCode(error, 'EEXIST')) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100));
        return;
    }
    try {
        if (Number(await fs.readFile(path, 'utf8').catch(() => '')) === owner) await fs.rm(path, { force: true });
    } finally {
        await fs.rm(taking, { force: true });
    }
}

function isRunning(processId: number): boolean {
    try {
        process.kill(processId, 0);
        return true;
    } catch (error) {
        return hasCode(error, 'EPERM');
    }
}

function hasCode(error: unknown, code: string): boolean {
    return error instanceof Error && (error as NodeJS.ErrnoException).code === code;
}
