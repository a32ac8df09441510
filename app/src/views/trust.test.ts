import { describe, expect, test } from "vitest";
import { ReportStatus } from "@imo/client/opml-oracle";
import type { Address } from "@solana/kit";
import { canClear, canRetract, refundable } from "./trust.ts";

const ADDRESS = "11111111111111111111111111111112" as Address;
const collection = (amountUnits: bigint, retracted = false): { address: Address; data: { amountUnits: bigint; retracted: boolean } } => ({ address: ADDRESS, data: { amountUnits, retracted } });
const ended = { status: ReportStatus.Final, disputesOpened: 1, disputesSettled: 1, openInquiries: 0, openAudits: 0 };
const split = { settled: true, collectedUnits: 0n, retractedUnits: 0n, feeUnits: 0n };

describe("a report", () => {
  test("given a report, when somebody has begun to look for an error or it has ended, then nothing is taken back any more", () => {
    const open = { status: ReportStatus.Open, disputesOpened: 0, demandsMade: 0 };
    expect(canRetract(open)).toBe(true);
    expect(canRetract({ ...open, status: ReportStatus.Sealed })).toBe(true);
    expect(canRetract({ ...open, disputesOpened: 1 })).toBe(false);
    expect(canRetract({ ...open, demandsMade: 1 })).toBe(false);
    expect(canRetract({ ...open, status: ReportStatus.Final })).toBe(false);
  });

  test("given collections, when their report ends, then of a rejected one all goes back, of a final one what was taken back, and nothing twice", () => {
    const all = [collection(10n), collection(5n, true), collection(0n, true)];
    expect(refundable({ status: ReportStatus.Rejected }, all)).toEqual(all.slice(0, 2));
    expect(refundable({ status: ReportStatus.Final }, all)).toEqual(all.slice(1, 2));
    expect(refundable({ status: ReportStatus.Sealed }, all)).toEqual([]);
  });

  test("given a report that has ended, when anything of it is still needed, then it is not cleared away", () => {
    expect(canClear(ended, split, [collection(10n)])).toBe(true);
    expect(canClear(ended, undefined, [])).toBe(true);
    expect(canClear({ ...ended, status: ReportStatus.Sealed }, split, [])).toBe(false);
    expect(canClear({ ...ended, disputesSettled: 0 }, split, [])).toBe(false);
    expect(canClear({ ...ended, openInquiries: 1 }, split, [])).toBe(false);
    expect(canClear({ ...ended, openAudits: 1 }, undefined, [])).toBe(false);
    expect(canClear(ended, { ...split, settled: false, collectedUnits: 10n }, [collection(10n)])).toBe(false);
    expect(canClear(ended, { ...split, retractedUnits: 5n }, [collection(5n, true)])).toBe(false);
    expect(canClear(ended, { ...split, feeUnits: 1n }, [])).toBe(false);
  });
});
