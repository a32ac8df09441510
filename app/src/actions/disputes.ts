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
export async function payChallenger({ address, data: { mint, challenger, rentPayer } }: Found<Dispute>, caller: Address): Promise<Instruction[]> {
  return [
    await makePaymentAccount(caller, challenger, mint),
    getWithdrawPayoutInstruction({ caller: createNoopSigner(caller), dispute: address, rentPayer, ...(await stakeOf(mint)), recipient: await findPaymentAccount(challenger, mint), mint }),
  ];
}

export function timeOutDemand({ address, data: { report, operator } }: Found<Inquiry>): Instruction[] {
  return [getTimeOutDemandInstruction({ inquiry: address, report, operator })];
}

export async function settleInquiry({ address, data: { report, operator, mint } }: Found<Inquiry>): Promise<Instruction[]> {
  return [getSettleInquiryInstruction({ inquiry: address, report, operator, stakeVault: (await findStakeVaultPda({ mint }))[0] })];
}

/** Pays whoever demanded what the settlement gave it, and closes the inquiry. */
export async function payDemander({ address, data: { mint, demander } }: Found<Inquiry>, caller: Address): Promise<Instruction[]> {
  return [
    await makePaymentAccount(caller, demander, mint),
    getWithdrawInquiryInstruction({ caller: createNoopSigner(caller), inquiry: address, demander, ...(await stakeOf(mint)), recipient: await findPaymentAccount(demander, mint), mint }),
  ];
}

async function stakeOf(mint: Address): Promise<{ stakeVault: Address; stakeTokens: Address }> {
  return { stakeVault: (await findStakeVaultPda({ mint }))[0], stakeTokens: (await findStakeTokensPda({ mint }))[0] };
}
