//! Disputes: from the claim over operator and tile to the verdict, each move with its transaction.

use axum::{
    Json,
    extract::{Path, Query, State},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::{Answer, Asked, Finality, Index, Named, Page, Paging, Problem, address, split, units};
use crate::index::{
    moves::{self, Path as Walk},
    query::{Bind, Event, Reader, Stamp},
};

#[derive(Debug, Serialize, ToSchema)]
pub struct Dispute {
    pub dispute: String,
    pub report: String,
    pub operator: String,
    pub challenger: String,
    pub model: String,
    /// `open`, `proven` or `lost`.
    pub verdict: &'static str,
    /// Whether the operator lost because it did not answer.
    pub by_silence: bool,
    pub opened: Stamp,
    pub decided: Option<Stamp>,
    pub bond_units: String,
    /// What the challenger got, once it is settled.
    pub payout_units: Option<String>,
    pub slashed_units: String,
    /// What is disputed; `null` until the challenger has named it.
    pub claim: Option<Claim>,
    /// Where the operator's trace first differs; `null` until the challenger has got there.
    pub node: Option<Node>,
    /// Index of the tile of that node's output.
    pub tile: Option<u64>,
    /// Index of the element in that tile that was proven wrong.
    pub element: Option<u64>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Claim {
    pub collection: String,
    pub receipt_index: i64,
    pub claim_hash: String,
    /// Hexadecimal; `null` where another program made the move.
    pub input_root: Option<String>,
    pub output_root: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Node {
    /// In the model's graph.
    pub index: u64,
    /// Such as `FullyConnected`; `null` when its record is malformed.
    pub operator: Option<String>,
    /// Element type and shape of its output.
    #[schema(value_type = Object)]
    pub output: Value,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Detail {
    #[serde(flatten)]
    pub dispute: Dispute,
    pub moves: Vec<Move>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Move {
    #[serde(flatten)]
    pub stamp: Stamp,
    /// `open`, `point`, `post_trace`, `attach_trace`, `demand`, `demand_node`, `reveal`, `reveal_tile`, `prove`, `prove_…`, `stage_witness`, `proven`, `lost`, `settle` or `payout`.
    pub kind: String,
    /// `challenger`, `operator` or `anyone`.
    pub side: &'static str,
    /// How far the dispute is after it.
    pub phase: Option<String>,
    /// What the move says.
    #[schema(value_type = Object)]
    pub said: Value,
}

#[derive(Clone, Debug, Deserialize, IntoParams)]
pub struct Filter {
    /// Only about this report
    report: Option<String>,
    /// Only against this operator
    operator: Option<String>,
    /// Only of this challenger
    challenger: Option<String>,
    /// How many, 1 to 100; 25 if it is not said
    limit: Option<i64>,
    /// `next` of the page before
    before: Option<i64>,
    /// Count and show only what is final on the chain
    #[serde(default)]
    finalised: bool,
}

/// All disputes, about a report, against an operator, or of a challenger
#[utoipa::path(get, path = "/v1/disputes", params(Filter), responses((status = 200, body = Page<Dispute>)))]
pub async fn list(State(database): Index, filter: Asked<Filter>) -> Answer<Page<Dispute>> {
    let Query(filter) = filter?;
    let paging = Paging {
        limit: filter.limit,
        before: filter.before,
        finalised: filter.finalised,
    };
    let (reader, limit) = (paging.reader(&database), paging.limit()?);
    let mut binds: Vec<Bind> = vec![paging.before().into(), (limit + 1).into()];
    let mut rest = String::from("e.name = 'DisputeOpened' AND e.place < $1");
    for (field, wanted) in [
        ("report", &filter.report),
        ("operator", &filter.operator),
        ("challenger", &filter.challenger),
    ] {
        if let Some(wanted) = wanted {
            binds.push(address(wanted)?.as_str().into());
            rest.push_str(&format!(
                " AND EXISTS (SELECT 1 FROM mentions w WHERE w.place = e.place AND w.field = '{field}' AND w.address = ${})",
                binds.len()
            ));
        }
    }
    rest.push_str(" ORDER BY e.place DESC LIMIT $2");
    let (found, next) = split(reader.events("events e", &rest, &binds).await?, limit);
    let mut items = Vec::with_capacity(found.len());
    for opened in &found {
        let events = history(&reader, opened).await?;
        items.push(view(&reader, opened, &events).await?);
    }
    Ok(Json(Page { items, next }))
}

/// One dispute with its moves
#[utoipa::path(
    get, path = "/v1/disputes/{dispute}", params(("dispute" = String, Path, description = "Address of the dispute"), Finality),
    responses((status = 200, body = Detail), (status = 404, description = "Not known"))
)]
pub async fn one(State(database): Index, Path(dispute): Named, finality: Asked<Finality>) -> Answer<Detail> {
    let Query(finality) = finality?;
    let reader = finality.reader(&database);
    let dispute = address(&dispute)?;
    let opened = reader.newest("dispute", &dispute, &["DisputeOpened"]).await?;
    let opened = opened.ok_or(Problem::NotFound("dispute"))?;
    let events = history(&reader, &opened).await?;
    Ok(Json(Detail {
        dispute: view(&reader, &opened, &events).await?,
        moves: events.iter().filter_map(shown).collect(),
    }))
}

/// What happened from the opening on. An address can be used again once a dispute is closed: then the opening of the next one ends it.
async fn history(reader: &Reader<'_>, opened: &Event) -> Result<Vec<Event>, Problem> {
    let mut events = reader
        .events(
            "mentions m JOIN events e ON e.place = m.place",
            "m.address = $1 AND m.field = 'dispute' AND e.place >= $2 ORDER BY e.place",
            &[opened.text("dispute").as_str().into(), opened.place.into()],
        )
        .await?;
    let again = events.iter().skip(1).position(|event| event.name == "DisputeOpened");
    events.truncate(again.map_or(events.len(), |position| position + 1));
    Ok(events)
}

async fn view(reader: &Reader<'_>, opened: &Event, events: &[Event]) -> Result<Dispute, Problem> {
    let find = |name: &str| events.iter().find(|event| event.name == name);
    let posted = reader
        .newest("report", &opened.text("report"), &["ReportPosted"])
        .await?;
    let (proven, lost) = (find("DisputeProven"), find("DisputeLost"));
    let mut walk = Walk::default();
    for event in events.iter().filter(|event| event.name == "DisputeMoved") {
        walk.follow(kind(event), &event.body["said"]);
    }
    let pointed = find("DisputePointed").map(|pointed| {
        let said = events
            .iter()
            .find(|event| event.name == "DisputeMoved" && moves::name(kind(event)) == "point")
            .map(|event| &event.body["said"]);
        let root = |field: &str| Some(said?[field].as_str()?.to_owned());
        Claim {
            collection: pointed.text("collection"),
            receipt_index: pointed.number("receipt_index"),
            claim_hash: pointed.text("claim_hash"),
            input_root: root("input_root"),
            output_root: root("output_root"),
        }
    });
    Ok(Dispute {
        dispute: opened.text("dispute"),
        report: opened.text("report"),
        operator: opened.text("operator"),
        challenger: opened.text("challenger"),
        model: posted.map_or_else(String::new, |event| event.text("model")),
        verdict: match (proven, lost) {
            (Some(_), _) => "proven",
            (None, Some(_)) => "lost",
            (None, None) => "open",
        },
        by_silence: proven.is_some_and(|event| event.body["by_silence"] == true),
        opened: opened.stamp.clone(),
        decided: proven.or(lost).map(|event| event.stamp.clone()),
        bond_units: opened.text("bond_units"),
        payout_units: find("DisputeSettled").map(|event| event.text("payout_units")),
        slashed_units: find("ReportRejected").map_or_else(|| units(0), |event| event.text("slashed_units")),
        claim: pointed,
        node: walk.node.map(|(index, node)| Node {
            index,
            operator: node["operator"].as_str().map(str::to_owned),
            output: node["output"].clone(),
        }),
        tile: walk.tile,
        element: walk.element,
    })
}

/// The number of a move.
fn kind(event: &Event) -> u64 {
    event.body["kind"].as_u64().unwrap_or(u64::MAX)
}

/// An event of a dispute as a move; `None` for those that only repeat one.
fn shown(event: &Event) -> Option<Move> {
    let (kind, side) = match event.name.as_str() {
        "DisputeOpened" => ("open", "challenger"),
        "DisputeMoved" => {
            let name = moves::name(kind(event));
            let side = match name {
                "post_trace" => "operator",
                // With these anyone may answer for the operator.
                "attach_trace" | "reveal" | "reveal_tile" => "anyone",
                _ => "challenger",
            };
            (name, side)
        }
        "WitnessBound" => ("stage_witness", "challenger"),
        "DisputeProven" => (
            "proven",
            if event.body["by_silence"] == true {
                "anyone"
            } else {
                "challenger"
            },
        ),
        "DisputeLost" => ("lost", "anyone"),
        "DisputeSettled" => ("settle", "anyone"),
        "PayoutWithdrawn" => ("payout", "anyone"),
        _ => return None,
    };
    let said = match event.name.as_str() {
        "DisputeMoved" => event.body["said"].clone(),
        _ => event.body.clone(),
    };
    Some(Move {
        stamp: event.stamp.clone(),
        kind: kind.to_owned(),
        side,
        phase: event.body["phase"].as_str().map(str::to_owned),
        said,
    })
}
