//! Every event of the four programs, and how its bytes become fields.
//!
//! The table names all fields of all events: one that a program adds does not compile here before it is named, and the test below fails for an event that is missing.

use anchor_lang::{AnchorDeserialize, Discriminator, prelude::Pubkey};

use super::fields::{Field, Fields};

/// An event as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded {
    /// Name of the program's crate.
    pub program: &'static str,
    pub name: &'static str,
    pub fields: Fields,
}

/// What an event of a newer program is called, which this version does not know.
pub const UNKNOWN: &str = "Unknown";

macro_rules! events {
    ($($program:ident { $($event:ident { $($field:ident),* $(,)? })* })*) => {
        /// Names of all events, with the programs' and the bytes that they begin with.
        #[cfg(test)]
        const ALL: &[(&str, &str, &[u8])] = &[
            $($((stringify!($program), stringify!($event), $program::events::$event::DISCRIMINATOR),)*)*
        ];

        /// Decodes what `id` emitted. `None` for other programs; what is not understood of the four is kept in its bytes.
        pub fn decode(id: &Pubkey, data: &[u8]) -> Option<Decoded> {
            $(if *id == $program::ID {
                let program = stringify!($program);
                $(if let Some(mut rest) = data.strip_prefix($program::events::$event::DISCRIMINATOR)
                    && let Ok(event) = $program::events::$event::deserialize(&mut rest)
                {
                    let $program::events::$event { $($field),* } = event;
                    let mut fields = Fields::default();
                    $(fields.add(stringify!($field), $field.field());)*
                    return Some(Decoded { program, name: stringify!($event), fields });
                })*
                let mut fields = Fields::default();
                fields.add("data", data.to_vec().field());
                return Some(Decoded { program, name: UNKNOWN, fields });
            })*
            None
        }
    };
}

