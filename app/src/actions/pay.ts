// What payers do: prepay, reserve for an operator, let this browser's key sign, take money out again.

import { type Address, createNoopSigner, type Instruction } from "@solana/kit";
import { findPaymentAccount } from "@imo/client";
import { findAppointmentPda, OperatorAccess, type Model } from "@imo/client/model-token";
import type { Operator } from "@imo/client/opml-oracle";
import {
  findCreditPda,
  findLanePda,
  findSessionPda,
  findVaultPda,
  findVaultTokensPda,
  getCloseCreditInstruction,
  getCloseLaneInstruction,
  getCloseSessionInstruction,
  getDepositCreditInstructionAsync,
  getFundLaneInstruction,
  getGrantSessionInstructionAsync,
  getOpenCreditInstructionAsync,
  getOpenLaneInstructionAsync,
  getOpenVaultInstructionAsync,
  getReleaseLaneInstruction,
  getRequestReleaseInstructionAsync,
  getRequestWithdrawInstructionAsync,
  getRevokeSessionInstructionAsync,
  getWithdrawCreditInstruction,
  type Credit,
  type Lane,
  type ModelVault,
  type Session,
} from "@imo/client/revenue-escrow";
import type { Chain } from "../chain/chain.ts";
import { isPast, isSet, type Now } from "../maths/deadline.ts";
import { CREDIT, LANE, MODEL_VAULT, SESSION } from "../chain/kinds.ts";
import { askedOn, type Asked, sessionSigner } from "../payer/session.ts";
import { makePaymentAccount, readyToPay } from "./tokens.ts";

/** What a wallet has prepaid for one model with one operator. */
export interface Purchase {
  wallet: Address;
  model: Address;
  operator: Address;
  vaultAddress: Address;
  vault: ModelVault | undefined;
  creditAddress: Address;
  credit: Credit | undefined;
  laneAddress: Address;
  lane: Lane | undefined;
  /** Which of this browser's keys signs, and what it was granted. */
  sessionNumber: number;
  sessionAddress: Address;
  session: Session | undefined;
  /** What was asked on the lane; undefined when another browser has asked. */
  asked: Asked | undefined;
}

export async function readPurchase(chain: Chain, wallet: Address, model: Address, operator: Address): Promise<Purchase> {
  const [vaultAddress] = await findVaultPda({ model });
  const [creditAddress] = await findCreditPda({ payer: wallet, model });
  const [laneAddress] = await findLanePda({ credit: creditAddress, operator });
  const known = storedNumber(creditAddress);
  const sessionAddresses = await Promise.all([known, known + 1].map((number) => sessionAddress(wallet, creditAddress, number)));
  const [vault, credit, lane, sessions] = await Promise.all([
    chain.one(MODEL_VAULT, vaultAddress),
    chain.one(CREDIT, creditAddress),
    chain.one(LANE, laneAddress),
    chain.many(SESSION, sessionAddresses),
  ]);
  // The next key is in use as soon as it was granted something.
  const next = sessions[1] !== undefined;
  const sessionNumber = next ? known + 1 : known;
  if (next) localStorage.setItem(numberPlace(creditAddress), `${sessionNumber}`);
  const session = next ? sessions[1] : sessions[0];
  const [first, second] = sessionAddresses as [Address, Address];
  const asked = lane === undefined ? undefined : await askedOn(laneAddress, lane.generation, lane.collectedCount);
  return { wallet, model, operator, vaultAddress, vault, creditAddress, credit, laneAddress, lane, sessionNumber, sessionAddress: next ? second : first, session, asked };
}

/** What the lane can still pay: reserved, less what was asked for and is not collected yet. */
export function balance({ lane, asked }: Purchase): { leftUnits: bigint; unpaidUnits: bigint } {
  if (lane === undefined) return { leftUnits: 0n, unpaidUnits: 0n };
  const amountUnits = asked?.amountUnits ?? lane.collectedUnits;
  const unpaidUnits = amountUnits > lane.collectedUnits ? amountUnits - lane.collectedUnits : 0n;
  return { leftUnits: lane.reservedUnits > unpaidUnits ? lane.reservedUnits - unpaidUnits : 0n, unpaidUnits };
}

