//! A bucket of the test's own: the operations of S3 that the node uses, and nothing behind them but a table.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use anchor_lang::prelude::Pubkey;
use axum::{
    Router,
    body::Bytes,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::put,
};
use futures_util::TryStreamExt;
use imo_node::store::Blobs;

const KEY: &str = "the-access-key";
const SECRET: &str = "the-secret-that-nobody-sees";

const REPORT: Pubkey = Pubkey::new_from_array([1; 32]);
const LANE: Pubkey = Pubkey::new_from_array([2; 32]);

#[derive(Default)]
struct Bucket {
    objects: HashMap<String, Bytes>,
    /// Requests that are still to fail.
    failures: usize,
    requests: usize,
}

type Shared = Arc<Mutex<Bucket>>;

/// The error that stands for a request, if any: who signs is known, and nobody shows what signs.
fn refusal(bucket: &mut Bucket, headers: &HeaderMap) -> Option<Response> {
    bucket.requests += 1;
    assert!(
        headers
            .values()
            .all(|value| !value.to_str().unwrap_or("").contains(SECRET))
    );
    let authorization = headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap());
    if !authorization.is_some_and(|text| text.starts_with(&format!("AWS4-HMAC-SHA256 Credential={KEY}/"))) {
        return Some(failure(StatusCode::FORBIDDEN, "AccessDenied"));
    }
    if bucket.failures > 0 {
        bucket.failures -= 1;
        return Some(failure(StatusCode::SERVICE_UNAVAILABLE, "SlowDown"));
    }
    None
}

fn failure(status: StatusCode, code: &str) -> Response {
    let body = format!("<Error><Code>{code}</Code><Message>{code}</Message></Error>");
    (status, [(header::CONTENT_TYPE, "application/xml")], body).into_response()
}

async fn put_object(
    State(bucket): State<Shared>,
    Path(path): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut bucket = bucket.lock().unwrap();
    if let Some(refusal) = refusal(&mut bucket, &headers) {
        return refusal;
    }
    bucket.objects.insert(path, body);
    (StatusCode::OK, [(header::ETAG, "\"tag\"")]).into_response()
}

/// An object, or a list of those under a prefix on one page.
async fn read(
    State(bucket): State<Shared>,
    Path(path): Path<String>,
    Query(asked): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    let mut bucket = bucket.lock().unwrap();
    if let Some(refusal) = refusal(&mut bucket, &headers) {
        return refusal;
    }
    match asked.get("prefix") {
        Some(prefix) => list(&bucket, &format!("{path}/"), prefix),
        None => get_object(&bucket, &path, &headers),
    }
}

fn get_object(bucket: &Bucket, path: &str, headers: &HeaderMap) -> Response {
    let Some(bytes) = bucket.objects.get(path).cloned() else {
        return failure(StatusCode::NOT_FOUND, "NoSuchKey");
    };
    let about = [
        (header::ETAG, "\"tag\""),
        (header::LAST_MODIFIED, "Thu, 01 Jan 2026 00:00:00 GMT"),
    ];
    let range = headers.get(header::RANGE).map(|range| range.to_str().unwrap());
    let Some(range) = range.and_then(|range| range.strip_prefix("bytes=")?.split_once('-')) else {
        return (about, bytes).into_response();
    };
    let (first, last): (usize, usize) = (range.0.parse().unwrap(), range.1.parse().unwrap());
    let range = format!("bytes {first}-{last}/{}", bytes.len());
    let part = bytes.slice(first..=last);
    (
        StatusCode::PARTIAL_CONTENT,
        about,
        [(header::CONTENT_RANGE, range)],
        part,
    )
        .into_response()
}

fn list(bucket: &Bucket, folder: &str, prefix: &str) -> Response {
    let listed: String = bucket
        .objects
        .iter()
        .filter_map(|(path, bytes)| Some((path.strip_prefix(folder)?, bytes.len())))
        .filter(|(key, _)| key.starts_with(prefix))
        .map(|(key, size)| {
            let modified = "2026-01-01T00:00:00.000Z";
            format!("<Contents><Key>{key}</Key><Size>{size}</Size><LastModified>{modified}</LastModified></Contents>")
        })
        .collect();
    let body = format!("<ListBucketResult>{listed}</ListBucketResult>");
    ([(header::CONTENT_TYPE, "application/xml")], body).into_response()
}

