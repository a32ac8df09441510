//! What developer, authority and guardian decide, and what takes effect of it later.

use ::model_token::state::{MetadataUpdate, OperatorAccess};
use imo_client::{
    addresses,
    instructions::{
        model_token,
        opml_oracle::{self, OperatorProfile},
    },
};
use imo_protocol::answer_key_hash;
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::{Attempt, founding::metadata, of};
use crate::{
    histories::{kinds::Kind, ledger::MAIN, stage::Stage, step::Step},
    world::{answer_key, profile, usdc},
};

impl Stage {
    pub(super) fn decide(&self, step: &Step) -> Option<Attempt> {
        self.ledger.founded.protocol.then_some(())?;
        match step.kind {
            Kind::SetPause => Some(self.pause(step)),
            Kind::ProposeUpdate | Kind::ExecuteUpdate | Kind::CancelUpdate => self.update_protocol(step),
            Kind::ProposeAuthority | Kind::AcceptAuthority => Some(self.hand_over_authority(step)),
            Kind::UpdateOperator => self.update_operator(step),
            Kind::ProposeDeveloper | Kind::AcceptDeveloper => {
                self.main()?;
                Some(self.hand_over_model(step))
            }
            Kind::ProposeMetadata | Kind::ApplyMetadata | Kind::CancelMetadata => {
                self.main()?;
                self.change_metadata(step)
            }
            Kind::ActivateVersion => {
                let versions = self.main().filter(|model| model.versions > 0)?.versions;
                let developer = self.developer();
                let activate = model_token::activate_version(developer.pubkey(), self.published.model, versions);
                Some(of(developer, activate, |ledger| ledger.activate_version(MAIN)))
            }
            _ => {
                self.main()?;
                self.admit(step)
            }
        }
    }

    fn pause(&self, step: &Step) -> Attempt {
        let until = if step.amount.is_multiple_of(3) {
            self.now().unix + i64::from(step.amount % 1_000)
        } else {
            0
        };
        let guardian = self.keys.cast.guardian.insecure_clone();
        let pause = model_token::set_pause(guardian.pubkey(), until);
        of(guardian, pause, move |ledger| ledger.set_pause(until))
    }

    /// Who may serve the model.
    fn admit(&self, step: &Step) -> Option<Attempt> {
        let (who, model, developer) = (step.person(), self.published.model, self.developer());
        let (key, authority) = (developer.pubkey(), self.ledger.people.operators[who]);
        Some(match step.kind {
            Kind::SetOperatorAccess => {
                let listed = step.amount.is_multiple_of(3);
                let access = if listed {
                    OperatorAccess::Listed
                } else {
                    OperatorAccess::Open
                };
                let set = model_token::set_operator_access(key, model, access);
                of(developer, set, move |ledger| ledger.set_listed(listed))
            }
            Kind::AppointOperator => of(
                developer,
                model_token::appoint_operator(key, key, model, authority),
                move |ledger| ledger.appoint(who),
            ),
            Kind::DismissOperator => of(
                developer,
                model_token::dismiss_operator(key, model, authority),
                move |ledger| ledger.dismiss(who),
            ),
            _ => {
                self.ledger.access.appointments[who].as_ref()?;
                let appointment = self.world.read(&self.appointment_account(who));
                of(
                    self.stranger(),
                    model_token::close_appointment(&appointment),
                    move |ledger| ledger.close_appointment(who),
                )
            }
        })
    }

    fn update_protocol(&self, step: &Step) -> Option<Attempt> {
        let authority = self.keys.authorities[self.ledger.authority.holder].insecure_clone();
        if step.kind == Kind::ProposeUpdate {
            let mut settings = self.settings.clone();
            settings.terms.min_bond_units = usdc(10 + u64::from(step.what % 8));
            let (key, bond, timelock) = (
                authority.pubkey(),
                settings.terms.min_bond_units,
                settings.timelock_slots,
            );
            let propose = model_token::propose_update(key, key, settings);
            return Some(of(authority, propose, move |ledger| {
                ledger.propose_update(timelock, bond)
            }));
        }
        self.ledger.update?;
        let update = self.world.read(&addresses::model_token::protocol_update());
        let by_authority = step.what.is_multiple_of(2);
        Some(match step.kind {
            Kind::ExecuteUpdate => of(self.stranger(), model_token::execute_update(&update), |ledger| {
                ledger.execute_update()
            }),
            _ => {
                let caller = if by_authority { authority } else { self.stranger() };
                let cancel = model_token::cancel_update(caller.pubkey(), &update);
                of(caller, cancel, move |ledger| ledger.cancel_update(by_authority))
            }
        })
    }

    fn hand_over_authority(&self, step: &Step) -> Attempt {
        let (who, to) = (step.person(), step.other());
        let caller = self.keys.authorities[who].insecure_clone();
        let key = caller.pubkey();
        match step.kind {
            Kind::ProposeAuthority => {
                let successor = self.keys.authorities[to].pubkey();
                let propose = model_token::propose_authority(key, successor);
                of(caller, propose, move |ledger| ledger.name_authority(who, to))
            }
            _ => of(caller, model_token::accept_authority(key), move |ledger| {
                ledger.accept_authority(who)
            }),
        }
    }

    fn hand_over_model(&self, step: &Step) -> Attempt {
        let (who, to, model) = (step.person(), step.other(), self.published.model);
        let caller = self.keys.developers[who].insecure_clone();
        let key = caller.pubkey();
        match step.kind {
            Kind::ProposeDeveloper => {
                let successor = self.keys.developers[to].pubkey();
                let propose = model_token::propose_developer(key, model, successor);
                of(caller, propose, move |ledger| ledger.name_developer(who, to))
            }
            _ => of(caller, model_token::accept_developer(key, model), move |ledger| {
                ledger.accept_developer(who)
            }),
        }
    }

    fn change_metadata(&self, step: &Step) -> Option<Attempt> {
        let (model, developer) = (self.published.model, self.developer());
        let key = developer.pubkey();
        if step.kind == Kind::ProposeMetadata {
            let name = ["Chain", "A chain of tables"][step.other()];
            let propose = model_token::propose_metadata(key, key, model, metadata(name, [step.what; 32]));
            return Some(of(developer, propose, |ledger| ledger.propose_metadata()));
        }
        self.ledger.metadata_notice?;
        let update: MetadataUpdate = self.world.read(&addresses::model_token::metadata_update(&model));
        Some(match step.kind {
            Kind::ApplyMetadata => of(developer, model_token::apply_metadata(key, key, &update), |ledger| {
                ledger.apply_metadata()
            }),
            _ => of(developer, model_token::cancel_metadata(key, &update), |ledger| {
                ledger.cancel_metadata()
            }),
        })
    }

    /// An operator answers with one of its two keys from now on.
    fn update_operator(&self, step: &Step) -> Option<Attempt> {
        let (who, key) = (step.person(), step.other());
        self.require_operator(who)?;
        let operator = self.keys.operators[who].insecure_clone();
        let profile = OperatorProfile {
            endpoint_key_hash: answer_key_hash(&[answer_key(), second_key()][key].pubkey()),
            ..profile(&self.keys.cast.backup.pubkey())
        };
        let update = opml_oracle::update_operator(operator.pubkey(), self.mint(), profile);
        Some(of(operator, update, move |ledger| ledger.update_operator(who, key)))
    }
}

/// Nothing is ever signed with it.
fn second_key() -> Keypair {
    Keypair::new_from_array([0xA6; 32])
}
