//! Who is let in.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{Gateway, refusal::Refusal};
use crate::{
    http::{self, Connections},
    metrics::Metrics,
};

/// Serves until told to stop; returns when every request is answered or the farewell is over.
pub async fn serve(gateway: Arc<Gateway>, listener: TcpListener, stop: CancellationToken) {
    let allowed = Connections {
        most: gateway.limits.connections,
        patience: gateway.read_time(),
    };
    http::serve(super::router(gateway), allowed, listener, stop).await;
}

/// Lets so many requests in and gives each so much time.
pub async fn admit(State(gateway): State<Arc<Gateway>>, request: Request, next: Next) -> Response {
    let Ok(_permit) = gateway.admitted.clone().try_acquire_owned() else {
        return refused(
            &gateway,
            Refusal::Busy {
                why: "Too many requests at once.",
                seconds: 1,
            },
        );
    };
    let time = Duration::from_secs(gateway.limits.request_seconds);
    match tokio::time::timeout(time, next.run(request)).await {
        Ok(response) => {
            if !response.status().is_success() {
                Metrics::count(&gateway.metrics.requests, outcome(&response));
            }
            response
        }
        Err(_) => refused(&gateway, Refusal::TooSlow),
    }
}

fn refused(gateway: &Gateway, refusal: Refusal) -> Response {
    let response = refusal.into_response();
    Metrics::count(&gateway.metrics.requests, outcome(&response));
    response
}

/// For the metrics.
fn outcome(response: &Response) -> &'static str {
    match response.status().as_u16() {
        402 => "unpaid",
        408 => "too_slow",
        429 => "busy",
        400..=499 => "bad_request",
        _ => "unavailable",
    }
}
