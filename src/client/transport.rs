//! How requests reach a server: over its socket, over the network with signatures, or by way of ssh.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{ClientBuilder, Method, Request, RequestBuilder, Response, StatusCode, Url};

use super::limits::{LARGEST_REFUSAL, whole, within};
use super::ssh::Tunnel;
use super::{ClientError, Result};
use crate::api::{BASE, Problem, ProblemCode};
use crate::fleet::{NetworkAddress, SshAddress};
use crate::http;
use crate::keys::Signer;
use crate::proof::{self, BodyDigest, CONTENT_DIGEST, SIGNATURE, SIGNATURE_INPUT};

const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// Through ssh each connection is a process on either side.
const MOST_IDLE_BY_SSH: usize = 2;
const IDLE_BY_SSH: Duration = Duration::from_secs(20);

/// What a server's socket is called in requests that go there.
const SOCKET_HOST: &str = "mypaas";

/// A way to one server. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Transport {
    http: reqwest::Client,
    /// As in `https://paas.example.com`, without a slash at the end.
    base: String,
    endpoint: String,
    /// Who signs; none where the socket's own rights are proof enough.
    signer: Option<Signer>,
    tunnel: Option<Arc<Tunnel>>,
}

impl Transport {
    pub(super) fn unix(socket: &Path) -> Result<Self> {
        let http = with_limits(http::plain()).unix_socket(PathBuf::from(socket)).build().map_err(ClientError::Setup)?;
        Ok(Self { http, base: socket_base(), endpoint: socket.display().to_string(), signer: None, tunnel: None })
    }

    pub(super) fn network(address: &NetworkAddress, signer: Signer) -> Result<Self> {
        let url = address.url();
        let mut http = with_limits(if url.scheme() == "https" { http::secure() } else { http::plain() });
        if let (true, Some(name), Some(port)) = (address.is_this_machine(), url.domain(), url.port_or_known_default()) {
            let loopback = std::net::Ipv4Addr::LOCALHOST;
            http = http.resolve(name, (loopback, port).into());
        }
        let base = url.as_str().trim_end_matches('/').to_owned();
        let http = http.build().map_err(ClientError::Setup)?;
        Ok(Self { http, endpoint: base.clone(), base, signer: Some(signer), tunnel: None })
    }

    pub(super) fn ssh(address: &SshAddress) -> Result<Self> {
        let tunnel = Tunnel::new(address.clone()).map_err(ClientError::Tunnel)?;
        let http = with_limits(http::plain())
            .unix_socket(tunnel.socket())
            .pool_max_idle_per_host(MOST_IDLE_BY_SSH)
            .pool_idle_timeout(IDLE_BY_SSH)
            .build()
            .map_err(ClientError::Setup)?;
        let (endpoint, tunnel) = (address.to_string(), Some(Arc::new(tunnel)));
        Ok(Self { http, base: socket_base(), endpoint, signer: None, tunnel })
    }

    pub(super) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    pub(super) fn signer(&self) -> Option<&Signer> {
        self.signer.as_ref()
    }

    pub(super) fn http(&self) -> &reqwest::Client {
        &self.http
    }

    /// Of a path, whoever is to answer there.
    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Whether requests have to be signed.
    pub(super) fn signs(&self) -> bool {
        self.signer.is_some()
    }

