// What model developers do: register, publish, open an offering.

import { AccountRole, type Address, createNoopSigner, type Instruction, type ReadonlyUint8Array } from "@solana/kit";
import type { ModelHeader } from "@imo/client";
import {
  type Checkable,
  findModelPda,
  findModelVersionPda,
  getActivateVersionInstructionAsync,
  getOpenOfferingInstructionAsync,
  getPublishVersionInstructionAsync,
  getRegisterModelInstructionAsync,
  type MetadataArgs,
  type OpenOfferingInstructionDataArgs,
} from "@imo/client/model-token";
import { pack } from "../chain/transaction.ts";
import type { RevenueSplit } from "../maths/split.ts";
import type { ModelView } from "../views/model.ts";

/** A wallet, or a model that this one is built on: the program sees which. */
export interface Contributor {
  recipient: Address;
  bps: number;
}

/** What a version says, besides its model's own header. */
export interface VersionTerms {
  header: ModelHeader;
  split: RevenueSplit;
  priceUnits: bigint;
  checkable: Checkable;
  weightsUri: string;
  weightsUriHash: ReadonlyUint8Array;
  contributors: readonly Contributor[];
}

async function publish(developer: Address, model: Address, number: number, terms: VersionTerms): Promise<Instruction> {
  const signer = createNoopSigner(developer);
  const { header, split, priceUnits, checkable, weightsUri, weightsUriHash, contributors } = terms;
  const instruction = await getPublishVersionInstructionAsync({
    developer: signer,
    payer: signer,
    model,
    modelVersion: (await findModelVersionPda({ model, number }))[0],
    arithmeticVersion: header.arithmeticVersion,
    nodeCount: header.nodeCount,
    constantCount: header.constantCount,
    graphRoot: header.graphRoot,
    weightsRoot: header.weightsRoot,
    inputSpec: header.inputSpec,
    split,
    priceUnits,
    checkable,
    weightsUri,
    weightsUriHash,
    contributorsBps: contributors.map(({ bps }) => bps),
  });
  // Who they are, the accounts behind the instruction's own say, in the same order.
  const recipients = contributors.map(({ recipient }) => ({ address: recipient, role: AccountRole.READONLY }));
  return { ...instruction, accounts: [...(instruction.accounts ?? []), ...recipients] };
}

/** Registers the developer's model with this index and publishes its first version: one transaction where both fit, else two. */
export async function registerModel(
  developer: Address,
  index: number,
  paymentMint: Address,
  metadata: MetadataArgs,
  terms: VersionTerms,
): Promise<{ address: Address; transactions: Instruction[][] }> {
  const signer = createNoopSigner(developer);
  const [address] = await findModelPda({ creator: developer, index });
  const register = await getRegisterModelInstructionAsync({ developer: signer, payer: signer, paymentMint, model: address, index, metadata });
  return { address, transactions: pack([[register], [await publish(developer, address, 1, terms)]], developer) };
}

export async function publishVersion(view: ModelView, terms: VersionTerms): Promise<Instruction[]> {
  return [await publish(view.model.developer, view.address, view.model.versionCount + 1, terms)];
}

export async function activateVersion(view: ModelView, version: Address): Promise<Instruction[]> {
  return [await getActivateVersionInstructionAsync({ developer: createNoopSigner(view.model.developer), model: view.address, modelVersion: version })];
}

export async function openOffering(view: ModelView, terms: OpenOfferingInstructionDataArgs): Promise<Instruction[]> {
  const signer = createNoopSigner(view.model.developer);
  return [await getOpenOfferingInstructionAsync({ developer: signer, payer: signer, model: view.address, paymentMint: view.model.paymentMint, ...terms })];
}
