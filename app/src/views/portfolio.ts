// What one wallet has in all models.

import type { Address } from "@solana/kit";
import type { Commitment } from "@imo/client/model-token";
import type { Credit, Earnings, ModelVault } from "@imo/client/revenue-escrow";
import type { Chain, Found } from "../chain/chain.ts";
import { COMMITMENT, CREDIT, EARNINGS, FIRST_KEY, MODEL_VAULT, OFFERING, POOL, POSITION, SECOND_KEY, VESTING } from "../chain/kinds.ts";
import { type Holding, readHolding, readModel } from "./model.ts";

export interface Owed {
  address: Address;
  earnings: Earnings;
  vault: ModelVault;
}

export interface Portfolio {
  owner: Address;
  holdings: Holding[];
  /** What vaults owe as developer, operator or treasury. */
  owed: Owed[];
  credits: Found<Credit>[];
  lamports: bigint;
}

export async function readPortfolio(chain: Chain, owner: Address): Promise<Portfolio> {
  const [commitments, positions, vestings, tokens, offerings, earnings, credits, lamports] = await Promise.all([
    chain.all(COMMITMENT, { offset: SECOND_KEY, key: owner }) as Promise<Found<Commitment>[]>,
    chain.all(POSITION, { offset: SECOND_KEY, key: owner }),
    chain.all(VESTING, { offset: SECOND_KEY, key: owner }),
    chain.tokensOf(owner),
    chain.all(OFFERING),
    chain.all(EARNINGS, { offset: SECOND_KEY, key: owner }),
    chain.all(CREDIT, { offset: FIRST_KEY, key: owner }),
    chain.lamports(owner),
  ]);
  const pools = await chain.many(POOL, [...new Set([...positions, ...vestings].map(({ data }) => data.pool))]);
  const models = new Set<Address>();
  for (const pool of pools) if (pool !== undefined) models.add(pool.model);
  for (const { address, data } of offerings) {
    const holds = tokens.some(({ mint, units }) => mint === data.mint && units > 0n);
    if (holds || commitments.some((commitment) => commitment.data.offering === address)) models.add(data.model);
  }
  const holdings = await Promise.all([...models].map(async (model) => readHolding(chain, await readModel(chain, model), owner)));
  const vaults = await chain.many(
    MODEL_VAULT,
    earnings.map(({ data }) => data.vault),
  );
  const owed = earnings.flatMap(({ address, data }, index): Owed[] => {
    const vault = vaults[index];
    return vault === undefined || data.owedUnits === 0n ? [] : [{ address, earnings: data, vault }];
  });
  return { owner, holdings, owed, credits, lamports };
}
