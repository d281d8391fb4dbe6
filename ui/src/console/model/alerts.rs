//! The page with all alerts: what its columns mean, and which alerts it shows.

use jiff::Timestamp;

use super::Model;
use super::column::{Columns, Value};
use super::concern::Concern;
use super::filter::{Figure, TIMES, Text, has_state};
use super::order::Direction;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum AlertColumn {
    #[default]
    Kind,
    Since,
    Server,
    Service,
    Message,
}

impl Columns for AlertColumn {
    /// And the time it is now.
    type Line<'a> = (&'a Concern, Timestamp);

    const TEXTS: &'static [Text<Self>] = &[
        ("alert", |(concern, _), text| has_state(concern.kind.word(), text)),
        ("server", |(concern, _), text| concern.server.as_str().contains(text)),
        ("service", |(concern, _), text| concern.service.as_ref().is_some_and(|at| at.service.as_str().contains(text))),
        ("message", |(concern, _), text| concern.message.to_lowercase().contains(text)),
    ];
    const WORDS: &'static [(&'static str, &'static [&'static str])] = &[(
        "alert",
        &["silent", "part", "down", "crash", "unhealthy", "disk", "memory", "certificate", "deploy", "left", "other"],
    )];
    const FIGURES: &'static [Figure<Self>] = &[("since", TIMES, |line| AlertColumn::Since.number_of(line))];

    /// Kinds count from the gravest, times in seconds.
    fn of(self, (concern, now): Self::Line<'_>) -> Option<Value> {
        Some(match self {
            AlertColumn::Kind => Value::Number(i64::from(concern.kind.gravity())),
            AlertColumn::Since => Value::Number(now.duration_since(concern.since).as_secs()),
            AlertColumn::Server => Value::Text(concern.server.to_string()),
            AlertColumn::Service => Value::Text(concern.service.as_ref()?.service.to_string()),
            AlertColumn::Message => Value::Text(concern.message.clone()),
        })
    }

    fn natural(self) -> Direction {
        Direction::Ascending
    }
}

impl Model {
    /// What the page with all alerts shows.
    pub(crate) fn shown_concerns(&self) -> Vec<Concern> {
        let concerns = self.fleet.concerns();
        let shown = self.alerts.of(concerns.iter().map(|concern| (concern, self.now)));
        shown.into_iter().map(|(concern, _)| concern.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use mypaas::api::AlertKind::{
        Certificate, CrashLoop, DeployFailed, Disk, Down, Leftover, Memory, Other, Part, Unhealthy,
    };

    use super::*;
    use crate::console::fixture;
    use crate::console::model::concern::Kind;
    use crate::console::model::line::Line;

    fn shown(filter: &str, by: AlertColumn, turns: usize) -> Vec<&'static str> {
        let mut model = fixture::model();
        model.alerts.filter.line = Line::of(filter);
        model.alerts.filter.read();
        (0..turns).for_each(|_| model.alerts.order.turn_to(by));
        model.shown_concerns().iter().map(|concern| concern.kind.word()).collect()
    }

    #[test]
    fn alerts_are_filtered_by_what_they_are_and_sorted_by_any_column() {
        let all = ["silent", "silent", "crash loop", "unhealthy", "disk", "certificate"];
        assert_eq!(shown("", AlertColumn::Kind, 0), all);
        assert_eq!(shown("server:local", AlertColumn::Kind, 1), ["certificate", "unhealthy", "crash loop"]);
        assert_eq!(shown("alert:crash", AlertColumn::Kind, 0), ["crash loop"]);
        assert_eq!(shown("service:blog", AlertColumn::Kind, 0), ["crash loop"]);
        assert_eq!(shown("!silent !server:local", AlertColumn::Kind, 0), ["disk"]);
        assert_eq!(shown("since<3m", AlertColumn::Since, 1)[0], "silent");
        let last = shown("", AlertColumn::Service, 1).split_off(3);
        assert!(last.contains(&"disk") && last.contains(&"silent"), "what is about no service comes last: {last:?}");
    }

    #[test]
    fn every_kind_of_alert_can_be_asked_for() {
        let (_, words) = AlertColumn::WORDS[0];
        let told = [Part, Down, CrashLoop, Unhealthy, Disk, Memory, Certificate, DeployFailed, Leftover, Other]
            .map(Kind::Told);
        for kind in told.into_iter().chain([Kind::Silent]) {
            assert!(words.iter().any(|word| has_state(kind.word(), word)), "{kind:?}");
        }
    }
}
