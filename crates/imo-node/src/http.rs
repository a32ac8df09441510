//! Connections of everything that is served: so many and no more, none that dawdles, all of them finished before the end.

use std::{sync::Arc, time::Duration};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;

/// How long requests may take to finish once the node is told to stop.
const FAREWELL: Duration = Duration::from_secs(30);

/// Bytes of headers and of a connection's read buffer, at most.
const READ_BUFFER: usize = 32 << 10;

/// Who may connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connections {
    /// At once, at most.
    pub most: usize,
    /// How long headers may take, and how long a client may take nothing of its answer.
    pub patience: Duration,
}

impl Default for Connections {
    fn default() -> Self {
        Self {
            most: 1_024,
            patience: Duration::from_secs(10),
        }
    }
}

/// Serves until told to stop; returns when every request is answered or the farewell is over.
pub async fn serve(router: Router, allowed: Connections, listener: TcpListener, stop: CancellationToken) {
    let connections = Arc::new(Semaphore::new(allowed.most));
    let graceful = GracefulShutdown::new();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(allowed.patience)
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
        stream.set_write_timeout(Some(allowed.patience));
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

async fn accept(listener: &TcpListener, connections: &Arc<Semaphore>) -> Option<(TcpStream, OwnedSemaphorePermit)> {
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
