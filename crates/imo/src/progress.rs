//! How far long work is, for whoever waits at a terminal.

use std::{
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread::{self, JoinHandle},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use opml_runtime::progress::{Progress, Stage};

/// Shorter work is not worth a bar.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often the bar moves while there is no news.
const TICK: Duration = Duration::from_millis(200);

/// A bar on stderr that shows when work has taken two seconds, is gone when this is dropped, and never shows where stderr is no terminal.
#[derive(Debug)]
pub struct Waiting {
    bar: ProgressBar,
    /// What shows the bar waits for this to be dropped.
    over: Option<Sender<()>>,
    shows: Option<JoinHandle<()>>,
}

impl Waiting {
    /// Work that says `about` begins.
    pub fn new(about: &'static str) -> Self {
        Self::with_target(about, PATIENCE, ProgressDrawTarget::stderr)
    }

    fn with_target(about: &'static str, patience: Duration, target: fn() -> ProgressDrawTarget) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        bar.set_style(style("{spinner} {msg}  {elapsed}"));
        bar.set_message(about);
        let (over, is_over) = mpsc::channel();
        let shown = bar.clone();
        let shows = thread::spawn(move || {
            if is_over.recv_timeout(patience) == Err(RecvTimeoutError::Timeout) {
                shown.set_draw_target(target());
                shown.enable_steady_tick(TICK);
            }
        });
        Self {
            bar,
            over: Some(over),
            shows: Some(shows),
        }
    }
}

impl Progress for Waiting {
    fn begin(&self, stage: Stage, total: u64) {
        let (about, template) = match stage {
            Stage::Commit => (
                "hashing the weights",
                "{spinner} {msg}  {wide_bar} {bytes}/{total_bytes}, {eta} left",
            ),
            Stage::Run => (
                "running the model",
                "{spinner} {msg}  {wide_bar} {percent} %, {eta} left",
            ),
            Stage::Compare => (
                "comparing with the original",
                "{spinner} {msg}  {wide_bar} {pos}/{len} samples, {eta} left",
            ),
        };
        self.bar.reset();
        self.bar.set_style(style(template));
        self.bar.set_message(about);
        self.bar.set_length(total);
    }

    fn advance(&self, units: u64) {
        self.bar.inc(units);
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        drop(self.over.take());
        if let Some(shows) = self.shows.take() {
            // Nothing in it panics; if it did, only the bar would be missing.
            let _ = shows.join();
        }
        self.bar.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the template is one")
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Mutex, MutexGuard},
        time::Instant,
    };

    use indicatif::TermLike;

    use super::*;

    /// What was drawn, on a terminal without a screen.
    static DRAWN: Mutex<String> = Mutex::new(String::new());

    fn drawn() -> MutexGuard<'static, String> {
        DRAWN.lock().unwrap()
    }

    #[derive(Debug)]
    struct Paper;

    impl TermLike for Paper {
        fn width(&self) -> u16 {
            80
        }
        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn write_line(&self, line: &str) -> io::Result<()> {
            self.write_str(line)
        }
        fn write_str(&self, text: &str) -> io::Result<()> {
            drawn().push_str(text);
            Ok(())
        }
        fn clear_line(&self) -> io::Result<()> {
            Ok(())
        }
        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    fn paper() -> ProgressDrawTarget {
        ProgressDrawTarget::term_like(Box::new(Paper))
    }

    #[test]
    fn given_work_when_it_takes_long_then_it_shows_and_before_that_it_does_not() {
        let quick = Waiting::with_target("working", Duration::from_secs(600), paper);
        quick.begin(Stage::Commit, 10);
        quick.advance(10);
        let start = Instant::now();
        drop(quick);
        assert!(start.elapsed() < Duration::from_secs(60), "nobody waits for the bar");
        assert_eq!(*drawn(), "");

        let slow = Waiting::with_target("working", Duration::ZERO, paper);
        let shows_within_a_minute = |text: &str| {
            let start = Instant::now();
            while !drawn().contains(text) {
                assert!(
                    start.elapsed() < Duration::from_secs(60),
                    "{text} is not in {:?}",
                    *drawn()
                );
                thread::sleep(Duration::from_millis(10));
            }
        };
        shows_within_a_minute("working");
        slow.begin(Stage::Compare, 8);
        slow.advance(3);
        shows_within_a_minute("comparing with the original");
        shows_within_a_minute("3/8 samples");
    }
}
