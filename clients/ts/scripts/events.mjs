// The events of a program: their names, discriminators and decoders.

import { camelCase, pascalCase } from '@codama/nodes';

export function eventsModule(idl, events) {
    const program = pascalCase(idl.metadata.name);
    const constant = idl.metadata.name.toUpperCase();
    const types = events.map(({ name }) => pascalCase(name)).sort();
    const discriminators = Object.fromEntries(idl.events.map(({ name, discriminator }) => [camelCase(name), discriminator]));
    return `import { type Address, type Decoder } from '@solana/kit';
import { ${constant}_PROGRAM_ADDRESS } from '../programs';
import {
${types.map((type) => `    get${type}Decoder,\n    type ${type},`).join('\n')}
} from '../types';

/** An event of ${idl.metadata.name}: its name and what it says. */
export type ${program}Event =
${types.map((type) => `    | { name: '${type}'; data: ${type} }`).join('\n')};

/** All events of ${idl.metadata.name}, for the functions that read logs. */
export const ${constant}_EVENTS: {
    readonly program: Address;
    readonly kinds: ReadonlyArray<{
        readonly name: ${program}Event['name'];
        readonly discriminator: Uint8Array;
        readonly decoder: () => Decoder<${program}Event['data']>;
    }>;
    /** Only a type: what reading them gives. */
    readonly event?: ${program}Event;
} = {
    program: ${constant}_PROGRAM_ADDRESS,
    kinds: [
${types
    .map(
        (type) =>
            `        { name: '${type}', discriminator: new Uint8Array([${discriminators[camelCase(type)].join(', ')}]), decoder: get${type}Decoder },`,
    )
    .join('\n')}
    ],
};
`;
}
