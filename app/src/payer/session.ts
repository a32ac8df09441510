// The keys of this browser that sign vouchers, and what was asked with them.

import { type Address, createKeyPairSignerFromPrivateKeyBytes, type KeyPairSigner } from "@solana/kit";
import { indexedDbStorage, type StoredPurse } from "@imo/client";
import { storedSeed } from "../wallet/burner.ts";

/** Shared by all tabs, written to the disk before a voucher leaves. */
export const purses = indexedDbStorage();

/** A key can spend what it was granted and nothing else; when that is used up, the one with the next number is granted. */
export async function sessionSigner(wallet: Address, number: number): Promise<KeyPairSigner> {
  return createKeyPairSignerFromPrivateKeyBytes(storedSeed(`imo.session.${wallet}.${number}`));
}

/** What was asked on a lane. */
export interface Asked {
  amountUnits: bigint;
  /** Whether the last question has no answer yet, and has to be asked again before any other. */
  asking: boolean;
}

/** Undefined when this browser does not know all that was asked: then it can sign no further voucher. */
export async function askedOn(lane: Address, generation: bigint, collectedCount: bigint): Promise<Asked | undefined> {
  const text = await purses.load(lane);
  const stored = text === undefined ? undefined : (JSON.parse(text) as StoredPurse);
  if (stored === undefined || BigInt(stored.generation) !== generation) return collectedCount === 0n ? { amountUnits: 0n, asking: false } : undefined;
  if (BigInt(stored.entries.length) < collectedCount) return undefined;
  return { amountUnits: stored.entries.reduce((sum, { price_units }) => sum + BigInt(price_units), 0n), asking: stored.asking };
}
