import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
    Generation,
    memoryStorage,
    nextToken,
    NotAnswered,
    Payer,
    readLayout,
    tensorRoot,
    toHex,
    WrongAnswer,
    type Completion,
    type DecoderLayout,
    type PayerConfig,
    type StoredPurse,
    type VerifierModel,
} from '@imo/client';

import { CHANGES, changed, decoder, FakeDecoder, flipped, TOKENS, type Trick } from './fake-decoder.js';
import { json, MODEL, OPERATOR, PAYER, PRICE_UNITS, world, type World } from './fakes.js';

const STEPS = decoder.steps.length;
const OPTIONS = { maxTokens: TOKENS.length };
const INPUT = { element: 'int8', shape: [1, 4108] } as const;

const lost: Trick = () => {
    throw new Error('the connection broke');
};
const honestly: Trick = (honest) => honest();

function payerOf(made: World, operator: FakeDecoder, changes: Partial<PayerConfig> = {}) {
    const storage = changes.storage ?? memoryStorage();
    const payer = new Payer({ rpc: made.rpc, session: made.session, payer: PAYER, model: MODEL, operator: OPERATOR, fetch: operator.fetch, attempts: 1, ...changes, storage });
    const stored = async () => JSON.parse((await storage.load(made.lane))!) as StoredPurse;
    return { payer, storage, stored };
}

async function opened(changes: Partial<PayerConfig> = {}) {
    const made = await world(CHANGES);
    const operator = new FakeDecoder(made);
    return { made, operator, ...payerOf(made, operator, changes) };
}

/** Everything that it yields, and how it ends. */
async function drain(completion: Completion) {
    const [tokens, sequences]: [number[], bigint[]] = [[], []];
    for await (const { token, bought } of completion) {
        if (token !== undefined) tokens.push(token);
        if (bought) sequences.push(bought.receipt.sequence);
    }
    assert.deepEqual(completion.tokens, tokens);
    return { tokens, bought: sequences.length, end: completion.end, costUnits: completion.costUnits };
}

/** All of it, of which so many steps were paid for before. */
const whole = (before = 0) => ({ tokens: TOKENS, bought: STEPS - before, end: 'max-tokens', costUnits: BigInt(STEPS - before) * PRICE_UNITS });

test('given the steps of a decoder when questions are made of its outputs then they are those of the Rust client, and so are the tokens', () => {
    let generation = new Generation(readLayout(decoder.layout, INPUT), new Uint8Array(4108));
    const tokens = [...decoder.prompt, ...TOKENS];
    for (const [at, { inputRoot, output, token }] of decoder.steps.entries()) {
        assert.equal(toHex(tensorRoot(generation.question(tokens[at]!))), inputRoot);
        const bytes = Buffer.from(output, 'base64');
        generation = generation.take(bytes);
        if (token !== null) assert.equal(nextToken(decoder.layout, bytes), token);
    }
});

test('given a layout that is none or reaches too far when read then refused', () => {
    const { layout } = decoder;
    const [cache] = layout.caches;
    for (const [change, why] of [
        [{ token: 4105 }, /reaches behind/],
        [{ positions: [0, 9999] }, /reaches behind/],
        [{ caches: [{ ...cache, input: 3085 }] }, /reaches behind/],
        [{ caches: [] }, /at least one cache/],
        [{ caches: [{ ...cache, heads: 2 ** 52, width: 0 }] }, /at least one cache/],
        [{ vocabulary: 0 }, /a vocabulary/],
        [{ logits: -1 }, /none/],
        [{ token: '0' }, /none/],
        [{ end_tokens: [0.5] }, /none/],
        [{ caches: null }, /null/],
    ] as const) {
        assert.throws(() => readLayout({ ...layout, ...(change as unknown as DecoderLayout) }, INPUT), why, JSON.stringify(change));
    }
    assert.throws(() => readLayout(layout, { element: 'int32', shape: [1, 4108] }), /no step of a decoder/);
});

