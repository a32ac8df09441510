// What the scenarios ask the chain itself, so that a page is not believed about what it did.

import { type Address, createSolanaRpc } from "@solana/kit";
import {
  type Appointment,
  fetchMaybeAppointment,
  fetchMaybeMetadataUpdate,
  fetchModel,
  fetchOffering,
  findAppointmentPda,
  findMetadataUpdatePda,
  findModelVersionPda,
  findOfferingPda,
  type MetadataUpdate,
  type Model,
  type Offering,
} from "@imo/client/model-token";
import { type Bucket, type Credit, fetchContributions, fetchMaybeBucket, fetchMaybeCredit, findBucketPda, findContributionsPda, findCreditPda } from "@imo/client/revenue-escrow";
import { fetchPool, findPoolPda, type Pool } from "@imo/client/yield-distributor";
import { expect } from "vitest";
import { localnet } from "./world.ts";

export const chain = createSolanaRpc(localnet.cluster.rpc);
const CONFIRMED = { commitment: "confirmed" } as const;

export async function modelOf(address: Address): Promise<Model> {
  return (await fetchModel(chain, address, CONFIRMED)).data;
}

export async function appointmentOf(model: Address, operatorAuthority: Address): Promise<Appointment | undefined> {
  const [address] = await findAppointmentPda({ model, operatorAuthority });
  const found = await fetchMaybeAppointment(chain, address, CONFIRMED);
  return found.exists ? found.data : undefined;
}

export async function announcedCardOf(model: Address): Promise<MetadataUpdate | undefined> {
  const [address] = await findMetadataUpdatePda({ model });
  const found = await fetchMaybeMetadataUpdate(chain, address, CONFIRMED);
  return found.exists ? found.data : undefined;
}

/** Waits until the chain says so. */
export async function told<T>(read: () => Promise<T>, that: (value: T) => unknown, expected: unknown): Promise<void> {
  await expect.poll(async () => that(await read())).toEqual(expected);
}

export async function offeringOf(model: Address): Promise<Offering> {
  const [address] = await findOfferingPda({ model });
  return (await fetchOffering(chain, address, CONFIRMED)).data;
}

export async function poolOf(model: Address): Promise<Pool> {
  const [address] = await findPoolPda({ model });
  return (await fetchPool(chain, address, CONFIRMED)).data;
}

/** What the contributors of a model's version were paid so far, in the version's order. */
export async function paidOf(model: Address, number: number): Promise<bigint[]> {
  const [modelVersion] = await findModelVersionPda({ model, number });
  const [address] = await findContributionsPda({ modelVersion });
  return (await fetchContributions(chain, address, CONFIRMED)).data.paidUnits;
}

/** What a wallet holds of a mint, in its associated account. */
export async function heldBy(account: Address): Promise<bigint> {
  const found = await chain.getTokenAccountBalance(account, CONFIRMED).send().catch(() => undefined);
  return BigInt(found?.value.amount ?? 0);
}

export async function bucketOf(report: Address): Promise<Bucket | undefined> {
  const [address] = await findBucketPda({ report });
  const found = await fetchMaybeBucket(chain, address, CONFIRMED);
  return found.exists ? found.data : undefined;
}

export async function creditOf(payer: Address, model: Address): Promise<Credit | undefined> {
  const [address] = await findCreditPda({ payer, model });
  const found = await fetchMaybeCredit(chain, address, CONFIRMED);
  return found.exists ? found.data : undefined;
}
