// Integer arithmetic as the programs do it. Every amount is a bigint of smallest units, every division a floor.

export const ALL_BPS = 10_000n;

/** `floor(whole * part / all)`; `all` must not be zero. */
export function mulDiv(whole: bigint, part: bigint, all: bigint): bigint {
  return (whole * part) / all;
}

/** `floor(amount * bps / 10,000)`. */
export function shareFloor(amountUnits: bigint, bps: number | bigint): bigint {
  return mulDiv(amountUnits, BigInt(bps), ALL_BPS);
}

export function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
