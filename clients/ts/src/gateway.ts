/** An operator's gateway: asking, paying with `X-PAYMENT`, and reading what it answers (docs/operators-guide.md). */

import { getBase64Decoder, getBase64Encoder, type Address, type ReadonlyUint8Array } from '@solana/kit';

import { concat, toHex, type Hash } from './bytes.js';
import type { DecoderLayout } from './decoder.js';
import type { TensorSpec } from './verifier.js';

/** What is served, by `GET /v1/models`. */
export type ServedModel = {
    /** Its name at this operator. */
    id: string;
    address: Address;
    version: number;
    model_root: string;
    price_units: string;
    input: TensorSpec;
    output: TensorSpec;
    /** Where a decoder has its token, scores and caches. */
    decoder?: DecoderLayout | null;
};

/** What a payer keeps to prove what it was told. */
export type EvidenceBody = {
    /** Base64 of the receipt. */
    receipt: string;
    sequence: number;
    /** Hexadecimal roots. */
    model_root: string;
    input_root: string;
    output_root: string;
    answer_key: Address;
    /** Base64. */
    answer_signature: string;
};

/** What `POST /v1/infer` answers. */
export type InferResponse = {
    model: string;
    output: TensorSpec & { values: number[] };
    evidence: EvidenceBody;
};

/** What `POST /v1/completions` and `POST /v1/completions/{id}` answer: one step of a decoder. */
export type CompletionChunk = {
    id: string;
    model: string;
    /** What the gateway reads from the output. Nobody has signed it. */
    choices: Array<{ text: string; token_ids: number[]; finish_reason: 'stop' | 'length' | null }>;
    /** `output` is base64 of the output's elements. */
    imo: EvidenceBody & { output: string };
};

/** Why a gateway does not answer. */
export type Refusal = {
    /** The HTTP status; 0 when the gateway cannot be reached. */
    status: number;
    /** Of a refused voucher: a name that no rewording changes, such as `not_next` or `lane_overdrawn`. */
    code?: string;
    message: string;
    /** When to come back, in seconds, where the gateway says so. */
    retryAfterSeconds?: number;
    /** Whether the question was not taken, so that it is not owed. Otherwise it may have been, and has to be asked again with the same voucher. */
    isFinal: boolean;
};

export type Asked<T = InferResponse> = { kind: 'answered'; response: T } | { kind: 'refused'; refusal: Refusal };

/** What sends requests; by default the platform's own. */
export type Fetch = (url: string, init?: RequestInit) => Promise<Response>;

/** Most bytes of an answer that are read. */
const MAX_ANSWER_BYTES = 256 * 2 ** 20;
const TIMEOUT_MILLISECONDS = 150_000;

/** The value of `X-PAYMENT`. */
export function paymentHeader(message: ReadonlyUint8Array, signature: ReadonlyUint8Array, salt: Hash): string {
    const payment = {
        x402Version: 1,
        scheme: 'imo-voucher',
        payload: { voucher: base64(concat(message, signature)), salt: toHex(salt) },
    };
    return base64(new TextEncoder().encode(JSON.stringify(payment)));
}

/** A gateway at an address such as `https://operator.example`. */
export class Gateway {
    readonly #endpoint: string;
    readonly #fetch: Fetch;

    constructor(endpoint: string, fetcher: Fetch = (url, init) => fetch(url, init)) {
        this.#endpoint = endpoint.replace(/\/+$/, '');
        this.#fetch = fetcher;
    }

    /** What is served, at what price. */
    async models(): Promise<ServedModel[]> {
        const response = await this.#fetch(`${this.#endpoint}/v1/models`);
        if (!response.ok) throw new Error(`${this.#endpoint} answers ${response.status} for the models that it serves.`);
        return ((await response.json()) as { data: ServedModel[] }).data;
    }

    /** Asks once. */
    infer(model: Address, input: ReadonlyUint8Array, payment: string): Promise<Asked> {
        return this.#ask('/v1/infer', payment, { model, input: { data: base64(input) } }, readJson);
    }

    /** Begins a decoder's answer to a prompt, and asks its first step. Of the stream only this step is listened to: the others come back with their payments, too. */
    begin(model: Address, prompt: readonly number[], maxTokens: number, payment: string): Promise<Asked<CompletionChunk>> {
        return this.#ask('/v1/completions', payment, { model, prompt, max_tokens: maxTokens, stream: true }, readFirstEvent);
    }

    /** Asks the next step of an answer that was begun. */
    step(id: string, payment: string): Promise<Asked<CompletionChunk>> {
        return this.#ask(`/v1/completions/${id}`, payment, {}, readJson);
    }

    async #ask<T>(path: string, payment: string, body: unknown, read: (response: Response) => Promise<unknown>): Promise<Asked<T>> {
        let response: Response;
        try {
            response = await this.#fetch(`${this.#endpoint}${path}`, {
                method: 'POST',
                headers: { 'content-type': 'application/json', 'x-payment': payment },
                body: JSON.stringify(body),
                redirect: 'error',
                signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS),
            });
            if (response.status === 200) return { kind: 'answered', response: (await read(response)) as T };
        } catch (error) {
            const why = error instanceof Error ? error.message : String(error);
            return { kind: 'refused', refusal: { status: 0, message: `${this.#endpoint} does not answer (${why})`, isFinal: false } };
        }
        return { kind: 'refused', refusal: await refusalOf(response) };
    }
}

/** JSON of a length that is bounded, however much comes. */
async function readJson(response: Response): Promise<unknown> {
    const parts: Uint8Array[] = [];
    for await (const part of partsOf(response)) parts.push(part);
    return JSON.parse(new TextDecoder().decode(concat(...parts)));
}

/** The JSON of the first of a stream's events that has data. */
async function readFirstEvent(response: Response): Promise<unknown> {
    const decoder = new TextDecoder();
    let [line, data] = ['', ''];
    for await (const part of partsOf(response)) {
        const lines = (line + decoder.decode(part, { stream: true })).split('\n');
        line = lines.pop()!;
        for (const ended of lines.map((text) => text.replace(/\r$/, ''))) {
            if (ended.startsWith('data:')) data += `${ended.slice(5)}\n`;
            else if (ended === '' && data !== '') return JSON.parse(data);
        }
    }
    throw new Error('the stream ended before its first event');
}

/** The body as it comes. Whoever has enough leaves, and the connection is closed. */
async function* partsOf(response: Response): AsyncGenerator<Uint8Array> {
    const reader = response.body?.getReader();
    if (!reader) return;
    try {
        for (let length = 0; ; ) {
            const { done, value } = await reader.read();
            if (done) return;
            length += value.length;
            if (length > MAX_ANSWER_BYTES) throw new Error('it sends no end of bytes');
            yield value;
        }
    } finally {
        await reader.cancel().catch(() => undefined);
    }
}

async function refusalOf(response: Response): Promise<Refusal> {
    const { status } = response;
    const body = (await readJson(response).catch(() => ({}))) as { error?: string | { message?: string }; code?: string };
    const message = typeof body.error === 'string' ? body.error : body.error?.message;
    const wait = Number(response.headers.get('retry-after'));
    return {
        status,
        ...(typeof body.code === 'string' && { code: body.code }),
        message: message ?? 'it does not say why',
        ...(wait > 0 && { retryAfterSeconds: wait }),
        isFinal: status !== 408 && status !== 409 && status !== 429 && status < 500,
    };
}

export function base64(bytes: ReadonlyUint8Array): string {
    return getBase64Decoder().decode(bytes);
}

export function fromBase64(text: string): ReadonlyUint8Array {
    return getBase64Encoder().encode(text);
}
