// Opening the offering of a model: every term, what is wrong with it, and what it means in words.

import { type ReactNode, useId, useMemo, useState } from "react";
import { type ReadList, writeAllowList } from "../actions/allowlist.ts";
import { openOffering } from "../actions/develop.ts";
import { priceMicroUnits, trancheUnits, type VestingTerms } from "../maths/offering.ts";
import { leastRevenueUnits, MAX_TRANCHES, type OfferingTerms, termsProblem, type TrancheCondition } from "../maths/terms.ts";
import { useNow, useUnitOf } from "../state.tsx";
import { t } from "../texts.ts";
import { AllowListField, useAllowList } from "../ui/allow-list.tsx";
import { bps, decimal, duration, hex, parseUnits } from "../ui/format.ts";
import { AmountField, Facts, TextField, TOKEN_DECIMALS, useAmount } from "../ui/parts.tsx";
import { TransactButton } from "../ui/transaction.tsx";
import type { ModelView } from "../views/model.ts";
import { trancheText } from "./proceeds.tsx";
import { given } from "./offering.tsx";

const HOUR = 3_600;
const DAY = 86_400;
/** The offering opens so long after the transaction is made, in seconds, so that it can land first. */
const OPENS_AFTER = 60n;

interface TrancheRow {
  share: string;
  kind: TrancheCondition["__kind"];
  days: string;
  revenue: string;
}

const AT_ONCE: TrancheRow = { share: "100", kind: "Time", days: "0", revenue: "" };

export function Offer({ view }: { view: ModelView }): ReactNode {
  const now = useNow();
  const unit = useUnitOf()(view.model.paymentMint);
  const { decimals } = view.payment;
  const { symbol } = view.model.metadata;
  const sale = useAmount(TOKEN_DECIMALS, "1000000");
  const own = useAmount(TOKEN_DECIMALS, "0");
  const [min, max, cap] = [useAmount(decimals), useAmount(decimals), useAmount(decimals, "0")];
  const [times, setTimes] = useState({ hours: "72", tail: "12", free: "0", cliff: "0", linear: "0", ownCliff: "180", ownLinear: "360" });
  const [rows, setRows] = useState<readonly TrancheRow[]>([AT_ONCE]);
  const [listed, setListed] = useState(false);
  const list = useAllowList(decimals);
  const id = useId();
  const timeField = (name: keyof typeof times, label: string): ReactNode => <TextField label={label} value={times[name]} set={(value) => setTimes({ ...times, [name]: value })} />;

  const buyers = vestingOf(times.free, times.cliff, times.linear);
  const developer = vestingOf("0", times.ownCliff, times.ownLinear);
  const [openSeconds, tailSeconds] = [secondsOf(times.hours, HOUR), secondsOf(times.tail, HOUR)];
  const tranches = rows.map((row) => trancheOf(row, decimals));
  const unread = (): string | undefined => {
    if (view.model.liveVersion === 0 || view.model.liveVersion !== view.model.versionCount) return t.terms.notLive;
    const blank = (
      [
        [t.develop.sale, sale.units],
        [t.develop.own, own.units],
        [t.develop.min, min.units],
        [t.develop.max, max.units],
        [t.develop.cap, cap.units],
        [t.develop.hours, openSeconds],
        [t.develop.tail, tailSeconds],
      ] as const
    ).find(([, value]) => value === undefined);
    if (blank !== undefined) return t.terms.unread(blank[0]);
    const row = tranches.findIndex((tranche) => tranche === undefined);
    if (row >= 0) return t.terms.unreadTranche(row + 1);
    if (buyers === undefined) return t.terms.unreadBuyers;
    if (own.units !== 0n && developer === undefined) return t.terms.unreadOwn;
    return listed && list.read === undefined ? t.terms.unreadList : undefined;
  };
  const terms: OfferingTerms | undefined =
    unread() === undefined
      ? {
          saleUnits: given(sale.units),
          developerUnits: given(own.units),
          minRaiseUnits: given(min.units),
          maxRaiseUnits: given(max.units),
          openSeconds: given(openSeconds),
          tailSeconds: given(tailSeconds),
          buyerVesting: given(buyers),
          developerVesting: own.units === 0n ? NONE : given(developer),
          tranches: tranches.map((tranche) => given(tranche)),
        }
      : undefined;
  const problem = terms === undefined ? undefined : termsProblem(terms);
  const allowed = listed ? list.read : undefined;
  const why = unread() ?? (problem === undefined ? undefined : t.terms.problem(problem, (units) => `${decimal(units, decimals)} ${unit}`));
  const says = terms === undefined || problem !== undefined ? [] : inWords({ terms, capUnits: given(cap.units), wallets: allowed?.entries.length, symbol, unit, decimals });
  return (
    <section aria-labelledby={`${id}-open`}>
      <h2 id={`${id}-open`}>{t.develop.open}</h2>
      <form onSubmit={(event) => event.preventDefault()}>
        <div className="field-grid">
          <AmountField label={t.develop.sale} amount={sale} unit={symbol} decimals={TOKEN_DECIMALS} />
          <AmountField label={t.develop.own} amount={own} unit={symbol} decimals={TOKEN_DECIMALS} />
          <AmountField label={t.develop.min} amount={min} unit={unit} decimals={decimals} />
          <AmountField label={t.develop.max} amount={max} unit={unit} decimals={decimals} />
          <AmountField label={t.develop.cap} amount={cap} unit={unit} decimals={decimals} />
          {timeField("hours", t.develop.hours)}
          {timeField("tail", t.develop.tail)}
        </div>
        <fieldset>
          <legend>{t.terms.vesting}</legend>
          <div className="field-grid">
            {timeField("cliff", t.develop.cliff)}
            {timeField("linear", t.develop.linear)}
            {buyers?.immediateBps === 10_000 && Number(times.free) === 0 ? null : timeField("free", t.develop.free)}
            {own.units === 0n ? null : timeField("ownCliff", t.develop.ownCliff)}
            {own.units === 0n ? null : timeField("ownLinear", t.develop.ownLinear)}
          </div>
        </fieldset>
        <Tranches rows={rows} set={setRows} maxUnits={max.units} decimals={decimals} unit={unit} />
        <fieldset>
          <legend>{t.terms.who}</legend>
          <p className="row">
            <input id={`${id}-listed`} type="checkbox" checked={listed} onChange={(event) => setListed(event.target.checked)} />
            <label htmlFor={`${id}-listed`}>{t.terms.listed}</label>
          </p>
          {listed ? <List input={list} decimals={decimals} /> : null}
        </fieldset>
        {says.length === 0 ? null : (
          <div data-terms>
            <h3>{t.terms.inWords}</h3>
            <ul>
              {says.map((sentence) => (
                <li key={sentence}>{sentence}</li>
              ))}
            </ul>
          </div>
        )}
        <TransactButton
          label={t.develop.open}
          disabled={now === undefined}
          why={why}
          make={async () => {
            const agreed = given(terms);
            const opensUnix = given(now).unix + OPENS_AFTER;
            const closesUnix = opensUnix + BigInt(agreed.openSeconds);
            return {
              title: t.develop.open,
              says: [...says, t.develop.openSays],
              transactions: [
                await openOffering(view, {
                  saleUnits: agreed.saleUnits,
                  developerUnits: agreed.developerUnits,
                  minRaiseUnits: agreed.minRaiseUnits,
                  maxRaiseUnits: agreed.maxRaiseUnits,
                  walletCapUnits: given(cap.units),
                  allowlistRoot: allowed?.list.root() ?? new Uint8Array(32),
                  allowlistCount: allowed?.list.count ?? 0,
                  opensUnix,
                  tailUnix: closesUnix - BigInt(agreed.tailSeconds),
                  closesUnix,
                  buyerVesting: agreed.buyerVesting,
                  developerVesting: agreed.developerVesting,
                  tranches: [...agreed.tranches],
                }),
              ],
            };
          }}
        />
      </form>
    </section>
  );
}

