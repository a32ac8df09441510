import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
    AllowList,
    answerKeyHash,
    answerMessage,
    claimHash,
    fromHex,
    parseReceipt,
    Purse,
    questionHash,
    receiptBytes,
    receiptLeaf,
    receiptTree,
    requestBytes,
    requestLeaf,
    tensorRoot,
    toHex,
    verifyMerklePath,
    voucherMessage,
    type PayingLane,
} from '@imo/client';
import { createKeyPairSignerFromPrivateKeyBytes, getAddressDecoder } from '@solana/kit';

import { hexBytes, keyBytes, vectors } from './vectors.js';

const address = (number: number) => getAddressDecoder().decode(keyBytes(number));

const lane: PayingLane = {
    cluster: keyBytes(1),
    lane: vectors.purse.lane,
    laneGeneration: 3n,
    session: vectors.purse.session,
    sessionGeneration: 4n,
    operator: vectors.purse.operator,
    answerKeyHash: hexBytes(vectors.purse.answerKeyHash),
};

test('given six questions when a purse asks them then requests, roots, vouchers and signatures are the Rust client’s', async () => {
    const session = await createKeyPairSignerFromPrivateKeyBytes(fromHex(vectors.purse.sessionSeed));
    assert.equal(session.address, vectors.purse.session);
    const purse = new Purse(lane);
    for (const [number, expected] of vectors.purse.questions.entries()) {
        const entry = {
            modelRoot: keyBytes(number),
            inputRoot: keyBytes(number + 1),
            priceUnits: 250_000n + BigInt(number),
            salt: keyBytes(number + 2),
        };
        const { request, voucher } = purse.ask(entry, 1_900_000_000n - BigInt(number));
        assert.equal(toHex(requestBytes(request)), expected.request);
        assert.equal(toHex(requestLeaf(request)), expected.requestLeaf);
        assert.equal(toHex(voucher.requestsRoot), expected.requestsRoot);
        const message = voucherMessage(voucher);
        assert.equal(toHex(message), expected.voucher);
        const [signatures] = await session.signMessages([{ content: message, signatures: {} }]);
        assert.equal(toHex(signatures![session.address]!), expected.signature);
    }
});

test('given claims when receipts and answers are written then they are the Rust client’s', () => {
    for (const [number, expected] of vectors.purse.questions.entries()) {
        const claim = { modelRoot: keyBytes(number), inputRoot: keyBytes(number + 1), outputRoot: hexBytes(expected.outputRoot) };
        const receipt = { lane: lane.lane, sequence: BigInt(number), claim, salt: keyBytes(number + 2) };
        assert.equal(toHex(receiptBytes(receipt)), expected.receipt);
        assert.equal(toHex(receiptLeaf(receipt, 0n)), expected.receiptLeaf);
        assert.equal(toHex(receiptBytes(parseReceipt(hexBytes(expected.receipt)))), expected.receipt);
        assert.equal(toHex(claimHash(claim)), expected.claimHash);
        assert.equal(toHex(questionHash(claim)), expected.questionHash);
        assert.equal(toHex(answerMessage({ cluster: lane.cluster, operator: lane.operator, claim })), expected.answer);
    }
    assert.equal(toHex(answerKeyHash(vectors.purse.answerKey)), vectors.purse.answerKeyHash);
});

test('given a collection’s receipts when the tree is made then root and paths are the Rust client’s, and each path leads to the root', () => {
    const first = BigInt(vectors.trees.firstSequence);
    const receipts = vectors.trees.receipts.map((text) => parseReceipt(hexBytes(text)));
    const tree = receiptTree(receipts, first);
    assert.equal(toHex(tree.root()), vectors.trees.receiptsRoot);
    for (const [index, expected] of vectors.trees.receiptPaths.entries()) {
        const path = tree.path(index)!;
        assert.deepEqual(path.map(toHex), expected);
        const leaf = receiptLeaf(receipts[index]!, first);
        assert.ok(verifyMerklePath(tree.root(), leaf, index, receipts.length, path));
        assert.ok(!verifyMerklePath(tree.root(), leaf, index ^ 1, receipts.length, path));
        assert.ok(!verifyMerklePath(tree.root(), leaf, index, receipts.length, path.slice(1)));
    }
    assert.equal(tree.path(receipts.length), undefined);
    assert.throws(() => receiptTree(receipts.slice(1), first), /next sequence of this tree is 5, but 6/);
});

test('given tensors of all lengths around a tile when hashed then the roots are the Rust client’s', () => {
    for (const [length, root] of vectors.trees.tensorRoots) {
        const bytes = Uint8Array.from({ length }, (_, index) => (index * 7) % 251);
        assert.equal(toHex(tensorRoot(bytes)), root, `${length} bytes`);
    }
});

test('given an allow-list when a wallet shows its place then root and path are the Rust client’s', () => {
    const list = new AllowList([1, 2, 3, 4, 5].map((number) => ({ wallet: address(number), capUnits: BigInt(number) * 10n })));
    assert.equal(toHex(list.root()), vectors.trees.allowListRoot);
    const allowance = list.allowance(address(4))!;
    assert.deepEqual([allowance.index, allowance.capUnits], [3, 40n]);
    assert.deepEqual(allowance.path.map(toHex), vectors.trees.allowance);
    assert.equal(list.allowance(address(9)), undefined);
});

test('given numbers and hashes that do not fit when a message is written then refused', () => {
    const claim = { modelRoot: keyBytes(1), inputRoot: keyBytes(2), outputRoot: keyBytes(3) };
    const receipt = { lane: lane.lane, sequence: 0n, claim, salt: keyBytes(4) };
    assert.throws(() => receiptBytes({ ...receipt, sequence: 1n << 64n }), /does not fit 8 bytes/);
    assert.throws(() => receiptBytes({ ...receipt, sequence: -1n }), /does not fit 8 bytes/);
    assert.throws(() => receiptBytes({ ...receipt, salt: keyBytes(4).slice(1) }), /32 bytes, but 31/);
    assert.throws(() => parseReceipt(receiptBytes(receipt).slice(1)), /168 bytes, but 167/);
});
