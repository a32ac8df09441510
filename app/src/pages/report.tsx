// One report: what was claimed, who paid, how long it can be disputed, and what anyone can do now.

import { type Address, isAddress } from "@solana/kit";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { finaliseReport, refundCollection, sealReport, splitReport } from "../actions/reports.ts";
import { ReportStatus } from "@imo/client/opml-oracle";
import { useChain, useNow, useRead, useUnitOf, useWallet } from "../state.tsx";
import { t } from "../texts.ts";
import { dateTime, shortened } from "../ui/format.ts";
import { AddressText, Amount, Empty, Facts, Loaded, Note } from "../ui/parts.tsx";
import { SignatureLink, TransactButton } from "../ui/transaction.tsx";
import { eventText } from "../ui/events.ts";
import { historyOf } from "../views/history.ts";
import { readReport, reportState, type ReportView } from "../views/trust.ts";
import { given } from "./offering.tsx";
import { PhaseTag, ReportClock, ReportTag } from "./trust.tsx";

export function ReportPage({ address }: { address: string }): ReactNode {
  if (!isAddress(address)) return <Note mood="bad">{t.common.noAddress}</Note>;
  return <Read address={address} />;
}

function Read({ address }: { address: Address }): ReactNode {
  const report = useRead(["report", address], (chain) => readReport(chain, address));
  return (
    <>
      <div className="page-head">
        <h1>{t.trust.report}</h1>
        <p>
          <AddressText address={address} />
        </p>
      </div>
      <Loaded query={report}>{(view) => <Report view={view} />}</Loaded>
      <Past address={address} />
    </>
  );
}

function Report({ view }: { view: ReportView }): ReactNode {
  const unit = useUnitOf()(view.report.mint);
  const money = (units: bigint): ReactNode => <Amount units={units} decimals={view.decimals} unit={unit} />;
  const { report, bucket } = view;
  return (
    <>
      <p className="row">
        <ReportTag row={view} /> <ReportClock row={view} />
      </p>
      <Facts
        of={[
          [t.trust.model, <Link key="model" href={`/model/${report.model}`}>{view.model?.metadata.name ?? shortened(report.model)}</Link>],
          [t.trust.operator, <Link key="operator" href={`/operator/${report.operator}`}>{shortened(report.operator)}</Link>],
          [t.trust.period, `${dateTime(report.periodStartUnix)} – ${dateTime(report.periodEndUnix)}`],
          bucket === undefined ? undefined : [t.trust.answers, `${bucket.receiptCount}`],
          bucket === undefined ? undefined : [t.trust.collected, money(bucket.collectedUnits)],
          [t.trust.bond, money(report.bondUnits)],
          report.slashedUnits === 0n ? undefined : [t.trust.slashed, money(report.slashedUnits)],
        ]}
      />
      <Crank view={view} />
      <section>
        <h2>{t.trust.disputes}</h2>
        {view.disputes.length === 0 ? (
          <Empty>{t.trust.noDisputesHere}</Empty>
        ) : (
          <ul className="moves">
            {view.disputes.map(({ address, data }) => (
              <li key={address}>
                <Link href={`/trust/dispute/${address}`}>{t.trust.disputeBy(shortened(data.challenger), shortened(data.operator))}</Link>
                <PhaseTag phase={data.game.phase} />
              </li>
            ))}
          </ul>
        )}
      </section>
      <section>
        <h2>{t.trust.collections}</h2>
        {view.collections.length === 0 ? (
          <Empty>{t.trust.noCollections}</Empty>
        ) : (
          <ul className="moves">
            {view.collections.map(({ address, data }) => (
              <li key={address}>
                <span>{t.trust.collection(data.count, shortened(data.lane))}</span>
                {money(data.amountUnits)}
              </li>
            ))}
          </ul>
        )}
      </section>
    </>
  );
}

/** What is due and anybody may call. */
function Crank({ view }: { view: ReportView }): ReactNode {
  const now = useNow();
  const wallet = useWallet();
  const chain = useChain();
  if (now === undefined) return null;
  const { report, address } = view;
  const state = reportState(report, now);
  if (state === "toSeal") {
    return <TransactButton label={t.trust.seal} main={false} make={async () => ({ title: t.trust.seal, says: [t.trust.sealSays], transactions: [sealReport(address, report, given(wallet?.address))] })} />;
  }
  if (state === "toFinalise") {
    return <TransactButton label={t.trust.finalise} main={false} make={async () => ({ title: t.trust.finalise, says: [t.trust.finaliseSays], transactions: [finaliseReport(address, report)] })} />;
  }
  if (state === "final" && view.bucket !== undefined && !view.bucket.settled) {
    return (
      <TransactButton
        label={t.trust.split}
        main={false}
        make={async () => ({ title: t.trust.split, says: [t.trust.splitSays], transactions: [await splitReport(chain, view, given(wallet?.address))] })}
      />
    );
  }
  const refundable = report.status === ReportStatus.Rejected ? view.collections.filter(({ data }) => data.amountUnits > 0n) : [];
  if (refundable.length > 0) {
    return (
      <TransactButton
        label={t.trust.refund}
        main={false}
        make={async () => ({
          title: t.trust.refund,
          says: [t.trust.refundSays],
          transactions: await Promise.all(refundable.map(async ({ address: collection, data }) => [await refundCollection(address, collection, data)])),
        })}
      />
    );
  }
  return null;
}

function Past({ address }: { address: Address }): ReactNode {
  const past = useRead(["history", address], (chain) => historyOf(chain, address, 100), { every: 10_000 });
  return (
    <section>
      <h2>{t.trust.transactions}</h2>
      <Loaded query={past}>
        {({ told }) =>
          told.length === 0 ? (
            <Empty>{t.portfolio.noHistory}</Empty>
          ) : (
            <ul className="moves">
              {told.toReversed().map(({ signature, unix, events, failed }) => (
                <li key={signature}>
                  <span>
                    {failed ? t.trust.failedTransaction : [...new Set(events.map(({ name }) => eventText(name)))].join("; ")}
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
