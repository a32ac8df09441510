import assert from 'node:assert/strict';
import { test } from 'node:test';

import { send, simulate, TransactionExpired, TransactionRefused, type TransactionRpc } from '@imo/client';
import { MODEL_TOKEN_PROGRAM_ADDRESS } from '@imo/client/model-token';
import { createKeyPairSignerFromPrivateKeyBytes, createSolanaRpcFromTransport, getBase64Encoder, getTransactionDecoder, type Instruction } from '@solana/kit';

import { keyBytes } from './vectors.js';

const REFUSED = { InstructionError: [1, { Custom: 6_600 }] };
const LOGS = [`Program ${MODEL_TOKEN_PROGRAM_ADDRESS} failed: custom program error: 0x19c8`];
const feePayer = await createKeyPairSignerFromPrivateKeyBytes(keyBytes(41));
const instruction: Instruction = { programAddress: MODEL_TOKEN_PROGRAM_ADDRESS, accounts: [], data: new Uint8Array([1]) };

type Status = { confirmationStatus: string; err: unknown } | null;

/** A cluster that simulates and reports as told; what was sent to it is kept. */
function cluster(told: { simulation?: { err: unknown; logs: string[] }; statuses?: Status[]; height?: number }) {
    const sent: string[] = [];
    const statuses = [...(told.statuses ?? [])];
    const answer = (method: string, params: unknown[]): unknown => {
        const context = { slot: 1 };
        switch (method) {
            case 'getLatestBlockhash':
                return { context, value: { blockhash: feePayer.address, lastValidBlockHeight: 100 } };
            case 'simulateTransaction':
                return { context, value: { err: null, logs: [], unitsConsumed: 10_000, ...told.simulation } };
            case 'sendTransaction':
                sent.push(params[0] as string);
                return '1'.repeat(64);
            case 'getSignatureStatuses': {
                const status = statuses.length > 1 ? statuses.shift() : statuses[0];
                return { context, value: [status ? { confirmations: null, slot: 1, status: { Ok: null }, ...status } : null] };
            }
            case 'getTransaction':
                return { meta: { err: REFUSED, logMessages: LOGS }, slot: 1, transaction: ['', 'base64'], blockTime: 1, version: 0 };
            default:
                return told.height ?? 1;
        }
    };
    const transport = async ({ payload }: { payload: unknown }): Promise<unknown> => {
        const { id, method, params } = payload as { id: string; method: string; params: unknown[] };
        return { jsonrpc: '2.0', id, result: answer(method, params) };
    };
    return { sent, rpc: createSolanaRpcFromTransport(transport as never) as unknown as TransactionRpc };
}

test('given a transaction that would be refused when sent then it never leaves, and the refusal has a name', async () => {
    const { rpc, sent } = cluster({ simulation: { err: REFUSED, logs: LOGS } });
    for (const attempt of [send, simulate]) {
        await assert.rejects(
            () => attempt({ rpc, feePayer, instructions: [instruction] }),
            (error: TransactionRefused) => error.refusal?.name === 'TimelockOutOfRange' && /^model-token refuses \(TimelockOutOfRange, 6600\)/.test(error.message),
        );
    }
    assert.deepEqual(sent, []);
});

test('given a transaction when it is confirmed then what was sent has the simulated units and a margin, and the fee payer’s signature', async () => {
    const { rpc, sent } = cluster({ statuses: [null, { confirmationStatus: 'processed', err: null }, { confirmationStatus: 'confirmed', err: null }] });
    const { unitsConsumed } = await send({ rpc, feePayer, instructions: [instruction], priceMicroLamports: 7n });
    assert.equal(unitsConsumed, 10_000n);
    assert.equal(sent.length, 1);
    const { signatures, messageBytes } = getTransactionDecoder().decode(getBase64Encoder().encode(sent[0]!));
    assert.ok(signatures[feePayer.address]);
    const hex = Buffer.from(messageBytes).toString('hex');
    const limit = Buffer.alloc(4);
    limit.writeUInt32LE(12_000);
    assert.ok(hex.includes(`02${limit.toString('hex')}`), 'the limit of compute units');
    assert.ok(hex.includes('030700000000000000'), 'the price of a compute unit');
});

test('given a transaction that fails on chain when awaited then its logs name the refusal, and the signature is told', async () => {
    const { rpc } = cluster({ statuses: [{ confirmationStatus: 'processed', err: REFUSED }] });
    await assert.rejects(
        () => send({ rpc, feePayer, instructions: [instruction] }),
        (error: TransactionRefused) => error.refusal?.name === 'TimelockOutOfRange' && error.signature !== undefined,
    );
});

test('given a transaction that never shows when its blockhash has expired or the time is over then its fate is said to be unknown', async () => {
    const gone = cluster({ height: 101 });
    await assert.rejects(
        () => send({ rpc: gone.rpc, feePayer, instructions: [instruction] }),
        (error: Error) => error instanceof TransactionExpired && /not taken before its blockhash expired/.test(error.message),
    );
    const slow = cluster({ statuses: [{ confirmationStatus: 'processed', err: null }] });
    await assert.rejects(
        () => send({ rpc: slow.rpc, feePayer, instructions: [instruction], timeoutMilliseconds: 1 }),
        (error: Error) => error instanceof TransactionExpired && /not confirmed after 1 ms/.test(error.message),
    );
});
