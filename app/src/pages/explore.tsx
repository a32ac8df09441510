// All models: search, sort, and how far each is.

import { type ReactNode, useId, useMemo, useState } from "react";
import { Link } from "wouter";
import { type Offering, OfferingStatus } from "@imo/client/model-token";
import { priceMicroUnits } from "../maths/offering.ts";
import { useNow, useRead, useUnitOf } from "../state.tsx";
import { t } from "../texts.ts";
import { decimal, percent } from "../ui/format.ts";
import { Amount, Cell, Empty, Loaded, type Mood, Tag, TOKEN_DECIMALS } from "../ui/parts.tsx";
import { Bar } from "../ui/pictures.tsx";
import { splitsOf } from "../views/history.ts";
import { type MarketRow, readMarket, yieldUnits } from "../views/market.ts";
import { readRecords } from "../views/records.ts";

type Column = "name" | "raise" | "price" | "served" | "revenue" | "yield";
const COLUMNS: readonly Column[] = ["name", "raise", "price", "served", "revenue", "yield"];

interface Sort {
  by: Column;
  down: boolean;
}

export function Explore(): ReactNode {
  const market = useRead(["market"], readMarket);
  const [search, setSearch] = useState("");
  const [sort, setSort] = useState<Sort>({ by: "served", down: true });
  const id = useId();
  return (
    <>
      <div className="page-head">
        <h1>{t.explore.title}</h1>
        <p className="quiet">{t.explore.intro}</p>
      </div>
      <div className="row">
        <label htmlFor={id} className="quiet small">
          {t.explore.search}
        </label>
        <input id={id} type="search" value={search} onChange={(event) => setSearch(event.target.value)} />
      </div>
      <section aria-label={t.explore.title}>
        <Loaded query={market}>{(rows) => <Table rows={rows} search={search} sort={sort} setSort={setSort} />}</Loaded>
      </section>
    </>
  );
}

