import { describe, expect, test } from "vitest";
import { activationEpoch, earned, redemptionUnits, settle, vestingYield } from "./yield.ts";

const ONE = 1n << 64n;
const ALL = 2n ** 64n - 1n;

const POSITION = { activeUnits: 500n, pendingUnits: 0n, pendingEpoch: 0n, accumulatorSnapshot: ONE, owedUnits: 7n };
const POOL = { accumulator: 3n * ONE, epochSlots: 100n, pending: [] };

// The cases of programs/yield-distributor/src/math.
describe("yield", () => {
  test("given the largest amounts, when earned, then exact", () => {
    expect(earned(ALL, 0n, ONE)).toBe(ALL);
    expect(earned(1n, 0n, ALL << 64n)).toBe(ALL);
    expect(earned(1n, 2n, 1n)).toBe(0n);
  });

  test("given half a unit of growth, when earned, then floored", () => {
    expect(earned(3n, 0n, ONE / 2n)).toBe(1n);
  });

  test("given an active stake, when settled, then what is owed and what it earned since", () => {
    expect(settle(POSITION, POOL, undefined, 1_000n)).toEqual({ claimableUnits: 1_007n, activeUnits: 500n, pendingUnits: 0n, activeFromSlot: undefined });
  });

  test("given stake that waits, when its epoch has not come, then it earns nothing and says from when it does", () => {
    const position = { ...POSITION, pendingUnits: 10n, pendingEpoch: 12n };
    expect(settle(position, POOL, undefined, 1_000n)).toEqual({ claimableUnits: 1_007n, activeUnits: 500n, pendingUnits: 10n, activeFromSlot: 1_200n });
  });

  test("given stake that became active, when its mark was rolled, then it has earned since the epoch began", () => {
    const position = { ...POSITION, pendingUnits: 10n, pendingEpoch: 9n };
    const mark = { rolled: true, accumulatorAtStart: 2n * ONE };
    expect(settle(position, POOL, mark, 1_000n)).toEqual({ claimableUnits: 1_017n, activeUnits: 510n, pendingUnits: 0n, activeFromSlot: undefined });
  });

  test("given stake that became active, when nothing was deposited since, then it has earned nothing yet", () => {
    const position = { ...POSITION, pendingUnits: 10n, pendingEpoch: 9n };
    expect(settle(position, POOL, { rolled: false, accumulatorAtStart: 0n }, 1_000n).claimableUnits).toBe(1_007n);
  });

  test("given vesting tokens, when they earn from the pool's first unit, then all of it is theirs", () => {
    expect(vestingYield({ units: 9n, accumulatorSnapshot: 0n, owedUnits: 1n }, POOL)).toBe(28n);
  });

  test("given a slot, when a stake is made in it, then active from the next epoch but one", () => {
    expect([0n, 99n, 100n].map((slot) => activationEpoch(slot, 100n))).toEqual([2n, 2n, 3n]);
  });
});

describe("redemption", () => {
  test("given the whole supply, when redeemed, then the whole pool", () => {
    expect(redemptionUnits(ALL, ALL, ALL)).toBe(ALL);
    expect(redemptionUnits(7n, 1n, 1n)).toBe(7n);
  });

  test("given more than the supply or none at all, when redeemed, then nothing", () => {
    expect(redemptionUnits(7n, 2n, 1n)).toBeUndefined();
    expect(redemptionUnits(7n, 0n, 0n)).toBeUndefined();
  });
});
