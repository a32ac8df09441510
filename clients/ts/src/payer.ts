/** Buying answers: what the chain says, the question, the payment, and everything that can be checked about what comes back. */

import {
    address,
    fetchEncodedAccounts,
    getPublicKeyFromAddress,
    signatureBytes,
    verifySignature,
    type Address,
    type GetAccountInfoApi,
    type GetMultipleAccountsApi,
    type MessagePartialSigner,
    type ReadonlyUint8Array,
    type Rpc,
    createSignableMessage,
} from '@solana/kit';

import { equal, type Hash } from './bytes.js';
import { Completion, type CompletionOptions, type Sent } from './completion.js';
import type { DecoderLayout } from './decoder.js';
import { fromBase64, Gateway, paymentHeader, type CompletionChunk, type Fetch, type InferResponse, type Refusal } from './gateway.js';
import { fetchModel } from './generated/model-token/accounts/model.js';
import { fetchModelVersion } from './generated/model-token/accounts/modelVersion.js';
import { fetchProtocol } from './generated/model-token/accounts/protocol.js';
import { findModelVersionPda, findProtocolPda } from './generated/model-token/pdas/index.js';
import { fetchOperator } from './generated/opml-oracle/accounts/operator.js';
import { fetchMaybeLane } from './generated/revenue-escrow/accounts/lane.js';
import { fetchMaybeSession } from './generated/revenue-escrow/accounts/session.js';
import { findCreditPda, findLanePda, findSessionPda } from './generated/revenue-escrow/pdas/index.js';
import { tensorRoot } from './merkle.js';
import { answerKeyHash, answerMessage, parseReceipt, PUBLIC_SALT, sameReceipt, voucherMessage, type Claim, type Receipt } from './messages.js';
import { Purse, readPurse, writePurse, type PaidQuestion, type PayingLane } from './purse.js';
import type { PurseStorage } from './storage.js';
import { parseTensorSpec, tensorBytes, tensorValues, type TensorSpec, type Verdict, type VerifierModel } from './verifier.js';

/** How long a voucher can be collected, in seconds, where the session lasts as long. */
const VOUCHER_SECONDS = 7n * 24n * 60n * 60n;

/** Refusals that come only when the operator has exactly the questions before this one. */
const NOT_TAKEN: ReadonlySet<string | undefined> = new Set(['lane_overdrawn', 'limit_exceeded', 'wrong_requests']);

/** How a question is sent. */
type Send = (gateway: Gateway, payment: string) => Promise<Sent>;

/** Keeps an answer before its question counts as answered. */
type Keep = (bought: Bought) => Promise<void>;

export type PayerRpc = Rpc<GetAccountInfoApi & GetMultipleAccountsApi>;

/** Who buys from whom. */
export type PayerConfig = {
    rpc: PayerRpc;
    /** Signs vouchers: a session key that the payer granted. */
    session: MessagePartialSigner;
    /** Whose credit pays. */
    payer: Address;
    model: Address;
    /** The operator account. */
    operator: Address;
    /** Keeps what was asked. */
    storage: PurseStorage;
    /** Where the operator is asked, when not where its account says. */
    endpoint?: string;
    /** Recomputes every answer. */
    verifier?: VerifierModel;
    /** How often a question that has no answer yet is sent, with the same voucher. 4 when left out. */
    attempts?: number;
    fetch?: Fetch;
};

/** What the chain says about a purchase. */
export type Offer = {
    input: TensorSpec;
    modelRoot: Hash;
    priceUnits: bigint;
    endpoint: string;
    lane: PayingLane;
    private: boolean;
    /** Last second at which a voucher that is signed now can be collected. */
    expiresUnix: bigint;
    collectedCount: bigint;
};

/** An answer whose receipt and signature hold. */
export type Bought = {
    output: Uint8Array;
    values: number[];
    spec: TensorSpec;
    receipt: Receipt;
    /** What the operator can be held to: its key's signature of `answerMessage`. */
    answer: { key: Address; signature: ReadonlyUint8Array };
    priceUnits: bigint;
    /** What recomputing it said, where there is a verifier. */
    verdict?: Verdict;
};

/** No answer: refused, or (`refusal.isFinal` false) not there yet. Then the same question has to be asked again before any other. */
export class NotAnswered extends Error {
    override name = 'NotAnswered';
    readonly refusal: Refusal;

    constructor(refusal: Refusal) {
        const what = refusal.isFinal ? 'The operator refuses' : 'No answer yet, ask the same again later';
        super(`${what}: ${refusal.message}`);
        this.refusal = refusal;
    }
}

