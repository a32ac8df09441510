import { describe, expect, test } from "vitest";
import { Failed, failureOf, failureOfTransaction } from "./failure.ts";

const MODEL_TOKEN = "BzyHNgUq6QbxivcJVCd22feunwVEHricPjYJYi3TTCJo";
const TOKEN = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA";

describe("failures", () => {
  test("given what wallets and networks throw, when named, then as the kind that the pages have words for", () => {
    expect(failureOf(new TypeError("Failed to fetch"))).toEqual({ kind: "offline" });
    expect(failureOf(Object.assign(new Error("no"), { code: 4001 }))).toEqual({ kind: "refused" });
    expect(failureOf(new Error("User rejected the request."))).toEqual({ kind: "refused" });
    expect(failureOf(Object.assign(new Error("x"), { context: { statusCode: 429 } }))).toEqual({ kind: "busy" });
    expect(failureOf(Object.assign(new Error("x"), { context: { statusCode: 503 } }))).toEqual({ kind: "offline" });
    expect(failureOf(new Error("outside", { cause: new TypeError("Failed to fetch") }))).toEqual({ kind: "offline" });
    expect(failureOf(new Failed({ kind: "expired" }))).toEqual({ kind: "expired" });
    expect(failureOf(new Error("something else"))).toEqual({ kind: "other", message: "something else" });
  });

  test("given a program's refusal, when named, then by the program that failed first, inside or outside", async () => {
    const logs = [`Program ${MODEL_TOKEN} invoke [1]`, `Program ${MODEL_TOKEN} failed: custom program error: 0x1773`];
    expect(await failureOfTransaction({ InstructionError: [1, { Custom: 6003 }] }, logs)).toMatchObject({ kind: "program", program: "model-token", name: "Paused", code: 6003 });
    const inner = [`Program ${MODEL_TOKEN} invoke [1]`, `Program ${TOKEN} invoke [2]`, `Program ${TOKEN} failed: custom program error: 0x1`, `Program ${MODEL_TOKEN} failed: custom program error: 0x1`];
    expect(await failureOfTransaction({ InstructionError: [1, { Custom: 1n }] }, inner)).toEqual({ kind: "noFunds" });
  });

  test("given an account that is not there, when a program says so, then missing and which", async () => {
    const logs = [`Program ${MODEL_TOKEN} invoke [1]`, "Program log: AnchorError caused by account: commitment. Error Code: AccountNotInitialized. Error Number: 3012.", `Program ${MODEL_TOKEN} failed: custom program error: 0xbc4`];
    expect(await failureOfTransaction({ InstructionError: [0, { Custom: 3012 }] }, logs)).toEqual({ kind: "missing", what: "commitment" });
  });

  test("given an old blockhash or an empty wallet, when named, then expired and no SOL", async () => {
    expect(await failureOfTransaction("BlockhashNotFound", [])).toEqual({ kind: "expired" });
    expect(await failureOfTransaction("AccountNotFound", [])).toEqual({ kind: "noSol" });
    expect(await failureOfTransaction({ InsufficientFundsForRent: { account_index: 0 } }, [])).toEqual({ kind: "noSol" });
  });
});
