//! A stand-in for Traefik's API that follows the folder as a test wants it to.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// It stops when it is dropped.
pub(super) struct FakeTraefik {
    pub(super) address: SocketAddr,
    task: JoinHandle<()>,
}

impl FakeTraefik {
    /// `knows` tells by name what Traefik's view shows.
    pub(super) async fn start(address: SocketAddr, knows: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let knows = Arc::new(knows);
        let report = move |Path((_, name)): Path<(String, String)>| {
            let known = knows(name.trim_end_matches("@file"));
            async move { if known { Ok(r#"{"status":"enabled"}"#) } else { Err(StatusCode::NOT_FOUND) } }
        };
        let app = axum::Router::new()
            .route("/api/version", get(|| async { r#"{"Version":"3.7.15"}"# }))
            .route("/api/http/{kind}/{name}", get(report));
        let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { address, task }
    }
}

impl Drop for FakeTraefik {
    fn drop(&mut self) {
        self.task.abort();
    }
}
