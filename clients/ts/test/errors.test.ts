import assert from 'node:assert/strict';
import { test } from 'node:test';

import { lookUpError, refusalFromLogs, refusalOf } from '@imo/client';
import { MODEL_TOKEN_PROGRAM_ADDRESS } from '@imo/client/model-token';
import { REVENUE_ESCROW_PROGRAM_ADDRESS } from '@imo/client/revenue-escrow';
import { YIELD_DISTRIBUTOR_PROGRAM_ADDRESS } from '@imo/client/yield-distributor';
import { getSolanaErrorFromTransactionError, type Address } from '@solana/kit';

import { vectors } from './vectors.js';

test('given every code of every program when looked up then name and message are the Rust client’s, and no other code is known', () => {
    for (const [program, known] of Object.entries(vectors.errors)) {
        for (let code = 0; code < 9_200; code += 1) {
            const refusal = lookUpError(program, code);
            assert.deepEqual(refusal && [refusal.name, refusal.message], known[code], `${program} ${code}`);
        }
    }
    assert.equal(lookUpError('11111111111111111111111111111111', 6_000), undefined);
});

test('given logs of a nested failure when read then the innermost refusal', () => {
    const logs = [
        `Program ${REVENUE_ESCROW_PROGRAM_ADDRESS} invoke [1]`,
        `Program ${YIELD_DISTRIBUTOR_PROGRAM_ADDRESS} invoke [2]`,
        `Program ${YIELD_DISTRIBUTOR_PROGRAM_ADDRESS} failed: custom program error: 0x1838`,
        `Program ${REVENUE_ESCROW_PROGRAM_ADDRESS} failed: custom program error: 0x1838`,
    ];
    const refusal = refusalFromLogs(logs)!;
    assert.deepEqual([refusal.program, refusal.name], ['yield-distributor', 'EpochMarkMissing']);
    assert.equal(refusalFromLogs(['Program log: Program x failed: custom program error: 0x1838']), undefined);
});

test('given an error of kit without logs when read then the program of the instruction that failed says what it means', () => {
    const error = getSolanaErrorFromTransactionError({ InstructionError: [1, { Custom: 6_600 }] } as never);
    const programs = ['ComputeBudget111111111111111111111111111111' as Address, MODEL_TOKEN_PROGRAM_ADDRESS];
    const expected = vectors.errors[MODEL_TOKEN_PROGRAM_ADDRESS]!['6600']!;
    assert.equal(refusalOf(error, programs)!.name, expected[0]);
    assert.equal(refusalOf(new Error('outer', { cause: error }), programs)!.message, expected[1]);
    assert.equal(refusalOf(error), undefined);
    assert.equal(refusalOf(new Error('the network is down'), programs), undefined);
});
