// Yield and redemption: the arithmetic of the program yield-distributor (`math/`), floor for floor.

import { mulDiv } from "./shares.ts";

const SCALE_BITS = 64n;

export interface PoolNumbers {
  accumulator: bigint;
  epochSlots: bigint;
  pending: readonly { epoch: bigint; units: bigint }[];
}

export interface PositionNumbers {
  activeUnits: bigint;
  pendingUnits: bigint;
  pendingEpoch: bigint;
  accumulatorSnapshot: bigint;
  owedUnits: bigint;
}

/** The accumulator with which an epoch's stake began to earn, once the pool has rolled it. */
export interface MarkNumbers {
  rolled: boolean;
  accumulatorAtStart: bigint;
}

/** `floor(units * growth / 2^64)`, in units of revenue. */
export function earned(units: bigint, from: bigint, to: bigint): bigint {
  return to <= from ? 0n : (units * (to - from)) >> SCALE_BITS;
}

/** A position as a claim in this slot would leave it, and what that claim pays. */
export function settle(
  position: PositionNumbers,
  pool: PoolNumbers,
  mark: MarkNumbers | undefined,
  slot: bigint,
): { claimableUnits: bigint; activeUnits: bigint; pendingUnits: bigint; activeFromSlot: bigint | undefined } {
  const nowEpoch = epochAt(slot, pool.epochSlots);
  let claimable = position.owedUnits + earned(position.activeUnits, position.accumulatorSnapshot, pool.accumulator);
  const due = position.pendingUnits > 0n && position.pendingEpoch <= nowEpoch;
  if (!due) {
    const activeFromSlot = position.pendingUnits > 0n ? position.pendingEpoch * pool.epochSlots : undefined;
    return { claimableUnits: claimable, activeUnits: position.activeUnits, pendingUnits: position.pendingUnits, activeFromSlot };
  }
  // Not rolled yet: nothing was deposited since the epoch began, so it begins at the accumulator of now.
  const start = mark?.rolled ? mark.accumulatorAtStart : pool.accumulator;
  claimable += earned(position.pendingUnits, start, pool.accumulator);
  return { claimableUnits: claimable, activeUnits: position.activeUnits + position.pendingUnits, pendingUnits: 0n, activeFromSlot: undefined };
}

/** What vesting tokens have earned and nobody has claimed. */
export function vestingYield(vesting: { units: bigint; accumulatorSnapshot: bigint; owedUnits: bigint }, pool: { accumulator: bigint }): bigint {
  return vesting.owedUnits + earned(vesting.units, vesting.accumulatorSnapshot, pool.accumulator);
}

export function epochAt(slot: bigint, epochSlots: bigint): bigint {
  return epochSlots === 0n ? 0n : slot / epochSlots;
}

/** A stake that is made in this slot is active from the next epoch but one. */
export function activationEpoch(slot: bigint, epochSlots: bigint): bigint {
  return epochAt(slot, epochSlots) + 2n;
}

/** What burning pays: `floor(pool * burned / supply)`; undefined when more is burned than exists. */
export function redemptionUnits(redeemUnits: bigint, burnedUnits: bigint, supplyUnits: bigint): bigint | undefined {
  if (supplyUnits === 0n || burnedUnits > supplyUnits) return undefined;
  return mulDiv(redeemUnits, burnedUnits, supplyUnits);
}
