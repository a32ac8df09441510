// Pictures of numbers. Each says the same in words to whoever cannot see it, and every colour has its name beside it.

import type { ReactNode } from "react";
import { vestedUnits, type VestingTerms } from "../maths/offering.ts";
import { SPLIT_PARTS, type RevenueSplit, shares, type SplitPart } from "../maths/split.ts";
import { t } from "../texts.ts";
import { bps, dateTime, decimal, duration, percent } from "./format.ts";

const WIDTH = 640;

/** Part of a whole as a number of pixels; never more than all of them. */
function scale(part: bigint, whole: bigint, pixels: number): number {
  if (whole <= 0n || part <= 0n) return 0;
  return part >= whole ? pixels : (Number((part * 10_000n) / whole) / 10_000) * pixels;
}

export function Bar({ part, whole, label }: { part: bigint; whole: bigint; label: string }): ReactNode {
  return (
    <svg className="bar" viewBox="0 0 112 8" preserveAspectRatio="none" role="img" aria-label={label}>
      <rect width="112" height="8" className="fill-rule" />
      <rect width={scale(part, whole, 112)} height="8" className="fill-a" />
    </svg>
  );
}

/** What is committed against minimum and maximum. */
export function RaisePicture(props: { committed: bigint; min: bigint; max: bigint; decimals: number; unit: string }): ReactNode {
  const { committed, min, max, decimals, unit } = props;
  const end = committed > max ? committed : max;
  const whole = end + end / 20n + 1n;
  const x = (units: bigint): number => scale(units, whole, WIDTH);
  const amount = (units: bigint): string => `${decimal(units, decimals)} ${unit}`;
  const label = t.offering.raisePicture(amount(committed), amount(min), amount(max));
  return (
    <svg className="picture" viewBox={`0 -6 ${WIDTH} 92`} role="img" aria-label={label}>
      <rect y="28" width={WIDTH} height="16" className="fill-rule" />
      <rect y="28" width={x(committed < max ? committed : max)} height="16" className={committed >= min ? "fill-a" : "fill-c"} />
      {committed > max ? <rect x={x(max)} y="28" width={x(committed) - x(max)} height="16" className="fill-b" /> : null}
      <Mark at={x(min)} text={t.offering.minimum} above />
      <Mark at={x(max)} text={t.offering.maximum} above={false} />
    </svg>
  );
}

function Mark({ at, text, above }: { at: number; text: string; above: boolean }): ReactNode {
  const anchor = at > WIDTH * 0.8 ? "end" : at < WIDTH * 0.2 ? "start" : "middle";
  return (
    <>
      <line x1={at} x2={at} y1={above ? 20 : 24} y2={above ? 48 : 54} className="line" />
      <text x={at} y={above ? 14 : 58} textAnchor={anchor} dominantBaseline={above ? "auto" : "hanging"}>
        {text}
      </text>
    </>
  );
}

const PART_CLASS: Record<SplitPart, string> = {
  holders: "fill-a",
  redeem: "fill-d",
  developer: "fill-c",
  operator: "fill-b",
  contributors: "fill-e",
  protocol: "fill-f",
};

const PART_BPS: Record<SplitPart, keyof RevenueSplit> = {
  holders: "holdersBps",
  redeem: "redeemBps",
  developer: "developerBps",
  operator: "operatorBps",
  contributors: "contributorsBps",
  protocol: "protocolBps",
};

/** Who gets what of an answer at its price. */
export function SplitPicture({ split, priceUnits, decimals, unit }: { split: RevenueSplit; priceUnits: bigint; decimals: number; unit: string }): ReactNode {
  const amounts = shares(priceUnits, split);
  const parts = SPLIT_PARTS.map((part) => ({ part, share: split[PART_BPS[part]] })).filter(({ share }) => share > 0);
  let x = 0;
  return (
    <figure className="split">
      <svg className="picture" viewBox={`0 0 ${WIDTH} 28`} aria-hidden="true">
        {parts.map(({ part, share }) => {
          const width = (share / 10_000) * WIDTH;
          const rect = <rect key={part} x={x} width={Math.max(0, width - 2)} height="28" className={PART_CLASS[part]} />;
          x += width;
          return rect;
        })}
      </svg>
      <ul className="legend">
        {parts.map(({ part, share }) => (
          <li key={part}>
            <svg viewBox="0 0 12 12" aria-hidden="true">
              <rect width="12" height="12" className={PART_CLASS[part]} />
            </svg>
            {t.split[part]}{" "}
            <span className="quiet">
              {bps(share)}, {decimal(amounts[part], decimals)} {unit}
            </span>
          </li>
        ))}
      </ul>
    </figure>
  );
}

