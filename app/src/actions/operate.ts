// What an operator does without its daemon: registers, moves its stake, says where and with which keys it serves, takes answers back.

import { type Address, createNoopSigner, getAddressEncoder, type Instruction, type ReadonlyUint8Array } from "@solana/kit";
import { findPaymentAccount, sha256 } from "@imo/client";
import {
  findOperatorPda,
  findStakeTokensPda,
  findStakeVaultPda,
  getRegisterOperatorInstructionAsync,
  getRequestUnbondInstructionAsync,
  getStakeBondInstruction,
  getUpdateOperatorInstructionAsync,
  getWithdrawBondInstruction,
  type Operator,
} from "@imo/client/opml-oracle";
import { type Collection, findBucketPda, findVaultPda, findVaultTokensPda, getAnnounceRetractionInstruction } from "@imo/client/revenue-escrow";
import type { Chain, Found } from "../chain/chain.ts";
import type { ReportView } from "../views/trust.ts";
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

/** The account keeps the hash of the key that signs answers, not the key. */
export function keyHash(answerKey: Address): Uint8Array {
  return sha256(new Uint8Array(getAddressEncoder().encode(answerKey)));
}

export interface Serving {
  endpoint: string;
  backup: Address;
  endpointKeyHash: ReadonlyUint8Array;
}

export async function registerOperator(authority: Address, mint: Address, serving: Serving): Promise<{ address: Address; instructions: Instruction[] }> {
  const signer = createNoopSigner(authority);
  const [address] = await findOperatorPda({ authority, mint });
  const [stakeVault] = await findStakeVaultPda({ mint });
  return { address, instructions: [await getRegisterOperatorInstructionAsync({ payer: signer, authority: signer, stakeVault, operator: address, ...serving })] };
}

export async function updateOperator(address: Address, operator: Operator, serving: Serving): Promise<Instruction[]> {
  return [await getUpdateOperatorInstructionAsync({ authority: createNoopSigner(operator.authority), operator: address, ...serving })];
}

/** Takes a lane's answers back before anybody disputes them: the payer is refunded once the report has ended, the others get what they would have got as a fee. */
export async function retract(chain: Chain, { address, report }: ReportView, operator: Operator, collection: Found<Collection>, feeUnits: bigint): Promise<Instruction[]> {
  const { authority } = operator;
  return [
    ...(await readyToPay(chain, authority, report.mint, feeUnits)),
    getAnnounceRetractionInstruction({
      authority: createNoopSigner(authority),
      authorityTokens: await findPaymentAccount(authority, report.mint),
      operator: report.operator,
      report: address,
      modelVersion: report.modelVersion,
      bucket: (await findBucketPda({ report: address }))[0],
      collection: collection.address,
      vault: (await findVaultPda({ model: report.model }))[0],
      mint: report.mint,
      vaultTokens: (await findVaultTokensPda({ model: report.model }))[0],
    }),
  ];
}
