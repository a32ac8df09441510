/** A chain and an operator that are not there: accounts by address, and a gateway that keeps what it was asked, as an operator does. */

import {
    answerKeyHash,
    answerMessage,
    fromBase64,
    fromHex,
    MerkleTree,
    receiptBytes,
    requestLeaf,
    tensorRoot,
    toHex,
    type Fetch,
    type PayerRpc,
} from '@imo/client';
import {
    findModelVersionPda,
    findProtocolPda,
    getModelDecoder,
    getModelEncoder,
    getModelVersionDecoder,
    getModelVersionEncoder,
    getProtocolDecoder,
    getProtocolEncoder,
    MODEL_TOKEN_PROGRAM_ADDRESS,
    OperatorAccess,
} from '@imo/client/model-token';
import { getOperatorDecoder, getOperatorEncoder, OPML_ORACLE_PROGRAM_ADDRESS } from '@imo/client/opml-oracle';
import {
    findCreditPda,
    findLanePda,
    findSessionPda,
    getCreditDecoder,
    getCreditEncoder,
    getLaneDecoder,
    getLaneEncoder,
    getSessionDecoder,
    getSessionEncoder,
    REVENUE_ESCROW_PROGRAM_ADDRESS,
} from '@imo/client/revenue-escrow';
import {
    createKeyPairSignerFromPrivateKeyBytes,
    createSolanaRpcFromTransport,
    getAddressDecoder,
    getBase64Decoder,
    type Address,
    type Decoder,
    type Encoder,
    type KeyPairSigner,
    type ReadonlyUint8Array,
} from '@solana/kit';

import { hexBytes, keyBytes, vectors } from './vectors.js';

export const PRICE_UNITS = 250_000n;
export const NOW_UNIX = 1_800_000_000n;
export const CLUSTER = keyBytes(1);
const address = (number: number): Address => getAddressDecoder().decode(keyBytes(number));
export const [PAYER, MODEL, OPERATOR] = [address(31), address(32), address(33)];
const SYSVARS = 'Sysvar1111111111111111111111111111111111111' as Address;

export type World = {
    session: KeyPairSigner;
    answerKey: KeyPairSigner;
    rpc: PayerRpc;
    lane: Address;
};

export type Changes = {
    private?: boolean;
    collectedCount?: bigint;
    /** Of the live version; the digit classifier's when left out. */
    modelRoot?: Uint8Array;
    inputSpec?: Uint8Array;
    /** Of the lane; 3 when left out. */
    generation?: bigint;
    expiresUnix?: bigint;
    /** Opens a credit with so much in it. */
    availableUnits?: bigint;
    /** Whether the model has a list of operators. */
    isListed?: boolean;
    /** Accounts that are not there. */
    without?: ReadonlyArray<'lane' | 'session'>;
};

/** A payer with a lane and a session, and a model with one live version: the digit classifier. */
export async function world(changes: Changes = {}): Promise<World> {
    const session = await createKeyPairSignerFromPrivateKeyBytes(fromHex(vectors.purse.sessionSeed));
    const answerKey = await createKeyPairSignerFromPrivateKeyBytes(keyBytes(22));
    const [protocol] = await findProtocolPda();
    const [version] = await findModelVersionPda({ model: MODEL, number: 1 });
    const [credit] = await findCreditPda({ payer: PAYER, model: MODEL });
    const [lane] = await findLanePda({ credit, operator: OPERATOR });
    const [sessionAddress] = await findSessionPda({ credit, key: session.address });
    const header = hexBytes(vectors.models.digits.model.header);
    const clock = new Uint8Array(40);
    new DataView(clock.buffer).setBigInt64(32, NOW_UNIX, true);
    const { private: isPrivate = false, collectedCount = 0n, expiresUnix = NOW_UNIX + 1_000_000n } = changes;
    const live = {
        modelRoot: changes.modelRoot ?? hexBytes(vectors.models.digits.model.modelRoot),
        inputSpec: changes.inputSpec ?? header.slice(74),
        priceUnits: PRICE_UNITS,
    };
    const operator = { endpoint: 'https://operator.example/', endpointKeyHash: answerKeyHash(answerKey.address) };
    const granted = { key: session.address, generation: 4n, limitUnits: 10n ** 9n, expiresUnix };
    const [token, oracle, escrow] = [MODEL_TOKEN_PROGRAM_ADDRESS, OPML_ORACLE_PROGRAM_ADDRESS, REVENUE_ESCROW_PROGRAM_ADDRESS];
    const accounts = new Map<string, readonly [Address, ReadonlyUint8Array]>([
        ['SysvarC1ock11111111111111111111111111111111', [SYSVARS, clock]],
        [protocol, [token, account(getProtocolDecoder(), getProtocolEncoder(), { cluster: CLUSTER })]],
        [MODEL, [token, account(getModelDecoder(), getModelEncoder(), { liveVersion: 1, versionCount: 1, operators: changes.isListed ? OperatorAccess.Listed : OperatorAccess.Open })]],
        [version, [token, account(getModelVersionDecoder(), getModelVersionEncoder(), live)]],
        [OPERATOR, [oracle, account(getOperatorDecoder(), getOperatorEncoder(), operator)]],
        [lane, [escrow, account(getLaneDecoder(), getLaneEncoder(), { generation: changes.generation ?? 3n, private: isPrivate, collectedCount })]],
        [sessionAddress, [escrow, account(getSessionDecoder(), getSessionEncoder(), granted)]],
    ]);
    if (changes.availableUnits !== undefined) {
        accounts.set(credit, [escrow, account(getCreditDecoder(), getCreditEncoder(), { availableUnits: changes.availableUnits })]);
    }
    for (const missing of changes.without ?? []) accounts.delete(missing === 'lane' ? lane : sessionAddress);
    return { session, answerKey, rpc: chain(accounts), lane };
}

