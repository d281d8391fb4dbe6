//! Connections from the router, with their limits. Each is good for one request, so none stays open without one. One
//! that becomes a shell is none of them any more: so many of those at once are a matter of its key.

use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::server::core::Core;
use crate::server::gate::Peer;
use crate::server::routes;

/// Connections at once. Further ones wait until one ends.
const MOST_CONNECTIONS: usize = 512;

/// How long the head of a request may take to arrive.
const HEAD_LIMIT: Duration = Duration::from_secs(5);

/// What the head of a request may hold: fields, and bytes.
const MOST_FIELDS: usize = 64;
const LARGEST_HEAD: usize = 32 * 1024;

/// When the machine gives no more connections, it is asked again after so long.
const BREATHER: Duration = Duration::from_millis(100);

/// Answers what comes from one address, until closed; requests under way come to their end afterwards.
pub async fn accept(listener: TcpListener, core: Arc<Core>, from: IpAddr, closed: CancellationToken) {
    let router = routes::routes(core).into_router();
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    while let Some((stream, place)) = closed.run_until_cancelled(next(&listener, from, &places)).await {
        let router = router.clone();
        let answer = service_fn(move |request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(Peer::Network { address: from }));
            router.clone().oneshot(request)
        });
        let connection = http().serve_connection(TokioIo::new(stream), answer).with_upgrades();
        let closed = closed.clone();
        tokio::spawn(async move {
            let mut connection = pin!(connection);
            let ended = tokio::select! {
                ended = connection.as_mut() => ended,
                () = closed.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection from the router broke");
            }
            drop(place);
        });
    }
}

/// The next connection from the router, and its place among all.
async fn next(listener: &TcpListener, from: IpAddr, places: &Arc<Semaphore>) -> (TcpStream, OwnedSemaphorePermit) {
    loop {
        let Ok(place) = Arc::clone(places).acquire_owned().await else { std::future::pending().await };
        match listener.accept().await {
            Ok((stream, peer)) if peer.ip() == from => return (stream, place),
            Ok((_, peer)) => tracing::warn!(%peer, "somebody who is not the router was turned away"),
            Err(error) => {
                tracing::warn!(%error, "no connection could be accepted");
                sleep(BREATHER).await;
            }
        }
    }
}

fn http() -> http1::Builder {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEAD_LIMIT)
        .max_headers(MOST_FIELDS)
        .max_buf_size(LARGEST_HEAD)
        .keep_alive(false);
    http
}
