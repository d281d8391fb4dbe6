//! How long an answer may go on: for as long as whoever asked is let in.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::response::Response;
use futures_util::StreamExt;
use jiff::Timestamp;
use tokio::time::sleep;

use super::busy::UnderWay;
use super::caller::Caller;
use crate::server::core::Core;

/// How often is looked whether an open answer still goes to somebody who may read it.
const RECHECK: Duration = Duration::from_secs(3);

/// A request, for as long as it is answered. Until the last copy of it is gone, it counts as under way.
#[derive(Debug, Clone)]
pub(in crate::server) struct Stay {
    core: Arc<Core>,
    caller: Caller,
    /// None for a user of the server itself, whom nobody counts and nobody shuts out.
    under_way: Option<Arc<UnderWay>>,
}

impl Stay {
    pub(super) fn new(core: Arc<Core>, caller: Caller, under_way: Option<UnderWay>) -> Self {
        Self { core, caller, under_way: under_way.map(Arc::new) }
    }

    /// Returns when whoever asked is not let in any more.
    pub(in crate::server) async fn end(&self) {
        if self.under_way.is_none() {
            return std::future::pending().await;
        }
        while self.caller.still(&self.core.gate.keys.keys(), Timestamp::now()) {
            sleep(RECHECK).await;
        }
    }

    /// The answer: it counts as under way until it has gone out, and ends with the stay.
    pub(super) fn hold(self, response: Response) -> Response {
        if self.under_way.is_none() {
            return response;
        }
        response.map(|body| {
            if body.size_hint().exact().is_some() {
                return body;
            }
            let over = Box::pin(async move { self.end().await });
            Body::from_stream(body.into_data_stream().take_until(over))
        })
    }
}
