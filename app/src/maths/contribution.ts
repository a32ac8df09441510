// What contributors have earned: the arithmetic of the program revenue-escrow (`math/contribution.rs`).

/** Of what all contributors of a version earned together, one's part. */
export function entitledUnits(earnedUnits: bigint, bps: number, contributorsBps: number): bigint {
  return contributorsBps === 0 ? 0n : (earnedUnits * BigInt(bps)) / BigInt(contributorsBps);
}
