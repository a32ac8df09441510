/** What a decoder makes of a prompt, bought token by token. */

import type { Address } from '@solana/kit';

import { equal, fromHex, toHex } from './bytes.js';
import { capacity, fitsOutput, Generation, nextToken, readLayout, type DecoderLayout } from './decoder.js';
import { base64, fromBase64, type Asked, type CompletionChunk, type Gateway, type InferResponse, type Refusal } from './gateway.js';
import type { Bought, Offer } from './payer.js';
import { tensorElements } from './verifier.js';

export type CompletionOptions = {
    /** How many tokens are to follow at most. 16 when left out. */
    maxTokens?: number;
    /** Most that this run may cost. The prompt's tokens are paid for like the others. */
    budgetUnits?: bigint;
    /** Where the model has its token, scores and caches, from whoever made the model. What the operator says when left out. */
    layout?: DecoderLayout;
    offer?: Offer;
};

/** One step. */
export type CompletionStep = {
    /** What follows the tokens so far; none while the prompt is fed. */
    token?: number;
    /** The answer, with the operator's signature; none of what was paid for before this run. */
    bought?: Bought;
};

/** Why no further token comes: `wrong` is a verifier's word on the last step. */
export type CompletionEnd = 'end-token' | 'max-tokens' | 'cache-full' | 'budget' | 'wrong';

/** A question's answer, or that it has to be asked in another way at once. */
export type Sent = Asked<InferResponse | CompletionChunk> | { kind: 'rerouted'; refusal: Refusal };

/** What a completion needs of its payer. */
export type CompletionPayer = {
    model: Address;
    lookUp(): Promise<Offer>;
    /** What the operator says. */
    layout(offer: Offer): Promise<DecoderLayout>;
    load(offer: Offer): Promise<string | undefined>;
    save(offer: Offer, text: string): Promise<void>;
    /** Buys one answer, alone on the lane. What is pending there and is not this question is asked again first, unless its answer was kept. `keep` ends before the question counts as answered. */
    buy(
        offer: Offer,
        input: Uint8Array,
        keptSequence: bigint | undefined,
        send: (gateway: Gateway, payment: string) => Promise<Sent>,
        keep: (bought: Bought) => Promise<void>,
    ): Promise<Bought>;
};

/**
 * Yields each step as it comes. Each is a question of its own, made of the outputs before it and signed for when the step before has come: whoever stops iterating stops paying. Iterating again, also
 * after a crash with the same storage, goes on from where it was; nothing is paid twice.
 */
export class Completion implements AsyncIterable<CompletionStep> {
    /** The tokens so far, without the prompt's. */
    tokens: readonly number[] = [];
    /** What iterating has cost. */
    costUnits = 0n;
    /** Why it is over, once it is. */
    end: CompletionEnd | undefined;
    readonly #payer: CompletionPayer;
    readonly #prompt: readonly number[];
    readonly #options: CompletionOptions;

    /** Made by `Payer.stream`. */
    constructor(payer: CompletionPayer, prompt: readonly number[], options: CompletionOptions) {
        this.#payer = payer;
        this.#prompt = [...prompt];
        this.#options = options;
    }

