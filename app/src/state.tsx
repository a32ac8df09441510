// What every page shares: the chain, the time, the wallet, and the caching of what was read.

import { QueryClient, useQuery, useQueryClient, type UseQueryResult } from "@tanstack/react-query";
import { createContext, useCallback, useContext, useEffect, useMemo, useState, type ReactNode } from "react";
import type { Address } from "@solana/kit";
import { Chain, type Mint } from "./chain/chain.ts";
import type { Cluster } from "./chain/cluster.ts";
import { failureOf } from "./chain/failure.ts";
import type { Now } from "./maths/deadline.ts";
import { burnerWallet } from "./wallet/burner.ts";
import { type Connectable, connect, connectable, onWallets } from "./wallet/standard.ts";
import type { Wallet } from "./wallet/wallet.ts";
import { shortened } from "./ui/format.ts";

export function newQueries(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        retry: (count, error) => count < 2 && ["offline", "busy", "other"].includes(failureOf(error).kind),
        retryDelay: (count) => 500 * 2 ** count,
        staleTime: 1_000,
        // An RPC on this machine answers without a network.
        networkMode: "always",
      },
    },
  });
}

export type Reading = Now & { readAt: number };

interface Shared {
  chain: Chain;
  now: Reading | undefined;
  /** Whether the RPC did not answer when it was last asked the time. */
  away: boolean;
  wallet: Wallet | undefined;
  wallets: readonly Connectable[];
  use: (wallet: Connectable | "burner") => Promise<void>;
  disconnect: () => void;
}

const Context = createContext<Shared | undefined>(undefined);
const LAST_WALLET = "imo.wallet";

export function Shared({ cluster, children }: { cluster: Cluster; children: ReactNode }): ReactNode {
  const chain = useMemo(() => new Chain(cluster), [cluster]);
  const clock = useQuery({
    queryKey: ["now", cluster.rpc],
    queryFn: async (): Promise<Reading> => ({ ...(await chain.now()), readAt: Date.now() }),
    refetchInterval: cluster.local ? 2_000 : 5_000,
  });
  const [wallet, setWallet] = useState<Wallet>();
  const [wallets, setWallets] = useState<readonly Connectable[]>(connectable);
  useEffect(() => onWallets(() => setWallets(connectable())), []);

  const disconnect = useCallback(() => {
    localStorage.removeItem(LAST_WALLET);
    setWallet(undefined);
  }, []);
  const use = useCallback(
    async (chosen: Connectable | "burner", silently = false) => {
      const connected = chosen === "burner" ? await burnerWallet() : await connect(chosen, silently, disconnect);
      if (connected === undefined) return;
      localStorage.setItem(LAST_WALLET, chosen === "burner" ? "burner" : chosen.name);
      setWallet(connected);
    },
    [disconnect],
  );
  // The wallet of the last visit, when it agrees without asking.
  useEffect(() => {
    const last = localStorage.getItem(LAST_WALLET);
    if (wallet !== undefined || last === null) return;
    if (last === "burner" && cluster.local) void use("burner", true);
    const known = wallets.find((each) => each.name === last);
    if (known !== undefined) void use(known, true).catch(() => undefined);
  }, [wallets, wallet, cluster.local, use]);

  const shared = useMemo(
    () => ({ chain, now: clock.data, away: clock.isError, wallet, wallets, use, disconnect }),
    [chain, clock.data, clock.isError, wallet, wallets, use, disconnect],
  );
  return <Context value={shared}>{children}</Context>;
}

export function useShared(): Shared {
  const shared = useContext(Context);
  if (shared === undefined) throw new Error("outside of <Shared>");
  return shared;
}

export function useChain(): Chain {
  return useShared().chain;
}

export function useNow(): Reading | undefined {
  return useShared().now;
}

export function useWallet(): Wallet | undefined {
  return useShared().wallet;
}

/** Something read from the chain, again every few seconds while it is looked at. */
export function useRead<T>(key: readonly unknown[], read: (chain: Chain) => Promise<T>, options: { enabled?: boolean; every?: number } = {}): UseQueryResult<T> {
  const chain = useChain();
  return useQuery({
    // Keys are hashed as JSON, which has no bigints.
    queryKey: ["chain", chain.cluster.rpc, ...key.map((part) => (typeof part === "bigint" ? `${part}` : part))],
    queryFn: () => read(chain),
    refetchInterval: options.every ?? (chain.cluster.local ? 3_000 : 15_000),
    enabled: options.enabled ?? true,
    structuralSharing: false,
  });
}

/** Asks for everything again: after a transaction. */
export function useReadAgain(): () => Promise<void> {
  const queries = useQueryClient();
  return useCallback(() => queries.invalidateQueries(), [queries]);
}

/** How a mint is called. */
export function useUnitOf(): (mint: Address) => string {
  const { cluster } = useChain();
  return useCallback((mint: Address) => cluster.mints.get(mint) ?? shortened(mint), [cluster]);
}

/** Decimals and supply of mints. */
export function useMints(addresses: readonly Address[]): UseQueryResult<Map<Address, Mint>> {
  return useRead(["mints", ...[...new Set(addresses)].sort()], (chain) => chain.mints(addresses), { enabled: addresses.length > 0 });
}