test('given a prompt when streamed then each step is paid when it is wanted, checked, and of the operator that keeps the cache', async () => {
    const { operator, payer, stored } = await opened();
    const completion = payer.stream(decoder.prompt, OPTIONS);
    const steps = completion[Symbol.asyncIterator]();
    for (const [at, { token }] of decoder.steps.entries()) {
        const { value } = await steps.next();
        assert.equal(value!.token, token ?? undefined);
        assert.equal(value!.bought!.receipt.sequence, BigInt(at));
        assert.equal(operator.count, at + 1);
    }
    assert.equal((await steps.next()).done, true);
    assert.equal(completion.end, 'max-tokens');
    assert.deepEqual([(await stored()).entries.length, (await stored()).asking], [STEPS, false]);
    assert.deepEqual(new Set(operator.paths), new Set(['/v1/completions', '/v1/completions/cmpl-0']));
});

test('given a consumer that leaves, a budget, an end token or a longer wish when iterated again then it goes on, and what was paid is not paid again', async () => {
    const { made, operator, payer, storage } = await opened();
    let seen = 0;
    for await (const _ of payer.stream(decoder.prompt, OPTIONS)) if (++seen === 3) break;
    assert.equal(operator.count, 3);
    const budget = { ...OPTIONS, budgetUnits: 11n * PRICE_UNITS + 1n };
    const again = payerOf(made, operator, { storage }).payer;
    assert.deepEqual(await drain(again.stream(decoder.prompt, budget)), { tokens: TOKENS.slice(0, 3), bought: 11, end: 'budget', costUnits: 11n * PRICE_UNITS });
    assert.deepEqual(await drain(again.stream(decoder.prompt, OPTIONS)), whole(14));
    assert.deepEqual(await drain(again.stream(decoder.prompt, { maxTokens: 2 })), { tokens: TOKENS.slice(0, 2), bought: 0, end: 'max-tokens', costUnits: 0n });
    assert.equal(operator.count, STEPS);

    const ending = await opened();
    const layout = { ...decoder.layout, end_tokens: [TOKENS[1]!] };
    const ended = await drain(ending.payer.stream(decoder.prompt, { ...OPTIONS, layout }));
    assert.deepEqual([ended.end, ended.tokens], ['end-token', TOKENS.slice(0, TOKENS.indexOf(TOKENS[1]!) + 1)]);
});

test('given answers that get lost when gone on with, also by another payer, then the same questions are asked and none is paid twice', async () => {
    const { made, operator, storage } = await opened();
    for (const before of [0, 3, 8]) {
        operator.tricks = [...Array<Trick>(before).fill(honestly), lost];
        await assert.rejects(() => drain(payerOf(made, operator, { storage }).payer.stream(decoder.prompt, OPTIONS)), (error: NotAnswered) => !error.refusal.isFinal);
    }
    const last = await drain(payerOf(made, operator, { storage }).payer.stream(decoder.prompt, OPTIONS));
    assert.deepEqual([last.tokens, operator.count], [TOKENS, STEPS]);

    // A busy gateway, and one that breaks off, within one run.
    const patient = await opened({ attempts: 3 });
    const busy: Trick = () => json(429, { error: { message: 'Too many.' } }, { 'retry-after': '0.01' });
    const broken: Trick = () => json(503, {}, { 'retry-after': '0.01' });
    patient.operator.tricks = [busy, honestly, broken, busy];
    assert.deepEqual(await drain(patient.payer.stream(decoder.prompt, OPTIONS)), whole());
    assert.equal(patient.operator.count, STEPS);
});

test('given a crash between keeping an answer and counting it as answered when gone on with then nothing is asked twice', async () => {
    const { made, operator, storage } = await opened();
    const crashing = { ...storage };
    let saves = 0;
    crashing.save = async (name, text) => {
        // Question and answer of the first step, question and completion of the second.
        if (++saves > 5) throw new Error('crashed');
        await storage.save(name, text);
    };
    await assert.rejects(() => drain(payerOf(made, operator, { storage: crashing }).payer.stream(decoder.prompt, OPTIONS)), /crashed/);
    assert.equal(operator.count, 2);
    const paths = operator.paths.length;
    assert.deepEqual(await drain(payerOf(made, operator, { storage }).payer.stream(decoder.prompt, OPTIONS)), whole(2));
    assert.deepEqual([operator.count, operator.paths.length], [STEPS, paths + STEPS - 2]);
});