    async *[Symbol.asyncIterator](): AsyncGenerator<CompletionStep, void, undefined> {
        const { maxTokens = 16, budgetUnits } = this.#options;
        const payer = this.#payer;
        const offer = this.#options.offer ?? (await payer.lookUp());
        const layout = readLayout(this.#options.layout ?? (await payer.layout(offer)), offer.input);
        checkWish(layout, this.#prompt, maxTokens);
        let progress = Progress.read(await payer.load(offer), offer, layout, this.#prompt) ?? Progress.begin(offer, layout, this.#prompt);
        this.end = undefined;
        this.tokens = [];
        for (const token of progress.tokens.slice(0, maxTokens)) {
            this.tokens = [...this.tokens, token];
            yield { token };
        }
        const route = new Route(payer.model, this.#prompt, maxTokens, progress);
        while (!(this.end = progress.end(maxTokens))) {
            if (budgetUnits !== undefined && this.costUnits + offer.priceUnits > budgetUnits) {
                this.end = 'budget';
                return;
            }
            const input = progress.question();
            const send = (gateway: Gateway, payment: string): Promise<Sent> => route.send(gateway, input, payment);
            let fits = true;
            const bought = await payer.buy(offer, input, progress.sequence, send, async (answer) => {
                fits = fitsOutput(layout, answer.output.length);
                if (!fits) return;
                const next = progress.after(answer, route.id);
                await payer.save(offer, next.write());
                progress = next;
            });
            this.costUnits += bought.priceUnits;
            if (!fits) throw new Error("The operator's output is not one of such a decoder.");
            const token = progress.length >= this.#prompt.length ? progress.tokens.at(-1) : undefined;
            if (token !== undefined) this.tokens = [...this.tokens, token];
            yield { bought, ...(token !== undefined && { token }) };
        }
    }
}

function checkWish(layout: DecoderLayout, prompt: readonly number[], maxTokens: number): void {
    if (prompt.length === 0) throw new RangeError('A prompt has one token at least.');
    if (!(Number.isInteger(maxTokens) && maxTokens > 0)) throw new RangeError('An answer has one token at least.');
    if (prompt.length > capacity(layout)) throw new RangeError(`The cache is full: ${capacity(layout)} tokens fit.`);
    const wrong = prompt.find((token) => !(Number.isInteger(token) && token >= 0 && token < layout.vocabulary));
    if (wrong !== undefined) throw new RangeError(`The model has ${layout.vocabulary} tokens, and ${wrong} is none of them.`);
}

type Stored = {
    generation: number;
    model_root: string;
    layout: DecoderLayout;
    prompt: number[];
    tokens: number[];
    /** Base64. */
    row: string;
    length: number;
    sequence?: number;
    id?: string;
    is_wrong?: boolean;
};

/** What is kept of a completion between two steps. */
class Progress {
    readonly #stored: Stored;
    readonly #generation: Generation;

    private constructor(stored: Stored, generation: Generation) {
        this.#stored = stored;
        this.#generation = generation;
    }

    static begin(offer: Offer, layout: DecoderLayout, prompt: readonly number[]): Progress {
        const generation = new Generation(layout, new Uint8Array(tensorElements(offer.input)));
        const stored = {
            generation: Number(offer.lane.laneGeneration),
            model_root: toHex(offer.modelRoot),
            layout,
            prompt: [...prompt],
            tokens: [],
            row: base64(generation.row),
            length: 0,
        };
        return new Progress(stored, generation);
    }

    /** What was stored, if it is of this completion. */
    static read(text: string | undefined, offer: Offer, layout: DecoderLayout, prompt: readonly number[]): Progress | undefined {
        if (text === undefined) return undefined;
        const stored = JSON.parse(text) as Stored;
        const isSame =
            BigInt(stored.generation) === offer.lane.laneGeneration &&
            equal(fromHex(stored.model_root), offer.modelRoot) &&
            JSON.stringify([stored.layout, stored.prompt]) === JSON.stringify([layout, prompt]);
        return isSame ? new Progress(stored, new Generation(layout, fromBase64(stored.row), stored.length)) : undefined;
    }

    write(): string {
        return JSON.stringify(this.#stored);
    }

    get tokens(): readonly number[] {
        return this.#stored.tokens;
    }

    get length(): number {
        return this.#generation.length;
    }

    /** Of the last step's question on the lane. */
    get sequence(): bigint | undefined {
        const { sequence } = this.#stored;
        return sequence === undefined ? undefined : BigInt(sequence);
    }

    /** What the operator calls it. */
    get id(): string | undefined {
        return this.#stored.id;
    }

    question(): Uint8Array {
        const { prompt, tokens } = this.#stored;
        return this.#generation.question([...prompt, ...tokens][this.length]!);
    }

    /** With an answer. Which token follows is read from the output that was signed, not from what the operator says beside it. */
    after(answer: Bought, id: string | undefined): Progress {
        const { prompt, tokens, id: _, ...stored } = this.#stored;
        const { layout } = this.#generation;
        const generation = this.#generation.take(answer.output);
        const more = generation.length < prompt.length ? [] : [nextToken(layout, answer.output)];
        const next = {
            ...stored,
            prompt,
            tokens: [...tokens, ...more],
            row: base64(generation.row),
            length: generation.length,
            sequence: Number(answer.receipt.sequence),
            ...(id !== undefined && { id }),
            ...(answer.verdict && answer.verdict.kind !== 'correct' && { is_wrong: true }),
        };
        return new Progress(next, generation);
    }

    end(maxTokens: number): CompletionEnd | undefined {
        const { tokens, is_wrong } = this.#stored;
        const { layout, length } = this.#generation;
        if (is_wrong) return 'wrong';
        if (tokens.length > 0 && layout.end_tokens.includes(tokens.at(-1)!)) return 'end-token';
        if (tokens.length >= maxTokens) return 'max-tokens';
        return length >= capacity(layout) ? 'cache-full' : undefined;
    }
}

/** Where the next step is asked: the operator keeps the cache of a completion that it knows; any other is asked like any question, with the whole row. */
class Route {
    readonly #model: Address;
    readonly #prompt: readonly number[];
    readonly #maxTokens: number;
    #kind: 'begin' | 'step' | 'whole';
    /** What the operator calls the completion. */
    id: string | undefined;

    constructor(model: Address, prompt: readonly number[], maxTokens: number, progress: Progress) {
        this.#model = model;
        this.#prompt = prompt;
        this.#maxTokens = maxTokens;
        this.id = progress.id;
        this.#kind = progress.length === 0 ? 'begin' : this.id === undefined ? 'whole' : 'step';
    }

    async send(gateway: Gateway, input: Uint8Array, payment: string): Promise<Sent> {
        if (this.#kind === 'whole') return gateway.infer(this.#model, input, payment);
        const asked =
            this.#kind === 'begin'
                ? await gateway.begin(this.#model, this.#prompt, this.#maxTokens, payment)
                : await gateway.step(this.id!, payment);
        if (asked.kind === 'refused') {
            const { status, code } = asked.refusal;
            // It streams nothing, does not know the completion any more, or has gone on with it in another way.
            if (![400, 404, 405, 409].includes(status) && code !== 'wrong_requests') return asked;
            this.#whole();
            return { kind: 'rerouted', refusal: asked.refusal };
        }
        const id = (asked.response as Partial<CompletionChunk> | null)?.id;
        if (typeof id === 'string' && /^[A-Za-z0-9-]+$/.test(id)) {
            [this.#kind, this.id] = ['step', id];
        } else {
            this.#whole();
        }
        return asked;
    }

    #whole(): void {
        [this.#kind, this.id] = ['whole', undefined];
    }
}