/** What came back is not an answer to the question. It has been asked, and has to be asked again before any other. */
export class WrongAnswer extends Error {
    override name = 'WrongAnswer';
}

/** A payer's side of one lane. */
export class Payer {
    readonly #config: PayerConfig;

    constructor(config: PayerConfig) {
        this.#config = config;
    }

    /** Price, model, operator and lane as the chain has them; nothing of it is the operator's to say. */
    async lookUp(): Promise<Offer> {
        const { rpc, payer, model, operator, session, endpoint } = this.#config;
        const [protocol] = await findProtocolPda();
        const [credit] = await findCreditPda({ payer, model });
        const [lane] = await findLanePda({ credit, operator });
        const [sessionAddress] = await findSessionPda({ credit, key: session.address });
        const [settings, modelAccount, operatorAccount, laneAccount, sessionAccount, nowUnix] = await Promise.all([
            fetchProtocol(rpc, protocol),
            fetchModel(rpc, model),
            fetchOperator(rpc, operator),
            fetchMaybeLane(rpc, lane),
            fetchMaybeSession(rpc, sessionAddress),
            chainUnixTime(rpc),
        ]);
        if (modelAccount.data.liveVersion === 0) throw new Error('No version of the model is live.');
        if (!laneAccount.exists) throw new Error('The payer has no lane to this operator: laneInstructions makes one.');
        if (!sessionAccount.exists) throw new Error('The payer granted this session key nothing: grant_session does.');
        const granted = sessionAccount.data;
        if (isSet(granted.revokeDeadline) || nowUnix > granted.expiresUnix) throw new Error('The session is revoked or expired.');
        const [version] = await findModelVersionPda({ model, number: modelAccount.data.liveVersion });
        const { data: live } = await fetchModelVersion(rpc, version);
        const latest = nowUnix + VOUCHER_SECONDS;
        return {
            input: parseTensorSpec(live.inputSpec),
            modelRoot: live.modelRoot,
            priceUnits: live.priceUnits,
            endpoint: endpoint ?? operatorAccount.data.endpoint,
            private: laneAccount.data.private,
            expiresUnix: granted.expiresUnix < latest ? granted.expiresUnix : latest,
            collectedCount: laneAccount.data.collectedCount,
            lane: {
                cluster: settings.data.cluster,
                lane,
                laneGeneration: laneAccount.data.generation,
                session: session.address,
                sessionGeneration: granted.generation,
                operator,
                answerKeyHash: operatorAccount.data.endpointKeyHash,
            },
        };
    }

    /**
     * Asks one question and checks the answer's receipt, signature and roots. The question is stored before its voucher leaves. When no answer comes (`NotAnswered`, not final),
     * the same question has to be asked again before any other, or `resume` does; it is paid for once.
     */
    async ask(input: readonly number[] | ReadonlyUint8Array, offer?: Offer): Promise<Bought> {
        const found = offer ?? (await this.lookUp());
        const bytes = tensorBytes(found.input, input);
        return this.#config.storage.exclusively(found.lane.lane, () => this.#askAlone(found, bytes));
    }

