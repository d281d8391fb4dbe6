//! Traefik's own view of what it follows, over its HTTP API.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;

use super::config::{Item, Kind};
use super::metrics::Sum;
use super::setup::API_USER;
use crate::engine::Secret;
use crate::name::ServiceName;
use crate::router::{Certificate, Counts, Result, RouterError};

const ANSWER_LIMIT: Duration = Duration::from_secs(2);

/// The same for one who cannot go on without it. Traefik answers late while thousands of requests come at once, as they
/// do after a gap.
const PATIENT_ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// Of figures, more is not read: some 400 bytes a count, and a hundred counts a service.
const MOST_FIGURES_BYTES: usize = 64 << 20;

/// Asks Traefik about itself.
#[derive(Debug, Clone)]
pub struct Api {
    http: reqwest::Client,
    /// As in `http://10.97.0.2:8080`.
    endpoint: String,
    password: Secret,
    answer_limit: Duration,
}

/// What Traefik says about one item of its configuration.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Report {
    pub status: String,
    #[serde(default, rename = "error")]
    pub errors: Vec<String>,
}

impl Report {
    /// What is wrong with it, in Traefik's words.
    pub fn fault(&self) -> Option<String> {
        let fine = self.status == "enabled" && self.errors.is_empty();
        let words = if self.errors.is_empty() { self.status.clone() } else { self.errors.join("; ") };
        (!fine).then_some(words)
    }
}

/// A certificate that Traefik serves.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Served {
    #[serde(default)]
    sans: BTreeSet<String>,
    not_after: Timestamp,
}

impl Served {
    pub(super) fn is(&self, certificate: &Certificate) -> bool {
        self.not_after == certificate.expires
            && self.sans.iter().map(|name| name.to_ascii_lowercase()).collect::<BTreeSet<_>>() == certificate.domains
    }
}

/// One start of a Traefik.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Run {
    #[serde(rename = "Version")]
    pub(super) version: String,
    /// When it started, which tells it from others; none where this Traefik does not tell.
    #[serde(rename = "startDate")]
    pub(super) start: Option<String>,
}

impl Api {
    pub fn new(endpoint: String, password: Secret) -> Result<Self> {
        match crate::http::plain().build() {
            Ok(http) => Ok(Self { http, endpoint, password, answer_limit: ANSWER_LIMIT }),
            Err(source) => Err(RouterError::Unreachable { endpoint, source: source.into() }),
        }
    }

    /// Waits longer for each answer.
    pub fn patient(self) -> Self {
        Self { answer_limit: PATIENT_ANSWER_LIMIT, ..self }
    }

    /// Traefik's version; an answer also means that it has read its files.
    pub async fn version(&self) -> Result<String> {
        Ok(self.run().await?.version)
    }

    /// As [`version`](Self::version), and which start it is of.
    pub(super) async fn run(&self) -> Result<Run> {
        let answer = self.get("/api/version").await?.error_for_status().map_err(|error| self.unreachable(error))?;
        answer.json().await.map_err(|error| self.unreachable(error))
    }

    /// What Traefik says about an item; none when it does not know it.
    pub async fn report(&self, item: &Item) -> Result<Option<Report>> {
        let kind = match item.kind {
            Kind::Router => "routers",
            Kind::Service => "services",
            Kind::Middleware => "middlewares",
        };
        let answer = self.get(&format!("/api/http/{kind}/{}@file", item.name)).await?;
        if answer.status() == reqwest::StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let answer = answer.error_for_status().map_err(|error| self.unreachable(error))?;
        answer.json().await.map(Some).map_err(|error| self.unreachable(error))
    }

    /// The certificates that it serves; none where this Traefik does not tell, which those before 3.7 do not.
    pub(super) async fn certificates(&self) -> Result<Option<Vec<Served>>> {
        let answer = self.get("/api/certificates?per_page=10000").await?;
        if answer.status() == reqwest::StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let answer = answer.error_for_status().map_err(|error| self.unreachable(error))?;
        answer.json().await.map(Some).map_err(|error| self.unreachable(error))
    }

