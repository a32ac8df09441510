// What follows a successful offering: tranches that are drawn or missed, the rest that floors left, and the developer's tokens.

import { type Address, createNoopSigner, type Instruction } from "@solana/kit";
import { findPaymentAccount, findTokenAccount } from "@imo/client";
import { findPaymentVaultPda, findTokenVaultPda, getWithdrawTrancheInstructionAsync, MODEL_TOKEN_PROGRAM_ADDRESS, type Offering } from "@imo/client/model-token";
import { findReleaserPda, findVestingPda, getClaimVestingInstructionAsync, getMissTrancheInstructionAsync, getReleaseDeveloperInstruction, getSweepDustInstructionAsync } from "@imo/client/yield-distributor";
import type { ModelView } from "../views/model.ts";
import { makePaymentAccount, makeTokenAccount } from "./tokens.ts";

export async function drawTranche(view: ModelView, index: number): Promise<Instruction[]> {
  const { developer, paymentMint } = view.model;
  return [
    await makePaymentAccount(developer, developer, paymentMint),
    await getWithdrawTrancheInstructionAsync({
      developer: createNoopSigner(developer),
      model: view.address,
      paymentMint,
      developerPayment: await findPaymentAccount(developer, paymentMint),
      index,
    }),
  ];
}

/** Vaults and mints of an offering that the distributor passes on. */
async function vaults(view: ModelView, offering: Offering): Promise<{ pool: Address; offering: Address; revenueMint: Address; paymentVault: Address; tokenMint: Address; tokenVault: Address }> {
  return {
    pool: view.poolAddress,
    offering: view.offeringAddress,
    revenueMint: view.model.paymentMint,
    paymentVault: (await findPaymentVaultPda({ offering: view.offeringAddress }))[0],
    tokenMint: offering.mint,
    tokenVault: (await findTokenVaultPda({ offering: view.offeringAddress }))[0],
  };
}

async function developerVesting(view: ModelView): Promise<Address> {
  return (await findVestingPda({ pool: view.poolAddress, owner: view.address }))[0];
}

/** A tranche whose revenue did not come in time: into the redeem pool, and the developer's tokens burned. Anyone may. */
export async function missTranche(view: ModelView, offering: Offering, index: number): Promise<Instruction[]> {
  const left = offering.developerUnits - offering.developerReleasedUnits - offering.developerBurnedUnits;
  return [
    await getMissTrancheInstructionAsync({
      ...(await vaults(view, offering)),
      modelVault: view.vaultAddress,
      ...(left > 0n ? { vesting: await developerVesting(view) } : {}),
      index,
    }),
  ];
}

/** What floors left, once every commitment is claimed: tokens burned, money to the redeem pool. Anyone may, once. */
export async function sweepDust(view: ModelView, offering: Offering): Promise<Instruction[]> {
  return [await getSweepDustInstructionAsync(await vaults(view, offering))];
}

/** What is free of the developer's tokens, to the developer. Anyone may. */
export async function releaseDeveloper(view: ModelView, offering: Offering, payer: Address): Promise<Instruction[]> {
  const { developer } = view.model;
  const { pool, tokenMint, tokenVault } = await vaults(view, offering);
  return [
    await makeTokenAccount(payer, developer, offering.mint),
    getReleaseDeveloperInstruction({
      pool,
      vesting: await developerVesting(view),
      offering: view.offeringAddress,
      model: view.address,
      developer,
      tokenMint,
      tokenVault,
      developerTokens: await findTokenAccount(developer, offering.mint),
      releaser: (await findReleaserPda())[0],
      modelToken: MODEL_TOKEN_PROGRAM_ADDRESS,
    }),
  ];
}

/** The yield of the developer's vesting tokens, to the developer. Anyone may. */
export async function claimDeveloperYield(view: ModelView, payer: Address): Promise<Instruction[]> {
  const { developer, paymentMint } = view.model;
  return [
    await makePaymentAccount(payer, developer, paymentMint),
    await getClaimVestingInstructionAsync({
      pool: view.poolAddress,
      model: view.address,
      vesting: await developerVesting(view),
      beneficiary: developer,
      revenueMint: paymentMint,
      beneficiaryRevenue: await findPaymentAccount(developer, paymentMint),
    }),
  ];
}
