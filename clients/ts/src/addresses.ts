/** Associated token accounts. What a program derives itself is found by the `find…Pda` functions of its entry. */

import { getAddressEncoder, getProgramDerivedAddress, type Address } from '@solana/kit';

export const ASSOCIATED_TOKEN_PROGRAM_ADDRESS = 'ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL' as Address;
export const TOKEN_PROGRAM_ADDRESS = 'TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA' as Address;
export const TOKEN_2022_PROGRAM_ADDRESS = 'TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb' as Address;

/** The associated account of `owner` for a payment mint, which is classic SPL Token. */
export function findPaymentAccount(owner: Address, paymentMint: Address): Promise<Address> {
    return associated(owner, paymentMint, TOKEN_PROGRAM_ADDRESS);
}

/** The associated account of `owner` for a model's token, which is Token-2022. */
export function findTokenAccount(owner: Address, mint: Address): Promise<Address> {
    return associated(owner, mint, TOKEN_2022_PROGRAM_ADDRESS);
}

async function associated(owner: Address, mint: Address, tokenProgram: Address): Promise<Address> {
    const encoder = getAddressEncoder();
    const [address] = await getProgramDerivedAddress({
        programAddress: ASSOCIATED_TOKEN_PROGRAM_ADDRESS,
        seeds: [encoder.encode(owner), encoder.encode(tokenProgram), encoder.encode(mint)],
    });
    return address;
}
