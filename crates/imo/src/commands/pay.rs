//! `imo pay`: buying answers, and letting others buy them.

use std::{
    io::{self, Write},
    path::Path,
    process::ExitCode,
};

use imo_client::answer::SignedAnswer;
use imo_node::{
    chain::Rpc,
    delegation::{self, Delegation},
    payer::{Bought, Buyer, Offer, tell},
};
use opml_runtime::{Model, fast::Plan};
use solana_keypair::{Keypair, read_keypair_file};
use tokio::runtime::Runtime;

use super::model::{open, read_input};
use crate::{
    cli::{PayDelegateArgs, PayInferArgs, PayRevokeArgs, PurchaseArgs},
    error::{OrUserError, UserError},
    format, rpc,
};

fn read_key(file: &Path) -> anyhow::Result<Keypair> {
    let key = read_keypair_file(file);
    Ok(key.map_err(|_| UserError::new(format!("The key file {} cannot be read.", file.display())))?)
}

pub fn delegate(args: &PayDelegateArgs) -> anyhow::Result<ExitCode> {
    rpc::connect(&args.cluster.url)?;
    let payer = read_key(&args.payer)?;
    let delegation = Delegation {
        payer: &payer,
        model: args.model,
        operator: args.operator,
        key: args.key,
        limit_units: args.limit,
        seconds: i64::from(args.days) * 24 * 60 * 60,
        private: args.private,
    };
    let signature = Runtime::new()?
        .block_on(delegation.grant(&Rpc::new(&args.cluster.url)))
        .or_user_error_with(|error| format!("{error:#}"))?;
    let units = format::thousands(args.limit);
    println!(
        "{} may spend {units} units for {} days: {signature}",
        args.key, args.days
    );
    Ok(ExitCode::SUCCESS)
}

pub fn revoke(args: &PayRevokeArgs) -> anyhow::Result<ExitCode> {
    rpc::connect(&args.cluster.url)?;
    let payer = read_key(&args.payer)?;
    let signature = Runtime::new()?
        .block_on(delegation::revoke(
            &Rpc::new(&args.cluster.url),
            &payer,
            &args.model,
            args.key,
        ))
        .or_user_error_with(|error| format!("{error:#}"))?;
    println!("{} may spend no more once the notice is over: {signature}", args.key);
    Ok(ExitCode::SUCCESS)
}

/// What is there before anything is paid.
pub(super) struct Purchase {
    pub(super) runtime: Runtime,
    pub(super) buyer: Buyer,
    pub(super) offer: Offer,
    /// To recompute answers with.
    pub(super) model: Option<Model>,
}

impl Purchase {
    pub(super) fn prepare(args: &PurchaseArgs) -> anyhow::Result<Self> {
        // Says what is wrong with the address before anything else.
        rpc::connect(&args.cluster.url)?;
        let session = read_key(&args.session)?;
        let model = args.verify.as_deref().map(|file| open(file, &())).transpose()?;
        let buyer = Buyer {
            session,
            payer: args.payer,
            model: args.model,
            operator: args.operator,
            endpoint: args.endpoint.clone(),
            purse: args.purse.clone(),
        };
        let runtime = Runtime::new()?;
        let offer = runtime
            .block_on(buyer.look_up(&Rpc::new(&args.cluster.url)))
            .or_user_error_with(|error| format!("{error:#}"))?;
        if let Some(model) = model.as_ref().filter(|model| model.model_root() != offer.model_root) {
            return Err(UserError::new(format!(
                "The file has the root {}, but the live version of the model has {}.",
                format::hex(&model.model_root()),
                format::hex(&offer.model_root)
            ))
            .into());
        }
        Ok(Self {
            runtime,
            buyer,
            offer,
            model,
        })
    }

    /// Hands what was signed to a watcher, if there is one. What was bought is bought, whatever the watcher says. Returns how many answers it has taken.
    pub(super) fn tell(&self, watcher: Option<&str>, answers: &[SignedAnswer]) -> Option<usize> {
        let told = self.runtime.block_on(tell(watcher?, answers));
        let (taken, refused) = told.unwrap_or_else(|error| (0, Some(format!("{error:#}"))));
        if let Some(why) = refused {
            eprintln!("The watcher has taken {taken} of {} answers: {why}", answers.len());
        }
        Some(taken)
    }
}

pub fn infer(args: &PayInferArgs) -> anyhow::Result<ExitCode> {
    let purchase = Purchase::prepare(&args.purchase)?;
    let Purchase {
        runtime, buyer, offer, ..
    } = &purchase;
    let input = read_input(&offer.input, &args.input)?;
    let Bought { output, evidence } = runtime.block_on(buyer.buy(offer, &input))?;

    let mut out = io::stdout().lock();
    let values: Vec<_> = output.values().iter().map(i32::to_string).collect();
    let receipt = evidence.receipt;
    writeln!(out, "output            {}", values.join(","))?;
    writeln!(out, "price             {} units", format::thousands(offer.price_units))?;
    writeln!(out, "lane              {}", receipt.lane)?;
    writeln!(out, "sequence          {}", receipt.sequence)?;
    writeln!(out, "input root        {}", format::hex(&receipt.claim.input_root))?;
    writeln!(out, "output root       {}", format::hex(&receipt.claim.output_root))?;
    writeln!(out, "answer key        {}", evidence.answer.key)?;
    writeln!(out, "answer signature  {}", format::hex(&evidence.answer.signature))?;
    purchase.tell(args.purchase.tell.as_deref(), &[evidence.answer]);
    let Some(model) = &purchase.model else {
        return Ok(ExitCode::SUCCESS);
    };
    let truth = Plan::new(model).run(&input)?;
    if truth == output {
        writeln!(out, "correct: the model gives this output")?;
        Ok(ExitCode::SUCCESS)
    } else {
        writeln!(
            out,
            "wrong: the model gives an output with root {}; once it is reported, a dispute proves it",
            format::hex(&truth.root())
        )?;
        Ok(ExitCode::FAILURE)
    }
}
