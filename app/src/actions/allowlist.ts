// The allow-list of an offering, as its developer publishes it: who may commit how much.

import { type Address, isAddress } from "@solana/kit";
import { AllowList, toHex } from "@imo/client";
import type { Offering } from "@imo/client/model-token";
import { MAX_ALLOWLIST_LEN } from "../maths/terms.ts";
import { decimal, parseUnits } from "../ui/format.ts";

interface Entry {
  wallet: Address;
  /** The most that it may commit, in units of the payment mint; 0 for no limit of its own. */
  capUnits: bigint;
}

export interface ReadList {
  entries: readonly Entry[];
  list: AllowList;
}

/** Why a text is no allow-list. Lines count from 1. */
export type ListProblem = { about: "wallet" | "limit" | "twice"; line: number } | { about: "empty" | "tooLong" };

/** A wallet on each line and, behind a comma or a blank, the most that it may commit, in whole tokens of the payment mint; nothing or 0 for no limit of its own. */
export function parseAllowList(text: string, decimals: number): ReadList | ListProblem {
  const entries: Entry[] = [];
  const known = new Set<string>();
  for (const [index, line] of text.split("\n").entries()) {
    const [wallet = "", limit = "0", ...more] = line.trim().split(/[\s,;]+/);
    if (wallet === "") continue;
    if (!isAddress(wallet)) return { about: "wallet", line: index + 1 };
    if (known.has(wallet)) return { about: "twice", line: index + 1 };
    const capUnits = limit === "" ? 0n : parseUnits(limit, decimals);
    if (capUnits === undefined || more.some((part) => part !== "")) return { about: "limit", line: index + 1 };
    known.add(wallet);
    entries.push({ wallet, capUnits });
  }
  if (entries.length === 0) return { about: "empty" };
  if (entries.length > MAX_ALLOWLIST_LEN) return { about: "tooLong" };
  return { entries, list: new AllowList(entries) };
}

/** The list as a file that {@link parseAllowList} reads back to the same root. */
export function writeAllowList({ entries }: ReadList, decimals: number): string {
  return entries.map(({ wallet, capUnits }) => `${wallet},${decimal(capUnits, decimals).replaceAll(",", "")}\n`).join("");
}

/** Whether an offering was opened with this list. */
export function isListOf(list: AllowList, offering: Pick<Offering, "allowlistRoot" | "allowlistCount">): boolean {
  return list.count === offering.allowlistCount && toHex(list.root()) === toHex(offering.allowlistRoot);
}
