//! What the command understands.

use std::path::PathBuf;

use anchor_lang::prelude::Pubkey;
use clap::{Args, Parser, Subcommand};

/// Initial Model Offerings on Solana: models as tokens, inference that anyone can check.
#[derive(Debug, Parser)]
#[command(name = "imo", version, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Play the whole story on a local cluster with real nodes: offering, inference, a lie, a dispute, payouts
    Demo(DemoArgs),
    /// Run a local cluster with the programs, two models, an operator and a watcher, until Ctrl-C
    Localnet(LocalnetArgs),
    /// Give somebody SOL and dollars on a local cluster
    Airdrop(AirdropArgs),
    /// Bring a cluster with the four programs to the current state; what is there already stays
    Migrate(MigrateArgs),
    /// Look into a model file, run it, or check somebody's claim
    #[command(subcommand)]
    Model(ModelCommand),
    /// Look at a model's offering
    #[command(subcommand)]
    Offering(OfferingCommand),
    /// Everything that somebody holds of the programs' models: tokens, stakes, yield and earnings that wait
    Portfolio(PortfolioArgs),
    /// Buy answers from an operator, and check what comes back
    #[command(subcommand)]
    Pay(PayCommand),
    /// Calculate what cheating gains and honesty costs under given terms, and play strategies against them
    Simulate(SimulateArgs),
    /// Read one account of the programs from a cluster and print it
    Status(StatusArgs),
}

#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Print one JSON object at the end instead of the story
    #[arg(long)]
    pub json: bool,
    /// Folder with the four compiled programs [default: target/deploy of this workspace]
    #[arg(long, value_name = "DIR")]
    pub programs: Option<PathBuf>,
    /// Folder with the digits model and its test images [default: models/digits of this workspace]
    #[arg(long, value_name = "DIR")]
    pub model: Option<PathBuf>,
    /// The imo-node program [default: the one beside this program]
    #[arg(long, value_name = "FILE")]
    pub node: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct LocalnetArgs {
    /// Folder that keeps the cluster's state: it is saved there and goes on from there [default: nothing is left behind]
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// Also run an operator that lies once, for the watcher to catch
    #[arg(long)]
    pub liar: bool,
    /// Stop when standard input ends, too, for a program that starts the cluster and may itself be killed
    #[arg(long)]
    pub until_input_ends: bool,
    /// Print the description as JSON when everything runs, instead of text
    #[arg(long)]
    pub json: bool,
    /// Port of JSON-RPC; any free one for 0, here and below
    #[arg(long, value_name = "PORT", default_value_t = 8899)]
    pub rpc_port: u16,
    /// Port of the websocket
    #[arg(long, value_name = "PORT", default_value_t = 8900)]
    pub ws_port: u16,
    /// Port of the description, the faucet and the clock
    #[arg(long, value_name = "PORT", default_value_t = 8901)]
    pub api_port: u16,
    /// Port of the operator's gateway
    #[arg(long, value_name = "PORT", default_value_t = 8902)]
    pub gateway_port: u16,
    /// Port of the index
    #[arg(long, value_name = "PORT", default_value_t = 8903)]
    pub index_port: u16,
    /// Port of the watcher's metrics
    #[arg(long, value_name = "PORT", default_value_t = 8904)]
    pub watcher_port: u16,
    /// Port of the lying operator's gateway
    #[arg(long, value_name = "PORT", default_value_t = 8905)]
    pub liar_port: u16,
    /// Folder with the four compiled programs [default: target/deploy of this workspace]
    #[arg(long, value_name = "DIR")]
    pub programs: Option<PathBuf>,
    /// The imo-node program [default: the one beside this program]
    #[arg(long, value_name = "FILE")]
    pub node: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct AirdropArgs {
    /// Who gets it
    pub address: Pubkey,
    /// How many SOL
    #[arg(long, value_name = "AMOUNT", default_value_t = 10.0, allow_negative_numbers = true)]
    pub sol: f64,
    /// How many dollars
    #[arg(
        long,
        value_name = "AMOUNT",
        default_value_t = 10_000.0,
        allow_negative_numbers = true
    )]
    pub usdc: f64,
    /// Where `imo localnet` hands out its description
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8901")]
    pub api: String,
}

