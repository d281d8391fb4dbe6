//! Traefik's own view of what it follows, over its HTTP API.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use super::config::{Item, Kind};
use super::metrics::Sum;
use super::setup::API_USER;
use crate::engine::Secret;
use crate::name::ServiceName;
use crate::router::{Counts, Result, RouterError};

const ANSWER_LIMIT: Duration = Duration::from_secs(2);

/// Of figures, more is not read: some 400 bytes a count, and a hundred counts a service.
const MOST_FIGURES_BYTES: usize = 64 << 20;

/// Asks Traefik about itself.
#[derive(Debug, Clone)]
pub struct Api {
    http: reqwest::Client,
    /// As in `http://10.97.0.2:8080`.
    endpoint: String,
    password: Secret,
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

#[derive(Deserialize)]
struct Version {
    #[serde(rename = "Version")]
    version: String,
}

impl Api {
    pub fn new(endpoint: String, password: Secret) -> Result<Self> {
        let http = crate::http::plain().timeout(ANSWER_LIMIT).build();
        match http {
            Ok(http) => Ok(Self { http, endpoint, password }),
            Err(source) => Err(RouterError::Unreachable { endpoint, source: source.into() }),
        }
    }

    /// Traefik's version; an answer also means that it has read its files.
    pub async fn version(&self) -> Result<String> {
        let answer = self.get("/api/version").await?.error_for_status().map_err(|error| self.unreachable(error))?;
        let version: Version = answer.json().await.map_err(|error| self.unreachable(error))?;
        Ok(version.version)
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

    /// What it counted since it started.
    pub(super) async fn traffic(&self) -> Result<BTreeMap<ServiceName, Counts>> {
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
        let sent = request.basic_auth(API_USER, Some(self.password.expose())).send().await;
        sent.map_err(|error| self.unreachable(error))
    }

    fn unreachable(&self, error: reqwest::Error) -> RouterError {
        RouterError::Unreachable { endpoint: self.endpoint.clone(), source: error.without_url().into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(json: &str) -> Report {
        serde_json::from_str(json).unwrap()
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
