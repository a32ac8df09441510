// What investors and holders do. Each function gives the instructions that belong into one transaction.

import { type Address, createNoopSigner, type Instruction } from "@solana/kit";
import { findPaymentAccount, findTokenAccount } from "@imo/client";
import {
  getClaimCommitmentInstruction,
  getCommitInstructionAsync,
  getSettleOfferingInstructionAsync,
  getWithdrawCommitmentInstructionAsync,
  findCommitmentPda,
  findPaymentVaultPda,
  findProtocolPda,
  findTokenVaultPda,
  MODEL_TOKEN_PROGRAM_ADDRESS,
  OfferingStatus,
  type Allowance,
  type Commitment,
} from "@imo/client/model-token";
import { findVaultPda, findVaultTokensPda, getOpenVaultInstructionAsync, getWithdrawEarningsInstruction } from "@imo/client/revenue-escrow";
import {
  findEpochMarkPda,
  findPositionPda,
  findReleaserPda,
  findRevenueVaultPda,
  findStakeVaultPda,
  findVestingPda,
  getClaimInstructionAsync,
  getClaimVestingInstructionAsync,
  getCloseEpochMarkInstruction,
  getClosePositionInstruction,
  getCloseVestingInstruction,
  getCreatePoolInstruction,
  getOpenVestingInstruction,
  getRedeemInstructionAsync,
  getReleaseVestedInstruction,
  getStakeInstructionAsync,
  getUnstakeInstructionAsync,
  type Pool,
  type Position,
} from "@imo/client/yield-distributor";
import type { Chain } from "../chain/chain.ts";
import { activationEpoch } from "../maths/yield.ts";
import type { Empties } from "../views/empties.ts";
import type { Holding, ModelView } from "../views/model.ts";
import type { Owed } from "../views/portfolio.ts";
import { dueMarks } from "./marks.ts";
import { makePaymentAccount, makeTokenAccount, readyToPay } from "./tokens.ts";

export async function commit(chain: Chain, view: ModelView, investor: Address, units: bigint, allowance: Allowance | null): Promise<Instruction[]> {
  const signer = createNoopSigner(investor);
  const paymentMint = view.model.paymentMint;
  return [
    ...(await readyToPay(chain, investor, paymentMint, units)),
    await getCommitInstructionAsync({
      investor: signer,
      payer: signer,
      offering: view.offeringAddress,
      paymentMint,
      investorPayment: await findPaymentAccount(investor, paymentMint),
      amountUnits: units,
      allowance,
    }),
  ];
}

export async function withdraw(view: ModelView, commitment: Commitment, units: bigint): Promise<Instruction[]> {
  const { investor, rentPayer } = commitment;
  const paymentMint = view.model.paymentMint;
  return [
    await makePaymentAccount(investor, investor, paymentMint),
    await getWithdrawCommitmentInstructionAsync({
      investor: createNoopSigner(investor),
      rentPayer,
      offering: view.offeringAddress,
      paymentMint,
      investorPayment: await findPaymentAccount(investor, paymentMint),
      amountUnits: units,
    }),
  ];
}

/** Settles and, when the offering succeeds by it, makes the pool and the vault in which its revenue is shared. */
export async function settleOffering(view: ModelView, payer: Address): Promise<Instruction[]> {
  const { offering } = view;
  const signer = createNoopSigner(payer);
  const settled = await getSettleOfferingInstructionAsync({ payer: signer, model: view.address });
  if (offering === undefined || offering.committedUnits < offering.minRaiseUnits) return [settled];
  return [settled, ...(await createPool(view, payer))];
}

export async function createPool(view: ModelView, payer: Address): Promise<Instruction[]> {
  const { offering } = view;
  if (offering === undefined) return [];
  const signer = createNoopSigner(payer);
  const [developerVesting] = await findVestingPda({ pool: view.poolAddress, owner: view.address });
  const pool = getCreatePoolInstruction({
    payer: signer,
    protocol: (await findProtocolPda())[0],
    model: view.address,
    offering: view.offeringAddress,
    tokenMint: offering.mint,
    revenueMint: view.model.paymentMint,
    pool: view.poolAddress,
    stakeVault: (await findStakeVaultPda({ pool: view.poolAddress }))[0],
    revenueVault: (await findRevenueVaultPda({ pool: view.poolAddress }))[0],
    ...(offering.developerUnits > 0n ? { developerVesting } : {}),
  });
  if (view.vault !== undefined) return [pool];
  return [pool, await getOpenVaultInstructionAsync({ rentPayer: signer, model: view.address, mint: view.model.paymentMint })];
}

