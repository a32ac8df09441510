import { describe, expect, test } from "vitest";
import { OperatorAccess } from "@imo/client/model-token";
import { admissionOf, isOver } from "./admission.ts";

const UNSET = { openedSlot: 0n, dueSlot: 0n, dueUnix: 0n };
const until = (slot: bigint): typeof UNSET => ({ openedSlot: 1n, dueSlot: slot, dueUnix: slot });
const at = (slot: bigint): { slot: bigint; unix: bigint; lastRestartSlot: bigint } => ({ slot, unix: slot, lastRestartSlot: 0n });

describe("who may operate", () => {
  test("given a model that is open, when an operator was even dismissed, then everybody may", () => {
    const open = { operators: OperatorAccess.Open, listing: UNSET };
    expect(admissionOf(open, undefined, at(5n))).toEqual({ is: "anyone" });
    expect(admissionOf(open, { dismissal: until(3n) }, at(5n))).toEqual({ is: "anyone" });
  });

  test("given a model with a list, when its notice runs, then who is not on it may report until then and not after", () => {
    const listed = { operators: OperatorAccess.Listed, listing: until(100n) };
    expect(admissionOf(listed, undefined, at(100n))).toEqual({ is: "leaving", until: until(100n) });
    expect(admissionOf(listed, undefined, at(101n))).toEqual({ is: "refused" });
    expect(admissionOf(listed, { dismissal: UNSET }, at(101n))).toEqual({ is: "admitted" });
  });

  test("given an operator that was dismissed, when both notices run, then the longer one counts", () => {
    const listed = { operators: OperatorAccess.Listed, listing: until(100n) };
    expect(admissionOf(listed, { dismissal: until(150n) }, at(90n))).toEqual({ is: "leaving", until: until(150n) });
    expect(admissionOf(listed, { dismissal: until(80n) }, at(90n))).toEqual({ is: "leaving", until: until(100n) });
    expect(admissionOf(listed, { dismissal: until(150n) }, at(151n))).toEqual({ is: "refused" });
  });

  test("given an appointment, when it is dismissed and the notice is over, then it can be cleared away", () => {
    expect(isOver({ dismissal: UNSET }, at(1_000n))).toBe(false);
    expect(isOver({ dismissal: until(100n) }, at(100n))).toBe(false);
    expect(isOver({ dismissal: until(100n) }, at(101n))).toBe(true);
  });
});
