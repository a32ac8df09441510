import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { loadVerifier, memoryStorage, NotAnswered, Payer, toHex, WrongAnswer, type InferResponse, type PayerConfig, type StoredPurse } from '@imo/client';

import { FakeOperator, json, MODEL, OPERATOR, OUTPUT, PAYER, PRICE_UNITS, world, type Mischief, type World } from './fakes.js';
import { PACKAGE, vectors } from './vectors.js';

const INPUT = [...Buffer.from(vectors.models.digits.runs[0]!.input, 'base64')].map((byte) => (byte << 24) >> 24);
const OTHER = INPUT.map((value) => -1 - value);

function payerOf(made: World, operator: FakeOperator, changes: Partial<PayerConfig> = {}) {
    const storage = changes.storage ?? memoryStorage();
    const payer = new Payer({
        rpc: made.rpc,
        session: made.session,
        payer: PAYER,
        model: MODEL,
        operator: OPERATOR,
        fetch: operator.fetch,
        attempts: 1,
        ...changes,
        storage,
    });
    const stored = async () => JSON.parse((await storage.load(made.lane))!) as StoredPurse;
    return { payer, storage, stored };
}

test('given a lane when two questions are asked then each is paid once, checked and kept', async () => {
    const made = await world();
    const operator = new FakeOperator(made);
    const { payer, stored } = payerOf(made, operator);
    const first = await payer.ask(INPUT);
    assert.deepEqual([first.values, first.receipt.sequence, first.priceUnits], [OUTPUT, 0n, PRICE_UNITS]);
    assert.equal(first.answer.key, made.answerKey.address);
    const second = await payer.ask(OTHER);
    assert.equal(second.receipt.sequence, 1n);
    assert.equal(operator.count, 2);
    const { entries, asking, generation } = await stored();
    assert.deepEqual([entries.length, asking, generation], [2, false, 3]);
    assert.equal(entries[0]!.input_root, toHex(first.receipt.claim.inputRoot));
});

test('given two questions at the same time when asked then one after the other', async () => {
    const made = await world();
    const operator = new FakeOperator(made);
    const { payer } = payerOf(made, operator);
    const answers = await Promise.all([payer.ask(INPUT), payer.ask(OTHER)]);
    assert.deepEqual(answers.map(({ receipt }) => receipt.sequence).sort(), [0n, 1n]);
});

test('given a question when its voucher leaves then it is stored already', async () => {
    const made = await world();
    const operator = new FakeOperator(made);
    const { payer, stored } = payerOf(made, operator);
    operator.mischief = [
        async (honest) => {
            const { asking, entries } = await stored();
            assert.deepEqual([asking, entries.length], [true, 1]);
            return honest;
        },
    ];
    await payer.ask(INPUT);
});

test('given an answer that got lost when the payer starts anew then the same question is answered for nothing, and no other before', async () => {
    const made = await world();
    const operator = new FakeOperator(made);
    const { payer, storage, stored } = payerOf(made, operator);
    const lost: Mischief = () => {
        throw new Error('the connection broke');
    };
    operator.mischief = [lost];
    await assert.rejects(() => payer.ask(INPUT), (error: NotAnswered) => error.refusal.status === 0 && !error.refusal.isFinal);
    const again = payerOf(made, operator, { storage }).payer;
    await assert.rejects(() => again.ask(OTHER), /no answer yet: ask it again first/);
    const bought = await again.ask(INPUT);
    assert.equal(bought.receipt.sequence, 0n);
    assert.equal(operator.count, 1);
    assert.equal((await stored()).asking, false);
});

test('given a gateway that is busy when asked then the same voucher again after the time that it names', async () => {
    const made = await world();
    const operator = new FakeOperator(made);
    const { payer } = payerOf(made, operator, { attempts: 3 });
    operator.mischief = [() => json(429, { error: { message: 'Too many.' } }, { 'retry-after': '0.01' }), () => json(503, {}, { 'retry-after': '0.01' })];
    await payer.ask(INPUT);
    assert.equal(operator.requests.length, 3);
    const [first, ...others] = operator.requests.map(({ voucher }) => toHex(voucher));
    assert.ok(others.every((voucher) => voucher === first));
    assert.equal(operator.count, 1);
});

