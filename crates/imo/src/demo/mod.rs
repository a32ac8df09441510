//! `imo demo`: the whole story on the real programs, and the books checked at the end.

mod cast;
mod history;
pub mod images;
mod ledger;
pub mod liar;
pub mod lie;
mod report;
mod stage;
mod story;
mod terms;
mod words;

use std::{io, process::ExitCode};

use opml_runtime::Model;

use crate::{
    cli::DemoArgs,
    cluster::{self, Accounts, Blocks, Cluster, Settings},
    error::{OrUserError, UserError},
    node,
};
use cast::Role;
use report::Report;
use stage::Stage;
use story::Props;

/// What everybody who pays fees begins with.
const FEES_LAMPORTS: u64 = 100_000_000_000;

/// Plays the story. Exit code 1 when the chain ends up different from the ledger.
pub fn run(args: &DemoArgs) -> anyhow::Result<ExitCode> {
    let programs = cluster::load(args.programs.as_deref())?;
    let folder = args
        .model
        .clone()
        .unwrap_or_else(|| cluster::workspace_folder("models/digits"));
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

    let node = node::program(args.node.as_deref())?;
    let folder = tempfile::tempdir()?;

    let settings = Settings {
        rpc_port: 0,
        ws_port: 0,
        blocks: Blocks::OnDemand,
        genesis_unix_ms: cluster::unix_ms(),
        accounts: Accounts::new(),
        airdrops: (story::fee_payers(), FEES_LAMPORTS),
    };
    let cluster = Cluster::start(settings, &programs, &Role::Protocol.address())?;
    let stage = Stage::new(cluster, args.json);
    stage.aside(
        Role::Protocol,
        format_args!(
            "finds its programs deployed on a local cluster at {}",
            stage.cluster.url()
        ),
    );
    let props = Props {
        model: &model,
        images: &images,
        node: &node,
        folder: folder.path(),
    };
    let ending = story::tell(stage, &props)?;
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