function numberPlace(credit: Address): string {
  return `imo.session-number.${credit}`;
}

function storedNumber(credit: Address): number {
  return Number(localStorage.getItem(numberPlace(credit)) ?? "0");
}

async function sessionAddress(wallet: Address, credit: Address, number: number): Promise<Address> {
  const { address: key } = await sessionSigner(wallet, number);
  return (await findSessionPda({ credit, key }))[0];
}

/** What the session may still have collected. */
export function sessionLeft({ session }: Purchase, nowUnix: bigint): bigint {
  if (session === undefined || session.expiresUnix <= nowUnix + LEAST_SESSION_SECONDS || session.revokeDeadline.dueSlot !== 0n) return 0n;
  return session.limitUnits - session.spentUnits;
}

/** Operators ask that a voucher can be collected for a while. */
const LEAST_SESSION_SECONDS = 24n * 3600n;

/** How long the browser's key may sign, in seconds: a month. */
const SESSION_SECONDS = 30n * 24n * 3600n;

/** Pays `units` in, reserves them for the operator and lets this browser's key spend as much, whatever of that there is already. */
export async function prepay(
  chain: Chain,
  purchase: Purchase,
  model: Model,
  operator: Operator,
  units: bigint,
  nowUnix: bigint,
): Promise<Instruction[]> {
  const { wallet, vaultAddress, creditAddress, laneAddress } = purchase;
  const payer = createNoopSigner(wallet);
  const mint = model.paymentMint;
  const instructions: Instruction[] = await readyToPay(chain, wallet, mint, units);
  if (purchase.vault === undefined) instructions.push(await getOpenVaultInstructionAsync({ rentPayer: payer, model: purchase.model, mint }));
  if (purchase.credit === undefined) {
    instructions.push(await getOpenCreditInstructionAsync({ payer, rentPayer: payer, vault: vaultAddress, credit: creditAddress }));
  }
  instructions.push(
    await getDepositCreditInstructionAsync({
      depositor: payer,
      vault: vaultAddress,
      credit: creditAddress,
      mint,
      depositorTokens: await findPaymentAccount(wallet, mint),
      vaultTokens: (await findVaultTokensPda({ model: purchase.model }))[0],
      amountUnits: units,
    }),
  );
  if (purchase.lane === undefined) {
    const listed = model.operators === OperatorAccess.Listed;
    const [appointment] = await findAppointmentPda({ model: purchase.model, operatorAuthority: operator.authority });
    instructions.push(
      await getOpenLaneInstructionAsync({
        payer,
        rentPayer: payer,
        vault: vaultAddress,
        credit: creditAddress,
        operator: purchase.operator,
        model: purchase.model,
        ...(listed ? { appointment } : {}),
        amountUnits: units,
        private: false,
      }),
    );
  } else {
    instructions.push(getFundLaneInstruction({ payer, credit: creditAddress, lane: laneAddress, amountUnits: units }));
  }
  // A key is granted something once. When that does not cover what is reserved, the next one takes its place.
  const limitUnits = units + (purchase.lane?.reservedUnits ?? 0n);
  if (sessionLeft(purchase, nowUnix) < limitUnits) {
    const number = purchase.session === undefined ? purchase.sessionNumber : purchase.sessionNumber + 1;
    const { address: key } = await sessionSigner(wallet, number);
    instructions.push(
      await getGrantSessionInstructionAsync({
        payer,
        rentPayer: payer,
        credit: creditAddress,
        key,
        limitUnits,
        expiresUnix: nowUnix + SESSION_SECONDS,
      }),
    );
  }
  return instructions;
}

/** Announces that what is reserved leaves the lane. */
export async function announceRelease(purchase: Purchase, units: bigint): Promise<Instruction[]> {
  return [
    await getRequestReleaseInstructionAsync({ payer: createNoopSigner(purchase.wallet), credit: purchase.creditAddress, lane: purchase.laneAddress, amountUnits: units }),
  ];
}

