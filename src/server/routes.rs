//! Paths → handlers, each with what it needs.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::handler::Handler;
use axum::http::Uri;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodFilter, on};

use super::core::Core;
use super::gate::{Endpoint, Guard, LARGEST_SMALL, Payload, guard};
use super::{answer, handlers};
use crate::api::{API_VERSION, BASE, Problem, ProblemCode};
use crate::keys::Role;

/// All endpoints, and how they are reached.
#[derive(Debug)]
pub(super) struct Routes {
    core: Arc<Core>,
    router: Router<Arc<Core>>,
    declared: Vec<Endpoint>,
}

/// The endpoints of a server.
pub(super) fn routes(core: Arc<Core>) -> Routes {
    use Role::{Operator, Viewer};
    Routes { core, router: Router::new(), declared: Vec::new() }
        .get("/server", Viewer, handlers::server)
        .get("/snapshot", Viewer, handlers::snapshot)
        .get("/watch", Viewer, handlers::watch)
        .get("/history", Viewer, handlers::history)
        .post("/alerts/test", Operator, handlers::test_webhooks)
        .get("/services/{service}", Viewer, handlers::service)
        .get("/services/{service}/logs", Viewer, handlers::logs)
        .get("/disk", Viewer, handlers::disk)
        .post("/prune", Operator, handlers::prune)
        .get("/variables", Viewer, handlers::variables)
        .post("/variables", Operator, handlers::change_variable)
        .post("/services/{service}/releases/{release}/pin", Operator, handlers::pin)
        .get("/services/{service}/shell", Operator, handlers::shell)
        .stream("/contexts", Operator, handlers::receive_context)
        .post("/plans", Viewer, handlers::preview)
        .get("/deploys", Viewer, handlers::deploys)
        .post("/deploys", Operator, handlers::accept)
        .get("/deploys/{deploy}", Viewer, handlers::deploy)
        .post("/deploys/{deploy}/cancel", Operator, handlers::cancel)
        .get("/deploys/{deploy}/events", Viewer, handlers::deploy_events)
        .get("/audit", Viewer, handlers::audit)
}

impl Routes {
    pub(super) fn into_router(self) -> Router {
        self.router.fallback(unknown).with_state(self.core)
    }

    pub(super) fn declared(&self) -> &[Endpoint] {
        &self.declared
    }

    fn get<H: Handler<T, Arc<Core>>, T: 'static>(self, path: &'static str, role: Role, handler: H) -> Self {
        self.add(Endpoint { method: "GET", path, role, payload: Payload::Small }, MethodFilter::GET, handler)
    }

    fn post<H: Handler<T, Arc<Core>>, T: 'static>(self, path: &'static str, role: Role, handler: H) -> Self {
        self.add(Endpoint { method: "POST", path, role, payload: Payload::Small }, MethodFilter::POST, handler)
    }

    /// What is posted is read as it comes.
    fn stream<H: Handler<T, Arc<Core>>, T: 'static>(self, path: &'static str, role: Role, handler: H) -> Self {
        self.add(Endpoint { method: "POST", path, role, payload: Payload::Stream }, MethodFilter::POST, handler)
    }

    /// The only way to a handler leads through the guard.
    fn add<H, T>(mut self, endpoint: Endpoint, method: MethodFilter, handler: H) -> Self
    where
        H: Handler<T, Arc<Core>>,
        T: 'static,
    {
        let guarded = Guard { core: Arc::clone(&self.core), endpoint };
        let limit = match endpoint.payload {
            Payload::Small => DefaultBodyLimit::max(LARGEST_SMALL),
            Payload::Stream => DefaultBodyLimit::disable(),
        };
        let route = on(method, handler).layer(limit).layer(from_fn_with_state(guarded, guard));
        self.router = self.router.route(&format!("{BASE}{}", endpoint.path), route);
        self.declared.push(endpoint);
        self
    }
}

async fn unknown(uri: Uri) -> answer::Refusal {
    let version = uri.path().strip_prefix("/daemon/v").and_then(|rest| rest.split('/').next()?.parse::<u32>().ok());
    match version {
        Some(asked) if asked != API_VERSION => other_version(asked),
        _ => Problem::new(ProblemCode::NotFound, format!("this server knows no {}", uri.path()))
            .hint("Client and server may be of different versions; upgrade the older one."),
    }
    .into()
}

fn other_version(asked: u32) -> Problem {
    let older = if asked > API_VERSION { "the server" } else { "mypaas on the machine that asks" };
    let message = format!("this server speaks version {API_VERSION} of the API, and was asked in version {asked}");
    Problem::new(ProblemCode::Version, message).hint(format!("Upgrade {older}."))
}
