//! `[[webhook]]`: who is told of alerts.

use std::fmt;

use serde::{Deserialize, Deserializer};

use crate::api::AlertKind;
use crate::engine::Secret;

/// One that is told when an alert begins, and when it is over.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookSection {
    /// Is often all the secret that there is, so it is never shown.
    #[serde(deserialize_with = "url")]
    pub url: url::Url,
    pub kind: WebhookKind,
    /// Of these kinds only; empty: of all.
    #[serde(default, deserialize_with = "kinds")]
    pub kinds: Vec<AlertKind>,
    /// Sent along, as a bearer token.
    #[serde(default, deserialize_with = "token")]
    pub token: Option<Secret>,
}

impl fmt::Debug for WebhookSection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookSection").field("kind", &self.kind).field("kinds", &self.kinds).finish_non_exhaustive()
    }
}

/// What it understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WebhookKind {
    Json,
    /// Slack's incoming webhooks, and what takes the same (Mattermost, Rocket.Chat).
    Slack,
    Ntfy,
}

impl WebhookKind {
    pub fn word(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Slack => "slack",
            Self::Ntfy => "ntfy",
        }
    }
}

fn url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<url::Url, D::Error> {
    let refused =
        || serde::de::Error::custom("the url of a webhook is a whole one, with http:// or https:// before it");
    let url: url::Url = String::deserialize(deserializer)?.parse().map_err(|_| refused())?;
    let is_fine = matches!(url.scheme(), "http" | "https") && url.host().is_some();
    is_fine.then_some(url).ok_or_else(refused)
}

fn kinds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<AlertKind>, D::Error> {
    let words = Vec::<String>::deserialize(deserializer)?;
    let known = |word: &String| match serde_json::from_value(word.as_str().into()) {
        Ok(AlertKind::Other) | Err(_) => Err(serde::de::Error::custom(format!(
            "`{word}` is no kind of alert; there are down, crash_loop, unhealthy, deploy_failed, disk, memory, \
             certificate, part and leftover"
        ))),
        Ok(kind) => Ok(kind),
    };
    words.iter().map(known).collect()
}

fn token<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Secret>, D::Error> {
    String::deserialize(deserializer).map(|token| Some(Secret::new(token)))
}
