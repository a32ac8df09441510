// The allow-list of an offering, as its developer published it: who may commit how much.

import { type Address, isAddress } from "@solana/kit";
import { AllowList, toHex } from "@imo/client";
import type { Allowance, Offering } from "@imo/client/model-token";

/** A list with a wallet and a cap in units (0 or nothing: no cap of its own) on each line. Undefined when a line is something else. */
export function parseAllowList(text: string): AllowList | undefined {
  const entries: { wallet: Address; capUnits: bigint }[] = [];
  for (const line of text.split("\n").filter((each) => each.trim() !== "")) {
    const [wallet = "", cap = "0"] = line.trim().split(/[\s,;]+/);
    if (!isAddress(wallet) || !/^\d{1,20}$/.test(cap)) return undefined;
    entries.push({ wallet, capUnits: BigInt(cap) });
  }
  return new AllowList(entries);
}

/** What a wallet shows when it commits; undefined when it is not on the list, or the list is not this offering's. */
export function allowanceFor(list: AllowList, offering: Offering, wallet: Address): Allowance | undefined {
  return toHex(list.root()) === toHex(offering.allowlistRoot) ? list.allowance(wallet) : undefined;
}
