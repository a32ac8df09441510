// What the chain's accounts no longer say: read from the logs of transactions that the RPC still has, or from the indexer where there is one.

import { type Address, getBase58Encoder, type ReadonlyUint8Array, type Signature } from "@solana/kit";
import { readEvents } from "@imo/client";
import { findModelVersionPda, MODEL_TOKEN_EVENTS, type ModelTokenEvent } from "@imo/client/model-token";
import { OPML_ORACLE_EVENTS, OPML_ORACLE_PROGRAM_ADDRESS, type OpmlOracleEvent } from "@imo/client/opml-oracle";
import { findContributionsPda, REVENUE_ESCROW_EVENTS, type RevenueEscrowEvent } from "@imo/client/revenue-escrow";
import { YIELD_DISTRIBUTOR_EVENTS, type YieldDistributorEvent } from "@imo/client/yield-distributor";
import type { Chain } from "../chain/chain.ts";
import { indexed, type IndexedDispute, type IndexedEvent, type IndexedReport } from "./indexer.ts";

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

function eventsOf(logs: readonly string[]): AnyEvent[] {
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

/** A model's revenue, report by report. */
export async function splitsOf(chain: Chain, model: Address, versionCount: number, paidToOthersUnits: bigint): Promise<SplitHistory> {
  const splits = (await indexedSplits(chain, model)) ?? (await splitsOfRpc(chain, model, versionCount));
  const counted = splits.reduce((sum, split) => sum + split.othersUnits, 0n);
  return { splits, complete: counted === paidToOthersUnits };
}

async function indexedSplits(chain: Chain, model: Address): Promise<Split[] | undefined> {
  const reports = await indexed<IndexedReport>(chain, `reports?model=${model}`);
  return reports?.toReversed().flatMap(({ report, split, ended }): Split[] =>
    split === null || ended === null
      ? []
      : [
          {
            report,
            signature: ended.signature,
            unix: ended.unix === null ? undefined : BigInt(ended.unix),
            revenueUnits: BigInt(split.amount_units) + BigInt(split.fee_units),
            holdersUnits: BigInt(split.holders_units),
            redeemUnits: BigInt(split.redeem_units),
            othersUnits: BigInt(split.others_units),
          },
        ],
  );
}

/** Every split of a version names the account of its contributors, whether there are any or not. */
async function splitsOfRpc(chain: Chain, model: Address, versionCount: number): Promise<Split[]> {
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
  return [...splits.values()];
}

/** A transaction that lies behind, with the names of what was told in it. */
export interface PastTransaction {
  signature: Signature;
  unix: bigint | undefined;
  names: string[];
}

/** What a wallet did and was done for it, the newest first. */
export async function pastOf(chain: Chain, owner: Address): Promise<{ past: PastTransaction[]; more: boolean }> {
  const events = await indexed<IndexedEvent>(chain, `owners/${owner}/history`, 1);
  if (events === undefined) {
    const { told, more } = await historyOf(chain, owner, 50);
    const past = told.filter(({ failed, events: all }) => !failed && all.length > 0);
    return { past: past.toReversed().map(({ signature, unix, events: all }) => ({ signature, unix, names: all.map(({ name }) => name) })), more };
  }
  const past = new Map<Signature, PastTransaction>();
  for (const { signature, unix, name } of events) {
    const known = past.get(signature);
    if (known === undefined) past.set(signature, { signature, unix: unix === null ? undefined : BigInt(unix), names: [name] });
    else known.names.push(name);
  }
  return { past: [...past.values()], more: events.length >= 100 };
}

/** How a dispute, or a demand for data, ended. */
export interface Verdict {
  key: string;
  signature: Signature;
  unix: bigint | undefined;
  dispute: Address | undefined;
  how: "proven" | "provenBySilence" | "lost" | "withheld";
}

/** Verdicts, the newest first; whether there may be more that is not known. */
export async function verdictsOf(chain: Chain): Promise<{ verdicts: Verdict[]; more: boolean }> {
  const disputes = await indexed<IndexedDispute>(chain, "disputes", 1);
  if (disputes !== undefined) {
    const verdicts = disputes.flatMap(({ dispute, verdict, by_silence, decided }): Verdict[] => {
      if (verdict === null || decided === null) return [];
      const how = verdict === "lost" ? "lost" : by_silence === true ? "provenBySilence" : "proven";
      return [{ key: dispute, signature: decided.signature, unix: decided.unix === null ? undefined : BigInt(decided.unix), dispute, how }];
    });
    return { verdicts, more: disputes.length >= 100 };
  }
  const { told, more } = await historyOf(chain, OPML_ORACLE_PROGRAM_ADDRESS, 150);
  const verdicts = told.flatMap(({ signature, unix, failed, events }): Verdict[] =>
    failed
      ? []
      : events.flatMap((event, index): Verdict[] => {
          const of = (dispute: Address | undefined, how: Verdict["how"]): Verdict[] => [{ key: `${signature}-${index}`, signature, unix, dispute, how }];
          if (event.name === "DisputeProven") return of(event.data.dispute, event.data.bySilence ? "provenBySilence" : "proven");
          if (event.name === "DisputeLost") return of(event.data.dispute, "lost");
          return event.name === "DataWithheld" ? of(undefined, "withheld") : [];
        }),
  );
  return { verdicts: verdicts.toReversed(), more };
}
