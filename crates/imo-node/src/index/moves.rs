//! What the moves of a dispute say. Events tell that a move landed; what it said is in the instruction.

use anchor_lang::{AnchorDeserialize, Discriminator, prelude::Pubkey};
use opml::{ElementType, NodeRecord, ops};
use opml_oracle::{game::Move, instruction as said};
use serde_json::{Value, json};
use solana_transaction::versioned::VersionedTransaction;

use crate::text::hex;

/// What an instruction of the oracle says as a move, with the move's number; `None` for instructions that are none.
fn decode(data: &[u8]) -> Option<(u8, Value)> {
    fn parsed<T: AnchorDeserialize + Discriminator>(data: &[u8]) -> Option<T> {
        T::deserialize(&mut data.strip_prefix(T::DISCRIMINATOR)?).ok()
    }
    let (kind, value) = if let Some(said::Point { args, .. }) = parsed(data) {
        let roots = (hex(&args.input_root), hex(&args.output_root));
        let value = json!({ "receipt_index": args.receipt_index, "input_root": roots.0, "output_root": roots.1 });
        (Move::Point, value)
    } else if let Some(said::PostTrace { roots, .. }) = parsed(data) {
        (Move::PostTrace, json!({ "roots": roots.len() }))
    } else if let Some(said::PostTraceRoot { trace_root, .. }) = parsed(data) {
        (Move::PostTrace, json!({ "trace_root": hex(&trace_root) }))
    } else if let Some(said::AttachTrace { .. }) = parsed(data) {
        (Move::AttachTrace, json!({}))
    } else if let Some(said::Demand { child, .. }) = parsed(data) {
        (Move::Demand, json!({ "child": child }))
    } else if let Some(said::DemandNode { child, record, .. }) = parsed(data) {
        (Move::DemandNode, json!({ "child": child, "node": node(&record) }))
    } else if let Some(said::Reveal { hashes, .. }) = parsed(data) {
        (Move::Reveal, json!({ "hashes": hashes.len() }))
    } else if let Some(said::RevealTile { tile, .. }) = parsed(data) {
        (Move::RevealTile, json!({ "tile": hex(&tile) }))
    } else if let Some(said::Prove { element, .. }) = parsed(data) {
        (Move::Prove, json!({ "element": element }))
    } else if let Some(said::ProveWrongQuestion { .. }) = parsed(data) {
        (Move::ProveWrongQuestion, json!({}))
    } else if let Some(said::ProveEquivocation { .. }) = parsed(data) {
        (Move::ProveEquivocation, json!({}))
    } else if let Some(said::ProveMalformed { node_index, .. }) = parsed(data) {
        (Move::ProveMalformed, json!({ "node_index": node_index }))
    } else {
        return None;
    };
    Some((kind as u8, value))
}

/// Operator and output of a node; `None` when its record is malformed, which is what the move shows.
fn node(record: &[u8]) -> Option<Value> {
    let record = NodeRecord::decode(record).ok()?;
    let element = match record.output.element() {
        ElementType::Int8 => "int8",
        ElementType::Int32 => "int32",
    };
    let operator = ops::operator(record.operator)?.name();
    Some(json!({ "operator": operator, "output": { "element": element, "shape": record.output.shape() } }))
}

/// A move's name, as the events number it.
pub fn name(kind: u64) -> &'static str {
    const NAMES: [(Move, &str); 12] = [
        (Move::Open, "open"),
        (Move::Point, "point"),
        (Move::PostTrace, "post_trace"),
        (Move::AttachTrace, "attach_trace"),
        (Move::Demand, "demand"),
        (Move::DemandNode, "demand_node"),
        (Move::Reveal, "reveal"),
        (Move::RevealTile, "reveal_tile"),
        (Move::Prove, "prove"),
        (Move::ProveWrongQuestion, "prove_wrong_question"),
        (Move::ProveEquivocation, "prove_equivocation"),
        (Move::ProveMalformed, "prove_malformed"),
    ];
    let known = NAMES.iter().find(|(move_, _)| *move_ as u64 == kind);
    known.map_or("unknown", |(_, name)| name)
}

/// What the moves of a transaction say, in order. Those of another program's calls are not among them.
pub struct Said(Vec<(u8, Value)>);

impl Said {
    pub fn of(transaction: &VersionedTransaction) -> Self {
        let keys: &[Pubkey] = transaction.message.static_account_keys();
        let instructions = transaction.message.instructions().iter();
        let moves = instructions.filter_map(|instruction| {
            let program = keys.get(usize::from(instruction.program_id_index))?;
            (*program == opml_oracle::ID).then(|| decode(&instruction.data))?
        });
        Self(moves.collect())
    }

    /// The next move of that number, once.
    pub fn take(&mut self, kind: u8) -> Option<Value> {
        let place = self.0.iter().position(|(said, _)| *said == kind)?;
        Some(self.0.remove(place).1)
    }
}

/// Where the moves have led: first to a node, then to a tile of its output, then to an element of the tile.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Path {
    /// Index of the node's record in the graph, with operator and output.
    pub node: Option<(u64, Value)>,
    pub tile: Option<u64>,
    pub element: Option<u64>,
    /// Index of the frontier's first node on its level of the tree.
    first: u64,
}

impl Path {
    /// Takes the next move into account.
    pub fn follow(&mut self, kind: u64, said: &Value) {
        let number = |field: &str| said.get(field).and_then(Value::as_u64).unwrap_or(0);
        match name(kind) {
            "demand" => self.first += number("child"),
            // One answer shows all nodes so many levels below.
            "reveal" => self.first <<= number("hashes").max(1).ilog2(),
            "demand_node" => {
                let node = said.get("node").cloned().unwrap_or_default();
                self.node = Some((self.first + number("child"), node));
                self.first = 0;
            }
            "reveal_tile" => self.tile = Some(self.first),
            "prove" => self.element = Some(number("element")),
            "prove_malformed" => self.node = Some((number("node_index"), Value::Null)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_the_moves_of_a_long_walk_when_followed_then_node_tile_and_element() {
        let kind = |wanted: &str| (0..12).find(|kind| name(*kind) == wanted).unwrap();
        let mut path = Path::default();
        // 300 nodes: nine levels, shown in answers of four, four and one.
        for (move_, said) in [
            ("point", json!({ "receipt_index": 3 })),
            ("post_trace", json!({ "trace_root": "00" })),
            ("demand", json!({ "child": 0 })),
            ("reveal", json!({ "hashes": 16 })),
            ("demand", json!({ "child": 9 })),
            ("reveal", json!({ "hashes": 16 })),
            ("demand", json!({ "child": 2 })),
            ("reveal", json!({ "hashes": 2 })),
            ("demand_node", json!({ "child": 1, "node": { "operator": "Add" } })),
            ("reveal", json!({ "hashes": 4 })),
            ("demand", json!({ "child": 3 })),
            ("reveal_tile", json!({ "tile": "00" })),
            ("prove", json!({ "element": 77 })),
        ] {
            path.follow(kind(move_), &said);
        }
        assert_eq!(path.node, Some(((9 * 16 + 2) * 2 + 1, json!({ "operator": "Add" }))));
        assert_eq!((path.tile, path.element), (Some(3), Some(77)));
    }
}
