//! The files that say what a cluster should be like.

use std::path::Path;

use anchor_lang::prelude::Pubkey;
use model_token::state::{AuditTerms, DisputeTerms, Settings};
use serde::{Deserialize, Deserializer, de::Error};
use solana_hash::Hash;

use crate::error::{OrUserError, UserError};

/// The steps of this version, in order.
const BUILT_IN: &[(&str, &str)] = &[
    (
        "0001-settings",
        include_str!("../../../../migrations/0001-settings.toml"),
    ),
    (
        "0002-stake-vaults",
        include_str!("../../../../migrations/0002-stake-vaults.toml"),
    ),
    (
        "0003-audit-funds",
        include_str!("../../../../migrations/0003-audit-funds.toml"),
    ),
];

/// What differs from cluster to cluster.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cluster {
    #[serde(deserialize_with = "base58")]
    pub authority: Pubkey,
    #[serde(deserialize_with = "base58")]
    pub guardian: Pubkey,
    #[serde(deserialize_with = "base58")]
    pub treasury: Pubkey,
    #[serde(deserialize_with = "base58_list")]
    pub payment_mints: Vec<Pubkey>,
    #[serde(default, deserialize_with = "base58_hash")]
    pub genesis_hash: Option<Hash>,
}

/// A numbered step.
#[derive(Debug)]
pub struct Migration {
    pub name: String,
    pub step: Step,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case", deny_unknown_fields)]
pub enum Step {
    Settings(SettingsFile),
    // Without braces serde would let other fields pass.
    StakeVaults {},
    AuditFunds {},
}

/// The settings that are the same on every cluster; the fields are those of `Settings` and `DisputeTerms`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettingsFile {
    protocol_bps: u16,
    timelock_slots: u64,
    terms: TermsFile,
    audits: AuditsFile,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AuditsFile {
    share_bps: u16,
    fee_units: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TermsFile {
    window_slots: u64,
    seal_slots: u64,
    response_slots: u64,
    clock_slots: u64,
    bond_ratio_bps: u32,
    min_bond_units: u64,
    challenger_bond_units: u64,
    open_fee_units: u64,
    move_cost_units: u64,
    prover_share_bps: u16,
    cost_cap_bps: u16,
    unbonding_slots: u64,
    notice_slots: u64,
    epoch_slots: u64,
    byte_fee_units: u64,
}

impl Cluster {
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path)
            .or_user_error_with(|error| format!("The cluster file {} cannot be read: {error}.", path.display()))?;
        parse(&path.display().to_string(), &text)
    }
}

impl SettingsFile {
    /// As the program takes them, on this cluster.
    pub fn settings(&self, cluster: &Cluster) -> Settings {
        let TermsFile {
            window_slots,
            seal_slots,
            response_slots,
            clock_slots,
            bond_ratio_bps,
            min_bond_units,
            challenger_bond_units,
            open_fee_units,
            move_cost_units,
            prover_share_bps,
            cost_cap_bps,
            unbonding_slots,
            notice_slots,
            epoch_slots,
            byte_fee_units,
        } = self.terms;
        let AuditsFile { share_bps, fee_units } = self.audits;
        Settings {
            guardian: cluster.guardian,
            treasury: cluster.treasury,
            payment_mints: cluster.payment_mints.clone(),
            protocol_bps: self.protocol_bps,
            terms: DisputeTerms {
                window_slots,
                seal_slots,
                response_slots,
                clock_slots,
                bond_ratio_bps,
                min_bond_units,
                challenger_bond_units,
                open_fee_units,
                move_cost_units,
                prover_share_bps,
                cost_cap_bps,
                unbonding_slots,
                notice_slots,
                epoch_slots,
                byte_fee_units,
            },
            timelock_slots: self.timelock_slots,
            audits: AuditTerms { share_bps, fee_units },
        }
    }
}

/// All steps to play, in order. Of several with settings only the last one counts: earlier ones say what once held.
pub fn migrations(folder: Option<&Path>) -> anyhow::Result<Vec<Migration>> {
    let texts = match folder {
        None => BUILT_IN
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
            .collect(),
        Some(folder) => read_folder(folder)?,
    };
    let mut migrations = Vec::new();
    for (name, text) in texts {
        let step = parse(&name, &text)?;
        migrations.push(Migration { name, step });
    }
    let is_settings = |migration: &Migration| matches!(migration.step, Step::Settings(_));
    let last = migrations.iter().rposition(is_settings);
    let mut place = 0..;
    migrations.retain(|migration| {
        let is_last = place.next() == last;
        is_last || !is_settings(migration)
    });
    Ok(migrations)
}

