import { expect, test } from "vitest";
import { freeStakeUnits } from "./stake.ts";

test("given a stake of which a part is locked and a part is leaving, when asked what is free, then the rest", () => {
  expect(freeStakeUnits({ stakeUnits: 500n, lockedUnits: 60n, unbondingUnits: 40n })).toBe(400n);
  expect(freeStakeUnits({ stakeUnits: 60n, lockedUnits: 60n, unbondingUnits: 0n })).toBe(0n);
});
