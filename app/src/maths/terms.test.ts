import { describe, expect, test } from "vitest";
import { leastRevenueUnits, MAX_LOCK_SECONDS, MAX_OFFERING_SECONDS, type OfferingTerms, termsProblem } from "./terms.ts";

const DAY = 86_400;
const SOUND: OfferingTerms = {
  saleUnits: 1_000_000n,
  developerUnits: 250_000n,
  minRaiseUnits: 500n,
  maxRaiseUnits: 1_001n,
  openSeconds: 10_000,
  tailSeconds: 1_000,
  buyerVesting: { immediateBps: 2_000, cliffSeconds: 30 * DAY, linearSeconds: 90 * DAY },
  developerVesting: { immediateBps: 0, cliffSeconds: 180 * DAY, linearSeconds: 1 },
  tranches: [
    { shareBps: 3_333, condition: { __kind: "Time", unlocksSeconds: 0 } },
    { shareBps: 6_667, condition: { __kind: "Revenue", othersUnits: 668n, deadlineSeconds: 180 * DAY } },
  ],
};

function about(change: Partial<OfferingTerms>): string | undefined {
  return termsProblem({ ...SOUND, ...change })?.about;
}

function buyers(immediateBps: number, cliffSeconds: number, linearSeconds: number): Partial<OfferingTerms> {
  return { buyerVesting: { immediateBps, cliffSeconds, linearSeconds } };
}

function own(cliffSeconds: number, linearSeconds: number): Partial<OfferingTerms> {
  return { developerVesting: { immediateBps: 0, cliffSeconds, linearSeconds } };
}

// The bounds of programs/model-token, each from both sides.
describe("terms of an offering", () => {
  test("given sound terms, when checked, then nothing is wrong", () => {
    expect(termsProblem(SOUND)).toBeUndefined();
  });

  test("given amounts at their bounds, when checked, then exact to the unit", () => {
    const all = 2n ** 64n - 1n;
    expect(about({ saleUnits: 0n })).toBe("sale");
    expect(about({ saleUnits: all - 250_000n })).toBeUndefined();
    expect(about({ saleUnits: all - 249_999n })).toBe("supply");
    expect(about({ minRaiseUnits: 0n })).toBe("raise");
    expect(about({ minRaiseUnits: 1_001n })).toBeUndefined();
    expect(about({ minRaiseUnits: 1_002n })).toBe("raise");
  });

  test("given times at their bounds, when checked, then exact to the second", () => {
    expect(about({ openSeconds: 0 })).toBe("open");
    expect(about({ openSeconds: MAX_OFFERING_SECONDS, tailSeconds: MAX_OFFERING_SECONDS / 10 })).toBeUndefined();
    expect(about({ openSeconds: MAX_OFFERING_SECONDS + 1, tailSeconds: MAX_OFFERING_SECONDS })).toBe("open");
    expect(about({ tailSeconds: 999 })).toBe("tail");
    expect(about({ tailSeconds: 9_999 })).toBeUndefined();
    expect(about({ tailSeconds: 10_000 })).toBe("tail");
  });

  test("given tranches, when checked, then together all, each due in time and earned with what it pays at least", () => {
    const [first, second] = SOUND.tranches;
    if (first === undefined || second === undefined) throw new Error("there are two");
    const paired = (change: object): Partial<OfferingTerms> => ({ tranches: [first, { ...second, ...change }] });
    expect(termsProblem({ ...SOUND, ...paired({ shareBps: 6_666 }) })).toEqual({ about: "shares", sumBps: 9_999 });
    expect(about({ tranches: [{ ...first, shareBps: 10_000 }, { ...second, shareBps: 0 }] })).toBe("shareIsZero");
    // Of 1,001 the first pays 333, the second the rest.
    expect(leastRevenueUnits(1_001n, [3_333, 6_667])).toEqual([333n, 668n]);
    expect(termsProblem({ ...SOUND, ...paired({ condition: { __kind: "Revenue", othersUnits: 667n, deadlineSeconds: DAY } }) })).toEqual({ about: "trancheCheap", index: 1, leastUnits: 668n });
    const late = (unlocksSeconds: number): Partial<OfferingTerms> => ({ ...paired({ condition: { __kind: "Time", unlocksSeconds } }), ...own(MAX_LOCK_SECONDS, DAY) });
    expect(about(late(MAX_LOCK_SECONDS))).toBeUndefined();
    expect(termsProblem({ ...SOUND, ...late(MAX_LOCK_SECONDS + 1) })).toEqual({ about: "trancheLate", index: 1 });
  });

  test("given a tranche that pays nothing, when it has to be earned, then with one unit at least", () => {
    expect(leastRevenueUnits(1n, [1, 9_999])).toEqual([1n, 1n]);
  });

  test("given buyers, when all is free at once, then nothing vests, and else something does", () => {
    const unsold = { developerUnits: 0n };
    expect(about({ ...unsold, ...buyers(10_000, 0, 0) })).toBeUndefined();
    expect(about({ ...unsold, ...buyers(9_999, 0, 0) })).toBe("buyersFree");
    expect(about({ ...unsold, ...buyers(10_000, 1, 0) })).toBe("buyersFree");
    expect(about({ ...unsold, ...buyers(0, 1, 0) })).toBeUndefined();
    expect(about({ ...unsold, ...buyers(0, 0, MAX_LOCK_SECONDS) })).toBeUndefined();
    expect(about({ ...unsold, ...buyers(0, 0, MAX_LOCK_SECONDS + 1) })).toBe("buyers");
  });

  test("given tokens of the developer, when they vest, then after the tranches, not ahead of the buyers and done later", () => {
    expect(about(own(180 * DAY - 1, DAY))).toBe("ownBeforeTranches");
    expect(about(own(29 * DAY, 400 * DAY))).toBe("ownTooSoon");
    expect(about({ ...own(180 * DAY, 0), ...buyers(0, 30 * DAY, 150 * DAY) })).toBe("ownEnd");
    expect(about({ ...own(180 * DAY, 1), ...buyers(0, 30 * DAY, 150 * DAY) })).toBeUndefined();
    expect(about(own(180 * DAY, MAX_LOCK_SECONDS + 1))).toBe("ownLock");
    expect(about({ ...own(0, 0), developerUnits: 0n })).toBeUndefined();
  });
});
