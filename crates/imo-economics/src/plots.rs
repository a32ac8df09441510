//! The plots of `docs/economics.md`, and that of a model's revenue, as SVG.

use model_token::state::DisputeTerms;
use plotters::prelude::*;

use crate::{Market, attack::best_lie, monte_carlo::Outcome, safety, terms::bond_units};

const SIZE: (u32, u32) = (760, 420);
const FONT: &str = "sans-serif";
/// Distinct for people who do not see colours as most do.
const COLOURS: [RGBColor; 5] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 86, 86),
];

/// Why a plot could not be drawn.
#[derive(Debug, thiserror::Error)]
#[error("The plot cannot be drawn: {0}.")]
pub struct PlotError(String);

impl<E: std::error::Error + Send + Sync> From<DrawingAreaErrorKind<E>> for PlotError {
    fn from(error: DrawingAreaErrorKind<E>) -> Self {
        Self(error.to_string())
    }
}

/// A named curve.
struct Curve {
    name: String,
    points: Vec<(f64, f64)>,
}

/// What the best lie gains, in parts of the report's revenue, by how many answers are checked, for several bonds.
pub fn gain_by_checks(terms: &DisputeTerms, market: &Market) -> Result<String, PlotError> {
    let curves = [0.5, 1.0, 2.0, 4.0].map(|ratio| {
        let terms = DisputeTerms {
            bond_ratio_bps: (ratio * 10_000.0) as u32,
            min_bond_units: 1,
            ..*terms
        };
        let gain = |check_probability| {
            let market = Market {
                check_probability,
                ..*market
            };
            best_lie(&terms, &market).1 / market.report_units * 100.0
        };
        Curve {
            name: format!("bond {ratio} x revenue"),
            points: (0..=200)
                .map(|i| f64::from(i) / 400.0)
                .map(|percent| (percent, gain(percent / 100.0)))
                .collect(),
        }
    });
    lines(
        "What the best lie gains",
        "answers that somebody recomputes, %",
        "gain, % of the report's revenue",
        (0.0, 0.5),
        (-2.0, 1.0),
        SeriesLabelPosition::UpperRight,
        &curves,
    )
}

/// The smallest safe bond, in multiples of the report's revenue, by the prize of a lie, for several probabilities of a check.
pub fn bond_by_prize(terms: &DisputeTerms, market: &Market) -> Result<String, PlotError> {
    let price = market.report_units / f64::from(market.requests);
    let curves = [0.002, 0.01, 0.05].map(|check_probability| Curve {
        name: format!("{} % of answers checked", check_probability * 100.0),
        points: (0..=100)
            .map(|step| {
                let prize = 10 * step;
                let market = Market {
                    check_probability,
                    prize_units: f64::from(prize) * price,
                    ..*market
                };
                let smallest = safety::smallest(terms, &market);
                (
                    f64::from(prize),
                    smallest.ratio_against_lies.max(smallest.ratio_against_self_rejection),
                )
            })
            .collect(),
    });
    lines(
        "The smallest safe bond",
        "worth of one lie, in prices of an answer",
        "bond over revenue",
        (0.0, 1_000.0),
        (0.0, 16.0),
        SeriesLabelPosition::LowerRight,
        &curves,
    )
}