/** An account of zeros but for what is given. */
function account<TFrom, TTo extends TFrom>(decoder: Decoder<TTo>, encoder: Encoder<TFrom>, changes: Partial<TTo>): ReadonlyUint8Array {
    return encoder.encode({ ...decoder.decode(new Uint8Array(4_096)), ...changes });
}

function chain(accounts: ReadonlyMap<string, readonly [Address, ReadonlyUint8Array]>): PayerRpc {
    const info = (address: string) => {
        const found = accounts.get(address);
        if (!found) return null;
        const [owner, data] = found;
        return { data: [getBase64Decoder().decode(data), 'base64'], executable: false, lamports: 1, owner, rentEpoch: 0, space: data.length };
    };
    const transport = async ({ payload }: { payload: unknown }): Promise<unknown> => {
        const { id, method, params } = payload as { id: string; method: string; params: [string | string[]] };
        const [asked] = params;
        const value = method === 'getMultipleAccounts' ? (asked as string[]).map(info) : info(asked as string);
        return { jsonrpc: '2.0', id, result: { context: { slot: 1 }, value } };
    };
    return createSolanaRpcFromTransport(transport as never) as unknown as PayerRpc;
}

/** What an operator does with a request, given what an honest one would answer. */
export type Mischief = (honest: Response) => Response | Promise<Response>;

/** The output that the operator gives, in place of the model's. */
export const OUTPUT = [7];

/** An operator that keeps what it was asked, answers the same question again, and refuses whatever is not the next one. */
export class FakeOperator {
    readonly requests: Array<{ voucher: Uint8Array; body: string }> = [];
    /** One for each request to come; an honest answer after that. */
    mischief: Mischief[] = [];
    readonly #world: World;
    readonly #tree = new MerkleTree();
    #last: { voucher: string; body: string } | undefined;

    constructor(world: World) {
        this.#world = world;
    }

    readonly fetch: Fetch = async (_url, init) => {
        const headers = init!.headers as Record<string, string>;
        const payment = JSON.parse(Buffer.from(headers['x-payment']!, 'base64').toString()) as { payload: { voucher: string; salt: string } };
        const voucher = fromBase64(payment.payload.voucher) as Uint8Array;
        const body = String(init!.body);
        this.requests.push({ voucher, body });
        const honest = await this.#answer(voucher, hexBytes(payment.payload.salt), body);
        return (this.mischief.shift() ?? ((response) => response))(honest);
    };

    async #answer(voucher: Uint8Array, salt: Uint8Array, body: string): Promise<Response> {
        const { lane, answerKey } = this.#world;
        const input = fromBase64((JSON.parse(body) as { input: { data: string } }).input.data);
        const modelRoot = hexBytes(vectors.models.digits.model.modelRoot);
        const inputRoot = tensorRoot(input);
        const message = new DataView(voucher.buffer, voucher.byteOffset);
        const [amount, count] = [message.getBigUint64(160, true), message.getBigUint64(168, true)];
        const covered = Buffer.from(voucher.slice(160, 208)).toString('hex');
        const isAgain = this.#last?.voucher === covered && this.#last.body === body;
        const sequence = isAgain ? this.#tree.count - 1 : this.#tree.count;
        if (!isAgain) {
            if (count !== BigInt(sequence + 1) || amount !== BigInt(sequence + 1) * PRICE_UNITS) {
                return json(402, { error: 'The voucher is not the next one.', code: 'not_next', lane: { count: sequence } });
            }
            this.#tree.push(requestLeaf({ lane, sequence: BigInt(sequence), modelRoot, inputRoot, priceUnits: PRICE_UNITS, salt }));
            if (toHex(this.#tree.root()) !== covered.slice(32)) return json(402, { error: 'Another root.', code: 'wrong_requests' });
            this.#last = { voucher: covered, body };
        }
        const outputRoot = tensorRoot(new Uint8Array(new Int32Array(OUTPUT).buffer));
        const claim = { modelRoot, inputRoot, outputRoot };
        const answer = answerMessage({ cluster: CLUSTER, operator: OPERATOR, claim });
        const [signatures] = await answerKey.signMessages([{ content: answer, signatures: {} }]);
        return json(200, {
            model: 'digits',
            output: { element: 'int32', shape: [1, 1], values: OUTPUT },
            evidence: {
                receipt: getBase64Decoder().decode(receiptBytes({ lane, sequence: BigInt(sequence), claim, salt })),
                sequence,
                model_root: toHex(modelRoot),
                input_root: toHex(inputRoot),
                output_root: toHex(outputRoot),
                answer_key: answerKey.address,
                answer_signature: getBase64Decoder().decode(signatures![answerKey.address]!),
            },
        });
    }

    /** How many questions it was paid for. */
    get count(): number {
        return this.#tree.count;
    }
}

export function json(status: number, body: unknown, headers: Record<string, string> = {}): Response {
    return new Response(JSON.stringify(body), { status, headers });
}
