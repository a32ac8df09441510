/** An operator of the decoder in `models/decoder`, of which the Rust client has computed every step of one generation. */

import { readFileSync } from 'node:fs';

import { answerMessage, fromBase64, MerkleTree, receiptBytes, requestLeaf, tensorRoot, toHex, type CompletionChunk, type DecoderLayout, type Fetch } from '@imo/client';
import { getBase64Decoder } from '@solana/kit';

import { CLUSTER, json, MODEL, OPERATOR, PRICE_UNITS, type World } from './fakes.js';
import { hexBytes, PACKAGE } from './vectors.js';

export const decoder = JSON.parse(readFileSync(new URL('test/decoder.json', PACKAGE), 'utf8')) as {
    modelRoot: string;
    inputSpec: string;
    layout: DecoderLayout;
    prompt: number[];
    steps: Array<{ inputRoot: string; output: string; token: number | null }>;
};

/** What follows the prompt. */
export const TOKENS = decoder.steps.flatMap(({ token }) => token ?? []);

/** The world's changes for it. */
export const CHANGES = { modelRoot: hexBytes(decoder.modelRoot), inputSpec: hexBytes(decoder.inputSpec) };

/** What is done with a paid request, given what an honest operator would answer; it has the question in any case. */
export type Trick = (honest: () => Response) => Response | Promise<Response>;

export class FakeDecoder {
    /** Paths of the payments so far. */
    readonly paths: string[] = [];
    /** One for each payment to come; an honest answer after that. */
    tricks: Trick[] = [];
    layout: DecoderLayout | null = decoder.layout;
    /** Completions that are known, with the step that is next. */
    readonly #known = new Map<string, number>();
    readonly #world: World;
    readonly #tree = new MerkleTree();
    #last: { covered: string; step: number } | undefined;

    constructor(world: World) {
        this.#world = world;
    }

    /** How many questions it was paid for. */
    get count(): number {
        return this.#tree.count;
    }

    forget(): void {
        this.#known.clear();
    }

    readonly fetch: Fetch = async (url, init) => {
        const path = new URL(url).pathname;
        if (path === '/v1/models') return json(200, { data: [{ id: 'decoder', address: MODEL, decoder: this.layout }] });
        this.paths.push(path);
        const { 'x-payment': header } = init!.headers as Record<string, string>;
        const { payload } = JSON.parse(Buffer.from(header!, 'base64').toString()) as { payload: { voucher: string; salt: string } };
        const answer = await this.#answer(path, JSON.parse(String(init!.body)), fromBase64(payload.voucher) as Uint8Array, hexBytes(payload.salt));
        return (this.tricks.shift() ?? ((honest) => honest()))(answer);
    };

    async #answer(path: string, body: { prompt?: number[]; input?: { data: string } }, voucher: Uint8Array, salt: Uint8Array): Promise<() => Response> {
        const covered = toHex(voucher.slice(160, 208));
        const isAgain = this.#last?.covered === covered;
        const id = path.split('/')[3] ?? `cmpl-${this.#known.size}`;
        let step = isAgain ? this.#last!.step : this.#known.get(id);
        if (path === '/v1/completions') {
            if (!this.layout) return () => json(400, { error: { message: 'This model is not served as a decoder.' } });
            if (JSON.stringify(body.prompt) !== JSON.stringify(decoder.prompt)) return () => json(400, { error: { message: 'Another prompt.' } });
            step = 0;
        } else if (path === '/v1/infer') {
            const root = toHex(tensorRoot(fromBase64(body.input!.data)));
            step = decoder.steps.findIndex(({ inputRoot }) => inputRoot === root);
            if (step < 0) return () => json(402, { error: 'No step of it.', code: 'wrong_requests' });
        } else if (!this.#known.has(id)) {
            return () => json(404, { error: { message: 'There is no such completion.' } });
        }
        const at = step!;
        const found = decoder.steps[at];
        if (!found) return () => json(409, { error: { message: 'This completion is complete.' } });
        const { lane, answerKey } = this.#world;
        const [modelRoot, inputRoot] = [CHANGES.modelRoot, hexBytes(found.inputRoot)];
        const sequence = BigInt(isAgain ? this.count - 1 : this.count);
        if (!isAgain) {
            const message = new DataView(voucher.buffer, voucher.byteOffset);
            const next = sequence + 1n;
            if (message.getBigUint64(168, true) !== next || message.getBigUint64(160, true) !== next * PRICE_UNITS) {
                return () => json(402, { error: 'The voucher is not the next one.', code: 'not_next' });
            }
            const tree = new MerkleTree();
            for (let index = 0; index < this.count; index += 1) tree.push(this.#tree.node(0, index));
            const leaf = requestLeaf({ lane, sequence, modelRoot, inputRoot, priceUnits: PRICE_UNITS, salt });
            tree.push(leaf);
            if (toHex(tree.root()) !== covered.slice(32)) return () => json(402, { error: 'Another root.', code: 'wrong_requests' });
            this.#tree.push(leaf);
            this.#last = { covered, step: at };
        }
        if (path !== '/v1/infer') this.#known.set(id, at + 1);
        const output = fromBase64(found.output);
        const claim = { modelRoot, inputRoot, outputRoot: tensorRoot(output) };
        const [signatures] = await answerKey.signMessages([{ content: answerMessage({ cluster: CLUSTER, operator: OPERATOR, claim }), signatures: {} }]);
        const evidence = {
            receipt: getBase64Decoder().decode(receiptBytes({ lane, sequence, claim, salt })),
            sequence: Number(sequence),
            model_root: decoder.modelRoot,
            input_root: found.inputRoot,
            output_root: toHex(claim.outputRoot),
            answer_key: answerKey.address,
            answer_signature: getBase64Decoder().decode(signatures![answerKey.address]!),
        };
        if (path === '/v1/infer') {
            return () => json(200, { model: 'decoder', output: { element: 'int8', shape: [1, output.length], values: [...new Int8Array(output)] }, evidence });
        }
        const choices = found.token === null ? [] : [{ text: `${found.token} `, token_ids: [found.token], finish_reason: null }];
        const chunk: CompletionChunk = { id, model: 'decoder', choices, imo: { ...evidence, output: found.output } };
        return () => (path === '/v1/completions' ? stream(chunk) : json(200, chunk));
    }
}

/** The stream's beginning, in pieces, and further events that nobody has paid for. */
function stream(chunk: CompletionChunk): Response {
    const text = `: begins\n\ndata: ${JSON.stringify(chunk)}\n\n${`data: ${JSON.stringify({ ...chunk, choices: [{ token_ids: [1, 2, 3] }] })}\n\n`.repeat(3)}`;
    const pieces = text.match(/[^]{1,100}/g)!;
    const body = new ReadableStream({
        pull(controller) {
            const piece = pieces.shift();
            if (piece === undefined) controller.close();
            else controller.enqueue(new TextEncoder().encode(piece));
        },
    });
    return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
}

/** Does something to a step's answer. */
export function changed(change: (chunk: CompletionChunk) => void): Trick {
    return async (honest) => {
        const chunk = (await honest().json()) as CompletionChunk;
        change(chunk);
        return json(200, chunk);
    };
}

/** Does something to bytes behind some base64. */
export function flipped(text: string, at: number): string {
    const bytes = Buffer.from(text, 'base64');
    bytes[at]! ^= 1;
    return bytes.toString('base64');
}

