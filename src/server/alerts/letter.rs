//! An alert as a webhook wants it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::api::{Alert, AlertKind};
use crate::server::config::WebhookKind;

/// Why it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::server) enum Occasion {
    Began,
    Ended,
    /// Nothing is the matter: somebody wants to see whether it arrives.
    Test,
}

/// What is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Letter {
    pub(super) body: String,
    pub(super) headers: Vec<(&'static str, String)>,
}

impl Letter {
    /// `server` is how people call this server.
    pub(super) fn write(kind: WebhookKind, server: &str, occasion: Occasion, alert: &Alert) -> Self {
        let at = Timestamp::now();
        match kind {
            WebhookKind::Json => {
                let body = json!({ "event": occasion, "server": server, "at": at, "alert": alert });
                Self { body: body.to_string(), headers: vec![("content-type", "application/json".to_owned())] }
            }
            WebhookKind::Slack => {
                let text = format!("*{}*\n{}", escaped(&title(server, occasion, alert)), escaped(&text(alert)));
                let body = json!({ "text": text }).to_string();
                Self { body, headers: vec![("content-type", "application/json".to_owned())] }
            }
            WebhookKind::Ntfy => Self {
                body: text(alert),
                headers: vec![
                    ("title", ascii(&title(server, occasion, alert))),
                    ("priority", priority(occasion, alert.kind).to_owned()),
                    ("tags", tag(occasion).to_owned()),
                ],
            },
        }
    }
}

/// As in `web on paas.example.com: down`, and `over: web on paas.example.com: down`.
fn title(server: &str, occasion: Occasion, alert: &Alert) -> String {
    let about = match (&alert.container, &alert.service) {
        (Some(container), _) => format!("{container} on {server}"),
        (None, Some(service)) => format!("{service} on {server}"),
        (None, None) => server.to_owned(),
    };
    match occasion {
        Occasion::Began => format!("{about}: {}", word(alert.kind)),
        Occasion::Ended => format!("over: {about}: {}", word(alert.kind)),
        Occasion::Test => format!("{about}: a test"),
    }
}

fn text(alert: &Alert) -> String {
    let hint = alert.hint.as_ref().map(|hint| format!("\n{hint}")).unwrap_or_default();
    format!("{}{hint}", alert.message)
}

fn word(kind: AlertKind) -> &'static str {
    match kind {
        AlertKind::Down => "down",
        AlertKind::CrashLoop => "crash loop",
        AlertKind::Unhealthy => "unhealthy",
        AlertKind::DeployFailed => "deploy failed",
        AlertKind::Disk => "disk almost full",
        AlertKind::Memory => "memory almost used up",
        AlertKind::Certificate => "certificate",
        AlertKind::Part => "engine or router down",
        AlertKind::Leftover => "left over",
        AlertKind::Other => "alert",
    }
}

/// From 1 to 5.
fn priority(occasion: Occasion, kind: AlertKind) -> &'static str {
    match (occasion, kind) {
        (Occasion::Began, AlertKind::Down | AlertKind::Part | AlertKind::CrashLoop | AlertKind::Disk) => "4",
        (Occasion::Began, _) => "3",
        (Occasion::Ended | Occasion::Test, _) => "2",
    }
}

fn tag(occasion: Occasion) -> &'static str {
    match occasion {
        Occasion::Began => "warning",
        Occasion::Ended => "white_check_mark",
        Occasion::Test => "test_tube",
    }
}

/// Slack's own marks.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A header holds nothing else.
fn ascii(text: &str) -> String {
    text.chars()
        .map(|character| if character.is_ascii_graphic() || character == ' ' { character } else { '?' })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert() -> Alert {
        Alert {
            kind: AlertKind::Down,
            since: Timestamp::UNIX_EPOCH,
            service: Some("web".parse().unwrap()),
            container: None,
            message: "web is down: <none> of its 3 containers is ready".to_owned(),
            hint: Some("Look at its log & mend it.".to_owned()),
        }
    }

    #[test]
    fn each_kind_gets_it_as_it_wants_it() {
        let write = |kind, occasion| Letter::write(kind, "paas.example.com", occasion, &alert());
        let json: serde_json::Value = serde_json::from_str(&write(WebhookKind::Json, Occasion::Ended).body).unwrap();
        assert_eq!((json["event"].as_str(), json["server"].as_str()), (Some("ended"), Some("paas.example.com")));
        assert_eq!(serde_json::from_value::<Alert>(json["alert"].clone()).unwrap(), alert());
        let slack: serde_json::Value = serde_json::from_str(&write(WebhookKind::Slack, Occasion::Began).body).unwrap();
        assert_eq!(
            slack["text"].as_str().unwrap(),
            "*web on paas.example.com: down*\nweb is down: &lt;none&gt; of its 3 containers is ready\nLook at its log \
             &amp; mend it."
        );
        let ntfy = write(WebhookKind::Ntfy, Occasion::Began);
        assert!(ntfy.body.starts_with("web is down") && ntfy.body.ends_with("mend it."));
        let header =
            |name: &str| ntfy.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str());
        assert_eq!(header("title"), Some("web on paas.example.com: down"));
        assert_eq!((header("priority"), header("tags")), (Some("4"), Some("warning")));
    }
}