test('given a step that is pending when resume has it answered then the completion gets the answer, too, and it is paid once', async () => {
    const { operator, payer } = await opened();
    operator.tricks = [honestly, honestly, lost];
    await assert.rejects(() => drain(payer.stream(decoder.prompt, OPTIONS)), NotAnswered);
    assert.equal((await payer.resume())!.receipt.sequence, 2n);
    await drain(payer.stream(decoder.prompt, OPTIONS));
    assert.equal(operator.count, STEPS);
});

test('given a question of something else that is pending when streamed then it is asked again first, and another prompt is another completion', async () => {
    const { operator, payer } = await opened();
    operator.tricks = [honestly, honestly, lost];
    await assert.rejects(() => drain(payer.stream(decoder.prompt, OPTIONS)), NotAnswered);
    assert.equal(operator.count, 3);
    // Of the same decoder, for its first step is one that the operator knows.
    const other = payer.stream(decoder.prompt.slice(0, 1), { maxTokens: 1 });
    const { bought, costUnits } = await drain(other);
    assert.deepEqual([bought, costUnits, operator.count], [1, PRICE_UNITS, 4]);
});

test('given an operator that has forgotten, streams nothing or has gone another way when asked then each step is asked as a question', async () => {
    const { made, operator, payer } = await opened();
    for await (const _ of payer.stream(decoder.prompt, OPTIONS)) if (operator.count === 5) break;
    operator.forget();
    assert.deepEqual(await drain(payer.stream(decoder.prompt, OPTIONS)), whole(5));
    assert.deepEqual([operator.paths[5], operator.paths[6]], ['/v1/completions/cmpl-0', '/v1/infer']);
    assert.equal(operator.count, STEPS);

    const plain = new FakeDecoder(made);
    plain.layout = null;
    const { payer: asking } = payerOf(made, plain);
    await assert.rejects(() => drain(asking.stream(decoder.prompt, OPTIONS)), /does not serve the model as a decoder/);
    assert.deepEqual(await drain(asking.stream(decoder.prompt, { ...OPTIONS, layout: decoder.layout })), whole());

    for (const refusal of [{ error: 'Another root.', code: 'wrong_requests' }, undefined]) {
        const lostTrack = await opened();
        const trick: Trick = () => (refusal ? json(402, refusal) : json(409, { error: { message: 'Complete.' } }));
        lostTrack.operator.tricks = [honestly, honestly, trick];
        assert.deepEqual(await drain(lostTrack.payer.stream(decoder.prompt, OPTIONS)), whole());
        assert.equal(lostTrack.operator.count, STEPS);
    }
});

test('given a step that may have been taken when it is refused elsewhere then it is kept, and one that was not is not owed', async () => {
    const no: Trick = () => json(402, { error: 'No.', code: 'session_over' });
    for (const [status, kept] of [
        [409, true],
        [404, false],
    ] as const) {
        const { operator, payer, stored } = await opened();
        operator.tricks = [honestly, () => json(status, { error: { message: 'Not here.' } }), no];
        await assert.rejects(() => drain(payer.stream(decoder.prompt, OPTIONS)), (error: NotAnswered) => error.refusal.code === 'session_over');
        assert.deepEqual([(await stored()).asking, (await stored()).entries.length], kept ? [true, 2] : [false, 1]);
    }
});

