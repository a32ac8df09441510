//! Models in files: mapped, not read, and watched for changes.

use std::{
    fs,
    path::{Path, PathBuf},
};

use opml_runtime::{Model, ModelError, execute, synthetic};

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
        fs::write(&path, model.to_bytes()).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that cannot be removed fails no test.
        let _ = fs::remove_dir_all(&self.0);
    }
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
