import assert from 'node:assert/strict';
import { test } from 'node:test';

import { findPaymentAccount, findTokenAccount } from '@imo/client';
import * as modelToken from '@imo/client/model-token';
import * as opmlOracle from '@imo/client/opml-oracle';
import * as revenueEscrow from '@imo/client/revenue-escrow';
import * as yieldDistributor from '@imo/client/yield-distributor';

import { hexBytes, vectors } from './vectors.js';

const PROGRAMS: Record<string, Record<string, unknown>> = {
    'model-token': modelToken,
    'opml-oracle': opmlOracle,
    'revenue-escrow': revenueEscrow,
    'yield-distributor': yieldDistributor,
};

type Find = (seeds?: Record<string, unknown>) => Promise<readonly [string, number]>;

test('given every kind of account when its address is found then it is the Rust client’s', async () => {
    for (const [program, name, seeds, address] of vectors.addresses) {
        const find = PROGRAMS[program]![`find${name}Pda`] as Find | undefined;
        assert.ok(find, `${program} has find${name}Pda`);
        const values = Object.entries(seeds).map(([seed, value]) => [seed, typeof value === 'object' ? hexBytes(value.hex) : value]);
        const [found] = values.length > 0 ? await find(Object.fromEntries(values)) : await find();
        assert.equal(found, address, `${program} ${name}`);
    }
});

test('given the addresses that a program entry finds when counted then each is compared with the Rust client’s', () => {
    const compared = new Set(vectors.addresses.map(([program, name]) => `${program} find${name}Pda`));
    // The only one without a function there: programs alone pass it.
    compared.add('yield-distributor findReleaserPda');
    for (const [program, entry] of Object.entries(PROGRAMS)) {
        for (const name of Object.keys(entry).filter((name) => /^find\w+Pda$/.test(name))) {
            assert.ok(compared.has(`${program} ${name}`), `${program} ${name}`);
        }
    }
});

test('given an owner and a mint when the token accounts are found then they are the Rust client’s', async () => {
    const { owner, mint, payment, token } = vectors.tokenAccounts;
    assert.equal(await findPaymentAccount(owner, mint), payment);
    assert.equal(await findTokenAccount(owner, mint), token);
});
