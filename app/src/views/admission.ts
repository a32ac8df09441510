// Who may operate a model: the developer's list, and the operators that could be on it.

import type { Address } from "@solana/kit";
import { type Appointment, type Model, OperatorAccess } from "@imo/client/model-token";
import type { Operator } from "@imo/client/opml-oracle";
import type { Chain, Found } from "../chain/chain.ts";
import { APPOINTMENT, FIRST_KEY, OPERATOR } from "../chain/kinds.ts";
import { type Deadline, isPast, isSet, type Now } from "../maths/deadline.ts";

/** Where an operator's mint stands in its account. */
const OPERATOR_MINT = 74n;

export interface Candidate {
  authority: Address;
  /** Its account for the model's payment mint; undefined when it has none yet. */
  operator: Found<Operator> | undefined;
  appointment: Found<Appointment> | undefined;
}

/** Everybody on the list, then the other operators of the model's payment mint, the largest stake first. */
export async function readCandidates(chain: Chain, address: Address, model: Model): Promise<Candidate[]> {
  const [appointments, operators] = await Promise.all([
    chain.all(APPOINTMENT, { offset: FIRST_KEY, key: address }),
    chain.all(OPERATOR, { offset: OPERATOR_MINT, key: model.paymentMint }),
  ]);
  operators.sort((a, b) => Number(b.data.stakeUnits - a.data.stakeUnits));
  const operatorOf = (authority: Address): Found<Operator> | undefined => operators.find(({ data }) => data.authority === authority);
  const listed = appointments.map((appointment): Candidate => ({ authority: appointment.data.operatorAuthority, operator: operatorOf(appointment.data.operatorAuthority), appointment }));
  const others = operators.filter(({ data }) => !listed.some(({ authority }) => authority === data.authority));
  return [...listed, ...others.map((operator): Candidate => ({ authority: operator.data.authority, operator, appointment: undefined }))];
}

/** Whether an operator may take on work: have a lane opened to it. */
export function admitsWork(model: Pick<Model, "operators">, appointment: Pick<Appointment, "dismissal"> | undefined): boolean {
  return model.operators === OperatorAccess.Open || (appointment !== undefined && !isSet(appointment.dismissal));
}

/** What an operator may do on a model, as the program's `admits_work` and `admits_report` decide. */
export type Admission =
  /** Everybody may, the list does not matter. */
  | { is: "anyone" }
  | { is: "admitted" }
  /** No new lanes; reports of what it has served, until then. */
  | { is: "leaving"; until: Deadline }
  | { is: "refused" };

export function admissionOf(model: Pick<Model, "operators" | "listing">, appointment: Pick<Appointment, "dismissal"> | undefined, now: Now): Admission {
  if (model.operators === OperatorAccess.Open) return { is: "anyone" };
  if (admitsWork(model, appointment)) return { is: "admitted" };
  const ends = [model.listing, ...(appointment === undefined ? [] : [appointment.dismissal])].filter((deadline) => !isPast(deadline, now));
  const until = ends.toSorted((a, b) => Number(b.dueSlot - a.dueSlot))[0];
  return until === undefined ? { is: "refused" } : { is: "leaving", until };
}

/** Whether an appointment's notice is over, so that anyone may clear it away. */
export function isOver(appointment: Pick<Appointment, "dismissal">, now: Now): boolean {
  return isSet(appointment.dismissal) && isPast(appointment.dismissal, now);
}
