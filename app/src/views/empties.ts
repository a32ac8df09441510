// Accounts of a wallet in which nothing is left, whose rent comes back when they are closed.

import type { Address } from "@solana/kit";
import type { EpochMark, Pool, Position, Vesting } from "@imo/client/yield-distributor";
import type { Chain, Found } from "../chain/chain.ts";
import { EPOCH_MARK, POOL } from "../chain/kinds.ts";

/** Where an epoch's mark says who paid its rent. */
const MARK_RENT_PAYER = 83n;

export interface Empties {
  positions: Found<Position>[];
  vestings: Found<Vesting>[];
  /** Marks of epochs that the wallet paid for, and no position needs any more. */
  marks: Found<EpochMark>[];
}

export function isEmptyPosition({ activeUnits, pendingUnits, owedUnits }: Pick<Position, "activeUnits" | "pendingUnits" | "owedUnits">): boolean {
  return activeUnits === 0n && pendingUnits === 0n && owedUnits === 0n;
}

export function isEmptyVesting({ units, owedUnits }: Pick<Vesting, "units" | "owedUnits">): boolean {
  return units === 0n && owedUnits === 0n;
}

/** Whether no position waits for the epoch, and the pool does not count its stake any more. */
export function isSpentMark({ openPositions, epoch }: Pick<EpochMark, "openPositions" | "epoch">, { pending }: Pick<Pool, "pending">): boolean {
  return openPositions === 0n && !pending.some((bucket) => bucket.units > 0n && bucket.epoch === epoch);
}

export async function readEmpties(chain: Chain, owner: Address, positions: readonly Found<Position>[], vestings: readonly Found<Vesting>[]): Promise<Empties> {
  const marks = await chain.all(EPOCH_MARK, { offset: MARK_RENT_PAYER, key: owner });
  const pools = await chain.many(
    POOL,
    marks.map(({ data }) => data.pool),
  );
  return {
    positions: positions.filter(({ data }) => isEmptyPosition(data)),
    vestings: vestings.filter(({ data }) => isEmptyVesting(data)),
    marks: marks.filter(({ data }, index) => {
      const pool = pools[index];
      return pool !== undefined && isSpentMark(data, pool);
    }),
  };
}
