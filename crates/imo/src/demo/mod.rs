//! `imo demo`: the whole story on the real programs, and the books checked at the end.

mod cast;
mod cluster;
mod driver;
mod images;
mod ledger;
mod lie;
mod programs;
mod report;
mod stage;
mod story;
mod terms;

use std::{io, process::ExitCode};

use opml_runtime::Model;

use crate::{
    cli::DemoArgs,
    error::{OrUserError, UserError},
};
use cast::Role;
use cluster::Cluster;
use report::Report;
use stage::Stage;

/// Plays the story. Exit code 1 when the chain ends up different from the ledger.
pub fn run(args: &DemoArgs) -> anyhow::Result<ExitCode> {
    let programs = programs::load(args.programs.as_deref())?;
    let folder = args
        .model
        .clone()
        .unwrap_or_else(|| programs::workspace_folder("models/digits"));
    let model = Model::open(folder.join("digits.imo")).or_user_error()?;
    let images = images::load(&folder.join("test_set.bin"), &model)?;
    let needed = cast::OPERATORS.len() * terms::QUESTIONS;
    if images.len() < needed {
        return Err(UserError::new(format!(
            "The demo asks {needed} questions, but there are {} images.",
            images.len()
        ))
        .into());
    }

    let cluster = Cluster::start(programs, &Role::Protocol.address(), &story::fee_payers())?;
    let stage = Stage::new(cluster, args.json);
    stage.aside(
        Role::Protocol,
        format_args!(
            "finds its programs deployed on a local cluster at {}",
            stage.cluster.url()
        ),
    );
    let ending = story::tell(stage, &model, &images)?;
    let report = Report::of(&ending)?;
    let mut out = io::stdout().lock();
    if args.json {
        serde_json::to_writer_pretty(&mut out, &report)?;
        io::Write::write_all(&mut out, b"\n")?;
    } else {
        report.print(&mut out)?;
    }
    Ok(if report.agrees() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
