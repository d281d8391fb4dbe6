//! One function an endpoint. Each gets a [`Desk`], never the server itself.

use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{Path, Query, Request};
use axum::response::Response;
use futures_util::StreamExt;
use jiff::Timestamp;
use serde::Deserialize;

use super::answer::{Answer, Refusal, lines};
use super::desk::Desk;
use super::shell::Wanted;
use crate::api::{
    AuditEntry, CancelRequest, ContextView, DeployRequest, DiskView, History, HistoryQuery, LogsOf, PinRequest,
    PlanRequest, PlanView, PruneRequest, Pruned, ReleaseView, ServerView, ServiceDetail, Snapshot, TerminalSize,
    VariableChange, VariableView, WebhookTest,
};
use crate::deploy::Deploy;
use crate::engine::LogQuery;
use crate::name::{ContainerName, DeployId, ReleaseId, ServiceName};

/// Deploys that a list holds at most.
const MOST_DEPLOYS: u32 = 500;

/// Entries of the audit log that a list holds at most.
const MOST_ENTRIES: usize = 1000;

/// How long the last events of deploys may take to go out, once the server stops.
const LAST_EVENTS: Duration = Duration::from_secs(1);

type ServicePath = Result<Path<ServiceName>, PathRejection>;
type DeployPath = Result<Path<DeployId>, PathRejection>;

pub(super) async fn server(desk: Desk) -> Json<ServerView> {
    Json(desk.server().await)
}

#[derive(Debug, Deserialize)]
pub(super) struct DiskParameters {
    keep: Option<u32>,
}

pub(super) async fn disk(desk: Desk, parameters: Result<Query<DiskParameters>, QueryRejection>) -> Answer<DiskView> {
    let Query(DiskParameters { keep }) = parameters?;
    Ok(Json(desk.disk(keep).await?))
}

pub(super) async fn prune(desk: Desk, request: Result<Json<PruneRequest>, JsonRejection>) -> Answer<Pruned> {
    let Json(PruneRequest { keep }) = request?;
    Ok(Json(desk.prune(keep).await?))
}

pub(super) async fn snapshot(desk: Desk) -> Answer<Snapshot> {
    Ok(Json(desk.snapshot().await?))
}

pub(super) async fn watch(desk: Desk) -> Response {
    lines(desk.watch())
}

pub(super) async fn history(desk: Desk, parameters: Result<Query<HistoryQuery>, QueryRejection>) -> Answer<History> {
    let Query(query) = parameters?;
    Ok(Json(desk.history(query).await?))
}

pub(super) async fn test_webhooks(desk: Desk) -> Answer<Vec<WebhookTest>> {
    Ok(Json(desk.test_webhooks().await?))
}

pub(super) async fn service(desk: Desk, path: ServicePath) -> Answer<ServiceDetail> {
    let Path(service) = path?;
    Ok(Json(desk.service(&service).await?))
}

#[derive(Debug, Deserialize)]
pub(super) struct LogParameters {
    tail: Option<u32>,
    since: Option<Timestamp>,
    #[serde(default)]
    follow: bool,
    container: Option<ContainerName>,
    release: Option<ReleaseId>,
}

pub(super) async fn logs(
    desk: Desk,
    path: ServicePath,
    parameters: Result<Query<LogParameters>, QueryRejection>,
) -> Result<Response, Refusal> {
    let Path(service) = path?;
    let Query(LogParameters { tail, since, follow, container, release }) = parameters?;
    let of = match (container, release) {
        (None, Some(release)) => LogsOf::Release(release),
        (container, _) => container.into(),
    };
    let query = LogQuery { tail, since, follow };
    Ok(lines(desk.logs(&service, &of, query).await?))
}

pub(super) async fn variables(desk: Desk) -> Answer<Vec<VariableView>> {
    Ok(Json(desk.variables()?))
}

pub(super) async fn change_variable(
    desk: Desk,
    request: Result<Json<VariableChange>, JsonRejection>,
) -> Answer<VariableView> {
    let Json(request) = request?;
    Ok(Json(desk.change_variable(request)?))
}

