/**
 * What a payer has asked on a lane. Vouchers are cumulative: whoever loses the questions that they cover can sign no further one on that lane. So every question is
 * stored before its voucher leaves.
 */

import { getBase64Decoder, getBase64Encoder, type Address, type ReadonlyUint8Array } from '@solana/kit';

import { fromHex, hash, toHex, type Hash } from './bytes.js';
import { MerkleTree } from './merkle.js';
import { requestLeaf, type Request, type Voucher } from './messages.js';

/** Where a payer's questions go, as its accounts say. */
export type PayingLane = {
    /** Genesis hash of the cluster, as the protocol's account has it. */
    cluster: Hash;
    lane: Address;
    laneGeneration: bigint;
    session: Address;
    sessionGeneration: bigint;
    /** The operator account. */
    operator: Address;
    /** SHA-256 of the key that signs its answers. */
    answerKeyHash: Hash;
};

/** What the payer chose for one question. */
export type Entry = { modelRoot: Hash; inputRoot: Hash; priceUnits: bigint; salt: Hash };

/** A question with the voucher that pays for it, which the session key is to sign. */
export type PaidQuestion = { request: Request; voucher: Voucher };

/** All that was asked on one lane. */
export class Purse {
    readonly lane: PayingLane;
    readonly #entries: Entry[] = [];
    readonly #tree = new MerkleTree();
    #amountUnits = 0n;

    constructor(lane: PayingLane, entries: Iterable<Entry> = []) {
        this.lane = lane;
        for (const entry of entries) this.#append(entry);
    }

    /** All questions, in order. */
    get entries(): readonly Entry[] {
        return this.#entries;
    }

    /** Price of all questions, in units of the revenue mint. */
    get amountUnits(): bigint {
        return this.#amountUnits;
    }

    /** The next question, which counts as asked from now on. `expiresUnix` is at most the session's. */
    ask(entry: Entry, expiresUnix: bigint): PaidQuestion {
        return { request: this.#append(entry), voucher: this.#voucher(expiresUnix) };
    }

    /** The newest question once more, for an operator whose answer got lost. */
    askAgain(expiresUnix: bigint): PaidQuestion | undefined {
        const entry = this.#entries.at(-1);
        return entry && { request: this.#request(BigInt(this.#entries.length - 1), entry), voucher: this.#voucher(expiresUnix) };
    }

    #append(entry: Entry): Request {
        const amount = this.#amountUnits + entry.priceUnits;
        if (amount >= 1n << 64n) throw new RangeError("The lane's amounts do not fit 64 bits.");
        const request = this.#request(BigInt(this.#entries.length), entry);
        this.#tree.push(requestLeaf(request));
        this.#entries.push(entry);
        this.#amountUnits = amount;
        return request;
    }

    #request(sequence: bigint, entry: Entry): Request {
        return { lane: this.lane.lane, sequence, ...entry };
    }

    #voucher(expiresUnix: bigint): Voucher {
        return {
            cluster: this.lane.cluster,
            lane: this.lane.lane,
            laneGeneration: this.lane.laneGeneration,
            session: this.lane.session,
            sessionGeneration: this.lane.sessionGeneration,
            cumulativeAmountUnits: this.#amountUnits,
            cumulativeCount: BigInt(this.#entries.length),
            requestsRoot: this.#tree.root(),
            expiresUnix,
        };
    }
}

/** What a purse looks like where it is stored: the file of `imo pay infer`. */
export type StoredPurse = {
    lane: string;
    generation: number;
    /** Whether the last question has no answer yet. */
    asking: boolean;
    /** Base64 of that question's input, so that it can be asked again by whoever has nothing but the purse. */
    input?: string;
    entries: Array<{ model_root: string; input_root: string; price_units: number; salt: string }>;
};

/** `asking` is the input of the last question, while that has no answer. */
export function writePurse(purse: Purse, asking?: ReadonlyUint8Array): string {
    const stored: StoredPurse = {
        lane: purse.lane.lane,
        generation: number(purse.lane.laneGeneration),
        asking: asking !== undefined,
        ...(asking && { input: getBase64Decoder().decode(asking) }),
        entries: purse.entries.map((entry) => ({
            model_root: toHex(entry.modelRoot),
            input_root: toHex(entry.inputRoot),
            price_units: number(entry.priceUnits),
            salt: toHex(entry.salt),
        })),
    };
    return JSON.stringify(stored);
}

/**
 * A stored purse of this lane; `undefined` when it is of the lane before it was closed and opened again, on which nothing can be signed any more. Refuses one of another lane, and one of
 * a later generation than the chain showed.
 */
export function readPurse(lane: PayingLane, text: string): { purse: Purse; asking: boolean; input?: ReadonlyUint8Array } | undefined {
    const stored = JSON.parse(text) as StoredPurse;
    if (stored.lane !== lane.lane || BigInt(stored.generation) > lane.laneGeneration) {
        throw new Error('The stored purse is of another lane, or newer than the lane that the RPC shows.');
    }
    if (BigInt(stored.generation) < lane.laneGeneration) return undefined;
    const entries = stored.entries.map((entry) => ({
        modelRoot: hash(fromHex(entry.model_root)),
        inputRoot: hash(fromHex(entry.input_root)),
        priceUnits: BigInt(entry.price_units),
        salt: hash(fromHex(entry.salt)),
    }));
    const input = stored.asking && stored.input !== undefined ? getBase64Encoder().encode(stored.input) : undefined;
    return { purse: new Purse(lane, entries), asking: stored.asking, ...(input && { input }) };
}

/** JSON's numbers are exact up to 2^53, which a price in units is far below. */
function number(value: bigint): number {
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new RangeError(`${value} does not fit a purse's file.`);
    return Number(value);
}
