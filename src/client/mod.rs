//! Talks to a server: one method an endpoint. What the server refuses comes back as its own [`Problem`].
//!
//! ```text
//! error.rs       why there is no answer
//! transport.rs   how requests reach a server: its socket, the network, ssh
//! ssh.rs         a socket here that leads to one there
//! spool.rs       a context whose digest goes ahead of it
//! pace.rs        a body whose end is not known, while it is taken
//! limits.rs      how long an answer may take, and how large it may be
//! lines.rs       an answer that goes on
//! original.rs    pushes to a server of the Python original
//! watch.rs       changes → snapshots
//! ```

mod error;
mod limits;
mod lines;
mod original;
mod pace;
mod shell;
mod spool;
mod ssh;
#[cfg(test)]
mod tests;
mod transport;
mod watch;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream::BoxStream;
use reqwest::{Method, RequestBuilder, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::api::{
    AuditEntry, CancelRequest, ContextView, DeployRequest, DiskView, History, HistoryQuery, LogsOf, PinRequest,
    PlanRequest, PlanView, PruneRequest, Pruned, ReleaseView, ServerView, ServiceDetail, Snapshot, VariableChange,
    VariableView, WebhookTest,
};
use crate::deploy::{Deploy, Event};
use crate::engine::{LogLine, LogQuery};
use crate::fleet::Address;
use crate::keys::Signer;
use crate::name::{DeployId, ReleaseId, ServiceName};
use crate::proof::BodyDigest;

pub use self::error::ClientError;
use self::limits::{ANSWER_LIMIT, DECISION_LIMIT, LARGEST_ANSWER, PRUNE_LIMIT, UPLOAD_LIMIT, whole, within};
use self::pace::paced;
pub use self::spool::Sending;
use self::spool::Spooled;
use self::transport::Transport;

pub use self::shell::{Shell, ShellInput, ShellOutput, TerminalKind};

pub type Result<T, E = ClientError> = std::result::Result<T, E>;

/// A connection to one server. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Client {
    transport: Transport,
}

impl Client {
    /// Talks to the server that listens on a unix socket.
    pub fn unix(socket: &Path) -> Result<Self> {
        Ok(Self { transport: Transport::unix(socket)? })
    }

    /// Talks to the server at an address. Over the network requests are signed; elsewhere no signer is needed. Needs a
    /// tokio runtime.
    pub fn connect(address: &Address, signer: Option<Signer>) -> Result<Self> {
        let transport = match address {
            Address::Unix(socket) => Transport::unix(socket)?,
            Address::Network(network) => Transport::network(network, signer.ok_or(ClientError::NoKey)?)?,
            Address::Ssh(ssh) => Transport::ssh(ssh)?,
        };
        Ok(Self { transport })
    }

    /// Where the server is, for people.
    pub fn endpoint(&self) -> &str {
        self.transport.endpoint()
    }

    pub async fn server(&self) -> Result<ServerView> {
        self.get("/server").await
    }

    /// How much room there is, and what might go if so many releases of each service were kept.
    pub async fn disk(&self, keep: Option<u32>) -> Result<DiskView> {
        let parameter = keep.map(|keep| format!("?keep={keep}")).unwrap_or_default();
        let path = format!("/disk{parameter}");
        self.ask(&path, self.transport.request(Method::GET, &path), DECISION_LIMIT).await
    }

    /// Removes what may go.
    pub async fn prune(&self, request: PruneRequest) -> Result<Pruned> {
        self.ask("/prune", self.transport.request(Method::POST, "/prune").json(&request), PRUNE_LIMIT).await
    }

    pub async fn snapshot(&self) -> Result<Snapshot> {
        self.get("/snapshot").await
    }

