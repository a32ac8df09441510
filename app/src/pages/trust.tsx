// Every report with its state and every dispute: what operators claim, and what was made of it.

import { type Address, isAddress } from "@solana/kit";
import type { ReactNode } from "react";
import { Link, useSearch } from "wouter";
import { Phase } from "@imo/client/opml-oracle";
import { useNow, useRead, useUnitOf } from "../state.tsx";
import { t } from "../texts.ts";
import { dateTime, shortened } from "../ui/format.ts";
import { Amount, Cell, Countdown, Empty, Loaded, type Mood, Tag } from "../ui/parts.tsx";
import { SignatureLink } from "../ui/transaction.tsx";
import { verdictsOf } from "../views/history.ts";
import { readDisputes, readReports, type ReportRow, type ReportState, reportState, turnOf } from "../views/trust.ts";

export function Trust(): ReactNode {
  const search = new URLSearchParams(useSearch());
  const model = search.get("model") ?? "";
  const of = isAddress(model) ? { model } : {};
  return (
    <>
      <div className="page-head">
        <h1>{t.trust.title}</h1>
        <p className="quiet">{t.trust.intro}</p>
        {of.model === undefined ? null : (
          <p>
            {t.trust.onlyModel(shortened(of.model))} <Link href="/trust">{t.trust.all}</Link>
          </p>
        )}
      </div>
      <Reports of={of} />
      <Disputes />
      <Verdicts />
      <section>
        <h2>{t.verify.title}</h2>
        <p>{t.verify.intro}</p>
        <Link href="/verify" className="button">
          {t.verify.open}
        </Link>
      </section>
    </>
  );
}

const MOODS: Record<ReportState, Mood> = {
  open: "plain",
  toSeal: "waiting",
  window: "waiting",
  disputed: "bad",
  toFinalise: "waiting",
  final: "good",
  rejected: "bad",
};

export function ReportTag({ row }: { row: ReportRow }): ReactNode {
  const now = useNow();
  if (now === undefined) return <span>…</span>;
  const state = reportState(row.report, now);
  return <Tag mood={MOODS[state]}>{t.trust.states[state]}</Tag>;
}

/** What a report waits for, and how long still. */
export function ReportClock({ row }: { row: ReportRow }): ReactNode {
  const now = useNow();
  if (now === undefined) return null;
  switch (reportState(row.report, now)) {
    case "open":
      return (
        <>
          {t.trust.sealsIn} <Countdown deadline={row.report.sealBy} past={t.common.now} />
        </>
      );
    case "window":
    case "disputed":
      return (
        <>
          {t.trust.windowFor} <Countdown deadline={row.report.window} past={t.common.over} />
        </>
      );
    case "toSeal":
      return t.trust.anyoneSeals;
    case "toFinalise":
      return t.trust.anyoneFinalises;
    case "final":
    case "rejected":
      return t.trust.ended;
  }
}

function Reports({ of }: { of: { model?: Address } }): ReactNode {
  const reports = useRead(["reports", of.model], (chain) => readReports(chain, of));
  return (
    <section aria-labelledby="reports">
      <h2 id="reports">{t.trust.reports}</h2>
      <Loaded query={reports}>{(rows) => (rows.length === 0 ? <Empty>{t.trust.noReports}</Empty> : <ReportTable rows={rows} />)}</Loaded>
    </section>
  );
}

export function ReportTable({ rows }: { rows: readonly ReportRow[] }): ReactNode {
  const unitOf = useUnitOf();
  return (
    <div className="scroll">
      <table className="stack">
        <thead>
          <tr>
            <th scope="col">{t.trust.report}</th>
            <th scope="col">{t.trust.model}</th>
            <th scope="col">{t.trust.state}</th>
            <th scope="col">{t.trust.waits}</th>
            <th scope="col" className="num">
              {t.trust.answers}
            </th>
            <th scope="col" className="num">
              {t.trust.collected}
            </th>
            <th scope="col" className="num">
              {t.trust.bond}
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => {
            const unit = unitOf(row.report.mint);
            return (
              <tr key={row.address}>
                <th scope="row">
                  <Link href={`/trust/report/${row.address}`}>{t.trust.reportNumber(row.report.sequence, shortened(row.report.operator))}</Link>
                </th>
                <Cell label={t.trust.model}>
                  <Link href={`/model/${row.report.model}`}>{row.model?.metadata.name ?? shortened(row.report.model)}</Link>
                </Cell>
                <Cell label={t.trust.state}>
                  <ReportTag row={row} />
                </Cell>
                <Cell label={t.trust.waits}>
                  <ReportClock row={row} />
                </Cell>
                <Cell label={t.trust.answers} num>
                  {row.bucket === undefined ? "–" : `${row.bucket.receiptCount}`}
                </Cell>
                <Cell label={t.trust.collected} num>
                  {row.bucket === undefined ? "–" : <Amount units={row.bucket.collectedUnits} decimals={row.decimals} unit={unit} />}
                </Cell>
                <Cell label={t.trust.bond} num>
                  <Amount units={row.report.bondUnits} decimals={row.decimals} unit={unit} />
                </Cell>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

export function PhaseTag({ phase }: { phase: Phase }): ReactNode {
  const mood: Mood = phase === Phase.Proven ? "bad" : phase === Phase.Lost ? "good" : "waiting";
  return <Tag mood={mood}>{t.dispute.phases[phase]}</Tag>;
}

function Disputes(): ReactNode {
  const disputes = useRead(["disputes"], readDisputes);
  return (
    <section aria-labelledby="disputes">
      <h2 id="disputes">{t.trust.disputes}</h2>
      <Loaded query={disputes}>
        {(found) =>
          found.length === 0 ? (
            <Empty>{t.trust.noDisputes}</Empty>
          ) : (
            <ul className="moves">
              {found.map(({ address, data }) => {
                const turn = turnOf(data.game.phase);
                return (
                  <li key={address}>
                    <Link href={`/trust/dispute/${address}`}>{t.trust.disputeBy(shortened(data.challenger), shortened(data.operator))}</Link>
                    <span>
                      {turn === undefined ? null : (
                        <span className="quiet small">
                          {t.dispute.turn[turn]} <Countdown deadline={data.game.clocks.deadline} past={t.dispute.late} />{" "}
                        </span>
                      )}
                      <PhaseTag phase={data.game.phase} />
                    </span>
                  </li>
                );
              })}
            </ul>
          )
        }
      </Loaded>
    </section>
  );
}

/** How disputes ended, whose accounts may be closed. */
function Verdicts(): ReactNode {
  const read = useRead(["verdicts"], verdictsOf, { every: 10_000 });
  return (
    <section aria-labelledby="verdicts">
      <h2 id="verdicts">{t.trust.verdicts}</h2>
      <Loaded query={read}>
        {({ verdicts, more }) =>
          verdicts.length === 0 ? (
            <Empty>{more ? t.trust.noVerdictsLately : t.trust.noVerdicts}</Empty>
          ) : (
            <ul className="moves">
              {verdicts.map(({ key, signature, unix, dispute, how }) => (
                <li key={key}>
                  <span>
                    {dispute === undefined ? t.trust[how] : <Link href={`/trust/dispute/${dispute}`}>{t.trust[how]}</Link>}
                    <br />
                    <span className="quiet small">{unix === undefined ? "" : dateTime(unix)}</span>
                  </span>
                  <SignatureLink signature={signature} />
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </section>
  );
}
