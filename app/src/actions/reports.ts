// What anyone may call about a report, so that nobody waits for its operator.

import { type Address, createNoopSigner, type Instruction } from "@solana/kit";
import { findModelVersionPda, findProtocolPda } from "@imo/client/model-token";
import { getCloseReportInstruction, getCloseTraceInstruction, getFinaliseReportInstruction, getSealReportInstruction, type Report } from "@imo/client/opml-oracle";
import {
  findBucketPda,
  findEarningsPda,
  findVaultPda,
  findVaultTokensPda,
  getCloseBucketInstruction,
  getCloseCollectionInstruction,
  getRefundInstruction,
  getSplitInstructionAsync,
  type Collection,
} from "@imo/client/revenue-escrow";
import { findPoolPda, findRevenueVaultPda } from "@imo/client/yield-distributor";
import type { Chain } from "../chain/chain.ts";
import { Failed } from "../chain/failure.ts";
import { MODEL, OPERATOR, POOL, PROTOCOL } from "../chain/kinds.ts";
import type { ReportView } from "../views/trust.ts";
import { dueMarks } from "./marks.ts";

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

/** Closes everything of a report that has ended, in the order in which it goes: traces, collections, the bucket, the report. Each one's rent goes back to who paid it. */
export async function clearReport({ address, report, bucket, collections, traces }: ReportView): Promise<Instruction[][]> {
  const [bucketAddress] = await findBucketPda({ report: address });
  const parts: Instruction[][] = [
    ...traces.map((trace) => [getCloseTraceInstruction({ report: address, trace: trace.address, rentPayer: trace.data.rentPayer })]),
    ...collections.map(({ address: collection, data: { credit, rentPayer } }) => [getCloseCollectionInstruction({ report: address, bucket: bucketAddress, collection, credit, rentPayer })]),
  ];
  if (bucket !== undefined) parts.push([getCloseBucketInstruction({ report: address, bucket: bucketAddress, rentPayer: bucket.rentPayer })]);
  return [...parts, [getCloseReportInstruction({ report: address, rentPayer: report.rentPayer, bucket: bucketAddress })]];
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
      ...(await dueMarks(poolAddress, pool, now.slot)),
    }),
  ];
}
