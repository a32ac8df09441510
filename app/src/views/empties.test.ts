import { expect, test } from "vitest";
import { isEmptyPosition, isEmptyVesting, isSpentMark } from "./empties.ts";

test("given a stake or vesting tokens, when anything is left or owed, then the account is not empty", () => {
  const position = { activeUnits: 0n, pendingUnits: 0n, owedUnits: 0n };
  expect(isEmptyPosition(position)).toBe(true);
  for (const left of [{ activeUnits: 1n }, { pendingUnits: 1n }, { owedUnits: 1n }]) expect(isEmptyPosition({ ...position, ...left })).toBe(false);
  expect(isEmptyVesting({ units: 0n, owedUnits: 0n })).toBe(true);
  expect(isEmptyVesting({ units: 0n, owedUnits: 1n })).toBe(false);
});

test("given an epoch's mark, when a position waits for it or the pool still has to roll it, then it stays", () => {
  const pending = [
    { epoch: 7n, units: 5n },
    { epoch: 8n, units: 0n },
  ];
  expect(isSpentMark({ openPositions: 1n, epoch: 3n }, { pending })).toBe(false);
  expect(isSpentMark({ openPositions: 0n, epoch: 7n }, { pending })).toBe(false);
  expect(isSpentMark({ openPositions: 0n, epoch: 8n }, { pending })).toBe(true);
  expect(isSpentMark({ openPositions: 0n, epoch: 3n }, { pending })).toBe(true);
});