    /// A request under the API's base.
    pub(super) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{BASE}{path}", self.base))
    }

    /// Sends a request whose body is known as a whole. So long it may take until an answer begins; signing is not
    /// counted, for which a person may be asked.
    pub(super) async fn send(&self, request: RequestBuilder, limit: Duration) -> Result<Response> {
        let mut request = request.build().map_err(ClientError::Setup)?;
        let body = request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default();
        let digest = BodyDigest::of(body);
        self.sign(&mut request, &digest).await?;
        within(limit, self.exchange(request)).await
    }

    /// Sends a request whose body has this digest. How long it takes depends on the body.
    pub(super) async fn send_body(&self, request: RequestBuilder, digest: BodyDigest) -> Result<Response> {
        let mut request = request.build().map_err(ClientError::Setup)?;
        self.sign(&mut request, &digest).await?;
        self.exchange(request).await
    }

    async fn sign(&self, request: &mut Request, digest: &BodyDigest) -> Result<()> {
        match &self.signer {
            Some(signer) => sign(request, digest, signer).await,
            None => Ok(()),
        }
    }

    async fn exchange(&self, request: Request) -> Result<Response> {
        let response = match self.http.execute(request).await {
            Ok(response) => response,
            Err(error) => return Err(self.explain(error)),
        };
        if response.status().is_success() || response.status() == StatusCode::SWITCHING_PROTOCOLS {
            return Ok(response);
        }
        Err(self.refusal(response).await)
    }

    /// What kept a request from being answered.
    pub(super) fn explain(&self, error: reqwest::Error) -> ClientError {
        if error.is_timeout() {
            return ClientError::TimedOut { limit: CONNECT_LIMIT };
        }
        if let Some(trouble) = self.tunnel.as_ref().and_then(|tunnel| tunnel.trouble()) {
            return ClientError::Ssh { endpoint: self.endpoint.clone(), trouble };
        }
        if error.is_connect() {
            return ClientError::Unreachable { endpoint: self.endpoint.clone(), source: error };
        }
        ClientError::Broken(Box::new(error))
    }

    /// The server's own words, or those of whoever answers in its place.
    async fn refusal(&self, response: Response) -> ClientError {
        let status = response.status();
        let request = response.url().path().to_owned();
        let body = match whole(response, LARGEST_REFUSAL).await {
            Ok(Some(body)) => body,
            Ok(None) => return ClientError::too_large(&request, LARGEST_REFUSAL),
            Err(error) => return self.explain(error),
        };
        if let Ok(problem) = serde_json::from_slice::<Problem>(&body) {
            return match problem.code {
                ProblemCode::Version => ClientError::Version(Box::new(problem)),
                _ => ClientError::Refused(Box::new(problem)),
            };
        }
        let endpoint = self.endpoint.clone();
        if status == StatusCode::NOT_FOUND && self.signs() && matches!(self.time_of_original().await, Ok(Some(_))) {
            return ClientError::Original { endpoint };
        }
        ClientError::NotTheServer { endpoint, status: status.as_u16() }
    }
}

fn with_limits(http: ClientBuilder) -> ClientBuilder {
    http.connect_timeout(CONNECT_LIMIT)
        // A shell takes its connection over, which HTTP/2 knows nothing of.
        .http1_only()
        // A signature is for one address; and a socket leads nowhere else.
        .redirect(Policy::none())
        .user_agent(concat!("mypaas/", env!("CARGO_PKG_VERSION")))
}

fn socket_base() -> String {
    format!("http://{SOCKET_HOST}")
}

async fn sign(request: &mut Request, digest: &BodyDigest, signer: &Signer) -> Result<()> {
    let digest = digest.field();
    let authority = authority(request.url());
    let url = request.url();
    let signed = proof::Request {
        method: request.method().as_str(),
        authority: &authority,
        path: url.path(),
        query: url.query(),
        digest: &digest,
    };
    let signature = proof::sign(&signed, signer, Timestamp::now().as_second()).await.map_err(ClientError::Sign)?;
    let fields = [
        ("host", authority),
        (CONTENT_DIGEST, digest),
        (SIGNATURE_INPUT, signature.signature_input),
        (SIGNATURE, signature.signature),
    ];
    for (name, value) in fields {
        let value = HeaderValue::from_str(&value).expect("fields of a signature are plain text");
        request.headers_mut().insert(HeaderName::from_static(name), value);
    }
    Ok(())
}

/// The value of the `Host` field: without the port where it is the usual one.
fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}
