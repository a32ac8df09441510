//! The shapes that OpenAI-style clients send. Inputs are token ids or elements: models are integer graphs, and tokenizers are their clients' part.

use std::sync::Arc;

use axum::{Json, body::Body, extract::State, http::HeaderMap};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    Gateway,
    infer::{EvidenceBody, bad, tensor_of},
    pay::Served,
    refusal::Refusal,
};

#[derive(Debug, Deserialize, ToSchema)]
pub struct OpenAiRequest {
    model: Option<String>,
    /// Integers; as the only element of a list, too.
    #[schema(value_type = Vec<i32>)]
    input: Value,
    /// Only `float`, which is what integers are written as.
    encoding_format: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Usage {
    prompt_tokens: usize,
    total_tokens: usize,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Embedding {
    object: &'static str,
    index: usize,
    embedding: Vec<i32>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct EmbeddingsResponse {
    object: &'static str,
    data: Vec<Embedding>,
    model: String,
    usage: Usage,
    /// What the payer keeps.
    imo: EvidenceBody,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Classification {
    index: usize,
    /// Number of the class with the highest score; of a model that gives one number, that number.
    label: i64,
    num_classes: usize,
    scores: Vec<i32>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ClassifyResponse {
    object: &'static str,
    data: Vec<Classification>,
    model: String,
    usage: Usage,
    /// What the payer keeps.
    imo: EvidenceBody,
}

/// The output's elements as an embedding.
#[utoipa::path(
    post, path = "/v1/embeddings", request_body = OpenAiRequest, params(("X-PAYMENT" = String, Header, description = "The voucher")),
    responses((status = 200, body = EmbeddingsResponse), (status = 402, description = "The terms, in x402's form"), (status = 429, description = "Come back after Retry-After"))
)]
pub async fn embeddings(
    State(gateway): State<Arc<Gateway>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<EmbeddingsResponse>, Refusal> {
    let Answered { model, usage, served } = ask(&gateway, &headers, body, "/v1/embeddings").await?;
    let embedding = Embedding {
        object: "embedding",
        index: 0,
        embedding: served.output.values(),
    };
    Ok(Json(EmbeddingsResponse {
        object: "list",
        data: vec![embedding],
        model,
        usage,
        imo: EvidenceBody::from(&served),
    }))
}

/// The class with the highest score.
#[utoipa::path(
    post, path = "/v1/classify", request_body = OpenAiRequest, params(("X-PAYMENT" = String, Header, description = "The voucher")),
    responses((status = 200, body = ClassifyResponse), (status = 402, description = "The terms, in x402's form"), (status = 429, description = "Come back after Retry-After"))
)]
pub async fn classify(
    State(gateway): State<Arc<Gateway>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<ClassifyResponse>, Refusal> {
    let Answered { model, usage, served } = ask(&gateway, &headers, body, "/v1/classify").await?;
    let scores = served.output.values();
    Ok(Json(ClassifyResponse {
        object: "list",
        data: vec![Classification {
            index: 0,
            label: label(&scores),
            num_classes: scores.len(),
            scores,
        }],
        model,
        usage,
        imo: EvidenceBody::from(&served),
    }))
}

struct Answered {
    model: String,
    usage: Usage,
    served: Served,
}

async fn ask(
    gateway: &Arc<Gateway>,
    headers: &HeaderMap,
    body: Body,
    resource: &'static str,
) -> Result<Answered, Refusal> {
    let payment = gateway.admit(headers, resource).await?;
    let body = gateway.body(headers, body, gateway.body_limit()).await?;
    let request: OpenAiRequest = serde_json::from_slice(&body).map_err(bad)?;
    if request.encoding_format.is_some_and(|format| format != "float") {
        return Err(Refusal::BadRequest("The only encoding format is float.".into()));
    }
    let values = values(&request.input)?;
    let model = gateway.model(request.model.as_deref())?;
    let input = tensor_of(model.model.input_spec(), &values)?;
    let name = model.name.clone();
    Ok(Answered {
        model: name,
        usage: Usage {
            prompt_tokens: values.len(),
            total_tokens: values.len(),
        },
        served: gateway.answer(payment, model, input, resource).await?,
    })
}

/// One input, alone or as the only one of a list: each voucher pays for one.
pub fn values(input: &Value) -> Result<Vec<i32>, Refusal> {
    let list = match input.as_array().map(Vec::as_slice) {
        Some([Value::Array(only)]) => only,
        Some([Value::Array(_), ..]) => {
            return Err(Refusal::BadRequest(
                "Each voucher pays for one input: send them one by one.".into(),
            ));
        }
        Some(list) => list,
        None => &[],
    };
    let number = |value: &Value| value.as_i64().and_then(|value| i32::try_from(value).ok());
    let values: Option<Vec<i32>> = list.iter().map(number).collect();
    values
        .filter(|values| !values.is_empty())
        .ok_or_else(|| Refusal::BadRequest("The input is a list of integers, token ids or elements, not text.".into()))
}

/// The first class with the highest score.
fn label(scores: &[i32]) -> i64 {
    match scores {
        [only] => i64::from(*only),
        scores => {
            let best = scores.iter().enumerate().rev().max_by_key(|(_, score)| **score);
            best.map_or(0, |(index, _)| index as i64)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_scores_when_labelled_then_the_first_of_the_highest_or_the_only_number() {
        assert_eq!(label(&[7]), 7);
        assert_eq!(label(&[1, 5, 5, 2]), 1);
        assert_eq!(label(&[-3, -4]), 0);
    }
}
