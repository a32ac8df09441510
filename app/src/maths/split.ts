// Who gets what of a final report: the arithmetic of the program revenue-escrow (`math/split.rs`).

import { shareFloor } from "./shares.ts";

export interface RevenueSplit {
  holdersBps: number;
  redeemBps: number;
  developerBps: number;
  operatorBps: number;
  protocolBps: number;
  contributorsBps: number;
}

export type SplitPart = "holders" | "redeem" | "developer" | "operator" | "protocol" | "contributors";

export const SPLIT_PARTS: readonly SplitPart[] = ["holders", "redeem", "developer", "operator", "contributors", "protocol"];

/** Every share is floored but the holders', who take what is left. */
export function shares(amountUnits: bigint, split: RevenueSplit): Record<SplitPart, bigint> {
  const redeem = shareFloor(amountUnits, split.redeemBps);
  const developer = shareFloor(amountUnits, split.developerBps);
  const operator = shareFloor(amountUnits, split.operatorBps);
  const protocol = shareFloor(amountUnits, split.protocolBps);
  const contributors = shareFloor(amountUnits, split.contributorsBps);
  const holders = amountUnits - redeem - developer - operator - protocol - contributors;
  return { holders, redeem, developer, operator, protocol, contributors };
}

/** What taking answers back costs their operator: all that the others would have got (`math/retraction.rs`). */
export function retractionFee(amountUnits: bigint, split: RevenueSplit): bigint {
  return amountUnits - shareFloor(amountUnits, split.operatorBps);
}