    /** Asks the question once more that has no answer yet, after a crash for instance; `undefined` when there is none. */
    async resume(offer?: Offer): Promise<Bought | undefined> {
        const found = offer ?? (await this.lookUp());
        return this.#config.storage.exclusively(found.lane.lane, async () => {
            const { asking, input } = await this.#open(found);
            if (!asking) return undefined;
            if (!input) throw new Error('The purse does not hold the input of the question that has no answer yet: ask that question again.');
            return this.#askAlone(found, input.slice());
        });
    }

    /**
     * Has a decoder go on behind a prompt: an async iterable of its steps, each of which is bought when it is wanted and checked like any answer. Iterating again, also after a crash, goes on from
     * where it was. Of a lane's completions the storage has the newest.
     */
    stream(prompt: readonly number[], options: CompletionOptions = {}): Completion {
        const { model, storage } = this.#config;
        const name = (offer: Offer): string => `${offer.lane.lane}-completion`;
        const payer = {
            model,
            lookUp: () => this.lookUp(),
            layout: (offer: Offer) => this.#layout(offer),
            load: (offer: Offer) => storage.load(name(offer)),
            save: (offer: Offer, text: string) => storage.save(name(offer), text),
            buy: (offer: Offer, input: Uint8Array, keptSequence: bigint | undefined, send: Send, keep: Keep) =>
                storage.exclusively(offer.lane.lane, async () => {
                    await this.#settle(offer, input, keptSequence);
                    return this.#askAlone(offer, input, send, keep);
                }),
        };
        return new Completion(payer, prompt, options);
    }

    async #layout(offer: Offer): Promise<DecoderLayout> {
        const { model, fetch } = this.#config;
        const served = (await new Gateway(offer.endpoint, fetch).models()).find(({ address }) => address === model);
        if (!served?.decoder) throw new Error('The operator does not serve the model as a decoder: give its layout.');
        return served.decoder;
    }

    /** Has what is pending on the lane answered, unless it is this question, or its answer was kept. A question whose answer came to somebody else, such as `resume`, is pending once more. */
    async #settle(offer: Offer, input: Uint8Array, keptSequence: bigint | undefined): Promise<void> {
        const { purse, asking, input: pending } = await this.#open(offer);
        const [last] = purse.entries.slice(-1);
        if (!last) return;
        const isKept = keptSequence === BigInt(purse.entries.length - 1);
        const isThis = equal(last.inputRoot, tensorRoot(input)) && equal(last.modelRoot, offer.modelRoot);
        if (!asking) return isThis && !isKept ? this.#save(purse, input) : undefined;
        if (isThis) return;
        if (isKept) return this.#save(purse);
        if (!pending) throw new Error('The last question on this lane has no answer yet: ask it again first.');
        await this.#askAlone(offer, pending.slice());
    }

    async #askAlone(offer: Offer, input: Uint8Array, send?: Send, keep?: Keep): Promise<Bought> {
        const { purse, asking } = await this.#open(offer);
        const question = asking ? askAgain(purse, offer, input) : await this.#askNext(purse, offer, input);
        // Whatever an operator keeps of a question that is not owed, it can collect one voucher of this count, not two.
        const forget = () => this.#save(new Purse(offer.lane, purse.entries.slice(0, -1)));
        const payment = await this.#sign(question).catch(async (error: unknown) => {
            if (!asking) await forget();
            throw error;
        });
        const { asked, mayBeTaken } = await this.#send(offer, payment, send ?? ((gateway) => gateway.infer(this.#config.model, input, payment)));
        if (asked.kind === 'refused') {
            const { refusal } = asked;
            if (refusal.isFinal && (NOT_TAKEN.has(refusal.code) || !(asking || mayBeTaken))) await forget();
            throw new NotAnswered(refusal);
        }
        const answer = await checkAnswer(offer.lane, question, asked.response);
        const { verifier } = this.#config;
        const verdict = verifier?.check({ claim: answer.receipt.claim, input, output: answer.output });
        const bought = { ...answer, ...(verdict && { verdict }) };
        await keep?.(bought);
        await this.#save(purse);
        return bought;
    }

    async #askNext(purse: Purse, offer: Offer, input: Uint8Array): Promise<PaidQuestion> {
        const entry = {
            modelRoot: offer.modelRoot,
            inputRoot: tensorRoot(input),
            priceUnits: offer.priceUnits,
            salt: offer.private ? crypto.getRandomValues(new Uint8Array(32)) : PUBLIC_SALT,
        };
        const question = purse.ask(entry, offer.expiresUnix);
        await this.#save(purse, input);
        return question;
    }

    async #sign(question: PaidQuestion): Promise<string> {
        const { session } = this.#config;
        const message = voucherMessage(question.voucher);
        const [signatures] = await session.signMessages([createSignableMessage(message)]);
        const signature = signatures?.[session.address];
        if (!signature) throw new Error(`The session key ${session.address} did not sign.`);
        return paymentHeader(message, signature, question.request.salt);
    }

    /** Sends it until there is an answer or a refusal for good, and says whether an earlier try may have been taken. */
    async #send(offer: Offer, payment: string, send: Send): Promise<{ asked: Exclude<Sent, { kind: 'rerouted' }>; mayBeTaken: boolean }> {
        const { attempts = 4 } = this.#config;
        const gateway = new Gateway(offer.endpoint, this.#config.fetch);
        for (let [attempt, mayBeTaken] = [1, false]; ; ) {
            const asked = await send(gateway, payment);
            if (asked.kind === 'answered') return { asked, mayBeTaken };
            const { isFinal, retryAfterSeconds } = asked.refusal;
            if (asked.kind === 'refused') {
                if (isFinal || attempt >= attempts) return { asked, mayBeTaken };
                const seconds = retryAfterSeconds ?? 2 ** (attempt - 1);
                await new Promise((resolve) => setTimeout(resolve, 1000 * Math.min(seconds, 30)));
                attempt += 1;
            }
            mayBeTaken ||= !isFinal;
        }
    }

    async #open(offer: Offer): Promise<NonNullable<ReturnType<typeof readPurse>>> {
        const { lane, laneGeneration } = offer.lane;
        const { storage } = this.#config;
        const text = await storage.load(lane);
        const opened = text === undefined ? undefined : readPurse(offer.lane, text);
        if (opened) return opened;
        if (offer.collectedCount > 0n) {
            throw new Error(`${offer.collectedCount} answers were collected from this lane, but there is no purse that knows the questions.`);
        }
        // What was asked before the lane was closed is evidence still.
        if (text !== undefined) await storage.save(`${lane}-before-${laneGeneration}`, text);
        return { purse: new Purse(offer.lane), asking: false };
    }

    #save(purse: Purse, asking?: Uint8Array): Promise<void> {
        return this.#config.storage.save(purse.lane.lane, writePurse(purse, asking));
    }
}

