// What anyone may call about disputes and demands for data, so that nobody who has left can hold up a report: the end of a side's time, the settlement, the payout.

import { type Address, createNoopSigner, type Instruction } from "@solana/kit";
import { findPaymentAccount } from "@imo/client";
import {
  type Dispute,
  findStakeTokensPda,
  findStakeVaultPda,
  getSettleDisputeInstruction,
  getSettleInquiryInstruction,
  getTimeoutInstruction,
  getTimeOutDemandInstruction,
  getWithdrawInquiryInstruction,
  getWithdrawPayoutInstruction,
  type Inquiry,
} from "@imo/client/opml-oracle";
import type { Found } from "../chain/chain.ts";
import { makePaymentAccount } from "./tokens.ts";

export function timeOutDispute({ address, data: { report, operator } }: Found<Dispute>): Instruction[] {
  return [getTimeoutInstruction({ dispute: address, report, operator })];
}

export async function settleDispute({ address, data: { report, operator, mint } }: Found<Dispute>): Promise<Instruction[]> {
  return [getSettleDisputeInstruction({ dispute: address, report, operator, stakeVault: (await findStakeVaultPda({ mint }))[0] })];
}

/** Pays the challenger what the settlement gave it, and closes the dispute. */
export async function payChallenger({ address, data: { mint, challenger, rentPayer, payoutUnits } }: Found<Dispute>, caller: Address): Promise<Instruction[]> {
  const to = await recipient(caller, challenger, mint, payoutUnits);
  return [...to.before, getWithdrawPayoutInstruction({ caller: createNoopSigner(caller), dispute: address, rentPayer, ...(await stakeOf(mint)), ...to.account, mint })];
}

export function timeOutDemand({ address, data: { report, operator } }: Found<Inquiry>): Instruction[] {
  return [getTimeOutDemandInstruction({ inquiry: address, report, operator })];
}

export async function settleInquiry({ address, data: { report, operator, mint } }: Found<Inquiry>): Promise<Instruction[]> {
  return [getSettleInquiryInstruction({ inquiry: address, report, operator, stakeVault: (await findStakeVaultPda({ mint }))[0] })];
}

/** Pays whoever demanded what the settlement gave it, and closes the inquiry. */
export async function payDemander({ address, data: { mint, demander, payoutUnits } }: Found<Inquiry>, caller: Address): Promise<Instruction[]> {
  const to = await recipient(caller, demander, mint, payoutUnits);
  return [...to.before, getWithdrawInquiryInstruction({ caller: createNoopSigner(caller), inquiry: address, demander, ...(await stakeOf(mint)), ...to.account, mint })];
}

/** The account that is paid. With nothing to pay none is needed, and nobody pays for one. */
async function recipient(caller: Address, owner: Address, mint: Address, units: bigint): Promise<{ before: Instruction[]; account: { recipient?: Address } }> {
  if (units === 0n) return { before: [], account: {} };
  return { before: [await makePaymentAccount(caller, owner, mint)], account: { recipient: await findPaymentAccount(owner, mint) } };
}

async function stakeOf(mint: Address): Promise<{ stakeVault: Address; stakeTokens: Address }> {
  return { stakeVault: (await findStakeVaultPda({ mint }))[0], stakeTokens: (await findStakeTokensPda({ mint }))[0] };
}
