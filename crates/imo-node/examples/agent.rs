//! An agent that buys embeddings with its own key, within a budget, and tells which texts are most alike.
//!
//! ```text
//! imo pay delegate --payer payer.json --model MODEL --operator OPERATOR --key AGENT --limit 5000000
//! cargo run --example agent -- --key agent.json --payer PAYER --model MODEL --operator OPERATOR --purse agent.purse --budget 1000000 texts.csv
//! ```
//!
//! Each line of the file is one text, as the integers that the model takes. What the agent may spend is bounded three times: by its own budget, by the session that the payer granted it, and by
//! the lane's money. Exit codes: 0 all texts were bought, 1 something failed, 3 the budget or the limit was reached before the end.

use std::{path::PathBuf, process::ExitCode};

use anchor_lang::prelude::Pubkey;
use anyhow::Context;
use clap::Parser;
use imo_node::{chain::Rpc, gateway::infer::tensor_of, keys, payer::Buyer};
use opml::TensorSpec;
use opml_runtime::Tensor;

#[derive(Parser)]
pub struct Arguments {
    /// JSON-RPC address of the cluster
    #[arg(long, default_value = "http://127.0.0.1:8899")]
    pub url: String,
    /// File of the agent's key, which the payer granted a session
    #[arg(long)]
    pub key: PathBuf,
    /// Whose credit pays
    #[arg(long)]
    pub payer: Pubkey,
    #[arg(long)]
    pub model: Pubkey,
    /// The operator's account
    #[arg(long)]
    pub operator: Pubkey,
    /// File of what was asked so far
    #[arg(long)]
    pub purse: PathBuf,
    /// The most that this run may cost, in units
    #[arg(long)]
    pub budget: u64,
    /// The texts
    pub texts: PathBuf,
}

/// What a run brought.
#[derive(Debug)]
pub struct Bought {
    pub embeddings: Vec<Vec<i32>>,
    pub spent_units: u64,
    /// Why it ended before the last text.
    pub stopped: Option<String>,
}

#[tokio::main]
#[allow(dead_code, reason = "a test runs the agent without its command line")]
async fn main() -> ExitCode {
    match run(&Arguments::parse()).await {
        Ok(bought) => {
            print(&bought);
            ExitCode::from(if bought.stopped.is_some() { 3 } else { 0 })
        }
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Buys one embedding after the other until all are there or the next one is too dear.
pub async fn run(arguments: &Arguments) -> anyhow::Result<Bought> {
    let rpc = Rpc::new(&arguments.url);
    let buyer = Buyer {
        session: keys::load("AGENT_KEY", Some(&arguments.key))?,
        payer: arguments.payer,
        model: arguments.model,
        operator: arguments.operator,
        endpoint: None,
        purse: arguments.purse.clone(),
    };
    let texts = std::fs::read_to_string(&arguments.texts);
    let texts = texts.with_context(|| format!("{} cannot be read", arguments.texts.display()))?;
    let mut bought = Bought {
        embeddings: Vec::new(),
        spent_units: 0,
        stopped: None,
    };
    for (line, number) in texts.lines().zip(1..) {
        // Price and limits are the chain's, looked up each time: both can change while the agent works.
        let offer = buyer.look_up(&rpc).await?;
        let input = tensor(line, &offer.input).with_context(|| format!("line {number}"))?;
        let price_units = offer.price_units;
        if bought.spent_units.saturating_add(price_units) > arguments.budget {
            bought.stopped = Some(format!("the budget of {} units is used up", arguments.budget));
            break;
        }
        let left_units = buyer.left_units(&offer)?;
        if price_units > left_units {
            bought.stopped = Some(format!(
                "the payer's limit leaves {left_units} units, and an answer costs {price_units}"
            ));
            break;
        }
        // The receipt and the signature are checked before this returns.
        let answer = buyer.buy(&offer, &input).await?;
        bought.spent_units += price_units;
        bought.embeddings.push(answer.output.values());
    }
    Ok(bought)
}

fn tensor(line: &str, spec: &TensorSpec) -> anyhow::Result<Tensor> {
    let values: Result<Vec<i32>, _> = line.split(',').map(|value| value.trim().parse()).collect();
    let values = values.context("a text is integers, separated by commas")?;
    tensor_of(spec, &values).map_err(|_| anyhow::anyhow!("the model takes {:?}", spec.shape()))
}

fn print(bought: &Bought) {
    println!("{} texts for {} units", bought.embeddings.len(), bought.spent_units);
    for (number, embedding) in bought.embeddings.iter().enumerate() {
        let others = bought
            .embeddings
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != number);
        let nearest = others.max_by(|(_, a), (_, b)| likeness(embedding, a).total_cmp(&likeness(embedding, b)));
        if let Some((other, nearest)) = nearest {
            println!(
                "{}: most like {}, {:.3}",
                number + 1,
                other + 1,
                likeness(embedding, nearest)
            );
        }
    }
    if let Some(why) = &bought.stopped {
        println!("stopped: {why}");
    }
}

/// The cosine of the angle between them.
fn likeness(a: &[i32], b: &[i32]) -> f64 {
    let dot = |a: &[i32], b: &[i32]| -> f64 { a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum() };
    let lengths = (dot(a, a) * dot(b, b)).sqrt();
    if lengths > 0.0 { dot(a, b) / lengths } else { 0.0 }
}
