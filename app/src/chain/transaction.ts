// A transaction from its instructions to finality: simulated first, so that it can be said what leaves and what arrives, then signed, sent again until it lands or its time is out.

import {
  type Address,
  address,
  appendTransactionMessageInstructions,
  type Base64EncodedWireTransaction,
  type Blockhash,
  compileTransaction,
  createTransactionMessage,
  getBase58Decoder,
  getBase64Decoder,
  getBase64Encoder,
  getTransactionEncoder,
  type Instruction,
  pipe,
  setTransactionMessageFeePayer,
  setTransactionMessageLifetimeUsingBlockhash,
  type Signature,
  type Transaction,
} from "@solana/kit";
import type { Wallet } from "../wallet/wallet.ts";
import { type Chain, type RawAccount, tokenAccount } from "./chain.ts";
import { Failed, failureOf, failureOfTransaction } from "./failure.ts";

/** Bytes that a transaction may have on the wire. */
const MAX_TRANSACTION_BYTES = 1_232;
const COMPUTE_BUDGET = address("ComputeBudget111111111111111111111111111111");
const MAX_COMPUTE_UNITS = 1_400_000;
const POLL_MILLISECONDS = 600;

/** An amount that a transaction moves into or out of the wallet. */
export interface Move {
  /** Undefined for lamports. */
  mint: Address | undefined;
  /** Above zero when it arrives. */
  units: bigint;
}

export interface Preview {
  moves: Move[];
  /** Programs that take part, in order, each once. */
  programs: Address[];
  computeUnits: number;
  lifetime: Lifetime;
}

interface Lifetime {
  blockhash: Blockhash;
  lastValidBlockHeight: bigint;
}

export type Progress = "signing" | "sent" | "processed" | "confirmed" | "finalized";

/** Whether these instructions fit one transaction. */
export function fits(instructions: readonly Instruction[], payer: Address): boolean {
  const lifetime = { blockhash: "11111111111111111111111111111111" as Blockhash, lastValidBlockHeight: 0n };
  try {
    return wireBytes(build(instructions, payer, lifetime, MAX_COMPUTE_UNITS)).length <= MAX_TRANSACTION_BYTES;
  } catch {
    return false;
  }
}

/** Puts groups of instructions that belong together into as few transactions as they fit. */
export function pack(groups: readonly (readonly Instruction[])[], payer: Address): Instruction[][] {
  const packed: Instruction[][] = [];
  for (const group of groups) {
    const last = packed.at(-1);
    if (last !== undefined && fits([...last, ...group], payer)) last.push(...group);
    else packed.push([...group]);
  }
  return packed;
}

/** What the chain says the transaction would do now. Throws {@link Failed} when it would fail. */
export async function simulate(chain: Chain, instructions: readonly Instruction[], wallet: Address): Promise<Preview> {
  const { value: lifetime } = await chain.rpc.getLatestBlockhash({ commitment: "confirmed" }).send();
  const transaction = build(instructions, wallet, lifetime, MAX_COMPUTE_UNITS);
  const writable = writableOf(instructions, wallet);
  const before = await chain.raw(writable);
  const { value } = await chain.rpc
    .simulateTransaction(base64(transaction), {
      encoding: "base64",
      commitment: "confirmed",
      sigVerify: false,
      replaceRecentBlockhash: true,
      accounts: { encoding: "base64", addresses: writable },
    })
    .send();
  const logs = value.logs ?? [];
  if (value.err !== null) throw new Failed(await failureOfTransaction(value.err, logs));
  const after = (value.accounts ?? []).map((account): RawAccount | undefined =>
    account === null
      ? undefined
      : { owner: account.owner, lamports: account.lamports, data: getBase64Encoder().encode(account.data[0] as string) },
  );
  return {
    moves: movesOf(wallet, writable, before, after),
    programs: programsOf(instructions, logs),
    computeUnits: Number(value.unitsConsumed ?? BigInt(MAX_COMPUTE_UNITS)),
    lifetime,
  };
}

/** Signs, sends and follows to finality. Throws {@link Failed}; `onProgress` is told each step once. */
export async function send(
  chain: Chain,
  instructions: readonly Instruction[],
  preview: Preview,
  wallet: Wallet,
  onProgress: (progress: Progress, signature: Signature | undefined) => void,
): Promise<Signature> {
  onProgress("signing", undefined);
  const { value: lifetime } = await chain.rpc.getLatestBlockhash({ commitment: "confirmed" }).send();
  // A fifth more than the simulation took: other people's transactions come between.
  const limit = Math.min(MAX_COMPUTE_UNITS, Math.ceil(preview.computeUnits * 1.2) + 10_000);
  const unsigned = wireBytes(build(instructions, wallet.address, lifetime, limit));
  let signed: Uint8Array;
  try {
    signed = await wallet.sign(unsigned);
  } catch (error) {
    throw new Failed(failureOf(error));
  }
  const signature = getBase58Decoder().decode(signed.slice(1, 65)) as Signature;
  const wire = getBase64Decoder().decode(signed) as Base64EncodedWireTransaction;
  const submit = (skipPreflight: boolean): Promise<unknown> =>
    chain.rpc.sendTransaction(wire, { encoding: "base64", preflightCommitment: "confirmed", skipPreflight, maxRetries: 0n }).send();
  try {
    await submit(false);
  } catch (error) {
    throw new Failed(await failureOfPreflight(error));
  }
  onProgress("sent", signature);
  await follow(chain, signature, lifetime.lastValidBlockHeight, () => void submit(true).catch(() => undefined), onProgress);
  return signature;
}

