// Which cluster the app shows: what the host of the app serves as /cluster.json, or an RPC that the visitor named.

import { type Address, isAddress } from "@solana/kit";

export interface Cluster {
  /** Shown in the header: "localnet", "devnet", "mainnet". */
  name: string;
  rpc: string;
  /** Of the indexer, which knows the history that an RPC forgets; undefined where there is none. */
  index: string | undefined;
  /** Gives play money to whoever asks; only on local clusters. */
  faucet: string | undefined;
  /** How mints are called. */
  mints: ReadonlyMap<Address, string>;
  /** On this machine: the only place where the burner wallet is offered. */
  local: boolean;
}

const KNOWN_MINTS: readonly (readonly [string, string])[] = [
  ["EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v", "USDC"],
  ["So11111111111111111111111111111111111111112", "SOL"],
];

const RPC_KEY = "imo.rpc";

export async function loadCluster(): Promise<Cluster> {
  const chosen = chosenRpc();
  const response = await fetch("/cluster.json", { cache: "no-store" });
  const found = response.ok && (response.headers.get("content-type") ?? "").includes("json");
  if (!found && chosen === undefined) throw new Error("no cluster");
  return parseCluster(found ? await response.json() : {}, chosen);
}

/** The RPC that the visitor named instead of the host's. */
export function chosenRpc(): string | undefined {
  return localStorage.getItem(RPC_KEY) ?? undefined;
}

export function chooseRpc(url: string | undefined): void {
  if (url === undefined || url === "") localStorage.removeItem(RPC_KEY);
  else localStorage.setItem(RPC_KEY, url);
}

export function parseCluster(json: unknown, chosen?: string): Cluster {
  const from: Record<string, unknown> = typeof json === "object" && json !== null ? { ...json } : {};
  const text = (key: string): string | undefined => (typeof from[key] === "string" && from[key] !== "" ? from[key] : undefined);
  const rpc = chosen ?? text("rpc");
  if (rpc === undefined || !URL.canParse(rpc)) throw new Error("no rpc");
  const host = new URL(rpc).hostname;
  const mints = new Map<Address, string>();
  const listed = typeof from["mints"] === "object" && from["mints"] !== null ? Object.entries(from["mints"]) : [];
  for (const [mint, symbol] of [...KNOWN_MINTS, ...listed]) {
    if (isAddress(mint) && typeof symbol === "string") mints.set(mint, symbol);
  }
  return {
    name: text("name") ?? host,
    rpc,
    index: text("index"),
    faucet: text("faucet"),
    mints,
    local: host === "127.0.0.1" || host === "localhost" || host === "[::1]",
  };
}
