// One report: what was claimed, who paid, how long it can be disputed, and what anyone can do now.

import type { QueryObserverResult } from "@tanstack/react-query";
import { type Address, type Instruction, isAddress, unwrapOption } from "@solana/kit";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { payDemander, settleInquiry, timeOutDemand } from "../actions/disputes.ts";
import { retract } from "../actions/operate.ts";
import { clearReport, finaliseReport, refundCollection, sealReport, splitReport } from "../actions/reports.ts";
import { type Inquiry, ReportStatus } from "@imo/client/opml-oracle";
import type { Collection } from "@imo/client/revenue-escrow";
import type { Found } from "../chain/chain.ts";
import { Failed } from "../chain/failure.ts";
import { pack } from "../chain/transaction.ts";
import { isPast } from "../maths/deadline.ts";
import { retractionFee } from "../maths/split.ts";
import { useChain, useNow, useRead, useUnitOf, useWallet } from "../state.tsx";
import { t } from "../texts.ts";
import { dateTime, decimal, shortened } from "../ui/format.ts";
import { AddressText, Amount, Countdown, Empty, Facts, FailureText, Loaded, Note, Tag } from "../ui/parts.tsx";
import { SignatureLink, TransactButton } from "../ui/transaction.tsx";
import { eventText } from "../ui/events.ts";
import { type History, historyOf } from "../views/history.ts";
import { canClear, canRetract, hasEnded, readReport, refundable, reportState, type ReportView } from "../views/trust.ts";
import { given } from "./offering.tsx";
import { PhaseTag, ReportClock, ReportTag } from "./trust.tsx";

export function ReportPage({ address }: { address: string }): ReactNode {
  if (!isAddress(address)) return <Note mood="bad">{t.common.noAddress}</Note>;
  return <Read address={address} />;
}

function Read({ address }: { address: Address }): ReactNode {
  const report = useRead(["report", address], (chain) => readReport(chain, address));
  const past = useRead(["history", address], (chain) => historyOf(chain, address, 100), { every: 10_000 });
  return (
    <>
      <div className="page-head">
        <h1>{t.trust.report}</h1>
        <p>
          <AddressText address={address} />
        </p>
      </div>
      <Loaded query={report}>
        {(view) =>
          view !== null ? (
            <Report view={view} />
          ) : past.data?.told.length === 0 ? (
            <Note mood="bad" live>
              <FailureText thrown={new Failed({ kind: "missing", what: address })} />
            </Note>
          ) : (
            <Note mood="plain">{t.trust.closed}</Note>
          )
        }
      </Loaded>
      <Past past={past} />
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
        <ReportTag row={view} />
        {hasEnded(report) ? null : (
          <span>
            {t.trust.waitsFor} <ReportClock row={view} />
          </span>
        )}
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
      {view.inquiries.length === 0 ? null : <Inquiries view={view} />}
      <section>
        <h2>{t.trust.collections}</h2>
        {view.collections.length === 0 ? (
          <Empty>{t.trust.noCollections}</Empty>
        ) : (
          <ul className="moves">
            {view.collections.map((collection) => (
              <li key={collection.address} data-collection={collection.address}>
                <span>
                  {t.trust.collection(collection.data.count, shortened(collection.data.lane))} {collection.data.retracted ? <Tag mood="waiting">{t.trust.retracted}</Tag> : null}
                </span>
                <span className="row">
                  {money(collection.data.amountUnits)}
                  <Retract view={view} collection={collection} unit={unit} />
                </span>
              </li>
            ))}
          </ul>
        )}
      </section>
    </>
  );
}

/** For the operator alone, while nobody has begun to look for an error. */
function Retract({ view, collection, unit }: { view: ReportView; collection: Found<Collection>; unit: string }): ReactNode {
  const chain = useChain();
  const wallet = useWallet();
  const { operator, version, report, decimals } = view;
  if (operator === undefined || version === undefined || operator.authority !== wallet?.address || collection.data.retracted || !canRetract(report)) return null;
  const fee = retractionFee(collection.data.amountUnits, version.split);
  const text = (units: bigint): string => `${decimal(units, decimals)} ${unit}`;
  return (
    <TransactButton
      label={t.trust.retract}
      main={false}
      make={async () => ({
        title: t.trust.retract,
        says: [t.trust.retractSays(text(collection.data.amountUnits)), t.trust.retractFee(text(fee)), t.trust.retractStays],
        transactions: [await retract(chain, view, operator, collection, fee)],
      })}
    />
  );
}

