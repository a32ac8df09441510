// Whom a model admits as operators, for its developer to change.

import { type Address, isAddress } from "@solana/kit";
import { type ReactNode, useState } from "react";
import { Link } from "wouter";
import { OperatorAccess } from "@imo/client/model-token";
import { admitOperator, closeAppointment, dismissOperator, setAccess } from "../actions/manage.ts";
import { isPast, isSet } from "../maths/deadline.ts";
import { freeStakeUnits } from "../maths/stake.ts";
import { useNow, useRead, useUnitOf } from "../state.tsx";
import { t } from "../texts.ts";
import { shortened } from "../ui/format.ts";
import { AddressText, Amount, Cell, Countdown, Empty, Loaded, Tag, TextField } from "../ui/parts.tsx";
import { TransactButton } from "../ui/transaction.tsx";
import { admissionOf, type Candidate, isOver, readCandidates } from "../views/admission.ts";
import type { ModelView } from "../views/model.ts";
import { given } from "./offering.tsx";

export function AdmissionSection({ view }: { view: ModelView }): ReactNode {
  const candidates = useRead(["candidates", view.address], (chain) => readCandidates(chain, view.address, view.model));
  return (
    <section aria-labelledby="admission" data-admission>
      <h2 id="admission">{t.admit.title}</h2>
      <Access view={view} />
      <Loaded query={candidates}>
        {(all) => (
          <>
            {all.length === 0 ? <Empty>{t.admit.none}</Empty> : <Operators view={view} candidates={all} />}
            <Admit view={view} candidates={all} />
          </>
        )}
      </Loaded>
    </section>
  );
}

/** Everybody, or the list. */
function Access({ view }: { view: ModelView }): ReactNode {
  const now = useNow();
  const { model } = view;
  const open = model.operators === OperatorAccess.Open;
  const next = open ? OperatorAccess.Listed : OperatorAccess.Open;
  const label = open ? t.admit.useList : t.admit.openToAll;
  const runs = now !== undefined && isSet(model.listing) && !isPast(model.listing, now);
  return (
    <>
      <p>
        {open ? t.admit.isOpen : t.admit.isListed}{" "}
        {runs ? (
          <>
            {t.admit.listingFor} <Countdown deadline={model.listing} past={t.common.over} />.
          </>
        ) : null}
      </p>
      <p>
        <TransactButton
          label={label}
          main={false}
          make={async () => ({ title: label, says: open ? [t.admit.useListSays, t.admit.useListNotice] : [t.admit.openToAllSays], transactions: [await setAccess(view, next)] })}
        />
      </p>
    </>
  );
}

function Operators({ view, candidates }: { view: ModelView; candidates: readonly Candidate[] }): ReactNode {
  const unit = useUnitOf()(view.model.paymentMint);
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
            <th scope="col">{t.admit.state}</th>
            <th scope="col">{t.common.actions}</th>
          </tr>
        </thead>
        <tbody>
          {candidates.map((candidate) => (
            <tr key={candidate.authority} data-candidate={candidate.authority}>
              <th scope="row">
                {candidate.operator === undefined ? (
                  <AddressText address={candidate.authority} />
                ) : (
                  <Link href={`/operator/${candidate.operator.address}`} className="mono">
                    {shortened(candidate.operator.address)}
                  </Link>
                )}
              </th>
              <Cell label={t.operate.endpoint}>{candidate.operator === undefined ? t.admit.notRegistered : candidate.operator.data.endpoint || "–"}</Cell>
              <Cell label={t.operate.stake} num>
                {candidate.operator === undefined ? "–" : <Amount units={freeStakeUnits(candidate.operator.data)} decimals={view.payment.decimals} unit={unit} />}
              </Cell>
              <Cell label={t.admit.state}>
                <State view={view} candidate={candidate} />
              </Cell>
              <Cell label={t.common.actions}>
                <Change view={view} candidate={candidate} />
              </Cell>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function State({ view, candidate: { appointment } }: { view: ModelView; candidate: Candidate }): ReactNode {
  const now = useNow();
  if (now === undefined) return <span>…</span>;
  const onList = appointment !== undefined && !isSet(appointment.data.dismissal);
  const admission = admissionOf(view.model, appointment?.data, now);
  switch (admission.is) {
    case "anyone":
      // The list can be made before it counts.
      return onList ? <Tag mood="good">{t.admit.states.onList}</Tag> : <Tag mood="plain">{t.admit.states.anyone}</Tag>;
    case "admitted":
      return <Tag mood="good">{t.admit.states.admitted}</Tag>;
    case "leaving":
      return (
        <>
          <Tag mood="waiting">{t.admit.states.leaving}</Tag>{" "}
          <span className="quiet small">
            <Countdown deadline={admission.until} past={t.common.over} />
          </span>
        </>
      );
    case "refused":
      return <Tag mood="plain">{t.admit.states.refused}</Tag>;
  }
}

function Change({ view, candidate: { authority, operator, appointment } }: { view: ModelView; candidate: Candidate }): ReactNode {
  const now = useNow();
  const name = shortened(operator?.address ?? authority);
  if (appointment !== undefined && !isSet(appointment.data.dismissal)) {
    return (
      <TransactButton
        label={t.admit.remove}
        main={false}
        make={async () => ({ title: t.admit.remove, says: [t.admit.removeSays(name)], transactions: [await dismissOperator(view, appointment.address)] })}
      />
    );
  }
  return (
    <span className="row">
      <TransactButton
        label={t.admit.admit}
        main={false}
        make={async () => ({ title: t.admit.admit, says: [t.admit.admitSays(name)], transactions: [await admitOperator(view, authority)] })}
      />
      {appointment !== undefined && now !== undefined && isOver(appointment.data, now) ? (
        <TransactButton label={t.admit.clear} main={false} make={async () => ({ title: t.admit.clear, says: [t.admit.clearSays], transactions: [closeAppointment(appointment)] })} />
      ) : null}
    </span>
  );
}

/** An operator that is not in the table, by its key. */
function Admit({ view, candidates }: { view: ModelView; candidates: readonly Candidate[] }): ReactNode {
  const [text, setText] = useState("");
  const typed = text.trim();
  // People copy the address of the operator's account, from its page; the list has authorities.
  const known = candidates.find(({ authority, operator }) => authority === typed || operator?.address === typed);
  const authority: Address | undefined = known?.authority ?? (isAddress(typed) ? typed : undefined);
  const listed = known?.appointment !== undefined && !isSet(known.appointment.data.dismissal);
  const wrong = typed === "" ? undefined : authority === undefined ? t.common.noAddress : listed ? t.admit.listedAlready : undefined;
  return (
    <form onSubmit={(event) => event.preventDefault()}>
      <TextField label={t.admit.authority} value={text} set={setText} wrong={wrong} hint={authority !== undefined && known?.operator === undefined ? t.admit.unknown : t.admit.authorityHint} />
      <TransactButton
        label={t.admit.put}
        main={false}
        disabled={authority === undefined || wrong !== undefined}
        make={async () => ({
          title: t.admit.put,
          says: [t.admit.admitSays(shortened(given(authority)))],
          transactions: [await admitOperator(view, given(authority))],
          done: () => setText(""),
        })}
      />
    </form>
  );
}
