//! `imo simulate`: what cheating gains and what honesty costs.

use std::{
    fs,
    io::{self, Write},
    path::Path,
    process::ExitCode,
};

use imo_economics::{
    Market,
    attack::{best_lie, cost_of_delay, gain_of_self_rejection, least_check_probability},
    defaults,
    honesty::{self, ChallengerCosts, OperatorCosts},
    monte_carlo::{Outcome, Size, Strategy, play},
    plots,
    safety::{Measure, Requirement, Smallest, requirements, smallest},
    terms::{hours, in_hours},
};
use model_token::state::DisputeTerms;
use serde::Serialize;

use crate::{
    cli::SimulateArgs,
    error::{OrUserError, UserError},
};

/// Work that a few seconds do; more is a mistake rather than a wish.
const MOST_REPORTS: u64 = 100_000_000;

/// Everything that the command finds out. Amounts in units of the revenue mint, ratios and shares as parts.
#[derive(Serialize)]
struct Findings {
    market: Market,
    best_lie: BestLie,
    self_rejection_gain_units: f64,
    delay_cost_units: f64,
    least_check_probability: Option<f64>,
    smallest: Smallest,
    operator: OperatorCosts,
    challenger: ChallengerCosts,
    requirements: Vec<Requirement>,
    size: Size,
    outcomes: Vec<Outcome>,
}

#[derive(Serialize)]
struct BestLie {
    lies: u32,
    gain_units: f64,
}

