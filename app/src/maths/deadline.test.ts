import { describe, expect, test } from "vitest";
import { isPast, isSet, secondsLeft } from "./deadline.ts";

const DEADLINE = { openedSlot: 100n, dueSlot: 200n, dueUnix: 1_040n };
const at = (slot: bigint, unix: bigint, lastRestartSlot = 0n): { slot: bigint; unix: bigint; lastRestartSlot: bigint } => ({ slot, unix, lastRestartSlot });

describe("deadlines", () => {
  test("given slot and time, when only one is past, then it is not over", () => {
    expect(isPast(DEADLINE, at(201n, 1_040n))).toBe(false);
    expect(isPast(DEADLINE, at(200n, 1_041n))).toBe(false);
    expect(isPast(DEADLINE, at(201n, 1_041n))).toBe(true);
  });

  test("given a restart within it, when asked, then an hour and nine thousand slots longer", () => {
    expect(isPast(DEADLINE, at(9_200n, 4_641n, 150n))).toBe(false);
    expect(isPast(DEADLINE, at(9_201n, 4_640n, 150n))).toBe(false);
    expect(isPast(DEADLINE, at(9_201n, 4_641n, 150n))).toBe(true);
    // A restart before it began, or long after, changes nothing.
    expect(isPast(DEADLINE, at(201n, 1_041n, 100n))).toBe(true);
    expect(isPast(DEADLINE, at(20_000n, 9_999n, 9_201n))).toBe(true);
  });

  test("given time left, when counted, then by whichever of slot and clock is later", () => {
    expect(secondsLeft(DEADLINE, at(150n, 1_000n))).toBe(40n);
    expect(secondsLeft(DEADLINE, at(0n, 1_030n))).toBe(80n);
    expect(secondsLeft(DEADLINE, at(201n, 1_041n))).toBe(0n);
    // Not over yet, so never zero.
    expect(secondsLeft(DEADLINE, at(201n, 1_040n))).toBe(1n);
  });

  test("given an account where nothing runs, when asked, then not set", () => {
    expect(isSet({ openedSlot: 0n, dueSlot: 0n, dueUnix: 0n })).toBe(false);
    expect(isSet(DEADLINE)).toBe(true);
  });
});