/** As the program wants it where the developer has no tokens. */
const NONE: VestingTerms = { immediateBps: 0, cliffSeconds: 0, linearSeconds: 0 };

/** A number of hours or days in seconds; undefined when it is none. */
function secondsOf(text: string, unitSeconds: number): number | undefined {
  return /^\d{1,6}(\.\d{0,4})?$/.test(text.trim()) ? Math.round(Number(text) * unitSeconds) : undefined;
}

/** Percent with up to two places, in basis points; undefined when it is none. */
function bpsOf(text: string): number | undefined {
  const units = parseUnits(text, 2);
  return units === undefined || units > 10_000n ? undefined : Number(units);
}

/** Without a schedule, and nothing said, everything is free at once. */
function vestingOf(free: string, cliff: string, linear: string): VestingTerms | undefined {
  const [immediateBps, cliffSeconds, linearSeconds] = [bpsOf(free), secondsOf(cliff, DAY), secondsOf(linear, DAY)];
  if (immediateBps === undefined || cliffSeconds === undefined || linearSeconds === undefined) return undefined;
  return { immediateBps: immediateBps + cliffSeconds + linearSeconds === 0 ? 10_000 : immediateBps, cliffSeconds, linearSeconds };
}

function trancheOf({ share, kind, days, revenue }: TrancheRow, decimals: number): OfferingTerms["tranches"][number] | undefined {
  const [shareBps, seconds, othersUnits] = [bpsOf(share), secondsOf(days, DAY), parseUnits(revenue, decimals)];
  if (shareBps === undefined || seconds === undefined) return undefined;
  if (kind === "Time") return { shareBps, condition: { __kind: "Time", unlocksSeconds: seconds } };
  return othersUnits === undefined ? undefined : { shareBps, condition: { __kind: "Revenue", othersUnits, deadlineSeconds: seconds } };
}

