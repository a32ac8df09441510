//! Reports: what an operator says it answered, and what became of it.

use axum::{
    Json,
    extract::{Path, Query, State},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::{Answer, Asked, EventView, Finality, Index, Named, Page, Paging, Problem, address, split, units};
use crate::index::query::{Bind, Event, Reader, Stamp};

/// In the order in which a report goes through them; final and rejected are both the end.
const STATES: [&str; 4] = ["open", "sealed", "final", "rejected"];

#[derive(Debug, Serialize, ToSchema)]
pub struct Report {
    pub report: String,
    pub operator: String,
    pub model: String,
    pub version: i64,
    /// The operator's reports are numbered from 0.
    pub sequence: String,
    /// `open`, `sealed`, `final` or `rejected`.
    pub state: &'static str,
    /// Whether its account is gone.
    pub closed: bool,
    pub bond_units: String,
    pub period_start_unix: i64,
    pub period_end_unix: i64,
    pub collections: i64,
    pub answers: i64,
    pub collected_units: String,
    pub refunded_units: String,
    /// Who got what of its revenue, once it is split.
    #[schema(value_type = Object)]
    pub split: Option<Value>,
    pub slashed_units: String,
    pub disputes: i64,
    pub posted: Stamp,
    pub sealed: Option<Stamp>,
    /// Unix seconds until which a sealed report can be disputed.
    pub window_ends_unix: Option<i64>,
    /// When it became final or was rejected.
    pub ended: Option<Stamp>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Detail {
    #[serde(flatten)]
    pub report: Report,
    /// Everything that happened to it, in order; the first 1,000.
    pub events: Vec<EventView>,
}

#[derive(Clone, Debug, Deserialize, IntoParams)]
pub struct Filter {
    /// Only of this model
    model: Option<String>,
    /// Only of this operator
    operator: Option<String>,
    /// Only those that are `open`, `sealed`, `final` or `rejected`
    state: Option<String>,
    /// How many, 1 to 100; 25 if it is not said
    limit: Option<i64>,
    /// `next` of the page before
    before: Option<i64>,
    /// Count and show only what is final on the chain
    #[serde(default)]
    finalised: bool,
}

/// All reports, of a model, of an operator, or in a state
#[utoipa::path(get, path = "/v1/reports", params(Filter), responses((status = 200, body = Page<Report>)))]
pub async fn list(State(database): Index, filter: Asked<Filter>) -> Answer<Page<Report>> {
    let Query(filter) = filter?;
    let paging = Paging {
        limit: filter.limit,
        before: filter.before,
        finalised: filter.finalised,
    };
    let (reader, limit) = (paging.reader(&database), paging.limit()?);
    let mut binds: Vec<Bind> = vec![paging.before().into(), (limit + 1).into()];
    let mut rest = String::from("e.name = 'ReportPosted' AND e.place < $1");
    for (field, wanted) in [("model", &filter.model), ("operator", &filter.operator)] {
        if let Some(wanted) = wanted {
            binds.push(address(wanted)?.as_str().into());
            rest.push_str(&format!(
                " AND EXISTS (SELECT 1 FROM mentions w WHERE w.place = e.place AND w.field = '{field}' AND w.address = ${})",
                binds.len()
            ));
        }
    }
    if let Some(state) = &filter.state {
        let happened = |name: &str| reader.has("report", "r.address", &[name]);
        let (sealed, last, bad) = (
            happened("ReportSealed"),
            happened("ReportFinalised"),
            happened("ReportRejected"),
        );
        rest.push_str(&match state.as_str() {
            "open" => format!(" AND NOT {sealed} AND NOT {last} AND NOT {bad}"),
            "sealed" => format!(" AND {sealed} AND NOT {last} AND NOT {bad}"),
            "final" => format!(" AND {last}"),
            "rejected" => format!(" AND {bad}"),
            _ => return Err(Problem::Bad(format!("A report is one of {}.", STATES.join(", ")))),
        });
    }
    rest.push_str(" ORDER BY e.place DESC LIMIT $2");
    let from = "events e JOIN mentions r ON r.place = e.place AND r.field = 'report'";
    let (found, next) = split(reader.events(from, &rest, &binds).await?, limit);
    let mut items = Vec::with_capacity(found.len());
    for posted in &found {
        items.push(view(&reader, posted).await?);
    }
    Ok(Json(Page { items, next }))
}

/// One report with everything that happened to it
#[utoipa::path(
    get, path = "/v1/reports/{report}", params(("report" = String, Path, description = "Address of the report"), Finality),
    responses((status = 200, body = Detail), (status = 404, description = "Not known"))
)]
pub async fn one(State(database): Index, Path(report): Named, finality: Asked<Finality>) -> Answer<Detail> {
    let Query(finality) = finality?;
    let reader = finality.reader(&database);
    let report = address(&report)?;
    let posted = reader.newest("report", &report, &["ReportPosted"]).await?;
    let posted = posted.ok_or(Problem::NotFound("report"))?;
    let events = reader
        .events(
            "mentions m JOIN events e ON e.place = m.place",
            "m.address = $1 AND m.field = 'report' ORDER BY e.place LIMIT 1000",
            &[report.as_str().into()],
        )
        .await?;
    Ok(Json(Detail {
        report: view(&reader, &posted).await?,
        events: events.into_iter().map(Into::into).collect(),
    }))
}

async fn view(reader: &Reader<'_>, posted: &Event) -> Result<Report, Problem> {
    let report = posted.text("report");
    let happened = reader
        .about(
            "report",
            &report,
            &[
                "ReportSealed",
                "ReportFinalised",
                "ReportRejected",
                "ReportClosed",
                "BucketSplit",
            ],
        )
        .await?;
    let find = |name: &str| happened.iter().find(|event| event.name == name);
    let (sealed, last, rejected) = (find("ReportSealed"), find("ReportFinalised"), find("ReportRejected"));
    let state = match (rejected, last, sealed) {
        (Some(_), ..) => "rejected",
        (None, Some(_), _) => "final",
        (None, None, Some(_)) => "sealed",
        (None, None, None) => "open",
    };
    let sum = async |name: &str, number: &str| reader.sum("report", &report, name, number).await;
    Ok(Report {
        operator: posted.text("operator"),
        model: posted.text("model"),
        version: posted.number("version_number"),
        sequence: posted.text("sequence"),
        state,
        closed: find("ReportClosed").is_some(),
        bond_units: posted.text("bond_units"),
        period_start_unix: posted.number("period_start_unix"),
        period_end_unix: posted.number("period_end_unix"),
        collections: reader.count("report", &report, "Collected").await?,
        answers: sum("Collected", "count").await?,
        collected_units: units(sum("Collected", "amount_units").await?),
        refunded_units: units(sum("Refunded", "amount_units").await?),
        split: find("BucketSplit").map(|event| event.body.clone()),
        slashed_units: rejected.map_or_else(|| units(0), |event| event.text("slashed_units")),
        disputes: reader.count("report", &report, "DisputeOpened").await?,
        posted: posted.stamp.clone(),
        sealed: sealed.map(|event| event.stamp.clone()),
        window_ends_unix: sealed.map(|event| event.number("due_unix")),
        ended: rejected.or(last).map(|event| event.stamp.clone()),
        report,
    })
}
