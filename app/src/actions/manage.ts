// What developers change about a model that is registered: who may operate it, what it is called, and who its developer is.

import { type Address, createNoopSigner, type Instruction } from "@solana/kit";
import {
  type Appointment,
  getAcceptDeveloperInstructionAsync,
  getApplyMetadataInstructionAsync,
  getAppointOperatorInstructionAsync,
  getCancelMetadataInstructionAsync,
  getCloseAppointmentInstruction,
  getDismissOperatorInstructionAsync,
  getProposeDeveloperInstruction,
  getProposeMetadataInstructionAsync,
  getSetOperatorAccessInstructionAsync,
  type MetadataArgs,
  type MetadataUpdate,
  type OperatorAccess,
} from "@imo/client/model-token";
import type { Found } from "../chain/chain.ts";
import type { ModelView } from "../views/model.ts";

/** The default key: naming it as the successor names nobody. */
export const NOBODY = "11111111111111111111111111111111" as Address;

export async function setAccess(view: ModelView, operators: OperatorAccess): Promise<Instruction[]> {
  return [await getSetOperatorAccessInstructionAsync({ developer: createNoopSigner(view.model.developer), model: view.address, operators })];
}

/** Puts an operator on the list, or takes its dismissal back. */
export async function admitOperator(view: ModelView, authority: Address): Promise<Instruction[]> {
  const signer = createNoopSigner(view.model.developer);
  return [await getAppointOperatorInstructionAsync({ developer: signer, payer: signer, model: view.address, operatorAuthority: authority })];
}

export async function dismissOperator(view: ModelView, appointment: Address): Promise<Instruction[]> {
  return [await getDismissOperatorInstructionAsync({ developer: createNoopSigner(view.model.developer), model: view.address, appointment })];
}

/** Clears away the appointment of an operator whose notice is over: anyone may. */
export function closeAppointment({ address, data }: Found<Appointment>): Instruction[] {
  return [getCloseAppointmentInstruction({ appointment: address, rentPayer: data.rentPayer })];
}

export async function announceCard(view: ModelView, metadata: MetadataArgs): Promise<Instruction[]> {
  const signer = createNoopSigner(view.model.developer);
  return [await getProposeMetadataInstructionAsync({ developer: signer, payer: signer, model: view.address, metadata })];
}

export async function applyCard(view: ModelView, update: MetadataUpdate): Promise<Instruction[]> {
  const signer = createNoopSigner(view.model.developer);
  return [await getApplyMetadataInstructionAsync({ developer: signer, payer: signer, model: view.address, rentPayer: update.rentPayer })];
}

export async function cancelCard(view: ModelView, update: MetadataUpdate): Promise<Instruction[]> {
  return [await getCancelMetadataInstructionAsync({ developer: createNoopSigner(view.model.developer), model: view.address, rentPayer: update.rentPayer })];
}

/** Names who may take the model over, or with {@link NOBODY} takes that back. */
export function nameSuccessor(view: ModelView, successor: Address): Instruction[] {
  return [getProposeDeveloperInstruction({ developer: createNoopSigner(view.model.developer), model: view.address, pendingDeveloper: successor })];
}

export async function acceptModel(view: ModelView): Promise<Instruction[]> {
  return [await getAcceptDeveloperInstructionAsync({ pendingDeveloper: createNoopSigner(view.model.pendingDeveloper), model: view.address })];
}
