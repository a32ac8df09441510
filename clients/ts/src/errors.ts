/** What the programs' error codes mean, and which refusal ended a transaction. */

import type { Address } from '@solana/kit';

import { MODEL_TOKEN_ERRORS } from './generated/model-token/errors/index.js';
import { MODEL_TOKEN_PROGRAM_ADDRESS } from './generated/model-token/programs/index.js';
import { OPML_ORACLE_ERRORS } from './generated/opml-oracle/errors/index.js';
import { OPML_ORACLE_PROGRAM_ADDRESS } from './generated/opml-oracle/programs/index.js';
import { REVENUE_ESCROW_ERRORS } from './generated/revenue-escrow/errors/index.js';
import { REVENUE_ESCROW_PROGRAM_ADDRESS } from './generated/revenue-escrow/programs/index.js';
import { YIELD_DISTRIBUTOR_ERRORS } from './generated/yield-distributor/errors/index.js';
import { YIELD_DISTRIBUTOR_PROGRAM_ADDRESS } from './generated/yield-distributor/programs/index.js';
import { SHARED_ERRORS } from './shared-errors.js';

/** A refusal of one of the four programs. */
export type ProgramRefusal = {
    /** Such as `model-token`. */
    program: string;
    programAddress: Address;
    code: number;
    /** As in the program's source, such as `OfferingClosed`. */
    name: string;
    /** What to do. */
    message: string;
};

type Meanings = Readonly<Record<number, { readonly name: string; readonly message: string }>>;

const PROGRAMS: Readonly<Record<string, readonly [string, Meanings]>> = {
    [MODEL_TOKEN_PROGRAM_ADDRESS]: ['model-token', MODEL_TOKEN_ERRORS],
    [OPML_ORACLE_PROGRAM_ADDRESS]: ['opml-oracle', OPML_ORACLE_ERRORS],
    [REVENUE_ESCROW_PROGRAM_ADDRESS]: ['revenue-escrow', REVENUE_ESCROW_ERRORS],
    [YIELD_DISTRIBUTOR_PROGRAM_ADDRESS]: ['yield-distributor', YIELD_DISTRIBUTOR_ERRORS],
};

/** What a code of a program means; `undefined` when it is none of the four programs, or a code that this client does not know. */
export function lookUpError(programAddress: Address | string, code: number): ProgramRefusal | undefined {
    const known = PROGRAMS[programAddress];
    if (!known) return undefined;
    const [program, own] = known;
    const meaning = own[code] ?? SHARED_ERRORS[code];
    return meaning && { program, programAddress: programAddress as Address, code, ...meaning };
}

/** The refusal that ended a transaction, from its logs. The innermost program that failed is logged first, and it knows why. */
export function refusalFromLogs(logs: readonly string[]): ProgramRefusal | undefined {
    for (const line of logs) {
        const failed = /^Program (\S+) failed: custom program error: 0x([0-9a-f]+)$/.exec(line);
        const refusal = failed && lookUpError(failed[1]!, Number.parseInt(failed[2]!, 16));
        if (refusal) return refusal;
    }
    return undefined;
}

/**
 * The refusal behind an error that kit threw, from the logs that it carries. Without logs there is none: an instruction's error has only a code, and the program that refused may be
 * one that the instruction's program called.
 */
export function refusalOf(error: unknown): ProgramRefusal | undefined {
    for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
        const context = (cause as { context?: { logs?: readonly string[] | null } }).context;
        const refusal = context?.logs && refusalFromLogs(context.logs);
        if (refusal) return refusal;
    }
    return undefined;
}
