import assert from 'node:assert/strict';
import { test } from 'node:test';

import { readEvents } from '@imo/client';
import { getLaneDecoder, getLaneEncoder, REVENUE_ESCROW_EVENTS } from '@imo/client/revenue-escrow';
import { YIELD_DISTRIBUTOR_EVENTS, YIELD_DISTRIBUTOR_PROGRAM_ADDRESS } from '@imo/client/yield-distributor';
import { getAddressDecoder } from '@solana/kit';

import { hexBytes, keyBytes, vectors } from './vectors.js';

const address = (number: number) => getAddressDecoder().decode(keyBytes(number));

test('given an account’s bytes from Rust when decoded then every field, and encoded again the same bytes', () => {
    const bytes = hexBytes(vectors.encoded.lane);
    const lane = getLaneDecoder().decode(bytes);
    assert.deepEqual(
        { ...lane, discriminator: undefined, reserved: undefined },
        {
            discriminator: undefined,
            version: 1,
            bump: 254,
            credit: address(1),
            operator: address(2),
            generation: 2n ** 64n - 1n,
            reservedUnits: 1n << 60n,
            releasingUnits: 5n,
            releaseDeadline: { openedSlot: 1n, dueSlot: 2n, dueUnix: -3n },
            collectedUnits: 6n,
            collectedCount: 7n,
            rentPayer: address(3),
            private: true,
            reserved: undefined,
        },
    );
    assert.deepEqual(getLaneEncoder().encode(lane), bytes);
});

const OWN = YIELD_DISTRIBUTOR_PROGRAM_ADDRESS;
const OTHER = address(9);
const DATA = `Program data: ${vectors.encoded.claimed}`;

test('given logs with calls inside calls when read then only what the program itself emitted', () => {
    const logs = [
        `Program ${OTHER} invoke [1]`,
        DATA,
        `Program ${OWN} invoke [2]`,
        'Program log: Instruction: Claim',
        DATA,
        `Program ${OTHER} invoke [3]`,
        DATA,
        `Program ${OTHER} success`,
        `Program ${OWN} consumed 27193 of 200000 compute units`,
        `Program ${OWN} success`,
        DATA,
        `Program ${OTHER} success`,
    ];
    const { events, complete } = readEvents(YIELD_DISTRIBUTOR_EVENTS, logs);
    assert.ok(complete);
    assert.equal(events.length, 1);
    const [event] = events;
    assert.equal(event!.name, 'Claimed');
    assert.deepEqual(event!.data, { pool: address(1), owner: address(2), amountUnits: 1n << 60n });
    assert.deepEqual(readEvents(REVENUE_ESCROW_EVENTS, logs).events, []);
});

test('given other or broken data when read then left out, and a truncated log is told', () => {
    const bytes = Buffer.from(vectors.encoded.claimed, 'base64');
    const logs = [
        `Program ${OWN} invoke [1]`,
        'Program data: ?',
        `Program data: ${Buffer.alloc(80, 1).toString('base64')}`,
        `Program data: ${bytes.subarray(0, 20).toString('base64')}`,
        `Program log: Program ${OWN} invoke [2]`,
        DATA,
        'Log truncated',
    ];
    const { events, complete } = readEvents(YIELD_DISTRIBUTOR_EVENTS, logs);
    assert.deepEqual([events.length, complete], [1, false]);
});
