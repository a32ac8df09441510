// An operator: stake, exposure, reports, earnings, and what it should look at.

import { type Address, isAddress } from "@solana/kit";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { type Dispute, type Operator, Phase, ReportStatus } from "@imo/client/opml-oracle";
import { withdrawEarnings } from "../actions/invest.ts";
import { addStake, announceUnbonding, withdrawStake } from "../actions/operate.ts";
import type { Chain, Found, Mint } from "../chain/chain.ts";
import { Failed } from "../chain/failure.ts";
import { DISPUTE, EARNINGS, MODEL_VAULT, OPERATOR, PROTOCOL, SECOND_KEY } from "../chain/kinds.ts";
import { findProtocolPda } from "@imo/client/model-token";
import { isPast, isSet } from "../maths/deadline.ts";
import { freeStakeUnits } from "../maths/stake.ts";
import { useChain, useNow, useRead, useUnitOf, useWallet } from "../state.tsx";
import { t } from "../texts.ts";
import { decimal, shortened } from "../ui/format.ts";
import { AddressText, Amount, AmountField, Cell, Countdown, Empty, Facts, Figures, Loaded, Note, Tag, useAmount } from "../ui/parts.tsx";
import { TransactButton } from "../ui/transaction.tsx";
import type { Owed } from "../views/portfolio.ts";
import { type OperatorRecord, readRecords } from "../views/records.ts";
import { readReports, type ReportRow, reportState, turnOf } from "../views/trust.ts";
import { given } from "./offering.tsx";
import { ChangeServing, Register } from "./serving.tsx";
import { ReportTable } from "./trust.tsx";

export function OperatorPage({ address }: { address: string | undefined }): ReactNode {
  if (address === undefined) return <All />;
  return isAddress(address) ? <Read address={address} /> : <Note mood="bad">{t.common.noAddress}</Note>;
}

function Head(): ReactNode {
  return (
    <div className="page-head">
      <h1>{t.operate.title}</h1>
      <p className="quiet">{t.operate.intro}</p>
    </div>
  );
}

function All(): ReactNode {
  const operators = useRead(["operators"], async (chain) => {
    const all = await chain.all(OPERATOR);
    return { all, mints: await chain.mints(all.map(({ data }) => data.mint)) };
  });
  const wallet = useWallet();
  return (
    <>
      <Head />
      <section aria-labelledby="operators">
        <h2 id="operators">{t.operate.choose}</h2>
        <Loaded query={operators}>{({ all, mints }) => (all.length === 0 ? <Empty>{t.operate.none}</Empty> : <Operators all={all} mints={mints} own={wallet?.address} />)}</Loaded>
      </section>
      {wallet === undefined ? null : <Register key={wallet.address} owner={wallet.address} />}
    </>
  );
}

