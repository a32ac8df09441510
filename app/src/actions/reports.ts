// What anyone may call about a report, so that nobody waits for its operator.

import { type Address, createNoopSigner, type Instruction } from "@solana/kit";
import { findModelVersionPda, findProtocolPda } from "@imo/client/model-token";
import { getFinaliseReportInstruction, getSealReportInstruction, type Report } from "@imo/client/opml-oracle";
import {
  findBucketPda,
  findEarningsPda,
  findVaultPda,
  findVaultTokensPda,
  getRefundInstruction,
  getSplitInstructionAsync,
  type Collection,
} from "@imo/client/revenue-escrow";
import { findEpochMarkPda, findPoolPda, findRevenueVaultPda } from "@imo/client/yield-distributor";
import type { Chain } from "../chain/chain.ts";
import { Failed } from "../chain/failure.ts";
import { MODEL, OPERATOR, POOL, PROTOCOL } from "../chain/kinds.ts";
import { epochAt } from "../maths/yield.ts";
import type { ReportView } from "../views/trust.ts";

export function sealReport(address: Address, report: Report, caller: Address): Instruction[] {
  return [getSealReportInstruction({ caller: createNoopSigner(caller), report: address, operator: report.operator })];
}

export function finaliseReport(address: Address, report: Report): Instruction[] {
  return [getFinaliseReportInstruction({ report: address, operator: report.operator })];
}

export async function refundCollection(report: Address, address: Address, collection: Collection): Promise<Instruction> {
  return getRefundInstruction({
    report,
    bucket: (await findBucketPda({ report }))[0],
    collection: address,
    credit: collection.credit,
    rentPayer: collection.rentPayer,
  });
}

/** Shares a final report's revenue out. */
export async function splitReport(chain: Chain, view: ReportView, payer: Address): Promise<Instruction[]> {
  const { report, address } = view;
  const [protocolAddress] = await findProtocolPda();
  const [poolAddress] = await findPoolPda({ model: report.model });
  const [protocol, operator, model, pool, now] = await Promise.all([
    chain.one(PROTOCOL, protocolAddress),
    chain.one(OPERATOR, report.operator),
    chain.one(MODEL, report.model),
    chain.one(POOL, poolAddress),
    chain.now(),
  ]);
  if (protocol === undefined || operator === undefined || model === undefined) throw new Failed({ kind: "missing", what: report.model });
  const [vault] = await findVaultPda({ model: report.model });
  const earnings = async (recipient: Address): Promise<Address> => (await findEarningsPda({ vault, recipient }))[0];
  const nowEpoch = pool === undefined ? 0n : epochAt(now.slot, pool.epochSlots);
  const due = (pool?.pending ?? []).filter(({ units, epoch }) => units > 0n && epoch <= nowEpoch);
  const [markA, markB] = await Promise.all(due.map(async ({ epoch }) => (await findEpochMarkPda({ pool: poolAddress, epoch }))[0]));
  return [
    await getSplitInstructionAsync({
      rentPayer: createNoopSigner(payer),
      report: address,
      operator: report.operator,
      model: report.model,
      modelVersion: (await findModelVersionPda({ model: report.model, number: report.versionNumber }))[0],
      bucket: (await findBucketPda({ report: address }))[0],
      vault,
      mint: report.mint,
      vaultTokens: (await findVaultTokensPda({ model: report.model }))[0],
      operatorEarnings: await earnings(operator.authority),
      developerEarnings: await earnings(model.developer),
      protocolEarnings: await earnings(protocol.treasury),
      revenueVault: (await findRevenueVaultPda({ pool: poolAddress }))[0],
      ...(markA === undefined ? {} : { markA }),
      ...(markB === undefined ? {} : { markB }),
    }),
  ];
}