/** Pays the tokens and the excess of a commitment, to whoever made it. */
export async function claimCommitment(view: ModelView, commitment: Commitment, payer: Address): Promise<Instruction[]> {
  const { offering } = view;
  if (offering === undefined) return [];
  const { investor, rentPayer } = commitment;
  const paymentMint = view.model.paymentMint;
  const succeeded = offering.status === OfferingStatus.Succeeded;
  // Where an offering failed there are no tokens, and none of their accounts is given.
  const tokens = succeeded
    ? {
        mint: offering.mint,
        tokenVault: (await findTokenVaultPda({ offering: view.offeringAddress }))[0],
        investorTokens: await findTokenAccount(investor, offering.mint),
      }
    : {};
  const claim = getClaimCommitmentInstruction({
    investor,
    rentPayer,
    offering: view.offeringAddress,
    commitment: (await findCommitmentPda({ offering: view.offeringAddress, investor }))[0],
    paymentMint,
    paymentVault: (await findPaymentVaultPda({ offering: view.offeringAddress }))[0],
    investorPayment: await findPaymentAccount(investor, paymentMint),
    ...tokens,
  });
  const accounts = [await makePaymentAccount(payer, investor, paymentMint)];
  if (succeeded) accounts.push(await makeTokenAccount(payer, investor, offering.mint));
  const vests = succeeded && offering.buyerVesting.immediateBps < 10_000 && view.pool !== undefined;
  return [...accounts, claim, ...(vests ? [await openVesting(view, investor, payer)] : [])];
}

export async function openVesting(view: ModelView, investor: Address, payer: Address): Promise<Instruction> {
  return getOpenVestingInstruction({
    payer: createNoopSigner(payer),
    pool: view.poolAddress,
    offering: view.offeringAddress,
    commitment: (await findCommitmentPda({ offering: view.offeringAddress, investor }))[0],
    vesting: (await findVestingPda({ pool: view.poolAddress, owner: investor }))[0],
  });
}

export async function releaseVested(view: ModelView, commitment: Commitment, payer: Address): Promise<Instruction[]> {
  const { offering } = view;
  if (offering === undefined) return [];
  const { investor, rentPayer } = commitment;
  return [
    await makeTokenAccount(payer, investor, offering.mint),
    getReleaseVestedInstruction({
      pool: view.poolAddress,
      vesting: (await findVestingPda({ pool: view.poolAddress, owner: investor }))[0],
      offering: view.offeringAddress,
      commitment: (await findCommitmentPda({ offering: view.offeringAddress, investor }))[0],
      investor,
      rentPayer,
      tokenMint: offering.mint,
      tokenVault: (await findTokenVaultPda({ offering: view.offeringAddress }))[0],
      investorTokens: await findTokenAccount(investor, offering.mint),
      releaser: (await findReleaserPda())[0],
      modelToken: MODEL_TOKEN_PROGRAM_ADDRESS,
    }),
  ];
}

async function positionMark(poolAddress: Address, position: Position | undefined): Promise<Address | undefined> {
  if (position === undefined || position.pendingUnits === 0n) return undefined;
  return (await findEpochMarkPda({ pool: poolAddress, epoch: position.pendingEpoch }))[0];
}

/** Leaves an optional account out of the input where it is not given. */
function given<K extends string>(key: K, value: Address | undefined): Partial<Record<K, Address>> {
  return value === undefined ? {} : ({ [key]: value } as Record<K, Address>);
}

