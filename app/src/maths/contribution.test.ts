import { expect, test } from "vitest";
import { entitledUnits } from "./contribution.ts";

test("given what contributors earned together, when each one's part is taken, then it is floored and never more than all", () => {
  expect([500, 250].map((bps) => entitledUnits(1_000n, bps, 750))).toEqual([666n, 333n]);
  expect(entitledUnits(1n, 1, 3)).toBe(0n);
  expect(entitledUnits(0n, 10, 10)).toBe(0n);
  expect(entitledUnits(5n, 0, 0)).toBe(0n);
});