/** Once the notice is over: what was announced is the credit's again, and announced to leave that, too. */
export async function release(purchase: Purchase): Promise<Instruction[]> {
  const payer = createNoopSigner(purchase.wallet);
  const { creditAddress, laneAddress, lane, credit } = purchase;
  const units = (credit?.availableUnits ?? 0n) + (credit?.withdrawingUnits ?? 0n) + (lane?.releasingUnits ?? 0n);
  return [
    getReleaseLaneInstruction({ payer, credit: creditAddress, lane: laneAddress }),
    await getRequestWithdrawInstructionAsync({ payer, credit: creditAddress, amountUnits: units }),
  ];
}

export async function announceWithdrawal(purchase: Purchase, units: bigint): Promise<Instruction[]> {
  return [await getRequestWithdrawInstructionAsync({ payer: createNoopSigner(purchase.wallet), credit: purchase.creditAddress, amountUnits: units })];
}

/** Once the notice is over: to the payer's own account. */
export async function withdrawCredit(purchase: Purchase, mint: Address): Promise<Instruction[]> {
  const { wallet, vaultAddress, creditAddress } = purchase;
  return [
    await makePaymentAccount(wallet, wallet, mint),
    getWithdrawCreditInstruction({
      payer: createNoopSigner(wallet),
      vault: vaultAddress,
      credit: creditAddress,
      mint,
      destination: await findPaymentAccount(wallet, mint),
      vaultTokens: (await findVaultTokensPda({ model: purchase.model }))[0],
    }),
  ];
}

/** Lets this browser's key sign no more. What it has signed can be collected until the notice is over. */
export async function revokeKey(purchase: Purchase): Promise<Instruction[]> {
  return [await getRevokeSessionInstructionAsync({ payer: createNoopSigner(purchase.wallet), credit: purchase.creditAddress, session: purchase.sessionAddress })];
}

export interface Closable {
  lane: boolean;
  session: boolean;
  credit: boolean;
}

/** What of a purchase is empty, so that it can be closed. */
export function closable(purchase: Pick<Purchase, "lane" | "session" | "credit" | "asked">, now: Now): Closable {
  const { lane, session, credit } = purchase;
  const unpaid = lane !== undefined && purchase.asked !== undefined && purchase.asked.amountUnits > lane.collectedUnits;
  const laneGoes = lane !== undefined && lane.reservedUnits + lane.releasingUnits === 0n && !unpaid;
  const revoked = session !== undefined && isSet(session.revokeDeadline) && isPast(session.revokeDeadline, now);
  const sessionGoes = session !== undefined && (revoked || session.expiresUnix < now.unix);
  const others = credit === undefined ? 0 : credit.openLanes - Number(laneGoes) + credit.openSessions - Number(sessionGoes) + credit.openCollections;
  const creditGoes = credit !== undefined && others === 0 && credit.availableUnits + credit.reservedUnits + credit.withdrawingUnits === 0n;
  return { lane: laneGoes, session: sessionGoes, credit: creditGoes };
}

/** Closes what is empty; its rent comes back. */
export function closeEmpty(purchase: Purchase, goes: Closable): Instruction[] {
  const payer = createNoopSigner(purchase.wallet);
  const { creditAddress: credit, laneAddress, sessionAddress } = purchase;
  const instructions: Instruction[] = [];
  if (goes.lane && purchase.lane !== undefined) instructions.push(getCloseLaneInstruction({ payer, credit, lane: laneAddress, rentPayer: purchase.lane.rentPayer }));
  if (goes.session && purchase.session !== undefined) instructions.push(getCloseSessionInstruction({ credit, session: sessionAddress, rentPayer: purchase.session.rentPayer }));
  if (goes.credit && purchase.credit !== undefined) instructions.push(getCloseCreditInstruction({ payer, credit, rentPayer: purchase.credit.rentPayer }));
  return instructions;
}
