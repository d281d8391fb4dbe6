//! What was told of a log so far, so that it can be asked for again without telling anything twice.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use mypaas::api::{LogLine, LogQuery};
use mypaas::name::ContainerName;

/// Lines of different containers come in the order of their times, but for some that come so much later.
const LATE: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) lines: u64,
    /// Of each container the time of its newest line.
    newest: BTreeMap<ContainerName, Timestamp>,
    /// The same, when it was asked again last. Within an answer, a line may well be a little older than the one before it.
    before: BTreeMap<ContainerName, Timestamp>,
}

impl Told {
    /// Takes a line; false when it was told before.
    pub(super) fn note(&mut self, line: &LogLine) -> bool {
        if self.before.get(&line.container).is_some_and(|before| line.at <= *before) {
            return false;
        }
        self.lines += 1;
        let newest = self.newest.entry(line.container.clone()).or_insert(line.at);
        *newest = line.at.max(*newest);
        true
    }

    /// Asks for what was not told yet. While that is everything, it is asked for as it was.
    pub(super) fn rest(&mut self, query: &LogQuery) -> LogQuery {
        self.before.clone_from(&self.newest);
        let Some(newest) = self.newest.values().max() else { return query.clone() };
        let since = newest.checked_sub(LATE).ok();
        LogQuery { tail: None, since: query.since.max(since), follow: query.follow }
    }
}

#[cfg(test)]
mod tests {
    use mypaas::api::LogStream;

    use super::*;

    fn line(container: &str, millisecond: i64) -> LogLine {
        LogLine {
            container: ContainerName::from_engine(container),
            at: Timestamp::from_millisecond(millisecond).unwrap(),
            stream: LogStream::Stdout,
            text: String::new(),
        }
    }

    #[test]
    fn nothing_is_told_twice_and_what_came_late_is_not_lost() {
        let mut told = Told::default();
        let query = LogQuery { tail: Some(5), since: None, follow: true };
        assert_eq!(told.rest(&query), query, "nothing was told yet");
        for line in [line("web.r1.1", 10_000), line("web.r1.2", 10_500), line("web.r1.2", 10_400)] {
            assert!(told.note(&line), "{line:?}");
        }
        let since = Timestamp::from_millisecond(9_500).ok();
        assert_eq!(told.rest(&query), LogQuery { tail: None, since, follow: true });
        for (line, is_new) in [
            (line("web.r1.1", 10_000), false),
            (line("web.r1.1", 10_300), true),
            (line("web.r1.2", 10_500), false),
            (line("web.r1.2", 10_501), true),
            (line("web.r2.1", 9_900), true),
        ] {
            assert_eq!(told.note(&line), is_new, "{line:?}");
        }
        assert_eq!(told.lines, 6);
    }
}