/** Demands for data, and what anybody may call about them. */
function Inquiries({ view }: { view: ReportView }): ReactNode {
  return (
    <section>
      <h2>{t.trust.inquiries}</h2>
      <ul className="moves">
        {view.inquiries.map((inquiry) => (
          <li key={inquiry.address}>
            <span>{t.trust.inquiryBy(shortened(inquiry.data.demander), inquiry.data.game.demands)}</span>
            <InquiryState view={view} inquiry={inquiry} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function InquiryState({ view: { report }, inquiry }: { view: ReportView; inquiry: Found<Inquiry> }): ReactNode {
  const now = useNow();
  const wallet = useWallet();
  const { data } = inquiry;
  const pending = unwrapOption(data.game.pending);
  const order = unwrapOption(data.order);
  if (data.settled) {
    return <TransactButton label={t.trust.payOut} main={false} make={async () => ({ title: t.trust.payOut, says: [t.trust.payDemanderSays], transactions: [await payDemander(inquiry, given(wallet?.address))] })} />;
  }
  if (hasEnded(report)) {
    // Whoever was not answered is paid out of the bond, in its turn.
    const turn = order === null || order === report.disputesSettled;
    return (
      <TransactButton
        label={t.trust.settle}
        main={false}
        why={turn ? undefined : t.trust.notItsTurn}
        make={async () => ({ title: t.trust.settle, says: [t.trust.settleInquirySays], transactions: [await settleInquiry(inquiry)] })}
      />
    );
  }
  if (pending === null) return <span className="quiet">{t.trust.answered}</span>;
  if (now !== undefined && isPast(pending.deadline, now)) {
    return <TransactButton label={t.trust.timeOut} main={false} make={async () => ({ title: t.trust.timeOut, says: [t.trust.timeOutDemandSays], transactions: [timeOutDemand(inquiry)] })} />;
  }
  return (
    <span className="quiet">
      {t.dispute.turn.operator} <Countdown deadline={pending.deadline} past={t.dispute.late} />
    </span>
  );
}

/** What is due and anybody may call; sealing early is the operator's. */
function Crank({ view }: { view: ReportView }): ReactNode {
  const now = useNow();
  const wallet = useWallet();
  const chain = useChain();
  if (now === undefined) return null;
  const { report, address, bucket, collections } = view;
  const state = reportState(report, now);
  const back = refundable(report, collections);
  const buttons: ReactNode[] = [];
  const offer = (label: string, says: string, transactions: () => Promise<Instruction[][]>): void =>
    void buttons.push(<TransactButton key={label} label={label} main={false} make={async () => ({ title: label, says: [says], transactions: await transactions() })} />);

  if (state === "toSeal") offer(t.trust.seal, t.trust.sealSays, async () => [sealReport(address, report, given(wallet?.address))]);
  if (state === "open" && view.operator !== undefined && view.operator.authority === wallet?.address) offer(t.trust.seal, t.trust.sealOwnSays, async () => [sealReport(address, report, given(wallet.address))]);
  if (state === "toFinalise") offer(t.trust.finalise, t.trust.finaliseSays, async () => [finaliseReport(address, report)]);
  if (state === "final" && bucket !== undefined && !bucket.settled && bucket.collectedUnits + bucket.feeUnits > 0n) {
    offer(t.trust.split, t.trust.splitSays, async () => [await splitReport(chain, view, given(wallet?.address))]);
  }
  if (back.length > 0) {
    const says = report.status === ReportStatus.Rejected ? t.trust.refundSays : t.trust.refundRetractedSays;
    offer(t.trust.refund, says, async () => pack(await Promise.all(back.map(async ({ address: collection, data }) => [await refundCollection(address, collection, data)])), given(wallet?.address)));
  }
  if (canClear(report, bucket, collections)) offer(t.trust.clear, t.trust.clearSays, async () => pack(await clearReport(view), given(wallet?.address)));
  return buttons.length === 0 ? null : <p className="row">{buttons}</p>;
}

function Past({ past }: { past: QueryObserverResult<History> }): ReactNode {
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
