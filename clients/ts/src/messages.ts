/** What payers and operators sign and commit to, byte for byte (docs/protocol.md, 1.4, 1.5 and 1.7). */

import { type Address, type Instruction, type ReadonlyUint8Array, getAddressDecoder } from '@solana/kit';

import { addressBytes, concat, equal, hash, i64, sha256, u16, u64, utf8, type Hash } from './bytes.js';
import { OPML_ORACLE_PROGRAM_ADDRESS } from './generated/opml-oracle/programs/index.js';
import { REVENUE_ESCROW_PROGRAM_ADDRESS } from './generated/revenue-escrow/programs/index.js';
import { Domain, MerkleTree, merkleLeaf } from './merkle.js';

/** "This model, run on this input, gives this output." */
export type Claim = { modelRoot: Hash; inputRoot: Hash; outputRoot: Hash };

/** What a payer asks. */
export type Request = {
    lane: Address;
    /** Requests on this lane before this one. */
    sequence: bigint;
    modelRoot: Hash;
    inputRoot: Hash;
    /** In units of the revenue mint. */
    priceUnits: bigint;
    /** Fresh for each request of a private lane, `PUBLIC_SALT` where nothing is hidden. */
    salt: Hash;
};

/** What answers a request. */
export type Receipt = { lane: Address; sequence: bigint; claim: Claim; salt: Hash };

/** What a session key signs before each answer; it covers everything before it. */
export type Voucher = {
    /** Genesis hash of the cluster. */
    cluster: Hash;
    lane: Address;
    laneGeneration: bigint;
    session: Address;
    sessionGeneration: bigint;
    /** Price of all requests so far, in units of the revenue mint. */
    cumulativeAmountUnits: bigint;
    cumulativeCount: bigint;
    requestsRoot: Hash;
    /** Last second at which it can be collected, in Unix seconds. */
    expiresUnix: bigint;
};

/** What an operator signs with every output. */
export type Answer = {
    /** Genesis hash of the cluster. */
    cluster: Hash;
    /** The operator account. */
    operator: Address;
    claim: Claim;
};

export const VOUCHER_BYTES = 216;
export const RECEIPT_BYTES = 168;
export const SIGNATURE_BYTES = 64;
export const PUBLIC_SALT: Hash = new Uint8Array(32);

const ED25519_PROGRAM_ADDRESS = 'Ed25519SigVerify111111111111111111111111111' as Address;

export function voucherMessage(voucher: Voucher): Uint8Array<ArrayBuffer> {
    return concat(
        utf8('imo:voucher:v1\0\0'),
        hash(voucher.cluster),
        addressBytes(REVENUE_ESCROW_PROGRAM_ADDRESS),
        addressBytes(voucher.lane),
        u64(voucher.laneGeneration),
        addressBytes(voucher.session),
        u64(voucher.sessionGeneration),
        u64(voucher.cumulativeAmountUnits),
        u64(voucher.cumulativeCount),
        hash(voucher.requestsRoot),
        i64(voucher.expiresUnix),
    );
}

export function answerMessage(answer: Answer): Uint8Array<ArrayBuffer> {
    return concat(
        utf8('imo:answer:v1\0\0\0'),
        hash(answer.cluster),
        addressBytes(OPML_ORACLE_PROGRAM_ADDRESS),
        addressBytes(answer.operator),
        claimBytes(answer.claim),
    );
}

/** model_root ‖ input_root ‖ output_root. */
export function claimBytes(claim: Claim): Uint8Array<ArrayBuffer> {
    return concat(hash(claim.modelRoot), hash(claim.inputRoot), hash(claim.outputRoot));
}

export function claimHash(claim: Claim): Hash {
    return sha256(utf8('imo:claim:v1'), claimBytes(claim));
}

/** Names the question of a claim. */
export function questionHash(claim: Pick<Claim, 'modelRoot' | 'inputRoot'>): Hash {
    return sha256(utf8('imo:question:v1'), hash(claim.modelRoot), hash(claim.inputRoot));
}

/** What an operator account stores of the key that signs its answers. */
export function answerKeyHash(key: Address): Hash {
    return sha256(addressBytes(key));
}

export function requestBytes(request: Request): Uint8Array<ArrayBuffer> {
    return concat(
        addressBytes(request.lane),
        u64(request.sequence),
        hash(request.modelRoot),
        hash(request.inputRoot),
        u64(request.priceUnits),
        hash(request.salt),
    );
}

