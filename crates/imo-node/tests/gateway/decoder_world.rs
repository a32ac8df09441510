//! A gateway that serves the decoder of `models/decoder`.

use std::path::{Path, PathBuf};

use anchor_lang::{AccountDeserialize, Discriminator, Space};
use imo_client::addresses;
use imo_node::{
    decoder::{CacheLayout, Layout},
    gateway::Limits,
};
use model_token::state::{Model, ModelVersion, Protocol};
use opml_runtime::onnx::{Imported, Port, import_file, parse_npy};

use crate::world::{CLUSTER, PRICE, World};

/// Tokens of the prompt in [`recorded`].
pub const PROMPT: usize = 12;

pub fn file(name: &str) -> PathBuf {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models");
    models.join("decoder").join(name)
}

/// The places that the import names.
pub fn layout(imported: &Imported) -> Layout {
    let input = |name: &str| {
        let ports = &imported.report.inputs;
        ports.iter().find(|port| port.name == name).unwrap()
    };
    let (caches, logits): (Vec<&Port>, Vec<&Port>) = imported
        .report
        .outputs
        .iter()
        .partition(|port| port.name.starts_with("present."));
    let cache = |new: &&Port| {
        let name = new.name.strip_prefix("present.").unwrap();
        let old = input(&format!("past_key_values.{name}"));
        let [1, heads, rows, width] = old.shape[..] else {
            panic!("{old:?}")
        };
        CacheLayout {
            input: old.bytes.start,
            output: new.bytes.start,
            heads,
            rows,
            width,
        }
    };
    Layout {
        token: input("input_ids").bytes.start,
        positions: ["position_ids", "length"].map(|name| input(name).bytes.start).to_vec(),
        logits: logits[0].bytes.start,
        vocabulary: logits[0].bytes.len() as u32,
        caches: caches.iter().map(cache).collect(),
        end_tokens: Vec::new(),
    }
}

/// A decoder behind a lane with money for a hundred steps.
pub async fn world(change: impl FnOnce(&mut Layout)) -> World {
    let imported = import_file(&file("step.qdq.int8.onnx")).unwrap();
    let mut layout = layout(&imported);
    change(&mut layout);
    let world = World::serving(imported.model, Some(layout), Limits::default(), None).await;
    let (mut lane, mut session) = (world.lane_account(), world.session_account());
    lane.reserved_units *= 10;
    session.limit_units *= 10;
    world.chain.put(world.lane(), &lane);
    world.chain.put(world.session_address(), &session);
    world
}

/// What onnxruntime generated of one prompt.
pub fn recorded() -> Vec<u32> {
    let tokens = parse_npy(&std::fs::read(file("samples/generation/tokens.npy")).unwrap()).unwrap();
    let tokens = tokens.to_integers().unwrap();
    tokens.iter().take(20).map(|token| *token as u32).collect()
}

/// An account of zeros.
fn zeroed<T: AccountDeserialize + Discriminator + Space>() -> T {
    let mut bytes = T::DISCRIMINATOR.to_vec();
    bytes.resize(8 + T::INIT_SPACE, 0);
    T::try_deserialize(&mut bytes.as_slice()).unwrap()
}

/// Puts on the chain what a payer looks up.
pub fn register(world: &World) {
    let protocol = Protocol {
        cluster: CLUSTER,
        ..zeroed()
    };
    world.chain.put(addresses::model_token::protocol(), &protocol);
    let model = Model {
        version_count: 1,
        live_version: 1,
        ..zeroed()
    };
    world.chain.put(world.model_address, &model);
    let header = *world.model.header();
    let version = ModelVersion {
        model: world.model_address,
        number: 1,
        model_root: world.model.model_root(),
        arithmetic_version: header.arithmetic_version,
        node_count: header.node_count,
        constant_count: header.constant_count,
        graph_root: header.graph_root,
        weights_root: header.weights_root,
        input_spec: header.input.encode(),
        price_units: PRICE,
        live_since_slot: 1,
        ..zeroed()
    };
    let address = addresses::model_token::model_version(&world.model_address, 1);
    world.chain.put(address, &version);
}

/// The same, and the model as it is registered.
pub async fn registered() -> World {
    let world = world(|_| {}).await;
    register(&world);
    world
}
