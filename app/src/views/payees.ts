// What the contributors of versions have earned, people and models alike, and what of it is still owed.

import type { Address } from "@solana/kit";
import { type Contributor, findProtocolPda, type ModelVersion } from "@imo/client/model-token";
import { type Contributions, type Earnings, findContributionsPda, findEarningsPda } from "@imo/client/revenue-escrow";
import type { Chain, Found } from "../chain/chain.ts";
import { CONTRIBUTIONS, EARNINGS, MODEL, PROTOCOL, VERSION } from "../chain/kinds.ts";
import { entitledUnits } from "../maths/contribution.ts";
import type { ModelView } from "./model.ts";

export interface Payee {
  /** The model that pays, and the version that names the contributor. */
  model: Address;
  mint: Address;
  version: Address;
  versionNumber: number;
  /** Its place in the version's list. */
  index: number;
  contributor: Contributor;
  /** What a contributor that is a model is called. */
  name: string | undefined;
  earnedUnits: bigint;
  dueUnits: bigint;
}

export interface Payees {
  payees: Payee[];
  /** What the vault has set aside for audits; undefined when it has nothing. */
  audits: Found<Earnings> | undefined;
}

/** Of all versions of a model that earned something for contributors, the newest version first. */
export async function readPayees(chain: Chain, view: ModelView): Promise<Payees> {
  const versions = view.versions.filter(({ version }) => version.contributors.length > 0).toReversed();
  const [[protocolAddress], contributionsAddresses] = await Promise.all([
    findProtocolPda(),
    Promise.all(versions.map(async ({ address }) => (await findContributionsPda({ modelVersion: address }))[0])),
  ]);
  const [protocol, contributions] = await Promise.all([chain.one(PROTOCOL, protocolAddress), chain.many(CONTRIBUTIONS, contributionsAddresses)]);
  const rows = versions.flatMap(({ address, version }, index) => payeesOf(address, version, view.model.paymentMint, contributions[index]));
  const treasury = protocol === undefined ? undefined : (await findEarningsPda({ vault: view.vaultAddress, recipient: protocol.treasury }))[0];
  const earnings = treasury === undefined ? undefined : await chain.one(EARNINGS, treasury);
  const audits = treasury === undefined || earnings === undefined || earnings.auditUnits === 0n ? undefined : { address: treasury, data: earnings };
  return { payees: await named(chain, rows), audits };
}

/** What all models owe one wallet as a contributor. */
export async function duesOf(chain: Chain, owner: Address): Promise<Payee[]> {
  const contributions = await chain.all(CONTRIBUTIONS);
  const versions = await chain.many(
    VERSION,
    contributions.map(({ data }) => data.modelVersion),
  );
  const models = await chain.many(
    MODEL,
    versions.flatMap((version) => (version === undefined ? [] : [version.model])),
  );
  const mintOf = new Map(versions.filter((version) => version !== undefined).map(({ model }, index) => [model, models[index]?.paymentMint]));
  return contributions.flatMap(({ data }, index) => {
    const version = versions[index];
    const mint = version === undefined ? undefined : mintOf.get(version.model);
    if (version === undefined || mint === undefined) return [];
    return payeesOf(data.modelVersion, version, mint, data).filter(({ contributor, dueUnits }) => contributor.recipient === owner && !contributor.isModel && dueUnits > 0n);
  });
}

function payeesOf(address: Address, version: ModelVersion, mint: Address, contributions: Contributions | undefined): Payee[] {
  if (contributions === undefined) return [];
  return version.contributors.map((contributor, index): Payee => {
    const earnedUnits = entitledUnits(contributions.earnedUnits, contributor.bps, version.split.contributorsBps);
    const dueUnits = earnedUnits - (contributions.paidUnits[index] ?? 0n);
    return { model: version.model, mint, version: address, versionNumber: version.number, index, contributor, name: undefined, earnedUnits, dueUnits };
  });
}

async function named(chain: Chain, payees: Payee[]): Promise<Payee[]> {
  const upstream = payees.filter(({ contributor }) => contributor.isModel);
  const models = await chain.many(
    MODEL,
    upstream.map(({ contributor }) => contributor.recipient),
  );
  const names = new Map(upstream.map(({ contributor }, index) => [contributor.recipient, models[index]?.metadata.name]));
  return payees.map((payee) => ({ ...payee, name: names.get(payee.contributor.recipient) }));
}
