//! Somebody between a payer and a gateway: what an operator that cheats, or a bad connection, makes of honest answers.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use futures_util::stream;
use serde_json::Value;

/// What becomes of one payment.
pub enum Mischief {
    /// Refused before the gateway hears of it: status, body, seconds to wait.
    Refuse(u16, Value, Option<u64>),
    /// The gateway answers, and the connection breaks in the middle of the answer.
    Cut,
    /// The gateway answers, and nothing ever comes.
    Hang,
    /// Whatever is done to the answer.
    Change(Box<dyn Fn(&mut Value) + Send>),
    /// The answer to the payment before once more.
    Repeat,
    /// The answer, and further events behind it that nobody has paid for.
    AndMore,
}

struct Between {
    gateway: String,
    client: reqwest::Client,
    mischief: Mutex<VecDeque<Option<Mischief>>>,
    last: Mutex<Value>,
    asked: Mutex<Vec<String>>,
}

pub struct Middleman {
    pub url: String,
    between: Arc<Between>,
}

impl Middleman {
    /// `None` is an honest answer, as are all after the last.
    pub async fn new(gateway: &str, mischief: impl IntoIterator<Item = Option<Mischief>>) -> Self {
        let between = Arc::new(Between {
            gateway: gateway.to_owned(),
            client: reqwest::Client::new(),
            mischief: Mutex::new(mischief.into_iter().collect()),
            last: Mutex::default(),
            asked: Mutex::default(),
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(pass).with_state(between.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, between }
    }

    /// Paths of the payments so far.
    pub fn asked(&self) -> Vec<String> {
        self.between.asked.lock().unwrap().clone()
    }

    /// What is done from now on.
    pub fn then(&self, mischief: impl IntoIterator<Item = Option<Mischief>>) {
        *self.between.mischief.lock().unwrap() = mischief.into_iter().collect();
    }
}

async fn pass(State(between): State<Arc<Between>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let url = format!("{}{}", between.gateway, head.uri);
    let Some(payment) = head.headers.get("x-payment") else {
        let response = between.client.get(url).send().await.unwrap();
        return response.bytes().await.unwrap().into_response();
    };
    between.asked.lock().unwrap().push(head.uri.to_string());
    let mischief = between.mischief.lock().unwrap().pop_front().flatten();
    if let Some(Mischief::Refuse(status, body, seconds)) = mischief {
        let wait = seconds.map(|seconds| [("retry-after", seconds.to_string())]);
        let status = StatusCode::from_u16(status).unwrap();
        return (status, wait.unwrap_or([("x-nothing", String::new())]), body.to_string()).into_response();
    }
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let request = between.client.post(url).header("x-payment", payment.clone()).body(body);
    let mut response = match request.send().await {
        Ok(response) => response,
        Err(_) => return StatusCode::BAD_GATEWAY.into_response(),
    };
    let status = StatusCode::from_u16(response.status().as_u16()).unwrap();
    if status != 200 {
        return (status, response.bytes().await.unwrap()).into_response();
    }
    let streams = response.headers()["content-type"] == "text/event-stream";
    let mut answer: Value = match streams {
        true => {
            let mut text = String::new();
            while !text.contains("\n\n") {
                text.push_str(std::str::from_utf8(&response.chunk().await.unwrap().unwrap()).unwrap());
            }
            let (event, _) = text.split_once("\n\n").unwrap();
            serde_json::from_str(event.strip_prefix("data: ").unwrap()).unwrap()
        }
        false => serde_json::from_slice(&response.bytes().await.unwrap()).unwrap(),
    };
    let before = std::mem::replace(&mut *between.last.lock().unwrap(), answer.clone());
    let mut behind = String::new();
    match mischief {
        Some(Mischief::Change(ref change)) => change(&mut answer),
        Some(Mischief::Repeat) => answer = before,
        Some(Mischief::AndMore) => behind = format!("data: {answer}\n\n").repeat(3),
        Some(Mischief::Hang) => std::future::pending().await,
        _ => {}
    }
    let text = match streams {
        true => format!(": begins\n\ndata: {answer}\n\n{behind}"),
        false => format!("{answer}{behind}"),
    };
    if matches!(mischief, Some(Mischief::Cut)) {
        let half = Bytes::from(text[..text.len() / 2].to_owned());
        let parts = [Ok(half), Err(std::io::Error::other("the connection broke"))];
        return Body::from_stream(stream::iter(parts)).into_response();
    }
    text.into_response()
}
