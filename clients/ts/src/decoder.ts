/**
 * A decoder's steps: where in a model's input the token, its position and the cached rows are, and how one step's answer becomes the next one's question. Payer and operator build it from
 * the same bytes, so that both know its root before anything is signed.
 */

import type { ReadonlyUint8Array } from '@solana/kit';

import { tensorElements, type TensorSpec } from './verifier.js';

/** The places of a step's inputs and outputs, as `GET /v1/models` shows them: bytes of the model's one row of input or output. */
export type DecoderLayout = {
    /** Where the token's number goes, four bytes. */
    token: number;
    /** Where the number of tokens before it goes, four bytes each. */
    positions: number[];
    /** The first of the output's scores, one byte a token. */
    logits: number;
    /** How many tokens there are. */
    vocabulary: number;
    /** Keys or values of one layer: `heads` times `rows` rows of `width` bytes, of which a step adds one to each head. */
    caches: Array<{ input: number; output: number; heads: number; rows: number; width: number }>;
    /** Tokens that end an answer. */
    end_tokens: number[];
};

/** The layout that somebody gives, if it is one and lies within the model's input. Whether it means what it says is known to whoever made the model. */
export function readLayout(given: DecoderLayout, input: TensorSpec): DecoderLayout {
    const numbers = (values: readonly number[]): number[] => {
        if (!values.every((value) => Number.isSafeInteger(value) && value >= 0)) throw new TypeError('A number is none.');
        return [...values];
    };
    const caches = given.caches.map(({ input: from, output, heads, rows, width }) => {
        numbers([from, output, heads, rows, width]);
        return { input: from, output, heads, rows, width };
    });
    const { token, logits, vocabulary } = given;
    numbers([token, logits, vocabulary]);
    const layout = { token, positions: numbers(given.positions), logits, vocabulary, caches, end_tokens: numbers(given.end_tokens ?? []) };
    if (vocabulary === 0 || caches.length === 0 || caches.some(({ heads, rows, width }) => heads * rows * width === 0)) {
        throw new RangeError('A decoder has a vocabulary and at least one cache with rows.');
    }
    if (input.element !== 'int8') throw new RangeError("The model's input is not a row of int8: it is no step of a decoder.");
    const ends = [token, ...layout.positions].map((at) => at + 4).concat(caches.map((cache) => cache.input + cache.heads * cache.rows * cache.width));
    if (Math.max(...ends) > tensorElements(input)) throw new RangeError("The decoder's layout reaches behind the model's input.");
    return layout;
}

/** How many tokens a generation has at most. */
export function capacity(layout: DecoderLayout): number {
    return Math.min(...layout.caches.map(({ rows }) => rows));
}

/** Whether the layout lies within an output of so many bytes. */
export function fitsOutput(layout: DecoderLayout, bytes: number): boolean {
    return [layout.logits + layout.vocabulary, ...layout.caches.map(({ output, heads, width }) => output + heads * width)].every((end) => end <= bytes);
}

/** The token with the highest score, the first of them where several have it. */
export function nextToken(layout: DecoderLayout, output: ReadonlyUint8Array): number {
    const scores = new Int8Array(output.slice(layout.logits, layout.logits + layout.vocabulary));
    return scores.reduce((best, score, token) => (score > scores[best]! ? token : best), 0);
}

/** The state between two steps: all that was kept of the tokens so far. Nothing changes it. */
export class Generation {
    readonly layout: DecoderLayout;
    /** The caches, where the next question has them. */
    readonly row: ReadonlyUint8Array;
    /** Tokens that were taken. */
    readonly length: number;

    constructor(layout: DecoderLayout, row: ReadonlyUint8Array, length = 0) {
        this.layout = layout;
        this.row = row;
        this.length = length;
    }

    /** The question that a token is, after all before it. */
    question(token: number): Uint8Array {
        const { layout, length } = this;
        if (!(Number.isInteger(token) && token >= 0 && token < layout.vocabulary)) {
            throw new RangeError(`The model has ${layout.vocabulary} tokens, and ${token} is none of them.`);
        }
        if (length >= capacity(layout)) throw new RangeError(`The cache is full: ${capacity(layout)} tokens fit.`);
        const row = this.row.slice();
        const view = new DataView(row.buffer);
        view.setUint32(layout.token, token, true);
        for (const at of layout.positions) view.setUint32(at, length, true);
        return row;
    }

    /** With the answer's new rows behind those in use. */
    take(output: ReadonlyUint8Array): Generation {
        const row = this.row.slice();
        for (const { input, output: from, heads, rows, width } of this.layout.caches) {
            for (let head = 0; head < heads; head += 1) {
                row.set(output.slice(from + head * width, from + (head + 1) * width), input + (head * rows + this.length) * width);
            }
        }
        return new Generation(this.layout, row, this.length + 1);
    }
}
