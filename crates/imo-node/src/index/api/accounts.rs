//! Events of anybody and anything.

use axum::{
    Json,
    extract::{Path, Query, State},
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{Answer, Asked, EventView, Index, Named, Page, Paging, Problem, address, split};
use crate::index::query::{Bind, Reader};

/// Most accounts of an owner that are looked up.
const CIRCLE: i64 = 500;

/// What happened to somebody: investments, stakes, yield, credits, lanes, what they operate and challenge
///
/// Every event that names the owner, or one of its credits, lanes, sessions and operator accounts.
#[utoipa::path(
    get, path = "/v1/owners/{owner}/history", params(("owner" = String, Path, description = "A wallet, or what a multisig or a program signs with"), Paging),
    responses((status = 200, body = Page<EventView>))
)]
pub async fn history(State(database): Index, Path(owner): Named, paging: Asked<Paging>) -> Answer<Page<EventView>> {
    let Query(paging) = paging?;
    let (reader, limit) = (paging.reader(&database), paging.limit()?);
    let circle = circle(&reader, address(&owner)?).await?;
    let found = reader.mentioning(&circle, paging.before(), limit + 1).await?;
    let (found, next) = split(found, limit);
    Ok(Json(Page {
        items: found.into_iter().map(Into::into).collect(),
        next,
    }))
}

/// An owner with the accounts that are its own, whose events do not name it.
async fn circle(reader: &Reader<'_>, owner: String) -> Result<Vec<String>, Problem> {
    let mut circle = vec![owner];
    for (field, name, owned) in [
        ("payer", "CreditOpened", "credit"),
        ("authority", "OperatorRegistered", "operator"),
    ] {
        let opened = reader.about(field, &circle[0], &[name]).await?;
        circle.extend(opened.iter().map(|event| event.text(owned)));
    }
    for credit in circle.clone() {
        for (name, owned) in [("LaneOpened", "lane"), ("SessionGranted", "session")] {
            let opened = reader
                .events(
                    "mentions m JOIN events e ON e.place = m.place",
                    "m.address = $1 AND m.field = 'credit' AND e.name = $2 ORDER BY e.place LIMIT $3",
                    &[credit.as_str().into(), name.into(), CIRCLE.into()],
                )
                .await?;
            circle.extend(opened.iter().map(|event| event.text(owned)));
        }
    }
    circle.sort();
    circle.dedup();
    circle.truncate(usize::try_from(CIRCLE).unwrap_or(0));
    Ok(circle)
}

#[derive(Clone, Debug, Deserialize, IntoParams)]
pub struct Filter {
    /// Only events that name this address
    address: Option<String>,
    /// Only events of this name, such as `Deposited`
    name: Option<String>,
    /// How many, 1 to 100; 25 if it is not said
    limit: Option<i64>,
    /// `next` of the page before
    before: Option<i64>,
    /// Show only what is final on the chain
    #[serde(default)]
    finalised: bool,
}

/// All events, that name an address, or of a name
#[utoipa::path(get, path = "/v1/events", params(Filter), responses((status = 200, body = Page<EventView>)))]
pub async fn events(State(database): Index, filter: Asked<Filter>) -> Answer<Page<EventView>> {
    let Query(filter) = filter?;
    let paging = Paging {
        limit: filter.limit,
        before: filter.before,
        finalised: filter.finalised,
    };
    let (reader, limit) = (paging.reader(&database), paging.limit()?);
    let mut binds: Vec<Bind> = vec![paging.before().into(), (limit + 1).into()];
    let mut rest = String::from("e.place < $1");
    if let Some(wanted) = &filter.address {
        binds.push(address(wanted)?.as_str().into());
        rest.push_str(&format!(
            " AND e.place IN (SELECT place FROM mentions WHERE address = ${})",
            binds.len()
        ));
    }
    if let Some(name) = &filter.name {
        binds.push(name.as_str().into());
        rest.push_str(&format!(" AND e.name = ${}", binds.len()));
    }
    rest.push_str(" ORDER BY e.place DESC LIMIT $2");
    let (found, next) = split(reader.events("events e", &rest, &binds).await?, limit);
    Ok(Json(Page {
        items: found.into_iter().map(Into::into).collect(),
        next,
    }))
}
