//! What was asked of a server, and by whom.

use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Action, BASE, Fingerprint, Holder, ProblemCode};
use crate::name::{DeployId, ServiceName};

/// Something that was asked of the server, by whom, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    pub at: Timestamp,
    pub by: By,
    /// Where it came from; none on the server's own socket.
    pub address: Option<IpAddr>,
    /// As in `POST /daemon/v1/deploys`.
    pub request: String,
    /// What it was about, as far as that is known.
    pub service: Option<ServiceName>,
    pub action: Option<Action>,
    /// What was asked, where neither the request nor the action says all of it: `set SECRET_KEY`. Servers before this
    /// one wrote none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    pub deploy: Option<DeployId>,
    pub result: AuditResult,
}

impl AuditEntry {
    /// What was asked in words, as far as it is no action: `cancel d24`, `shell in shop`.
    pub fn what(&self) -> String {
        self.detail.clone().unwrap_or_else(|| in_words(&self.request))
    }
}

/// A request that has no words stays as it is.
fn in_words(request: &str) -> String {
    let Some((method, path)) = request.split_once(' ') else { return request.to_owned() };
    let path = path.strip_prefix(BASE).unwrap_or(path);
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    match (method, &parts[..]) {
        ("POST", ["deploys"]) => "deploy".to_owned(),
        ("POST", ["deploys", deploy, "cancel"]) => format!("cancel {deploy}"),
        ("GET", ["services", service, "shell"]) => format!("shell in {}", service.replace("%2F", "/")),
        ("POST", ["services", _, "releases", release, "pin"]) => format!("pin or unpin {release}"),
        ("POST", ["variables"]) => "set or unset a variable".to_owned(),
        ("POST", ["contexts"]) => "upload a folder".to_owned(),
        ("POST", ["prune"]) => "prune".to_owned(),
        ("POST", ["alerts", "test"]) => "test the webhooks".to_owned(),
        ("POST", ["daemon", "push"]) => "push".to_owned(),
        _ => format!("{method} {path}"),
    }
}

/// Who asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum By {
    /// A user of the server itself, on its socket.
    Local { user: String },
    /// The holder of a key, proven.
    Key(Holder),
    /// Somebody who proved nothing; perhaps they named a key.
    Nobody { claimed: Option<Fingerprint> },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum AuditResult {
    /// It was taken on. What came of a deploy is in the history of deploys.
    Done,
    Refused {
        code: ProblemCode,
        message: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_is_told_in_words() {
        let words = [
            ("POST /daemon/v1/deploys/d24/cancel", "cancel d24"),
            ("GET /daemon/v1/services/shop%2Fweb/shell", "shell in shop/web"),
            ("POST /daemon/v1/services/shop/releases/r3/pin", "pin or unpin r3"),
            ("POST /daemon/v1/variables", "set or unset a variable"),
            ("POST /daemon/push", "push"),
            ("GET /daemon/v1/snapshot", "GET /snapshot"),
            ("POST /elsewhere", "POST /elsewhere"),
            ("nothing", "nothing"),
        ];
        for (request, told) in words {
            assert_eq!(in_words(request), told);
        }
    }

    #[test]
    fn an_entry_of_an_earlier_server_is_still_read() {
        let written = r#"{"at":"2026-01-31T11:58:00Z","by":{"by":"local","user":"root"},"address":null,
            "request":"POST /daemon/v1/variables","service":null,"action":null,"deploy":null,"result":{"result":"done"}}"#;
        let entry: AuditEntry = serde_json::from_str(written).unwrap();
        assert_eq!(entry.what(), "set or unset a variable");
        assert!(!serde_json::to_string(&entry).unwrap().contains("detail"), "and is written as it was");
        assert_eq!(AuditEntry { detail: Some("set TOKEN".to_owned()), ..entry }.what(), "set TOKEN");
    }
}
