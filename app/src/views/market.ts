// All models beside each other, from the chain's accounts alone.

import type { Address } from "@solana/kit";
import type { Model, ModelVersion, Offering } from "@imo/client/model-token";
import { findModelVersionPda } from "@imo/client/model-token";
import type { ModelVault } from "@imo/client/revenue-escrow";
import type { Pool } from "@imo/client/yield-distributor";
import type { Chain } from "../chain/chain.ts";
import { BUCKET, CREDIT, LANE, MODEL, MODEL_VAULT, OFFERING, POOL, REPORT, VERSION } from "../chain/kinds.ts";
import { indexed, type IndexedModel } from "./indexer.ts";

export interface MarketRow {
  address: Address;
  model: Model;
  /** The version that is served; undefined before the first one. */
  live: ModelVersion | undefined;
  offering: Offering | undefined;
  pool: Pool | undefined;
  vault: ModelVault | undefined;
  paymentDecimals: number;
  /** Of the model's token; undefined before the settlement. */
  supplyUnits: bigint | undefined;
  /** Answers that were reported; without an indexer those on the lanes there are now. */
  served: bigint;
  /** What they cost, in units of the payment mint. */
  collectedUnits: bigint;
  /** Of it, what waits in reports that are not final. */
  pendingUnits: bigint;
  /** Operators with a report or a lane on the model. */
  operators: Address[];
}

export async function readMarket(chain: Chain): Promise<MarketRow[]> {
  const [models, offerings, pools, vaults, buckets, credits, lanes, reports, counted] = await Promise.all([
    chain.all(MODEL),
    chain.all(OFFERING),
    chain.all(POOL),
    chain.all(MODEL_VAULT),
    chain.all(BUCKET),
    chain.all(CREDIT),
    chain.all(LANE),
    chain.all(REPORT),
    indexed<IndexedModel>(chain, "models"),
  ]);
  const versionAddresses = await Promise.all(
    models.map(({ address, data }) => findModelVersionPda({ model: address, number: Math.max(1, data.liveVersion) })),
  );
  const [versions, mints] = await Promise.all([
    chain.many(
      VERSION,
      versionAddresses.map(([address]) => address),
    ),
    chain.mints([...models.map(({ data }) => data.paymentMint), ...pools.map(({ data }) => data.tokenMint), ...offerings.map(({ data }) => data.mint)]),
  ]);
  const byModel = <T extends { model: Address }>(found: readonly { data: T }[]): Map<Address, T> => new Map(found.map(({ data }) => [data.model, data]));
  const [offeringOf, poolOf, vaultOf] = [byModel(offerings), byModel(pools), byModel(vaults)];
  const modelOfCredit = new Map(credits.map(({ address, data }) => [address, data.model]));

  const sums = new Map<Address, { served: bigint; collected: bigint; pending: bigint; operators: Set<Address> }>();
  const sum = (model: Address): { served: bigint; collected: bigint; pending: bigint; operators: Set<Address> } => {
    const known = sums.get(model) ?? { served: 0n, collected: 0n, pending: 0n, operators: new Set<Address>() };
    sums.set(model, known);
    return known;
  };
  for (const { data } of lanes) {
    const model = modelOfCredit.get(data.credit);
    if (model === undefined) continue;
    const of = sum(model);
    of.served += data.collectedCount;
    of.collected += data.collectedUnits;
    of.operators.add(data.operator);
  }
  for (const { data } of buckets) if (!data.settled) sum(data.model).pending += data.collectedUnits;
  for (const { data } of reports) sum(data.model).operators.add(data.operator);

  const answersOf = new Map(counted?.map(({ model, answers }) => [model, BigInt(answers.final + answers.pending)]));
  return models.map(({ address, data }, index): MarketRow => {
    const offering = offeringOf.get(address);
    const of = sum(address);
    const indexedCount = answersOf.get(address) ?? 0n;
    return {
      address,
      model: data,
      live: data.liveVersion === 0 ? undefined : versions[index],
      offering,
      pool: poolOf.get(address),
      vault: vaultOf.get(address),
      paymentDecimals: mints.get(data.paymentMint)?.decimals ?? 0,
      supplyUnits: offering === undefined ? undefined : mints.get(offering.mint)?.supplyUnits,
      // Lanes that were closed took their counts with them; the indexer knows them.
      served: indexedCount > of.served ? indexedCount : of.served,
      collectedUnits: of.collected,
      pendingUnits: of.pending,
      operators: [...of.operators],
    };
  });
}

/** What a thousand whole tokens that were staked all along have earned, in units of revenue. */
export function yieldUnits(pool: Pool, tokenDecimals: number): bigint {
  return (pool.accumulator * 1_000n * 10n ** BigInt(tokenDecimals)) >> 64n;
}