/** When tokens become free, as a line from the settlement on. */
export function VestingPicture(props: { terms: VestingTerms; settledUnix: bigint | undefined; nowUnix: bigint | undefined }): ReactNode {
  const { terms, settledUnix, nowUnix } = props;
  const length = terms.cliffSeconds + terms.linearSeconds;
  if (terms.immediateBps === 10_000) return <p>{t.offering.allAtOnce}</p>;
  const whole = Math.max(1, length * 1.08);
  const x = (seconds: number): number => (seconds / whole) * WIDTH;
  const y = (shareBps: number): number => 112 - (shareBps / 10_000) * 96;
  const rest = 10_000 - terms.immediateBps;
  const elapsed = settledUnix === undefined || nowUnix === undefined ? undefined : Number(nowUnix - settledUnix);
  const freeBps = elapsed === undefined ? undefined : terms.immediateBps + Number(vestedUnits(BigInt(rest), BigInt(elapsed), terms));
  const label = t.offering.vestingPicture(bps(terms.immediateBps), duration(BigInt(terms.cliffSeconds)), duration(BigInt(terms.linearSeconds)));
  return (
    <figure className="vesting">
      <svg className="picture" viewBox={`0 0 ${WIDTH} 146`} role="img" aria-label={label}>
        <line x1="0" x2={WIDTH} y1="112" y2="112" className="line" />
        <polyline
          className="line-a"
          points={[
            [0, y(terms.immediateBps)],
            [x(terms.cliffSeconds), y(terms.immediateBps)],
            [x(terms.cliffSeconds), terms.linearSeconds === 0 ? y(10_000) : y(terms.immediateBps)],
            [x(length), y(10_000)],
            [WIDTH, y(10_000)],
          ]
            .map((point) => point.join(","))
            .join(" ")}
        />
        {elapsed === undefined || freeBps === undefined || elapsed < 0 ? null : (
          <circle cx={Math.min(WIDTH - 5, x(elapsed))} cy={y(freeBps)} r="5" className="fill-a" />
        )}
        <text x="0" y="118" dominantBaseline="hanging">
          {t.offering.settlement}
        </text>
        <text x={x(length)} y="118" textAnchor="end" dominantBaseline="hanging">
          {duration(BigInt(length))}
        </text>
      </svg>
      <figcaption className="quiet small">{label}</figcaption>
    </figure>
  );
}

export interface RevenuePoint {
  key: string;
  unix: bigint | undefined;
  revenueUnits: bigint;
  /** Of it, what holders and the redeem pool got. */
  holdersUnits: bigint;
}

/** Revenue, one bar a report. */
export function RevenueChart({ points, decimals, unit }: { points: readonly RevenuePoint[]; decimals: number; unit: string }): ReactNode {
  const shown = points.slice(-48);
  const highest = shown.reduce((most, point) => (point.revenueUnits > most ? point.revenueUnits : most), 1n);
  const slot = WIDTH / Math.max(shown.length, 8);
  return (
    <figure className="revenue">
      <svg className="picture" viewBox={`0 0 ${WIDTH} 164`} role="img" aria-label={t.model.revenueChart(shown.length)}>
        {shown.map((point, index) => {
          const height = scale(point.revenueUnits, highest, 120);
          const holders = scale(point.holdersUnits, highest, 120);
          return (
            <g key={point.key}>
              <title>
                {`${point.unix === undefined ? "" : `${dateTime(point.unix)}: `}${decimal(point.revenueUnits, decimals)} ${unit} (${percent(point.holdersUnits, point.revenueUnits)})`}
              </title>
              <rect x={index * slot + 2} y={130 - height} width={Math.max(2, slot - 4)} height={height} className="fill-b" />
              <rect x={index * slot + 2} y={130 - holders} width={Math.max(2, slot - 4)} height={holders} className="fill-a" />
            </g>
          );
        })}
        <line x1="0" x2={WIDTH} y1="130" y2="130" className="line" />
        <text x="0" y="136" dominantBaseline="hanging">
          {t.model.highestReport(decimal(highest, decimals), unit)}
        </text>
      </svg>
      <ul className="legend">
        {[
          ["fill-a", t.model.toHolders],
          ["fill-b", t.model.toOthers],
        ].map(([fill, name]) => (
          <li key={fill}>
            <svg viewBox="0 0 12 12" aria-hidden="true">
              <rect width="12" height="12" className={fill} />
            </svg>
            {name}
          </li>
        ))}
      </ul>
    </figure>
  );
}
