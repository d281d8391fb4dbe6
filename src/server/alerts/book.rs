//! Causes → alerts. One begins when its cause lasts, and is over when the cause has been away for a while: so that what
//! comes and goes by the second is told once, or not at all.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Occasion;
use super::cause::{Cause, Key};
use crate::api::{Alert, AlertKind};

/// What is there or was there until just now.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Book {
    entries: Vec<Entry>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Entry {
    key: Key,
    alert: Alert,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Stage {
    /// Its cause is there, and not for long enough.
    Waits {
        since: Timestamp,
    },
    Active,
    /// Its cause is not there any more, and not for long enough.
    Fades {
        since: Timestamp,
    },
}

impl Book {
    pub(super) fn is_active(&self, key: &Key) -> bool {
        self.entries.iter().any(|entry| entry.key == *key && entry.is_told())
    }

    /// Those of services.
    pub(super) fn of_services(&self) -> impl Iterator<Item = Cause> {
        let active = self.entries.iter().filter(|entry| entry.is_told() && entry.key.service.is_some());
        active.map(|entry| Cause {
            key: entry.key.clone(),
            since: Some(entry.alert.since),
            message: entry.alert.message.clone(),
            hint: entry.alert.hint.clone(),
        })
    }

    /// The gravest first, and then the oldest.
    pub(super) fn alerts(&self) -> Vec<Alert> {
        let mut alerts: Vec<Alert> =
            self.entries.iter().filter(|entry| entry.is_told()).map(|entry| entry.alert.clone()).collect();
        alerts.sort_by_key(|alert| (gravity(alert.kind), alert.since));
        alerts
    }

    /// What began and what is over, now that these are the causes.
    pub(super) fn update(&mut self, causes: Vec<Cause>, now: Timestamp) -> Vec<(Occasion, Alert)> {
        let mut there: BTreeMap<Key, Cause> = causes.into_iter().map(|cause| (cause.key.clone(), cause)).collect();
        let mut told = Vec::new();
        self.entries.retain_mut(|entry| {
            let cause = there.remove(&entry.key);
            let (kept, occasion) = entry.update(cause, now);
            told.extend(occasion.map(|occasion| (occasion, entry.alert.clone())));
            kept
        });
        for cause in there.into_values() {
            let mut entry = Entry::of(cause, now);
            if entry.begins(now) {
                told.push((Occasion::Began, entry.alert.clone()));
            }
            self.entries.push(entry);
        }
        told
    }
}

impl Entry {
    fn of(cause: Cause, now: Timestamp) -> Self {
        let Cause { key, since, message, hint } = cause;
        let alert = Alert {
            kind: key.kind,
            since: since.unwrap_or(now),
            service: key.service.clone(),
            container: key.container.clone(),
            message,
            hint,
        };
        Self { key, alert, stage: Stage::Waits { since: now } }
    }

    fn is_told(&self) -> bool {
        !matches!(self.stage, Stage::Waits { .. })
    }

    /// Whether it is to be kept, and what is to be told.
    fn update(&mut self, cause: Option<Cause>, now: Timestamp) -> (bool, Option<Occasion>) {
        match (cause, self.stage) {
            (Some(cause), stage) => {
                self.alert.message = cause.message;
                self.alert.hint = cause.hint;
                self.alert.since = cause.since.unwrap_or(self.alert.since);
                if let Stage::Fades { .. } = stage {
                    self.stage = Stage::Active;
                }
                (true, self.begins(now).then_some(Occasion::Began))
            }
            (None, Stage::Waits { .. }) => (false, None),
            (None, Stage::Active) => {
                self.stage = Stage::Fades { since: now };
                self.fades(now)
            }
            (None, Stage::Fades { .. }) => self.fades(now),
        }
    }

    /// Whether it was waited for long enough just now.
    fn begins(&mut self, now: Timestamp) -> bool {
        let Stage::Waits { since } = self.stage else { return false };
        let begins = lasted(since, now, begins_after(self.key.kind));
        if begins {
            self.stage = Stage::Active;
        }
        begins
    }

    fn fades(&self, now: Timestamp) -> (bool, Option<Occasion>) {
        let Stage::Fades { since } = self.stage else { return (true, None) };
        if lasted(since, now, ends_after(self.key.kind)) { (false, Some(Occasion::Ended)) } else { (true, None) }
    }
}

/// A clock that was set back makes nobody wait for longer than that.
fn lasted(since: Timestamp, now: Timestamp, limit: Duration) -> bool {
    now.duration_since(since).unsigned_abs() >= limit
}

fn gravity(kind: AlertKind) -> u8 {
    match kind {
        AlertKind::Part => 0,
        AlertKind::Down => 1,
        AlertKind::CrashLoop => 2,
        AlertKind::Unhealthy => 3,
        AlertKind::Disk => 4,
        AlertKind::Memory => 5,
        AlertKind::Certificate => 6,
        AlertKind::DeployFailed => 7,
        AlertKind::Leftover => 8,
        AlertKind::Other => 9,
    }
}

fn begins_after(kind: AlertKind) -> Duration {
    Duration::from_secs(match kind {
        AlertKind::Down | AlertKind::Unhealthy | AlertKind::Part => 10,
        AlertKind::Disk | AlertKind::Memory | AlertKind::Leftover => 30,
        AlertKind::CrashLoop | AlertKind::DeployFailed | AlertKind::Certificate | AlertKind::Other => 0,
    })
}

fn ends_after(kind: AlertKind) -> Duration {
    Duration::from_secs(match kind {
        AlertKind::DeployFailed | AlertKind::Leftover | AlertKind::Other => 0,
        AlertKind::Part => 5,
        AlertKind::Down => 10,
        AlertKind::Unhealthy => 20,
        AlertKind::Disk | AlertKind::Memory | AlertKind::Certificate => 60,
        // The engine waits for up to a minute before it starts one again.
        AlertKind::CrashLoop => 120,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_767_225_600 + second).unwrap()
    }

    fn cause(kind: AlertKind) -> Cause {
        Cause { key: Key { kind, ..Key::default() }, since: None, message: "it is so".to_owned(), hint: None }
    }

    /// What is told at which second, when a cause of this kind is there in these.
    fn told(kind: AlertKind, seconds: impl Fn(i64) -> bool) -> Vec<(i64, Occasion)> {
        let mut book = Book::default();
        let mut told = Vec::new();
        for second in 0..400 {
            let causes = if seconds(second) { vec![cause(kind)] } else { vec![] };
            told.extend(book.update(causes, at(second)).into_iter().map(|(occasion, _)| (second, occasion)));
            // As after a restart of the server.
            book = serde_json::from_str(&serde_json::to_string(&book).unwrap()).unwrap();
        }
        told
    }

    #[test]
    fn what_lasts_is_told_when_it_begins_and_when_it_is_over() {
        use Occasion::{Began, Ended};
        let during = |range: std::ops::Range<i64>| move |second| range.contains(&second);
        assert_eq!(told(AlertKind::Down, during(5..50)), [(15, Began), (60, Ended)]);
        assert_eq!(told(AlertKind::Down, during(5..12)), []);
        assert_eq!(told(AlertKind::DeployFailed, during(5..6)), [(5, Began), (6, Ended)]);
        assert_eq!(told(AlertKind::Disk, during(0..31)), [(30, Began), (91, Ended)]);
    }

    #[test]
    fn what_comes_and_goes_is_told_once() {
        use Occasion::{Began, Ended};
        assert_eq!(told(AlertKind::Unhealthy, |second| second < 100 && second % 15 < 12), [(10, Began), (120, Ended)]);
        assert_eq!(told(AlertKind::Part, |second| second % 4 == 0), [], "never long enough");
    }

    #[test]
    fn since_is_when_the_cause_came_and_the_gravest_comes_first() {
        let mut book = Book::default();
        let both = || vec![cause(AlertKind::Memory), cause(AlertKind::Down)];
        (3..60).for_each(|second| drop(book.update(both(), at(second))));
        let alerts = book.alerts();
        assert_eq!(alerts.iter().map(|alert| alert.kind).collect::<Vec<_>>(), [AlertKind::Down, AlertKind::Memory]);
        assert!(alerts.iter().all(|alert| alert.since == at(3)));
    }
}