function askAgain(purse: Purse, offer: Offer, input: Uint8Array): PaidQuestion {
    const last = purse.entries.at(-1);
    if (!last || !equal(last.inputRoot, tensorRoot(input))) {
        throw new Error('The last question on this lane has no answer yet: ask it again first, then this one.');
    }
    return purse.askAgain(offer.expiresUnix)!;
}

/** Checks what came back for a question: the receipt, the roots, and that the operator's key signed it. Whether the model gives this output is the verifier's to say. */
export async function checkAnswer(lane: PayingLane, question: PaidQuestion, response: InferResponse | CompletionChunk): Promise<Bought> {
    const { request } = question;
    const { spec, bytes, shown, key, signature } = understood(() => read(response));
    // Nothing of a receipt is the operator's to say but the output's root, and that follows from the output.
    const claim: Claim = { modelRoot: request.modelRoot, inputRoot: request.inputRoot, outputRoot: tensorRoot(bytes) };
    const receipt: Receipt = { lane: request.lane, sequence: request.sequence, claim, salt: request.salt };
    if (!sameReceipt(shown, receipt)) {
        throw new WrongAnswer('The receipt is not the one of this question and answer.');
    }
    if (!equal(answerKeyHash(key), lane.answerKeyHash)) {
        throw new WrongAnswer("The answer is signed by a key that is not the operator's.");
    }
    const message = answerMessage({ cluster: lane.cluster, operator: lane.operator, claim });
    if (!(await verifySignature(await getPublicKeyFromAddress(key), signature, message))) {
        throw new WrongAnswer("The answer's signature is not valid.");
    }
    return {
        output: bytes,
        values: tensorValues(spec, bytes),
        spec,
        receipt,
        answer: { key, signature },
        priceUnits: request.priceUnits,
    };
}

/** What an answer says, if it has the form of one. */
function read(response: InferResponse | CompletionChunk) {
    const { spec, bytes, evidence } = 'imo' in response ? readStep(response) : readOutput(response);
    return {
        spec,
        bytes,
        shown: parseReceipt(fromBase64(evidence.receipt)),
        key: address(evidence.answer_key),
        signature: signatureBytes(fromBase64(evidence.answer_signature)),
    };
}

function readOutput({ output, evidence }: InferResponse) {
    if (output.element !== 'int8' && output.element !== 'int32') throw new TypeError('The element type is unknown.');
    const spec: TensorSpec = { element: output.element, shape: [...output.shape] };
    return { spec, bytes: tensorBytes(spec, [...output.values]), evidence };
}

function readStep({ imo }: CompletionChunk) {
    const bytes = fromBase64(imo.output).slice();
    const spec: TensorSpec = { element: 'int8', shape: [1, bytes.length] };
    return { spec, bytes, evidence: imo };
}

function understood<T>(reading: () => T): T {
    try {
        return reading();
    } catch (cause) {
        throw new WrongAnswer("The operator's answer is not understood.", { cause });
    }
}

/** The chain's own time, in Unix seconds. */
export async function chainUnixTime(rpc: PayerRpc): Promise<bigint> {
    const [clock] = await fetchEncodedAccounts(rpc, ['SysvarC1ock11111111111111111111111111111111' as Address]);
    if (!clock?.exists) throw new Error('The cluster has no clock.');
    return new DataView(clock.data.slice().buffer).getBigInt64(32, true);
}

function isSet(deadline: { openedSlot: bigint; dueSlot: bigint; dueUnix: bigint }): boolean {
    return deadline.openedSlot !== 0n || deadline.dueSlot !== 0n || deadline.dueUnix !== 0n;
}
