/** Events of the programs, from the logs of a transaction. */

import { getBase64Encoder, type Address, type Decoder } from '@solana/kit';

/** All events of a program, such as `REVENUE_ESCROW_EVENTS`. */
export type ProgramEvents<TEvent extends { name: string; data: unknown }> = {
    readonly program: Address;
    readonly kinds: ReadonlyArray<{
        readonly name: TEvent['name'];
        readonly discriminator: Uint8Array;
        readonly decoder: () => Decoder<TEvent['data']>;
    }>;
    readonly event?: TEvent;
};

/** What a program emitted. */
export type ReadEvents<TEvent> = {
    /** In the order in which they were emitted. */
    events: TEvent[];
    /** Whether the RPC kept all of the logs. */
    complete: boolean;
};

const TRUNCATED = 'Log truncated';
const DATA = 'Program data: ';
const CALL = /^Program (\S+) (invoke \[|success|failed)/;

/** Reads what a program emitted. Lines that another program wrote, whatever they say, are not its, and what does not decode is left out. */
export function readEvents<TEvent extends { name: string; data: unknown }>(
    program: ProgramEvents<TEvent>,
    logs: readonly string[],
): ReadEvents<TEvent> {
    // The programs that run, the innermost last.
    const running: string[] = [];
    const read: ReadEvents<TEvent> = { events: [], complete: true };
    for (const line of logs) {
        if (line.startsWith(TRUNCATED)) {
            read.complete = false;
        } else if (line.startsWith(DATA)) {
            if (running.at(-1) !== program.program) continue;
            const event = decodeEvent(program, line.slice(DATA.length));
            if (event) read.events.push(event);
        } else {
            const call = CALL.exec(line);
            if (!call) continue;
            if (call[2] === 'invoke [') running.push(call[1]!);
            else running.pop();
        }
    }
    return read;
}

function decodeEvent<TEvent extends { name: string; data: unknown }>(
    program: ProgramEvents<TEvent>,
    base64: string,
): TEvent | undefined {
    try {
        const bytes = getBase64Encoder().encode(base64);
        const kind = program.kinds.find(({ discriminator }) => discriminator.every((byte, at) => bytes[at] === byte));
        if (!kind) return undefined;
        return { name: kind.name, data: kind.decoder().decode(bytes, kind.discriminator.length) } as TEvent;
    } catch {
        return undefined;
    }
}
