import assert from 'node:assert/strict';
import { test } from 'node:test';

import { laneInstructions } from '@imo/client';
import { findAppointmentPda } from '@imo/client/model-token';
import {
    identifyRevenueEscrowInstruction,
    parseDepositCreditInstruction,
    parseFundLaneInstruction,
    parseOpenLaneInstruction,
    RevenueEscrowInstruction as Kind,
} from '@imo/client/revenue-escrow';
import { createNoopSigner, type Address } from '@solana/kit';

import { MODEL, OPERATOR, PAYER, world, type Changes } from './fakes.js';

const NOBODY = '11111111111111111111111111111111' as Address;

async function wished(changes: Changes, amountUnits: bigint) {
    const made = await world(changes);
    const session = { key: made.session.address, limitUnits: 5n, expiresUnix: 6n };
    const instructions = await laneInstructions({ rpc: made.rpc, payer: createNoopSigner(PAYER), model: MODEL, operator: OPERATOR, amountUnits, session });
    const kinds = instructions.map((instruction) => identifyRevenueEscrowInstruction(instruction as never));
    return { instructions: instructions as never[], kinds };
}

test('given nothing yet when a lane is wished for then credit, deposit, lane and session are made in this order', async () => {
    const { instructions, kinds } = await wished({ without: ['lane', 'session'] }, 100n);
    assert.deepEqual(kinds, [Kind.OpenCredit, Kind.DepositCredit, Kind.OpenLane, Kind.GrantSession]);
    assert.equal(parseDepositCreditInstruction(instructions[1]!).data.amountUnits, 100n);
    const { accounts, data } = parseOpenLaneInstruction(instructions[2]!);
    assert.deepEqual([data.amountUnits, data.private, accounts.appointment], [100n, false, undefined]);
});

test('given a credit that holds a part when a lane is to have more then only what is missing is deposited', async () => {
    const { instructions, kinds } = await wished({ availableUnits: 30n }, 100n);
    assert.deepEqual(kinds, [Kind.DepositCredit, Kind.FundLane]);
    assert.equal(parseDepositCreditInstruction(instructions[0]!).data.amountUnits, 70n);
    assert.equal(parseFundLaneInstruction(instructions[1]!).data.amountUnits, 100n);
    assert.deepEqual((await wished({ availableUnits: 100n }, 100n)).kinds, [Kind.FundLane]);
    assert.deepEqual((await wished({ availableUnits: 100n }, 0n)).kinds, []);
});

test('given a model with a list when a lane is opened then the operator’s appointment is shown', async () => {
    const { instructions } = await wished({ without: ['lane'], availableUnits: 100n, isListed: true }, 100n);
    const { accounts } = parseOpenLaneInstruction(instructions[0]!);
    const [appointment] = await findAppointmentPda({ model: MODEL, operatorAuthority: NOBODY });
    assert.equal(accounts.appointment?.address, appointment);
});
