// A wallet in this browser's storage, for play money on a cluster of one's own. Never offered anywhere else.

import { createKeyPairFromPrivateKeyBytes, getAddressFromPublicKey, signBytes } from "@solana/kit";
import type { Wallet } from "./wallet.ts";

const KEY = "imo.burner";

export async function burnerWallet(): Promise<Wallet> {
  const pair = await createKeyPairFromPrivateKeyBytes(storedSeed(KEY));
  const address = await getAddressFromPublicKey(pair.publicKey);
  return {
    name: "Burner",
    icon: undefined,
    address,
    async sign(transaction) {
      // One signature: its count, its bytes, then the message that is signed.
      const signed = transaction.slice();
      signed.set(await signBytes(pair.privateKey, transaction.slice(65)), 1);
      return signed;
    },
  };
}

/** A seed under this name, made at the first call. */
export function storedSeed(name: string): Uint8Array {
  const stored = localStorage.getItem(name);
  const seed = stored?.match(/../g)?.map((pair) => Number.parseInt(pair, 16));
  if (seed?.length === 32) return Uint8Array.from(seed);
  const fresh = crypto.getRandomValues(new Uint8Array(32));
  localStorage.setItem(name, Array.from(fresh, (byte) => byte.toString(16).padStart(2, "0")).join(""));
  return fresh;
}
