import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { fromBase64, loadVerifier, tensorBytes, toHex, VerifierError, type VerifierModel } from '@imo/client';

import { hexBytes, keyBytes, PACKAGE, vectors } from './vectors.js';

const DIGITS = new Uint8Array(readFileSync(new URL('../../models/digits/digits.imo', PACKAGE)));
const DECODER = new Uint8Array(fromBase64(vectors.models.decoder.file));

const verifier = await loadVerifier();
const digits = await verifier.open(DIGITS);

function described(model: VerifierModel): { root: string; header: string } {
    const { header, modelRoot } = model;
    const numbers = Buffer.alloc(10);
    numbers.writeUInt16LE(header.arithmeticVersion, 0);
    numbers.writeUInt32LE(header.nodeCount, 2);
    numbers.writeUInt32LE(header.constantCount, 6);
    return { root: toHex(modelRoot), header: [numbers, header.graphRoot, header.weightsRoot, header.inputSpec].map((part) => toHex(new Uint8Array(part))).join('') };
}

for (const [name, file, { model, runs }] of [
    ['the digit classifier', DIGITS, vectors.models.digits],
    ['a step of a decoder', DECODER, vectors.models.decoder],
] as const) {
    test(`given ${name} when opened and run then roots, header and outputs are those of the Rust reference`, async () => {
        const opened = await verifier.open(file);
        assert.deepEqual(described(opened), { root: model.modelRoot, header: model.header });
        for (const run of runs) {
            const input = fromBase64(run.input);
            const computed = opened.compute(input);
            assert.equal(toHex(computed.inputRoot), run.inputRoot);
            assert.equal(toHex(computed.outputRoot), run.outputRoot);
            assert.deepEqual(computed.values, run.values);
            const claim = { modelRoot: opened.modelRoot, inputRoot: computed.inputRoot, outputRoot: computed.outputRoot };
            assert.deepEqual(opened.check({ claim, input, output: run.values }), { kind: 'correct' });
        }
        opened.close();
        assert.throws(() => opened.compute(fromBase64(runs[0]!.input)), VerifierError);
    });
}

test('given a claim with something wrong when checked then what is wrong, and the first element that differs', async () => {
    const decoder = await verifier.open(DECODER);
    const [run] = vectors.models.decoder.runs;
    const input = fromBase64(run!.input);
    const claim = { modelRoot: decoder.modelRoot, inputRoot: hexBytes(run!.inputRoot), outputRoot: hexBytes(run!.outputRoot) };
    const output = [...run!.values];
    const element = 9;
    const computed = output[element]!;
    const claimed = computed === 5 ? 6 : 5;
    output[element] = claimed;
    output[element + 1] = output[element + 1] === 1 ? 2 : 1;
    const wrong = { ...claim, outputRoot: keyBytes(1) };
    assert.deepEqual(decoder.check({ claim: wrong, input, output }), { kind: 'wrong-output', element, computed, claimed });
    assert.deepEqual(decoder.check({ claim, input, output }), { kind: 'wrong-handed-out', element, computed, claimed });
    const computedRoot = claim.outputRoot;
    assert.deepEqual(decoder.check({ claim: wrong, input, output: run!.values }), { kind: 'wrong-claim', computedRoot });
    assert.deepEqual(decoder.check({ claim: { ...claim, modelRoot: keyBytes(1) }, input, output }), { kind: 'another-model' });
    assert.deepEqual(decoder.check({ claim: { ...claim, inputRoot: keyBytes(1) }, input, output }), { kind: 'another-input' });
});

test('given bytes that are no model when opened then one sentence says why', async () => {
    await assert.rejects(() => verifier.open(new Uint8Array([1, 2, 3])), /^VerifierError: This is not a model file/);
    await assert.rejects(() => verifier.open(new Uint8Array()), /ends early: the magic bytes need 8 bytes more/);
    await assert.rejects(() => verifier.open(DIGITS.slice(0, -1)), /ends early: the constants' elements need 1 bytes more/);
    const other = DIGITS.slice();
    other[other.length - 1]! ^= 1;
    assert.notEqual(toHex((await verifier.open(other)).modelRoot), toHex(digits.modelRoot));
});

test('given an input that does not fit when computed then refused', () => {
    assert.throws(() => digits.compute([1, 2]), /A tensor of int8 \[1, 64\] has 64 elements, but 2 were given/);
    assert.throws(() => digits.compute(new Uint8Array(65)), /has 64 bytes, but 65 were given/);
    assert.throws(() => tensorBytes({ element: 'int8', shape: [1] }, [128]), /Element 0 is 128, which is no int8/);
    assert.throws(() => tensorBytes({ element: 'int32', shape: [1] }, [1.5]), /Element 0 is 1.5, which is no int32/);
});

test('given a hundred computations when repeated then the memory does not grow', async () => {
    const model = await verifier.open(DIGITS);
    const input = fromBase64(vectors.models.digits.runs[0]!.input);
    model.compute(input);
    const before = model.memoryBytes;
    for (let round = 0; round < 100; round += 1) model.compute(input);
    assert.equal(model.memoryBytes, before);
});
