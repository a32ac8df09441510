//! The committed corpus: seeds, and inputs that broke a promise once.

use std::{fs, path::Path};

use imo_fuzz::{TARGETS, run};

#[test]
fn given_the_corpus_when_each_target_runs_on_it_then_every_promise_holds() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for (target, _) in TARGETS {
        let files: Vec<_> = fs::read_dir(corpus.join(target))
            .unwrap_or_else(|error| panic!("corpus/{target}: {error}"))
            .map(|file| file.unwrap().path())
            .collect();
        assert!(!files.is_empty(), "{target} has no corpus");
        for file in files {
            // Printed, so that a panic can be told from the others.
            println!("{}", file.display());
            run(target, &fs::read(&file).unwrap());
        }
    }
}
