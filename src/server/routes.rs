//! Paths → handlers.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};

use super::core::Core;
use super::{answer, handlers};
use crate::api::{BASE, Problem, ProblemCode};

/// Requests but for contexts are small.
const LARGEST_REQUEST: usize = 2 * 1024 * 1024;

pub(super) fn routes(core: Arc<Core>) -> Router {
    let endpoints = Router::new()
        .route("/server", get(handlers::server))
        .route("/snapshot", get(handlers::snapshot))
        .route("/watch", get(handlers::watch))
        .route("/services/{service}", get(handlers::service))
        .route("/services/{service}/logs", get(handlers::logs))
        .route("/variables", get(handlers::variables).post(handlers::change_variable))
        .route("/services/{service}/shell", get(handlers::shell))
        .route("/contexts", post(handlers::receive_context).layer(DefaultBodyLimit::disable()))
        .route("/plans", post(handlers::preview))
        .route("/deploys", get(handlers::deploys).post(handlers::accept))
        .route("/deploys/{deploy}", get(handlers::deploy))
        .route("/deploys/{deploy}/cancel", post(handlers::cancel))
        .route("/deploys/{deploy}/events", get(handlers::deploy_events))
        .layer(DefaultBodyLimit::max(LARGEST_REQUEST))
        .with_state(core);
    Router::new().nest(BASE, endpoints).fallback(unknown)
}

async fn unknown(uri: axum::http::Uri) -> answer::Refusal {
    let message = format!("this server knows no {}", uri.path());
    let hint = "Client and server may be of different versions; upgrade the older one.";
    Problem::new(ProblemCode::NotFound, message).hint(hint).into()
}