test('given a gateway that cheats when a step is bought then that is no answer, and an honest one to the same question is', async () => {
    const { operator, payer, stored } = await opened();
    let before: unknown;
    const kept: Trick = async (honest) => {
        before = await honest().json();
        return json(200, before);
    };
    const cheats: Array<[RegExp, Trick]> = [
        // It was paid for this token, and answers with the one before.
        [/receipt is not the one/, () => json(200, before)],
        // Another input than the one that was asked: its root begins at byte 72.
        [/receipt is not the one/, changed(({ imo }) => (imo.receipt = flipped(imo.receipt, 72)))],
        // Another output than the one that was signed.
        [/receipt is not the one/, changed(({ imo }) => (imo.output = flipped(imo.output, 0)))],
        [/signature is not valid/, changed(({ imo }) => (imo.answer_signature = flipped(imo.answer_signature, 9)))],
        [/not the operator's/, changed(({ imo }) => (imo.answer_key = MODEL))],
        [/not understood/, changed(({ imo }) => (imo.answer_key = 'nobody' as never))],
        [/not understood/, changed((chunk) => (chunk.imo = {} as never))],
        [/not understood/, () => json(200, 'paid, thank you')],
    ];
    operator.tricks = [...Array<Trick>(6).fill(honestly), kept];
    await drain(payer.stream(decoder.prompt, { ...OPTIONS, budgetUnits: 7n * PRICE_UNITS }));
    for (const [number, [why, cheat]] of cheats.entries()) {
        operator.tricks = number === 0 ? [cheat] : [honestly, cheat];
        await assert.rejects(() => drain(payer.stream(decoder.prompt, OPTIONS)), (error: Error) => error instanceof WrongAnswer && why.test(error.message), String(why));
        assert.deepEqual([(await stored()).asking, (await stored()).entries.length], [true, 8 + number]);
    }
    const last = await drain(payer.stream(decoder.prompt, OPTIONS));
    assert.deepEqual([last.tokens, operator.count], [TOKENS, STEPS]);
});

test('given a gateway that says other or more tokens than it signed when streamed then the signed ones are taken', async () => {
    const { operator, payer } = await opened();
    const says = (...tokens: number[]): Trick => changed((chunk) => (chunk.choices = [{ text: '', token_ids: tokens, finish_reason: 'stop' }]));
    operator.tricks = [honestly, says(1), ...Array<Trick>(10).fill(honestly), says(TOKENS[0]!), says(1, 2, 3)];
    assert.deepEqual(await drain(payer.stream(decoder.prompt, OPTIONS)), whole());
    assert.equal(operator.count, STEPS);
});

test('given a verifier that finds a step wrong when streamed then it ends before the next payment, and stays so', async () => {
    let checks = 0;
    const check = () => (++checks === 14 ? { kind: 'wrong-output', element: 3, computed: 1, claimed: 2 } : { kind: 'correct' });
    const { operator, payer } = await opened({ verifier: { check } as unknown as VerifierModel });
    const wrong = await drain(payer.stream(decoder.prompt, OPTIONS));
    assert.deepEqual([wrong.end, wrong.bought, operator.count], ['wrong', 14, 14]);
    assert.equal((await drain(payer.stream(decoder.prompt, OPTIONS))).end, 'wrong');
    assert.equal(operator.count, 14);
});

test('given a wish that cannot be met when streamed then told why before anything is signed', async () => {
    const { operator, payer } = await opened();
    for (const [prompt, options, why] of [
        [[], {}, /prompt has one token/],
        [[1], { maxTokens: 0 }, /answer has one token/],
        [[48], {}, /48 is none of them/],
        [[0.5], {}, /0.5 is none of them/],
        [Array<number>(33).fill(1), {}, /32 tokens fit/],
        [[1], { layout: { ...decoder.layout, token: 5000 } }, /reaches behind/],
    ] as const) {
        await assert.rejects(() => drain(payer.stream(prompt, options)), why);
    }
    assert.equal(operator.paths.length, 0);
    // A layout that reads behind the output: the answer is one, and is paid.
    const blind = { ...decoder.layout, logits: 5000 };
    await assert.rejects(() => drain(payer.stream(decoder.prompt, { layout: blind })), /not one of such a decoder/);
    assert.equal(operator.count, 1);
});