/** One's own first, then by stake. */
function Operators({ all, mints, own }: { all: readonly Found<Operator>[]; mints: ReadonlyMap<Address, Mint>; own: Address | undefined }): ReactNode {
  const now = useNow();
  const unitOf = useUnitOf();
  const sorted = all.toSorted((a, b) => Number(b.data.authority === own) - Number(a.data.authority === own) || Number(b.data.stakeUnits - a.data.stakeUnits));
  return (
    <div className="scroll">
      <table className="stack">
        <thead>
          <tr>
            <th scope="col">{t.admit.operator}</th>
            <th scope="col">{t.operate.endpoint}</th>
            <th scope="col" className="num">
              {t.operate.stake}
            </th>
            <th scope="col" className="num">
              {t.operate.locked}
            </th>
            <th scope="col" className="num">
              {t.operate.posted}
            </th>
          </tr>
        </thead>
        <tbody>
          {sorted.map(({ address, data }) => {
            const money = (units: bigint): ReactNode => <Amount units={units} decimals={mints.get(data.mint)?.decimals ?? 0} unit={unitOf(data.mint)} />;
            const jailed = now !== undefined && isSet(data.jail) && !isPast(data.jail, now);
            return (
              <tr key={address}>
                <th scope="row">
                  <Link href={`/operator/${address}`} className="mono">
                    {shortened(address)}
                  </Link>{" "}
                  {data.authority === own ? <Tag mood="good">{t.operate.yours}</Tag> : null} {jailed ? <Tag mood="bad">{t.operate.inJail}</Tag> : null}
                </th>
                <Cell label={t.operate.endpoint}>{data.endpoint === "" ? "–" : data.endpoint}</Cell>
                <Cell label={t.operate.stake} num>
                  {money(freeStakeUnits(data))}
                </Cell>
                <Cell label={t.operate.locked} num>
                  {money(data.lockedUnits)}
                </Cell>
                <Cell label={t.operate.posted} num>
                  {decimal(data.nextSequence, 0)}
                </Cell>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

interface View {
  address: Address;
  operator: Operator;
  reports: ReportRow[];
  disputes: Found<Dispute>[];
  owed: Owed[];
  decimals: number;
  leastBondUnits: bigint;
  answers: boolean;
  record: OperatorRecord;
  /** Whether the record is of all reports. */
  complete: boolean;
}

async function read(chain: Chain, address: Address): Promise<View> {
  const operator = await chain.one(OPERATOR, address);
  if (operator === undefined) throw new Failed({ kind: "missing", what: address });
  const [reports, disputes, earnings, mints, [protocolAddress], records, answers] = await Promise.all([
    readReports(chain, { operator: address }),
    chain.all(DISPUTE),
    chain.all(EARNINGS, { offset: SECOND_KEY, key: operator.authority }),
    chain.mints([operator.mint]),
    findProtocolPda(),
    readRecords(chain),
    endpointAnswers(operator.endpoint),
  ]);
  const [protocol, vaults] = await Promise.all([
    chain.one(PROTOCOL, protocolAddress),
    chain.many(
      MODEL_VAULT,
      earnings.map(({ data }) => data.vault),
    ),
  ]);
  return {
    address,
    operator,
    reports,
    disputes: disputes.filter(({ data }) => data.operator === address),
    owed: earnings.flatMap(({ address: earningsAddress, data }, index): Owed[] => {
      const vault = vaults[index];
      return vault === undefined || data.owedUnits === 0n || vault.mint !== operator.mint ? [] : [{ address: earningsAddress, earnings: data, vault }];
    }),
    decimals: mints.get(operator.mint)?.decimals ?? 0,
    leastBondUnits: protocol?.terms.minBondUnits ?? 0n,
    answers,
    record: records.of.get(address) ?? { final: 0, rejected: 0 },
    complete: records.complete,
  };
}

async function endpointAnswers(endpoint: string): Promise<boolean> {
  // Without one it would be this app's own host that is asked.
  if (endpoint === "") return false;
  return fetch(`${endpoint.replace(/\/$/, "")}/v1/models`, { signal: AbortSignal.timeout(4_000) }).then(
    (response) => response.ok,
    () => false,
  );
}

function Read({ address }: { address: Address }): ReactNode {
  const view = useRead(["operator", address], (chain) => read(chain, address));
  return (
    <>
      <Head />
      <Loaded query={view}>{(loaded) => <Shown view={loaded} />}</Loaded>
    </>
  );
}

function Shown({ view }: { view: View }): ReactNode {
  const { operator, reports, decimals } = view;
  const unit = useUnitOf()(operator.mint);
  const money = (units: bigint): ReactNode => <Amount units={units} decimals={decimals} unit={unit} />;
  const exposure = reports.reduce(
    (sum, { bucket, report }) => (bucket === undefined || report.status === ReportStatus.Final || report.status === ReportStatus.Rejected ? sum : sum + bucket.collectedUnits),
    0n,
  );
  return (
    <>
      <Facts
        of={[
          [t.model.address, <AddressText key="address" address={view.address} />],
          [t.operate.authority, <AddressText key="authority" address={operator.authority} />],
          [t.operate.endpoint, operator.endpoint === "" ? "–" : operator.endpoint],
          [t.serving.backup, <AddressText key="backup" address={operator.backup} />],
        ]}
      />
      <section>
        <h2>{t.operate.alarms}</h2>
        <Alarms view={view} />
      </section>
      <section>
        <Figures
          of={[
            [t.operate.stake, money(freeStakeUnits(operator))],
            [t.operate.locked, money(operator.lockedUnits)],
            [t.operate.unbonding, money(operator.unbondingUnits)],
            [t.operate.exposure, money(exposure)],
            [t.operate.posted, decimal(operator.nextSequence, 0)],
            [view.complete ? t.operate.final : `${t.operate.final}, ${t.operate.notClosed}`, `${view.record.final}`],
            [view.complete ? t.operate.rejected : `${t.operate.rejected}, ${t.operate.notClosed}`, `${view.record.rejected}`],
            [t.operate.openReports, `${operator.openReports}`],
            [t.operate.openDisputes, `${operator.openDisputes}`],
          ]}
        />
      </section>
      <Stake view={view} unit={unit} />
      <Earnings view={view} unit={unit} />
      <ChangeServing address={view.address} operator={operator} />
      <section>
        <h2>{t.operate.reports}</h2>
        {reports.length === 0 ? <Empty>{t.operate.noReports}</Empty> : <ReportTable rows={reports} />}
      </section>
    </>
  );
}

function Alarms({ view }: { view: View }): ReactNode {
  const now = useNow();
  if (now === undefined) return null;
  const { operator, reports, disputes } = view;
  const count = (state: string): number => reports.filter(({ report }) => reportState(report, now) === state).length;
  const alarms: ReactNode[] = [];
  if (isSet(operator.jail) && !isPast(operator.jail, now)) {
    alarms.push(
      <Note key="jail" mood="bad">
        {t.operate.jailed} <Countdown deadline={operator.jail} past={t.common.over} />
      </Note>,
    );
  }
  const open = disputes.filter(({ data }) => data.game.phase !== Phase.Proven && data.game.phase !== Phase.Lost);
  if (open.length > 0) alarms.push(<Note key="disputes" mood="bad">{t.operate.disputed(open.length)}</Note>);
  for (const { address, data } of open.filter(({ data: { game } }) => turnOf(game.phase) === "operator")) {
    alarms.push(
      <Note key={address} mood="bad">
        <Link href={`/trust/dispute/${address}`}>{t.operate.mustMove}</Link> <Countdown deadline={data.game.clocks.deadline} past={t.dispute.late} />
      </Note>,
    );
  }
  if (count("toSeal") > 0) alarms.push(<Note key="seal" mood="waiting">{t.operate.toSeal(count("toSeal"))}</Note>);
  if (count("toFinalise") > 0) alarms.push(<Note key="finalise" mood="waiting">{t.operate.toFinalise(count("toFinalise"))}</Note>);
  if (freeStakeUnits(operator) < view.leastBondUnits) alarms.push(<Note key="stake" mood="waiting">{t.operate.lowStake}</Note>);
  if (!view.answers) alarms.push(<Note key="endpoint" mood="waiting">{t.operate.noAnswer}</Note>);
  return alarms.length === 0 ? <Note mood="good">{t.operate.noAlarms}</Note> : alarms;
}

function Stake({ view, unit }: { view: View; unit: string }): ReactNode {
  const chain = useChain();
  const wallet = useWallet();
  const now = useNow();
  const { operator, address, decimals } = view;
  const into = useAmount(decimals);
  const out = useAmount(decimals);
  const [more, less] = [into.units ?? 0n, out.units ?? 0n];
  const text = (units: bigint): string => `${decimal(units, decimals)} ${unit}`;
  const own = wallet?.address === operator.authority;
  const free = freeStakeUnits(operator);
  const due = now !== undefined && isPast(operator.unbonding, now);
  const jailed = now !== undefined && isSet(operator.jail) && !isPast(operator.jail, now);
  return (
    <section aria-labelledby="staking">
      <h2 id="staking">{t.operate.staking}</h2>
      <div className="columns">
        <form onSubmit={(event) => event.preventDefault()}>
          <AmountField label={t.operate.addAmount} amount={into} unit={unit} decimals={decimals} />
          <TransactButton
            label={t.operate.add}
            main={false}
            disabled={more === 0n}
            make={async () => ({
              title: t.operate.add,
              says: [t.operate.addSays(text(more))],
              transactions: [await addStake(chain, address, operator, given(wallet?.address), more)],
              done: () => into.set(""),
            })}
          />
        </form>
        {own ? (
          <form onSubmit={(event) => event.preventDefault()}>
            <AmountField label={t.operate.leaveAmount} amount={out} unit={unit} decimals={decimals} most={free} />
            <TransactButton
              label={t.operate.leave}
              main={false}
              disabled={less === 0n || less > free}
              make={async () => ({
                title: t.operate.leave,
                says: [t.operate.leaveSays(text(less))],
                transactions: [await announceUnbonding(address, operator, less)],
                done: () => out.set(""),
              })}
            />
            {operator.unbondingUnits === 0n ? null : (
              <>
                <p>
                  {t.operate.unbondsIn} <Countdown deadline={operator.unbonding} past={t.common.now} />
                </p>
                <TransactButton
                  label={t.operate.out}
                  main={false}
                  disabled={!due}
                  why={operator.openDisputes > 0 ? t.operate.outDisputed : jailed ? t.operate.outJailed : undefined}
                  make={async () => ({ title: t.operate.out, says: [t.operate.outSays], transactions: [await withdrawStake(address, operator)] })}
                />
              </>
            )}
          </form>
        ) : null}
      </div>
    </section>
  );
}

function Earnings({ view, unit }: { view: View; unit: string }): ReactNode {
  const wallet = useWallet();
  const { owed, decimals } = view;
  const sum = owed.reduce((all, { earnings }) => all + earnings.owedUnits, 0n);
  return (
    <section>
      <h2>{t.operate.earnings}</h2>
      {sum === 0n ? (
        <Empty>{t.operate.noEarnings}</Empty>
      ) : (
        <>
          <p>
            <Amount units={sum} decimals={decimals} unit={unit} />
          </p>
          <TransactButton
            label={t.operate.withdraw}
            main={false}
            make={async () => ({
              title: t.operate.withdraw,
              says: [t.operate.withdrawSays],
              transactions: await Promise.all(owed.map((each) => withdrawEarnings(each, given(wallet?.address)))),
            })}
          />
        </>
      )}
    </section>
  );
}
