//! Writes the seeds that the runtime can make: `cargo run -p imo-fuzz --example seeds`. Those of ONNX are `onnx_seeds.py`'s.

use std::{fs, path::Path};

use opml::{NodeRecord, TensorSpec};
use opml_runtime::{Builder, Model, Operand, synthetic};

#[allow(dead_code, reason = "it has a strategy for property tests as well")]
#[path = "../../crates/opml/tests/operators/nodes.rs"]
mod nodes;

fn write(target: &str, name: &str, bytes: &[u8]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    fs::create_dir_all(&folder).expect("the corpus can be written");
    fs::write(folder.join(name), bytes).expect("the corpus can be written");
}

fn main() {
    accounts();
    models();
    for operator in 1..=nodes::LAST_OPERATOR {
        operators(operator);
    }
    samples();
}

/// The first byte is the owner's place in `src/accounts.rs`.
fn accounts() {
    let kinds: [&[&str]; 4] = [
        &["Protocol", "Model", "ModelVersion", "Offering", "Commitment"],
        &["StakeVault", "Operator", "Report", "Dispute", "Trace", "Witness"],
        &[
            "ModelVault",
            "Credit",
            "Session",
            "Lane",
            "Bucket",
            "Collection",
            "Earnings",
            "Contributions",
        ],
        &["Pool", "Position", "EpochMark", "ClaimDelegation"],
    ];
    for (owner, kinds) in (0u8..).zip(kinds) {
        for kind in kinds {
            let discriminator = &opml::hashv(&[format!("account:{kind}").as_bytes()])[..8];
            let data = [&[owner], discriminator, &[1; 2], &[0; 900]].concat();
            write("accounts", &format!("{kind}.zero"), &data);
        }
    }
}

fn models() {
    let models = [
        ("dense", synthetic::dense(&[5, 4, 3], 1)),
        ("encoder", synthetic::encoder_block(3, 8, 2, 9, 2)),
        ("decoder_step", synthetic::decoder_step(3, 8, 2, 3)),
        ("conv_net", synthetic::conv_net(6, 4, 5)),
    ];
    for (name, model) in models {
        write("model_file", name, &model.expect("the sizes fit").to_bytes());
    }
}

/// A small node of this operator as a question to the referee, and as a model file.
fn operators(operator: u8) {
    let (record, specs) = (0..200)
        .map(|draw| {
            nodes::node(
                operator,
                (0..32).map(|i| (draw + 3) * (i * i + 5 * i + 1) / 3).collect(),
            )
        })
        .min_by_key(|(record, specs)| {
            let bytes = record.output.byte_len() + specs.iter().map(TensorSpec::byte_len).sum::<u64>();
            // The smallest nodes have single elements and say little.
            bytes.abs_diff(300)
        })
        .expect("there are nodes");
    let operands: [Operand; 6] = std::array::from_fn(|i| match i {
        0 => Operand::Input,
        i if i < specs.len() => Operand::Constant(i as u32 - 1),
        _ => Operand::None,
    });
    let constants = &specs[1..];
    let mut question = specs[0].encode().to_vec();
    question.push(constants.len() as u8);
    constants.iter().for_each(|spec| question.extend(spec.encode()));
    question.extend(NodeRecord { operands, ..record }.encode());
    question.extend([1, 0, 0, 0, 7]);
    question.extend([100, 0, 1]);
    write("referee", &format!("operator_{operator:02}"), &question);
    write(
        "model_file",
        &format!("operator_{operator:02}"),
        &single(&record, &specs).to_bytes(),
    );
}

fn single(record: &NodeRecord, specs: &[TensorSpec]) -> Model {
    let mut builder = Builder::new(specs[0]);
    let mut operands = vec![Operand::Input];
    for (i, spec) in (1..).zip(&specs[1..]) {
        operands.push(builder.constant(synthetic::tensor(spec, i)));
    }
    builder
        .node(record.operator, &operands, record.output, record.attributes)
        .expect("the node is valid");
    builder.build().expect("the model is valid")
}

fn samples() {
    for (kind, size) in [("<f4", 4), ("<f8", 8), ("|i1", 1), ("|u1", 1), ("<i4", 4), ("<i8", 8)] {
        let header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': (2, 3), }}");
        let mut file = b"\x93NUMPY\x01\x00".to_vec();
        file.extend((header.len() as u16).to_le_bytes());
        file.extend(header.as_bytes());
        file.extend(vec![1; 6 * size]);
        write("samples", &kind.replace(['<', '|'], ""), &file);
    }
}
