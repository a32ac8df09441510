/** Small things on bytes. */

import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js';
import { getAddressEncoder, type Address, type ReadonlyUint8Array } from '@solana/kit';

/** 32 bytes. */
export type Hash = ReadonlyUint8Array;

export function sha256(...parts: readonly ReadonlyUint8Array[]): Uint8Array {
    const hasher = nobleSha256.create();
    for (const part of parts) hasher.update(part as Uint8Array);
    return hasher.digest();
}

export function concat(...parts: readonly ReadonlyUint8Array[]): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
    let at = 0;
    for (const part of parts) {
        bytes.set(part, at);
        at += part.length;
    }
    return bytes;
}

export function equal(a: ReadonlyUint8Array, b: ReadonlyUint8Array): boolean {
    return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

export function utf8(text: string): Uint8Array {
    return new TextEncoder().encode(text);
}

export function u16(value: number): Uint8Array {
    return little(2, BigInt(value));
}

export function u32(value: number): Uint8Array {
    return little(4, BigInt(value));
}

export function u64(value: bigint): Uint8Array {
    return little(8, value);
}

export function i64(value: bigint): Uint8Array {
    return little(8, value, true);
}

export function addressBytes(address: Address): ReadonlyUint8Array {
    return getAddressEncoder().encode(address);
}

/** A hash that is one: 32 bytes. */
export function hash(bytes: ReadonlyUint8Array): ReadonlyUint8Array {
    if (bytes.length !== 32) throw new RangeError(`A hash has 32 bytes, but ${bytes.length} were given.`);
    return bytes;
}

export function toHex(bytes: ReadonlyUint8Array): string {
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

export function fromHex(text: string): Uint8Array {
    if (!/^([0-9a-f]{2})*$/i.test(text)) throw new SyntaxError('Hexadecimal digits come in pairs of 0 to 9 and a to f.');
    return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

function little(length: number, value: bigint, signed = false): Uint8Array {
    const bits = BigInt(8 * length);
    const [least, most] = signed ? [-(1n << (bits - 1n)), (1n << (bits - 1n)) - 1n] : [0n, (1n << bits) - 1n];
    if (value < least || value > most) throw new RangeError(`${value} does not fit ${length} bytes.`);
    const bytes = new Uint8Array(length);
    let rest = BigInt.asUintN(8 * length, value);
    for (let at = 0; at < length; at += 1) {
        bytes[at] = Number(rest & 0xffn);
        rest >>= 8n;
    }
    return bytes;
}
