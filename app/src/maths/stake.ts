// What an operator has at stake.

export interface Stake {
  /** All that it owns in the vault. */
  stakeUnits: bigint;
  /** The part that reports lock. */
  lockedUnits: bigint;
  /** The part that is leaving. */
  unbondingUnits: bigint;
}

/** What bonds can still be made of, and what can be announced to leave. */
export function freeStakeUnits({ stakeUnits, lockedUnits, unbondingUnits }: Stake): bigint {
  return stakeUnits - lockedUnits - unbondingUnits;
}
