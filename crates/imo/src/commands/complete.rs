//! `imo pay complete`: what a decoder makes of a prompt, token by token as it comes.

use std::{
    io::{self, Write},
    path::Path,
    process::ExitCode,
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use imo_client::answer::SignedAnswer;
use imo_node::{
    decoder::Layout,
    payer::{Completion, Step, Stop, Wish},
};
use serde_json::{Value, json};

use super::pay::Purchase;
use crate::{
    cli::PayCompleteArgs,
    error::{OrUserError, UserError},
    format,
};

/// When the money that was to be spent did not suffice.
const TOO_DEAR: u8 = 3;

pub fn run(args: &PayCompleteArgs) -> anyhow::Result<ExitCode> {
    let prompt = read_tokens(&args.prompt)?;
    let layout = args.layout.as_deref().map(read_layout).transpose()?;
    let mut purchase = Purchase::prepare(&args.purchase)?;
    let verifier = purchase.model.take();
    let verified = verifier.is_some();
    let Purchase {
        runtime, buyer, offer, ..
    } = &purchase;
    let layout = match layout {
        Some(layout) => layout,
        None => runtime
            .block_on(buyer.layout(offer))
            .or_user_error_with(|error| format!("{error:#}"))?,
    };
    let wish = Wish {
        prompt,
        max_tokens: args.max_tokens as usize,
        budget_units: args.budget,
        layout,
        verifier,
        patience: Duration::from_secs(args.patience),
    };
    wish.check(offer).or_user_error()?;
    let mut completion = runtime.block_on(buyer.complete(offer, wish))?;
    let mut printer = Printer {
        out: io::stdout().lock(),
        json: args.json,
        steps: 0,
        answers: Vec::new(),
    };
    let mut print_all = || -> anyhow::Result<()> {
        while let Some(step) = runtime.block_on(completion.next())? {
            printer.step(&step)?;
        }
        Ok(())
    };
    let came = print_all();
    let told = purchase.tell(args.purchase.tell.as_deref(), &printer.answers);
    printer.end(&completion, verified, told)?;
    came?;
    Ok(match completion.stopped() {
        Some(Stop::Wrong(_)) => ExitCode::FAILURE,
        Some(Stop::Budget | Stop::Money) => ExitCode::from(TOO_DEAR),
        _ => ExitCode::SUCCESS,
    })
}

struct Printer<W> {
    out: W,
    json: bool,
    /// Steps that this run has paid for.
    steps: u64,
    /// What the operator signed.
    answers: Vec<SignedAnswer>,
}

impl<W: Write> Printer<W> {
    fn step(&mut self, step: &Step) -> io::Result<()> {
        self.steps += u64::from(!step.from_record);
        self.answers.push(step.evidence.answer);
        if self.json {
            writeln!(self.out, "{}", step_object(step))?;
        } else if let Some(token) = step.token {
            write!(self.out, "{token} ")?;
        }
        self.out.flush()
    }

    fn end(&mut self, completion: &Completion, verified: bool, told: Option<usize>) -> io::Result<()> {
        let (tokens, units) = (completion.tokens(), completion.spent_units());
        let record = completion.record().display().to_string();
        if self.json {
            let stopped = completion.stopped();
            let computed_root = match stopped {
                Some(Stop::Wrong(root)) => Some(format::hex(&root)),
                _ => None,
            };
            let end = json!({
                "stopped": stopped.map(name),
                "tokens": tokens,
                "answers": self.answers.len(),
                "answers_paid": self.steps,
                "cost_units": units,
                "verified": verified,
                "computed_root": computed_root,
                "record": record,
                "told": told,
            });
            return writeln!(self.out, "{end}");
        }
        let out = &mut self.out;
        if !tokens.is_empty() {
            writeln!(out)?;
        }
        let before = self.answers.len() as u64 - self.steps;
        let (units, steps) = (format::thousands(units), format::thousands(self.steps));
        writeln!(out, "tokens            {}", tokens.len())?;
        write!(out, "cost              {units} units for {steps} answers")?;
        if before > 0 {
            write!(out, ", {} were paid for before", format::thousands(before))?;
        }
        writeln!(out)?;
        writeln!(out, "receipts          {record}")?;
        if let Some(told) = told {
            writeln!(out, "told              {told} answers")?;
        }
        match completion.stopped() {
            Some(Stop::Wrong(root)) => writeln!(
                out,
                "wrong: the model gives an output with root {} in the last step; once it is reported, a dispute proves it",
                format::hex(&root)
            ),
            Some(stop) => {
                writeln!(out, "ended             {}", sentence(stop))?;
                match verified && !self.answers.is_empty() {
                    true => writeln!(out, "correct: the model gives all of these outputs"),
                    false => Ok(()),
                }
            }
            None => Ok(()),
        }
    }
}

fn step_object(step: &Step) -> Value {
    let evidence = &step.evidence;
    json!({
        "sequence": evidence.receipt.sequence,
        "token": step.token,
        "price_units": step.price_units,
        "paid_before": step.from_record,
        "receipt": STANDARD.encode(evidence.receipt.bytes()),
        "answer_key": evidence.answer.key.to_string(),
        "answer_signature": STANDARD.encode(evidence.answer.signature),
    })
}

fn name(stop: Stop) -> &'static str {
    match stop {
        Stop::EndToken => "end_token",
        Stop::MaxTokens => "max_tokens",
        Stop::CacheFull => "cache_full",
        Stop::Budget => "budget",
        Stop::Money => "money",
        Stop::Wrong(_) => "wrong",
    }
}

fn sentence(stop: Stop) -> &'static str {
    match stop {
        Stop::EndToken => "the last token ends answers",
        Stop::MaxTokens => "as many tokens as were wanted",
        Stop::CacheFull => "the model takes no more tokens",
        Stop::Budget => "the next step costs more than is left of the budget",
        Stop::Money => "the next step costs more than the lane's money and the session's limit leave",
        Stop::Wrong(_) => "the model gives another output",
    }
}

/// The prompt, or the file that it is in.
fn read_tokens(prompt: &str) -> anyhow::Result<Vec<u32>> {
    let tokens = |text: &str| -> Option<Vec<u32>> {
        let numbers = text.trim().trim_end_matches(',').split(',');
        numbers.map(|number| number.trim().parse().ok()).collect()
    };
    let read = match std::fs::read_to_string(prompt) {
        Ok(text) => tokens(&text),
        Err(_) => tokens(prompt),
    };
    Ok(read.ok_or_else(|| UserError::new("A prompt is numbers of tokens, separated by commas, or a file with them."))?)
}

fn read_layout(file: &Path) -> anyhow::Result<Layout> {
    let text = std::fs::read_to_string(file)
        .or_user_error_with(|error| format!("The layout {} cannot be read: {error}.", file.display()))?;
    let layout = toml::from_str(&text);
    layout.map_err(|error: toml::de::Error| {
        let why = error.message().lines().next().unwrap_or_default().to_owned();
        UserError::new(format!("{} is not a decoder's layout: {why}.", file.display())).into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_a_prompt_when_read_then_its_numbers_or_a_sentence() {
        assert_eq!(read_tokens("3, 4,5\n").unwrap(), [3, 4, 5]);
        assert_eq!(read_tokens("7,").unwrap(), [7]);
        for prompt in ["", "3,,4", "-1", "three", "4294967296", "none.txt"] {
            let error = read_tokens(prompt).unwrap_err();
            assert!(error.is::<UserError>(), "{prompt}: {error}");
        }
    }
}