/** A request's leaf in its lane's tree. */
export function requestLeaf(request: Request): Hash {
    return merkleLeaf(Domain.Request, Number(request.sequence), requestBytes(request));
}

export function receiptBytes(receipt: Receipt): Uint8Array<ArrayBuffer> {
    return concat(addressBytes(receipt.lane), u64(receipt.sequence), claimBytes(receipt.claim), hash(receipt.salt));
}

/** What `receiptBytes` wrote. */
export function parseReceipt(bytes: ReadonlyUint8Array): Receipt {
    if (bytes.length !== RECEIPT_BYTES) throw new RangeError(`A receipt has ${RECEIPT_BYTES} bytes, but ${bytes.length} were given.`);
    const root = (at: number): Hash => bytes.slice(at, at + 32);
    return {
        lane: getAddressDecoder().decode(bytes),
        sequence: new DataView(bytes.slice(32, 40).buffer).getBigUint64(0, true),
        claim: { modelRoot: root(40), inputRoot: root(72), outputRoot: root(104) },
        salt: root(136),
    };
}

/** A receipt's leaf in the tree of a Collection that starts at `firstSequence`. */
export function receiptLeaf(receipt: Receipt, firstSequence: bigint): Hash {
    if (receipt.sequence < firstSequence) throw new RangeError(`The receipt ${receipt.sequence} comes before the collection, which starts at ${firstSequence}.`);
    return merkleLeaf(Domain.Receipt, Number(receipt.sequence - firstSequence), receiptBytes(receipt));
}

/** What a Collection states about these receipts, in the order of their sequences from `firstSequence` on. */
export function receiptTree(receipts: readonly Receipt[], firstSequence: bigint): MerkleTree {
    const tree = new MerkleTree();
    for (const [index, receipt] of receipts.entries()) {
        if (receipt.sequence !== firstSequence + BigInt(index)) {
            throw new RangeError(`The next sequence of this tree is ${firstSequence + BigInt(index)}, but ${receipt.sequence} was given.`);
        }
        tree.push(receiptLeaf(receipt, firstSequence));
    }
    return tree;
}

export function sameReceipt(a: Receipt, b: Receipt): boolean {
    return equal(receiptBytes(a), receiptBytes(b));
}

/** Has the Ed25519 program check one signature, in the only layout that the programs accept: directly before the instruction that needs it. */
export function getVerifySignatureInstruction(
    signer: Address,
    signature: ReadonlyUint8Array,
    message: ReadonlyUint8Array,
): Instruction & { data: Uint8Array } {
    if (signature.length !== SIGNATURE_BYTES) throw new RangeError(`A signature has 64 bytes, but ${signature.length} were given.`);
    const here = u16(0xffff);
    const data = concat(
        new Uint8Array([1, 0]),
        u16(48),
        here,
        u16(16),
        here,
        u16(112),
        u16(message.length),
        here,
        addressBytes(signer),
        signature,
        message,
    );
    return { programAddress: ED25519_PROGRAM_ADDRESS, accounts: [], data };
}

/** The wallets that may commit to an offering, each with the most that it may commit (0: no cap of its own). */
export class AllowList {
    readonly #entries: ReadonlyArray<{ wallet: Address; capUnits: bigint }>;
    readonly #tree = new MerkleTree();

    constructor(entries: ReadonlyArray<{ wallet: Address; capUnits: bigint }>) {
        this.#entries = entries;
        for (const [index, { wallet, capUnits }] of entries.entries()) {
            this.#tree.push(merkleLeaf(Domain.Allowance, index, concat(addressBytes(wallet), u64(capUnits))));
        }
    }

    /** What the offering is opened with. */
    root(): Hash {
        return this.#tree.root();
    }

    /** What the offering is opened with, besides the root. */
    get count(): number {
        return this.#entries.length;
    }

    /** What a wallet shows when it commits: its first place on the list, or `undefined` when it has none. */
    allowance(wallet: Address): { index: number; capUnits: bigint; path: Hash[] } | undefined {
        const index = this.#entries.findIndex((entry) => entry.wallet === wallet);
        const entry = this.#entries[index];
        return entry && { index, capUnits: entry.capUnits, path: this.#tree.path(index)! };
    }
}
