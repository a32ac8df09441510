/** What the Rust client makes of the same things. */

import { readFileSync } from 'node:fs';

import { fromHex } from '@imo/client';
import type { Address } from '@solana/kit';

type Instruction = { program: Address; accounts: Array<[Address, boolean, boolean]>; data: string };
type Run = { input: string; inputRoot: string; outputRoot: string; values: number[] };
type Described = { modelRoot: string; header: string; output: string };

export type Vectors = {
    addresses: Array<[string, string, Record<string, string | number | { hex: string }>, Address]>;
    tokenAccounts: { owner: Address; mint: Address; payment: Address; token: Address };
    purse: {
        sessionSeed: string;
        session: Address;
        answerKey: Address;
        answerKeyHash: string;
        lane: Address;
        operator: Address;
        questions: Array<{
            request: string;
            requestLeaf: string;
            requestsRoot: string;
            voucher: string;
            signature: string;
            outputRoot: string;
            receipt: string;
            receiptLeaf: string;
            claimHash: string;
            questionHash: string;
            answer: string;
            answerSignature: string;
        }>;
    };
    trees: {
        firstSequence: number;
        receipts: string[];
        receiptsRoot: string;
        receiptPaths: string[][];
        allowListRoot: string;
        allowance: string[];
        tensorRoots: Array<[number, string]>;
    };
    instructions: Record<string, Instruction>;
    encoded: { lane: string; claimed: string };
    errors: Record<string, Record<string, [string, string]>>;
    models: { digits: { model: Described; runs: Run[] }; decoder: { file: string; model: Described; runs: Run[] } };
};

/** The package's folder: tests run from `build/test`. */
export const PACKAGE = new URL('../../', import.meta.url);

export const vectors = JSON.parse(readFileSync(new URL('test/vectors.json', PACKAGE), 'utf8')) as Vectors;

/** The key of 32 times the same byte. */
export function keyBytes(number: number): Uint8Array {
    return new Uint8Array(32).fill(number);
}

export function hexBytes(text: string): Uint8Array {
    return fromHex(text);
}