/// Exit code 1 when the terms are not safe for the market.
pub fn run(args: &SimulateArgs) -> anyhow::Result<ExitCode> {
    let market = market(args)?;
    let terms = terms(args)?;
    let size = Size {
        runs: args.runs,
        reports: args.reports,
        seed: args.seed,
    };
    if u64::from(size.runs) * u64::from(size.reports) > MOST_REPORTS || size.runs == 0 || size.reports == 0 {
        return Err(UserError::new(format!("Runs times reports must be 1 to {MOST_REPORTS}.")).into());
    }
    let findings = find(&terms, &market, size);
    if let Some(folder) = &args.plots {
        write_plots(folder, &terms, &findings)?;
    }
    let out = &mut io::stdout().lock();
    if args.json {
        serde_json::to_writer_pretty(&mut *out, &findings)?;
        writeln!(out)?;
    } else {
        print(out, &terms, &findings)?;
    }
    let is_safe = findings.requirements.iter().all(Requirement::holds);
    Ok(if is_safe { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn find(terms: &DisputeTerms, market: &Market, size: Size) -> Findings {
    let (lies, gain_units) = best_lie(terms, market);
    Findings {
        market: *market,
        best_lie: BestLie { lies, gain_units },
        self_rejection_gain_units: gain_of_self_rejection(terms, market),
        delay_cost_units: cost_of_delay(terms),
        least_check_probability: least_check_probability(terms, market),
        smallest: smallest(terms, market),
        operator: honesty::operator(terms, market),
        challenger: honesty::challenger(terms, market),
        requirements: requirements(terms, market),
        size,
        outcomes: Strategy::ALL
            .map(|strategy| play(strategy, terms, market, size))
            .to_vec(),
    }
}

fn market(args: &SimulateArgs) -> anyhow::Result<Market> {
    let defaults = defaults::market();
    let units = |tokens: Option<f64>, default: f64| tokens.map_or(default, |tokens| tokens * defaults::ONE as f64);
    let market = Market {
        report_units: units(args.report, defaults.report_units),
        requests: args.requests.unwrap_or(defaults.requests),
        inference_cost_units: units(args.inference_cost, defaults.inference_cost_units),
        check_cost_units: units(args.check_cost, defaults.check_cost_units),
        landing_cost_units: units(args.landing_cost, defaults.landing_cost_units),
        operator_share: args
            .operator_bps
            .map_or(defaults.operator_share, |bps| f64::from(bps) / 10_000.0),
        check_probability: args.check_probability.unwrap_or(defaults.check_probability),
        prize_units: units(args.prize, defaults.prize_units),
        interest: args.interest.unwrap_or(defaults.interest),
        stake_units: units(args.stake, defaults.stake_units),
    };
    market.validate().or_user_error()?;
    Ok(market)
}

fn terms(args: &SimulateArgs) -> anyhow::Result<DisputeTerms> {
    let defaults = defaults::terms();
    let units = |tokens: Option<f64>, default: u64| match tokens {
        None => Ok(default),
        Some(tokens) if tokens.is_finite() && (0.0..=1e12).contains(&tokens) => {
            Ok((tokens * defaults::ONE as f64).round() as u64)
        }
        Some(tokens) => Err(UserError::new(format!("A bond is 0 to 10^12 tokens, not {tokens}."))),
    };
    let slots = |given: Option<u64>, default: u64| match given {
        None => Ok(default),
        Some(given) if given <= 24 * 365 => Ok(hours(given)),
        Some(given) => Err(UserError::new(format!("A time is at most a year, not {given} hours."))),
    };
    let terms = DisputeTerms {
        bond_ratio_bps: args.bond_ratio_bps.unwrap_or(defaults.bond_ratio_bps),
        min_bond_units: units(args.min_bond, defaults.min_bond_units)?,
        challenger_bond_units: units(args.challenger_bond, defaults.challenger_bond_units)?,
        prover_share_bps: args.prover_share_bps.unwrap_or(defaults.prover_share_bps),
        window_slots: slots(args.window_hours, defaults.window_slots)?,
        clock_slots: slots(args.clock_hours, defaults.clock_slots)?,
        ..defaults
    };
    let finality_slots = terms.finality_slots();
    let terms = DisputeTerms {
        // Whatever is longer than the defaults allow takes the waits with it.
        unbonding_slots: defaults.unbonding_slots.max(finality_slots),
        epoch_slots: defaults.epoch_slots.max(finality_slots),
        ..terms
    };
    terms
        .validate()
        .or_user_error_with(|error| format!("The program would refuse these terms: {error}."))?;
    Ok(terms)
}

fn write_plots(folder: &Path, terms: &DisputeTerms, findings: &Findings) -> anyhow::Result<()> {
    fs::create_dir_all(folder)
        .or_user_error_with(|error| format!("The folder {} cannot be made: {error}.", folder.display()))?;
    let market = &findings.market;
    for (name, plot) in [
        ("gain-by-checks.svg", plots::gain_by_checks(terms, market)?),
        ("bond-by-prize.svg", plots::bond_by_prize(terms, market)?),
        ("bond-by-report.svg", plots::bond_by_report(terms, market)?),
        (
            "strategies.svg",
            plots::outcomes(market, findings.size.reports, &findings.outcomes)?,
        ),
    ] {
        let path = folder.join(name);
        fs::write(&path, plot)
            .or_user_error_with(|error| format!("The plot {} cannot be written: {error}.", path.display()))?;
    }
    Ok(())
}

/// An amount in tokens, with as many digits as matter.
fn tokens(units: f64) -> String {
    let tokens = units / defaults::ONE as f64;
    match tokens.abs() {
        size if size >= 100.0 => format!("{tokens:.0}"),
        size if size >= 1.0 => format!("{tokens:.2}"),
        _ => format!("{tokens:.4}"),
    }
}

fn print(out: &mut impl Write, terms: &DisputeTerms, findings: &Findings) -> io::Result<()> {
    let Findings {
        market,
        best_lie: BestLie { lies, gain_units },
        self_rejection_gain_units,
        delay_cost_units,
        least_check_probability,
        smallest: _,
        operator,
        challenger,
        requirements,
        size,
        outcomes,
    } = findings;
    let mut row = |name: &str, value: String| writeln!(out, "  {name:<58} {value:>14}");
    row("a report: revenue", tokens(market.report_units))?;
    row("a report: requests", market.requests.to_string())?;
    row(
        "an honest report earns its operator",
        tokens(market.honest_profit_units()),
    )?;
    writeln!(out, "\nAttacks, each against honest work with one report")?;
    let mut row = |name: &str, value: String| writeln!(out, "  {name:<58} {value:>14}");
    row(&format!("best lie ({lies} of its answers): gain"), tokens(*gain_units))?;
    row(
        "rejecting one's own report with friends who pay: gain",
        tokens(*self_rejection_gain_units),
    )?;
    row("holding up a report by a dispute: cost", tokens(*delay_cost_units))?;
    row(
        "answers that must be checked so that no lie pays",
        least_check_probability.map_or("none enough".to_owned(), |least| format!("{:.3} %", least * 100.0)),
    )?;
    writeln!(out, "\nThe honest side")?;
    let mut row = |name: &str, value: String| writeln!(out, "  {name:<58} {value:>14}");
    row("operator: bond of the report", tokens(operator.bond_units))?;
    row(
        "operator: longest that it is locked",
        format!("{:.0} h", in_hours(operator.locked_slots)),
    )?;
    row("operator: interest on it", tokens(operator.capital_cost_units))?;
    row("operator: answering a dispute costs", tokens(operator.answering_units))?;
    row("operator: and is paid", tokens(operator.answering_paid_units))?;
    row(
        "operator: revenue that its stake carries a day",
        tokens(operator.capacity_units_per_day),
    )?;
    row("challenger: money at hand", tokens(challenger.capital_units))?;
    row(
        "challenger: longest that it is away",
        format!("{:.0} h", in_hours(challenger.locked_slots)),
    )?;
    row("challenger: spent when it wins", tokens(challenger.spent_units))?;
    row("challenger: gets, opened first", tokens(challenger.first_reward_units))?;
    row("challenger: gets, opened later", tokens(challenger.later_reward_units))?;
    row(
        "false reports from which on checking pays for itself",
        challenger
            .break_even_fraud
            .map_or("never".to_owned(), |part| format!("{:.2} %", part * 100.0)),
    )?;
    row(
        "longest from seal to the end of a report",
        format!("{:.0} h", in_hours(terms.finality_slots())),
    )?;
    writeln!(
        out,
        "\n{:<60} {:>14} {:>14}",
        "What the terms must hold", "have", "need"
    )?;
    for requirement in requirements {
        let Requirement {
            name,
            measure,
            has,
            needs,
        } = *requirement;
        let show = |value: f64| match measure {
            Measure::Ratio => format!("{value:.3}"),
            Measure::Units => tokens(value),
        };
        let mark = if requirement.holds() { "  " } else { "! " };
        writeln!(out, "{mark}{name:<58} {:>14} {:>14}", show(has), show(needs))?;
    }
    writeln!(
        out,
        "\n{:<42} {:>10} {:>10} {:>10} {:>10} {:>9} {:>7}",
        format!("{} lives of {} reports", size.runs, size.reports),
        "mean",
        "5 %",
        "median",
        "95 %",
        "rejected",
        "ruined"
    )?;
    for outcome in outcomes {
        let [low, middle, high] = outcome.percentiles_units.map(tokens);
        writeln!(
            out,
            "  {:<40} {:>10} {low:>10} {middle:>10} {high:>10} {:>8.1}% {:>6.1}%",
            outcome.strategy.title(),
            tokens(outcome.mean_units),
            outcome.rejected * 100.0,
            outcome.ruined * 100.0
        )?;
    }
    Ok(())
}
