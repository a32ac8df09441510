//! Operators and their record.

use axum::{
    Json,
    extract::{Path, Query, State},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Answer, Asked, Finality, Index, Named, Page, Paging, Problem, address,
    models::{Answers, Reports, answers, reports},
    split, units,
};
use crate::index::query::{Event, Reader, Stamp};

#[derive(Debug, Serialize, ToSchema)]
pub struct Operator {
    /// The operator's account.
    pub operator: String,
    pub authority: String,
    /// Of stake and revenue.
    pub mint: String,
    pub endpoint: String,
    pub registered: Stamp,
    /// What was staked and taken out again since the beginning; what is there now is on the chain.
    pub staked_units: String,
    pub withdrawn_units: String,
    pub reports: Reports,
    pub answers: Answers,
    pub collected_units: String,
    pub disputes: i64,
    pub slashed_units: String,
    /// Times that it was shown to have answered one question in two ways.
    pub equivocations: i64,
    /// Unix seconds until which it posts no report; `null` if it never was jailed.
    pub jailed_until_unix: Option<i64>,
}

/// All operators
#[utoipa::path(get, path = "/v1/operators", params(Paging), responses((status = 200, body = Page<Operator>)))]
pub async fn list(State(database): Index, paging: Asked<Paging>) -> Answer<Page<Operator>> {
    let Query(paging) = paging?;
    let (reader, limit) = (paging.reader(&database), paging.limit()?);
    let found = reader
        .events(
            "events e",
            "e.name = 'OperatorRegistered' AND e.place < $1 ORDER BY e.place DESC LIMIT $2",
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

/// One operator
#[utoipa::path(
    get, path = "/v1/operators/{operator}", params(("operator" = String, Path, description = "Address of the operator's account"), Finality),
    responses((status = 200, body = Operator), (status = 404, description = "Not known"))
)]
pub async fn one(State(database): Index, Path(operator): Named, finality: Asked<Finality>) -> Answer<Operator> {
    let Query(finality) = finality?;
    let reader = finality.reader(&database);
    let registered = reader
        .newest("operator", &address(&operator)?, &["OperatorRegistered"])
        .await?;
    let registered = registered.ok_or(Problem::NotFound("operator"))?;
    Ok(Json(view(&reader, &registered).await?))
}

async fn view(reader: &Reader<'_>, registered: &Event) -> Result<Operator, Problem> {
    let operator = registered.text("operator");
    let profile = reader
        .newest("operator", &operator, &["OperatorRegistered", "OperatorUpdated"])
        .await?;
    let jailed = reader.newest("operator", &operator, &["OperatorJailed"]).await?;
    let sum = async |name: &str, number: &str| reader.sum("operator", &operator, name, number).await;
    let slashed = sum("ReportRejected", "slashed_units").await?
        + sum("EquivocationSlashed", "prover_units").await?
        + sum("EquivocationSlashed", "insurance_units").await?;
    Ok(Operator {
        authority: registered.text("authority"),
        mint: registered.text("mint"),
        endpoint: profile.map_or_else(String::new, |event| event.text("endpoint")),
        registered: registered.stamp.clone(),
        staked_units: units(sum("BondStaked", "amount_units").await?),
        withdrawn_units: units(sum("BondWithdrawn", "amount_units").await?),
        reports: reports(reader, "operator", &operator).await?,
        answers: answers(reader, "operator", &operator).await?,
        collected_units: units(reader.collected("operator", &operator, "amount_units", "1 = 1").await?),
        disputes: reader.count("operator", &operator, "DisputeOpened").await?,
        slashed_units: units(slashed),
        equivocations: reader.count("operator", &operator, "EquivocationPunished").await?,
        jailed_until_unix: jailed.map(|event| event.number("due_unix")),
        operator,
    })
}