test('given a refused voucher when it was the first try then the question is not owed, and the next takes its place', async () => {
    const made = await world();
    const operator = new FakeOperator(made);
    const { payer, stored } = payerOf(made, operator);
    const refusing: FakeOperator['fetch'] = async () => json(402, { error: 'The lane does not hold enough.', code: 'lane_overdrawn' });
    const { payer: refused } = payerOf(made, operator, { fetch: refusing });
    await assert.rejects(
        () => refused.ask(INPUT),
        (error: NotAnswered) => error.refusal.code === 'lane_overdrawn' && error.message === 'The operator refuses: The lane does not hold enough.',
    );
    assert.equal((await payer.ask(OTHER)).receipt.sequence, 0n);
    assert.equal((await stored()).entries.length, 1);
});

test('given a question that may have been taken when it is refused later then it is kept, unless the refusal says that it was not taken', async () => {
    for (const [code, kept] of [
        ['session_over', true],
        ['not_next', true],
        ['lane_overdrawn', false],
    ] as const) {
        const made = await world();
        const operator = new FakeOperator(made);
        const { payer, stored } = payerOf(made, operator);
        operator.mischief = [() => json(503, {}), () => json(402, { error: 'No.', code })];
        await assert.rejects(() => payer.ask(INPUT), NotAnswered);
        await assert.rejects(() => payer.ask(INPUT), NotAnswered);
        const { asking, entries } = await stored();
        assert.deepEqual([asking, entries.length], kept ? [true, 1] : [false, 0], code);
    }
});

test('given a try that got lost when the next one is refused for good then the question is kept, for the first may have been taken', async () => {
    const made = await world();
    const operator = new FakeOperator(made);
    const { payer, stored } = payerOf(made, operator, { attempts: 2 });
    operator.mischief = [() => json(503, {}, { 'retry-after': '0.01' }), () => json(402, { error: 'No.', code: 'session_over' })];
    await assert.rejects(() => payer.ask(INPUT), NotAnswered);
    assert.deepEqual([(await stored()).asking, (await stored()).entries.length], [true, 1]);
});

test('given a key that refuses to sign when asked then nothing was asked', async () => {
    const made = await world();
    const operator = new FakeOperator(made);
    const session = { ...made.session, signMessages: () => Promise.reject(new Error('not now')) };
    const { payer, storage, stored } = payerOf(made, operator, { session });
    await assert.rejects(() => payer.ask(INPUT), /not now/);
    assert.deepEqual([(await stored()).asking, (await stored()).entries.length, operator.count], [false, 0, 0]);
    assert.equal((await payerOf(made, operator, { storage }).payer.ask(OTHER)).receipt.sequence, 0n);
});

test('given a crash before the answer when resumed by whoever has only the purse then the question is answered, and nothing is pending', async () => {
    const made = await world();
    const operator = new FakeOperator(made);
    const { payer, storage, stored } = payerOf(made, operator);
    assert.equal(await payer.resume(), undefined);
    operator.mischief = [() => json(503, {})];
    await assert.rejects(() => payer.ask(INPUT), NotAnswered);
    const again = payerOf(made, operator, { storage }).payer;
    const bought = await again.resume();
    assert.deepEqual([bought?.values, bought?.receipt.sequence, operator.count], [OUTPUT, 0n, 1]);
    assert.equal((await stored()).input, undefined);
    assert.equal(await again.resume(), undefined);
});

test('given a question without an answer when another version has become live then it is asked again as it was', async () => {
    const made = await world();
    const operator = new FakeOperator(made);
    const { payer, storage } = payerOf(made, operator);
    operator.mischief = [() => json(503, {})];
    await assert.rejects(() => payer.ask(INPUT), NotAnswered);
    const upgraded = await world({ modelRoot: new Uint8Array(32).fill(9) });
    const bought = await payerOf(upgraded, operator, { storage }).payer.resume();
    assert.equal(toHex(bought!.receipt.claim.modelRoot), vectors.models.digits.model.modelRoot);
});

