/** The verifier: opens a model file, computes its root, recomputes answers and says what differs. It runs in WebAssembly, with the arithmetic of the chain's referee. */

import type { ReadonlyUint8Array } from '@solana/kit';

import type { Hash } from './bytes.js';
import { claimBytes, type Claim } from './messages.js';

export type ElementType = 'int8' | 'int32';

export type TensorSpec = { element: ElementType; shape: readonly number[] };

/** What the model root is the hash of, and what `publish_version` is given. */
export type ModelHeader = {
    arithmeticVersion: number;
    nodeCount: number;
    constantCount: number;
    graphRoot: Hash;
    weightsRoot: Hash;
    input: TensorSpec;
    /** The input's specification as the programs take it. */
    inputSpec: ReadonlyUint8Array;
};

export type Computation = { inputRoot: Hash; outputRoot: Hash; output: Uint8Array; values: number[] };

/** What a comparison of an answer with the own computation says. */
export type Verdict =
    /** The claim is what the model computes, and the output that was handed out is the claimed one. */
    | { kind: 'correct' }
    /** The claim is about a model with another root. */
    | { kind: 'another-model' }
    /** The claim is about another input. */
    | { kind: 'another-input' }
    /** What was handed out is no output of this model: it has so many bytes, and the model's output others. */
    | { kind: 'another-shape'; bytes: number }
    /** The claim is wrong, and so is the output that was handed out: this is its first element that differs. */
    | { kind: 'wrong-output'; element: number; computed: number; claimed: number }
    /** The claim is wrong; the output that was handed out is what the model computes. */
    | { kind: 'wrong-claim'; computedRoot: Hash }
    /** The claim is right; the output that was handed out is another one, and this is its first element that differs. */
    | { kind: 'wrong-handed-out'; element: number; computed: number; claimed: number };

const KINDS = ['correct', 'another-model', 'another-input', 'wrong-output', 'wrong-claim', 'wrong-handed-out'] as const;

type Exports = {
    memory: WebAssembly.Memory;
    imo_alloc(length: number): number;
    imo_open(file: number, length: number, model: number): number;
    imo_close(model: number): void;
    imo_describe(model: number): number;
    imo_compute(model: number, input: number, length: number): number;
    imo_check(model: number, claim: number, input: number, inputLength: number, output: number, outputLength: number): number;
    imo_release(reply: number): void;
};

/** A model file is not one, an input does not fit, or memory ran out: the sentence says which. */
export class VerifierError extends Error {
    override name = 'VerifierError';
}

/**
 * Loads the verifier: without a source from beside this module, which bundlers and Node both find. A page with a content security policy needs `'wasm-unsafe-eval'`.
 */
export async function loadVerifier(source?: WebAssembly.Module | BufferSource | Response | URL | string): Promise<Verifier> {
    return new Verifier(await compile(source ?? new URL('./opml.wasm', import.meta.url)));
}

async function compile(source: WebAssembly.Module | BufferSource | Response | URL | string): Promise<WebAssembly.Module> {
    if (source instanceof WebAssembly.Module) return source;
    if (source instanceof ArrayBuffer || ArrayBuffer.isView(source)) return WebAssembly.compile(source as BufferSource);
    if (source instanceof URL && source.protocol === 'file:') {
        // Node, which fetches no files. Not for bundlers to look at.
        const files = 'node:fs/promises';
        const { readFile } = (await import(/* @vite-ignore */ files)) as typeof import('node:fs/promises');
        return WebAssembly.compile(new Uint8Array(await readFile(source)));
    }
    const response = source instanceof Response ? source : await fetch(source as URL | string);
    if (!response.ok) throw new VerifierError(`The verifier cannot be loaded: ${response.url} answers ${response.status}.`);
    return WebAssembly.compile(await response.arrayBuffer());
}

/** Opens models. Each has memory of its own, all of which is given back with it. */
export class Verifier {
    readonly #module: WebAssembly.Module;

    constructor(module: WebAssembly.Module) {
        this.#module = module;
    }

    /** Opens the bytes of a model file (`.imo`) and checks every rule of its arithmetic. The weights are in memory about once. */
    async open(file: ReadonlyUint8Array): Promise<VerifierModel> {
        const { exports } = await WebAssembly.instantiate(this.#module, {});
        return new VerifierModel(exports as Exports, file);
    }
}

/** A model that was opened. */
export class VerifierModel {
    readonly modelRoot: Hash;
    readonly header: ModelHeader;
    readonly output: TensorSpec;
    #exports: Exports | undefined;
    readonly #model: number;

    /** Made by `Verifier.open`. */
    constructor(exports: Exports, file: ReadonlyUint8Array) {
        this.#exports = exports;
        const place = this.#guard(() => exports.imo_alloc(4));
        const data = this.#give(file);
        this.#reply(() => exports.imo_open(data, file.length, place));
        this.#model = new DataView(exports.memory.buffer).getUint32(place, true);
        const described = this.#reply(() => exports.imo_describe(this.#model));
        const view = new DataView(described.buffer);
        this.modelRoot = described.slice(0, 32);
        const inputSpec = described.slice(106, 124);
        this.header = {
            arithmeticVersion: view.getUint16(32, true),
            nodeCount: view.getUint32(34, true),
            constantCount: view.getUint32(38, true),
            graphRoot: described.slice(42, 74),
            weightsRoot: described.slice(74, 106),
            input: parseTensorSpec(inputSpec),
            inputSpec,
        };
        this.output = parseTensorSpec(described.slice(124, 142));
    }

