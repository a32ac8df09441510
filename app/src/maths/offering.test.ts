import { describe, expect, test } from "vitest";
import { acceptedUnits, allocate, developerFreeUnits, dust, priceMicroUnits, trancheIs, trancheUnits, vestedUnits, withdrawableUnits } from "./offering.ts";

const ALL = 2n ** 64n - 1n;
const FREE = { immediateBps: 10_000, cliffSeconds: 0, linearSeconds: 0 };

/** SplitMix64, as the program's own tests use it. */
function random(seed: bigint): () => bigint {
  let state = seed;
  return () => {
    state = (state + 0x9e3779b97f4a7c15n) & ALL;
    let mixed = ((state ^ (state >> 30n)) * 0xbf58476d1ce4e5b9n) & ALL;
    mixed = ((mixed ^ (mixed >> 27n)) * 0x94d049bb133111ebn) & ALL;
    return mixed ^ (mixed >> 31n);
  };
}

function terms(saleUnits: bigint, maxRaiseUnits: bigint, minRaiseUnits = 1n): { saleUnits: bigint; minRaiseUnits: bigint; maxRaiseUnits: bigint } {
  return { saleUnits, minRaiseUnits, maxRaiseUnits };
}

// The cases of programs/model-token/src/math, with the results that the program's tests expect.
describe("allocation", () => {
  test("given less than the maximum, when allocated, then no excess", () => {
    expect(allocate(300n, 900n, terms(9_000n, 1_000n, 500n), FREE)).toMatchObject({ tokensUnits: 3_000n, refundUnits: 0n, paidUnits: 300n });
  });

  test("given more than the maximum, when allocated, then pro rata with the excess back", () => {
    expect(allocate(1_000n, 4_000n, terms(8_000n, 1_000n, 500n), FREE)).toMatchObject({ tokensUnits: 2_000n, refundUnits: 750n, paidUnits: 250n });
  });

  test("given a total around the minimum, when asked, then accepted only from it and all back below", () => {
    expect(acceptedUnits(499n, terms(1n, 1_000n, 500n))).toBeUndefined();
    expect(acceptedUnits(500n, terms(1n, 1_000n, 500n))).toBe(500n);
    expect(allocate(100n, 499n, terms(1n, 1_000n, 500n), FREE)).toMatchObject({ tokensUnits: 0n, refundUnits: 100n });
  });

  test("given the largest amounts, when allocated, then exact", () => {
    expect(allocate(ALL, ALL, terms(ALL, ALL), FREE)).toMatchObject({ tokensUnits: ALL, refundUnits: 0n });
    expect(allocate(1n, ALL, terms(ALL, ALL), FREE)).toMatchObject({ tokensUnits: 1n, refundUnits: 0n });
    expect(allocate(ALL, ALL, terms(1n, 1n), FREE)).toMatchObject({ tokensUnits: 1n, refundUnits: ALL - 1n });
  });

  test("given the local cluster's offering, when its three investors are allotted, then what the chain gave them", () => {
    // 20,000.000001 + 15,000 + 10,000.333333 committed, 30,000 accepted, 1,000,000 tokens: the numbers of `cargo xtask demo`.
    const commitments = [20_000_000_001n, 15_000_000_000n, 10_000_333_333n];
    const committed = commitments.reduce((sum, each) => sum + each, 0n);
    const all = commitments.map((each) => allocate(each, committed, terms(1_000_000_000_000n, 30_000_000_000n, 10_000_000_000n), FREE));
    for (const [index, { tokensUnits, refundUnits }] of all.entries()) {
      const mine = commitments[index] ?? 0n;
      expect(tokensUnits).toBe((1_000_000_000_000n * mine) / committed);
      expect(refundUnits).toBe(((committed - 30_000_000_000n) * mine) / committed);
    }
  });

  test("given any crowd, when all are paid, then the vaults suffice and less than a unit a head is left", () => {
    for (let seed = 1n; seed <= 20n; seed += 1n) {
      const next = random(seed);
      const commitments = Array.from({ length: 200 }, () => (next() >> (15n + (next() % 49n))) + 1n);
      const committed = commitments.reduce((sum, each) => sum + each, 0n);
      const max = (next() % committed) + 1n;
      const supply = next() + 1n;
      const vesting = { immediateBps: Number(next() % 10_001n), cliffSeconds: 1, linearSeconds: 0 };
      let [tokens, parts, refunds] = [0n, 0n, 0n];
      for (const each of commitments) {
        const { tokensUnits, immediateUnits, vestingUnits, refundUnits, paidUnits } = allocate(each, committed, terms(supply, max), vesting);
        expect(paidUnits + refundUnits).toBe(each);
        tokens += tokensUnits;
        parts += immediateUnits + vestingUnits;
        refunds += refundUnits;
      }
      expect(tokens <= supply && supply - tokens < 200n).toBe(true);
      expect(parts <= tokens && tokens - parts <= 200n).toBe(true);
      expect(refunds + max <= committed && committed - refunds - max < 200n).toBe(true);
    }
  });

  test("given a raise, when its price is shown, then accepted over sold and never above the maximum's", () => {
    expect(priceMicroUnits(45_000_000_000n, terms(1_000_000_000_000n, 30_000_000_000n), 6)).toBe(30_000_000_000n);
    expect(priceMicroUnits(15_000_000_000n, terms(1_000_000_000_000n, 30_000_000_000n), 6)).toBe(15_000_000_000n);
  });
});

