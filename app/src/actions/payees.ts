// Paying out what contributors have earned: anyone may, and only they are paid.

import { type Address, createNoopSigner, type Instruction } from "@solana/kit";
import { findPaymentAccount } from "@imo/client";
import { findAuditTokensPda } from "@imo/client/opml-oracle";
import { type Earnings, findEarningsPda, findVaultPda, findVaultTokensPda, getPayAuditShareInstruction, getPayUpstreamInstructionAsync, getWithdrawContributionInstructionAsync } from "@imo/client/revenue-escrow";
import { findPoolPda, findRevenueVaultPda } from "@imo/client/yield-distributor";
import type { Chain, Found } from "../chain/chain.ts";
import { Failed } from "../chain/failure.ts";
import { MODEL, POOL } from "../chain/kinds.ts";
import type { Payee } from "../views/payees.ts";
import { dueMarks } from "./marks.ts";
import { makePaymentAccount } from "./tokens.ts";

/** A person gets it in the associated account; a model's holders in their pool. */
export async function payPayee(chain: Chain, payee: Payee, caller: Address): Promise<Instruction[]> {
  return payee.contributor.isModel ? payUpstream(chain, payee, caller) : payPerson(payee, caller);
}

async function payPerson({ model, mint, version, index, contributor: { recipient } }: Payee, caller: Address): Promise<Instruction[]> {
  return [
    await makePaymentAccount(caller, recipient, mint),
    await getWithdrawContributionInstructionAsync({
      caller: createNoopSigner(caller),
      modelVersion: version,
      vault: (await findVaultPda({ model }))[0],
      mint,
      destination: await findPaymentAccount(recipient, mint),
      vaultTokens: (await findVaultTokensPda({ model }))[0],
      index,
    }),
  ];
}

async function payUpstream(chain: Chain, { model, mint, version, index, contributor: { recipient: upstream } }: Payee, caller: Address): Promise<Instruction[]> {
  const [pool] = await findPoolPda({ model: upstream });
  const [found, poolNow, { slot }] = await Promise.all([chain.one(MODEL, upstream), chain.one(POOL, pool), chain.now()]);
  if (found === undefined) throw new Failed({ kind: "missing", what: upstream });
  const [vault] = await findVaultPda({ model });
  return [
    await getPayUpstreamInstructionAsync({
      rentPayer: createNoopSigner(caller),
      modelVersion: version,
      vault,
      mint,
      vaultTokens: (await findVaultTokensPda({ model }))[0],
      upstream,
      upstreamEarnings: (await findEarningsPda({ vault, recipient: found.developer }))[0],
      pool,
      revenueVault: (await findRevenueVaultPda({ pool }))[0],
      ...(await dueMarks(pool, poolNow, slot)),
      index,
    }),
  ];
}

/** What a vault has set aside for audits, into the audit fund of its mint. */
export async function payAudits({ address, data }: Found<Earnings>, model: Address, mint: Address): Promise<Instruction[]> {
  return [
    getPayAuditShareInstruction({
      vault: data.vault,
      earnings: address,
      mint,
      auditTokens: (await findAuditTokensPda({ mint }))[0],
      vaultTokens: (await findVaultTokensPda({ model }))[0],
    }),
  ];
}