    /// A snapshot now, and another whenever something changed.
    pub async fn watch(&self) -> Result<BoxStream<'static, Result<Snapshot>>> {
        Ok(watch::folded(self.stream("/watch".into()).await?))
    }

    /// Figures of a service, or of the machine, over time.
    pub async fn history(&self, query: &HistoryQuery) -> Result<History> {
        let HistoryQuery { service, span, points } = query;
        let mut path = format!("/history?span={}", span.word());
        path.extend(service.as_ref().map(|service| format!("&service={}", encoded(service))));
        path.extend(points.map(|points| format!("&points={points}")));
        self.get(&path).await
    }

    /// Sends a test to each webhook of the server, and tells what came of it.
    pub async fn test_webhooks(&self) -> Result<Vec<WebhookTest>> {
        self.post("/alerts/test", &()).await
    }

    pub async fn service(&self, service: &ServiceName) -> Result<ServiceDetail> {
        self.get(&format!("/services/{}", encoded(service))).await
    }

    /// What the service's containers wrote, or some of them.
    pub async fn logs(
        &self,
        service: &ServiceName,
        of: &LogsOf,
        query: &LogQuery,
    ) -> Result<BoxStream<'static, Result<LogLine>>> {
        let mut parameters = vec![format!("follow={}", query.follow)];
        parameters.extend(query.tail.map(|tail| format!("tail={tail}")));
        parameters.extend(query.since.map(|since| format!("since={since}")));
        match of {
            LogsOf::Service => {}
            LogsOf::Container(name) => parameters.push(format!("container={name}")),
            LogsOf::Release(release) => parameters.push(format!("release={release}")),
        }
        self.stream(format!("/services/{}/logs?{}", encoded(service), parameters.join("&"))).await
    }

    /// The variables of the server's environment, by name.
    pub async fn variables(&self) -> Result<Vec<VariableView>> {
        self.get("/variables").await
    }

    pub async fn change_variable(&self, change: &VariableChange) -> Result<VariableView> {
        self.post("/variables", change).await
    }

    /// Keeps a release whatever its age, or no longer.
    pub async fn pin(&self, service: &ServiceName, release: ReleaseId, request: PinRequest) -> Result<ReleaseView> {
        self.post(&format!("/services/{}/releases/{release}/pin", encoded(service)), &request).await
    }

    /// Sends a context (a tar.gz); to be named in the deploy request that follows. Over the network its digest goes ahead
    /// of it, so it is all packed before the first byte is sent.
    pub async fn upload(
        &self,
        context: impl Stream<Item = std::io::Result<Bytes>> + Send + 'static,
        sending: Arc<Sending>,
    ) -> Result<ContextView> {
        let request = self.transport.request(Method::POST, "/contexts").header("content-type", "application/gzip");
        let response = if self.transport.signs() {
            let spooled = Spooled::take(context).await.map_err(ClientError::Pack)?;
            let (bytes, digest) = (spooled.bytes, spooled.digest);
            let (body, pace) = paced(spooled.into_stream(sending));
            pace.keep(self.transport.send_body(request.header("content-length", bytes).body(body), digest)).await?
        } else {
            let (body, pace) = paced(context);
            pace.keep(self.transport.send_body(request.body(body), BodyDigest::of(&[]))).await?
        };
        self.read("/contexts", response, UPLOAD_LIMIT).await
    }

    pub async fn plan(&self, request: &PlanRequest) -> Result<PlanView> {
        self.post("/plans", request).await
    }

    /// Accepts a deploy; it goes on whether or not anybody watches.
    pub async fn deploy(&self, request: &DeployRequest) -> Result<Deploy> {
        self.post("/deploys", request).await
    }

    /// Ends a deploy that has changed nothing yet.
    pub async fn cancel(&self, id: DeployId, request: &CancelRequest) -> Result<Deploy> {
        self.post(&format!("/deploys/{id}/cancel"), request).await
    }

    pub async fn deploys(&self, service: Option<&ServiceName>, limit: u32) -> Result<Vec<Deploy>> {
        let filter = service.map(|name| format!("&service={}", encoded(name))).unwrap_or_default();
        self.get(&format!("/deploys?limit={limit}{filter}")).await
    }

    pub async fn deploy_state(&self, id: DeployId) -> Result<Deploy> {
        self.get(&format!("/deploys/{id}")).await
    }

    /// The deploy's events from the given number on (from 1: all); ends after the one that says how it ended.
    pub async fn deploy_events(&self, id: DeployId, from: u64) -> Result<BoxStream<'static, Result<Event>>> {
        self.stream(format!("/deploys/{id}/events?from={from}")).await
    }

    /// All events of a deploy that has ended.
    pub async fn past_events(&self, id: DeployId) -> Result<Vec<Event>> {
        let path = format!("/deploys/{id}/events?from=1");
        let response = self.transport.send(self.transport.request(Method::GET, &path), ANSWER_LIMIT).await?;
        lines::all(path, response, LARGEST_ANSWER).await
    }

    /// What was asked of the server of late, newest first; all, or what was about one service.
    pub async fn audit(&self, service: Option<&ServiceName>, limit: u32) -> Result<Vec<AuditEntry>> {
        let filter = service.map(|name| format!("&service={}", encoded(name))).unwrap_or_default();
        self.get(&format!("/audit?limit={limit}{filter}")).await
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        self.ask(path, self.transport.request(Method::GET, path), ANSWER_LIMIT).await
    }

    async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T> {
        self.ask(path, self.transport.request(Method::POST, path).json(body), DECISION_LIMIT).await
    }

    async fn ask<T: DeserializeOwned>(&self, path: &str, request: RequestBuilder, limit: Duration) -> Result<T> {
        let response = self.transport.send(request, limit).await?;
        self.read(path, response, limit).await
    }

    async fn stream<T: DeserializeOwned + Send + 'static>(
        &self,
        path: String,
    ) -> Result<BoxStream<'static, Result<T>>> {
        let response = self.transport.send(self.transport.request(Method::GET, &path), ANSWER_LIMIT).await?;
        Ok(lines::parsed(path, response))
    }

    async fn read<T: DeserializeOwned>(&self, request: &str, response: Response, limit: Duration) -> Result<T> {
        let body = async { whole(response, LARGEST_ANSWER).await.map_err(|error| self.transport.explain(error)) };
        let body = within(limit, body).await?.ok_or_else(|| ClientError::too_large(request, LARGEST_ANSWER))?;
        serde_json::from_slice(&body)
            .map_err(|error| ClientError::Unreadable { request: request.to_owned(), source: Box::new(error) })
    }
}

/// A slash is the only character of a service's name that means something in a path.
fn encoded(service: &ServiceName) -> String {
    service.as_str().replace('/', "%2F")
}
