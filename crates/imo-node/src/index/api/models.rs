//! Models: what they raised, what they earned and for how many answers.

use axum::{
    Json,
    extract::{Path, Query, State},
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{Answer, Asked, Finality, Index, Named, Page, Paging, Problem, address, split, units};
use crate::index::query::{Event, Reader, Stamp};

#[derive(Debug, Serialize, ToSchema)]
pub struct Model {
    /// The model's account.
    pub model: String,
    pub developer: String,
    pub payment_mint: String,
    pub name: String,
    pub symbol: String,
    pub licence: String,
    /// Of the model card.
    pub uri: String,
    pub registered: Stamp,
    /// Number of the version that is live.
    pub live_version: i64,
    pub offering: Option<Offering>,
    pub revenue: Revenue,
    pub answers: Answers,
    pub reports: Reports,
    #[serde(rename = "yield")]
    pub earned: Option<Yield>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Offering {
    pub offering: String,
    /// The model's token.
    pub mint: String,
    /// `open`, `succeeded` or `failed`.
    pub status: String,
    pub sale_units: String,
    pub min_raise_units: String,
    pub max_raise_units: String,
    /// What is committed, all investors together.
    pub committed_units: String,
    /// What the sale took, once it is settled.
    pub accepted_units: String,
    pub opens_unix: i64,
    pub tail_unix: i64,
    pub closes_unix: i64,
    /// Commitments that were made, further ones of the same investor counted again.
    pub commitments: i64,
}

/// In units of the payment mint. A report's revenue is pending until it is split, which it is once it is final.
#[derive(Debug, Serialize, ToSchema)]
pub struct Revenue {
    pub final_units: String,
    pub pending_units: String,
    /// What went back to payers, of reports that were rejected or collections that were retracted.
    pub refunded_units: String,
    /// Of the final revenue: to stakers.
    pub holders_units: String,
    /// To the redeem pool, besides what stakers did not get.
    pub redeem_units: String,
    pub developer_units: String,
    pub operator_units: String,
    pub protocol_units: String,
    pub contributors_units: String,
}

/// Answers that were paid for.
#[derive(Debug, Serialize, ToSchema)]
pub struct Answers {
    pub r#final: i64,
    pub pending: i64,
    /// Of rejected reports.
    pub rejected: i64,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Reports {
    pub posted: i64,
    pub r#final: i64,
    pub rejected: i64,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Yield {
    pub pool: String,
    /// What a whole token that was staked all the time has earned, in units of the payment mint. Exact sums are on the chain.
    pub units_per_token: f64,
    /// What was claimed of it, all together.
    pub claimed_units: String,
    /// Of the newest deposit: tokens that earned, and all there were.
    pub active_units: String,
    pub supply_units: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Detail {
    #[serde(flatten)]
    pub model: Model,
    /// The newest first.
    pub versions: Vec<Version>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Version {
    pub version: String,
    pub number: i64,
    pub model_root: String,
    pub price_units: String,
    /// In basis points.
    #[schema(value_type = Object)]
    pub split: Value,
    #[schema(value_type = Object)]
    pub contributors: Value,
    pub published: Stamp,
}

/// Units of a whole token.
const TOKEN: f64 = 1_000_000.0;

/// All models
#[utoipa::path(get, path = "/v1/models", params(Paging), responses((status = 200, body = Page<Model>)))]
pub async fn list(State(database): Index, paging: Asked<Paging>) -> Answer<Page<Model>> {
    let Query(paging) = paging?;
    let (reader, limit) = (paging.reader(&database), paging.limit()?);
    let found = reader
        .events(
            "events e",
            "e.name = 'ModelRegistered' AND e.place < $1 ORDER BY e.place DESC LIMIT $2",
            &[paging.before().into(), (limit + 1).into()],
        )
        .await?;
    let (found, next) = split(found, limit);
    let mut items = Vec::with_capacity(found.len());
    for registered in &found {
        items.push(view(&reader, registered).await?);
    }
    Ok(Json(Page { items, next }))
}

/// One model with its versions
#[utoipa::path(
    get, path = "/v1/models/{model}", params(("model" = String, Path, description = "Address of the model"), Finality),
    responses((status = 200, body = Detail), (status = 404, description = "Not known"))
)]
pub async fn one(State(database): Index, Path(model): Named, finality: Asked<Finality>) -> Answer<Detail> {
    let Query(finality) = finality?;
    let reader = finality.reader(&database);
    let model = address(&model)?;
    let registered = reader.newest("model", &model, &["ModelRegistered"]).await?;
    let registered = registered.ok_or(Problem::NotFound("model"))?;
    let mut versions = reader.about("model", &model, &["VersionPublished"]).await?;
    versions.reverse();
    Ok(Json(Detail {
        model: view(&reader, &registered).await?,
        versions: versions.into_iter().map(version).collect(),
    }))
}

fn version(event: Event) -> Version {
    Version {
        version: event.text("version"),
        number: event.number("number"),
        model_root: event.text("model_root"),
        price_units: event.text("price_units"),
        split: event.body["split"].clone(),
        contributors: event.body["contributors"].clone(),
        published: event.stamp,
    }
}

async fn view(reader: &Reader<'_>, registered: &Event) -> Result<Model, Problem> {
    let model = registered.text("model");
    let metadata = reader
        .newest("model", &model, &["ModelRegistered", "MetadataSet"])
        .await?;
    let metadata = metadata.map_or_else(Value::default, |event| event.body["metadata"].clone());
    let text = |field: &str| metadata[field].as_str().unwrap_or_default().to_owned();
    let developer = reader
        .newest("model", &model, &["ModelRegistered", "DeveloperAccepted"])
        .await?;
    let live = reader.newest("model", &model, &["VersionActivated"]).await?;
    // A first version is live at once.
    let first = reader.count("model", &model, "VersionPublished").await?.min(1);
    Ok(Model {
        developer: developer.map_or_else(String::new, |event| event.text("developer")),
        payment_mint: registered.text("payment_mint"),
        name: text("name"),
        symbol: text("symbol"),
        licence: text("licence"),
        uri: text("uri"),
        registered: registered.stamp.clone(),
        live_version: live.map_or(first, |event| event.number("number")),
        offering: offering(reader, &model).await?,
        revenue: revenue(reader, &model).await?,
        answers: answers(reader, "model", &model).await?,
        reports: reports(reader, "model", &model).await?,
        earned: earned(reader, &model).await?,
        model,
    })
}

async fn offering(reader: &Reader<'_>, model: &str) -> Result<Option<Offering>, Problem> {
    let Some(opened) = reader.newest("model", model, &["OfferingOpened"]).await? else {
        return Ok(None);
    };
    let offering = opened.text("offering");
    let settled = reader.newest("offering", &offering, &["OfferingSettled"]).await?;
    let moved = reader
        .newest(
            "offering",
            &offering,
            &["Committed", "CommitmentWithdrawn", "OfferingSettled"],
        )
        .await?;
    Ok(Some(Offering {
        mint: opened.text("mint"),
        status: settled
            .as_ref()
            .map_or_else(|| "open".into(), |event| event.text("status")),
        sale_units: opened.text("sale_units"),
        min_raise_units: opened.text("min_raise_units"),
        max_raise_units: opened.text("max_raise_units"),
        committed_units: moved.map_or_else(|| units(0), |event| event.text("committed_units")),
        accepted_units: settled.map_or_else(|| units(0), |event| event.text("accepted_units")),
        opens_unix: opened.number("opens_unix"),
        tail_unix: opened.number("tail_unix"),
        closes_unix: opened.number("closes_unix"),
        commitments: reader.count("offering", &offering, "Committed").await?,
        offering,
    }))
}

async fn revenue(reader: &Reader<'_>, model: &str) -> Result<Revenue, Problem> {
    let split = async |number: &str| reader.sum("model", model, "BucketSplit", number).await.map(units);
    let pending = format!(
        "NOT {}",
        reader.has("report", "r.address", &["BucketSplit", "ReportRejected"])
    );
    let refunded = "SELECT CAST(COALESCE(SUM(n.value), 0) AS BIGINT) AS total \
        FROM mentions m JOIN events p ON p.place = m.place AND p.name = 'ReportPosted' \
        JOIN mentions r ON r.place = p.place AND r.field = 'report' \
        JOIN mentions c ON c.address = r.address AND c.field = 'report' \
        JOIN events e ON e.place = c.place AND e.name = 'Refunded' \
        JOIN numbers n ON n.place = e.place AND n.field = 'amount_units' \
        WHERE m.address = $1 AND m.field = 'model' AND e.finalised >= $2";
    let floor = i64::from(reader.finalised_only);
    Ok(Revenue {
        final_units: split("amount_units").await?,
        pending_units: units(reader.collected("model", model, "amount_units", &pending).await?),
        refunded_units: units(reader.total(refunded, &[model.into(), floor.into()]).await?),
        holders_units: split("holders_units").await?,
        redeem_units: split("redeem_units").await?,
        developer_units: split("developer_units").await?,
        operator_units: split("operator_units").await?,
        protocol_units: split("protocol_units").await?,
        contributors_units: split("contributors_units").await?,
    })
}

/// Answers of the reports in which an address is in a field.
pub async fn answers(reader: &Reader<'_>, field: &str, address: &str) -> Result<Answers, Problem> {
    let (split, rejected) = (
        reader.has("report", "r.address", &["BucketSplit"]),
        reader.has("report", "r.address", &["ReportRejected"]),
    );
    let count = async |states: String| reader.collected(field, address, "count", &states).await;
    Ok(Answers {
        pending: count(format!("NOT {split} AND NOT {rejected}")).await?,
        r#final: count(split).await?,
        rejected: count(rejected).await?,
    })
}

/// Reports in which an address is in a field.
pub async fn reports(reader: &Reader<'_>, field: &str, address: &str) -> Result<Reports, Problem> {
    let count = async |states: &str| reader.reports(field, address, states).await;
    Ok(Reports {
        posted: count("1 = 1").await?,
        r#final: count(&reader.has("report", "r.address", &["ReportFinalised"])).await?,
        rejected: count(&reader.has("report", "r.address", &["ReportRejected"])).await?,
    })
}

async fn earned(reader: &Reader<'_>, model: &str) -> Result<Option<Yield>, Problem> {
    let Some(created) = reader.newest("model", model, &["PoolCreated"]).await? else {
        return Ok(None);
    };
    let pool = created.text("pool");
    let deposit = reader.newest("pool", &pool, &["Deposited"]).await?;
    let text = |field: &str| deposit.as_ref().map_or_else(|| units(0), |event| event.text(field));
    let claimed = reader.sum("pool", &pool, "Claimed", "amount_units").await?
        + reader.sum("pool", &pool, "VestingClaimed", "amount_units").await?;
    Ok(Some(Yield {
        units_per_token: reader.yield_per_unit(&pool).await? * TOKEN,
        claimed_units: units(claimed),
        active_units: text("active_units"),
        supply_units: text("supply_units"),
        pool,
    }))
}
