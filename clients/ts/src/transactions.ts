/** Building, simulating, sending and awaiting a transaction, with refusals by their names. */

import {
    appendTransactionMessageInstructions,
    compileTransaction,
    createTransactionMessage,
    getBase64EncodedWireTransaction,
    getSignatureFromTransaction,
    getSolanaErrorFromTransactionError,
    pipe,
    setTransactionMessageFeePayerSigner,
    setTransactionMessageLifetimeUsingBlockhash,
    signTransactionMessageWithSigners,
    type Address,
    type Commitment,
    type GetLatestBlockhashApi,
    type GetSignatureStatusesApi,
    type GetBlockHeightApi,
    type GetTransactionApi,
    type Instruction,
    type Rpc,
    type SendTransactionApi,
    type Signature,
    type Transaction,
    type SimulateTransactionApi,
    type TransactionSigner,
} from '@solana/kit';

import { concat, u32, u64 } from './bytes.js';
import { refusalFromLogs, type ProgramRefusal } from './errors.js';

export type TransactionRpc = Rpc<
    GetLatestBlockhashApi &
        GetSignatureStatusesApi &
        GetBlockHeightApi &
        GetTransactionApi &
        SendTransactionApi &
        SimulateTransactionApi
>;

export type TransactionPlan = {
    rpc: TransactionRpc;
    /** Pays the fees, and the first to sign. Other signers come with the instructions. */
    feePayer: TransactionSigner;
    instructions: readonly Instruction[];
    /** What is paid for being earlier, in micro-lamports for each compute unit. */
    priceMicroLamports?: bigint;
    /** When it counts as done. `confirmed` when left out. */
    commitment?: Commitment;
    /** How long to wait, in milliseconds. Until its blockhash has expired when left out. */
    timeoutMilliseconds?: number;
};

export type Simulation = { logs: readonly string[]; unitsConsumed: bigint };

export type SentTransaction = { signature: Signature; unitsConsumed: bigint };

/** The transaction was, or would be, refused. Nothing of it happened, but the fee when it was sent. */
export class TransactionRefused extends Error {
    override name = 'TransactionRefused';
    /** Which program refused and why; `undefined` when it was none of the four. */
    readonly refusal: ProgramRefusal | undefined;
    readonly logs: readonly string[];
    /** Of a transaction that was sent. */
    readonly signature: Signature | undefined;

    constructor(refusal: ProgramRefusal | undefined, logs: readonly string[], cause: unknown, signature?: Signature) {
        const why = refusal ? `${refusal.program} refuses (${refusal.name}, ${refusal.code}): ${refusal.message}` : said(cause);
        super(why, { cause });
        this.refusal = refusal;
        this.logs = logs;
        this.signature = signature;
    }
}

/** Whether it landed is not known: its status did not come in time. */
export class TransactionExpired extends Error {
    override name = 'TransactionExpired';
    readonly signature: Signature;

    constructor(signature: Signature, why: string) {
        super(`The transaction ${signature} ${why}.`);
        this.signature = signature;
    }
}

const COMPUTE_BUDGET = 'ComputeBudget111111111111111111111111111111' as Address;
/** The most that a transaction may ask for. */
const MAX_UNITS = 1_400_000;
/** Beyond what the simulation took: clocks and bumps make small differences. */
const MARGIN = 1.1;
const RANK: readonly Commitment[] = ['processed', 'confirmed', 'finalized'];

/** Builds and simulates; nobody is asked to sign. Throws `TransactionRefused` when it would fail. */
export async function simulate(plan: TransactionPlan): Promise<Simulation> {
    const draft = await build(plan, MAX_UNITS);
    return simulateUnsigned(plan, compileTransaction(draft.message));
}