async function follow(
  chain: Chain,
  signature: Signature,
  lastValidBlockHeight: bigint,
  again: () => void,
  onProgress: (progress: Progress, signature: Signature) => void,
): Promise<void> {
  let told: Progress = "sent";
  let silent = 0;
  for (let round = 1; ; round += 1) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MILLISECONDS));
    try {
      const { value } = await chain.rpc.getSignatureStatuses([signature]).send();
      const status = value[0];
      if (status !== null && status !== undefined) {
        if (status.err !== null) throw new Failed(await failureOfTransaction(status.err, await logsOf(chain, signature)));
        const reached: Progress = status.confirmationStatus ?? "processed";
        if (reached !== told) onProgress(reached, signature);
        told = reached;
        if (reached === "finalized") return;
      } else if (told === "sent") {
        const height = await chain.rpc.getBlockHeight({ commitment: "confirmed" }).send();
        if (height > lastValidBlockHeight) throw new Failed({ kind: "expired" });
        if (round % 4 === 0) again();
      }
      silent = 0;
    } catch (error) {
      if (error instanceof Failed) throw error;
      // An RPC that is away for a moment does not change what becomes of the transaction.
      silent += 1;
      if (silent > 20) throw new Failed(failureOf(error));
    }
  }
}

async function logsOf(chain: Chain, signature: Signature): Promise<readonly string[]> {
  try {
    const found = await chain.rpc
      .getTransaction(signature, { encoding: "base64", commitment: "confirmed", maxSupportedTransactionVersion: 0 })
      .send();
    return found?.meta?.logMessages ?? [];
  } catch {
    return [];
  }
}

async function failureOfPreflight(error: unknown): Promise<import("./failure.ts").Failure> {
  const context = (error as { context?: { logs?: readonly string[]; err?: unknown } }).context;
  const cause = (error as { cause?: { context?: { code?: number; index?: number }; name?: string; message?: string } }).cause;
  const custom = cause?.context?.code;
  if (context?.logs !== undefined && custom !== undefined) {
    return failureOfTransaction({ InstructionError: [0, { Custom: custom }] }, context.logs);
  }
  if (/blockhash/i.test(cause?.message ?? "")) return { kind: "expired" };
  return failureOf(error);
}

function build(instructions: readonly Instruction[], payer: Address, lifetime: Lifetime, computeUnits: number): Transaction {
  const message = pipe(
    createTransactionMessage({ version: 0 }),
    (start) => setTransactionMessageFeePayer(payer, start),
    (paid) => setTransactionMessageLifetimeUsingBlockhash(lifetime, paid),
    (living) => appendTransactionMessageInstructions([computeUnitLimit(computeUnits), ...instructions], living),
  );
  return compileTransaction(message);
}

function computeUnitLimit(units: number): Instruction {
  const data = new Uint8Array(5);
  data[0] = 2;
  new DataView(data.buffer).setUint32(1, units, true);
  return { programAddress: COMPUTE_BUDGET, data };
}

function wireBytes(transaction: Transaction): Uint8Array {
  return new Uint8Array(getTransactionEncoder().encode(transaction));
}

function base64(transaction: Transaction): Base64EncodedWireTransaction {
  return getBase64Decoder().decode(wireBytes(transaction)) as Base64EncodedWireTransaction;
}

function writableOf(instructions: readonly Instruction[], wallet: Address): Address[] {
  const writable = new Set<Address>([wallet]);
  for (const { accounts } of instructions) {
    for (const account of accounts ?? []) if ((account.role & 1) === 1) writable.add(account.address);
  }
  return [...writable];
}

function movesOf(
  wallet: Address,
  addresses: readonly Address[],
  before: readonly (RawAccount | undefined)[],
  after: readonly (RawAccount | undefined)[],
): Move[] {
  const sums = new Map<Address | undefined, bigint>();
  const add = (mint: Address | undefined, units: bigint): void => void sums.set(mint, (sums.get(mint) ?? 0n) + units);
  addresses.forEach((address, index) => {
    const [was, is] = [before[index], after[index]];
    if (address === wallet) add(undefined, (is?.lamports ?? 0n) - (was?.lamports ?? 0n));
    for (const [account, sign] of [[was, -1n], [is, 1n]] as const) {
      const token = account === undefined ? undefined : tokenAccount(address, account);
      if (token?.owner === wallet) add(token.mint, sign * token.units);
    }
  });
  return [...sums].filter(([, units]) => units !== 0n).map(([mint, units]) => ({ mint, units }));
}

function programsOf(instructions: readonly Instruction[], logs: readonly string[]): Address[] {
  const called = logs.flatMap((line) => {
    const match = /^Program (\w+) invoke /.exec(line);
    return match?.[1] === undefined ? [] : [match[1] as Address];
  });
  const named = called.length > 0 ? called : instructions.map((instruction) => instruction.programAddress);
  return [...new Set(named)].filter((program) => program !== COMPUTE_BUDGET);
}