export async function stake(chain: Chain, holding: Holding, pool: Pool, units: bigint): Promise<Instruction[]> {
  const { view, owner, position } = holding;
  const signer = createNoopSigner(owner);
  const { slot } = await chain.now();
  const epoch = activationEpoch(slot, pool.epochSlots);
  const [mark] = await findEpochMarkPda({ pool: view.poolAddress, epoch });
  const due = await dueMarks(view.poolAddress, pool, slot);
  const waiting = await positionMark(view.poolAddress, position);
  // Each account once.
  const own = [mark, due.markA, due.markB].includes(waiting) ? undefined : waiting;
  return [
    await getStakeInstructionAsync({
      owner: signer,
      payer: signer,
      pool: view.poolAddress,
      mark,
      ...due,
      ...given("positionMark", own),
      tokenMint: pool.tokenMint,
      ownerTokens: await findTokenAccount(owner, pool.tokenMint),
      amountUnits: units,
      activationEpoch: epoch,
    }),
  ];
}

export async function unstake(holding: Holding, pool: Pool, units: bigint): Promise<Instruction[]> {
  const { view, owner, position } = holding;
  return [
    await makeTokenAccount(owner, owner, pool.tokenMint),
    await getUnstakeInstructionAsync({
      owner: createNoopSigner(owner),
      pool: view.poolAddress,
      ...given("positionMark", await positionMark(view.poolAddress, position)),
      tokenMint: pool.tokenMint,
      ownerTokens: await findTokenAccount(owner, pool.tokenMint),
      amountUnits: units,
    }),
  ];
}

/** Yield of the stake and of what vests, to the owner's own account. */
export async function claimYield(holding: Holding, pool: Pool, payer: Address): Promise<Instruction[]> {
  const { view, owner, position } = holding;
  const instructions: Instruction[] = [];
  const ownerRevenue = await findPaymentAccount(owner, pool.revenueMint);
  if (position !== undefined && holding.claimableUnits > 0n) {
    instructions.push(
      await getClaimInstructionAsync({
        payer: createNoopSigner(payer),
        owner,
        pool: view.poolAddress,
        position: (await findPositionPda({ pool: view.poolAddress, owner }))[0],
        ...given("positionMark", await positionMark(view.poolAddress, position)),
        revenueMint: pool.revenueMint,
        ownerRevenue,
      }),
    );
  }
  if (holding.vestingClaimableUnits > 0n) {
    instructions.push(
      await makePaymentAccount(payer, owner, pool.revenueMint),
      await getClaimVestingInstructionAsync({
        pool: view.poolAddress,
        model: view.address,
        vesting: (await findVestingPda({ pool: view.poolAddress, owner }))[0],
        beneficiary: owner,
        revenueMint: pool.revenueMint,
        beneficiaryRevenue: ownerRevenue,
      }),
    );
  }
  return instructions;
}

export async function redeem(holding: Holding, pool: Pool, units: bigint): Promise<Instruction[]> {
  const { view, owner } = holding;
  const signer = createNoopSigner(owner);
  return [
    await getRedeemInstructionAsync({
      owner: signer,
      payer: signer,
      pool: view.poolAddress,
      tokenMint: pool.tokenMint,
      ownerTokens: await findTokenAccount(owner, pool.tokenMint),
      revenueMint: pool.revenueMint,
      ownerRevenue: await findPaymentAccount(owner, pool.revenueMint),
      amountUnits: units,
    }),
  ];
}

/** Closes accounts in which nothing is left; their rent goes back to who paid it. Anyone may. */
export function closeEmpties({ positions, vestings, marks }: Empties): Instruction[] {
  return [
    ...positions.map(({ address, data }) => getClosePositionInstruction({ position: address, rentPayer: data.rentPayer })),
    ...vestings.map(({ address, data }) => getCloseVestingInstruction({ vesting: address, rentPayer: data.rentPayer })),
    ...marks.map(({ address, data }) => getCloseEpochMarkInstruction({ pool: data.pool, mark: address, rentPayer: data.rentPayer })),
  ];
}

/** What a vault owes as developer, operator or treasury, to the recipient's own account. */
export async function withdrawEarnings(owed: Owed, caller: Address): Promise<Instruction[]> {
  const { model, mint } = owed.vault;
  const { recipient } = owed.earnings;
  return [
    await makePaymentAccount(caller, recipient, mint),
    getWithdrawEarningsInstruction({
      caller: createNoopSigner(caller),
      vault: (await findVaultPda({ model }))[0],
      earnings: owed.address,
      mint,
      destination: await findPaymentAccount(recipient, mint),
      vaultTokens: (await findVaultTokensPda({ model }))[0],
    }),
  ];
}