test('given an answer with something wrong when checked then it is none, and the question stays asked', async () => {
    const made = await world();
    const changed = (change: (response: InferResponse) => void): Mischief => async (honest) => {
        const response = (await honest.json()) as InferResponse;
        change(response);
        return json(200, response);
    };
    const flipped = (base64: string): string => {
        const bytes = Buffer.from(base64, 'base64');
        bytes[bytes.length - 1]! ^= 1;
        return bytes.toString('base64');
    };
    for (const [why, mischief] of [
        [/receipt is not the one/, changed(({ output }) => (output.values[0]! += 1))],
        [/receipt is not the one/, changed(({ evidence }) => (evidence.receipt = flipped(evidence.receipt)))],
        [/not understood/, changed(({ evidence }) => (evidence.receipt = 'AAAA'))],
        [/signature is not valid/, changed(({ evidence }) => (evidence.answer_signature = flipped(evidence.answer_signature)))],
        [/key that is not the operator's/, changed(({ evidence }) => (evidence.answer_key = made.session.address))],
        [/not understood/, changed(({ output }) => (output.values = []))],
        [/not understood/, changed(({ output }) => (output.element = 'float' as never))],
        [/not understood/, changed(({ output }) => (output.shape = 1 as never))],
        [/not understood/, changed(({ evidence }) => (evidence.answer_key = 'nobody' as never))],
        [/not understood/, changed((response) => delete (response as Partial<InferResponse>).output)],
        [/not understood/, changed((response) => delete (response as Partial<InferResponse>).evidence)],
    ] as const) {
        const operator = new FakeOperator(made);
        const { payer, stored } = payerOf(made, operator);
        operator.mischief = [mischief];
        await assert.rejects(() => payer.ask(INPUT), (error: Error) => error instanceof WrongAnswer && why.test(error.message), String(why));
        assert.equal((await stored()).asking, true);
        assert.deepEqual((await payer.ask(INPUT)).values, OUTPUT);
    }
});

test('given a lane that was closed and opened again when asked then from the beginning, and what was asked before is kept', async () => {
    const made = await world();
    const { payer, storage } = payerOf(made, new FakeOperator(made));
    await payer.ask(INPUT);
    const before = await storage.load(made.lane);
    const again = await world({ generation: 9n });
    const { payer: second, stored } = payerOf(again, new FakeOperator(again), { storage });
    assert.equal((await second.ask(OTHER)).receipt.sequence, 0n);
    assert.deepEqual([(await stored()).generation, (await stored()).entries.length], [9, 1]);
    assert.equal(await storage.load(`${made.lane}-before-9`), before);
    // The RPC is behind.
    await assert.rejects(() => payer.ask(INPUT), /newer than the lane that the RPC shows/);
});

test('given a private lane when questions are asked then each has a salt of its own', async () => {
    const made = await world({ private: true });
    const operator = new FakeOperator(made);
    const { payer, stored } = payerOf(made, operator);
    await payer.ask(INPUT);
    await payer.ask(INPUT);
    const salts = (await stored()).entries.map(({ salt }) => salt);
    assert.equal(new Set([...salts, '0'.repeat(64)]).size, 3);
});

test('given a lane that was used without this purse, a session that is over, or a purse of another lane when asked then refused before anything is signed', async () => {
    const used = await world({ collectedCount: 2n });
    const operator = new FakeOperator(used);
    await assert.rejects(() => payerOf(used, operator).payer.ask(INPUT), /2 answers were collected from this lane/);
    const over = await world({ expiresUnix: 1n });
    await assert.rejects(() => payerOf(over, operator).payer.ask(INPUT), /session is revoked or expired/);
    const made = await world();
    const { payer, storage } = payerOf(made, operator);
    await storage.save(made.lane, JSON.stringify({ lane: PAYER, generation: 3, asking: false, entries: [] } satisfies StoredPurse));
    await assert.rejects(() => payer.ask(INPUT), /of another lane/);
    assert.equal(operator.requests.length, 0);
});

test('given a verifier when a signed answer is wrong then the verdict says so, and of a shape that the model has not', async () => {
    const verifier = await (await loadVerifier()).open(readFileSync(new URL('../../models/digits/digits.imo', PACKAGE)));
    const made = await world();
    const computed = verifier.compute(INPUT).values[0]!;
    const claimed = OUTPUT[0]!;
    const bought = await payerOf(made, new FakeOperator(made), { verifier }).payer.ask(INPUT);
    assert.deepEqual(bought.verdict, computed === claimed ? { kind: 'correct' } : { kind: 'wrong-output', element: 0, computed, claimed });
    assert.deepEqual(verifier.check({ claim: bought.receipt.claim, input: INPUT, output: new Uint8Array(5) }), { kind: 'another-shape', bytes: 5 });
});

test('given a gateway that sends no JSON, or an endless body, when asked then the question stays asked', async () => {
    const made = await world();
    const operator = new FakeOperator(made);
    const { payer, stored } = payerOf(made, operator);
    const chunk = new Uint8Array(2 ** 20).fill(32);
    operator.mischief = [
        () => new Response('<html>'),
        () => new Response(new ReadableStream({ pull: (controller) => controller.enqueue(chunk) })),
    ];
    await assert.rejects(() => payer.ask(INPUT), NotAnswered);
    await assert.rejects(() => payer.ask(INPUT), /sends no end of bytes/);
    assert.equal((await stored()).asking, true);
    assert.deepEqual((await payer.ask(INPUT)).values, OUTPUT);
});