/// The server's address and what it holds.
async fn serve() -> (String, Shared) {
    let bucket = Shared::default();
    let router = Router::new()
        .route("/{*path}", put(put_object).get(read))
        .with_state(bucket.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (url, bucket)
}

fn open(url: &str, endpoint: &str, key: &str) -> Blobs {
    let variables = [
        ("AWS_ENDPOINT", endpoint),
        ("AWS_ALLOW_HTTP", "true"),
        ("AWS_REGION", "nowhere-1"),
        ("AWS_ACCESS_KEY_ID", key),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
        ("PATH", "/bin"),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Blobs::in_bucket(url, variables.into_iter()).unwrap()
}

#[tokio::test]
async fn given_a_bucket_when_written_then_read_back_under_its_prefix_and_what_is_not_there_is_none() {
    let (endpoint, bucket) = serve().await;
    let blobs = open("s3://answers/of/operator", &endpoint, KEY);
    blobs.probe().await.unwrap();
    let input = Bytes::from(vec![3; 100_000]);
    blobs.put_input(&[0xab; 32], input.clone()).await.unwrap();
    blobs
        .put_receipts(&REPORT, &LANE, Bytes::from_static(b"receipts"))
        .await
        .unwrap();
    assert_eq!(blobs.input(&[0xab; 32]).await.unwrap(), Some(input));
    let receipts = blobs.receipts(&REPORT, &LANE).await.unwrap().unwrap();
    assert_eq!(receipts.length(), 8);
    let part: Vec<Bytes> = receipts.read(2..6).await.unwrap().try_collect().await.unwrap();
    assert_eq!(part.concat(), b"ceip");
    assert_eq!(blobs.input(&[1; 32]).await.unwrap(), None);
    assert!(blobs.receipts(&LANE, &REPORT).await.unwrap().is_none());
    assert_eq!(blobs.lanes_of(&REPORT).await.unwrap(), [(LANE, 8)]);
    assert_eq!(blobs.lanes_of(&LANE).await.unwrap(), []);
    let bucket = bucket.lock().unwrap();
    assert!(
        bucket
            .objects
            .contains_key(&format!("answers/of/operator/receipts/{REPORT}/{LANE}")),
        "{:?}",
        bucket.objects.keys()
    );
    assert!(
        bucket
            .objects
            .keys()
            .all(|path| path.starts_with("answers/of/operator/"))
    );
}

#[tokio::test]
async fn given_a_bucket_that_fails_for_a_moment_when_written_then_tried_again() {
    let (endpoint, bucket) = serve().await;
    bucket.lock().unwrap().failures = 2;
    let blobs = open("s3://answers", &endpoint, KEY);
    blobs
        .put_receipts(&REPORT, &LANE, Bytes::from_static(b"receipts"))
        .await
        .unwrap();
    assert_eq!(bucket.lock().unwrap().requests, 3);
    let path = format!("answers/receipts/{REPORT}/{LANE}");
    assert!(bucket.lock().unwrap().objects.contains_key(&path));
}

#[tokio::test]
async fn given_a_stranger_or_no_server_when_written_then_an_error_that_shows_no_secret() {
    let (endpoint, bucket) = serve().await;
    let stranger = open("s3://answers", &endpoint, "another-key");
    let error = stranger.put_receipts(&REPORT, &LANE, Bytes::new()).await.unwrap_err();
    assert!(error.to_string().contains("AccessDenied"), "{error}");
    assert!(!format!("{error} {error:?} {stranger:?}").contains(SECRET));
    assert!(bucket.lock().unwrap().objects.is_empty());
    for url in ["s3://", "s3:///prefix", "answers", "https://answers"] {
        let error = Blobs::in_bucket(url, std::iter::empty()).unwrap_err();
        assert!(error.to_string().contains("names no bucket"), "{error}");
    }
}
