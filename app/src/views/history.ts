// What the chain's accounts no longer say: read from the logs of transactions that the RPC still has, or from the indexer where there is one.

import { type Address, getBase58Encoder, type ReadonlyUint8Array, type Signature } from "@solana/kit";
import { readEvents } from "@imo/client";
import { findModelVersionPda, MODEL_TOKEN_EVENTS, type ModelTokenEvent } from "@imo/client/model-token";
import { OPML_ORACLE_EVENTS, type OpmlOracleEvent } from "@imo/client/opml-oracle";
import { findContributionsPda, REVENUE_ESCROW_EVENTS, type RevenueEscrowEvent } from "@imo/client/revenue-escrow";
import { YIELD_DISTRIBUTOR_EVENTS, type YieldDistributorEvent } from "@imo/client/yield-distributor";
import type { Chain } from "../chain/chain.ts";

export type AnyEvent = ModelTokenEvent | OpmlOracleEvent | RevenueEscrowEvent | YieldDistributorEvent;

/** A transaction and what the programs told in it. */
export interface Told {
  signature: Signature;
  slot: bigint;
  unix: bigint | undefined;
  failed: boolean;
  events: AnyEvent[];
  /** The outer instructions. */
  instructions: { program: Address; data: ReadonlyUint8Array }[];
  logs: readonly string[];
  feeLamports: bigint;
}

export interface History {
  /** The oldest first. */
  told: Told[];
  /** Whether there is more that was not read, or could not be. */
  more: boolean;
}

/** How many transactions are read of one address. */
const LIMIT = 200;
/** Transactions that were read do not change. */
const known = new Map<string, Told>();

/** What was told in the transactions that name an address. */
export async function historyOf(chain: Chain, address: Address, limit = LIMIT): Promise<History> {
  // The RPC lists the newest first; the oldest come first here, also of those in one slot.
  const listed = (await chain.rpc.getSignaturesForAddress(address, { limit, commitment: "confirmed" }).send()).toReversed();
  let more = listed.length === limit;
  const told: Told[] = [];
  // In small groups: a public RPC counts requests.
  for (let start = 0; start < listed.length; start += 8) {
    const group = listed.slice(start, start + 8).map(async ({ signature }) => readTransaction(chain, signature));
    for (const one of await Promise.all(group)) {
      if (one === undefined) more = true;
      else told.push(one);
    }
  }
  told.sort((a, b) => (a.slot < b.slot ? -1 : a.slot > b.slot ? 1 : 0));
  return { told, more };
}

export async function readTransaction(chain: Chain, signature: Signature): Promise<Told | undefined> {
  const stored = known.get(signature);
  if (stored !== undefined) return stored;
  const found = await chain.rpc
    .getTransaction(signature, { encoding: "json", commitment: "confirmed", maxSupportedTransactionVersion: 0 })
    .send();
  const logs = found?.meta?.logMessages;
  if (found === null || logs === null || logs === undefined) return undefined;
  const one: Told = {
    signature,
    slot: found.slot,
    unix: found.blockTime === null ? undefined : BigInt(found.blockTime),
    failed: found.meta?.err !== null,
    events: eventsOf(logs),
    instructions: found.transaction.message.instructions.flatMap(({ programIdIndex, data }) => {
      const program = found.transaction.message.accountKeys[programIdIndex];
      return program === undefined ? [] : [{ program, data: getBase58Encoder().encode(data) }];
    }),
    logs,
    feeLamports: found.meta?.fee ?? 0n,
  };
  known.set(signature, one);
  return one;
}

export function eventsOf(logs: readonly string[]): AnyEvent[] {
  return [
    ...readEvents(MODEL_TOKEN_EVENTS, logs).events,
    ...readEvents(REVENUE_ESCROW_EVENTS, logs).events,
    ...readEvents(YIELD_DISTRIBUTOR_EVENTS, logs).events,
    ...readEvents(OPML_ORACLE_EVENTS, logs).events,
  ];
}

/** One report's revenue, once it was split. */
export interface Split {
  report: Address;
  signature: Signature;
  unix: bigint | undefined;
  revenueUnits: bigint;
  holdersUnits: bigint;
  redeemUnits: bigint;
  othersUnits: bigint;
}

export interface SplitHistory {
  splits: Split[];
  /** Whether these are all: their parts add up to what the vault has counted. */
  complete: boolean;
}

/** A model's revenue, report by report. Every split of a version names the account of its contributors, whether there are any or not. */
export async function splitsOf(chain: Chain, model: Address, versionCount: number, paidToOthersUnits: bigint): Promise<SplitHistory> {
  const splits = new Map<Address, Split>();
  for (let number = 1; number <= versionCount; number += 1) {
    const [version] = await findModelVersionPda({ model, number });
    const [contributions] = await findContributionsPda({ modelVersion: version });
    for (const { signature, unix, failed, events } of (await historyOf(chain, contributions)).told) {
      if (failed) continue;
      for (const event of events) {
        if (event.name !== "BucketSplit" || event.data.model !== model) continue;
        const { report, amountUnits, feeUnits, holdersUnits, redeemUnits, othersUnits } = event.data;
        splits.set(report, { report, signature, unix, revenueUnits: amountUnits + feeUnits, holdersUnits, redeemUnits, othersUnits });
      }
    }
  }
  const all = [...splits.values()];
  const counted = all.reduce((sum, split) => sum + split.othersUnits, 0n);
  return { splits: all, complete: counted === paidToOthersUnits };
}
