//! Connections: so many and no more, none that dawdles, all of them finished before the end.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use tokio::{net::TcpListener, sync::Semaphore};
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;

use super::{Gateway, Limits, refusal::Refusal};
use crate::metrics::Metrics;

/// How long requests may take to finish once the node is told to stop.
const FAREWELL: Duration = Duration::from_secs(30);

/// Bytes of headers and of a connection's read buffer, at most.
const READ_BUFFER: usize = 32 << 10;

/// Serves until told to stop; returns when every request is answered or the farewell is over.
pub async fn serve(gateway: Arc<Gateway>, listener: TcpListener, stop: CancellationToken) {
    let limits = gateway.limits.clone();
    serve_routes(super::router(gateway), &limits, listener, stop).await;
}

/// The same for any routes.
pub async fn serve_routes(router: Router, limits: &Limits, listener: TcpListener, stop: CancellationToken) {
    let connections = Arc::new(Semaphore::new(limits.connections));
    let graceful = GracefulShutdown::new();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(limits.read_seconds))
        .max_buf_size(READ_BUFFER);
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = accept(&listener, &connections) => accepted,
        };
        let Some((stream, permit)) = accepted else {
            continue;
        };
        let service = TowerToHyperService::new(router.clone());
        // Whoever takes nothing of its answer gives its place to somebody else.
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(Duration::from_secs(limits.read_seconds)));
        let connection = graceful.watch(http.serve_connection(TokioIo::new(Box::pin(stream)), service));
        tokio::spawn(async move {
            // A client that breaks off is no news.
            let _ = connection.await;
            drop(permit);
        });
    }
    drop(listener);
    tokio::select! {
        () = graceful.shutdown() => {}
        () = tokio::time::sleep(FAREWELL) => tracing::warn!("some requests did not finish in time"),
    }
}

type Accepted = (tokio::net::TcpStream, tokio::sync::OwnedSemaphorePermit);

async fn accept(listener: &TcpListener, connections: &Arc<Semaphore>) -> Option<Accepted> {
    let permit = connections.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => Some((stream, permit)),
        Err(error) => {
            // Out of file descriptors, for example: others have to be closed first.
            tracing::warn!(%error, "a connection was not accepted");
            tokio::time::sleep(Duration::from_millis(100)).await;
            None
        }
    }
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
