//! Asking an operator over HTTP.

use std::time::Duration;

use anyhow::Context;
use serde_json::Value;

use crate::gateway::pay::PAYMENT_HEADER;

/// How long an operator may take to answer.
const TIMEOUT: Duration = Duration::from_secs(150);

/// Most bytes of an answer that are read.
const MAX_ANSWER_BYTES: usize = 256 << 20;

/// An operator's gateway.
pub(super) struct Gateway {
    client: reqwest::Client,
    endpoint: String,
}

/// What became of a request.
pub(super) enum Sent {
    /// The body.
    Answered(Vec<u8>),
    /// This try was not taken.
    Refused(Refusal),
    /// Whether it was taken is not known, or it will be.
    Later(Later),
}

pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) why: String,
    /// The name of a refusal, which no rewording changes.
    code: Option<String>,
}

pub(super) struct Later {
    /// 0 when there was no answer, or not all of it.
    pub(super) status: u16,
    pub(super) why: String,
    /// When to come back, if the operator says so.
    pub(super) after: Option<Duration>,
}

/// How much of an answer is waited for.
#[derive(Clone, Copy)]
pub(super) enum Part {
    All,
    /// Of a stream of server-sent events; the rest of it is not listened to.
    FirstEvent,
}

impl Refusal {
    /// Whether the operator has exactly the questions before this one: it looks at these things only then.
    pub(super) fn says_not_taken(&self) -> bool {
        let code = self.code.as_deref();
        code.is_some_and(|code| ["lane_overdrawn", "limit_exceeded", "wrong_requests"].contains(&code))
    }

    /// Whether the operator has made another question of the request than the payer.
    pub(super) fn is_other_question(&self) -> bool {
        self.code.as_deref() == Some("wrong_requests")
    }
}

impl Gateway {
    pub(super) fn new(endpoint: &str) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self {
            client,
            endpoint: endpoint.trim_end_matches('/').to_owned(),
        })
    }

    /// Sends a question and its payment once.
    pub(super) async fn ask(&self, path: &str, payment: &str, body: &Value, part: Part) -> anyhow::Result<Sent> {
        let url = format!("{}{path}", self.endpoint);
        let request = self
            .client
            .post(&url)
            .header(PAYMENT_HEADER, payment)
            .header("content-type", "application/json")
            .body(body.to_string());
        let no_answer = |error: &dyn std::fmt::Display| {
            Ok(Sent::Later(Later {
                status: 0,
                why: format!("{url} does not answer ({error})"),
                after: None,
            }))
        };
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => return no_answer(&error),
        };
        let status = response.status().as_u16();
        let wait = response
            .headers()
            .get("retry-after")
            .and_then(|wait| wait.to_str().ok());
        let after = wait.and_then(|seconds| Some(Duration::from_secs(seconds.parse().ok()?)));
        let part = if status == 200 { part } else { Part::All };
        let bytes = match self.read(response, part).await? {
            Ok(bytes) => bytes,
            Err(why) => return no_answer(&why),
        };
        Ok(match status {
            200 => Sent::Answered(bytes),
            408 | 409 | 429 | 500.. => Sent::Later(Later {
                status,
                why: told(&bytes),
                after,
            }),
            _ => Sent::Refused(Refusal {
                status,
                why: told(&bytes),
                code: refusal_code(&bytes),
            }),
        })
    }

    /// What `GET /v1/models` says about one of them.
    pub(super) async fn model(&self, address: &str) -> anyhow::Result<Value> {
        let url = format!("{}/v1/models", self.endpoint);
        let response = self.client.get(&url).send().await;
        let response = response.with_context(|| format!("{url} does not answer"))?;
        let bytes = self.read(response, Part::All).await?;
        let bytes = bytes.map_err(|why| anyhow::anyhow!("{url} does not answer ({why})"))?;
        let models: Value = serde_json::from_slice(&bytes).with_context(|| format!("{url} is not understood"))?;
        let models = models["data"].as_array().map(Vec::as_slice).unwrap_or_default();
        let found = models.iter().find(|model| model["address"].as_str() == Some(address));
        found
            .cloned()
            .context("The operator does not serve the model at the moment.")
    }

    /// The inner error: it broke off.
    async fn read(&self, mut response: reqwest::Response, part: Part) -> anyhow::Result<Result<Vec<u8>, String>> {
        let mut bytes = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) => {
                    anyhow::ensure!(
                        bytes.len() + chunk.len() <= MAX_ANSWER_BYTES,
                        "{} sends no end of bytes",
                        self.endpoint
                    );
                    bytes.extend_from_slice(&chunk);
                }
                Ok(None) => {
                    return Ok(match part {
                        Part::All => Ok(bytes),
                        Part::FirstEvent => Err("the stream ended before its first event".into()),
                    });
                }
                Err(error) => return Ok(Err(error.to_string())),
            }
            if let (Part::FirstEvent, Some(event)) = (part, first_event(&bytes)) {
                return Ok(Ok(event));
            }
        }
    }
}

/// The data of the first event that has some, once all of it is there.
fn first_event(stream: &[u8]) -> Option<Vec<u8>> {
    let mut data: Option<Vec<u8>> = None;
    for line in stream.split_inclusive(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\n")?;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if let Some(more) = line.strip_prefix(b"data:") {
            let more = more.strip_prefix(b" ").unwrap_or(more);
            match &mut data {
                Some(data) => data.extend_from_slice(&[b"\n", more].concat()),
                None => data = Some(more.to_vec()),
            }
        } else if line.is_empty() && data.is_some() {
            return data;
        }
    }
    None
}

/// The operator's words, in one line.
fn told(bytes: &[u8]) -> String {
    let body: Value = serde_json::from_slice(bytes).unwrap_or_default();
    let said = body["error"]["message"].as_str().or(body["error"].as_str());
    said.unwrap_or("it does not say why")
        .chars()
        .filter(|c| !c.is_control())
        .take(400)
        .collect()
}

fn refusal_code(bytes: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(bytes).ok()?;
    body["code"].as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_a_stream_when_its_first_event_is_looked_for_then_found_once_it_is_complete() {
        let found = |stream: &str| first_event(stream.as_bytes()).map(|data| String::from_utf8(data).unwrap());
        assert_eq!(found("data: {\"a\":1}\n\ndata: b\n\n").as_deref(), Some("{\"a\":1}"));
        assert_eq!(found(":\n\n: alive\n\ndata:x\r\n\r\n").as_deref(), Some("x"));
        assert_eq!(
            found("event: step\ndata: one\ndata: two\n\n").as_deref(),
            Some("one\ntwo")
        );
        for part in [
            "",
            ":\n\n",
            "data: x",
            "data: x\n",
            "data: x\n: still\n",
            "event: step\n\n",
        ] {
            assert_eq!(found(part), None, "{part:?}");
        }
    }
}
