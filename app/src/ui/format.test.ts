import { describe, expect, test } from "vitest";
import { bps, decimal, duration, parseUnits, percent, shortened } from "./format.ts";

describe("amounts", () => {
  test("given units, when written, then every digit and no more", () => {
    expect([0n, 1n, 1_000_000n, 1_234_567_890_123n].map((units) => decimal(units, 6))).toEqual(["0", "0.000001", "1", "1,234,567.890123"]);
    expect(decimal(2n ** 64n - 1n, 0)).toBe("18,446,744,073,709,551,615");
    expect(decimal(-1_500_000n, 6)).toBe("−1.5");
  });

  test("given what a person types, when read, then units or nothing", () => {
    expect(["1", "1.5", ".5", "1,000.25", " 2 "].map((text) => parseUnits(text, 6))).toEqual([1_000_000n, 1_500_000n, 500_000n, 1_000_250_000n, 2_000_000n]);
    expect(["", ".", "-1", "1e3", "0.0000001", "abc", "99999999999999999999"].map((text) => parseUnits(text, 6))).toEqual(Array(7).fill(undefined));
  });

  test("given any amount, when written and read again, then the same", () => {
    for (const units of [0n, 1n, 999_999n, 1_000_001n, 2n ** 64n - 1n]) expect(parseUnits(decimal(units, 9), 9)).toBe(units);
  });

  test("given a part, when written, then cut, so that nothing is full before it is", () => {
    expect(percent(99_999n, 100_000n)).toBe("99.9%");
    expect(percent(1n, 1n)).toBe("100%");
    expect(percent(1n, 0n)).toBe("0%");
    expect(bps(1_234)).toBe("12.34%");
  });
});

describe("times and addresses", () => {
  test("given seconds, when written, then their two largest parts", () => {
    expect([0n, 59n, 60n, 3_725n, 90_000n].map(duration)).toEqual(["0 s", "59 s", "1 min", "1 h 2 min", "1 d 1 h"]);
  });

  test("given an address, when shortened, then both ends", () => {
    expect(shortened("4pvTPA1XRABJ8Qk54adsfwRi5WxBsX7ugeF9GZqyL7Yo")).toBe("4pvT…L7Yo");
  });
});