events! {
    model_token {
        AppointmentClosed { model, appointment, operator_authority }
        AuthorityAccepted { previous, authority }
        AuthorityProposed { authority, pending_authority }
        CommitmentClaimed { offering, investor, commitment_units, tokens_units, vesting_units, refunded_units }
        CommitmentReleased { offering, investor, amount_units, released_units, vesting_units }
        CommitmentWithdrawn { offering, investor, amount_units, commitment_units, committed_units, in_tail }
        Committed { offering, investor, amount_units, commitment_units, committed_units }
        DeveloperAccepted { model, previous, developer }
        DeveloperProposed { model, developer, pending_developer }
        DeveloperReleased { offering, developer, amount_units, released_units }
        DustSwept { offering, burned_units, amount_units }
        MetadataCancelled { model }
        MetadataProposed { model, metadata, notice_ends_slot }
        MetadataSet { model, metadata }
        ModelRegistered { model, developer, index, payment_mint, metadata }
        OfferingOpened { model, offering, mint, sale_units, developer_units, min_raise_units, max_raise_units, wallet_cap_units, allowlist_root, allowlist_count, opens_unix, tail_unix, closes_unix, buyer_vesting, developer_vesting, tranches }
        OfferingSettled { model, offering, mint, status, committed_units, accepted_units }
        OperatorAccessSet { model, operators, due_slot, due_unix }
        OperatorAppointed { model, appointment, operator_authority }
        OperatorDismissed { model, appointment, operator_authority, due_slot, due_unix }
        PauseSet { guardian, paused_until_unix }
        ProtocolSet { authority, settings }
        TrancheMissed { offering, index, amount_units, burned_units, paid_to_others_units }
        TrancheWithdrawn { offering, developer, index, amount_units, paid_to_others_units }
        UpdateCancelled { caller }
        UpdateProposed { settings, due_slot, due_unix, lapse_slot, lapse_unix }
        VersionActivated { model, version, number, live_since_slot }
        VersionPublished { model, version, number, model_root, split, contributors, price_units, notice_ends_slot }
    }
    revenue_escrow {
        AuditSharePaid { vault, earnings, amount_units }
        BucketClosed { report, bucket }
        BucketOpened { report, model, bucket }
        BucketSplit { report, model, amount_units, holders_units, redeem_units, developer_units, operator_units, protocol_units, contributors_units, others_units, fee_units, audit_units }
        Collected { report, collection, lane, lane_generation, session, amount_units, count, first_sequence, receipts_root, requests_root, bucket_units, private }
        CollectionClosed { report, collection }
        ContributionWithdrawn { vault, model_version, index, recipient, amount_units, destination }
        CreditClosed { credit, generation }
        CreditDeposited { credit, amount_units, available_units }
        CreditOpened { credit, payer, model, generation }
        CreditWithdrawn { credit, amount_units, destination }
        EarningsWithdrawn { vault, recipient, amount_units, destination }
        LaneClosed { lane, generation }
        LaneFunded { lane, amount_units, reserved_units }
        LaneOpened { lane, credit, operator, generation, reserved_units, private }
        LaneReleased { lane, credit, amount_units }
        Refunded { report, collection, credit, amount_units, fee_units }
        ReleaseRequested { lane, releasing_units, reserved_units, due_slot, due_unix }
        RetractionAnnounced { report, collection, credit, amount_units, fee_units }
        SessionClosed { session, generation }
        SessionGranted { session, credit, key, generation, limit_units, expires_unix }
        SessionRevoked { session, due_slot, due_unix }
        UpstreamPaid { vault, model_version, index, upstream, amount_units, to_holders }
        VaultOpened { vault, model, mint }
        WithdrawRequested { credit, withdrawing_units, available_units, due_slot, due_unix }
    }
    yield_distributor {
        ClaimDelegateRevoked { pool, owner, delegate }
        ClaimDelegateSet { pool, owner, delegate, destination }
        Claimed { pool, owner, amount_units }
        ClaimedTo { pool, owner, claimer, destination }
        Deposited { pool, holders_units, redeem_units, stakers_units, active_units, supply_units }
        DustBooked { pool, payment_units, yield_units, vesting_units }
        EpochMarkClosed { pool, epoch }
        EpochRolled { pool, epoch, units, active_units }
        PoolCreated { pool, model, token_mint, revenue_mint, epoch_slots, vesting_units }
        PositionClosed { pool, owner }
        Redeemed { pool, owner, burned_units, paid_units }
        Staked { pool, owner, amount_units, pending_units, pending_epoch }
        TrancheForfeited { pool, index, amount_units, burned_units }
        Unstaked { pool, owner, amount_units, active_units, pending_units }
        VestingClaimed { pool, owner, recipient, amount_units }
        VestingClosed { pool, owner }
        VestingOpened { pool, owner, units }
        VestingReleased { pool, owner, amount_units, left_units }
    }
    opml_oracle {
        AuditAnswered { audit, report, trace_root, traced_slot, due_slot, due_unix }
        AuditAsked { audit, report, operator, claim_hash, due_slot, due_unix }
        AuditClosed { audit, report }
        AuditCommitted { audit, report, auditor, commitment }
        AuditDrawn { audit, report, operator, number, deciding_slot, collection, receipt_index, by_permission, fee_units, due_slot, due_unix }
        AuditFeeWithdrawn { audit, auditor, amount_units }
        AuditFundCreated { audit_fund, mint }
        AuditRevealed { audit, report, auditor, matched }
        AuditSettled { audit, report, matched, auditor_units, left_units }
        AuditUnanswered { audit, report, operator }
        BondStaked { operator, depositor, amount_units, stake_units }
        BondWithdrawn { operator, recipient, amount_units }
        DataDemanded { inquiry, report, operator, level, index, hash, answer_bytes, fee_units, due_slot, due_unix }
        DataServed { inquiry, report, level, index, answer_bytes }
        DataWithheld { inquiry, report, demander, level, index, order }
        DisputeLost { dispute, report, challenger }
        DisputeMoved { dispute, report, kind, phase, digest, due_slot, due_unix }
        DisputeOpened { dispute, report, operator, challenger, nonce, order, bond_units, fee_units }
        DisputePointed { dispute, report, collection, receipt_index, claim_hash }
        DisputeProven { dispute, report, challenger, by_silence }
        DisputeSettled { dispute, report, challenger, order, payout_units, costs_units, share_units, operator_units, insurance_units }
        EquivocationClosed { equivocation, operator }
        EquivocationPunished { equivocation, operator, prover, question, due_units }
        EquivocationSlashed { equivocation, operator, prover_units, insurance_units }
        InquiryOpened { inquiry, report, operator, demander, nonce, subject, root }
        InquirySettled { inquiry, report, demander, payout_units, earned_units, costs_units, share_units }
        InquiryWithdrawn { inquiry, demander, amount_units }
        OperatorJailed { operator, due_slot, due_unix }
        OperatorRegistered { operator, authority, backup, mint, generation, endpoint, endpoint_key_hash }
        OperatorUpdated { operator, backup, endpoint, endpoint_key_hash }
        PayoutWithdrawn { dispute, challenger, amount_units }
        ReportClosed { report, operator }
        ReportFinalised { report, operator, bond_units }
        ReportPosted { report, operator, model, version_number, sequence, bond_units, max_collect_units, period_start_unix, period_end_unix }
        ReportRejected { report, operator, dispute, slashed_units }
        ReportSealed { report, operator, due_slot, due_unix }
        RewardWithdrawn { equivocation, prover, amount_units }
        SlashInsured { report, mint, amount_units }
        StakeVaultCreated { stake_vault, mint }
        TraceClosed { trace, report }
        TracePosted { trace, report, claim_hash, trace_root, whole }
        UnbondRequested { operator, amount_units, unbonding_units, due_slot, due_unix }
        WitnessBound { witness, dispute, challenger }
        WitnessClosed { witness, dispute }
        WitnessWritten { witness, offset, len }
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use anchor_lang::Event;
    use serde_json::{Value, json};

    use super::*;

    /// Names and discriminators of the events in a program's interface.
    fn of_interface(program: &str) -> BTreeSet<(String, Vec<u8>)> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../idl/{program}.json"));
        let text = fs::read_to_string(&path).expect("the interfaces are in the repository");
        let interface: Value = serde_json::from_str(&text).unwrap();
        let events = interface["events"].as_array().unwrap().iter();
        let event = |event: &Value| {
            let bytes = event["discriminator"].as_array().unwrap().iter();
            let bytes = bytes.map(|byte| u8::try_from(byte.as_u64().unwrap()).unwrap());
            (event["name"].as_str().unwrap().to_owned(), bytes.collect())
        };
        events.map(event).collect()
    }

    #[test]
    fn given_the_programs_interfaces_when_compared_then_every_event_is_known() {
        for program in ["model_token", "revenue_escrow", "yield_distributor", "opml_oracle"] {
            let known = ALL.iter().filter(|(of, ..)| *of == program);
            let known: BTreeSet<_> = known
                .map(|(_, name, discriminator)| ((*name).to_owned(), discriminator.to_vec()))
                .collect();
            assert_eq!(known, of_interface(program), "{program}");
        }
    }

    #[test]
    fn given_an_event_when_decoded_then_its_fields_and_of_another_program_nothing() {
        let (pool, owner) = (Pubkey::new_from_array([1; 32]), Pubkey::new_from_array([2; 32]));
        let event = yield_distributor::events::Claimed {
            pool,
            owner,
            amount_units: u64::MAX,
        };
        let decoded = decode(&yield_distributor::ID, &event.data()).unwrap();
        assert_eq!((decoded.program, decoded.name), ("yield_distributor", "Claimed"));
        let expected =
            json!({ "pool": pool.to_string(), "owner": owner.to_string(), "amount_units": u64::MAX.to_string() });
        assert_eq!(decoded.fields.json(), expected);
        assert_eq!(decode(&Pubkey::new_from_array([9; 32]), &event.data()), None);

        let unknown = decode(&yield_distributor::ID, &[7; 12]).unwrap();
        assert_eq!(unknown.name, UNKNOWN);
        assert_eq!(unknown.fields.json(), json!({ "data": "07".repeat(12) }));
    }
}
