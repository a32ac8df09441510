//! What can be read without paying.

use std::sync::Arc;

use anchor_lang::prelude::Pubkey;
use axum::{
    Json,
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use serde_json::{Value, json};

use super::{Gateway, infer::bad, refusal::Refusal};
use crate::{
    chain::TIME,
    receipts::RECEIPT_BYTES,
    store::Blob,
    text::{hex, parse_hash},
};

/// The models that are served.
#[utoipa::path(get, path = "/v1/models", responses((status = 200, description = "A list in OpenAI's form, with what a payer needs to know of each")))]
pub async fn models(State(gateway): State<Arc<Gateway>>) -> Json<Value> {
    let data: Vec<_> = gateway
        .models
        .iter()
        .map(|model| {
            let spec = model.model.input_spec();
            let output = model.model.nodes().last().map(|node| node.output);
            let element = |spec: &opml::TensorSpec| match spec.element() {
                opml::ElementType::Int8 => "int8",
                opml::ElementType::Int32 => "int32",
            };
            json!({
                "id": model.name,
                "object": "model",
                "owned_by": model.developer.to_string(),
                "address": model.address.to_string(),
                "version": model.version,
                "model_root": hex(&model.model.model_root()),
                "price_units": model.price_units.to_string(),
                "input": { "element": element(spec), "shape": spec.shape() },
                "decoder": model.decoder,
                "output": output.as_ref().map(|spec| json!({ "element": element(spec), "shape": spec.shape() })),
            })
        })
        .collect();
    Json(json!({ "object": "list", "data": data }))
}

/// The lanes of a report, without private ones.
#[utoipa::path(
    get, path = "/v1/receipts/{report}", params(("report" = String, Path, description = "Address of the report")),
    responses((status = 200, description = "A list: of each lane its address, and number and path of its receipts"), (status = 404, description = "Not one of this operator's"))
)]
pub async fn lanes_of_report(
    State(gateway): State<Arc<Gateway>>,
    Path(report): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let report: Pubkey = report.parse().map_err(bad)?;
    let lanes = gateway.blobs.lanes_of(&report).await?;
    if lanes.is_empty() {
        return Err(Refusal::NotFound("There are no receipts of such a report."));
    }
    let lane = |(lane, bytes): &(Pubkey, u64)| {
        json!({
            "lane": lane.to_string(),
            "receipts": bytes / RECEIPT_BYTES as u64,
            "path": format!("/v1/receipts/{report}/{lane}"),
        })
    };
    let data: Vec<_> = lanes.iter().map(lane).collect();
    Ok(Json(json!({ "object": "list", "data": data })))
}

/// The receipts of a lane under a report.
#[utoipa::path(
    get, path = "/v1/receipts/{report}/{lane}",
    params(("report" = String, Path, description = "Address of the report"), ("lane" = String, Path, description = "Address of the lane")),
    responses((status = 200, description = "For each receipt, in order, roots of input and output and the salt, 32 bytes each"), (status = 206, description = "Part of them"), (status = 404, description = "Not one of this operator's, or private"))
)]
pub async fn receipts(
    State(gateway): State<Arc<Gateway>>,
    Path((report, lane)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let (report, lane) = (report.parse().map_err(bad)?, lane.parse().map_err(bad)?);
    let found = gateway.blobs.receipts(&report, &lane).await?;
    let blob = found.ok_or(Refusal::NotFound("There are no receipts of such a lane and report."))?;
    part_of(Whole::File(blob), &headers).await
}

/// An input that was asked about publicly, by its root.
#[utoipa::path(
    get, path = "/v1/inputs/{root}", params(("root" = String, Path, description = "64 hexadecimal digits")),
    responses((status = 200, description = "The elements' bytes"), (status = 206, description = "Part of them"), (status = 404, description = "Not known, or private"))
)]
pub async fn input(
    State(gateway): State<Arc<Gateway>>,
    Path(root): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let root = parse_hash(&root).ok_or_else(|| bad("A root is 64 hexadecimal digits."))?;
    // The same words for what is private and what is not there.
    let missing = Refusal::NotFound("There is no such input that anyone may have.");
    let Some(input) = gateway.store.input(&root).await?.filter(|input| input.public) else {
        return Err(missing);
    };
    let whole = match input.bytes {
        Some(bytes) => Whole::Small(bytes),
        None => Whole::File(gateway.blobs.find_input(&root).await?.ok_or(missing)?),
    };
    part_of(whole, &headers).await
}

