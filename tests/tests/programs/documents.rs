//! What the documents say of the tests.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use imo_tests::{adversaries::ATTACKERS, programs::workspace};

/// Folders with sources.
const SOURCES: [&str; 6] = ["bench", "crates", "fuzz", "programs", "tests", "tools"];

/// The names of all test functions of the repository, and of all attackers, which are tests, too.
fn tests() -> BTreeSet<String> {
    let mut files = Vec::new();
    for folder in SOURCES {
        sources(&workspace().join(folder), &mut files);
    }
    let mut names: BTreeSet<String> = ATTACKERS.iter().map(|attacker| attacker.name.to_owned()).collect();
    for file in files {
        let text = fs::read_to_string(&file).expect("a source is text");
        let mut is_test = false;
        for line in text.lines().map(str::trim) {
            match function(line) {
                Some(name) if is_test => {
                    names.insert(name.to_owned());
                    is_test = false;
                }
                _ if makes_a_test(line) => is_test = true,
                // Other attributes and comments may stand between.
                _ if line.starts_with("#[") || line.starts_with("///") => {}
                _ => is_test = false,
            }
        }
    }
    names
}

/// The name of the function that a line begins.
fn function(line: &str) -> Option<&str> {
    let line = line.strip_prefix("async ").unwrap_or(line);
    let (name, _) = line.strip_prefix("fn ")?.split_once('(')?;
    Some(name)
}

/// Whether a line is an attribute that makes the function below a test: `#[test]`, or one of a runtime's such as `#[tokio::test(start_paused = true)]`.
fn makes_a_test(line: &str) -> bool {
    let attribute = line.strip_prefix("#[").and_then(|rest| rest.split(['(', ']']).next());
    attribute.is_some_and(|path| path.rsplit("::").next() == Some("test"))
}

fn sources(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("the folder can be read").path();
        let is_built = path.ends_with("target");
        if path.is_dir() && !is_built {
            sources(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// The cells of all rows of a document's tables whose header ends with `last`, without header and rule.
fn rows(document: &str, last: &str) -> Vec<Vec<String>> {
    let text = fs::read_to_string(workspace().join("docs").join(document)).expect("the document is there");
    let mut rows = Vec::new();
    let mut is_wanted = false;
    for line in text.lines() {
        let Some(row) = line
            .strip_prefix('|')
            .and_then(|line| line.trim_end().strip_suffix('|'))
        else {
            is_wanted = false;
            continue;
        };
        let cells: Vec<String> = row.split('|').map(|cell| cell.trim().to_owned()).collect();
        if cells.last().is_some_and(|cell| cell == last) {
            is_wanted = true;
        } else if is_wanted
            && !cells
                .iter()
                .all(|cell| cell.chars().all(|sign| matches!(sign, '-' | ':')))
        {
            rows.push(cells);
        }
    }
    rows
}

/// The names that a cell gives in code.
fn named(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// Every row names tests that are there, or says that it is open.
#[track_caller]
fn assert_rows_are_tested(document: &str, rows: &[Vec<String>]) {
    let tests = tests();
    assert!(tests.len() > 500, "only {} tests were found", tests.len());
    let mut wrong = Vec::new();
    for row in rows {
        let cell = row.last().expect("a row has a cell");
        let names = named(cell);
        if names.is_empty() && !cell.starts_with("open") {
            wrong.push(format!("no test and not open: {}", row.join(" | ")));
        }
        for name in names.into_iter().filter(|name| !tests.contains(*name)) {
            wrong.push(format!("no test is called {name}"));
        }
    }
    assert!(wrong.is_empty(), "docs/{document}:\n{}", wrong.join("\n"));
}

#[test]
fn given_the_threat_model_when_a_row_is_read_then_its_tests_exist_or_it_says_that_it_is_open() {
    let document = "threat-model.md";
    let rows = rows(document, "test");
    assert!(rows.len() > 100, "only {} attacks", rows.len());
    assert_rows_are_tested(document, &rows);
}

#[test]
fn given_the_page_on_standards_when_a_row_is_read_then_its_tests_exist() {
    let document = "standards.md";
    let rows = rows(document, "test");
    assert!(rows.len() > 30, "only {} functions and guarantees", rows.len());
    assert_rows_are_tested(document, &rows);
    let untested: Vec<_> = rows
        .iter()
        .filter(|row| named(&row[row.len() - 1]).is_empty())
        .collect();
    assert!(untested.is_empty(), "without a test: {untested:?}");
}

#[test]
fn given_the_threat_model_when_its_numbers_are_read_then_every_finding_has_one_row() {
    let rows = rows("threat-model.md", "test");
    let is_number = |cell: &str| {
        let digits = cell.strip_prefix('N').unwrap_or(cell);
        !digits.is_empty() && digits.chars().all(|sign| sign.is_ascii_digit())
    };
    let found: Vec<&str> = rows
        .iter()
        .map(|row| row[0].as_str())
        .filter(|cell| is_number(cell))
        .collect();
    let expected: Vec<String> = (1..=8)
        .map(|number| format!("N{number}"))
        .chain((1..=56).map(|number| number.to_string()))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn given_tests_of_every_kind_when_sources_are_read_then_each_is_known() {
    for attribute in ["#[test]", "#[tokio::test]", "#[tokio::test(start_paused = true)]"] {
        assert!(makes_a_test(attribute), "{attribute}");
    }
    for other in [
        "#[cfg(test)]",
        "#[tokio::main]",
        "#[should_panic]",
        "mod test",
        "// #[test]",
    ] {
        assert!(!makes_a_test(other), "{other}");
    }
    assert_eq!(function("async fn given_this() {"), Some("given_this"));
    assert_eq!(function("fn given_that() {"), Some("given_that"));
    assert_eq!(function("let given = 1;"), None);
    assert!(
        tests().contains("given_a_fresh_account_when_read_again_then_the_rpc_is_not_asked_until_it_is_old"),
        "an asynchronous test of the node"
    );
}
