// Wallets that the visitor's browser has, by the Wallet Standard.

import type { Address } from "@solana/kit";
import { SolanaSignTransaction, type SolanaSignTransactionFeature } from "@solana/wallet-standard-features";
import { getWallets } from "@wallet-standard/app";
import type { Wallet as StandardWallet } from "@wallet-standard/base";
import { StandardConnect, type StandardConnectFeature, StandardEvents, type StandardEventsFeature } from "@wallet-standard/features";
import type { Wallet } from "./wallet.ts";

type Features = SolanaSignTransactionFeature & StandardConnectFeature & Partial<StandardEventsFeature>;
export type Connectable = StandardWallet & { features: Features };

/** The chains' names are of the Wallet Standard; a wallet that knows "solana:mainnet" signs for any cluster. */
type ChainName = `solana:${string}`;

function isConnectable(wallet: StandardWallet): wallet is Connectable {
  return SolanaSignTransaction in wallet.features && StandardConnect in wallet.features;
}

/** Those that can sign Solana transactions. */
export function connectable(): Connectable[] {
  return getWallets().get().filter(isConnectable);
}

/** Calls back when wallets come or go. */
export function onWallets(changed: () => void): () => void {
  const wallets = getWallets();
  const off = [wallets.on("register", changed), wallets.on("unregister", changed)];
  return () => off.forEach((stop) => stop());
}

/** Asks the wallet for an account; `silently` only takes one that was given before. */
export async function connect(wallet: Connectable, silently: boolean, accountChanged: () => void): Promise<Wallet | undefined> {
  const { accounts } = await wallet.features[StandardConnect].connect(silently ? { silent: true } : {});
  const account = accounts.find((each) => each.features.includes(SolanaSignTransaction)) ?? accounts[0];
  if (account === undefined) return undefined;
  wallet.features[StandardEvents]?.on("change", (change) => {
    if (change.accounts !== undefined) accountChanged();
  });
  const chain = account.chains.find((each): each is ChainName => each.startsWith("solana:"));
  return {
    name: wallet.name,
    icon: wallet.icon,
    address: account.address as Address,
    async sign(transaction) {
      const [signed] = await wallet.features[SolanaSignTransaction].signTransaction({ account, transaction, ...(chain === undefined ? {} : { chain }) });
      if (signed === undefined) throw new Error("The wallet gave nothing back.");
      return signed.signedTransaction;
    },
  };
}
