// Small pieces that every page is made of.

import { type QueryObserverResult } from "@tanstack/react-query";
import { type Address } from "@solana/kit";
import { type ReactNode, useEffect, useId, useState } from "react";
import { failureOf } from "../chain/failure.ts";
import { type Deadline, secondsLeft } from "../maths/deadline.ts";
import { useNow } from "../state.tsx";
import { t } from "../texts.ts";
import { dateTime, decimal, duration, parseUnits, shortened } from "./format.ts";

export const TOKEN_DECIMALS = 6;

/** An amount with its unit. */
export function Amount({ units, decimals, unit }: { units: bigint; decimals: number; unit: string }): ReactNode {
  return (
    <span className="amount">
      {decimal(units, decimals)} <span className="unit">{unit}</span>
    </span>
  );
}

export function AddressText({ address, name }: { address: Address | string; name?: string }): ReactNode {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 1500);
    return () => clearTimeout(timer);
  }, [copied]);
  return (
    <span title={address}>
      {name === undefined ? null : `${name} `}
      <span className="mono">{shortened(address)}</span>{" "}
      <button
        type="button"
        className="plain small"
        aria-label={t.common.copyAddress(shortened(address))}
        onClick={() => void navigator.clipboard.writeText(address).then(() => setCopied(true))}
      >
        {copied ? t.common.copied : t.common.copy}
      </button>
    </span>
  );
}

/** The seconds that have gone since this was last told the time. */
function useTicking(): bigint {
  const now = useNow();
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((count) => count + 1), 1000);
    return () => clearInterval(timer);
  }, []);
  return now === undefined ? 0n : BigInt(Math.max(0, Math.floor((Date.now() - now.readAt) / 1000)));
}

export function Countdown({ deadline, past }: { deadline: Deadline; past: string }): ReactNode {
  const now = useNow();
  const gone = useTicking();
  return <Left seconds={now === undefined ? undefined : secondsLeft(deadline, now) - gone} until={deadline.dueUnix} past={past} />;
}

export function Until({ unix, past }: { unix: bigint; past: string }): ReactNode {
  const now = useNow();
  const gone = useTicking();
  return <Left seconds={now === undefined ? undefined : unix - now.unix - gone} until={unix} past={past} />;
}

/** A time in one line, or the words for when there is none left. */
function Left({ seconds, until, past }: { seconds: bigint | undefined; until: bigint; past: string }): ReactNode {
  if (seconds === undefined) return <span>…</span>;
  const left = seconds > 0n;
  return (
    <span className={left ? "left" : undefined} title={dateTime(until)}>
      {left ? duration(seconds) : past}
    </span>
  );
}

export type Mood = "good" | "waiting" | "bad" | "plain";

export function Tag({ mood, children }: { mood: Mood; children: ReactNode }): ReactNode {
  return <span className={`tag ${mood}`}>{children}</span>;
}

export function Note({ mood, children, live }: { mood: Mood; children: ReactNode; live?: boolean }): ReactNode {
  return (
    <div className={`note ${mood}`} role={live ? (mood === "bad" ? "alert" : "status") : undefined}>
      {children}
    </div>
  );
}

export function Empty({ children }: { children: ReactNode }): ReactNode {
  return <p className="empty">{children}</p>;
}

/** What a failure means and what to do, in words. */
export function FailureText({ thrown }: { thrown: unknown }): ReactNode {
  const failure = failureOf(thrown);
  const { title, what } = t.failures.of(failure);
  return (
    <>
      <p>
        <strong>{title}</strong>
      </p>
      <p>{what}</p>
    </>
  );
}

/** Loading, failed, or what was asked for. What is known stays on the page while it is asked for again. */
export function Loaded<T>({ query, children }: { query: QueryObserverResult<T>; children: (data: T) => ReactNode }): ReactNode {
  if (query.data !== undefined) return children(query.data);
  if (query.isError) {
    return (
      <Note mood="bad" live>
        <FailureText thrown={query.error} />
        <button type="button" onClick={() => void query.refetch()}>
          {t.common.tryAgain}
        </button>
      </Note>
    );
  }
  return (
    <p className="loading" role="status">
      {t.common.loading}
    </p>
  );
}

export function Figures({ of }: { of: readonly (readonly [string, ReactNode] | undefined)[] }): ReactNode {
  return (
    <dl className="figures">
      {of.map((entry) =>
        entry === undefined ? null : (
          <div key={entry[0]}>
            <dt>{entry[0]}</dt>
            <dd>{entry[1]}</dd>
          </div>
        ),
      )}
    </dl>
  );
}

export function Facts({ of }: { of: readonly (readonly [string, ReactNode] | undefined)[] }): ReactNode {
  return (
    <dl className="facts">
      {of.map((entry) => (entry === undefined ? null : <FactRow key={entry[0]} name={entry[0]} value={entry[1]} />))}
    </dl>
  );
}

function FactRow({ name, value }: { name: string; value: ReactNode }): ReactNode {
  return (
    <>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </>
  );
}

export interface AmountInput {
  text: string;
  set: (text: string) => void;
  /** Undefined while the text is no amount. */
  units: bigint | undefined;
}

export function useAmount(decimals: number, initial = ""): AmountInput {
  const [text, set] = useState(initial);
  return { text, set, units: parseUnits(text, decimals) };
}

export function AmountField(props: {
  label: string;
  amount: AmountInput;
  unit: string;
  decimals: number;
  most?: bigint | undefined;
  mostLabel?: string;
}): ReactNode {
  const { label, amount, unit, decimals, most, mostLabel } = props;
  const id = useId();
  const tooMuch = most !== undefined && amount.units !== undefined && amount.units > most;
  const wrong = amount.text !== "" && amount.units === undefined ? t.common.noAmount(decimals) : tooMuch ? t.common.atMost(decimal(most, decimals), unit) : undefined;
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <div className="with-unit">
        <input
          id={id}
          inputMode="decimal"
          autoComplete="off"
          value={amount.text}
          aria-invalid={wrong !== undefined}
          aria-describedby={wrong === undefined ? undefined : `${id}-wrong`}
          onChange={(event) => amount.set(event.target.value)}
        />
        <span className="unit">{unit}</span>
        {most === undefined ? null : (
          <button type="button" className="plain" onClick={() => amount.set(decimal(most, decimals).replaceAll(",", ""))}>
            {mostLabel ?? t.common.max}
          </button>
        )}
      </div>
      {wrong === undefined ? null : (
        <span id={`${id}-wrong`} className="wrong small">
          {wrong}
        </span>
      )}
    </div>
  );
}

export function TextField(props: {
  label: string;
  value: string;
  set: (value: string) => void;
  hint?: string;
  wrong?: string | undefined;
  type?: string;
}): ReactNode {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{props.label}</label>
      <input
        id={id}
        type={props.type ?? "text"}
        autoComplete="off"
        spellCheck={false}
        value={props.value}
        aria-invalid={props.wrong !== undefined}
        aria-describedby={`${id}-more`}
        onChange={(event) => props.set(event.target.value)}
      />
      <span id={`${id}-more`} className={props.wrong === undefined ? "quiet small" : "wrong small"}>
        {props.wrong ?? props.hint ?? ""}
      </span>
    </div>
  );
}

/** A labelled cell of a table that becomes a list on a narrow screen. */
export function Cell({ label, num, children }: { label: string; num?: boolean; children: ReactNode }): ReactNode {
  return (
    <td data-label={label} className={num === true ? "num" : undefined}>
      <span>{children}</span>
    </td>
  );
}
