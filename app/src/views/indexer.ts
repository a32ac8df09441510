// History that an RPC may have forgotten, from the indexer where the cluster has one (`imo-node index`). It is a convenience: what is due, owed and decided always comes from the chain,
// and whatever the indexer does not answer is read from the RPC.

import type { Address, Signature } from "@solana/kit";
import type { Chain } from "../chain/chain.ts";

interface Landed {
  signature: Signature;
  slot: number;
  unix: number | null;
}

export interface IndexedModel {
  model: Address;
  answers: { final: number; pending: number; rejected: number };
}

export interface IndexedReport {
  report: Address;
  split: { amount_units: string; fee_units: string; holders_units: string; redeem_units: string; others_units: string } | null;
  ended: Landed | null;
}

export interface IndexedDispute {
  dispute: Address;
  report: Address;
  verdict: "proven" | "lost" | null;
  by_silence: boolean | null;
  decided: Landed | null;
}

export interface IndexedOperator {
  operator: Address;
  reports: { posted: number; final: number; rejected: number };
}

export type IndexedEvent = Landed & { name: string };

interface Page<T> {
  items: T[];
  next: number | null;
}

const PAGE = 100;
/** More pages than this are more than a page of the app shows. */
const PAGES = 20;
const TIMEOUT_MILLISECONDS = 5_000;

/** All items of a list, or as many as are shown; undefined without an indexer, and when it does not answer. */
export async function indexed<T>(chain: Chain, path: string, pages = PAGES): Promise<T[] | undefined> {
  const { index } = chain.cluster;
  if (index === undefined) return undefined;
  const items: T[] = [];
  let before: number | null = null;
  try {
    for (let count = 0; count < pages; count += 1) {
      const url = new URL(`${index.replace(/\/$/, "")}/v1/${path}`);
      url.searchParams.set("limit", `${PAGE}`);
      if (before !== null) url.searchParams.set("before", `${before}`);
      const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS) });
      if (!response.ok) return undefined;
      const page = (await response.json()) as Page<T>;
      items.push(...page.items);
      before = page.next;
      if (before === null) break;
    }
    return items;
  } catch {
    return undefined;
  }
}
