// Writes src/generated from the interfaces in idl/: the pages that Codama renders, and the events, which it does not.

import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { camelCase } from '@codama/nodes';
import { visit } from '@codama/visitors';
import { renderVisitor } from '@codama/renderers-js';

import { errorsModule } from './errors.mjs';
import { eventsModule } from './events.mjs';
import { programTree } from './tree.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const packageFolder = join(here, '..');
const idlFolder = join(packageFolder, '../../idl');
const out = join(packageFolder, 'src/generated');

const idls = readdirSync(idlFolder)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => JSON.parse(readFileSync(join(idlFolder, file), 'utf8')));

rmSync(out, { recursive: true, force: true });
for (const idl of idls) {
    const folder = join('src/generated', idl.metadata.name.replaceAll('_', '-'));
    const { root, events } = programTree(idl, idls);
    await visit(
        root,
        renderVisitor(packageFolder, {
            generatedFolder: folder,
            formatCode: false,
            kitImportStrategy: 'rootOnly',
            syncPackageJson: false,
        }),
    );
    const target = join(packageFolder, folder);
    mkdirSync(join(target, 'events'), { recursive: true });
    writeFileSync(join(target, 'events/index.ts'), eventsModule(idl, events));
    edit(join(target, 'index.ts'), (text) => `${text}\nexport * from './events';\n`);
    edit(join(target, 'errors', `${camelCase(idl.metadata.name)}.ts`), (text) => errorsModule(idl, text));
    letPluginTypeFollow(join(target, 'programs', `${camelCase(idl.metadata.name)}.ts`));
    nameFiles(target);
}

/** The type that Codama writes for a program's plugin is another one than kit's `extendClient` has had since version 8. */
function letPluginTypeFollow(file) {
    edit(file, (text) => {
        const changed = text.replace(/(<T extends \w+PluginRequirements>\(client: T\)): Omit<T, "\w+"> & \{ \w+: \w+Plugin \} =>/, '$1 =>');
        if (changed === text) throw new Error(`${file} has no plugin with the type that is to be left out`);
        return changed;
    });
}

/** Node takes an import of a file only by its whole name; Codama leaves that to a bundler. */
function nameFiles(folder) {
    for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
        if (!entry.isFile()) continue;
        const file = join(entry.parentPath ?? entry.path, entry.name);
        edit(file, (text) =>
            text.replaceAll(/(from ['"])(\.{1,2}(?:\/[A-Za-z]+)?)(['"])/g, (_, before, path, after) => {
                const isFile = path.startsWith('./') && !isFolder(join(dirname(file), path));
                return `${before}${path}${isFile ? '.js' : '/index.js'}${after}`;
            }),
        );
    }
}

function edit(file, change) {
    writeFileSync(file, change(readFileSync(file, 'utf8')));
}

function isFolder(path) {
    try {
        readdirSync(path);
        return true;
    } catch {
        return false;
    }
}
