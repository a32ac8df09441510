// What became of operators' reports: all of them where there is an indexer, else those whose accounts are not closed.

import type { Address } from "@solana/kit";
import { ReportStatus } from "@imo/client/opml-oracle";
import type { Chain } from "../chain/chain.ts";
import { REPORT } from "../chain/kinds.ts";
import { indexed, type IndexedOperator } from "./indexer.ts";

export interface OperatorRecord {
  final: number;
  rejected: number;
}

export interface Records {
  of: ReadonlyMap<Address, OperatorRecord>;
  /** Whether these are all reports there ever were. */
  complete: boolean;
}

export async function readRecords(chain: Chain): Promise<Records> {
  const operators = await indexed<IndexedOperator>(chain, "operators");
  if (operators !== undefined) {
    return { of: new Map(operators.map(({ operator, reports: { final, rejected } }) => [operator, { final, rejected }])), complete: true };
  }
  const of = new Map<Address, OperatorRecord>();
  for (const { data } of await chain.all(REPORT)) {
    const record = of.get(data.operator) ?? { final: 0, rejected: 0 };
    of.set(data.operator, record);
    if (data.status === ReportStatus.Final) record.final += 1;
    if (data.status === ReportStatus.Rejected) record.rejected += 1;
  }
  return { of, complete: false };
}
