//! Credits, lanes and sessions, and the vault that holds them.

use ::revenue_escrow::state::{Credit, Earnings, Lane, ModelVault, Session};
use imo_client::addresses;
use solana_signer::Signer;

use super::assert_due;
use crate::histories::stage::Stage;

pub fn assert_credits(stage: &Stage) {
    let (world, ledger) = (&stage.world, &stage.ledger);
    for payer in 0..ledger.credits.len() {
        let address = stage.credit_account(payer);
        let Some(credit) = &ledger.credits[payer] else {
            assert!(!world.is_made(&address), "a credit that is closed");
            continue;
        };
        let chain: Credit = world.read(&address);
        assert_eq!(
            (
                chain.generation,
                chain.available_units,
                chain.withdrawing_units,
                chain.reserved_units
            ),
            (
                credit.generation,
                credit.funds.counted,
                credit.funds.leaving,
                credit.reserved()
            )
        );
        assert_due(&chain.withdraw_deadline, credit.funds.due.map(|due| due.slot));
        let lanes = credit.lanes.iter().flatten().count();
        assert_eq!(
            (chain.open_lanes as usize, chain.open_sessions, chain.open_collections),
            (lanes, u32::from(credit.session.is_some()), credit.collections)
        );
        for (operator, lane) in credit.lanes.iter().enumerate() {
            let address = stage.lane_account(payer, operator);
            let Some(lane) = lane else {
                assert!(!world.is_made(&address), "a lane that is closed");
                continue;
            };
            let chain: Lane = world.read(&address);
            assert_eq!(
                (chain.generation, chain.reserved_units, chain.releasing_units),
                (lane.generation, lane.funds.counted, lane.funds.leaving)
            );
            assert_eq!(
                (chain.collected_units, chain.collected_count),
                (lane.collected_units, lane.collected_count)
            );
            assert_due(&chain.release_deadline, lane.funds.due.map(|due| due.slot));
        }
        if let Some(session) = &credit.session {
            let key = stage.keys.sessions[payer].pubkey();
            let chain: Session = world.read(&addresses::revenue_escrow::session(&address, &key));
            assert_eq!(
                (
                    chain.generation,
                    chain.limit_units,
                    chain.spent_units,
                    chain.expires_unix
                ),
                (session.generation, session.limit, session.spent, session.expires_unix)
            );
            assert_due(&chain.revoke_deadline, session.revoked.map(|due| due.slot));
        }
    }
}

pub fn assert_vault(stage: &Stage) {
    let (world, ledger) = (&stage.world, &stage.ledger);
    let model = stage.published.model;
    if !ledger.founded.model_vault {
        return;
    }
    let vault: ModelVault = world.read(&addresses::revenue_escrow::vault(&model));
    assert_eq!(
        (vault.owed_units, vault.paid_to_others_units),
        (ledger.vault_owes(), ledger.paid_to_others),
        "what the model's vault owes and paid"
    );
    let held = world.tokens(&addresses::revenue_escrow::vault_tokens(&model));
    assert_eq!(held, ledger.vault_owes(), "what the model's vault holds");
    for (whom, owed) in &ledger.earnings {
        let address = addresses::revenue_escrow::vault(&model);
        let chain: Earnings = world.read(&addresses::revenue_escrow::earnings(&address, whom));
        let set_aside = if *whom == ledger.people.treasury {
            ledger.audit_share
        } else {
            0
        };
        assert_eq!((chain.owed_units, chain.audit_units), (*owed, set_aside), "earnings");
    }
}
