// Reading the chain. Everything is asked at "confirmed", decoded here once, and nothing is kept: caching is the queries' work.

import {
  type Address,
  type Base64EncodedBytes,
  createSolanaRpc,
  getBase58Decoder,
  getBase64Encoder,
  type GetProgramAccountsMemcmpFilter,
  type ReadonlyUint8Array,
  type Rpc,
  type SolanaRpcApi,
} from "@solana/kit";
import type { Now } from "../maths/deadline.ts";
import type { Cluster } from "./cluster.ts";
import type { Kind } from "./kinds.ts";

export interface Found<T> {
  address: Address;
  data: T;
}

export interface RawAccount {
  owner: Address;
  lamports: bigint;
  data: ReadonlyUint8Array;
}

export interface TokenAccount {
  address: Address;
  mint: Address;
  owner: Address;
  units: bigint;
}

export interface Mint {
  decimals: number;
  supplyUnits: bigint;
}

export const TOKEN_PROGRAM = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA" as Address;
export const TOKEN_2022_PROGRAM = "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb" as Address;
const CLOCK = "SysvarC1ock11111111111111111111111111111111" as Address;
const LAST_RESTART_SLOT = "SysvarLastRestartS1ot1111111111111111111111" as Address;
/** Most accounts that an RPC gives at a time. */
const BATCH = 100;

export class Chain {
  readonly cluster: Cluster;
  readonly rpc: Rpc<SolanaRpcApi>;

  constructor(cluster: Cluster) {
    this.cluster = cluster;
    this.rpc = createSolanaRpc(cluster.rpc);
  }

  /** Accounts in the order of the addresses, undefined where there is none. */
  async raw(addresses: readonly Address[]): Promise<(RawAccount | undefined)[]> {
    const parts: Promise<(RawAccount | undefined)[]>[] = [];
    for (let start = 0; start < addresses.length; start += BATCH) {
      parts.push(this.rawBatch(addresses.slice(start, start + BATCH)));
    }
    return (await Promise.all(parts)).flat();
  }

  private async rawBatch(addresses: readonly Address[]): Promise<(RawAccount | undefined)[]> {
    const { value } = await this.rpc.getMultipleAccounts(addresses, { encoding: "base64", commitment: "confirmed" }).send();
    return value.map((account) => (account === null ? undefined : { owner: account.owner, lamports: account.lamports, data: bytesOf(account.data[0]) }));
  }

  /** Accounts of one kind; undefined where there is none, or something else. */
  async many<T>(kind: Kind<T>, addresses: readonly Address[]): Promise<(T | undefined)[]> {
    return (await this.raw(addresses)).map((account) => (account === undefined ? undefined : decode(kind, account)));
  }

  async one<T>(kind: Kind<T>, address: Address): Promise<T | undefined> {
    return (await this.many(kind, [address]))[0];
  }

  /** All accounts of a kind, or those that name `key` at `offset`. */
  async all<T>(kind: Kind<T>, ...filters: readonly { offset: bigint; key: Address }[]): Promise<Found<T>[]> {
    const begins: GetProgramAccountsMemcmpFilter = {
      memcmp: { offset: 0n, bytes: getBase58Decoder().decode(kind.discriminator) as never, encoding: "base58" },
    };
    const names = filters.map(
      ({ offset, key }): GetProgramAccountsMemcmpFilter => ({ memcmp: { offset, bytes: key as string as never, encoding: "base58" } }),
    );
    const found = await this.rpc.getProgramAccounts(kind.program, { encoding: "base64", commitment: "confirmed", filters: [begins, ...names] }).send();
    const decoder = kind.decoder();
    return found.map(({ pubkey, account }) => ({ address: pubkey, data: decoder.decode(bytesOf(account.data[0])) }));
  }

  /** The time that programs see. */
  async now(): Promise<Now> {
    const [clock, restart] = await this.raw([CLOCK, LAST_RESTART_SLOT]);
    if (clock === undefined) throw new Error("The RPC has no clock.");
    return { slot: u64(clock.data, 0), unix: i64(clock.data, 32), lastRestartSlot: restart === undefined ? 0n : u64(restart.data, 0) };
  }

  async mints(addresses: readonly Address[]): Promise<Map<Address, Mint>> {
    const unique = [...new Set(addresses)];
    const found = await this.raw(unique);
    const mints = new Map<Address, Mint>();
    found.forEach((account, index) => {
      const address = unique[index];
      if (account !== undefined && address !== undefined && account.data.length >= 82) {
        mints.set(address, { supplyUnits: u64(account.data, 36), decimals: account.data[44] ?? 0 });
      }
    });
    return mints;
  }

  /** All token accounts of a wallet, of both token programs. */
  async tokensOf(owner: Address): Promise<TokenAccount[]> {
    const lists = await Promise.all(
      [TOKEN_PROGRAM, TOKEN_2022_PROGRAM].map((programId) =>
        this.rpc.getTokenAccountsByOwner(owner, { programId }, { encoding: "base64", commitment: "confirmed" }).send(),
      ),
    );
    return lists.flatMap(({ value }) =>
      value.flatMap(({ pubkey, account }) => {
        const token = tokenAccount(pubkey, { owner: account.owner, lamports: account.lamports, data: bytesOf(account.data[0]) });
        return token === undefined ? [] : [token];
      }),
    );
  }

  async lamports(owner: Address): Promise<bigint> {
    return (await this.rpc.getBalance(owner, { commitment: "confirmed" }).send()).value;
  }
}

export function decode<T>(kind: Kind<T>, account: RawAccount): T | undefined {
  const begins = kind.discriminator.every((byte, index) => account.data[index] === byte);
  return account.owner === kind.program && begins ? kind.decoder().decode(account.data) : undefined;
}

/** What a token account holds; undefined for any other account. */
export function tokenAccount(address: Address, account: RawAccount): TokenAccount | undefined {
  const isToken = account.owner === TOKEN_PROGRAM || account.owner === TOKEN_2022_PROGRAM;
  // Mints are shorter, or say with this byte that they are mints.
  const isAccount = account.data.length === 165 || (account.data.length > 165 && account.data[165] === 2);
  if (!isToken || !isAccount) return undefined;
  const key = (at: number): Address => getBase58Decoder().decode(account.data.slice(at, at + 32)) as Address;
  return { address, mint: key(0), owner: key(32), units: u64(account.data, 64) };
}

function bytesOf(base64: Base64EncodedBytes | string): ReadonlyUint8Array {
  return getBase64Encoder().encode(base64);
}

function view(data: ReadonlyUint8Array): DataView {
  return new DataView(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
}

function u64(data: ReadonlyUint8Array, at: number): bigint {
  return view(data).getBigUint64(at, true);
}

function i64(data: ReadonlyUint8Array, at: number): bigint {
  return view(data).getBigInt64(at, true);
}
