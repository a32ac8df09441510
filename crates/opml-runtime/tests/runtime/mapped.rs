//! Models in files: mapped, not read, and watched for changes.

use std::{
    fs,
    path::{Path, PathBuf},
};

use opml_runtime::{
    Model, ModelError, execute,
    fast::{Plan, PlanOptions},
    synthetic::{self, DecoderSizes},
};

/// A folder that is gone when this is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn model(&self, model: &Model) -> PathBuf {
        let path = self.0.join("model.imo");
        assert_eq!(model.save(&path).unwrap(), model.to_bytes().len() as u64);
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that cannot be removed fails no test.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Four million parameters: the same network as one of a billion, with all sizes smaller.
const DECODER: DecoderSizes = DecoderSizes {
    layers: 3,
    width: 256,
    heads: 8,
    key_heads: 2,
    feed_forward: 704,
    vocabulary: 4000,
    cache: 21,
};

#[test]
fn given_a_decoder_when_written_piece_by_piece_then_the_file_is_that_of_the_model_in_memory() {
    let folder = Folder::new("pieces");
    let path = folder.0.join("decoder.imo");
    let bytes = DECODER.save_step(1, &path).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().len(), bytes);
    assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 1, "no other file is left");
    assert!(fs::read(&path).unwrap() == DECODER.step(1).unwrap().to_bytes());
}

#[test]
fn given_a_decoder_in_a_file_when_run_with_its_weights_in_place_then_equal_to_the_reference() {
    let folder = Folder::new("in-place");
    let path = folder.0.join("decoder.imo");
    DECODER.save_step(2, &path).unwrap();
    let model = Model::open(&path).unwrap();
    let in_place = PlanOptions {
        packed_bytes: Some(0),
        ..PlanOptions::default()
    };
    let plans = [Plan::new(&model), Plan::with_options(&model, in_place)];
    for seed in 0..2 {
        let input = DECODER.input(seed).unwrap();
        let expected = execute(&model, &input).unwrap();
        for plan in &plans {
            assert_eq!(plan.execute(&input).unwrap().roots(), expected.roots());
            assert_eq!(&plan.run(&input).unwrap(), expected.output());
        }
    }
    model.ensure_unchanged().unwrap();
}

#[test]
fn given_a_folder_that_is_not_there_when_a_model_is_saved_then_an_error() {
    let model = synthetic::dense(&[5, 3], 1).unwrap();
    assert!(model.save("/no/such/folder/model.imo").is_err());
    let message = DECODER
        .save_step(1, Path::new("/no/such/folder/model.imo"))
        .unwrap_err()
        .to_string();
    assert!(message.starts_with("The model file cannot be written: "), "{message}");
}

#[test]
fn given_a_model_file_when_opened_then_every_constant_begins_with_a_cache_line() {
    let folder = Folder::new("aligned");
    let model = synthetic::encoder_block(6, 32, 4, 40, 1).unwrap();
    let opened = Model::open(folder.model(&model)).unwrap();
    assert_eq!(opened.model_root(), model.model_root());
    assert_eq!(opened.constants(), model.constants());
    for constant in opened.constants() {
        assert!(constant.bytes().as_ptr().addr().is_multiple_of(64));
    }
}

#[test]
fn given_an_open_model_when_its_file_is_written_to_then_it_says_so() {
    let folder = Folder::new("changed");
    let path = folder.model(&synthetic::dense(&[5, 3], 1).unwrap());
    let model = Model::open(&path).unwrap();
    model.ensure_unchanged().unwrap();
    let mut bytes = fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&path, bytes).unwrap();
    assert!(matches!(model.ensure_unchanged(), Err(ModelError::Changed { path: changed }) if changed == path));
}

#[test]
fn given_an_open_model_when_its_file_is_replaced_or_deleted_then_it_goes_on_as_before() {
    let folder = Folder::new("replaced");
    let written = synthetic::dense(&[5, 3], 1).unwrap();
    let path = folder.model(&written);
    let model = Model::open(&path).unwrap();
    let input = synthetic::tensor(model.input_spec(), 2);
    let claim = execute(&written, &input).unwrap().claim();

    let other = folder.0.join("other.imo");
    fs::write(&other, synthetic::dense(&[9, 7], 2).unwrap().to_bytes()).unwrap();
    fs::rename(&other, &path).unwrap();
    model.ensure_unchanged().unwrap();
    assert_eq!(execute(&model, &input).unwrap().claim(), claim);

    fs::remove_file(&path).unwrap();
    model.ensure_unchanged().unwrap();
    assert_eq!(execute(&model, &input).unwrap().claim(), claim);
}
