// Everything about one model.

import type { Address } from "@solana/kit";
import {
  findCommitmentPda,
  findMetadataUpdatePda,
  findModelVersionPda,
  findOfferingPda,
  type Commitment,
  type MetadataUpdate,
  type Model,
  type ModelVersion,
  type Offering,
} from "@imo/client/model-token";
import { findVaultPda, type ModelVault } from "@imo/client/revenue-escrow";
import { findPoolPda, findPositionPda, findVestingPda, findEpochMarkPda, type Pool, type Position, type Vesting } from "@imo/client/yield-distributor";
import { findTokenAccount } from "@imo/client";
import { type Chain, type Mint, tokenAccount } from "../chain/chain.ts";
import { Failed } from "../chain/failure.ts";
import { COMMITMENT, EPOCH_MARK, METADATA_UPDATE, MODEL, MODEL_VAULT, OFFERING, POOL, POSITION, VERSION, VESTING } from "../chain/kinds.ts";
import { redemptionUnits, settle, vestingYield } from "../maths/yield.ts";

export interface ModelView {
  address: Address;
  model: Model;
  /** A card that is announced and not in force. */
  update: MetadataUpdate | undefined;
  versions: { number: number; address: Address; version: ModelVersion }[];
  live: ModelVersion | undefined;
  offeringAddress: Address;
  offering: Offering | undefined;
  poolAddress: Address;
  pool: Pool | undefined;
  vaultAddress: Address;
  vault: ModelVault | undefined;
  payment: Mint;
  token: Mint | undefined;
}

export async function readModel(chain: Chain, address: Address): Promise<ModelView> {
  const model = await chain.one(MODEL, address);
  if (model === undefined) throw new Failed({ kind: "missing", what: address });
  const [[offeringAddress], [poolAddress], [vaultAddress], [updateAddress]] = await Promise.all([
    findOfferingPda({ model: address }),
    findPoolPda({ model: address }),
    findVaultPda({ model: address }),
    findMetadataUpdatePda({ model: address }),
  ]);
  const numbers = Array.from({ length: model.versionCount }, (_, index) => index + 1);
  const versionAddresses = await Promise.all(numbers.map(async (number) => (await findModelVersionPda({ model: address, number }))[0]));
  const [offering, pool, vault, update, versions] = await Promise.all([
    chain.one(OFFERING, offeringAddress),
    chain.one(POOL, poolAddress),
    chain.one(MODEL_VAULT, vaultAddress),
    chain.one(METADATA_UPDATE, updateAddress),
    chain.many(VERSION, versionAddresses),
  ]);
  const mints = await chain.mints(offering === undefined ? [model.paymentMint] : [model.paymentMint, offering.mint]);
  const payment = mints.get(model.paymentMint);
  if (payment === undefined) throw new Failed({ kind: "missing", what: model.paymentMint });
  const found = versions.flatMap((version, index) => {
    const [number, at] = [numbers[index], versionAddresses[index]];
    return version === undefined || number === undefined || at === undefined ? [] : [{ number, address: at, version }];
  });
  return {
    address,
    model,
    update,
    versions: found,
    live: found.find(({ number }) => number === model.liveVersion)?.version,
    offeringAddress,
    offering,
    poolAddress,
    pool,
    vaultAddress,
    vault,
    payment,
    token: offering === undefined ? undefined : mints.get(offering.mint),
  };
}

/** What one wallet has of a model. */
export interface Holding {
  view: ModelView;
  owner: Address;
  commitment: Commitment | undefined;
  position: Position | undefined;
  vesting: Vesting | undefined;
  freeUnits: bigint;
  activeUnits: bigint;
  pendingUnits: bigint;
  activeFromSlot: bigint | undefined;
  /** Of the stake, in units of revenue. */
  claimableUnits: bigint;
  /** Of what vests. */
  vestingClaimableUnits: bigint;
  /** What burning all free and staked tokens would pay. */
  redeemableUnits: bigint;
}

export async function readHolding(chain: Chain, view: ModelView, owner: Address): Promise<Holding> {
  const [[commitmentAddress], [positionAddress], [vestingAddress], tokens] = await Promise.all([
    findCommitmentPda({ offering: view.offeringAddress, investor: owner }),
    findPositionPda({ pool: view.poolAddress, owner }),
    findVestingPda({ pool: view.poolAddress, owner }),
    view.offering === undefined ? undefined : findTokenAccount(owner, view.offering.mint),
  ]);
  const [commitment, position, vesting, [token], now] = await Promise.all([
    chain.one(COMMITMENT, commitmentAddress),
    chain.one(POSITION, positionAddress),
    chain.one(VESTING, vestingAddress),
    tokens === undefined ? [] : chain.raw([tokens]),
    chain.now(),
  ]);
  const { pool } = view;
  const freeUnits = token === undefined || tokens === undefined ? 0n : (tokenAccount(tokens, token)?.units ?? 0n);
  const held: Holding = {
    view,
    owner,
    commitment,
    position,
    vesting,
    freeUnits,
    activeUnits: 0n,
    pendingUnits: 0n,
    activeFromSlot: undefined,
    claimableUnits: 0n,
    vestingClaimableUnits: pool === undefined || vesting === undefined ? 0n : vestingYield(vesting, pool),
    redeemableUnits: 0n,
  };
  if (pool !== undefined && position !== undefined) {
    const mark =
      position.pendingUnits === 0n
        ? undefined
        : await chain.one(EPOCH_MARK, (await findEpochMarkPda({ pool: view.poolAddress, epoch: position.pendingEpoch }))[0]);
    Object.assign(held, settle(position, pool, mark, now.slot));
  }
  if (pool !== undefined && view.token !== undefined) {
    held.redeemableUnits = redemptionUnits(pool.redeemUnits, freeUnits + held.activeUnits + held.pendingUnits, view.token.supplyUnits) ?? 0n;
  }
  return held;
}
