//! The models of a local cluster: files, model cards and test images, made from what the repository ships.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use opml::{ElementType, TensorSpec};
use opml_runtime::{Model, Tensor, onnx::import_file};
use serde_json::{Value, json};

use crate::{
    cluster::workspace_folder,
    demo::images::{self, Image},
    error::OrUserError,
};

/// How many test images are handed out.
const SAMPLES: usize = 60;

const LICENCE: &str = "Apache-2.0";

/// A model that somebody registers.
pub struct Entry {
    /// Index among the developer's models.
    pub index: u32,
    /// What clients of gateways call it, and the stem of its files.
    pub name: &'static str,
    pub title: &'static str,
    pub symbol: &'static str,
    pub licence: &'static str,
    pub file: PathBuf,
    /// The bytes of the model card.
    pub card: Vec<u8>,
    pub weights_hash: [u8; 32],
    pub model: Model,
    pub images: Vec<Image>,
}

impl Entry {
    /// Where the local cluster hands out one of the model's files.
    pub fn url(&self, api: &str, suffix: &str) -> String {
        format!("{api}/models/{}{suffix}", self.name)
    }
}

/// Makes the files in `folder`. `api` is where they will be handed out.
pub fn make(folder: &Path, api: &str) -> anyhow::Result<[Entry; 2]> {
    fs::create_dir_all(folder).or_user_error_with(|error| format!("{} cannot be made: {error}.", folder.display()))?;
    Ok([digits(folder, api)?, digits_cnn(folder, api)?])
}

fn digits(folder: &Path, api: &str) -> anyhow::Result<Entry> {
    let shipped = workspace_folder("models/digits");
    let file = folder.join("digits.imo");
    fs::copy(shipped.join("digits.imo"), &file)
        .or_user_error_with(|error| format!("{} cannot be read: {error}.", shipped.display()))?;
    let model = Model::open(&file).or_user_error()?;
    let images = images::load(&shipped.join("test_set.bin"), &model)?;
    let about = "Reads a handwritten digit of 8 x 8 pixels. A small perceptron.";
    entry(0, "digits", "Digits", "DIGITS", about, file, model, images, api)
}

fn digits_cnn(folder: &Path, api: &str) -> anyhow::Result<Entry> {
    let shipped = workspace_folder("models/digits_cnn");
    let imported = import_file(&shipped.join("digits_cnn.qdq.int8.onnx")).or_user_error()?;
    let file = folder.join("digits_cnn.imo");
    imported.model.save(&file).context("The model file was not written")?;
    let samples = shipped.join("samples");
    let inputs = imported.samples(&samples).or_user_error()?.inputs;
    // One byte for each image, behind a header.
    let labels = fs::read(samples.join("labels.npy")).context("The labels were not read")?;
    let labels = labels
        .get(labels.len().saturating_sub(inputs.len())..)
        .context("There are fewer labels than images")?;
    let images = inputs
        .iter()
        .zip(labels)
        .map(|(input, label)| {
            Ok(Image {
                pixels: imported.quantise(input)?,
                label: *label,
            })
        })
        .collect::<anyhow::Result<Vec<_>>>()?;
    let about = "Reads a handwritten digit of 8 x 8 pixels. A convolutional network with a residual block.";
    entry(
        1,
        "digits_cnn",
        "Digits CNN",
        "DIGCNN",
        about,
        file,
        imported.model,
        images,
        api,
    )
}

#[allow(clippy::too_many_arguments, reason = "each is a column of the catalogue")]
fn entry(
    index: u32,
    name: &'static str,
    title: &'static str,
    symbol: &'static str,
    about: &str,
    file: PathBuf,
    model: Model,
    images: Vec<Image>,
    api: &str,
) -> anyhow::Result<Entry> {
    let weights_hash = opml::hashv(&[&fs::read(&file)?]);
    let mut entry = Entry {
        index,
        name,
        title,
        symbol,
        licence: LICENCE,
        file,
        card: Vec::new(),
        weights_hash,
        model,
        images,
    };
    let samples = samples(&entry.images);
    fs::write(entry.file.with_extension("samples.json"), serde_json::to_vec(&samples)?)?;
    let card = card(&entry, about, api);
    entry.card = serde_json::to_vec_pretty(&card)?;
    fs::write(entry.file.with_extension("json"), &entry.card)?;
    Ok(entry)
}

fn samples(images: &[Image]) -> Value {
    let sample = |image: &Image| json!({ "values": image.pixels.values(), "label": image.label });
    Value::Array(images.iter().take(SAMPLES).map(sample).collect())
}

fn card(entry: &Entry, about: &str, api: &str) -> Value {
    let values = || entry.images.iter().flat_map(|image| image.pixels.values());
    let output = entry.model.nodes().last().map(|node| tensor(&node.output));
    json!({
        "name": entry.title,
        "symbol": entry.symbol,
        "description": about,
        "licence": entry.licence,
        "task": "image classification",
        "labels": ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
        "input": {
            "tensor": tensor(entry.model.input_spec()),
            "meaning": "8 x 8 pixels, row by row from the top left",
            "paper": values().min(),
            "ink": values().max(),
        },
        "output": {
            "tensor": output,
            "meaning": "the digit itself where it is one number, else a score for each digit",
        },
        "weights": entry.url(api, ".imo"),
        "samples": entry.url(api, ".samples.json"),
    })
}

fn tensor(spec: &TensorSpec) -> Value {
    let element = match spec.element() {
        ElementType::Int8 => "int8",
        ElementType::Int32 => "int32",
    };
    json!({ "element": element, "shape": spec.shape() })
}

/// Inputs to ask about, beginning with that image and from the start again after the last.
pub fn questions(entry: &Entry, first: usize, count: usize) -> impl Iterator<Item = &Tensor> {
    entry
        .images
        .iter()
        .cycle()
        .skip(first)
        .take(count)
        .map(|image| &image.pixels)
}
