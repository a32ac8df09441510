//! What a client is told when it gets no answer.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header::RETRY_AFTER},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::payment::PaymentError;
use crate::{chain::ChainError, store::StoreError};

/// Why a request is refused.
#[derive(Debug)]
pub enum Refusal {
    /// Nothing, or nothing acceptable, was paid; the terms follow.
    Payment(Value),
    BadRequest(String),
    NotFound(&'static str),
    TooLarge(usize),
    TooSlow,
    /// Come back in so many seconds.
    Busy {
        why: &'static str,
        seconds: u32,
    },
    /// The lane's newest question was asked again too often, or is another one.
    Conflict(&'static str),
    /// Nothing of the client's is wrong.
    Unavailable(String),
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let error = |status: StatusCode, message: String| {
            (status, Json(json!({ "error": { "message": message } }))).into_response()
        };
        match self {
            Self::Payment(terms) => (StatusCode::PAYMENT_REQUIRED, Json(terms)).into_response(),
            Self::BadRequest(message) => error(StatusCode::BAD_REQUEST, message),
            Self::NotFound(message) => error(StatusCode::NOT_FOUND, message.into()),
            Self::TooLarge(limit) => error(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("A body for this model has at most {limit} bytes."),
            ),
            Self::TooSlow => error(StatusCode::REQUEST_TIMEOUT, "The request took too long.".into()),
            Self::Busy { why, seconds } => {
                let mut response = error(StatusCode::TOO_MANY_REQUESTS, why.into());
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
                response
            }
            Self::Conflict(message) => error(StatusCode::CONFLICT, message.into()),
            Self::Unavailable(message) => {
                tracing::warn!(error = message, "a request could not be served");
                error(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "The operator cannot serve at the moment; nothing was charged unless an answer came before.".into(),
                )
            }
        }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict => Self::Conflict("Another question was taken on this lane meanwhile."),
            error => Self::Unavailable(error.to_string()),
        }
    }
}

impl From<ChainError> for Refusal {
    fn from(error: ChainError) -> Self {
        match error {
            ChainError::Busy => Self::Busy {
                why: "Too many lanes are looked up at the moment.",
                seconds: 1,
            },
            error => Self::Unavailable(error.to_string()),
        }
    }
}

/// A name for each error that no rewording changes.
pub fn code(error: &PaymentError) -> &'static str {
    match error {
        PaymentError::WrongSignature => "wrong_signature",
        PaymentError::WrongCluster => "wrong_cluster",
        PaymentError::WrongProgram => "wrong_program",
        PaymentError::NoLane => "no_lane",
        PaymentError::ForeignLane => "foreign_lane",
        PaymentError::OldLane => "old_lane",
        PaymentError::NoSession => "no_session",
        PaymentError::OldSession => "old_session",
        PaymentError::SessionOver => "session_over",
        PaymentError::OutlivesSession => "outlives_session",
        PaymentError::ExpiresTooSoon => "expires_too_soon",
        PaymentError::WrongModel => "wrong_model",
        PaymentError::NotNext { .. } => "not_next",
        PaymentError::HistoryMissing => "history_missing",
        PaymentError::WrongRequests => "wrong_requests",
        PaymentError::LaneOverdrawn => "lane_overdrawn",
        PaymentError::LimitExceeded => "limit_exceeded",
    }
}
