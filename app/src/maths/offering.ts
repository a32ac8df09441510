// Who gets what of an offering: the arithmetic of the program model-token (`math/`), floor for floor.

import { ALL_BPS, min, mulDiv, shareFloor } from "./shares.ts";

export interface VestingTerms {
  immediateBps: number;
  cliffSeconds: number;
  linearSeconds: number;
}

export interface RaiseTerms {
  saleUnits: bigint;
  minRaiseUnits: bigint;
  maxRaiseUnits: bigint;
}

/** What one commitment becomes when the offering closes with these totals. */
export interface Allocation {
  /** Tokens bought, in units of the token. */
  tokensUnits: bigint;
  /** The part of them that is free at once. */
  immediateUnits: bigint;
  /** The part of them that vests. */
  vestingUnits: bigint;
  /** Goes back, in units of the payment mint. */
  refundUnits: bigint;
  /** Buys tokens, in units of the payment mint. */
  paidUnits: bigint;
}

/** How much of what is committed buys tokens; undefined below the minimum, where everything goes back. */
export function acceptedUnits(committedUnits: bigint, terms: RaiseTerms): bigint | undefined {
  return committedUnits >= terms.minRaiseUnits ? min(committedUnits, terms.maxRaiseUnits) : undefined;
}

/** If the offering closed with `committedUnits`, of which `commitmentUnits` are one investor's. */
export function allocate(commitmentUnits: bigint, committedUnits: bigint, terms: RaiseTerms, vesting: VestingTerms): Allocation {
  const accepted = acceptedUnits(committedUnits, terms);
  if (accepted === undefined || committedUnits === 0n) {
    return { tokensUnits: 0n, immediateUnits: 0n, vestingUnits: 0n, refundUnits: commitmentUnits, paidUnits: 0n };
  }
  const tokensUnits = mulDiv(terms.saleUnits, commitmentUnits, committedUnits);
  const refundUnits = mulDiv(committedUnits - accepted, commitmentUnits, committedUnits);
  return {
    tokensUnits,
    immediateUnits: shareFloor(tokensUnits, vesting.immediateBps),
    vestingUnits: vestingPart(tokensUnits, vesting),
    refundUnits,
    paidUnits: commitmentUnits - refundUnits,
  };
}

/** The part of an allotment that vests, floored by itself. */
function vestingPart(tokensUnits: bigint, vesting: VestingTerms): bigint {
  return shareFloor(tokensUnits, ALL_BPS - BigInt(vesting.immediateBps));
}

/** What the price of a whole token is as millionths of a unit of payment, for display: accepted / sold. */
export function priceMicroUnits(committedUnits: bigint, terms: RaiseTerms, tokenDecimals: number): bigint | undefined {
  if (terms.saleUnits === 0n) return undefined;
  const paying = min(committedUnits, terms.maxRaiseUnits);
  return mulDiv(paying, 10n ** BigInt(tokenDecimals) * 1_000_000n, terms.saleUnits);
}

/** What can be taken out of a commitment: all before the tail, then a part that falls to nothing at the close, once. */
export function withdrawableUnits(amountUnits: bigint, nowUnix: bigint, tailUnix: bigint, closesUnix: bigint): bigint {
  if (nowUnix >= closesUnix) return 0n;
  if (nowUnix <= tailUnix) return amountUnits;
  return mulDiv(amountUnits, closesUnix - nowUnix, closesUnix - tailUnix);
}

/** Of tokens that vest, what is free so long after the settlement. */
export function vestedUnits(totalUnits: bigint, elapsedSeconds: bigint, vesting: VestingTerms): bigint {
  const sinceCliff = elapsedSeconds - BigInt(vesting.cliffSeconds);
  if (sinceCliff < 0n) return 0n;
  const linear = BigInt(vesting.linearSeconds);
  return sinceCliff >= linear ? totalUnits : mulDiv(totalUnits, sinceCliff, linear);
}

/** What each tranche pays of the accepted raise: differences of floored sums, so that together they are all of it. */
export function trancheUnits(acceptedUnits: bigint, sharesBps: readonly number[]): bigint[] {
  let sum = 0;
  return sharesBps.map((share) => {
    const before = shareFloor(acceptedUnits, sum);
    sum += share;
    return shareFloor(acceptedUnits, sum) - before;
  });
}

/** When a tranche is paid: after a time, or once others were paid so much within a time. */
export type TrancheCondition = { __kind: "Time"; unlocksSeconds: number } | { __kind: "Revenue"; othersUnits: bigint; deadlineSeconds: number };

/** Whether an undecided tranche can be drawn or called missed, so long after the settlement and with so much paid to others. */
export function trancheIs(condition: TrancheCondition, elapsedSeconds: bigint, paidToOthersUnits: bigint): "locked" | "due" | "missed" {
  if (condition.__kind === "Time") return elapsedSeconds >= BigInt(condition.unlocksSeconds) ? "due" : "locked";
  if (paidToOthersUnits >= condition.othersUnits) return "due";
  return elapsedSeconds > BigInt(condition.deadlineSeconds) ? "missed" : "locked";
}

export interface DeveloperTokens {
  developerUnits: bigint;
  developerReleasedUnits: bigint;
  developerBurnedUnits: bigint;
  developerVesting: VestingTerms;
}

/** What is free of the developer's tokens and not released, once no tranche that has to be earned is undecided. */
export function developerFreeUnits(tokens: DeveloperTokens, elapsedSeconds: bigint): bigint {
  if (tokens.developerBurnedUnits > 0n) return 0n;
  return vestedUnits(tokens.developerUnits, elapsedSeconds, tokens.developerVesting) - tokens.developerReleasedUnits;
}

/** The numbers of a settled offering that say what floors left. */
export interface Allotted {
  saleUnits: bigint;
  allottedUnits: bigint;
  allottedVestingUnits: bigint;
  committedUnits: bigint;
  acceptedUnits: bigint;
  refundedUnits: bigint;
  buyerVesting: VestingTerms;
}

/** Once every commitment is claimed: tokens that are nobody's, those of them that were counted as vesting, and money. */
export function dust(offering: Allotted): { tokensUnits: bigint; vestingUnits: bigint; paymentUnits: bigint } {
  return {
    tokensUnits: offering.saleUnits - offering.allottedUnits,
    vestingUnits: vestingPart(offering.saleUnits, offering.buyerVesting) - offering.allottedVestingUnits,
    paymentUnits: offering.committedUnits - offering.acceptedUnits - offering.refundedUnits,
  };
}
