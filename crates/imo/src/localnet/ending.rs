//! Being told to stop: by SIGTERM, by Ctrl-C, or by the end of standard input.

use std::{
    io,
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{self, Command},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use tokio::{
    runtime::Runtime,
    signal::unix::{SignalKind, signal},
};
use tokio_util::sync::CancellationToken;

/// Exit code of who is stopped before everything runs.
const UNFINISHED: i32 = 1;

/// Removes a folder into which daemons may still write for a moment.
const REMOVE: &str = r#"
    tries=50
    while [ -e "$1" ] && [ "$tries" -gt 0 ]; do
        rm -rf "$1" 2>/dev/null || sleep 0.1
        tries=$((tries - 1))
    done
    exit "$2"
"#;

/// Waits for being told to stop.
pub struct Ending {
    told: CancellationToken,
    runs: Arc<AtomicBool>,
}

impl Ending {
    /// Until everything runs there is nothing to stop in order: then being told ends the process at once, and `temporary` is removed. Daemons notice that this process is gone.
    pub fn watch(runtime: &Runtime, by_input: bool, temporary: Option<PathBuf>) -> anyhow::Result<Self> {
        let ending = Self {
            told: CancellationToken::new(),
            runs: Arc::default(),
        };
        let heard = CancellationToken::new();
        if by_input {
            let heard = heard.clone();
            thread::spawn(move || {
                // An input that cannot be read any more has ended as well.
                let _ = io::copy(&mut io::stdin(), &mut io::sink());
                heard.cancel();
            });
        }
        let _context = runtime.enter();
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let (told, runs) = (ending.told.clone(), ending.runs.clone());
        runtime.spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
                () = heard.cancelled() => {}
            }
            if !runs.load(Ordering::SeqCst) {
                end_at_once(temporary);
            }
            told.cancel();
        });
        Ok(ending)
    }

    /// Everything runs: from now on being told is only noted.
    pub fn runs(&self) -> CancellationToken {
        self.runs.store(true, Ordering::SeqCst);
        self.told.clone()
    }
}

/// Ends the process, and has its temporary folder removed: by a program that takes its place, so that none of its threads is left to write there.
fn end_at_once(temporary: Option<PathBuf>) -> ! {
    if let Some(temporary) = temporary {
        let mut remover = Command::new("sh");
        remover
            .args(["-c", REMOVE, "sh"])
            .arg(&temporary)
            .arg(UNFINISHED.to_string());
        let error = remover.exec();
        eprintln!("{} was not removed: {error}", temporary.display());
    }
    process::exit(UNFINISHED)
}