pub(super) async fn pin(
    desk: Desk,
    path: Result<Path<(ServiceName, ReleaseId)>, PathRejection>,
    request: Result<Json<PinRequest>, JsonRejection>,
) -> Answer<ReleaseView> {
    let (Path((service, release)), Json(request)) = (path?, request?);
    Ok(Json(desk.pin(&service, release, request.pinned).await?))
}

#[derive(Debug, Deserialize)]
pub(super) struct ShellParameters {
    container: Option<ContainerName>,
    columns: u16,
    rows: u16,
    term: Option<String>,
}

pub(super) async fn shell(
    desk: Desk,
    path: ServicePath,
    parameters: Result<Query<ShellParameters>, QueryRejection>,
    request: Request,
) -> Result<Response, Refusal> {
    let Path(service) = path?;
    let Query(ShellParameters { container, columns, rows, term }) = parameters?;
    let wanted = Wanted { service, container, size: TerminalSize { columns, rows }, term };
    Ok(desk.shell(wanted, request).await?)
}

pub(super) async fn receive_context(desk: Desk, body: Body) -> Answer<ContextView> {
    let received = desk.receive(body).await?;
    Ok(Json(ContextView {
        id: received.id.to_string(),
        bytes: received.bytes,
        files: received.files,
        digest: received.digest,
    }))
}

pub(super) async fn preview(desk: Desk, request: Result<Json<PlanRequest>, JsonRejection>) -> Answer<PlanView> {
    let Json(request) = request?;
    Ok(Json(desk.preview(&request).await?))
}

pub(super) async fn accept(desk: Desk, request: Result<Json<DeployRequest>, JsonRejection>) -> Answer<Deploy> {
    let Json(request) = request?;
    Ok(Json(desk.accept(request).await?))
}

#[derive(Debug, Deserialize)]
pub(super) struct DeploysParameters {
    service: Option<ServiceName>,
    limit: Option<u32>,
}

pub(super) async fn deploys(
    desk: Desk,
    parameters: Result<Query<DeploysParameters>, QueryRejection>,
) -> Answer<Vec<Deploy>> {
    let Query(DeploysParameters { service, limit }) = parameters?;
    Ok(Json(desk.deploys(service.as_ref(), limit.unwrap_or(MOST_DEPLOYS).min(MOST_DEPLOYS))?))
}

pub(super) async fn deploy(desk: Desk, path: DeployPath) -> Answer<Deploy> {
    let Path(id) = path?;
    Ok(Json(desk.deploy(id)?))
}

pub(super) async fn cancel(
    desk: Desk,
    path: DeployPath,
    request: Result<Json<CancelRequest>, JsonRejection>,
) -> Answer<Deploy> {
    let (Path(id), Json(request)) = (path?, request?);
    Ok(Json(desk.cancel(id, &request.who)?))
}

#[derive(Debug, Deserialize)]
pub(super) struct EventsParameters {
    #[serde(default)]
    from: u64,
}

pub(super) async fn deploy_events(
    desk: Desk,
    path: DeployPath,
    parameters: Result<Query<EventsParameters>, QueryRejection>,
) -> Result<Response, Refusal> {
    let Path(id) = path?;
    let Query(EventsParameters { from }) = parameters?;
    let events = desk.events(id, from)?;
    let readable = events.filter_map(|event| async move {
        event.inspect_err(|error| tracing::error!(%error, "events cannot be read")).ok()
    });
    let stopped = desk.stopped();
    let cut = async move {
        stopped.await;
        tokio::time::sleep(LAST_EVENTS).await;
    };
    Ok(lines(readable.take_until(Box::pin(cut))))
}

#[derive(Debug, Deserialize)]
pub(super) struct AuditParameters {
    service: Option<ServiceName>,
    limit: Option<usize>,
}

pub(super) async fn audit(
    desk: Desk,
    parameters: Result<Query<AuditParameters>, QueryRejection>,
) -> Answer<Vec<AuditEntry>> {
    let Query(AuditParameters { service, limit }) = parameters?;
    Ok(Json(desk.audit(service.as_ref(), limit.unwrap_or(MOST_ENTRIES).min(MOST_ENTRIES))?))
}
