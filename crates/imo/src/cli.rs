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
    /// Play the whole story on a local cluster inside this process: offering, inference, a lie, a dispute, payouts
    Demo(DemoArgs),
    /// Look into a model file, run it, or check somebody's claim
    #[command(subcommand)]
    Model(ModelCommand),
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
}

#[derive(Debug, Args)]
pub struct StatusArgs {
    /// JSON-RPC address of the cluster, for example http://127.0.0.1:8899
    #[arg(long, value_name = "RPC")]
    pub url: String,
    /// Address of the account
    pub address: Pubkey,
}
