//! Alerts, and what came of tests of webhooks.

use std::fmt::Write;

use jiff::Timestamp;
use mypaas::api::{Alert, AlertKind, WebhookTest};
use mypaas::name::ServerName;

use super::paint::{Paint, Style};
use super::table::{Cell, Table};
use super::{foreign, units, words};

pub(crate) fn list(
    server: &ServerName,
    alerts: &[Alert],
    paint: Paint,
    width: Option<usize>,
    now: Timestamp,
) -> String {
    if alerts.is_empty() {
        return format!("{server}: nothing gives cause for concern\n");
    }
    let mut table = Table::new(&["ALERT", "FOR", "SERVICE", "WHAT"]);
    for alert in alerts {
        table.row([
            Cell::new(Style::Bad, word(alert.kind)),
            units::age(alert.since, now).into(),
            alert.service.as_ref().map_or(words::NONE, |service| service.as_str()).into(),
            alert.message.as_str().into(),
        ]);
    }
    table.render(paint, width)
}

/// In a line each, for those who asked for something else. What a service's own lines tell is left to them.
pub(crate) fn beside(alerts: &[Alert], paint: Paint, now: Timestamp) -> String {
    let is_told =
        |alert: &&Alert| !matches!(alert.kind, AlertKind::DeployFailed | AlertKind::Certificate | AlertKind::Part);
    let mut text = String::new();
    for alert in alerts.iter().filter(is_told) {
        let (kind, age) = (paint.bad(word(alert.kind)), units::age(alert.since, now));
        let _ = writeln!(text, "{kind} for {age}: {}", foreign::line(&alert.message, false));
    }
    text
}

pub(crate) fn tests(tests: &[WebhookTest], paint: Paint) -> String {
    let mut text = String::new();
    for WebhookTest { webhook, problem } in tests {
        let outcome = match problem {
            None => paint.good("took the test"),
            Some(problem) => paint.bad(&foreign::line(problem, false)),
        };
        let _ = writeln!(text, "{}: {outcome}", foreign::line(webhook, false));
    }
    text
}

fn word(kind: AlertKind) -> &'static str {
    match kind {
        AlertKind::Down => "down",
        AlertKind::CrashLoop => "crash loop",
        AlertKind::Unhealthy => "unhealthy",
        AlertKind::DeployFailed => "deploy failed",
        AlertKind::Disk => "disk",
        AlertKind::Memory => "memory",
        AlertKind::Certificate => "certificate",
        AlertKind::Part => "part down",
        AlertKind::Leftover => "left over",
        AlertKind::Other => "other",
    }
}

#[cfg(test)]
mod tests_of_lists {
    use super::*;

    fn alert(kind: AlertKind, message: &str) -> Alert {
        let since = "2026-01-31T11:30:00Z".parse().unwrap();
        let service = Some("web".parse().unwrap());
        Alert { kind, since, service, container: None, message: message.to_owned(), hint: None }
    }

    #[test]
    fn alerts_are_told_with_their_age_and_nothing_of_them_reaches_the_terminal_as_a_command() {
        let now = "2026-01-31T12:00:00Z".parse().unwrap();
        let alerts =
            [alert(AlertKind::Down, "web is down"), alert(AlertKind::DeployFailed, "d4 failed: \u{1b}[2Jno room")];
        let text = list(&"s1".parse().unwrap(), &alerts, Paint { colour: false }, None, now);
        insta::assert_snapshot!(text, @r"
        ALERT          FOR  SERVICE  WHAT
        down           30m  web      web is down
        deploy failed  30m  web      d4 failed: no room
        ");
        assert_eq!(beside(&alerts, Paint { colour: false }, now), "down for 30m: web is down\n");
        let none = list(&"s1".parse().unwrap(), &[], Paint { colour: false }, None, now);
        assert_eq!(none, "s1: nothing gives cause for concern\n");
    }

    #[test]
    fn a_webhook_that_does_not_answer_says_so() {
        let of = |problem: Option<&str>| WebhookTest {
            webhook: "slack at hooks.slack.com".to_owned(),
            problem: problem.map(str::to_owned),
        };
        let text = tests(&[of(None), of(Some("it answered with HTTP 404 Not Found"))], Paint { colour: false });
        assert_eq!(
            text,
            "slack at hooks.slack.com: took the test\nslack at hooks.slack.com: it answered with HTTP 404 Not Found\n"
        );
    }
}
