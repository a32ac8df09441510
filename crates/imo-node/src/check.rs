//! `imo-node check`: what is missing, in plain words.

use anchor_lang::prelude::Pubkey;
use imo_client::addresses;
use imo_protocol::{answer_key_hash, deadline::SLOT_MILLISECONDS};
use model_token::state::{Appointment, Model, OperatorAccess, Protocol};
use opml_oracle::state::Operator;
use revenue_escrow::state::ModelVault;
use solana_signer::Signer;

use crate::{
    chain::{Accounts, ChainError, Rpc},
    config::{Config, OperatorConfig, WatcherConfig},
    keys,
    model::ServedModel,
    store::{Blobs, Store},
    watcher::WatchedModel,
};

/// Lamports below which a fee payer soon pays no more fees.
const LOW_LAMPORTS: u64 = 50_000_000;

/// What was looked at, and how it was found.
#[derive(Debug, Default)]
pub struct Findings(Vec<(bool, String)>);

impl Findings {
    fn note(&mut self, good: bool, well: impl Into<String>, else_say: impl Into<String>) -> bool {
        let sentence = if good { well.into() } else { else_say.into() };
        self.0.push((good, sentence));
        good
    }

    fn result<T>(&mut self, result: anyhow::Result<T>, well: impl FnOnce(&T) -> String) -> Option<T> {
        match result {
            Ok(value) => {
                self.0.push((true, well(&value)));
                Some(value)
            }
            Err(error) => {
                self.0.push((false, format!("{error:#}")));
                None
            }
        }
    }

    pub fn is_good(&self) -> bool {
        self.0.iter().all(|(good, _)| *good)
    }

    /// One line each.
    pub fn print(&self) {
        for (good, sentence) in &self.0 {
            println!("{} {sentence}", if *good { "ok     " } else { "MISSING" });
        }
    }

    /// The sentences of what is missing.
    pub fn missing(&self) -> Vec<&str> {
        let missing = self.0.iter().filter(|(good, _)| !good);
        missing.map(|(_, sentence)| sentence.as_str()).collect()
    }
}

/// Looks at everything that the configured daemons need.
pub async fn check(config: &Config) -> Findings {
    let mut findings = Findings::default();
    let rpc = Rpc::new(&config.rpc);
    let Some(protocol) = check_chain(&mut findings, &rpc).await else {
        return findings;
    };
    findings.note(
        config.operator.is_some() || config.watcher.is_some(),
        "the configuration says what to do",
        "The configuration has neither an [operator] nor a [watcher] section.",
    );
    if let Some(operator) = &config.operator {
        check_store(&mut findings, config, "operator").await;
        check_operator(&mut findings, &rpc, &protocol, operator).await;
    }
    if let Some(watcher) = &config.watcher {
        check_store(&mut findings, config, "watcher").await;
        check_watcher(&mut findings, &rpc, &protocol, watcher).await;
    }
    findings
}

async fn check_chain(findings: &mut Findings, rpc: &Rpc) -> Option<Protocol> {
    let genesis = findings.result(rpc.genesis_hash().await.map_err(Into::into), |_| {
        "the RPC answers".into()
    })?;
    let protocol: Result<Protocol, ChainError> = rpc.get(&addresses::model_token::protocol()).await;
    let protocol = findings.result(
        protocol.map_err(|error| anyhow::anyhow!("The programs are not set up on this cluster: {error}")),
        |_| "the programs are set up".into(),
    )?;
    findings.note(
        protocol.cluster == genesis,
        "the protocol names this cluster",
        "The protocol names another cluster than the RPC's: no voucher would ever be collected.",
    );
    Some(protocol)
}

async fn check_store(findings: &mut Findings, config: &Config, daemon: &str) {
    let probed = async { Blobs::open(&config.blobs(daemon))?.probe().await };
    findings.result(probed.await.map_err(Into::into), |()| {
        format!("the {daemon}'s inputs and receipts can be written and read")
    });
    let store = Store::open(&config.database(daemon)).await.map_err(Into::into);
    findings.result(store, |_| format!("the {daemon}'s database answers"));
}

async fn check_lamports(findings: &mut Findings, rpc: &Rpc, who: &str, key: &Pubkey) {
    let account = rpc
        .accounts(&[*key])
        .await
        .unwrap_or_default()
        .into_iter()
        .flatten()
        .next();
    let lamports = account.map_or(0, |account| account.lamports);
    findings.note(
        lamports >= LOW_LAMPORTS,
        format!("the {who} {key} can pay fees"),
        format!("The {who} {key} has {lamports} lamports for fees and rent: send it some SOL."),
    );
}

async fn check_tokens(findings: &mut Findings, rpc: &Rpc, who: &str, key: &Pubkey, mint: &Pubkey) {
    let account = addresses::payment_account(key, mint);
    let found = rpc
        .accounts(&[account])
        .await
        .unwrap_or_default()
        .into_iter()
        .flatten()
        .next();
    findings.note(
        found.is_some(),
        format!("the {who} has a token account for {mint}"),
        format!("The {who} has no token account to be paid to: make the associated account {account} of {key} for the mint {mint}."),
    );
}

