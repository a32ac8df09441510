// Stake of an operator: in, announced to leave, out.

import { type Address, createNoopSigner, type Instruction } from "@solana/kit";
import { findPaymentAccount } from "@imo/client";
import {
  findStakeTokensPda,
  findStakeVaultPda,
  getRequestUnbondInstructionAsync,
  getStakeBondInstruction,
  getWithdrawBondInstruction,
  type Operator,
} from "@imo/client/opml-oracle";
import type { Chain } from "../chain/chain.ts";
import { makePaymentAccount, readyToPay } from "./tokens.ts";

export async function addStake(chain: Chain, address: Address, operator: Operator, depositor: Address, units: bigint): Promise<Instruction[]> {
  const { mint } = operator;
  return [
    ...(await readyToPay(chain, depositor, mint, units)),
    getStakeBondInstruction({
      depositor: createNoopSigner(depositor),
      depositorTokens: await findPaymentAccount(depositor, mint),
      operator: address,
      stakeVault: (await findStakeVaultPda({ mint }))[0],
      stakeTokens: (await findStakeTokensPda({ mint }))[0],
      mint,
      amountUnits: units,
    }),
  ];
}

export async function announceUnbonding(address: Address, operator: Operator, units: bigint): Promise<Instruction[]> {
  return [await getRequestUnbondInstructionAsync({ authority: createNoopSigner(operator.authority), operator: address, amountUnits: units })];
}

export async function withdrawStake(address: Address, operator: Operator): Promise<Instruction[]> {
  const { mint, authority } = operator;
  return [
    await makePaymentAccount(authority, authority, mint),
    getWithdrawBondInstruction({
      authority: createNoopSigner(authority),
      operator: address,
      stakeVault: (await findStakeVaultPda({ mint }))[0],
      stakeTokens: (await findStakeTokensPda({ mint }))[0],
      recipient: await findPaymentAccount(authority, mint),
      mint,
    }),
  ];
}
