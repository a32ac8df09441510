import assert from 'node:assert/strict';
import { test } from 'node:test';

import { lookUpError, refusalFromLogs, refusalOf } from '@imo/client';
import { MODEL_TOKEN_PROGRAM_ADDRESS } from '@imo/client/model-token';
import { REVENUE_ESCROW_PROGRAM_ADDRESS } from '@imo/client/revenue-escrow';
import { YIELD_DISTRIBUTOR_PROGRAM_ADDRESS } from '@imo/client/yield-distributor';
import {
    getSolanaErrorFromTransactionError,
    SOLANA_ERROR__JSON_RPC__SERVER_ERROR_SEND_TRANSACTION_PREFLIGHT_FAILURE,
    SolanaError,
} from '@solana/kit';

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

test('given an error of kit when it carries logs then the refusal, also from an outer error, and without logs none', () => {
    const [code, [name]] = Object.entries(vectors.errors[MODEL_TOKEN_PROGRAM_ADDRESS]!).find(([code]) => code === '6600')!;
    const logs = [`Program ${MODEL_TOKEN_PROGRAM_ADDRESS} failed: custom program error: 0x${Number(code).toString(16)}`];
    const error = new SolanaError(SOLANA_ERROR__JSON_RPC__SERVER_ERROR_SEND_TRANSACTION_PREFLIGHT_FAILURE, { logs } as never);
    assert.equal(refusalOf(error)!.name, name);
    assert.equal(refusalOf(new Error('outer', { cause: error }))!.name, name);
    assert.equal(refusalOf(getSolanaErrorFromTransactionError({ InstructionError: [0, { Custom: 6_600 }] } as never)), undefined);
    assert.equal(refusalOf('the network is down'), undefined);
});
