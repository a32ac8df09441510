// The seeds of every account that has some: the prefix, then what varies, in the order of crates/imo-client/src/addresses.

import { bytesTypeNode, fixedSizeTypeNode, numberTypeNode, publicKeyTypeNode } from '@codama/nodes';

const key = publicKeyTypeNode();
const hash = fixedSizeTypeNode(bytesTypeNode(), 32);
const [u8, u16, u32, u64] = ['u8', 'u16', 'u32', 'u64'].map((format) => numberTypeNode(format));

/** By program, then by the name in the client. */
export const PDAS = {
    model_token: {
        appointment: ['appointment', { model: key, operatorAuthority: key }],
        commitment: ['commitment', { offering: key, investor: key }],
        metadataUpdate: ['metadata_update', { model: key }],
        mint: ['mint', { model: key }],
        model: ['model', { creator: key, index: u32 }],
        modelVersion: ['version', { model: key, number: u16 }],
        offering: ['offering', { model: key }],
        paymentVault: ['payment_vault', { offering: key }],
        protocol: ['protocol', {}],
        protocolUpdate: ['protocol_update', {}],
        tokenVault: ['token_vault', { offering: key }],
    },
    opml_oracle: {
        audit: ['audit', { report: key, number: u8 }],
        auditEntry: ['audit_entry', { audit: key, auditor: key }],
        auditFund: ['audit_fund', { mint: key }],
        auditTokens: ['audit_tokens', { mint: key }],
        dispute: ['dispute', { report: key, challenger: key, nonce: u64 }],
        equivocation: ['equivocation', { operator: key, question: hash }],
        inquiry: ['inquiry', { report: key, demander: key, nonce: u64 }],
        operator: ['operator', { authority: key, mint: key }],
        report: ['report', { operator: key, sequence: u64 }],
        stakeTokens: ['stake_tokens', { mint: key }],
        stakeVault: ['stake_vault', { mint: key }],
        trace: ['trace', { report: key, claimHash: hash }],
    },
    revenue_escrow: {
        bucket: ['bucket', { report: key }],
        collection: ['collection', { report: key, lane: key }],
        contributions: ['contributions', { modelVersion: key }],
        credit: ['credit', { payer: key, model: key }],
        depositor: ['depositor', {}],
        earnings: ['earnings', { vault: key, recipient: key }],
        lane: ['lane', { credit: key, operator: key }],
        session: ['session', { credit: key, key }],
        vault: ['vault', { model: key }],
        vaultTokens: ['vault_tokens', { model: key }],
    },
    yield_distributor: {
        claimDelegation: ['claim_delegation', { pool: key, owner: key }],
        epochMark: ['epoch_mark', { pool: key, epoch: u64 }],
        pool: ['pool', { model: key }],
        position: ['position', { pool: key, owner: key }],
        releaser: ['releaser', {}],
        revenueVault: ['revenue_vault', { pool: key }],
        stakeVault: ['stake_vault', { pool: key }],
        vesting: ['vesting', { pool: key, owner: key }],
    },
};
