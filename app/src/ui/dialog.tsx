// The dialog of every transaction: what it does in plain words and by simulation, the wallet, then its way to finality.

import type { Signature } from "@solana/kit";
import { type ReactNode, useCallback, useEffect, useRef, useState } from "react";
import { type Move, type Preview, type Progress, send, simulate } from "../chain/transaction.ts";
import { useChain, useMints, useReadAgain, useUnitOf, useWallet } from "../state.tsx";
import { t } from "../texts.ts";
import { decimal } from "./format.ts";
import { FailureText, Note } from "./parts.tsx";
import { type Plan, programName, SignatureLink } from "./transaction.tsx";

type Step =
  | { at: "simulating" }
  | { at: "ready"; preview: Preview }
  | { at: "going"; preview: Preview; progress: Progress; signature: Signature | undefined }
  | { at: "failed"; error: unknown; signature: Signature | undefined };

export function Dialog({ make, close }: { make: () => Promise<Plan>; close: () => void }): ReactNode {
  const chain = useChain();
  const wallet = useWallet();
  const readAgain = useReadAgain();
  const [plan, setPlan] = useState<Plan>();
  const [index, setIndex] = useState(0);
  const [step, setStep] = useState<Step>({ at: "simulating" });
  const [confirmed, setConfirmed] = useState(0);
  const dialog = useRef<HTMLDialogElement>(null);
  const open = useRef(true);

  useEffect(() => {
    open.current = true;
    dialog.current?.showModal();
    return () => {
      open.current = false;
    };
  }, []);

  const prepare = useCallback(
    async (known: Plan | undefined, at: number) => {
      setStep({ at: "simulating" });
      try {
        if (wallet === undefined) return close();
        const made = known ?? (await make());
        setPlan(made);
        const preview = await simulate(chain, made.transactions[at] ?? [], wallet.address);
        if (open.current) setStep({ at: "ready", preview });
      } catch (error) {
        if (open.current) setStep({ at: "failed", error, signature: undefined });
      }
    },
    [chain, wallet, make, close],
  );
  const began = useRef(false);
  useEffect(() => {
    if (began.current) return;
    began.current = true;
    void prepare(undefined, 0);
  }, [prepare]);

  const go = async (preview: Preview): Promise<void> => {
    if (plan === undefined || wallet === undefined) return;
    const isLast = index + 1 === plan.transactions.length;
    let latest: Signature | undefined;
    let told = false;
    try {
      await send(chain, plan.transactions[index] ?? [], preview, wallet, (progress, signature) => {
        latest = signature;
        if (progress === "confirmed" || progress === "finalized") {
          setConfirmed((count) => Math.max(count, index + 1));
          void readAgain();
          if (isLast && !told) plan.done?.();
          told = true;
        }
        if (open.current) setStep({ at: "going", preview, progress, signature });
      });
      void readAgain();
      if (!open.current || isLast) return;
      setIndex(index + 1);
      await prepare(plan, index + 1);
    } catch (error) {
      if (open.current) setStep({ at: "failed", error, signature: latest });
    }
  };

  // Until the wallet has signed, leaving has no effect on the chain; after that, none on the transaction.
  const finished = step.at === "going" && step.progress === "finalized" && index + 1 === plan?.transactions.length;
  const landed = confirmed > index;
  return (
    <dialog ref={dialog} aria-labelledby="transaction-title" onClose={close} data-step={step.at === "going" ? step.progress : step.at}>
      <h2 id="transaction-title">{plan?.title ?? t.transaction.preparing}</h2>
      {plan === undefined ? null : plan.says.map((sentence) => <p key={sentence}>{sentence}</p>)}
      {plan !== undefined && plan.transactions.length > 1 ? (
        <p className="quiet">{t.transaction.part(index + 1, plan.transactions.length)}</p>
      ) : null}
      {step.at === "simulating" ? (
        <p role="status" className="loading">
          {t.transaction.simulating}
        </p>
      ) : null}
      {step.at === "ready" || step.at === "going" ? <What preview={step.preview} units={plan?.units} /> : null}
      {step.at === "going" ? <Way progress={step.progress} signature={step.signature} /> : null}
      {step.at === "failed" ? (
        <Note mood="bad" live>
          <FailureText thrown={step.error} />
          {step.signature === undefined ? null : <SignatureLink signature={step.signature} />}
        </Note>
      ) : null}
      <div className="actions">
        <button type="button" onClick={() => dialog.current?.close()}>
          {finished || landed ? t.common.close : t.common.cancel}
        </button>
        {step.at === "ready" ? (
          <button type="button" className="main" onClick={() => void go(step.preview)}>
            {t.transaction.confirm(wallet?.name ?? "")}
          </button>
        ) : null}
        {step.at === "failed" ? (
          <button type="button" className="main" onClick={() => void prepare(index === 0 ? undefined : plan, index)}>
            {t.common.tryAgain}
          </button>
        ) : null}
      </div>
    </dialog>
  );
}

function What({ preview, units }: { preview: Preview; units: Plan["units"] }): ReactNode {
  // The fee last: what it is about comes first.
  const leaves = preview.moves.filter((move) => move.units < 0n).sort((a, b) => Number(a.mint === undefined) - Number(b.mint === undefined));
  const arrives = preview.moves.filter((move) => move.units > 0n);
  return (
    <>
      <h3>{t.transaction.leaves}</h3>
      <Moves moves={leaves} units={units} none={t.transaction.nothingLeaves} />
      <h3>{t.transaction.arrives}</h3>
      <Moves moves={arrives} units={units} none={t.transaction.nothingArrives} />
      <h3>{t.transaction.programs}</h3>
      <p className="small">{preview.programs.map((program) => programName(program)).join(", ")}</p>
    </>
  );
}

function Moves({ moves, units, none }: { moves: readonly Move[]; units: Plan["units"]; none: string }): ReactNode {
  const unitOf = useUnitOf();
  const unknown = moves.flatMap(({ mint }) => (mint === undefined || units?.has(mint) ? [] : [mint]));
  const mints = useMints(unknown);
  if (moves.length === 0) return <p className="quiet">{none}</p>;
  return (
    <ul className="moves">
      {moves.map((move) => {
        const listed = move.mint === undefined ? { unit: "SOL", decimals: 9 } : units?.get(move.mint);
        const found = listed ?? (move.mint === undefined ? undefined : { unit: unitOf(move.mint), decimals: mints.data?.get(move.mint)?.decimals ?? 0 });
        const size = move.units < 0n ? -move.units : move.units;
        return (
          <li key={move.mint ?? "SOL"}>
            <span>{move.mint === undefined ? t.transaction.solMove : t.transaction.tokenMove}</span>
            <span>
              {decimal(size, found?.decimals ?? 0)} <span className="unit">{found?.unit}</span>
            </span>
          </li>
        );
      })}
    </ul>
  );
}

const WAY: readonly Progress[] = ["signing", "sent", "processed", "confirmed", "finalized"];

function Way({ progress, signature }: { progress: Progress; signature: Signature | undefined }): ReactNode {
  const reached = WAY.indexOf(progress);
  return (
    <div role="status">
      <h3>{t.transaction.way}</h3>
      <ol className="steps">
        {WAY.map((each, index) => (
          <li key={each} aria-current={index === reached ? "step" : undefined} className={index > reached ? "quiet" : undefined}>
            {t.transaction.progress[each]}
          </li>
        ))}
      </ol>
      {signature === undefined ? null : <SignatureLink signature={signature} />}
    </div>
  );
}