describe("the tail", () => {
  test("given a tail, when time passes, then the part falls from all to nothing", () => {
    const at = (now: bigint): bigint => withdrawableUnits(1_000n, now, 100n, 200n);
    expect([0n, 99n, 100n, 101n, 150n, 199n, 200n, 201n].map(at)).toEqual([1_000n, 1_000n, 1_000n, 990n, 500n, 10n, 0n, 0n]);
  });
});

describe("vesting", () => {
  test("given cliff and line, when around their ends, then exact to the second", () => {
    const at = (elapsed: bigint): bigint => vestedUnits(1_000n, elapsed, { immediateBps: 0, cliffSeconds: 100, linearSeconds: 10 });
    expect([99n, 100n, 101n, 109n, 110n, 111n].map(at)).toEqual([0n, 0n, 100n, 900n, 1_000n, 1_000n]);
  });

  test("given a cliff alone, when it ends, then all at once", () => {
    const at = (elapsed: bigint): bigint => vestedUnits(7n, elapsed, { immediateBps: 0, cliffSeconds: 100, linearSeconds: 0 });
    expect([99n, 100n].map(at)).toEqual([0n, 7n]);
  });

  test("given the longest line, when a second is missing, then as the program floors it", () => {
    const last = 2n ** 32n - 2n;
    expect(vestedUnits(ALL, last, { immediateBps: 0, cliffSeconds: 0, linearSeconds: 2 ** 32 - 1 })).toBe(ALL - 4_294_967_297n);
  });
});

describe("tranches", () => {
  test("given an odd amount, when cut, then every unit is in one part", () => {
    expect(trancheUnits(101n, [3_333, 3_333, 3_334])).toEqual([33n, 34n, 34n]);
    expect(trancheUnits(ALL, [10_000])).toEqual([ALL]);
  });
});

describe("what follows a settled offering", () => {
  test("given a tranche that waits for its time, when that comes, then it is due and can never be missed", () => {
    const condition = { __kind: "Time", unlocksSeconds: 100 } as const;
    expect(trancheIs(condition, 99n, 0n)).toBe("locked");
    expect(trancheIs(condition, 100n, 0n)).toBe("due");
    expect(trancheIs(condition, 1_000_000n, 0n)).toBe("due");
  });

  test("given a tranche that has to be earned, when its time is over, then it is missed only if the revenue is short, and not in its last second", () => {
    const condition = { __kind: "Revenue", othersUnits: 50n, deadlineSeconds: 100 } as const;
    expect(trancheIs(condition, 100n, 49n)).toBe("locked");
    expect(trancheIs(condition, 101n, 49n)).toBe("missed");
    expect(trancheIs(condition, 0n, 50n)).toBe("due");
    expect(trancheIs(condition, 1_000n, 50n)).toBe("due");
  });

  test("given a developer's tokens, when some are released or all burned, then what is free is what is left of what vested", () => {
    const tokens = { developerUnits: 1_000n, developerReleasedUnits: 100n, developerBurnedUnits: 0n, developerVesting: { immediateBps: 0, cliffSeconds: 10, linearSeconds: 100 } };
    expect(developerFreeUnits({ ...tokens, developerReleasedUnits: 0n }, 9n)).toBe(0n);
    expect(developerFreeUnits(tokens, 60n)).toBe(400n);
    expect(developerFreeUnits(tokens, 1_000n)).toBe(900n);
    expect(developerFreeUnits({ ...tokens, developerBurnedUnits: 900n }, 1_000n)).toBe(0n);
  });

  test("given commitments of thirds, when all are claimed, then the rest is what the floors left", () => {
    const offering = { saleUnits: 100n, minRaiseUnits: 1n, maxRaiseUnits: 20n, buyerVesting: { immediateBps: 2_500, cliffSeconds: 0, linearSeconds: 10 } };
    const parts = [10n, 10n, 10n].map((units) => allocate(units, 30n, offering, offering.buyerVesting));
    const sum = (of: "tokensUnits" | "vestingUnits" | "refundUnits"): bigint => parts.reduce((all, part) => all + part[of], 0n);
    const left = dust({
      ...offering,
      committedUnits: 30n,
      acceptedUnits: 20n,
      allottedUnits: sum("tokensUnits"),
      allottedVestingUnits: sum("vestingUnits"),
      refundedUnits: sum("refundUnits"),
    });
    expect(left).toEqual({ tokensUnits: 1n, vestingUnits: 3n, paymentUnits: 1n });
  });
});
