// What can go wrong, as kinds that the pages have words for. Whatever an RPC, a wallet or a program throws becomes one of these.

import type { Address } from "@solana/kit";

export type Failure =
  /** The RPC does not answer. */
  | { kind: "offline" }
  /** The person said no in the wallet. */
  | { kind: "refused" }
  /** The transaction's time ran out before it landed. It had no effect. */
  | { kind: "expired" }
  /** A program refused, by name. */
  | { kind: "program"; program: string; code: number; name: string; message: string }
  /** Not enough SOL for fee and rent. */
  | { kind: "noSol" }
  /** Not enough of a token. */
  | { kind: "noFunds" }
  /** An account that is needed is not there. */
  | { kind: "missing"; what: string }
  /** The RPC takes fewer requests. */
  | { kind: "busy" }
  /** Something else, in its own words. */
  | { kind: "other"; message: string };

export class Failed extends Error {
  readonly failure: Failure;
  constructor(failure: Failure) {
    super(failure.kind);
    this.failure = failure;
  }
}

interface RpcError {
  message?: string;
  cause?: unknown;
  context?: { statusCode?: number; __code?: number };
  code?: number;
  name?: string;
}

/** Names what was thrown. */
export function failureOf(thrown: unknown): Failure {
  if (thrown instanceof Failed) return thrown.failure;
  const error = (typeof thrown === "object" && thrown !== null ? thrown : { message: String(thrown) }) as RpcError;
  const message = error.message ?? "";
  if (error.code === 4001 || /reject|denied|declin|refus|cancell?ed/i.test(message)) return { kind: "refused" };
  const status = error.context?.statusCode;
  if (status === 429) return { kind: "busy" };
  if (status !== undefined && status >= 500) return { kind: "offline" };
  if (thrown instanceof TypeError && /fetch|network|load failed/i.test(message)) return { kind: "offline" };
  if (error.name === "TimeoutError") return { kind: "offline" };
  if (error.cause !== undefined && error.cause !== thrown) {
    const deeper = failureOf(error.cause);
    if (deeper.kind !== "other") return deeper;
  }
  return { kind: "other", message };
}

interface TransactionErrorParts {
  InstructionError?: readonly [number | bigint, string | { Custom?: number | bigint }];
}

/** Names why a simulated or landed transaction failed. `error` and `logs` are as an RPC gives them. */
export async function failureOfTransaction(error: unknown, logs: readonly string[]): Promise<Failure> {
  const told = typeof error === "string" ? error : Object.keys(error ?? {})[0];
  if (told === "BlockhashNotFound") return { kind: "expired" };
  if (told === "AccountNotFound" || told === "InsufficientFundsForFee" || told === "InsufficientFundsForRent") return { kind: "noSol" };
  const inner = (error as TransactionErrorParts).InstructionError?.[1];
  if (inner === undefined) return { kind: "other", message: told ?? "" };
  if (typeof inner === "string") {
    return inner === "UninitializedAccount" ? { kind: "missing", what: "" } : { kind: "other", message: inner };
  }
  const code = Number(inner.Custom ?? -1);
  const program = failedProgram(logs);
  if (program === SYSTEM_PROGRAM && code === 1) return { kind: "noSol" };
  if (TOKEN_PROGRAMS.includes(program ?? "") && code === 1) return { kind: "noFunds" };
  // Anchor's own: an account that should be there is not, and says which in its log.
  if (code === 3012) return { kind: "missing", what: accountInLogs(logs) };
  const { errorOf } = await import("./errors.ts");
  const known = program === undefined ? undefined : errorOf(program as Address, code);
  if (known !== undefined) return { kind: "program", code, ...known };
  const name = anchorName(logs);
  return { kind: "program", program: program ?? "?", code, name: name ?? `${code}`, message: anchorMessage(logs) ?? "" };
}

const SYSTEM_PROGRAM = "11111111111111111111111111111111";
const TOKEN_PROGRAMS = ["TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA", "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb"];

/** The innermost program that failed: the first one whose failure the logs tell. */
function failedProgram(logs: readonly string[]): string | undefined {
  for (const line of logs) {
    const match = /^Program (\w+) failed: /.exec(line);
    if (match !== null) return match[1];
  }
  return undefined;
}

function accountInLogs(logs: readonly string[]): string {
  return logs.map((line) => /caused by account: (\w+)/.exec(line)?.[1]).find((name) => name !== undefined) ?? "";
}

function anchorName(logs: readonly string[]): string | undefined {
  return logs.map((line) => /Error Code: (\w+)/.exec(line)?.[1]).find((name) => name !== undefined);
}

function anchorMessage(logs: readonly string[]): string | undefined {
  return logs.map((line) => /Error Message: (.+?)\.?$/.exec(line)?.[1]).find((name) => name !== undefined);
}