/// What each strategy came to: the middle nine tenths of all lives as a bar, the median as a line, in parts of the revenue that passed an honest operator.
pub fn outcomes(market: &Market, reports: u32, outcomes: &[Outcome]) -> Result<String, PlotError> {
    let whole = market.report_units * f64::from(reports);
    let percent = |units: f64| units / whole * 100.0;
    let lowest = outcomes
        .iter()
        .map(|outcome| percent(outcome.percentiles_units[0]))
        .fold(0.0, f64::min);
    let highest = outcomes
        .iter()
        .map(|outcome| percent(outcome.percentiles_units[2]))
        .fold(1.0, f64::max);
    draw(|area| {
        let rows = outcomes.len() as f64;
        let mut chart = ChartBuilder::on(area)
            .caption("Earned in a life, by strategy", (FONT, 18))
            .margin(12)
            .x_label_area_size(40)
            .build_cartesian_2d(lowest * 1.1 - 30.0..highest * 1.2, 0.0..rows)?;
        chart
            .configure_mesh()
            .disable_y_mesh()
            .max_light_lines(0)
            .disable_y_axis()
            .x_desc("% of the revenue of an honest life")
            .draw()?;
        for (row, (outcome, colour)) in outcomes.iter().zip(COLOURS.iter().cycle()).enumerate() {
            let [low, middle, high] = outcome.percentiles_units.map(percent);
            let bottom = rows - row as f64 - 0.7;
            let top = bottom + 0.35;
            // A bar without width would not be seen.
            let high = high.max(low + 0.2);
            chart.draw_series([Rectangle::new([(low, bottom), (high, top)], colour.mix(0.5).filled())])?;
            chart.draw_series([PathElement::new(
                vec![(middle, bottom - 0.05), (middle, top + 0.05)],
                colour.stroke_width(3),
            )])?;
            chart.draw_series([Text::new(
                outcome.strategy.title(),
                (lowest * 1.1 - 29.0, top + 0.28),
                (FONT, 14).into_font().color(colour),
            )])?;
        }
        Ok(())
    })
}

/// The bond of a report by its revenue, against what it has to be.
pub fn bond_by_report(terms: &DisputeTerms, market: &Market) -> Result<String, PlotError> {
    let price = market.report_units / f64::from(market.requests);
    let sizes = (1..=200).map(|step| f64::from(step) * market.report_units / 100.0);
    let of = |report_units: f64| Market {
        report_units,
        requests: (report_units / price).max(1.0) as u32,
        ..*market
    };
    let one = 1e6;
    let curves = [
        Curve {
            name: "bond under these terms".to_owned(),
            points: sizes
                .clone()
                .map(|units| (units / one, bond_units(terms, units) / one))
                .collect(),
        },
        Curve {
            name: "smallest safe bond".to_owned(),
            points: sizes
                .map(|units| {
                    let smallest = safety::smallest(terms, &of(units));
                    let ratio = smallest.ratio_against_lies.max(smallest.ratio_against_self_rejection);
                    (units / one, (ratio * units).max(smallest.bond_for_provers) / one)
                })
                .collect(),
        },
    ];
    let widest = 2.0 * market.report_units / one;
    let highest = bond_units(terms, 2.0 * market.report_units) / one;
    lines(
        "Bond by the size of a report",
        "revenue of the report",
        "bond",
        (0.0, widest),
        (0.0, highest * 1.05),
        SeriesLabelPosition::LowerRight,
        &curves,
    )
}

/// What one report brought, in whole tokens of the revenue mint.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Revenue {
    pub whole: f64,
    /// Of it, the part of holders and redeem pool.
    pub holders: f64,
}

/// The revenue of each report as a bar, in the order given, with the part of the token's holders in it.
pub fn revenue(reports: &[Revenue]) -> Result<String, PlotError> {
    let highest = reports.iter().map(|report| report.whole).fold(0.0, f64::max);
    // A model that has earned nothing has an axis all the same.
    let highest = if highest > 0.0 { highest * 1.15 } else { 1.0 };
    draw(|area| {
        let count = reports.len() as f64;
        let mut chart = ChartBuilder::on(area)
            .caption("Revenue of each report", (FONT, 18))
            .margin(12)
            .x_label_area_size(40)
            .y_label_area_size(72)
            .build_cartesian_2d(0.5..count + 0.5, 0.0..highest)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .max_light_lines(0)
            .x_labels(reports.len().min(12))
            .x_label_formatter(&|number| format!("{number:.0}"))
            .x_desc("report, the oldest first")
            .y_desc("revenue, in tokens of the mint")
            .draw()?;
        for (name, colour, height) in [
            (
                "all",
                COLOURS[0],
                (|report: &Revenue| report.whole) as fn(&Revenue) -> f64,
            ),
            ("holders and redeem pool", COLOURS[1], |report| report.holders),
        ] {
            let bars = reports.iter().enumerate().map(|(index, report)| {
                let middle = index as f64 + 1.0;
                Rectangle::new([(middle - 0.4, 0.0), (middle + 0.4, height(report))], colour.filled())
            });
            chart
                .draw_series(bars)?
                .label(name)
                .legend(move |(x, y)| Rectangle::new([(x, y - 5), (x + 18, y + 5)], colour.filled()));
        }
        chart
            .configure_series_labels()
            .background_style(WHITE.mix(0.8))
            .border_style(BLACK.mix(0.2))
            .position(SeriesLabelPosition::UpperLeft)
            .draw()?;
        Ok(())
    })
}

