// The terms that an offering can be opened with: the checks of the program model-token (`open_offering`, `Tranche::plan`, `VestingTerms`), in its order.

import { trancheUnits, type VestingTerms } from "./offering.ts";
import { ALL_BPS } from "./shares.ts";

/** The constants of the program. */
export const MAX_OFFERING_SECONDS = 90 * 86_400;
export const MAX_LOCK_SECONDS = 10 * 366 * 86_400;
export const MAX_TRANCHES = 4;
export const MAX_CONTRIBUTORS = 8;
export const MAX_ALLOWLIST_LEN = 1 << 18;
const MIN_TAIL_BPS = 1_000;
const U64 = 1n << 64n;

export type TrancheCondition = { __kind: "Time"; unlocksSeconds: number } | { __kind: "Revenue"; othersUnits: bigint; deadlineSeconds: number };

export interface OfferingTerms {
  saleUnits: bigint;
  developerUnits: bigint;
  minRaiseUnits: bigint;
  maxRaiseUnits: bigint;
  /** From the opening to the close. */
  openSeconds: number;
  /** The last part of it, in which one can only withdraw. */
  tailSeconds: number;
  buyerVesting: VestingTerms;
  /** Of no account when the developer has no tokens. */
  developerVesting: VestingTerms;
  tranches: readonly { shareBps: number; condition: TrancheCondition }[];
}

/** Why the program would refuse terms. */
export type TermsProblem =
  | { about: "sale" | "supply" | "raise" | "open" | "tail" | "buyers" | "buyersFree" | "ownTooSoon" | "ownBeforeTranches" | "ownEnd" | "ownLock" | "shareIsZero" }
  | { about: "shares"; sumBps: number }
  | { about: "trancheLate"; index: number }
  | { about: "trancheCheap"; index: number; leastUnits: bigint };

/** When a tranche is decided if nobody is late, in seconds after the settlement. */
export function dueSeconds(condition: TrancheCondition): number {
  return condition.__kind === "Time" ? condition.unlocksSeconds : condition.deadlineSeconds;
}

/** The revenue for others that each tranche must ask for at least, if it asks for any. */
export function leastRevenueUnits(maxRaiseUnits: bigint, sharesBps: readonly number[]): bigint[] {
  return trancheUnits(maxRaiseUnits, sharesBps).map((units) => (units > 1n ? units : 1n));
}

/** The first thing that is wrong with terms; undefined when the program takes them. */
export function termsProblem(terms: OfferingTerms): TermsProblem | undefined {
  const { saleUnits, developerUnits, minRaiseUnits, maxRaiseUnits, openSeconds, tailSeconds } = terms;
  if (saleUnits === 0n) return { about: "sale" };
  if (saleUnits + developerUnits >= U64) return { about: "supply" };
  if (minRaiseUnits === 0n || minRaiseUnits > maxRaiseUnits) return { about: "raise" };
  if (openSeconds <= 0 || openSeconds > MAX_OFFERING_SECONDS) return { about: "open" };
  if (tailSeconds <= 0 || tailSeconds >= openSeconds || tailSeconds * Number(ALL_BPS) < openSeconds * MIN_TAIL_BPS) return { about: "tail" };
  return tranchesProblem(terms) ?? buyersProblem(terms.buyerVesting) ?? (developerUnits === 0n ? undefined : developerProblem(terms));
}

function tranchesProblem({ tranches, maxRaiseUnits }: OfferingTerms): TermsProblem | undefined {
  const shares = tranches.map(({ shareBps }) => shareBps);
  if (shares.some((share) => share <= 0)) return { about: "shareIsZero" };
  const sumBps = shares.reduce((sum, share) => sum + share, 0);
  if (sumBps !== Number(ALL_BPS)) return { about: "shares", sumBps };
  const least = leastRevenueUnits(maxRaiseUnits, shares);
  for (const [index, { condition }] of tranches.entries()) {
    if (dueSeconds(condition) > MAX_LOCK_SECONDS) return { about: "trancheLate", index };
    const leastUnits = least[index] ?? 1n;
    if (condition.__kind === "Revenue" && condition.othersUnits < leastUnits) return { about: "trancheCheap", index, leastUnits };
  }
  return undefined;
}

function isTooLong({ cliffSeconds, linearSeconds }: VestingTerms): boolean {
  return cliffSeconds > MAX_LOCK_SECONDS || linearSeconds > MAX_LOCK_SECONDS;
}

function buyersProblem(vesting: VestingTerms): TermsProblem | undefined {
  if (isTooLong(vesting)) return { about: "buyers" };
  const vests = vesting.cliffSeconds + vesting.linearSeconds > 0;
  return vesting.immediateBps < Number(ALL_BPS) === vests && vesting.immediateBps <= Number(ALL_BPS) ? undefined : { about: "buyersFree" };
}

function developerProblem({ developerVesting, buyerVesting, tranches }: OfferingTerms): TermsProblem | undefined {
  if (isTooLong(developerVesting)) return { about: "ownLock" };
  const { cliffSeconds, linearSeconds } = developerVesting;
  if (cliffSeconds < buyerVesting.cliffSeconds) return { about: "ownTooSoon" };
  if (tranches.some(({ condition }) => cliffSeconds < dueSeconds(condition))) return { about: "ownBeforeTranches" };
  return cliffSeconds + linearSeconds > buyerVesting.cliffSeconds + buyerVesting.linearSeconds ? undefined : { about: "ownEnd" };
}
