import assert from 'node:assert/strict';
import { test } from 'node:test';

import { AllowList, findPaymentAccount, getVerifySignatureInstruction, Purse, toHex, voucherMessage } from '@imo/client';
import { findOfferingPda, getCommitInstructionAsync, getSettleOfferingInstructionAsync } from '@imo/client/model-token';
import { findOperatorPda, findStakeVaultPda, getRegisterOperatorInstructionAsync } from '@imo/client/opml-oracle';
import {
    findBucketPda,
    findCreditPda,
    findLanePda,
    findSessionPda,
    findVaultPda,
    findVaultTokensPda,
    getCollectInstructionAsync,
    getDepositCreditInstructionAsync,
    getFundLaneInstruction,
    getGrantSessionInstructionAsync,
    getOpenCreditInstructionAsync,
    getOpenLaneInstructionAsync,
} from '@imo/client/revenue-escrow';
import { createNoopSigner, getAddressDecoder, isSignerRole, isWritableRole, type Instruction } from '@solana/kit';

import { hexBytes, keyBytes, vectors } from './vectors.js';

const address = (number: number) => getAddressDecoder().decode(keyBytes(number));
const signer = (number: number) => createNoopSigner(address(number));

const [payer, model, operator, mint] = [signer(1), address(2), address(3), address(4)];

function same(name: string, made: Instruction): void {
    const expected = vectors.instructions[name]!;
    assert.equal(made.programAddress, expected.program, name);
    assert.equal(toHex(made.data ?? new Uint8Array()), expected.data, `data of ${name}`);
    const accounts = (made.accounts ?? []).map(({ address, role }) => [address, isSignerRole(role), isWritableRole(role)]);
    assert.deepEqual(accounts, expected.accounts, `accounts of ${name}`);
}

test('given a payer’s instructions when built then programs, accounts, roles and bytes are the Rust client’s', async () => {
    const [vault] = await findVaultPda({ model });
    const [vaultTokens] = await findVaultTokensPda({ model });
    const [credit] = await findCreditPda({ payer: payer.address, model });
    const [lane] = await findLanePda({ credit, operator });
    same('openCredit', await getOpenCreditInstructionAsync({ payer, rentPayer: payer, vault, credit }));
    const depositorTokens = await findPaymentAccount(payer.address, mint);
    const deposit = { depositor: payer, vault, credit, mint, depositorTokens, vaultTokens, amountUnits: 1_000_000n };
    same('depositCredit', await getDepositCreditInstructionAsync(deposit));
    const opened = { payer, rentPayer: payer, vault, credit, operator, model, amountUnits: 600_000n, private: true };
    same('openLane', await getOpenLaneInstructionAsync(opened));
    same('fundLane', getFundLaneInstruction({ payer, credit, lane, amountUnits: 5n }));
    const grant = { payer, rentPayer: payer, credit, key: address(5), limitUnits: 77n, expiresUnix: 1_900_000_000n };
    same('grantSession', await getGrantSessionInstructionAsync(grant));
});

test('given an operator’s instructions when built then they are the Rust client’s', async () => {
    const [stakeVault] = await findStakeVaultPda({ mint });
    const [registered] = await findOperatorPda({ authority: address(5), mint });
    same(
        'registerOperator',
        await getRegisterOperatorInstructionAsync({
            payer,
            authority: signer(5),
            stakeVault,
            operator: registered,
            backup: address(6),
            endpoint: 'https://a.example',
            endpointKeyHash: keyBytes(7),
        }),
    );

    const [credit] = await findCreditPda({ payer: payer.address, model });
    const [session] = await findSessionPda({ credit, key: vectors.purse.session });
    const [bucket] = await findBucketPda({ report: address(8) });
    const [lane] = await findLanePda({ credit, operator });
    const purse = new Purse({
        cluster: keyBytes(1),
        lane: vectors.purse.lane,
        laneGeneration: 3n,
        session: vectors.purse.session,
        sessionGeneration: 4n,
        operator: vectors.purse.operator,
        answerKeyHash: hexBytes(vectors.purse.answerKeyHash),
    });
    const entry = { modelRoot: keyBytes(0), inputRoot: keyBytes(1), priceUnits: 250_000n, salt: keyBytes(2) };
    const { voucher } = purse.ask(entry, 1_900_000_000n);
    const signature = hexBytes(vectors.purse.questions[0]!.signature);
    same('verifyVoucher', getVerifySignatureInstruction(voucher.session, signature, voucherMessage(voucher)));
    same(
        'collect',
        await getCollectInstructionAsync({
            authority: signer(6),
            rentPayer: signer(7),
            operator,
            report: address(8),
            credit,
            lane,
            session,
            bucket,
            cumulativeAmountUnits: voucher.cumulativeAmountUnits,
            cumulativeCount: voucher.cumulativeCount,
            requestsRoot: voucher.requestsRoot,
            receiptsRoot: keyBytes(9),
            expiresUnix: voucher.expiresUnix,
        }),
    );
});

test('given an investor’s instructions when built then they are the Rust client’s', async () => {
    const [offering] = await findOfferingPda({ model });
    const investorPayment = await findPaymentAccount(payer.address, mint);
    const commit = { investor: payer, payer, offering, paymentMint: mint, investorPayment };
    same('commit', await getCommitInstructionAsync({ ...commit, amountUnits: 123_456_789n, allowance: null }));
    const list = new AllowList([
        { wallet: payer.address, capUnits: 10n },
        { wallet: address(9), capUnits: 0n },
    ]);
    const allowance = list.allowance(payer.address)!;
    same('commitListed', await getCommitInstructionAsync({ ...commit, amountUnits: 5n, allowance }));
    same('settleOffering', await getSettleOfferingInstructionAsync({ payer, model }));
});

test('given a long message when its signature is to be checked then the instruction is the Rust client’s', () => {
    same('verifyLong', getVerifySignatureInstruction(address(1), new Uint8Array(64).fill(2), new Uint8Array(300).fill(3)));
});