function Tranches(props: { rows: readonly TrancheRow[]; set: (rows: readonly TrancheRow[]) => void; maxUnits: bigint | undefined; decimals: number; unit: string }): ReactNode {
  const { rows, set, maxUnits, decimals, unit } = props;
  const id = useId();
  const change = (index: number, part: Partial<TrancheRow>): void => set(rows.map((row, at) => (at === index ? { ...row, ...part } : row)));
  const shares = rows.map(({ share }) => bpsOf(share) ?? 0);
  const least = maxUnits === undefined ? [] : leastRevenueUnits(maxUnits, shares);
  return (
    <fieldset>
      <legend>{t.offering.tranches}</legend>
      <p className="quiet small">{t.offering.tranchesNote}</p>
      {rows.map((row, index) => {
        const number = index + 1;
        const leastUnits = least[index];
        return (
          <div key={index} className="field-grid" data-tranche>
            <TextField label={t.terms.share(number)} value={row.share} set={(share) => change(index, { share })} />
            <div className="field">
              <label htmlFor={`${id}-${index}`}>{t.terms.kind(number)}</label>
              <select id={`${id}-${index}`} value={row.kind} onChange={(event) => change(index, { kind: event.target.value === "Time" ? "Time" : "Revenue" })}>
                <option value="Time">{t.terms.time}</option>
                <option value="Revenue">{t.terms.revenue}</option>
              </select>
            </div>
            {row.kind === "Revenue" ? (
              <TextField
                label={t.terms.earned(number, unit)}
                value={row.revenue}
                set={(revenue) => change(index, { revenue })}
                hint={leastUnits === undefined ? t.terms.earnedHint : t.terms.atLeast(`${decimal(leastUnits, decimals)} ${unit}`)}
              />
            ) : null}
            <TextField label={row.kind === "Time" ? t.terms.after(number) : t.terms.within(number)} value={row.days} set={(days) => change(index, { days })} />
            {rows.length === 1 ? null : (
              <p>
                <button type="button" onClick={() => set(rows.filter((_, at) => at !== index))}>
                  {t.terms.remove(number)}
                </button>
              </p>
            )}
          </div>
        );
      })}
      {rows.length === MAX_TRANCHES ? null : (
        <button type="button" onClick={() => set([...rows, { ...AT_ONCE, share: "" }])}>
          {t.terms.add}
        </button>
      )}
    </fieldset>
  );
}

function List({ input, decimals }: { input: ReturnType<typeof useAllowList>; decimals: number }): ReactNode {
  return (
    <>
      <AllowListField label={t.terms.list} list={input} />
      {input.read === undefined ? null : <Listing read={input.read} decimals={decimals} />}
    </>
  );
}

/** What the chain is told of a list, and the list to publish: without it nobody on it can show so. */
function Listing({ read, decimals }: { read: ReadList; decimals: number }): ReactNode {
  const href = useMemo(() => `data:text/csv,${encodeURIComponent(writeAllowList(read, decimals))}`, [read, decimals]);
  return (
    <>
      <Facts
        of={[
          [t.terms.wallets, `${read.entries.length}`],
          [
            t.terms.root,
            <span key="root" className="mono" data-list-root>
              {hex(read.list.root())}
            </span>,
          ],
        ]}
      />
      <p className="row">
        <a className="button" download="allow-list.csv" href={href}>
          {t.terms.download}
        </a>
        <span className="quiet small">{t.terms.publish}</span>
      </p>
    </>
  );
}

/** The terms as sentences. */
function inWords(of: { terms: OfferingTerms; capUnits: bigint; wallets: number | undefined; symbol: string; unit: string; decimals: number }): string[] {
  const { terms, capUnits, wallets, symbol, unit, decimals } = of;
  const money = (units: bigint): string => `${decimal(units, decimals)} ${unit}`;
  const price = (units: bigint): string => decimal(priceMicroUnits(units, terms, TOKEN_DECIMALS) ?? 0n, decimals + 6);
  const parts = trancheUnits(
    terms.maxRaiseUnits,
    terms.tranches.map(({ shareBps }) => shareBps),
  );
  const vesting = ({ immediateBps, cliffSeconds, linearSeconds }: VestingTerms): string =>
    immediateBps === 10_000 ? t.offering.allAtOnce : t.offering.vestingPicture(bps(immediateBps), duration(BigInt(cliffSeconds)), duration(BigInt(linearSeconds)));
  return [
    t.terms.sells(decimal(terms.saleUnits, TOKEN_DECIMALS), symbol, money(terms.minRaiseUnits), money(terms.maxRaiseUnits)),
    t.terms.priced(price(terms.minRaiseUnits), price(terms.maxRaiseUnits), unit),
    t.terms.runs(duration(OPENS_AFTER), duration(BigInt(terms.openSeconds)), duration(BigInt(terms.tailSeconds))),
    wallets === undefined ? t.terms.everybody : t.terms.onlyListed(wallets),
    ...(capUnits === 0n ? [] : [t.terms.capped(money(capUnits))]),
    `${t.offering.buyersVest}: ${vesting(terms.buyerVesting)}`,
    ...(terms.developerUnits === 0n ? [t.terms.noneOwn] : [`${t.offering.developerVests(decimal(terms.developerUnits, TOKEN_DECIMALS), symbol)}: ${vesting(terms.developerVesting)}`]),
    ...terms.tranches.map(({ condition }, index) => t.terms.tranche(index + 1, money(parts[index] ?? 0n), trancheText(condition, decimals, unit))),
  ];
}
