//! What paying costs: the gateway in the release profile, on a chain that is a table. `cargo xtask bench node` runs it, and beside it what needs a cluster.
//!
//! `bench-node MODELS WORK OUT quick|full`. Exit codes: 0 measured, 1 not.

mod client;
mod report;
mod server;
mod throughput;
mod world;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::Context;
use opml_runtime::onnx::import_file;
use server::Mode;
use throughput::{LANES, Shop};

/// How much is measured.
struct Size {
    /// Turns with payment, and as many without.
    turns: usize,
    /// Requests of each connection in a turn.
    each: usize,
    /// Requests one after the other, whose times are compared.
    alone: usize,
    /// Requests after which memory is looked at.
    many: usize,
    receipts: u64,
}

const QUICK: Size = Size {
    turns: 3,
    each: 100,
    alone: 500,
    many: 50_000,
    receipts: 1_000_000,
};

const FULL: Size = Size {
    turns: 9,
    each: 400,
    alone: 3_000,
    many: 1_000_000,
    receipts: 1_000_000,
};

type Figures = BTreeMap<String, f64>;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(("serve", rest)) = arguments.split_first().map(|(first, rest)| (first.as_str(), rest)) {
        let runtime = tokio::runtime::Runtime::new()?;
        return runtime.block_on(server::run(rest));
    }
    let [models, work, out, size] = arguments.as_slice() else {
        anyhow::bail!("bench-node MODELS WORK OUT quick|full");
    };
    let size = match size.as_str() {
        "full" => FULL,
        _ => QUICK,
    };
    // One thread asks: it costs the servers as little as it can.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let figures = runtime.block_on(measure(Path::new(models), Path::new(work), &size))?;
    for (name, figure) in &figures {
        println!("{name:40} {figure:>14.3}");
    }
    std::fs::write(out, serde_json::to_string_pretty(&figures)?).with_context(|| format!("writing {out}"))
}

async fn measure(models: &Path, work: &Path, size: &Size) -> anyhow::Result<Figures> {
    let mut figures = Figures::new();
    let folder = |name: &str| -> anyhow::Result<tempfile::TempDir> {
        Ok(tempfile::Builder::new().prefix(name).tempdir_in(work)?)
    };
    let report = folder("report")?;
    figures.insert("fsync_ms".into(), fsync_milliseconds(report.path())?);
    let seconds = report::build(size.receipts, report.path()).await?;
    figures.insert("report_build_1m_s".into(), seconds * 1e6 / size.receipts as f64);
    drop(report);

    for (name, file) in [
        ("digits_cnn", "digits_cnn/digits_cnn.qdq.int8.onnx"),
        ("encoder", "encoder/encoder.qdq.int8.onnx"),
    ] {
        let folder = folder(name)?;
        let file: PathBuf = models.join(file);
        let mut shop = Shop::open(&file, import_file(&file)?.model, folder.path()).await?;
        // What the project promises is about the first.
        let prefix = match name {
            "digits_cnn" => String::new(),
            name => format!("{name}."),
        };
        compare(&mut shop, size, &prefix, &mut figures).await?;
        if prefix.is_empty() {
            latency(&mut shop, size, &mut figures).await?;
            memory(&mut shop, size, &mut figures).await?;
        }
        shop.paid.stop().await?;
        shop.free.stop().await?;
    }
    Ok(figures
        .into_iter()
        .map(|(name, figure)| (format!("node.{name}"), figure))
        .collect())
}

/// All connections at once, in turns.
async fn compare(shop: &mut Shop, size: &Size, prefix: &str, figures: &mut Figures) -> anyhow::Result<()> {
    let (mut paid, mut free, mut ratios, mut cpu) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..size.turns {
        let without = shop.turn(Mode::Free, LANES as usize, size.each).await?;
        let with = shop.turn(Mode::Paid, LANES as usize, size.each).await?;
        free.push(without.per_second);
        paid.push(with.per_second);
        ratios.push(with.per_second / without.per_second);
        cpu.push((without.cpu_seconds, with.cpu_seconds));
    }
    let (cpu_free, cpu_paid): (Vec<_>, Vec<_>) = cpu.into_iter().unzip();
    let cpu_paid = median(cpu_paid);
    let mut set = |name: &str, figure: f64| figures.insert(format!("{prefix}{name}"), figure);
    set("throughput_ratio_paid", median(ratios));
    set("paid_per_s", median(paid));
    set("free_per_s", median(free));
    set("cpu_us_paid", cpu_paid * 1e6);
    set("cpu_us_free", median(cpu_free) * 1e6);
    set("vouchers_per_s_per_core", 1.0 / cpu_paid);
    Ok(())
}

/// One after the other, and eight at a time.
async fn latency(shop: &mut Shop, size: &Size, figures: &mut Figures) -> anyhow::Result<()> {
    let milliseconds = |took: &[std::time::Duration], part: f64| {
        let place = ((took.len() - 1) as f64 * part) as usize;
        took[place].as_secs_f64() * 1e3
    };
    let (_, free) = shop.timed(Mode::Free, 1, size.alone).await?;
    let (_, paid) = shop.timed(Mode::Paid, 1, size.alone).await?;
    figures.insert(
        "added_p50_ms".into(),
        milliseconds(&paid, 0.5) - milliseconds(&free, 0.5),
    );
    let (_, paid) = shop.timed(Mode::Paid, 8, size.alone).await?;
    figures.insert("p50_ms".into(), milliseconds(&paid, 0.5));
    figures.insert("p99_ms".into(), milliseconds(&paid, 0.99));
    Ok(())
}

/// Memory after a great many requests over memory after the first ones.
async fn memory(shop: &mut Shop, size: &Size, figures: &mut Figures) -> anyhow::Result<()> {
    const PART: usize = 400;
    let before = shop.paid.memory()?;
    let mut asked = 0;
    while asked < size.many {
        shop.turn(Mode::Paid, LANES as usize, PART).await?;
        asked += LANES as usize * PART;
    }
    let grown = (shop.paid.memory()? - before) / 1e6;
    figures.insert("rss_growth_mb".into(), grown);
    if asked >= 1_000_000 {
        figures.insert("rss_growth_1m_mb".into(), grown);
    }
    Ok(())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

/// What the disk takes to keep a page, at least half of the times.
fn fsync_milliseconds(folder: &Path) -> anyhow::Result<f64> {
    use std::io::Write;
    let mut file = std::fs::File::create(folder.join("page"))?;
    let mut took = Vec::new();
    for _ in 0..200 {
        file.write_all(&[1; 4_096])?;
        let began = Instant::now();
        file.sync_data()?;
        took.push(began.elapsed().as_secs_f64() * 1e3);
    }
    Ok(median(took))
}
