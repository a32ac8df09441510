// An interface as Codama's tree, with the addresses of pdas.mjs in the place of those that an Anchor interface can only hint at.

import {
    accountValueNode,
    argumentValueNode,
    constantPdaSeedNodeFromString,
    definedTypeNode,
    instructionAccountNode,
    instructionNode,
    accountNode,
    pdaLinkNode,
    pdaNode,
    pdaSeedValueNode,
    pdaValueNode,
    programNode,
    rootNode,
    camelCase,
    variablePdaSeedNode,
} from '@codama/nodes';
import { rootNodeFromAnchorWithoutDefaultVisitor } from '@codama/nodes-from-anchor';
import {
    deduplicateIdenticalDefinedTypesVisitor,
    flattenInstructionDataArgumentsVisitor,
    getCommonInstructionAccountDefaultRules,
    setFixedAccountSizesVisitor,
    setInstructionAccountDefaultValuesVisitor,
    transformU8ArraysToBytesVisitor,
    unwrapInstructionArgsDefinedTypesVisitor,
    visit,
} from '@codama/visitors';
import { getAddressDecoder } from '@solana/kit';

import { PDAS } from './pdas.mjs';

/** Accounts whose address has another name than they have. */
const ACCOUNT_PDAS = { modelVault: 'vault' };

/** What an interface does not say: which argument a seed is. */
const SEED_ARGUMENTS = { grantSession: { session: { key: 'key' } } };

/** Codama's tree of a program, and its events. `idls` are those of all programs: an instruction may derive another one's addresses. */
export function programTree(idl, idls) {
    let root = withoutPdas(rootNodeFromAnchorWithoutDefaultVisitor(idl));
    for (const visitor of [
        deduplicateIdenticalDefinedTypesVisitor(),
        setFixedAccountSizesVisitor(),
        setInstructionAccountDefaultValuesVisitor(getCommonInstructionAccountDefaultRules()),
        unwrapInstructionArgsDefinedTypesVisitor(),
        flattenInstructionDataArgumentsVisitor(),
    ]) {
        root = visit(root, visitor);
    }
    const { program } = root;
    const pdas = Object.entries(PDAS[idl.metadata.name]).map(([name, [prefix, seeds]]) => pda(name, prefix, seeds));
    const events = program.events ?? [];
    root = rootNode(
        programNode({
            ...program,
            pdas,
            accounts: program.accounts.map((account) => linked(account, pdas)),
            instructions: program.instructions.map((instruction) => derived(instruction, idl, idls)),
            // Codama renders types, not events.
            definedTypes: [
                ...program.definedTypes,
                ...events.map((event) => definedTypeNode({ name: event.name, type: event.data.type })),
            ],
        }),
    );
    return { root: visit(root, transformU8ArraysToBytesVisitor()), events };
}

function withoutPdas(root) {
    const instructions = root.program.instructions.map((instruction) =>
        instructionNode({
            ...instruction,
            accounts: instruction.accounts.map((account) =>
                account.defaultValue?.kind === 'pdaValueNode'
                    ? instructionAccountNode({ ...account, defaultValue: undefined })
                    : account,
            ),
        }),
    );
    return rootNode(programNode({ ...root.program, instructions }));
}

function pda(name, prefix, seeds, programId) {
    return pdaNode({
        name,
        programId,
        seeds: [
            constantPdaSeedNodeFromString('utf8', prefix),
            ...Object.entries(seeds).map(([seed, type]) => variablePdaSeedNode(seed, type)),
        ],
    });
}

function linked(account, pdas) {
    const name = ACCOUNT_PDAS[account.name] ?? account.name;
    return pdas.some((known) => known.name === name) ? accountNode({ ...account, pda: pdaLinkNode(name) }) : account;
}

/** The instruction with the default of every account whose address follows from its other accounts and its arguments. */
function derived(instruction, idl, idls) {
    const described = idl.instructions.find(({ name }) => camelCase(name) === instruction.name);
    const accounts = instruction.accounts.map((account) => {
        const { pda: hint } = described.accounts.find(({ name }) => camelCase(name) === account.name);
        const defaultValue = hint && addressOf(account, hint, instruction, idl, idls);
        return defaultValue ? instructionAccountNode({ ...account, defaultValue }) : account;
    });
    return instructionNode({ ...instruction, accounts });
}

function addressOf(account, hint, instruction, idl, idls) {
    const owner = hint.program ? programOf(hint.program, idls) : idl;
    if (!owner) return undefined; // an associated token account
    const [first, ...rest] = hint.seeds;
    const prefix = Buffer.from(first.value).toString('utf8');
    const found = Object.entries(PDAS[owner.metadata.name]).find(([, [known]]) => known === prefix);
    if (!found) throw new Error(`${idl.metadata.name}.${instruction.name}: no address begins with "${prefix}"`);
    const [name, [, seeds]] = found;
    const names = Object.keys(seeds);
    if (names.length !== rest.length) {
        throw new Error(`${idl.metadata.name}.${instruction.name}: ${account.name} has ${rest.length} seeds, not ${names.length}`);
    }
    const values = names.map((seed, at) => valueOf(seed, seeds[seed], rest[at], account, instruction));
    if (values.includes(undefined)) return undefined;
    const node = owner === idl ? pdaLinkNode(name) : pda(name, prefix, seeds, owner.address);
    return pdaValueNode(node, names.map((seed, at) => pdaSeedValueNode(seed, values[at])));
}

function programOf(seed, idls) {
    if (seed.kind !== 'const') return undefined;
    const address = getAddressDecoder().decode(new Uint8Array(seed.value));
    return idls.find((idl) => idl.address === address);
}

/** Where an instruction has a seed's value: an account, an argument, or (a field of an account) nowhere. */
function valueOf(name, type, seed, account, instruction) {
    const argument = SEED_ARGUMENTS[instruction.name]?.[account.name]?.[name];
    if (argument) return argumentValueNode(argument);
    const path = seed.path.split('.').map((part) => camelCase(part));
    if (seed.kind === 'arg') {
        const last = path.at(-1);
        return instruction.arguments.some(({ name }) => name === last) ? argumentValueNode(last) : undefined;
    }
    if (type.kind !== 'publicKeyTypeNode' || path.length !== 1 || path[0] === account.name) return undefined;
    const source = instruction.accounts.find(({ name }) => name === path[0]);
    return source && !source.isOptional ? accountValueNode(path[0]) : undefined;
}
