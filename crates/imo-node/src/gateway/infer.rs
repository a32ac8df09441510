//! `POST /v1/infer`: raw tensors, as JSON or as bytes.

use std::sync::Arc;

use axum::{
    Json,
    body::Body,
    extract::{Query, State},
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use opml::{ElementType, TensorSpec};
use opml_runtime::Tensor;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Gateway, pay::Served, refusal::Refusal};
use crate::text::hex;

const BINARY: &str = "application/octet-stream";
/// Where the evidence goes when the body is the output's bytes.
pub const RECEIPT_HEADER: &str = "x-imo-receipt";
pub const SEQUENCE_HEADER: &str = "x-imo-sequence";
pub const ANSWER_KEY_HEADER: &str = "x-imo-answer-key";
pub const ANSWER_SIGNATURE_HEADER: &str = "x-imo-answer-signature";

#[derive(Debug, Deserialize)]
pub struct ModelQuery {
    model: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InferRequest {
    /// Name or address; may be left out where only one is served.
    model: Option<String>,
    input: TensorBody,
}

/// Elements in row-major order: as numbers, or as base64 of their bytes (int32 little-endian). The shape is the model's.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum TensorBody {
    Values { values: Vec<i32> },
    Data { data: String },
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct OutputBody {
    /// `int8` or `int32`.
    pub element: String,
    pub shape: Vec<u32>,
    pub values: Vec<i32>,
}

/// What a payer keeps to prove what it was told.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct EvidenceBody {
    /// Base64 of the receipt's 168 bytes.
    pub receipt: String,
    pub sequence: u64,
    /// Hexadecimal roots.
    pub model_root: String,
    pub input_root: String,
    pub output_root: String,
    /// Base58; the operator's account holds its SHA-256.
    pub answer_key: String,
    /// Base64, of the answer's 208 bytes.
    pub answer_signature: String,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct InferResponse {
    pub model: String,
    pub output: OutputBody,
    pub evidence: EvidenceBody,
}

/// An answer to raw elements.
#[utoipa::path(
    post, path = "/v1/infer", request_body = InferRequest,
    params(("model" = Option<String>, Query, description = "Which model, when the body is bytes"), ("X-PAYMENT" = String, Header, description = "The voucher")),
    responses(
        (status = 200, body = InferResponse), (status = 400, description = "Not an input of the model"), (status = 402, description = "The terms, in x402's form"),
        (status = 409, description = "The lane moved on"), (status = 413, description = "Too large"), (status = 429, description = "Come back after Retry-After")
    )
)]
pub async fn infer(
    State(gateway): State<Arc<Gateway>>,
    Query(query): Query<ModelQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    const RESOURCE: &str = "/v1/infer";
    let payment = gateway.admit(&headers, RESOURCE).await?;
    let body = gateway.body(&headers, body, gateway.body_limit()).await?;
    let binary = |name: HeaderName| headers.get(name).is_some_and(|kind| kind == BINARY);
    let (model, input) = if binary(header::CONTENT_TYPE) {
        let model = gateway.model(query.model.as_deref())?;
        let input = Tensor::new(*model.model.input_spec(), body).map_err(bad)?;
        (model, input)
    } else {
        let InferRequest { model, input } = serde_json::from_slice(&body).map_err(bad)?;
        let model = gateway.model(model.as_deref().or(query.model.as_deref()))?;
        let input = input.tensor(model.model.input_spec())?;
        (model, input)
    };
    let name = model.name.clone();
    let served = gateway.answer(payment, model, input, RESOURCE).await?;
    Ok(if binary(header::ACCEPT) {
        bytes_response(&served)
    } else {
        let response = InferResponse {
            model: name,
            output: OutputBody::from(&served.output),
            evidence: EvidenceBody::from(&served),
        };
        Json(response).into_response()
    })
}

impl TensorBody {
    fn tensor(self, spec: &TensorSpec) -> Result<Tensor, Refusal> {
        match self {
            Self::Values { values } => tensor_of(spec, &values),
            Self::Data { data } => Tensor::new(*spec, STANDARD.decode(data).map_err(bad)?).map_err(bad),
        }
    }
}

/// A model's input with these elements.
pub fn tensor_of(spec: &TensorSpec, values: &[i32]) -> Result<Tensor, Refusal> {
    let bytes: Vec<u8> = match spec.element() {
        ElementType::Int8 => values
            .iter()
            .map(|value| {
                let value = i8::try_from(*value);
                value
                    .map(i8::cast_unsigned)
                    .map_err(|_| Refusal::BadRequest("An int8 element is -128 to 127.".into()))
            })
            .collect::<Result<_, _>>()?,
        ElementType::Int32 => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
    };
    Tensor::new(*spec, bytes).map_err(bad)
}

pub fn bad(error: impl std::fmt::Display) -> Refusal {
    Refusal::BadRequest(error.to_string())
}

impl From<&Tensor> for OutputBody {
    fn from(tensor: &Tensor) -> Self {
        let spec = tensor.spec();
        Self {
            element: match spec.element() {
                ElementType::Int8 => "int8".into(),
                ElementType::Int32 => "int32".into(),
            },
            shape: spec.shape().to_vec(),
            values: tensor.values(),
        }
    }
}

impl From<&Served> for EvidenceBody {
    fn from(served: &Served) -> Self {
        let receipt = served.stored.receipt();
        Self {
            receipt: STANDARD.encode(receipt.bytes()),
            sequence: receipt.sequence,
            model_root: hex(&receipt.claim.model_root),
            input_root: hex(&receipt.claim.input_root),
            output_root: hex(&receipt.claim.output_root),
            answer_key: served.answer.key.to_string(),
            answer_signature: STANDARD.encode(served.answer.signature),
        }
    }
}

fn bytes_response(served: &Served) -> Response {
    let evidence = EvidenceBody::from(served);
    let mut response = served.output.bytes().to_vec().into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(BINARY));
    headers.insert(SEQUENCE_HEADER, HeaderValue::from(evidence.sequence));
    for (name, value) in [
        (RECEIPT_HEADER, evidence.receipt),
        (ANSWER_KEY_HEADER, evidence.answer_key),
        (ANSWER_SIGNATURE_HEADER, evidence.answer_signature),
    ] {
        // Base64 and base58 are of visible characters.
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    response
}
