// One dispute, drawn as its path: from the claim to the operator to the tile to the verdict.

import { type Address, isAddress } from "@solana/kit";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { findModelVersionPda } from "@imo/client/model-token";
import type { Dispute } from "@imo/client/opml-oracle";
import { payChallenger, settleDispute, timeOutDispute } from "../actions/disputes.ts";
import type { Chain, Found } from "../chain/chain.ts";
import { Failed } from "../chain/failure.ts";
import { DISPUTE, OPERATOR, REPORT, VERSION } from "../chain/kinds.ts";
import { isPast } from "../maths/deadline.ts";
import { useNow, useRead, useUnitOf, useWallet } from "../state.tsx";
import { t } from "../texts.ts";
import { dateTime, decimal, hex, shortened } from "../ui/format.ts";
import { AddressText, Countdown, Empty, Facts, Loaded, Note } from "../ui/parts.tsx";
import { SignatureLink, TransactButton } from "../ui/transaction.tsx";
import { type DisputePath, disputePath, type Step } from "../views/dispute-path.ts";
import { historyOf, type Told } from "../views/history.ts";
import { turnOf } from "../views/trust.ts";
import { given } from "./offering.tsx";
import { PhaseTag } from "./trust.tsx";

export function DisputePage({ address }: { address: string }): ReactNode {
  if (!isAddress(address)) return <Note mood="bad">{t.common.noAddress}</Note>;
  return <Read address={address} />;
}

interface View {
  address: Address;
  dispute: Dispute | undefined;
  /** How many disputes of its report are settled: it is its turn when that is its own number. */
  settled: number | undefined;
  path: DisputePath;
  report: Address | undefined;
  mint: Address | undefined;
  decimals: number;
}

async function read(chain: Chain, address: Address): Promise<View> {
  const [dispute, { told }] = await Promise.all([chain.one(DISPUTE, address), historyOf(chain, address)]);
  if (dispute === undefined && told.length === 0) throw new Failed({ kind: "missing", what: address });
  const { report, operator } = { report: dispute?.report, operator: dispute?.operator, ...partiesOf(told) };
  const mint = dispute?.mint ?? (operator === undefined ? undefined : (await chain.one(OPERATOR, operator))?.mint);
  const settled = dispute === undefined ? undefined : (await chain.one(REPORT, dispute.report))?.disputesSettled;
  const nodeCount = dispute?.game.nodeCount ?? (report === undefined ? 0 : await nodeCountOf(chain, report));
  const decimals = mint === undefined ? 0 : ((await chain.mints([mint])).get(mint)?.decimals ?? 0);
  return { address, dispute, settled, path: disputePath(address, told, nodeCount), report, mint, decimals };
}

function partiesOf(told: readonly Told[]): { report?: Address; operator?: Address } {
  for (const event of told.flatMap(({ events }) => events)) {
    if (event.name === "DisputeOpened") return { report: event.data.report, operator: event.data.operator };
  }
  return {};
}

/** How many nodes the model of a report has. Of a closed report its first transaction says which version that is. */
async function nodeCountOf(chain: Chain, report: Address): Promise<number> {
  const found = await chain.one(REPORT, report);
  if (found !== undefined) return found.nodeCount;
  const { told } = await historyOf(chain, report);
  for (const event of told.flatMap(({ events }) => events)) {
    if (event.name !== "ReportPosted") continue;
    const [version] = await findModelVersionPda({ model: event.data.model, number: event.data.versionNumber });
    return (await chain.one(VERSION, version))?.nodeCount ?? 0;
  }
  return 0;
}

function Read({ address }: { address: Address }): ReactNode {
  const view = useRead(["dispute", address], (chain) => read(chain, address));
  return (
    <>
      <div className="page-head">
        <h1>{t.dispute.title}</h1>
        <p>
          <AddressText address={address} />
        </p>
        <p className="quiet">{t.dispute.intro}</p>
      </div>
      <Loaded query={view}>{(read) => <Shown view={read} />}</Loaded>
    </>
  );
}