/// The files `NNNN-name.toml` of a folder, by number.
fn read_folder(folder: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let unreadable = |error: &dyn std::fmt::Display| format!("{} cannot be read: {error}.", folder.display());
    let mut texts = Vec::new();
    for entry in std::fs::read_dir(folder).or_user_error_with(unreadable)? {
        let path = entry.or_user_error_with(unreadable)?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let is_step =
            name.len() > 5 && name.as_bytes()[..4].iter().all(u8::is_ascii_digit) && name.as_bytes()[4] == b'-';
        if is_step && path.extension().is_some_and(|extension| extension == "toml") {
            let text = std::fs::read_to_string(&path)
                .or_user_error_with(|error| format!("{} cannot be read: {error}.", path.display()))?;
            texts.push((name, text));
        }
    }
    if texts.is_empty() {
        return Err(UserError::new(format!("{} holds no steps named NNNN-name.toml.", folder.display())).into());
    }
    texts.sort();
    let number = |name: &str| name[..4].to_owned();
    match texts.windows(2).find(|pair| number(&pair[0].0) == number(&pair[1].0)) {
        Some([first, second]) => {
            Err(UserError::new(format!("{} and {} have the same number.", first.0, second.0)).into())
        }
        _ => Ok(texts),
    }
}

fn parse<T: for<'de> Deserialize<'de>>(name: &str, text: &str) -> anyhow::Result<T> {
    toml::from_str(text).or_user_error_with(|error| {
        // The parser draws the place over several lines; the sentence is the last.
        let text = error.to_string();
        let place = text
            .lines()
            .next()
            .unwrap_or_default()
            .trim_start_matches("TOML parse error ");
        let reason = text.lines().last().unwrap_or_default();
        format!("{name} is not understood ({place}): {reason}.")
    })
}

fn base58<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Pubkey, D::Error> {
    address(&String::deserialize(deserializer)?)
}

fn base58_list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Pubkey>, D::Error> {
    Vec::<String>::deserialize(deserializer)?
        .iter()
        .map(|text| address(text))
        .collect()
}

fn base58_hash<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Hash>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let hash = text
        .parse()
        .map_err(|_| D::Error::custom(format!("{text} is not a hash in base58")))?;
    Ok(Some(hash))
}

fn address<E: Error>(text: &str) -> Result<Pubkey, E> {
    text.parse()
        .map_err(|_| E::custom(format!("{text} is not an address in base58")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use imo_economics::defaults;

    fn example() -> Cluster {
        let text = include_str!("../../../../migrations/cluster.example.toml");
        parse("cluster.example.toml", text).unwrap()
    }

    #[test]
    fn given_the_steps_of_this_version_when_read_then_they_are_all_files_of_the_folder() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations");
        let files = read_folder(&folder).unwrap();
        let built_in: Vec<_> = BUILT_IN
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
            .collect();
        assert_eq!(files, built_in);
    }

    #[test]
    fn given_the_last_settings_when_compared_then_they_are_what_the_economics_say() {
        let migrations = migrations(None).unwrap();
        let settings = migrations.iter().find_map(|migration| match &migration.step {
            Step::Settings(file) => Some(file.settings(&example())),
            Step::StakeVaults {} | Step::AuditFunds {} => None,
        });
        let settings = settings.unwrap();
        assert_eq!(settings.terms, defaults::terms());
        assert_eq!(settings.audits, defaults::audits());
        settings.validate().unwrap();
    }

    #[test]
    fn given_a_field_too_many_or_missing_when_read_then_the_sentence_names_it() {
        let unknown = parse::<Step>("0003-x", "step = \"stake_vaults\"\nmint = 1")
            .unwrap_err()
            .to_string();
        assert!(unknown.contains("0003-x") && !unknown.contains('\n'), "{unknown}");
        let text = include_str!("../../../../migrations/0001-settings.toml").replace("clock_slots", "clock_slot");
        let misspelt = parse::<Step>("0003-x", &text).unwrap_err().to_string();
        assert!(misspelt.contains("clock_slot"), "{misspelt}");
        let wrong = parse::<Cluster>("c", "authority = \"x\"").unwrap_err().to_string();
        assert!(wrong.contains("x is not an address in base58"), "{wrong}");
    }
}