/// Whether the node could serve.
#[utoipa::path(get, path = "/health", responses((status = 200, description = "It can"), (status = 503, description = "It says what does not work")))]
pub async fn health(State(gateway): State<Arc<Gateway>>) -> Response {
    let store = gateway.store.is_alive().await;
    let chain = gateway.chain.accounts(&TIME).await.is_ok();
    let status = match store && chain {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    (
        status,
        Json(json!({ "store": store, "chain": chain, "queue_full": gateway.engine.is_full() })),
    )
        .into_response()
}

/// For Prometheus.
#[utoipa::path(get, path = "/metrics", responses((status = 200, description = "OpenMetrics")))]
pub async fn metrics(State(gateway): State<Arc<Gateway>>) -> impl IntoResponse {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], gateway.metrics.text())
}

/// What is asked for, or asked for a part of.
enum Whole {
    Small(Bytes),
    /// Read as the client takes it: however many they are and however slow, they hold no more than a piece each in memory.
    File(Blob),
}

impl Whole {
    fn length(&self) -> u64 {
        match self {
            Self::Small(bytes) => bytes.len() as u64,
            Self::File(blob) => blob.length(),
        }
    }

    async fn read(self, part: std::ops::Range<u64>) -> Result<Body, Refusal> {
        Ok(match self {
            Self::Small(bytes) => Body::from(bytes.slice(part.start as usize..part.end as usize)),
            Self::File(blob) => Body::from_stream(blob.read(part).await?),
        })
    }
}

/// All of it, or the part that a Range header asks for.
async fn part_of(whole: Whole, headers: &HeaderMap) -> Result<Response, Refusal> {
    let length = whole.length();
    let range = headers.get(header::RANGE).and_then(|range| range.to_str().ok());
    let (status, part) = match range.map(|range| parse_range(range, length)) {
        // A unit or form that is not understood is as if it were not there.
        None | Some(Range::Ignored) => (StatusCode::OK, 0..length),
        Some(Range::Unsatisfiable) => {
            let mut response = StatusCode::RANGE_NOT_SATISFIABLE.into_response();
            insert(&mut response, header::CONTENT_RANGE, &format!("bytes */{length}"));
            return Ok(response);
        }
        Some(Range::Part(first, last)) => (StatusCode::PARTIAL_CONTENT, first..last + 1),
    };
    let (first, end) = (part.start, part.end);
    let body = match part.is_empty() {
        true => Body::empty(),
        false => whole.read(part).await?,
    };
    let mut response = (status, body).into_response();
    if status == StatusCode::PARTIAL_CONTENT {
        let range = format!("bytes {first}-{}/{length}", end - 1);
        insert(&mut response, header::CONTENT_RANGE, &range);
    }
    insert(&mut response, header::CONTENT_LENGTH, &(end - first).to_string());
    insert(&mut response, header::CONTENT_TYPE, "application/octet-stream");
    insert(&mut response, header::ACCEPT_RANGES, "bytes");
    Ok(response)
}

fn insert(response: &mut Response, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Range {
    Part(u64, u64),
    Unsatisfiable,
    Ignored,
}

/// One range of `length` bytes: `bytes=first-last`, `bytes=first-` or `bytes=-count`.
fn parse_range(range: &str, length: u64) -> Range {
    let Some((first, last)) = range.strip_prefix("bytes=").and_then(|range| range.split_once('-')) else {
        return Range::Ignored;
    };
    match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(first), _) if first >= length => Range::Unsatisfiable,
        (Ok(first), Ok(last)) if last >= first => Range::Part(first, last.min(length - 1)),
        (Ok(first), Err(_)) if last.is_empty() => Range::Part(first, length - 1),
        (Err(_), Ok(0)) if first.is_empty() => Range::Unsatisfiable,
        (Err(_), Ok(_)) if first.is_empty() && length == 0 => Range::Unsatisfiable,
        (Err(_), Ok(count)) if first.is_empty() => Range::Part(length.saturating_sub(count), length - 1),
        _ => Range::Ignored,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_a_range_when_parsed_then_within_the_bytes_or_not_at_all() {
        for (range, expected) in [
            ("bytes=0-0", Range::Part(0, 0)),
            ("bytes=2-5", Range::Part(2, 5)),
            ("bytes=2-", Range::Part(2, 9)),
            ("bytes=2-99", Range::Part(2, 9)),
            ("bytes=-3", Range::Part(7, 9)),
            ("bytes=-99", Range::Part(0, 9)),
            ("bytes=-0", Range::Unsatisfiable),
            ("bytes=10-", Range::Unsatisfiable),
            ("bytes=5-2", Range::Ignored),
            ("bytes=-", Range::Ignored),
            ("bytes=0-1,3-4", Range::Ignored),
            ("rows=0-1", Range::Ignored),
        ] {
            assert_eq!(parse_range(range, 10), expected, "{range}");
        }
        for range in ["bytes=0-", "bytes=-1"] {
            assert_eq!(parse_range(range, 0), Range::Unsatisfiable, "{range}");
        }
    }
}
