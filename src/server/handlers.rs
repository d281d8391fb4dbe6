//! One function an endpoint.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{Path, Query, Request, State};
use axum::response::Response;
use futures_util::StreamExt;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::answer::{Answer, Refusal, lines};
use super::core::Core;
use super::shell::Wanted;
use super::{logs, shell};
use crate::api::{
    CancelRequest, ContextView, DeployRequest, PlanRequest, PlanView, ServerView, ServiceDetail, Snapshot,
    TerminalSize, VariableChange, VariableView,
};
use crate::deploy::Deploy;
use crate::engine::LogQuery;
use crate::name::{ContainerName, DeployId, ServiceName};

/// Deploys that a list holds at most.
const MOST_DEPLOYS: u32 = 500;

/// How long the last events of deploys may take to go out, once the server stops.
const LAST_EVENTS: Duration = Duration::from_secs(1);

type Server = State<Arc<Core>>;
type ServicePath = Result<Path<ServiceName>, PathRejection>;
type DeployPath = Result<Path<DeployId>, PathRejection>;

pub(super) async fn server(State(core): Server) -> Json<ServerView> {
    Json(core.server_view().await)
}

pub(super) async fn snapshot(State(core): Server) -> Answer<Snapshot> {
    Ok(Json(core.snapshot().await?))
}

pub(super) async fn watch(State(core): Server) -> Response {
    lines(core.watchers.subscribe(&core).map(Shared))
}

/// One snapshot, sent to all who watch.
#[derive(Debug, Serialize)]
#[serde(transparent)]
struct Shared(#[serde(serialize_with = "whole")] Arc<Snapshot>);

fn whole<S: serde::Serializer>(snapshot: &Arc<Snapshot>, serializer: S) -> Result<S::Ok, S::Error> {
    snapshot.as_ref().serialize(serializer)
}

pub(super) async fn service(State(core): Server, path: ServicePath) -> Answer<ServiceDetail> {
    let Path(service) = path?;
    Ok(Json(core.service_detail(&service).await?))
}

#[derive(Debug, Deserialize)]
pub(super) struct LogParameters {
    tail: Option<u32>,
    since: Option<Timestamp>,
    #[serde(default)]
    follow: bool,
    container: Option<ContainerName>,
}

pub(super) async fn logs(
    State(core): Server,
    path: ServicePath,
    parameters: Result<Query<LogParameters>, QueryRejection>,
) -> Result<Response, Refusal> {
    let Path(service) = path?;
    let Query(LogParameters { tail, since, follow, container }) = parameters?;
    let query = LogQuery { tail, since, follow };
    Ok(lines(logs::of_service(&core, &service, container.as_ref(), query).await?))
}

pub(super) async fn variables(State(core): Server) -> Answer<Vec<VariableView>> {
    Ok(Json(core.variables()?))
}

pub(super) async fn change_variable(
    State(core): Server,
    request: Result<Json<VariableChange>, JsonRejection>,
) -> Answer<VariableView> {
    let Json(request) = request?;
    Ok(Json(core.change_variable(request)?))
}

#[derive(Debug, Deserialize)]
pub(super) struct ShellParameters {
    container: Option<ContainerName>,
    columns: u16,
    rows: u16,
    term: Option<String>,
}

pub(super) async fn shell(
    State(core): Server,
    path: ServicePath,
    parameters: Result<Query<ShellParameters>, QueryRejection>,
    request: Request,
) -> Result<Response, Refusal> {
    let Path(service) = path?;
    let Query(ShellParameters { container, columns, rows, term }) = parameters?;
    let wanted = Wanted { service, container, size: TerminalSize { columns, rows }, term };
    Ok(shell::open(core, wanted, request).await?)
}

pub(super) async fn receive_context(State(core): Server, body: Body) -> Answer<ContextView> {
    let received = core.receive(body.into_data_stream()).await?;
    Ok(Json(ContextView {
        id: received.id.to_string(),
        bytes: received.bytes,
        files: received.files,
        digest: received.digest,
    }))
}

pub(super) async fn preview(
    State(core): Server,
    request: Result<Json<PlanRequest>, JsonRejection>,
) -> Answer<PlanView> {
    let Json(request) = request?;
    Ok(Json(core.preview(&request).await?))
}

pub(super) async fn accept(State(core): Server, request: Result<Json<DeployRequest>, JsonRejection>) -> Answer<Deploy> {
    let Json(request) = request?;
    Ok(Json(core.accept(request).await?))
}

#[derive(Debug, Deserialize)]
pub(super) struct DeploysParameters {
    service: Option<ServiceName>,
    limit: Option<u32>,
}

pub(super) async fn deploys(
    State(core): Server,
    parameters: Result<Query<DeploysParameters>, QueryRejection>,
) -> Answer<Vec<Deploy>> {
    let Query(DeploysParameters { service, limit }) = parameters?;
    Ok(Json(core.store.deploys(service.as_ref(), limit.unwrap_or(MOST_DEPLOYS).min(MOST_DEPLOYS))?))
}

pub(super) async fn deploy(State(core): Server, path: DeployPath) -> Answer<Deploy> {
    let Path(id) = path?;
    Ok(Json(core.deploy(id)?))
}

pub(super) async fn cancel(
    State(core): Server,
    path: DeployPath,
    request: Result<Json<CancelRequest>, JsonRejection>,
) -> Answer<Deploy> {
    let (Path(id), Json(request)) = (path?, request?);
    Ok(Json(core.cancel(id, &request.who)?))
}

#[derive(Debug, Deserialize)]
pub(super) struct EventsParameters {
    #[serde(default)]
    from: u64,
}

pub(super) async fn deploy_events(
    State(core): Server,
    path: DeployPath,
    parameters: Result<Query<EventsParameters>, QueryRejection>,
) -> Result<Response, Refusal> {
    let Path(id) = path?;
    let Query(EventsParameters { from }) = parameters?;
    core.deploy(id)?;
    let events = core.events(id, from);
    let readable = events.filter_map(|event| async move {
        event.inspect_err(|error| tracing::error!(%error, "events cannot be read")).ok()
    });
    let stopped = core.stopped.clone();
    let cut = async move {
        stopped.cancelled().await;
        tokio::time::sleep(LAST_EVENTS).await;
    };
    Ok(lines(readable.take_until(Box::pin(cut))))
}