async fn check_operator(findings: &mut Findings, rpc: &Rpc, protocol: &Protocol, config: &OperatorConfig) {
    let authority = keys::load("IMO_NODE_AUTHORITY_KEY", config.authority_key.as_deref());
    let authority = findings.result(authority, |key| format!("the authority is {}", key.pubkey()));
    let answer_key = keys::load("IMO_NODE_ANSWER_KEY", config.answer_key.as_deref());
    let answer_key = findings.result(answer_key, |key| format!("answers are signed by {}", key.pubkey()));
    let Some(authority) = authority.map(|key| key.pubkey()) else {
        return;
    };
    check_lamports(findings, rpc, "authority", &authority).await;
    check_tokens(findings, rpc, "authority", &authority, &config.mint).await;
    let address = addresses::opml_oracle::operator(&authority, &config.mint);
    let account: Result<Operator, ChainError> = rpc.get(&address).await;
    let account = account.map_err(|_| {
        anyhow::anyhow!(
            "The operator is not registered: send register_operator for {authority} and the mint {}.",
            config.mint
        )
    });
    let operator = findings.result(account, |_| format!("the operator's account is {address}"));
    if let (Some(operator), Some(key)) = (&operator, &answer_key) {
        let hash = answer_key_hash(&key.pubkey());
        findings.note(
            operator.endpoint_key_hash == hash,
            "the operator's account names the key that signs answers",
            "The operator's account names another key for answers: send update_operator, or use that key.",
        );
        findings.note(
            operator.endpoint.starts_with("http://") || operator.endpoint.starts_with("https://"),
            format!("watchers find it at {}", operator.endpoint),
            "The operator's account has no endpoint that watchers can fetch receipts from: send update_operator.",
        );
    }
    if let Some(operator) = &operator {
        if let Ok(now) = rpc.now().await {
            findings.note(
                operator.require_not_jailed(&now).is_ok(),
                "the operator is not jailed",
                format!(
                    "The operator is jailed until slot {}: it can post no report before.",
                    operator.jail.due_slot
                ),
            );
        }
        let free_units = operator.free_units().unwrap_or(0);
        findings.note(
            free_units >= protocol.terms.min_bond_units,
            format!("{free_units} units of stake are free"),
            format!(
                "Only {free_units} units of stake are free, and a report locks at least {}: send stake_bond.",
                protocol.terms.min_bond_units
            ),
        );
    }
    if let Some(operator) = &operator {
        check_pace(findings, protocol, operator, config.policy.report_seconds);
    }
    findings.note(
        !config.models.is_empty(),
        "there are models to serve",
        "No model is configured.",
    );
    for model in &config.models {
        let loaded = ServedModel::load(rpc, &model.name, model.address, &model.file, model.threads).await;
        let served = loaded.and_then(|served| served.as_decoder(model.decoder.clone()));
        findings.result(served, |served| {
            format!(
                "{} is version {} of {}, at {} units an answer",
                served.name, served.version, served.address, served.price_units
            )
        });
        check_admission(findings, rpc, &authority, model.address).await;
    }
}

/// Whether the stake lasts for all reports that are open to disputes at the same time.
fn check_pace(findings: &mut Findings, protocol: &Protocol, operator: &Operator, report_seconds: i64) {
    let window_seconds = protocol.terms.window_slots.saturating_mul(SLOT_MILLISECONDS) / 1_000;
    let at_once = window_seconds.checked_div(report_seconds.unsigned_abs());
    let at_once = at_once.unwrap_or(u64::MAX).saturating_add(1);
    let needed_units = at_once.saturating_mul(protocol.terms.min_bond_units);
    findings.note(
        operator.stake_units >= needed_units,
        format!("the stake lasts for a report every {report_seconds} seconds"),
        format!(
            "With a report every {report_seconds} seconds, up to {at_once} lock a bond at once, {needed_units} units at least, and the stake is {}: \
             report less often or stake more.",
            operator.stake_units
        ),
    );
}

async fn check_admission(findings: &mut Findings, rpc: &Rpc, authority: &Pubkey, model: Pubkey) {
    let vault: Option<ModelVault> = rpc
        .find(&addresses::revenue_escrow::vault(&model))
        .await
        .unwrap_or_default();
    findings.note(
        vault.is_some(),
        format!("{model} has a vault for payments"),
        format!("{model} has no vault for payments: anyone can send open_vault."),
    );
    let Ok(Some(account)) = rpc.find::<Model>(&model).await else {
        return;
    };
    if account.operators == OperatorAccess::Listed {
        let appointment = addresses::model_token::appointment(&model, authority);
        let appointment: Option<Appointment> = rpc.find(&appointment).await.unwrap_or_default();
        findings.note(
            appointment.is_some_and(|appointment| !appointment.is_dismissed()),
            format!("its developer appointed the operator to {model}"),
            format!("{model} has a list of operators, and {authority} is not on it: its developer has to appoint it."),
        );
    }
}

async fn check_watcher(findings: &mut Findings, rpc: &Rpc, protocol: &Protocol, config: &WatcherConfig) {
    let key = keys::load("IMO_NODE_WATCHER_KEY", config.key.as_deref());
    if let Some(key) = findings.result(key, |key| format!("the watcher is {}", key.pubkey())) {
        check_lamports(findings, rpc, "watcher", &key.pubkey()).await;
        for mint in protocol.allowed_payment_mints() {
            // Bonds are paid from it, and rewards to it.
            check_tokens(findings, rpc, "watcher", &key.pubkey(), mint).await;
        }
    }
    findings.note(
        !config.models.is_empty(),
        "there are models to watch",
        "No model is configured to be watched.",
    );
    for file in &config.models {
        let opened = WatchedModel::open(file);
        findings.result(opened, |_| format!("{} is a model", file.display()));
    }
}
