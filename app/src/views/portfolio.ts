// What one wallet has in all models.

import type { Address } from "@solana/kit";
import type { Commitment } from "@imo/client/model-token";
import type { Earnings, ModelVault } from "@imo/client/revenue-escrow";
import type { Chain, Found } from "../chain/chain.ts";
import { COMMITMENT, CREDIT, EARNINGS, FIRST_KEY, MODEL, MODEL_VAULT, OFFERING, POOL, POSITION, SECOND_KEY, VESTING } from "../chain/kinds.ts";
import { type Empties, readEmpties } from "./empties.ts";
import { type Holding, readHolding, readModel } from "./model.ts";
import { duesOf, type Payee } from "./payees.ts";

export interface Owed {
  address: Address;
  earnings: Earnings;
  vault: ModelVault;
}

/** Money that is prepaid for answers of one model. */
export interface Prepaid {
  model: Address;
  name: string;
  mint: Address;
  units: bigint;
}

export interface Portfolio {
  owner: Address;
  holdings: Holding[];
  /** What vaults owe as developer, operator or treasury. */
  owed: Owed[];
  /** What versions owe as contributor. */
  dues: Payee[];
  credits: Prepaid[];
  empties: Empties;
  lamports: bigint;
}

export async function readPortfolio(chain: Chain, owner: Address): Promise<Portfolio> {
  const [commitments, positions, vestings, tokens, offerings, earnings, credits, lamports, dues] = await Promise.all([
    chain.all(COMMITMENT, { offset: SECOND_KEY, key: owner }) as Promise<Found<Commitment>[]>,
    chain.all(POSITION, { offset: SECOND_KEY, key: owner }),
    chain.all(VESTING, { offset: SECOND_KEY, key: owner }),
    chain.tokensOf(owner),
    chain.all(OFFERING),
    chain.all(EARNINGS, { offset: SECOND_KEY, key: owner }),
    chain.all(CREDIT, { offset: FIRST_KEY, key: owner }),
    chain.lamports(owner),
    duesOf(chain, owner),
  ]);
  const pools = await chain.many(POOL, [...new Set([...positions, ...vestings].map(({ data }) => data.pool))]);
  const models = new Set<Address>();
  for (const pool of pools) if (pool !== undefined) models.add(pool.model);
  for (const { address, data } of offerings) {
    const holds = tokens.some(({ mint, units }) => mint === data.mint && units > 0n);
    if (holds || commitments.some((commitment) => commitment.data.offering === address)) models.add(data.model);
  }
  const holdings = await Promise.all([...models].map(async (model) => readHolding(chain, await readModel(chain, model), owner)));
  const [vaults, creditModels, empties] = await Promise.all([
    chain.many(
      MODEL_VAULT,
      earnings.map(({ data }) => data.vault),
    ),
    chain.many(
      MODEL,
      credits.map(({ data }) => data.model),
    ),
    readEmpties(chain, owner, positions, vestings),
  ]);
  const prepaid = credits.flatMap(({ data: { model, availableUnits, reservedUnits, withdrawingUnits } }, index): Prepaid[] => {
    const found = creditModels[index];
    return found === undefined ? [] : [{ model, name: found.metadata.name, mint: found.paymentMint, units: availableUnits + reservedUnits + withdrawingUnits }];
  });
  const owed = earnings.flatMap(({ address, data }, index): Owed[] => {
    const vault = vaults[index];
    return vault === undefined || data.owedUnits === 0n ? [] : [{ address, earnings: data, vault }];
  });
  return { owner, holdings, owed, dues, credits: prepaid, empties, lamports };
}
