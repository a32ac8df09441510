import { expect, test } from "vitest";
import type { Address } from "@solana/kit";
import { parseCluster } from "./cluster.ts";

test("given a host's file, when read, then cluster, mints by name, and whether it is on this machine", () => {
  const mint = "ByFbKGZyd5G5yqJWUpqW9kYeujdEsBRJ9aPowixYXK9X";
  const cluster = parseCluster({ name: "localnet", rpc: "http://127.0.0.1:8899", faucet: "http://127.0.0.1:8901/airdrop", mints: { [mint]: "PLAY" } });
  expect(cluster).toMatchObject({ name: "localnet", local: true, index: undefined });
  expect(cluster.mints.get(mint as Address)).toBe("PLAY");
  expect(cluster.mints.get("EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v" as Address)).toBe("USDC");
});

test("given another RPC, when the visitor names it, then it is used and is not local, so that no burner wallet is offered", () => {
  expect(parseCluster({ rpc: "http://127.0.0.1:8899" }, "https://rpc.example")).toMatchObject({ rpc: "https://rpc.example", name: "rpc.example", local: false });
});

test("given no RPC, or none that is an address, when read, then refused", () => {
  expect(() => parseCluster({})).toThrow();
  expect(() => parseCluster({ rpc: "not a url" })).toThrow();
});
