// Reports and disputes: what operators claim, and what was made of it.

import type { Address } from "@solana/kit";
import type { Model, ModelVersion } from "@imo/client/model-token";
import { Phase, ReportStatus, type Dispute, type Inquiry, type Operator, type Report, type Trace } from "@imo/client/opml-oracle";
import { findBucketPda, type Bucket, type Collection } from "@imo/client/revenue-escrow";
import type { Chain, Found } from "../chain/chain.ts";
import { Failed } from "../chain/failure.ts";
import { BUCKET, COLLECTION, DISPUTE, FIRST_KEY, INQUIRY, MODEL, OPERATOR, REPORT, SECOND_KEY, TRACE, VERSION } from "../chain/kinds.ts";
import { isPast, type Now } from "../maths/deadline.ts";

export interface ReportRow {
  address: Address;
  report: Report;
  bucket: Bucket | undefined;
  model: Model | undefined;
  decimals: number;
}

/** Reports of everybody, of an operator or on a model; the newest first. */
export async function readReports(chain: Chain, of: { operator?: Address; model?: Address } = {}): Promise<ReportRow[]> {
  const filters = [
    ...(of.operator === undefined ? [] : [{ offset: FIRST_KEY, key: of.operator }]),
    ...(of.model === undefined ? [] : [{ offset: SECOND_KEY, key: of.model }]),
  ];
  const found = await chain.all(REPORT, ...filters);
  return reportRows(chain, found);
}

async function reportRows(chain: Chain, found: readonly Found<Report>[]): Promise<ReportRow[]> {
  const buckets = await Promise.all(found.map(async ({ address }) => (await findBucketPda({ report: address }))[0]));
  const models = [...new Set(found.map(({ data }) => data.model))];
  const [bucketData, modelData, mints] = await Promise.all([
    chain.many(BUCKET, buckets),
    chain.many(MODEL, models),
    chain.mints(found.map(({ data }) => data.mint)),
  ]);
  const rows = found.map(
    ({ address, data }, index): ReportRow => ({
      address,
      report: data,
      bucket: bucketData[index],
      model: modelData[models.indexOf(data.model)],
      decimals: mints.get(data.mint)?.decimals ?? 0,
    }),
  );
  return rows.sort((a, b) => Number(b.report.sealBy.openedSlot - a.report.sealBy.openedSlot));
}

export interface ReportView extends ReportRow {
  collections: Found<Collection>[];
  disputes: Found<Dispute>[];
  inquiries: Found<Inquiry>[];
  traces: Found<Trace>[];
  operator: Operator | undefined;
  version: ModelVersion | undefined;
}

/** Null when there is no such report, or none any more. */
export async function readReport(chain: Chain, address: Address): Promise<ReportView | null> {
  const report = await chain.one(REPORT, address);
  if (report === undefined) return null;
  const [[row], collections, disputes, inquiries, traces, operator, version] = await Promise.all([
    reportRows(chain, [{ address, data: report }]),
    chain.all(COLLECTION, { offset: FIRST_KEY, key: address }),
    chain.all(DISPUTE, { offset: FIRST_KEY, key: address }),
    chain.all(INQUIRY, { offset: FIRST_KEY, key: address }),
    chain.all(TRACE, { offset: FIRST_KEY, key: address }),
    chain.one(OPERATOR, report.operator),
    chain.one(VERSION, report.modelVersion),
  ]);
  if (row === undefined) throw new Failed({ kind: "missing", what: address });
  disputes.sort((a, b) => a.data.order - b.data.order);
  return { ...row, collections, disputes, inquiries, traces, operator, version };
}

export function hasEnded({ status }: Pick<Report, "status">): boolean {
  return status === ReportStatus.Final || status === ReportStatus.Rejected;
}

/** Whether the operator may still take answers back: nobody has begun to look for an error, and the report goes on. */
export function canRetract(report: Pick<Report, "status" | "disputesOpened" | "demandsMade">): boolean {
  return !hasEnded(report) && report.disputesOpened === 0 && report.demandsMade === 0;
}

/** What goes back to its payers: everything of a rejected report, what was taken back of a final one. */
export function refundable<C extends Pick<Collection, "amountUnits" | "retracted">>({ status }: Pick<Report, "status">, collections: readonly Found<C>[]): Found<C>[] {
  return collections.filter(({ data }) => data.amountUnits > 0n && (status === ReportStatus.Rejected || (status === ReportStatus.Final && data.retracted)));
}

/** Whether nothing of a report is needed any more, so that everything of it can be closed. */
export function canClear(
  report: Pick<Report, "status" | "disputesOpened" | "disputesSettled" | "openInquiries" | "openAudits">,
  bucket: Pick<Bucket, "settled" | "collectedUnits" | "retractedUnits" | "feeUnits"> | undefined,
  collections: readonly { data: Pick<Collection, "amountUnits" | "retracted"> }[],
): boolean {
  const over = hasEnded(report) && report.disputesOpened === report.disputesSettled && report.openInquiries === 0 && report.openAudits === 0;
  if (!over || bucket === undefined) return over;
  const empty = bucket.collectedUnits + bucket.retractedUnits + bucket.feeUnits === 0n;
  return empty && collections.every(({ data }) => data.amountUnits === 0n || (bucket.settled && !data.retracted));
}

export type ReportState = "open" | "toSeal" | "window" | "disputed" | "toFinalise" | "final" | "rejected";

/** How far a report is, and what anybody could do about it. */
export function reportState(report: Report, now: Now): ReportState {
  switch (report.status) {
    case ReportStatus.Open:
      return isPast(report.sealBy, now) ? "toSeal" : "open";
    case ReportStatus.Final:
      return "final";
    case ReportStatus.Rejected:
      return "rejected";
    case ReportStatus.Sealed: {
      const owes = report.disputesOpened > report.disputesSettled || report.demandsPending > 0;
      if (owes) return "disputed";
      return isPast(report.window, now) ? "toFinalise" : "window";
    }
  }
}

export async function readDisputes(chain: Chain): Promise<Found<Dispute>[]> {
  return chain.all(DISPUTE);
}

/** Whose turn it is; undefined when the dispute is over. */
export function turnOf(phase: Phase): "operator" | "challenger" | undefined {
  switch (phase) {
    case Phase.Pointed:
    case Phase.Demanded:
      return "operator";
    case Phase.Opened:
    case Phase.Traced:
    case Phase.Narrowed:
    case Phase.TileKnown:
      return "challenger";
    case Phase.Proven:
    case Phase.Lost:
      return undefined;
  }
}