/** Builds, simulates, signs with exactly the compute units that it needs, sends, and waits until it is as final as `commitment` says. */
export async function send(plan: TransactionPlan): Promise<SentTransaction> {
    const { commitment = 'confirmed', rpc } = plan;
    const draft = await build(plan, MAX_UNITS);
    const { unitsConsumed } = await simulateUnsigned(plan, compileTransaction(draft.message));
    const units = Math.min(MAX_UNITS, Math.ceil(Number(unitsConsumed) * MARGIN) + 1_000);
    const { message, lastValidBlockHeight } = await build(plan, units);
    const transaction = await signTransactionMessageWithSigners(message);
    const signature = getSignatureFromTransaction(transaction);
    const wire = getBase64EncodedWireTransaction(transaction);
    const submit = () => rpc.sendTransaction(wire, { encoding: 'base64', maxRetries: 0n, skipPreflight: true }).send();
    await submit();
    const began = Date.now();
    for (let round = 1; ; round += 1) {
        const { value } = await rpc.getSignatureStatuses([signature]).send();
        const status = value[0];
        if (status?.err) {
            const logs = await logsOf(rpc, signature);
            throw new TransactionRefused(refusalFromLogs(logs), logs, getSolanaErrorFromTransactionError(status.err), signature);
        }
        if (status?.confirmationStatus && RANK.indexOf(status.confirmationStatus) >= RANK.indexOf(commitment)) {
            return { signature, unitsConsumed };
        }
        if (plan.timeoutMilliseconds !== undefined && Date.now() - began > plan.timeoutMilliseconds) {
            throw new TransactionExpired(signature, `is not ${commitment} after ${plan.timeoutMilliseconds} ms`);
        }
        if (!status && (await rpc.getBlockHeight({ commitment: 'confirmed' }).send()) > lastValidBlockHeight) {
            throw new TransactionExpired(signature, 'was not taken before its blockhash expired');
        }
        await new Promise((resolve) => setTimeout(resolve, 400));
        // Whoever leads may not have had it.
        if (!status && round % 5 === 0) await submit();
    }
}

async function build(plan: TransactionPlan, units: number) {
    const { rpc, feePayer, instructions, priceMicroLamports = 0n } = plan;
    const { value: blockhash } = await rpc.getLatestBlockhash({ commitment: 'confirmed' }).send();
    const budget: Instruction[] = [computeBudget(2, u32(units))];
    if (priceMicroLamports > 0n) budget.push(computeBudget(3, u64(priceMicroLamports)));
    const message = pipe(
        createTransactionMessage({ version: 0 }),
        (draft) => setTransactionMessageFeePayerSigner(feePayer, draft),
        (draft) => setTransactionMessageLifetimeUsingBlockhash(blockhash, draft),
        (draft) => appendTransactionMessageInstructions([...budget, ...instructions], draft),
    );
    return { message, lastValidBlockHeight: blockhash.lastValidBlockHeight };
}

/** Nobody is asked to sign for it. */
async function simulateUnsigned(plan: TransactionPlan, transaction: Transaction): Promise<Simulation> {
    const wire = getBase64EncodedWireTransaction(transaction);
    const { value } = await plan.rpc.simulateTransaction(wire, { commitment: 'confirmed', encoding: 'base64', sigVerify: false }).send();
    const logs = value.logs ?? [];
    if (value.err) {
        const error = getSolanaErrorFromTransactionError(value.err);
        throw new TransactionRefused(refusalFromLogs(logs), logs, error);
    }
    return { logs, unitsConsumed: value.unitsConsumed ?? BigInt(MAX_UNITS) };
}

/** What a transaction that failed has logged, once the cluster tells; none when it does not in time. */
async function logsOf(rpc: TransactionRpc, signature: Signature): Promise<readonly string[]> {
    for (let round = 0; round < 25; round += 1) {
        const options = { commitment: 'confirmed', encoding: 'base64', maxSupportedTransactionVersion: 0 } as const;
        const landed = await rpc.getTransaction(signature, options).send();
        if (landed) return landed.meta?.logMessages ?? [];
        await new Promise((resolve) => setTimeout(resolve, 400));
    }
    return [];
}

function computeBudget(kind: number, value: Uint8Array): Instruction {
    return { programAddress: COMPUTE_BUDGET, accounts: [], data: concat(new Uint8Array([kind]), value) };
}

function said(cause: unknown): string {
    return cause instanceof Error ? cause.message : String(cause);
}
