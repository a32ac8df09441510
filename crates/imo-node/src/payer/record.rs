//! The record of a completion beside its purse: the answers so far, so that a run that was broken off is gone on with.
//!
//! A file of JSON lines: what the completion is, then its answers, each added and on disk before the next question is signed.

use std::{
    fs::{File, OpenOptions},
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
};

use anyhow::Context;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use imo_client::payer::{Evidence, PayingLane};
use opml::{ElementType, TensorSpec};
use opml_runtime::Tensor;
use serde::{Deserialize, Serialize};

use super::purse::replace;
use crate::{decoder::Layout, text::hex};

/// Which completion it is. Model, prompt and layout say what its answers have to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct About {
    lane: String,
    lane_generation: u64,
    model_root: String,
    /// Of the model's input.
    pub(super) input_bytes: u32,
    pub(super) layout: Layout,
    pub(super) prompt: Vec<u32>,
}

/// The answer to one step.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Answered {
    /// Of its question on the lane.
    pub(super) sequence: u64,
    /// What the operator calls the completion.
    pub(super) completion: Option<String>,
    /// Base64 of the elements.
    output: String,
    answer_key: String,
    /// Base64.
    answer_signature: String,
}

/// The file and what is in it.
pub(super) struct Record {
    path: PathBuf,
    file: File,
    pub(super) about: About,
    pub(super) answers: Vec<Answered>,
}

impl About {
    pub(super) fn new(
        lane: &PayingLane,
        model_root: &opml::Hash,
        input: &TensorSpec,
        layout: &Layout,
        prompt: &[u32],
    ) -> Self {
        Self {
            lane: lane.lane.to_string(),
            lane_generation: lane.lane_generation,
            model_root: hex(model_root),
            input_bytes: u32::try_from(input.byte_len()).unwrap_or(u32::MAX),
            layout: layout.clone(),
            prompt: prompt.to_vec(),
        }
    }

    pub(super) fn is_on(&self, lane: &PayingLane) -> bool {
        (self.lane.as_str(), self.lane_generation) == (lane.lane.to_string().as_str(), lane.lane_generation)
    }
}

impl Answered {
    pub(super) fn new(output: &Tensor, evidence: &Evidence, completion: Option<String>) -> Self {
        Self {
            sequence: evidence.receipt.sequence,
            completion,
            output: STANDARD.encode(output.bytes()),
            answer_key: evidence.answer.key.to_string(),
            answer_signature: STANDARD.encode(evidence.answer.signature),
        }
    }

    pub(super) fn output(&self) -> anyhow::Result<Tensor> {
        row(&self.output)
    }

    pub(super) fn signed(&self) -> Option<(anchor_lang::prelude::Pubkey, [u8; 64])> {
        let signature = STANDARD.decode(&self.answer_signature).ok()?;
        Some((self.answer_key.parse().ok()?, signature.try_into().ok()?))
    }
}

/// A decoder's row of output from base64 of its elements.
pub(super) fn row(base64: &str) -> anyhow::Result<Tensor> {
    let bytes = STANDARD.decode(base64)?;
    let spec = TensorSpec::new(ElementType::Int8, &[1, u32::try_from(bytes.len())?]);
    let spec = spec.map_err(|_| anyhow::anyhow!("it has no elements"))?;
    Ok(Tensor::new(spec, bytes)?)
}

impl Record {
    /// Where the record of a purse's newest completion is.
    pub(super) fn beside(purse: &Path) -> PathBuf {
        let mut path = purse.as_os_str().to_owned();
        path.push(".completion");
        path.into()
    }

    /// A new one, in the place of any that is there.
    pub(super) fn begin(path: PathBuf, about: About) -> anyhow::Result<Self> {
        let mut line = serde_json::to_vec(&about)?;
        line.push(b'\n');
        let begun = replace(&path, &line).and_then(|()| OpenOptions::new().append(true).open(&path));
        let file = begun.with_context(|| format!("The record {} cannot be written", path.display()))?;
        Ok(Self {
            path,
            file,
            about,
            answers: Vec::new(),
        })
    }

    /// The one that is there.
    pub(super) fn open(path: PathBuf) -> anyhow::Result<Option<Self>> {
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("The record {} cannot be read", path.display())),
        };
        let malformed = || format!("{} is not the record of a completion", path.display());
        // A crash may have left the beginning of a line, whose answer is asked for once more.
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        let mut lines = text[..whole].lines();
        let about = serde_json::from_str(lines.next().with_context(malformed)?).with_context(malformed)?;
        let answers: Result<Vec<Answered>, _> = lines.map(serde_json::from_str).collect();
        let answers = answers.with_context(malformed)?;
        let opened = OpenOptions::new().append(true).open(&path);
        let cut = opened.and_then(|file| file.set_len(whole as u64).map(|()| file));
        let file = cut.with_context(|| format!("The record {} cannot be written", path.display()))?;
        Ok(Some(Self {
            path,
            file,
            about,
            answers,
        }))
    }

    /// On disk when this returns.
    pub(super) fn add(&mut self, answered: Answered) -> anyhow::Result<()> {
        let mut line = serde_json::to_vec(&answered)?;
        line.push(b'\n');
        let added = self.file.write_all(&line).and_then(|()| self.file.sync_data());
        added.with_context(|| format!("The record {} cannot be written", self.path.display()))?;
        self.answers.push(answered);
        Ok(())
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about() -> About {
        About {
            lane: "lane".into(),
            lane_generation: 3,
            model_root: "root".into(),
            input_bytes: 24,
            layout: Layout {
                token: 0,
                positions: vec![4],
                logits: 0,
                vocabulary: 4,
                caches: Vec::new(),
                end_tokens: vec![1],
            },
            prompt: vec![1, 2],
        }
    }

    fn answered(sequence: u64) -> Answered {
        Answered {
            sequence,
            completion: None,
            output: STANDARD.encode([1, 2, 3]),
            answer_key: "key".into(),
            answer_signature: String::new(),
        }
    }

    #[test]
    fn given_a_crash_in_the_middle_of_a_line_when_the_record_is_opened_then_the_answers_before_it_and_it_goes_on_behind_them()
     {
        let folder = tempfile::tempdir().unwrap();
        let path = Record::beside(&folder.path().join("purse.json"));
        assert!(Record::open(path.clone()).unwrap().is_none());
        let mut record = Record::begin(path.clone(), about()).unwrap();
        record.add(answered(7)).unwrap();
        record.add(answered(8)).unwrap();
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() - 9]).unwrap();
        let mut record = Record::open(path.clone()).unwrap().unwrap();
        assert_eq!(record.about, about());
        assert_eq!(record.answers.len(), 1);
        record.add(answered(8)).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), whole);
        assert_eq!(
            Record::open(path).unwrap().unwrap().answers[1]
                .output()
                .unwrap()
                .bytes(),
            [1, 2, 3]
        );
    }

    #[test]
    fn given_a_file_that_is_something_else_when_opened_then_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        for text in ["", "{}\n", "no", "\n"] {
            std::fs::write(&path, text).unwrap();
            let error = Record::open(path.clone()).err().unwrap();
            assert!(
                error.to_string().contains("is not the record of a completion"),
                "{error}"
            );
        }
    }
}
