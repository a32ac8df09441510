//! What is made once, and by whom.

use ::model_token::{
    instructions::{InitProtocolArgs, RegisterModelArgs},
    state::Metadata,
};
use anchor_lang::prelude::Pubkey;
use imo_client::instructions::{audit, model_token, opml_oracle, revenue_escrow};
use opml_runtime::Hash;
use solana_signer::Signer;

use super::{Attempt, of, once};
use crate::{
    histories::{
        kinds::Kind,
        ledger::{Founded, MAIN, UPSTREAM},
        stage::Stage,
        step::Step,
    },
    models::dense,
    world::{CLUSTER, Published, profile, version_args, version_args_of_contributors},
};

impl Stage {
    pub(super) fn found(&self, step: &Step) -> Option<Attempt> {
        let (who, which) = (step.person(), step.other());
        let (stranger, mint) = (self.stranger(), self.mint());
        let key = stranger.pubkey();
        // Who looks for something that is possible finds nothing here, once all is made.
        if step.legal && step.kind != Kind::PublishVersion && self.is_founded() {
            return None;
        }
        if step.kind != Kind::InitProtocol && !self.ledger.founded.protocol {
            return None;
        }
        Some(match step.kind {
            Kind::InitProtocol => {
                let deployer = self.keys.cast.deployer.insecure_clone();
                let args = InitProtocolArgs {
                    authority: self.keys.authorities[0].pubkey(),
                    cluster: CLUSTER,
                    settings: self.settings.clone(),
                };
                let init = model_token::init_protocol(deployer.pubkey(), deployer.pubkey(), args);
                of(deployer, init, |ledger| ledger.found(|founded| &mut founded.protocol))
            }
            Kind::CreateStakeVault => of(stranger, opml_oracle::create_stake_vault(key, mint), |ledger| {
                ledger.found(|founded| &mut founded.stake_vault)
            }),
            Kind::CreateAuditFund => of(stranger, audit::create_audit_fund(key, mint), |ledger| {
                ledger.found(|founded| &mut founded.audit_fund)
            }),
            Kind::OpenVault => {
                self.main()?;
                let open = revenue_escrow::open_vault(key, self.published.model, mint);
                of(stranger, open, |ledger| {
                    ledger.found(|founded| &mut founded.model_vault)
                })
            }
            Kind::RegisterModel => {
                // A model keeps its address whoever its developer is later.
                let developer = self.keys.developers[0].insecure_clone();
                let args = RegisterModelArgs {
                    index: u32::try_from(which).ok()?,
                    metadata: metadata("Chain", [1; 32]),
                };
                let register = model_token::register_model(developer.pubkey(), developer.pubkey(), mint, args);
                of(developer, register, move |ledger| ledger.register_model(which))
            }
            Kind::PublishVersion => self.publish(which)?,
            Kind::RegisterOperator => {
                self.ledger.founded.stake_vault.then_some(())?;
                let operator = self.keys.operators[who].insecure_clone();
                let own = operator.pubkey();
                let register = opml_oracle::register_operator(own, own, mint, profile(&self.keys.cast.backup.pubkey()));
                of(operator, register, move |ledger| ledger.register_operator(who))
            }
            _ => return None,
        })
    }

    fn is_founded(&self) -> bool {
        let Founded {
            protocol,
            stake_vault,
            audit_fund,
            model_vault,
        } = self.ledger.founded;
        let operators = self.ledger.operators.iter().all(|operator| operator.registered);
        let models = self.ledger.models.iter().all(Option::is_some);
        protocol && stake_vault && audit_fund && model_vault && operators && models
    }

    /// The model that is served names the one upstream as a contributor, which has to be there.
    fn publish(&self, which: usize) -> Option<Attempt> {
        self.ledger.models[UPSTREAM]?;
        let registered = self.ledger.models[which]?;
        let number = registered.versions + 1;
        if number > MOST_VERSIONS {
            return None;
        }
        let Published { model, .. } = if which == MAIN { self.published } else { self.upstream };
        let publish = match which {
            MAIN => {
                let developer = self.developer();
                let contributors = &self.ledger.contributors;
                let recipients: Vec<Pubkey> = contributors.iter().map(|(recipient, _)| *recipient).collect();
                let args = version_args_of_contributors(self.served.records.header(), contributors);
                let key = developer.pubkey();
                let publish = model_token::publish_version_of_contributors(key, key, model, number, args, &recipients);
                once(developer, publish, move |ledger| ledger.publish_version(which))
            }
            _ => {
                let developer = self.keys.developers[0].insecure_clone();
                let (key, args) = (developer.pubkey(), version_args(&dense(&[4, 3])));
                let publish = model_token::publish_version(key, key, model, number, args);
                once(developer, publish, move |ledger| ledger.publish_version(which))
            }
        };
        Some(publish)
    }
}

/// Versions of a model in these histories.
const MOST_VERSIONS: u16 = 3;

pub(super) fn metadata(name: &str, uri_hash: Hash) -> Metadata {
    Metadata {
        name: name.to_owned(),
        symbol: "CHAIN".to_owned(),
        licence: "Apache-2.0".to_owned(),
        uri: "ipfs://card".to_owned(),
        uri_hash,
    }
}