function Table(props: { rows: readonly MarketRow[]; search: string; sort: Sort; setSort: (sort: Sort) => void }): ReactNode {
  const { rows, search, sort, setSort } = props;
  const shown = useMemo(() => order(rows.filter((row) => matches(row, search)), sort), [rows, search, sort]);
  if (rows.length === 0) return <Empty>{t.explore.none}</Empty>;
  if (shown.length === 0) return <Empty>{t.explore.noMatch(search)}</Empty>;
  return (
    <div className="scroll">
      <table className="stack">
        <thead>
          <tr>
            {COLUMNS.map((column) => (
              <th
                key={column}
                scope="col"
                className={column === "name" || column === "raise" ? undefined : "num"}
                aria-sort={sort.by === column ? (sort.down ? "descending" : "ascending") : undefined}
              >
                <button type="button" onClick={() => setSort({ by: column, down: sort.by === column ? !sort.down : column !== "name" })}>
                  {t.explore.columns[column]}
                  {sort.by === column ? (sort.down ? " ↓" : " ↑") : ""}
                </button>
              </th>
            ))}
            <th scope="col" className="num">
              {t.explore.operators}
            </th>
          </tr>
        </thead>
        <tbody>
          {shown.map((row) => (
            <Row key={row.address} row={row} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ row }: { row: MarketRow }): ReactNode {
  const unit = useUnitOf()(row.model.paymentMint);
  const paid = row.vault?.paidToOthersUnits ?? 0n;
  // Anew only when the vault has counted more.
  const splits = useRead(["splits", row.address, paid], (chain) => splitsOf(chain, row.address, row.model.versionCount, paid), {
    enabled: row.vault !== undefined,
    every: 60_000,
  });
  const records = useRead(["records"], readRecords, { every: 15_000 });
  const caught = row.operators.filter((operator) => (records.data?.of.get(operator)?.rejected ?? 0) > 0).length;
  const finalUnits = splits.data?.splits.reduce((sum, split) => sum + split.revenueUnits, 0n);
  const { offering } = row;
  const raised = offering === undefined ? "" : percent(offering.committedUnits, offering.maxRaiseUnits);
  return (
    <tr>
      <th scope="row">
        <Link href={`/model/${row.address}`}>{row.model.metadata.name}</Link> <span className="quiet">{row.model.metadata.symbol}</span>
        <div>
          <ModelState row={row} />
        </div>
      </th>
      <Cell label={t.explore.columns.raise}>
        {offering === undefined ? (
          <span className="quiet">{t.explore.noOffering}</span>
        ) : (
          <>
            {raised} {t.explore.ofMaximum}
            <Bar part={offering.committedUnits} whole={offering.maxRaiseUnits} label={t.explore.raiseBar(raised)} />
          </>
        )}
      </Cell>
      <Cell label={t.explore.columns.price} num>
        {row.live === undefined ? "–" : <Amount units={row.live.priceUnits} decimals={row.paymentDecimals} unit={unit} />}
      </Cell>
      <Cell label={t.explore.columns.served} num>
        {decimal(row.served, 0)}
      </Cell>
      <Cell label={t.explore.columns.revenue} num>
        {finalUnits === undefined ? (
          row.vault === undefined ? "–" : "…"
        ) : (
          <>
            {splits.data?.complete === false ? `${t.explore.atLeast} ` : ""}
            <Amount units={finalUnits} decimals={row.paymentDecimals} unit={unit} />
          </>
        )}
        {row.pendingUnits === 0n ? null : (
          <span className="quiet small">
            <br />
            {t.explore.pending} <Amount units={row.pendingUnits} decimals={row.paymentDecimals} unit={unit} />
          </span>
        )}
      </Cell>
      <Cell label={t.explore.columns.yield} num>
        {row.pool === undefined ? (
          "–"
        ) : (
          <Amount units={yieldUnits(row.pool, TOKEN_DECIMALS)} decimals={row.paymentDecimals} unit={t.explore.perThousand(unit)} />
        )}
      </Cell>
      <Cell label={t.explore.operators} num>
        <Link href={`/trust?model=${row.address}`} aria-label={t.explore.operatorsOf(row.operators.length, row.model.metadata.name)}>
          {row.operators.length}
        </Link>
        {caught === 0 ? null : (
          <span className="small">
            <br />
            <Tag mood="bad">{t.explore.caught(caught)}</Tag>
          </span>
        )}
      </Cell>
    </tr>
  );
}

function ModelState({ row }: { row: MarketRow }): ReactNode {
  const now = useNow();
  if (row.offering === undefined) return <Tag mood="plain">{row.live === undefined ? t.explore.states.noVersion : t.explore.states.served}</Tag>;
  const { text, mood } = offeringState(row.offering, now?.unix);
  return <Tag mood={mood}>{text}</Tag>;
}

/** How far an offering is, in a word. */
export function offeringState(offering: Offering, unix: bigint | undefined): { text: string; mood: Mood } {
  const { states } = t.explore;
  if (offering.status === OfferingStatus.Succeeded) return { text: states.succeeded, mood: "good" };
  if (offering.status === OfferingStatus.Failed) return { text: states.failed, mood: "bad" };
  if (unix === undefined) return { text: "…", mood: "plain" };
  if (unix < offering.opensUnix) return { text: states.soon, mood: "plain" };
  if (unix < offering.tailUnix) return { text: states.open, mood: "waiting" };
  if (unix < offering.closesUnix) return { text: states.tail, mood: "waiting" };
  return { text: states.toSettle, mood: "waiting" };
}

function matches({ address, model }: MarketRow, search: string): boolean {
  const wanted = search.trim().toLowerCase();
  const { name, symbol, licence } = model.metadata;
  return [name, symbol, licence].some((text) => text.toLowerCase().includes(wanted)) || address.startsWith(search.trim());
}

function order(rows: readonly MarketRow[], { by, down }: Sort): MarketRow[] {
  const value = (row: MarketRow): bigint | string => {
    switch (by) {
      case "name":
        return row.model.metadata.name.toLowerCase();
      case "raise":
        return row.offering === undefined || row.offering.maxRaiseUnits === 0n ? -1n : (row.offering.committedUnits * 1_000_000n) / row.offering.maxRaiseUnits;
      case "price":
        return row.live?.priceUnits ?? -1n;
      case "served":
        return row.served;
      case "revenue":
        return row.collectedUnits;
      case "yield":
        return row.pool?.accumulator ?? -1n;
    }
  };
  return [...rows].sort((a, b) => {
    const [left, right] = [value(a), value(b)];
    if (left === right) return a.address.localeCompare(b.address);
    return left < right === down ? 1 : -1;
  });
}

/** Price of a whole token at what is committed. */
export function TokenPrice({ offering, decimals, unit }: { offering: Offering; decimals: number; unit: string }): ReactNode {
  const price = priceMicroUnits(offering.committedUnits, offering, TOKEN_DECIMALS);
  return price === undefined ? "–" : <Amount units={price} decimals={decimals + 6} unit={t.explore.perToken(unit)} />;
}
