// Marks of epochs: whatever touches a pool brings those that have begun and are not counted yet.

import type { Address } from "@solana/kit";
import { findEpochMarkPda, type Pool } from "@imo/client/yield-distributor";
import { epochAt } from "../maths/yield.ts";

export interface DueMarks {
  markA?: Address;
  markB?: Address;
}

export async function dueMarks(poolAddress: Address, pool: Pool | undefined, slot: bigint): Promise<DueMarks> {
  if (pool === undefined) return {};
  const now = epochAt(slot, pool.epochSlots);
  const due = pool.pending.filter(({ epoch, units }) => units > 0n && epoch <= now);
  const [markA, markB] = await Promise.all(due.map(async ({ epoch }) => (await findEpochMarkPda({ pool: poolAddress, epoch }))[0]));
  return { ...(markA === undefined ? {} : { markA }), ...(markB === undefined ? {} : { markB }) };
}