#[derive(Debug, Args)]
pub struct MigrateArgs {
    /// JSON-RPC address of the cluster, for example http://127.0.0.1:8899
    #[arg(long, value_name = "RPC")]
    pub url: String,
    /// File with what differs from cluster to cluster: authority, guardian, treasury, payment mints (migrations/cluster.example.toml)
    #[arg(long, value_name = "FILE")]
    pub cluster: PathBuf,
    /// Key file that signs and pays
    #[arg(long, value_name = "FILE")]
    pub keypair: PathBuf,
    /// Send nothing; exit code 1 when something is to be done
    #[arg(long)]
    pub check: bool,
    /// Folder with numbered steps [default: the ones of this version]
    #[arg(long, value_name = "DIR")]
    pub migrations: Option<PathBuf>,
    /// Print one JSON object instead of a table
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum ModelCommand {
    /// Turn a quantised ONNX model into a model file, and compare the two
    Import {
        /// ONNX file, as onnxruntime's static quantiser writes it
        onnx: PathBuf,
        /// Model file to write [default: the ONNX file's name with .imo]
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
        /// Folder with inputs.npy to compare on, and the original's outputs.npy if it was recorded; of several inputs or outputs inputs/NAME.npy and outputs/NAME.npy
        #[arg(long, value_name = "DIR", conflicts_with = "random")]
        samples: Option<PathBuf>,
        /// Number of made-up inputs to compare on when there are no samples
        #[arg(long, value_name = "COUNT", default_value_t = 8)]
        random: u16,
        /// File to write the first of these inputs to, as the model takes it, for run and verify
        #[arg(long, value_name = "FILE")]
        first_input: Option<PathBuf>,
    },
    /// Print a model's roots, input, output and operators
    Inspect {
        /// Model file (.imo)
        file: PathBuf,
    },
    /// Run a model on one input and print the output and the roots that an operator would claim
    Run {
        /// Model file (.imo)
        file: PathBuf,
        /// A file with the input's bytes (row-major) or its values, or the values themselves, separated by commas
        #[arg(long, value_name = "IMAGE", allow_hyphen_values = true)]
        input: String,
    },
    /// Recompute a claim: exit code 1 when the model gives another output
    Verify {
        /// Model file (.imo)
        file: PathBuf,
        /// A file with the input's bytes (row-major) or its values, or the values themselves, separated by commas
        #[arg(long, value_name = "IMAGE", allow_hyphen_values = true)]
        input: String,
        /// The output root that was claimed, 64 hexadecimal digits
        #[arg(long, value_name = "HEX")]
        output_root: String,
    },
    /// What a model has earned, report by report, and what that would come to
    Earnings(EarningsArgs),
}

#[derive(Debug, Args)]
pub struct EarningsArgs {
    /// Address of the model
    pub model: Pubkey,
    #[command(flatten)]
    pub cluster: ClusterArgs,
    /// Most transactions of the history to read
    #[arg(long, value_name = "COUNT", default_value_t = 1_000)]
    pub limit: usize,
    /// Print one JSON object instead of tables
    #[arg(long)]
    pub json: bool,
    /// Also draw the revenue of each report as SVG into this file
    #[arg(long, value_name = "FILE")]
    pub plot: Option<PathBuf>,
}

/// Which cluster is asked.
#[derive(Debug, Args)]
pub struct ClusterArgs {
    /// JSON-RPC address of the cluster, for example http://127.0.0.1:8899
    #[arg(long, value_name = "RPC")]
    pub url: String,
}

#[derive(Debug, Subcommand)]
pub enum OfferingCommand {
    /// Print an offering's terms, where it stands and the price as it would be now
    Show {
        /// Address of the model
        model: Pubkey,
        #[command(flatten)]
        cluster: ClusterArgs,
        /// Print one JSON object instead of a table
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
pub struct PortfolioArgs {
    /// Whose: a wallet, or an address that a multisig or a program signs with
    pub owner: Pubkey,
    #[command(flatten)]
    pub cluster: ClusterArgs,
    /// Print one JSON object instead of tables
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum PayCommand {
    /// Ask one question, paid from a lane: exit code 1 when --verify finds the answer wrong
    Infer(PayInferArgs),
    /// Have a decoder go on behind a prompt, each step paid from a lane: exit code 1 when --verify finds one wrong, 3 when the budget or the lane's money ends it
    Complete(PayCompleteArgs),
    /// Let another key, an agent's, spend up to a limit on one operator
    Delegate(PayDelegateArgs),
    /// Let a key spend no more
    Revoke(PayRevokeArgs),
}

#[derive(Debug, Args)]
pub struct PayDelegateArgs {
    #[command(flatten)]
    pub cluster: ClusterArgs,
    /// Address of the model
    #[arg(long, value_name = "ADDRESS")]
    pub model: Pubkey,
    /// Address of the operator's account
    #[arg(long, value_name = "ADDRESS")]
    pub operator: Pubkey,
    /// File of the key that pays
    #[arg(long, value_name = "FILE")]
    pub payer: PathBuf,
    /// The key that may spend
    #[arg(long, value_name = "ADDRESS")]
    pub key: Pubkey,
    /// How much, in units of the model's mint; it is moved into the lane
    #[arg(long, value_name = "UNITS")]
    pub limit: u64,
    /// For how many days
    #[arg(long, default_value_t = 30, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=3_650))]
    pub days: u32,
    /// Show questions and answers only with the payer's permission
    #[arg(long)]
    pub private: bool,
}

#[derive(Debug, Args)]
pub struct PayRevokeArgs {
    #[command(flatten)]
    pub cluster: ClusterArgs,
    /// Address of the model
    #[arg(long, value_name = "ADDRESS")]
    pub model: Pubkey,
    /// File of the key that pays
    #[arg(long, value_name = "FILE")]
    pub payer: PathBuf,
    /// The key that may spend no more
    #[arg(long, value_name = "ADDRESS")]
    pub key: Pubkey,
}

/// Who buys from whom.
#[derive(Debug, Args)]
pub struct PurchaseArgs {
    #[command(flatten)]
    pub cluster: ClusterArgs,
    /// Address of the model
    #[arg(long, value_name = "ADDRESS")]
    pub model: Pubkey,
    /// Address of the operator's account
    #[arg(long, value_name = "ADDRESS")]
    pub operator: Pubkey,
    /// Whose credit pays
    #[arg(long, value_name = "ADDRESS")]
    pub payer: Pubkey,
    /// File of the session key that signs vouchers
    #[arg(long, value_name = "FILE")]
    pub session: PathBuf,
    /// File of what was asked on this lane so far; keep it: without it the lane can be used no further
    #[arg(long, value_name = "FILE")]
    pub purse: PathBuf,
    /// Where to ask the operator [default: where its account says]
    #[arg(long, value_name = "URL")]
    pub endpoint: Option<String>,
    /// Model file (.imo) to recompute what is answered with
    #[arg(long, value_name = "FILE")]
    pub verify: Option<PathBuf>,
    /// Where a watcher listens: it is handed what the operator signed, and notices when the same question is answered in two ways. It can test guesses of a private question
    #[arg(long, value_name = "URL")]
    pub tell: Option<String>,
}

#[derive(Debug, Args)]
pub struct PayInferArgs {
    #[command(flatten)]
    pub purchase: PurchaseArgs,
    /// A file with the input's bytes (row-major) or its values, or the values themselves, separated by commas
    #[arg(long, value_name = "IMAGE", allow_hyphen_values = true)]
    pub input: String,
}

/// The same command again goes on where a run ended, whatever ended it; what was paid for is not paid for again.
#[derive(Debug, Args)]
pub struct PayCompleteArgs {
    #[command(flatten)]
    pub purchase: PurchaseArgs,
    /// Numbers of the prompt's tokens, separated by commas, or a file with them
    #[arg(long, visible_alias = "tokens", value_name = "TOKENS", allow_hyphen_values = true)]
    pub prompt: String,
    /// How many tokens are to follow at most
    #[arg(long, value_name = "COUNT", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..))]
    pub max_tokens: u32,
    /// Most that this run may cost, in units of the model's mint; the prompt's tokens are paid for like the others
    #[arg(long, value_name = "UNITS")]
    pub budget: Option<u64>,
    /// TOML file that says where the model has its token, scores and caches, as in the operator's configuration [default: what the operator says]
    #[arg(long, value_name = "FILE")]
    pub layout: Option<PathBuf>,
    /// How long one step is asked for again and again when no answer comes
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    pub patience: u64,
    /// Print a JSON object for each step as it comes, and one at the end
    #[arg(long)]
    pub json: bool,
}

/// Amounts are whole tokens of the revenue mint, such as dollars; what is not given is the protocol's default (docs/economics.md).
#[derive(Debug, Args)]
pub struct SimulateArgs {
    /// What the operator has at stake
    #[arg(long, value_name = "TOKENS", help_heading = "Market")]
    pub stake: Option<f64>,
    /// Revenue of one report
    #[arg(long, value_name = "TOKENS", help_heading = "Market")]
    pub report: Option<f64>,
    /// Requests of one report
    #[arg(long, value_name = "COUNT", help_heading = "Market")]
    pub requests: Option<u32>,
    /// What computing one answer costs the operator
    #[arg(long, value_name = "TOKENS", help_heading = "Market")]
    pub inference_cost: Option<f64>,
    /// What recomputing one answer costs a watcher
    #[arg(long, value_name = "TOKENS", help_heading = "Market")]
    pub check_cost: Option<f64>,
    /// What landing one transaction costs when the network is busy
    #[arg(long, value_name = "TOKENS", help_heading = "Market")]
    pub landing_cost: Option<f64>,
    /// The probability that a given answer is recomputed by somebody who would dispute it, 0 to 1
    #[arg(long, value_name = "PROBABILITY", help_heading = "Market")]
    pub check_probability: Option<f64>,
    /// What one particular false answer is worth to an attacker
    #[arg(long, value_name = "TOKENS", help_heading = "Market")]
    pub prize: Option<f64>,
    /// The operator's share of revenue, in basis points
    #[arg(long, value_name = "BPS", help_heading = "Market", value_parser = clap::value_parser!(u16).range(0..=10_000))]
    pub operator_bps: Option<u16>,
    /// What locked money costs in a year, 0.08 is 8 %
    #[arg(long, value_name = "PART", help_heading = "Market")]
    pub interest: Option<f64>,
    /// Bond over collected revenue, in basis points
    #[arg(long, value_name = "BPS", help_heading = "Terms")]
    pub bond_ratio_bps: Option<u32>,
    /// The least bond of a report
    #[arg(long, value_name = "TOKENS", help_heading = "Terms")]
    pub min_bond: Option<f64>,
    /// What a challenger bonds
    #[arg(long, value_name = "TOKENS", help_heading = "Terms")]
    pub challenger_bond: Option<f64>,
    /// The prover's share of a slashed bond, in basis points
    #[arg(long, value_name = "BPS", help_heading = "Terms")]
    pub prover_share_bps: Option<u16>,
    /// How long a sealed report can be disputed
    #[arg(long, value_name = "HOURS", help_heading = "Terms")]
    pub window_hours: Option<u64>,
    /// How long a side has for all its moves of one dispute
    #[arg(long, value_name = "HOURS", help_heading = "Terms")]
    pub clock_hours: Option<u64>,
    /// Lives of an operator to play for each strategy
    #[arg(long, value_name = "COUNT", default_value_t = 1_000, help_heading = "Monte Carlo")]
    pub runs: u32,
    /// Reports in a life
    #[arg(long, value_name = "COUNT", default_value_t = 180, help_heading = "Monte Carlo")]
    pub reports: u32,
    /// The same seed gives the same numbers
    #[arg(long, value_name = "NUMBER", default_value_t = 1, help_heading = "Monte Carlo")]
    pub seed: u64,
    /// Print one JSON object instead of tables
    #[arg(long)]
    pub json: bool,
    /// Also write the plots as SVG files into this folder
    #[arg(long, value_name = "DIR")]
    pub plots: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct StatusArgs {
    /// JSON-RPC address of the cluster, for example http://127.0.0.1:8899
    #[arg(long, value_name = "RPC")]
    pub url: String,
    /// Address of the account
    pub address: Pubkey,
}
