import { expect, test } from "vitest";
import { retractionFee, shares, SPLIT_PARTS } from "./split.ts";

const SPLIT = { holdersBps: 4_000, redeemBps: 1_000, developerBps: 2_000, operatorBps: 2_500, protocolBps: 500, contributorsBps: 0 };

test("given an odd amount, when shared, then the parts are all of it and the holders have the dust", () => {
  const parts = shares(333_333n, SPLIT);
  expect(parts).toEqual({ holders: 133_335n, redeem: 33_333n, developer: 66_666n, operator: 83_333n, protocol: 16_666n, contributors: 0n });
  expect(SPLIT_PARTS.reduce((sum, part) => sum + parts[part], 0n)).toBe(333_333n);
});

test("given answers that are taken back, when their fee is asked for, then it is all that others than the operator would have got", () => {
  const { operator } = shares(333_333n, SPLIT);
  expect(retractionFee(333_333n, SPLIT)).toBe(333_333n - operator);
  expect(retractionFee(0n, SPLIT)).toBe(0n);
});
