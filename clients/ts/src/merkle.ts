/** The Merkle trees of the protocol (docs/protocol.md, 1.1 and 1.2). */

import { equal, sha256, u32, type Hash } from './bytes.js';
import type { ReadonlyUint8Array } from '@solana/kit';

/** What the leaves of a tree are. */
export const Domain = {
    TensorTile: 1,
    GraphNode: 2,
    Constant: 3,
    TraceEntry: 4,
    Request: 5,
    Receipt: 6,
    Allowance: 7,
} as const;
export type Domain = (typeof Domain)[keyof typeof Domain];

/** Where a tree has no leaf. */
export const PAD: Hash = new Uint8Array(32);

/** Bytes of a tensor that one leaf holds. */
export const TILE_BYTES = 512;

const LEAF = new Uint8Array([0]);
const PARENT = new Uint8Array([1]);

export function merkleLeaf(domain: Domain, index: number, bytes: ReadonlyUint8Array): Hash {
    return sha256(LEAF, new Uint8Array([domain]), u32(index), bytes);
}

export function merkleParent(left: Hash, right: Hash): Hash {
    return equal(left, PAD) && equal(right, PAD) ? PAD : sha256(PARENT, left, right);
}

/** The commitment to a tensor's elements, which no shape enters. */
export function tensorRoot(bytes: ReadonlyUint8Array): Hash {
    const tree = new MerkleTree();
    for (let at = 0; at < bytes.length; at += TILE_BYTES) {
        tree.push(merkleLeaf(Domain.TensorTile, at / TILE_BYTES, bytes.slice(at, at + TILE_BYTES)));
    }
    return tree.root();
}

/** Whether a path leads from a leaf to a root, in a tree of `count` leaves. */
export function verifyMerklePath(root: Hash, leaf: Hash, index: number, count: number, path: readonly Hash[]): boolean {
    const depth = count <= 1 ? 0 : 32 - Math.clz32(count - 1);
    if (index >= count || path.length !== depth) return false;
    let node = leaf;
    for (const [level, sibling] of path.entries()) {
        const place = Math.floor(index / 2 ** level);
        const isPad = (place ^ 1) * 2 ** level >= count;
        if (equal(sibling, PAD) !== isPad) return false;
        node = place % 2 === 1 ? merkleParent(sibling, node) : merkleParent(node, sibling);
    }
    return equal(node, root);
}

/** A tree that leaves are appended to, with all its nodes. Level 0 is the leaves; padding is not stored. */
export class MerkleTree {
    readonly #levels: Hash[][] = [[]];

    get count(): number {
        return this.#levels[0]!.length;
    }

    push(leaf: Hash): void {
        if (this.count >= 2 ** 32 - 1) throw new RangeError('The tree is full.');
        let index = this.count;
        this.#levels[0]!.push(leaf);
        for (let level = 0; this.#levels[level]!.length > 1; level += 1) {
            index = Math.floor(index / 2);
            const node = merkleParent(this.node(level, 2 * index), this.node(level, 2 * index + 1));
            (this.#levels[level + 1] ??= [])[index] = node;
        }
    }

    root(): Hash {
        return this.#levels.at(-1)![0] ?? PAD;
    }

    /** The node at `index` of `level`; padding, and whatever lies outside, is `PAD`. */
    node(level: number, index: number): Hash {
        return this.#levels[level]?.[index] ?? PAD;
    }

    /** The siblings on the way up from a leaf; `undefined` when there is no such leaf. */
    path(index: number): Hash[] | undefined {
        if (!(index >= 0 && index < this.count)) return undefined;
        return this.#levels.slice(0, -1).map((_, level) => this.node(level, Math.floor(index / 2 ** level) ^ 1));
    }
}