    /// What it counted since it started.
    pub async fn traffic(&self) -> Result<BTreeMap<ServiceName, Counts>> {
        let answer = self.get("/metrics").await?.error_for_status();
        let mut answer = answer.map_err(|error| self.unreachable(error))?;
        let (mut sum, mut rest, mut read) = (Sum::default(), Vec::new(), 0);
        while let Some(chunk) = answer.chunk().await.map_err(|error| self.unreachable(error))? {
            read += chunk.len();
            if read > MOST_FIGURES_BYTES {
                break;
            }
            rest.extend_from_slice(&chunk);
            let whole = rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
            String::from_utf8_lossy(&rest[..whole]).lines().for_each(|line| sum.take(line));
            rest.drain(..whole);
        }
        Ok(sum.into_counts())
    }

    async fn get(&self, path: &str) -> Result<reqwest::Response> {
        let request = self.http.get(format!("{}{path}", self.endpoint));
        let request = request.basic_auth(API_USER, Some(self.password.expose())).timeout(self.answer_limit);
        let sent = request.send().await;
        sent.map_err(|error| self.unreachable(error))
    }

    fn unreachable(&self, error: reqwest::Error) -> RouterError {
        RouterError::Unreachable { endpoint: self.endpoint.clone(), source: error.without_url().into() }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    fn report(json: &str) -> Report {
        serde_json::from_str(json).unwrap()
    }

    #[tokio::test]
    async fn a_busy_traefik_is_waited_for_by_those_who_cannot_go_on_without_it() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let busy = ANSWER_LIMIT + Duration::from_secs(1);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let _ = stream.read(&mut [0; 4096]).await;
                    tokio::time::sleep(busy).await;
                    let body = r#"{"Version":"3.7.15"}"#;
                    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
                    // Who did not wait is gone.
                    let _ = stream.write_all(answer.as_bytes()).await;
                });
            }
        });
        let api = Api::new(endpoint, Secret::default()).unwrap();
        let patient = api.clone().patient();
        let (hasty, patient) = tokio::join!(api.version(), patient.version());
        assert!(matches!(hasty, Err(RouterError::Unreachable { .. })), "{hasty:?}");
        assert_eq!(patient.unwrap(), "3.7.15");
    }

    #[test]
    fn a_certificate_is_known_by_its_names_and_its_end() {
        let served: Served = serde_json::from_str(
            r#"{"sans":["www.a.test","A.test"],"notAfter":"2027-02-27T02:25:30Z","version":"v3"}"#,
        )
        .unwrap();
        let certificate = |domains: &[&str], expires: &str| Certificate {
            domains: domains.iter().map(|&domain| domain.to_owned()).collect(),
            issuer: "R11".into(),
            since: Timestamp::UNIX_EPOCH,
            expires: expires.parse().unwrap(),
        };
        assert!(served.is(&certificate(&["a.test", "www.a.test"], "2027-02-27T02:25:30Z")));
        assert!(!served.is(&certificate(&["a.test"], "2027-02-27T02:25:30Z")));
        assert!(!served.is(&certificate(&["a.test", "www.a.test"], "2026-11-29T02:25:30Z")), "the one before");
    }

    #[test]
    fn an_item_that_is_not_enabled_is_told_in_traefiks_words() {
        assert_eq!(report(r#"{"status":"enabled","name":"hello@file"}"#).fault(), None);
        let twice = r#"{"status":"disabled","error":["no such service","bad rule"]}"#;
        assert_eq!(report(twice).fault().as_deref(), Some("no such service; bad rule"));
        assert_eq!(report(r#"{"status":"warning"}"#).fault().as_deref(), Some("warning"));
        assert_eq!(report(r#"{"status":"enabled","error":["odd"]}"#).fault().as_deref(), Some("odd"));
    }
}
