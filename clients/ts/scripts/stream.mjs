// Streams a decoder's tokens with the built client and prints how it went, as JSON. The command's tests (crates/imo) run it against a real gateway.

import { readFileSync } from 'node:fs';

import { createKeyPairSignerFromBytes, createSolanaRpc } from '@solana/kit';

import { fileStorage, loadVerifier, Payer } from '../dist/index.js';

const { rpc, session, storage, verify, prompt, maxTokens, budgetUnits, ...who } = JSON.parse(process.argv[2]);
const payer = new Payer({
    ...who,
    rpc: createSolanaRpc(rpc),
    session: await createKeyPairSignerFromBytes(new Uint8Array(JSON.parse(readFileSync(session, 'utf8')))),
    storage: await fileStorage(storage),
    verifier: await (await loadVerifier()).open(readFileSync(verify)),
});
const completion = payer.stream(prompt, { maxTokens, budgetUnits: BigInt(budgetUnits) });
const verdicts = [];
for await (const { bought } of completion) if (bought) verdicts.push(bought.verdict.kind);
const { tokens, costUnits, end } = completion;
console.log(JSON.stringify({ tokens, costUnits: Number(costUnits), end, verdicts }));
