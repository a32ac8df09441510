// What the app needs of a wallet, whoever made it.

import type { Address } from "@solana/kit";

export interface Wallet {
  name: string;
  /** Undefined for the burner wallet. */
  icon: string | undefined;
  address: Address;
  /** Signs a transaction's wire bytes and gives them back with the signature. Throws when the person says no. */
  sign(transaction: Uint8Array): Promise<Uint8Array>;
}
