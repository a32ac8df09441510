import type { Address } from "@solana/kit";
import { toHex } from "@imo/client";
import { describe, expect, test } from "vitest";
import { isListOf, parseAllowList, type ReadList, writeAllowList } from "./allowlist.ts";

const ALICE = "SysvarC1ock11111111111111111111111111111111" as Address;
const BOB = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA" as Address;
const CAROL = "11111111111111111111111111111111" as Address;

function read(text: string): ReadList {
  const list = parseAllowList(text, 6);
  if ("about" in list) throw new Error(list.about);
  return list;
}

describe("an allow-list", () => {
  test("given wallets with limits in whole tokens, when read, then units, in the order of the lines", () => {
    const { entries, list } = read(`${ALICE}, 250.5\n\n${BOB}\t1000\r\n  ${CAROL}\n`);
    expect(entries).toEqual([
      { wallet: ALICE, capUnits: 250_500_000n },
      { wallet: BOB, capUnits: 1_000_000_000n },
      { wallet: CAROL, capUnits: 0n },
    ]);
    expect(list.allowance(BOB)).toMatchObject({ index: 1, capUnits: 1_000_000_000n });
  });

  test("given lines that are no wallet with a limit, when read, then the first of them is named", () => {
    const problem = (text: string): unknown => parseAllowList(text, 6);
    expect(problem("")).toEqual({ about: "empty" });
    expect(problem(`${ALICE}\nsomebody`)).toEqual({ about: "wallet", line: 2 });
    expect(problem(`${ALICE}\n\n${ALICE} 5`)).toEqual({ about: "twice", line: 3 });
    for (const limit of ["-1", "all", "0.0000001", "1 2", "99999999999999999999"]) expect(problem(`${ALICE} ${limit}`)).toEqual({ about: "limit", line: 1 });
  });

  test("given a list, when written and read again, then the same root, which another limit would not have", () => {
    const first = read(`${ALICE} 0.000001\n${BOB}\n${CAROL} 18446744073709.551615`);
    const again = read(writeAllowList(first, 6));
    expect(again.entries).toEqual(first.entries);
    const offering = { allowlistRoot: first.list.root(), allowlistCount: 3 };
    expect(isListOf(again.list, offering)).toBe(true);
    const other = read(`${ALICE} 0.000002\n${BOB}\n${CAROL} 18446744073709.551615`);
    expect(toHex(other.list.root())).not.toBe(toHex(first.list.root()));
    expect(isListOf(other.list, offering)).toBe(false);
  });
});