fn lines(
    title: &str,
    x_name: &str,
    y_name: &str,
    x: (f64, f64),
    y: (f64, f64),
    legend: SeriesLabelPosition,
    curves: &[Curve],
) -> Result<String, PlotError> {
    draw(|area| {
        let mut chart = ChartBuilder::on(area)
            .caption(title, (FONT, 18))
            .margin(12)
            .x_label_area_size(40)
            .y_label_area_size(56)
            .build_cartesian_2d(x.0..x.1, y.0..y.1)?;
        chart
            .configure_mesh()
            .max_light_lines(0)
            .x_desc(x_name)
            .y_desc(y_name)
            .draw()?;
        for (curve, colour) in curves.iter().zip(COLOURS.iter().cycle()) {
            let inside = curve
                .points
                .iter()
                .copied()
                .filter(|(_, value)| (y.0..=y.1).contains(value));
            chart
                .draw_series(LineSeries::new(inside, colour.stroke_width(2)))?
                .label(&curve.name)
                .legend(move |(x, y)| PathElement::new(vec![(x, y), (x + 18, y)], colour.stroke_width(2)));
        }
        if y.0 < 0.0 {
            chart.draw_series([PathElement::new(vec![(x.0, 0.0), (x.1, 0.0)], BLACK)])?;
        }
        chart
            .configure_series_labels()
            .background_style(WHITE.mix(0.8))
            .border_style(BLACK.mix(0.2))
            .position(legend)
            .draw()?;
        Ok(())
    })
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

fn draw(paint: impl FnOnce(&Area<'_>) -> Result<(), PlotError>) -> Result<String, PlotError> {
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
        area.fill(&WHITE)?;
        paint(&area)?;
        area.present()?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        defaults,
        monte_carlo::{Size, Strategy, play},
    };

    #[test]
    fn given_reports_when_their_revenue_is_drawn_then_a_bar_for_each_and_one_for_the_holders_in_it() {
        let report = |whole| Revenue {
            whole,
            holders: whole / 2.0,
        };
        for reports in [vec![report(10.0), report(0.0), report(25.5)], vec![report(0.0)], vec![]] {
            let plot = revenue(&reports).unwrap();
            assert!(plot.starts_with("<svg") && plot.trim_end().ends_with("</svg>"));
            // Besides the bars: the background, the legend's frame and ground, and its two samples.
            let rectangles = plot.matches("<rect").count();
            assert_eq!(rectangles, 2 * reports.len() + 5, "{plot}");
        }
    }

    #[test]
    fn given_the_defaults_when_drawn_then_every_plot_is_svg_with_its_curves() {
        let (terms, market) = (defaults::terms(), defaults::market());
        let size = Size {
            runs: 50,
            reports: 20,
            seed: 1,
        };
        let played: Vec<_> = Strategy::ALL
            .map(|strategy| play(strategy, &terms, &market, size))
            .to_vec();
        for (plot, curves) in [
            (gain_by_checks(&terms, &market), 4),
            (bond_by_prize(&terms, &market), 3),
            (bond_by_report(&terms, &market), 2),
            (outcomes(&market, size.reports, &played), played.len()),
        ] {
            let plot = plot.unwrap();
            assert!(plot.starts_with("<svg") && plot.trim_end().ends_with("</svg>"));
            assert!(plot.matches("<polyline").count() >= curves);
        }
    }
}