function Shown({ view }: { view: View }): ReactNode {
  const { dispute, path, report, mint } = view;
  const unitOf = useUnitOf();
  const unit = mint === undefined ? "" : unitOf(mint);
  const turn = dispute === undefined ? undefined : turnOf(dispute.game.phase);
  return (
    <>
      <p className="row">
        {dispute === undefined ? <span className="quiet">{t.dispute.closed}</span> : <PhaseTag phase={dispute.game.phase} />}
        {turn === undefined || dispute === undefined ? null : (
          <span>
            {t.dispute.turn[turn]} <Countdown deadline={dispute.game.clocks.deadline} past={t.dispute.late} />
          </span>
        )}
      </p>
      <Facts
        of={[
          report === undefined ? undefined : [t.trust.report, <Link key="report" href={`/trust/report/${report}`}>{shortened(report)}</Link>],
          path.operator === undefined ? undefined : [t.trust.operator, <Link key="operator" href={`/operator/${path.operator}`}>{shortened(path.operator)}</Link>],
          path.challenger === undefined ? undefined : [t.dispute.challenger, <AddressText key="challenger" address={path.challenger} />],
        ]}
      />
      {dispute === undefined ? null : <Crank found={{ address: view.address, data: dispute }} settled={view.settled} />}
      <section>
        <h2>{t.dispute.path}</h2>
        {path.steps.length === 0 ? (
          <Empty>{t.dispute.noPath}</Empty>
        ) : (
          <ol className="path" data-path>
            {path.steps.map((step, index) => (
              <li key={`${step.signature}-${index}`} className={step.is === "proven" || step.is === "rejected" ? "bad" : "done"} data-step={step.is}>
                <StepText step={step} decimals={view.decimals} unit={unit} />
                <div className="quiet small">
                  {step.unix === undefined ? "" : dateTime(step.unix)} <SignatureLink signature={step.signature} />
                </div>
              </li>
            ))}
          </ol>
        )}
      </section>
    </>
  );
}

/** What is due and anybody may call. */
function Crank({ found, settled }: { found: Found<Dispute>; settled: number | undefined }): ReactNode {
  const now = useNow();
  const wallet = useWallet();
  const { data } = found;
  const turn = turnOf(data.game.phase);
  if (now === undefined) return null;
  if (data.settled) {
    return (
      <p>
        <TransactButton label={t.trust.payOut} main={false} make={async () => ({ title: t.trust.payOut, says: [t.dispute.payOutSays], transactions: [await payChallenger(found, given(wallet?.address))] })} />
      </p>
    );
  }
  if (turn === undefined) {
    return (
      <p>
        <TransactButton
          label={t.trust.settle}
          main={false}
          why={settled === data.order ? undefined : t.trust.notItsTurn}
          make={async () => ({ title: t.trust.settle, says: [t.dispute.settleSays], transactions: [await settleDispute(found)] })}
        />
      </p>
    );
  }
  if (!isPast(data.game.clocks.deadline, now)) return null;
  return (
    <p>
      <TransactButton label={t.trust.timeOut} main={false} make={async () => ({ title: t.trust.timeOut, says: [t.dispute.timeOutSays[turn]], transactions: [timeOutDispute(found)] })} />
    </p>
  );
}

function StepText({ step, decimals, unit }: { step: Step; decimals: number; unit: string }): ReactNode {
  const { steps } = t.dispute;
  const money = (units: bigint): string => `${decimal(units, decimals)} ${unit}`;
  switch (step.is) {
    case "opened":
      return steps.opened(money(step.bondUnits));
    case "claim":
      return (
        <>
          <strong>{steps.claim(step.receiptIndex)}</strong> <span className="mono">{hex(step.claimHash).slice(0, 16)}…</span>
        </>
      );
    case "trace":
      return step.whole ? steps.traceWhole : steps.traceRoot;
    case "narrowedNodes":
      return steps.narrowedNodes(step.first, step.end - 1);
    case "narrowedTiles":
      return steps.narrowedTiles(step.first, step.end - 1);
    case "revealed":
      return steps.revealed;
    case "node":
      return <strong>{steps.node(step.node.index, t.operators[step.node.operator] ?? `${step.node.operator}`, step.node.shape.join(" × "))}</strong>;
    case "tile":
      return <strong>{steps.tile(step.index, step.bytes)}</strong>;
    case "proven":
      return <strong>{step.bySilence ? steps.silence : step.element === undefined ? steps.proven : steps.provenElement(step.element)}</strong>;
    case "lost":
      return <strong>{steps.lost}</strong>;
    case "rejected":
      return steps.rejected(money(step.slashedUnits));
    case "settled":
      return steps.settled(money(step.payoutUnits), money(step.shareUnits));
  }
}