    /** What the model gives for an input: its elements row-major, as numbers or as bytes. */
    compute(input: readonly number[] | ReadonlyUint8Array): Computation {
        const bytes = tensorBytes(this.header.input, input);
        const data = this.#give(bytes);
        const reply = this.#reply((exports) => exports.imo_compute(this.#model, data, bytes.length));
        const output = reply.slice(64);
        return {
            inputRoot: reply.slice(0, 32),
            outputRoot: reply.slice(32, 64),
            output,
            values: tensorValues(this.output, output),
        };
    }

    /** Recomputes an answer: the claim of its receipt, and the output that was handed out with it, best as the bytes that its root is of. */
    check(answer: { claim: Claim; input: readonly number[] | ReadonlyUint8Array; output: readonly number[] | ReadonlyUint8Array }): Verdict {
        const input = tensorBytes(this.header.input, answer.input);
        const expected = tensorElements(this.output) * (this.output.element === 'int8' ? 1 : 4);
        if (answer.output instanceof Uint8Array && answer.output.length !== expected) return { kind: 'another-shape', bytes: answer.output.length };
        const output = tensorBytes(this.output, answer.output);
        const places = [claimBytes(answer.claim), input, output].map((bytes) => this.#give(bytes));
        const [claim, inputPlace, outputPlace] = places as [number, number, number];
        const reply = this.#reply((exports) =>
            exports.imo_check(this.#model, claim, inputPlace, input.length, outputPlace, output.length),
        );
        const view = new DataView(reply.buffer);
        const kind = KINDS[reply[0]!]!;
        switch (kind) {
            case 'wrong-output':
            case 'wrong-handed-out':
                return { kind, element: view.getUint32(4, true), computed: view.getInt32(8, true), claimed: view.getInt32(12, true) };
            case 'wrong-claim':
                return { kind, computedRoot: reply.slice(16, 48) };
            default:
                return { kind };
        }
    }

    /** Memory that the model and its computations have taken so far, in bytes. */
    get memoryBytes(): number {
        return this.#open.memory.buffer.byteLength;
    }

    /** Gives the memory back; nothing can be asked afterwards. */
    close(): void {
        this.#exports = undefined;
    }

    /** WebAssembly stops where memory ends. What it leaves behind is of no use. */
    #guard<T>(call: () => T): T {
        try {
            return call();
        } catch (cause) {
            this.close();
            throw new VerifierError('The verifier stopped, as it does when the model and its input need more memory than there is.', { cause });
        }
    }

    get #open(): Exports {
        if (!this.#exports) throw new VerifierError('The model was closed.');
        return this.#exports;
    }

    #give(bytes: ReadonlyUint8Array): number {
        const exports = this.#open;
        const place = this.#guard(() => exports.imo_alloc(bytes.length));
        new Uint8Array(exports.memory.buffer, place, bytes.length).set(bytes);
        return place;
    }

    #reply(call: (exports: Exports) => number): Uint8Array<ArrayBuffer> {
        const exports = this.#open;
        const place = this.#guard(() => call(exports));
        const view = new DataView(exports.memory.buffer);
        const [failed, at, length] = [0, 4, 8].map((offset) => view.getUint32(place + offset, true)) as [number, number, number];
        const bytes = new Uint8Array(exports.memory.buffer, at, length).slice();
        exports.imo_release(place);
        if (failed !== 0) throw new VerifierError(new TextDecoder().decode(bytes));
        return bytes;
    }
}

/** What 18 bytes say about a tensor (docs/protocol.md, 1.3). */
export function parseTensorSpec(bytes: ReadonlyUint8Array): TensorSpec {
    const element = ([undefined, 'int8', 'int32'] as const)[bytes[0] ?? 0];
    const rank = bytes[1] ?? 0;
    if (bytes.length !== 18 || !element || rank < 1 || rank > 4) throw new RangeError('These are not the 18 bytes of a tensor specification.');
    const view = new DataView(bytes.slice().buffer);
    return { element, shape: Array.from({ length: rank }, (_, dim) => view.getUint32(2 + 4 * dim, true)) };
}

/** How many elements a tensor has. */
export function tensorElements(spec: TensorSpec): number {
    return spec.shape.reduce((product, dim) => product * dim, 1);
}

/** The bytes of a tensor's elements, row-major; bytes are taken as they are. */
export function tensorBytes(spec: TensorSpec, values: readonly number[] | ReadonlyUint8Array): Uint8Array<ArrayBuffer> {
    const elements = tensorElements(spec);
    const size = spec.element === 'int8' ? 1 : 4;
    const name = `${spec.element} [${spec.shape.join(', ')}]`;
    if (values instanceof Uint8Array) {
        if (values.length !== elements * size) throw new RangeError(`A tensor of ${name} has ${elements * size} bytes, but ${values.length} were given.`);
        return values.slice() as Uint8Array<ArrayBuffer>;
    }
    if (values.length !== elements) throw new RangeError(`A tensor of ${name} has ${elements} elements, but ${values.length} were given.`);
    const bytes = new Uint8Array(elements * size);
    const view = new DataView(bytes.buffer);
    const most = 2 ** (8 * size - 1);
    (values as readonly number[]).forEach((value, index) => {
        if (!Number.isInteger(value) || value < -most || value >= most) throw new RangeError(`Element ${index} is ${value}, which is no ${spec.element}.`);
        if (size === 1) view.setInt8(index, value);
        else view.setInt32(4 * index, value, true);
    });
    return bytes;
}

/** The elements of a tensor as numbers. */
export function tensorValues(spec: TensorSpec, bytes: ReadonlyUint8Array): number[] {
    const view = new DataView(bytes.slice().buffer);
    return Array.from({ length: tensorElements(spec) }, (_, index) =>
        spec.element === 'int8' ? view.getInt8(index) : view.getInt32(4 * index, true),
    );
}
