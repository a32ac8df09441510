//! What the protocol's settings need next, free of RPC.

use imo_protocol::{Deadline, Now};
use model_token::state::{Protocol, ProtocolUpdate, Settings};

#[derive(Debug, PartialEq)]
pub enum Next<'a> {
    /// They are in force.
    Nothing,
    Propose,
    /// They are proposed, and the timelock runs until this is past.
    Wait(Deadline),
    Execute(&'a ProtocolUpdate),
    /// The proposal was left until it lapsed.
    ProposeAgain(&'a ProtocolUpdate),
    /// Others are proposed.
    Blocked,
    /// They change what never changes.
    Forbidden,
}

/// What brings `protocol`, which has the proposal `update`, to the settings that are wanted.
pub fn next<'a>(protocol: &Protocol, update: Option<&'a ProtocolUpdate>, wanted: &Settings, now: &Now) -> Next<'a> {
    if in_force(protocol) == *wanted {
        return Next::Nothing;
    }
    if wanted.validate_against(&protocol.terms).is_err() {
        return Next::Forbidden;
    }
    match update {
        None => Next::Propose,
        Some(update) if update.lapse().is_past(now) => Next::ProposeAgain(update),
        Some(update) if update.settings != *wanted => Next::Blocked,
        Some(update) if update.due.is_past(now) => Next::Execute(update),
        Some(update) => Next::Wait(update.due),
    }
}

fn in_force(protocol: &Protocol) -> Settings {
    Settings {
        guardian: protocol.guardian,
        treasury: protocol.treasury,
        payment_mints: protocol.allowed_payment_mints().to_vec(),
        protocol_bps: protocol.protocol_bps,
        terms: protocol.terms,
        timelock_slots: protocol.timelock_slots,
        audits: protocol.audits,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anchor_lang::prelude::Pubkey;
    use imo_economics::defaults;

    fn settings(protocol_bps: u16) -> Settings {
        Settings {
            guardian: Pubkey::new_from_array([1; 32]),
            treasury: Pubkey::new_from_array([2; 32]),
            payment_mints: vec![Pubkey::new_from_array([3; 32])],
            protocol_bps,
            terms: defaults::terms(),
            timelock_slots: 1_000_000,
            audits: defaults::audits(),
        }
    }

    fn protocol() -> Protocol {
        let mut protocol = Protocol {
            version: 1,
            bump: 255,
            authority: Pubkey::new_from_array([4; 32]),
            guardian: Pubkey::default(),
            paused_until_unix: 0,
            cluster: [5; 32],
            treasury: Pubkey::default(),
            payment_mints: [Pubkey::default(); 8],
            payment_mint_count: 0,
            protocol_bps: 0,
            terms: defaults::terms(),
            timelock_slots: 0,
            pending_authority: Pubkey::default(),
            paused_since_unix: 0,
            audits: defaults::audits(),
            reserved: [0; 54],
        };
        protocol.apply(&settings(500)).unwrap();
        protocol
    }

    fn at(slot: u64) -> Now {
        Now {
            slot,
            unix: slot as i64,
            last_restart_slot: 0,
        }
    }

    fn update(protocol_bps: u16) -> ProtocolUpdate {
        ProtocolUpdate {
            version: 1,
            bump: 254,
            due: Deadline::after(&at(0), 100),
            settings: settings(protocol_bps),
            rent_payer: Pubkey::default(),
            reserved: [0; 32],
        }
    }

    #[test]
    fn given_the_settings_in_force_when_wanted_then_nothing_is_to_be_done() {
        assert_eq!(next(&protocol(), None, &settings(500), &at(0)), Next::Nothing);
        // Whatever else is proposed.
        assert_eq!(
            next(&protocol(), Some(&update(700)), &settings(500), &at(0)),
            Next::Nothing
        );
    }

    #[test]
    fn given_other_settings_when_wanted_then_proposed_waited_for_and_executed_until_they_lapse() {
        let (protocol, update, wanted) = (protocol(), update(600), settings(600));
        let next = |update, slot| next(&protocol, update, &wanted, &at(slot));
        assert_eq!(next(None, 0), Next::Propose);
        assert_eq!(next(Some(&update), 100), Next::Wait(update.due));
        assert_eq!(next(Some(&update), 101), Next::Execute(&update));
        assert_eq!(next(Some(&update), 200), Next::Execute(&update));
        assert_eq!(next(Some(&update), 201), Next::ProposeAgain(&update));
    }

    #[test]
    fn given_another_proposal_when_settings_are_wanted_then_blocked_until_it_lapses() {
        let (protocol, other, wanted) = (protocol(), update(700), settings(600));
        let next = |slot| next(&protocol, Some(&other), &wanted, &at(slot));
        assert_eq!(next(0), Next::Blocked);
        assert_eq!(next(150), Next::Blocked);
        assert_eq!(next(201), Next::ProposeAgain(&other));
    }

    #[test]
    fn given_another_epoch_when_wanted_then_forbidden() {
        let mut wanted = settings(500);
        wanted.terms.epoch_slots += 1;
        assert_eq!(next(&protocol(), None, &wanted, &at(0)), Next::Forbidden);
    }
}
