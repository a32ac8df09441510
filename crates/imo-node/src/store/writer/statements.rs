//! What is written of an answer: three statements, each for many answers at once, in words that both databases understand.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::Row;

/// A value as both databases take it.
pub enum Value {
    Number(i64),
    Bytes(Vec<u8>),
    Nothing,
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl<const N: usize> From<[u8; N]> for Value {
    fn from(bytes: [u8; N]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

pub const LANE_VALUES: usize = 11;
pub const REQUEST_VALUES: usize = 8;
pub const INPUT_VALUES: usize = 3;

/// Steps each lane on that is where its voucher steps on from. `rows` are places for rows of [`lane`]; both databases call their columns as here. A row of nothing is passed over.
pub fn step_lanes(rows: &str) -> String {
    format!(
        "INSERT INTO lanes (lane, generation, credit, model, model_root, private, count, amount_units, collected_count, collected_units, expires_unix, \
         first_owed_unix, voucher) \
         SELECT column1, column2, column3, column4, column5, column6, column7, column8, 0, 0, column9, column10, column11 FROM (VALUES {rows}) AS taken \
         WHERE column1 IS NOT NULL AND (column7 = 1 OR EXISTS (SELECT 1 FROM lanes WHERE lanes.lane = column1 AND lanes.generation = column2)) \
         ON CONFLICT (lane, generation) DO UPDATE SET count = excluded.count, amount_units = excluded.amount_units, expires_unix = excluded.expires_unix, \
         voucher = excluded.voucher, model_root = excluded.model_root, \
         first_owed_unix = CASE WHEN lanes.count = lanes.collected_count THEN excluded.first_owed_unix ELSE lanes.first_owed_unix END \
         WHERE lanes.count = excluded.count - 1"
    )
}

/// Adds the questions of lanes that have just stepped on to them. One whose lane did not is refused: by its place, which is taken, or because its sequence is
/// nothing here where the lane is elsewhere.
pub fn insert_requests(rows: &str) -> String {
    format!(
        "INSERT INTO requests (lane, generation, sequence, model_root, input_root, output_root, price_units, salt) \
         SELECT column1, column2, CASE WHEN lanes.count = column3 + 1 THEN column3 END, column4, column5, column6, column7, column8 FROM (VALUES {rows}) AS taken \
         LEFT JOIN lanes ON lanes.lane = column1 AND lanes.generation = column2 \
         WHERE column1 IS NOT NULL"
    )
}

/// Adds inputs, or what was not known of them. Nothing is written about one that is asked about again.
pub fn insert_inputs(rows: &str) -> String {
    format!(
        "INSERT INTO inputs (root, public, bytes) SELECT column1, column2, column3 FROM (VALUES {rows}) AS taken WHERE column1 IS NOT NULL \
         ON CONFLICT (root) DO UPDATE SET public = CASE WHEN inputs.public = 1 THEN 1 ELSE excluded.public END, \
         bytes = COALESCE(inputs.bytes, excluded.bytes) \
         WHERE inputs.public < excluded.public OR (inputs.bytes IS NULL AND excluded.bytes IS NOT NULL)"
    )
}

pub fn lane(row: &Row) -> [Value; LANE_VALUES] {
    let lane = &row.accepted.lane;
    let voucher = &lane.voucher.voucher;
    [
        voucher.lane.to_bytes().into(),
        row.generation.into(),
        lane.credit.to_bytes().into(),
        lane.model.to_bytes().into(),
        lane.model_root.into(),
        i64::from(lane.private).into(),
        row.count.into(),
        row.amount_units.into(),
        voucher.expires_unix.into(),
        row.now_unix.into(),
        lane.voucher.bytes().into(),
    ]
}

pub fn request(row: &Row) -> [Value; REQUEST_VALUES] {
    let answered = &row.accepted.answered;
    let request = &answered.request;
    [
        request.lane.to_bytes().into(),
        row.generation.into(),
        row.sequence.into(),
        request.model_root.into(),
        request.input_root.into(),
        answered.output_root.into(),
        row.price_units.into(),
        request.salt.into(),
    ]
}

/// An input, whether anyone may have it, and its bytes where they are kept here.
pub type Input = ([u8; 32], bool, Option<Bytes>);

/// Each input once, in the order of their roots.
pub fn inputs_of(rows: &[&Row]) -> Vec<Input> {
    let mut inputs: BTreeMap<[u8; 32], (bool, Option<Bytes>)> = BTreeMap::new();
    for row in rows {
        let (public, bytes) = inputs.entry(row.accepted.answered.request.input_root).or_default();
        *public |= !row.accepted.lane.private;
        if bytes.is_none() {
            bytes.clone_from(&row.accepted.input);
        }
    }
    inputs
        .into_iter()
        .map(|(root, (public, bytes))| (root, public, bytes))
        .collect()
}

pub fn input((root, public, bytes): &Input) -> [Value; INPUT_VALUES] {
    let bytes = bytes
        .as_ref()
        .map_or(Value::Nothing, |bytes| Value::Bytes(bytes.to_vec()));
    [(*root).into(), i64::from(*public).into(), bytes]
}
