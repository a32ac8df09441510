//! The fields of an event: as JSON for readers, and keys and numbers apart for looking up and adding up.
//!
//! In JSON a key is base58, bytes are hexadecimal digits, and a u64 is a string of decimal digits, for many readers take a number that large for another one.

use anchor_lang::prelude::Pubkey;
use model_token::state::{
    AuditTerms, Contributor, DisputeTerms, Metadata, OfferingStatus, OperatorAccess, RevenueSplit, Settings, Tranche,
    TrancheCondition, TrancheState, VestingTerms,
};
use opml_oracle::{game::Phase, state::Subject};
use serde_json::{Map, Value, json};

use crate::text::hex;

/// The value of a field.
#[derive(Clone, Debug, PartialEq)]
pub enum FieldValue {
    Key(Pubkey),
    /// Of up to 64 bits.
    Number(u64),
    Other(Value),
}

/// All fields of an event, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fields(Vec<(&'static str, FieldValue)>);

impl Fields {
    pub fn add(&mut self, name: &'static str, value: FieldValue) {
        self.0.push((name, value));
    }

    pub fn get(&self, name: &str) -> Option<&FieldValue> {
        self.0.iter().find(|(field, _)| *field == name).map(|(_, value)| value)
    }

    /// The keys, each with its field's name.
    pub fn keys(&self) -> impl Iterator<Item = (&'static str, &Pubkey)> {
        self.0.iter().filter_map(|(name, value)| match value {
            FieldValue::Key(key) => Some((*name, key)),
            _ => None,
        })
    }

    /// The numbers that a database can add up, each with its field's name.
    pub fn numbers(&self) -> impl Iterator<Item = (&'static str, i64)> {
        self.0.iter().filter_map(|(name, value)| match value {
            FieldValue::Number(number) => Some((*name, i64::try_from(*number).ok()?)),
            FieldValue::Other(value) => Some((*name, value.as_i64()?)),
            FieldValue::Key(_) => None,
        })
    }

    pub fn json(&self) -> Value {
        let fields = self.0.iter().map(|(name, value)| ((*name).to_owned(), value.json()));
        Value::Object(fields.collect::<Map<_, _>>())
    }
}

impl FieldValue {
    fn json(&self) -> Value {
        match self {
            Self::Key(key) => Value::String(key.to_string()),
            Self::Number(number) => Value::String(number.to_string()),
            Self::Other(value) => value.clone(),
        }
    }
}

/// What can be a field.
pub trait Field {
    fn field(&self) -> FieldValue;
}

fn json_of(field: &impl Field) -> Value {
    field.field().json()
}

impl Field for Pubkey {
    fn field(&self) -> FieldValue {
        FieldValue::Key(*self)
    }
}

impl Field for u64 {
    fn field(&self) -> FieldValue {
        FieldValue::Number(*self)
    }
}

impl Field for [u8; 32] {
    fn field(&self) -> FieldValue {
        FieldValue::Other(Value::String(hex(self)))
    }
}

impl Field for Vec<u8> {
    fn field(&self) -> FieldValue {
        FieldValue::Other(Value::String(hex(self)))
    }
}

/// Fields whose values are something that JSON has.
macro_rules! plain {
    ($($kind:ty),*) => {
        $(impl Field for $kind {
            fn field(&self) -> FieldValue {
                FieldValue::Other(json!(self))
            }
        })*
    };
}

plain!(bool, u8, u16, u32, i64, String);

/// Fields whose values are names.
macro_rules! named {
    ($($kind:ident { $($variant:ident => $name:literal),* $(,)? })*) => {
        $(impl Field for $kind {
            fn field(&self) -> FieldValue {
                FieldValue::Other(json!(match self { $(Self::$variant => $name),* }))
            }
        })*
    };
}

named! {
    OfferingStatus { Open => "open", Succeeded => "succeeded", Failed => "failed" }
    OperatorAccess { Open => "open", Listed => "listed" }
    TrancheState { Locked => "locked", Paid => "paid", Missed => "missed" }
    Phase {
        Opened => "opened",
        Pointed => "pointed",
        Traced => "traced",
        Demanded => "demanded",
        Narrowed => "narrowed",
        TileKnown => "tile_known",
        Proven => "proven",
        Lost => "lost",
    }
}

/// Fields that have fields.
macro_rules! nested {
    ($($kind:ident { $($field:ident),* $(,)? })*) => {
        $(impl Field for $kind {
            fn field(&self) -> FieldValue {
                let Self { $($field),* } = self;
                FieldValue::Other(json!({ $(stringify!($field): json_of($field)),* }))
            }
        })*
    };
}

nested! {
    Metadata { name, symbol, uri, uri_hash, licence }
    RevenueSplit { holders_bps, redeem_bps, developer_bps, operator_bps, protocol_bps, contributors_bps }
    Contributor { recipient, bps, is_model }
    VestingTerms { immediate_bps, cliff_seconds, linear_seconds }
    Tranche { share_bps, condition, state }
    AuditTerms { share_bps, fee_units }
    DisputeTerms {
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
    }
    Settings { guardian, treasury, payment_mints, protocol_bps, terms, timelock_slots, audits }
}

impl Field for TrancheCondition {
    fn field(&self) -> FieldValue {
        FieldValue::Other(match self {
            Self::Time { unlocks_seconds } => json!({ "kind": "time", "unlocks_seconds": unlocks_seconds }),
            Self::Revenue {
                others_units,
                deadline_seconds,
            } => {
                json!({ "kind": "revenue", "others_units": json_of(others_units), "deadline_seconds": deadline_seconds })
            }
        })
    }
}

impl Field for Subject {
    fn field(&self) -> FieldValue {
        FieldValue::Other(match self {
            Self::Receipts { collection } => json!({ "kind": "receipts", "collection": json_of(collection) }),
            Self::Input {
                collection,
                receipt_index,
            } => json!({ "kind": "input", "collection": json_of(collection), "receipt_index": receipt_index }),
            Self::Constant { index } => json!({ "kind": "constant", "index": index }),
        })
    }
}

/// Lists; one of bytes is hexadecimal digits instead.
macro_rules! lists {
    ($($kind:ty),*) => {
        $(impl Field for Vec<$kind> {
            fn field(&self) -> FieldValue {
                FieldValue::Other(Value::Array(self.iter().map(json_of).collect()))
            }
        })*
    };
}

lists!(Pubkey, Contributor, Tranche);
