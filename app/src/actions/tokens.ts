// Instructions of the token programs that ours need around them.

import { AccountRole, type Address, type Instruction } from "@solana/kit";
import { ASSOCIATED_TOKEN_PROGRAM_ADDRESS, findPaymentAccount, findTokenAccount, TOKEN_2022_PROGRAM_ADDRESS, TOKEN_PROGRAM_ADDRESS } from "@imo/client";
import type { Chain } from "../chain/chain.ts";
import { tokenAccount } from "../chain/chain.ts";

const SYSTEM_PROGRAM = "11111111111111111111111111111111" as Address;
const WRAPPED_SOL = "So11111111111111111111111111111111111111112" as Address;

/** Makes the owner's associated account where there is none. */
async function associated(payer: Address, owner: Address, mint: Address, account: Address, program: Address): Promise<Instruction> {
  return {
    programAddress: ASSOCIATED_TOKEN_PROGRAM_ADDRESS,
    accounts: [
      { address: payer, role: AccountRole.WRITABLE_SIGNER },
      { address: account, role: AccountRole.WRITABLE },
      { address: owner, role: AccountRole.READONLY },
      { address: mint, role: AccountRole.READONLY },
      { address: SYSTEM_PROGRAM, role: AccountRole.READONLY },
      { address: program, role: AccountRole.READONLY },
    ],
    // Idempotent.
    data: Uint8Array.of(1),
  };
}

export async function makePaymentAccount(payer: Address, owner: Address, mint: Address): Promise<Instruction> {
  return associated(payer, owner, mint, await findPaymentAccount(owner, mint), TOKEN_PROGRAM_ADDRESS);
}

export async function makeTokenAccount(payer: Address, owner: Address, mint: Address): Promise<Instruction> {
  return associated(payer, owner, mint, await findTokenAccount(owner, mint), TOKEN_2022_PROGRAM_ADDRESS);
}

/** What has to come before a payment of `units`: the account, and for wrapped SOL as much as it lacks. */
export async function readyToPay(chain: Chain, owner: Address, mint: Address, units: bigint): Promise<Instruction[]> {
  const make = await makePaymentAccount(owner, owner, mint);
  if (mint !== WRAPPED_SOL) return [make];
  const account = await findPaymentAccount(owner, mint);
  const [found] = await chain.raw([account]);
  const held = found === undefined ? 0n : (tokenAccount(account, found)?.units ?? 0n);
  return held >= units ? [make] : [make, transferSol(owner, account, units - held), syncNative(account)];
}

function transferSol(from: Address, to: Address, lamports: bigint): Instruction {
  const data = new Uint8Array(12);
  data[0] = 2;
  new DataView(data.buffer).setBigUint64(4, lamports, true);
  return {
    programAddress: SYSTEM_PROGRAM,
    accounts: [
      { address: from, role: AccountRole.WRITABLE_SIGNER },
      { address: to, role: AccountRole.WRITABLE },
    ],
    data,
  };
}

function syncNative(account: Address): Instruction {
  return { programAddress: TOKEN_PROGRAM_ADDRESS, accounts: [{ address: account, role: AccountRole.WRITABLE }], data: Uint8Array.of(17) };
}
