//! Talks to a server: one method an endpoint. What the server refuses comes back as its own [`Problem`].

mod lines;
mod shell;

use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream::BoxStream;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::api::{
    BASE, CancelRequest, ContextView, DeployRequest, PlanRequest, PlanView, Problem, ServerView, ServiceDetail,
    Snapshot, VariableChange, VariableView,
};
use crate::deploy::{Deploy, Event};
use crate::engine::{LogLine, LogQuery};
use crate::name::{ContainerName, DeployId, ServiceName};

pub use self::shell::{Shell, ShellInput, ShellOutput, TerminalKind};

pub type Result<T, E = ClientError> = std::result::Result<T, E>;

/// How long a server may take to answer a question that needs no waiting.
const ANSWER_LIMIT: Duration = Duration::from_secs(20);

/// Planning and accepting ask the engine and the router, which may be slow.
const DECISION_LIMIT: Duration = Duration::from_secs(60);

/// Why a request got no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("no server answers at {endpoint}")]
    Unreachable { endpoint: String, source: reqwest::Error },
    #[error("the server did not answer within {limit:?}")]
    TimedOut { limit: Duration },
    /// The server answered why not; its message stands for this error.
    #[error("{}", .0.message)]
    Refused(Box<Problem>),
    #[error("the connection to the server broke")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the server's answer to {request} cannot be read")]
    Unreadable { request: String, source: Box<dyn std::error::Error + Send + Sync> },
    #[error("the client could not be set up")]
    Setup(#[source] reqwest::Error),
}

/// A connection to one server. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    endpoint: String,
}

impl Client {
    /// Talks to the server that listens on a unix socket.
    pub fn unix(socket: &Path) -> Result<Self> {
        let http = reqwest::Client::builder()
            .unix_socket(PathBuf::from(socket))
            .connect_timeout(Duration::from_secs(5))
            .build()
            .map_err(ClientError::Setup)?;
        Ok(Self { http, endpoint: socket.display().to_string() })
    }

    /// Where the server is, for people.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    pub async fn server(&self) -> Result<ServerView> {
        self.get("/server").await
    }

    pub async fn snapshot(&self) -> Result<Snapshot> {
        self.get("/snapshot").await
    }

    /// A snapshot now, and another whenever something changed.
    pub async fn watch(&self) -> Result<BoxStream<'static, Result<Snapshot>>> {
        self.stream("/watch".into()).await
    }

    pub async fn service(&self, service: &ServiceName) -> Result<ServiceDetail> {
        self.get(&format!("/services/{}", encoded(service))).await
    }

    /// What the service's containers wrote, or one of them.
    pub async fn logs(
        &self,
        service: &ServiceName,
        container: Option<&ContainerName>,
        query: &LogQuery,
    ) -> Result<BoxStream<'static, Result<LogLine>>> {
        let mut parameters = vec![format!("follow={}", query.follow)];
        parameters.extend(query.tail.map(|tail| format!("tail={tail}")));
        parameters.extend(query.since.map(|since| format!("since={since}")));
        parameters.extend(container.map(|name| format!("container={name}")));
        self.stream(format!("/services/{}/logs?{}", encoded(service), parameters.join("&"))).await
    }

    /// The variables of the server's environment, by name.
    pub async fn variables(&self) -> Result<Vec<VariableView>> {
        self.get("/variables").await
    }

    pub async fn change_variable(&self, change: &VariableChange) -> Result<VariableView> {
        self.post("/variables", change).await
    }

    /// Sends a context (a tar.gz); to be named in the deploy request that follows.
    pub async fn upload(
        &self,
        context: impl Stream<Item = std::io::Result<Bytes>> + Send + 'static,
    ) -> Result<ContextView> {
        let request = self
            .request(Method::POST, "/contexts")
            .header("content-type", "application/gzip")
            .body(reqwest::Body::wrap_stream(context));
        self.read("/contexts", self.send(request).await?).await
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

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        let request = self.request(Method::GET, path).timeout(ANSWER_LIMIT);
        self.read(path, self.send(request).await?).await
    }

    async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T> {
        let request = self.request(Method::POST, path).timeout(DECISION_LIMIT).json(body);
        self.read(path, self.send(request).await?).await
    }

    async fn stream<T: DeserializeOwned + Send + 'static>(
        &self,
        path: String,
    ) -> Result<BoxStream<'static, Result<T>>> {
        let response = self.send(self.request(Method::GET, &path)).await?;
        Ok(lines::parsed(path, response))
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("http://mypaas{BASE}{path}"))
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response> {
        let response = request.send().await.map_err(|error| self.explain(error))?;
        if response.status().is_success() || response.status() == StatusCode::SWITCHING_PROTOCOLS {
            return Ok(response);
        }
        let request = response.url().path().to_owned();
        let body = response.bytes().await.map_err(|error| self.explain(error))?;
        Err(match serde_json::from_slice::<Problem>(&body) {
            Ok(problem) => ClientError::Refused(Box::new(problem)),
            Err(error) => ClientError::Unreadable { request, source: Box::new(error) },
        })
    }

    async fn read<T: DeserializeOwned>(&self, request: &str, response: Response) -> Result<T> {
        let body = response.bytes().await.map_err(|error| self.explain(error))?;
        serde_json::from_slice(&body)
            .map_err(|error| ClientError::Unreadable { request: request.to_owned(), source: Box::new(error) })
    }

    fn explain(&self, error: reqwest::Error) -> ClientError {
        if error.is_timeout() {
            ClientError::TimedOut { limit: ANSWER_LIMIT }
        } else if error.is_connect() {
            ClientError::Unreachable { endpoint: self.endpoint.clone(), source: error }
        } else {
            ClientError::Broken(Box::new(error))
        }
    }
}

/// A slash is the only character of a service's name that means something in a path.
fn encoded(service: &ServiceName) -> String {
    service.as_str().replace('/', "%2F")
}
