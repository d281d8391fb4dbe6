//! The newest lines of several logs, in the order of time, within what the server's memory is good for.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::engine::LogLine;

/// So much is told at once of what was written before, however much there is.
pub(super) const MOST_LINES: u32 = 100_000;
const MOST_BYTES: usize = 16 << 20;

#[derive(Debug)]
pub(super) struct Newest {
    /// By time, and then as they came.
    lines: BTreeMap<(Timestamp, u64), LogLine>,
    count: u64,
    bytes: usize,
    most: usize,
    wanted: usize,
    /// More was asked for than there was room for at a time.
    lacks_some: bool,
}

impl Newest {
    /// None: all, as far as there is room.
    pub(super) fn new(tail: Option<u32>) -> Self {
        let most = tail.unwrap_or(MOST_LINES).min(MOST_LINES) as usize;
        let wanted = tail.map_or(usize::MAX, |tail| tail as usize);
        Self { lines: BTreeMap::new(), count: 0, bytes: 0, most, wanted, lacks_some: false }
    }

    /// How many of each log are looked at: one more than there is room for tells that there are more.
    pub(super) fn of_each(&self) -> u32 {
        u32::try_from(self.wanted).unwrap_or(u32::MAX).min(MOST_LINES + 1)
    }

    pub(super) fn add(&mut self, line: LogLine) {
        self.count += 1;
        self.bytes += line.text.len();
        self.lines.insert((line.at, self.count), line);
        while self.lines.len() > self.most || self.bytes > MOST_BYTES {
            let Some((_, oldest)) = self.lines.pop_first() else { break };
            self.bytes -= oldest.text.len();
            self.lacks_some |= self.lines.len() < self.wanted;
        }
    }

    /// Where older ones were wanted and left out, the first line says so.
    pub(super) fn lines(self) -> Vec<LogLine> {
        let lacks_some = self.lacks_some && self.lines.len() < self.wanted;
        let note = self.lines.values().next().filter(|_| lacks_some).map(|oldest| LogLine {
            text: format!(
                "mypaas: what is older is left out; {MOST_LINES} lines and {} MiB are told at once (a log may be asked for \
                 since a moment)",
                MOST_BYTES >> 20
            ),
            ..oldest.clone()
        });
        note.into_iter().chain(self.lines.into_values()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::LogStream;

    fn line(second: i64, text: &str) -> LogLine {
        let at = Timestamp::from_second(second).unwrap();
        let container = crate::name::ContainerName::from_engine("web.r1.1");
        LogLine { container, at, stream: LogStream::Stdout, text: text.to_owned() }
    }

    fn told(tail: Option<u32>, lines: impl IntoIterator<Item = LogLine>) -> Vec<String> {
        let mut newest = Newest::new(tail);
        lines.into_iter().for_each(|line| newest.add(line));
        newest.lines().into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn lines_come_in_the_order_of_time_and_then_as_they_came() {
        let lines = || [line(2, "c"), line(3, "d"), line(1, "a"), line(1, "b")];
        assert_eq!(told(None, lines()), ["a", "b", "c", "d"]);
        assert_eq!(told(Some(2), lines()), ["c", "d"]);
        assert_eq!(told(Some(0), lines()), [""; 0]);
        assert_eq!((Newest::new(Some(7)).of_each(), Newest::new(None).of_each()), (7, MOST_LINES + 1));
    }

    #[test]
    fn more_than_there_is_room_for_is_left_out_and_that_is_told() {
        let many = || (0..i64::from(MOST_LINES) + 5).map(|second| line(second, "x"));
        for tail in [None, Some(u32::MAX)] {
            let told = told(tail, many());
            assert_eq!(told.len(), MOST_LINES as usize + 1, "{tail:?}");
            assert!(told[0].contains("older is left out") && told[1] == "x", "{:?}", &told[..2]);
        }
        assert_eq!(told(Some(MOST_LINES), many()).len(), MOST_LINES as usize, "all that were asked for");
        let long = "x".repeat(MOST_BYTES / 4);
        let told = told(None, (0..10).map(|second| line(second, &long)));
        assert_eq!(told.len(), 5, "four of them, and the note");
        let half = "x".repeat(MOST_BYTES / 2 + 1);
        let short_later = [line(0, &half), line(1, &half), line(2, "x"), line(3, "x"), line(4, "x")];
        assert_eq!(self::told(Some(3), short_later), ["x"; 3], "all that were asked for came later");
    }
}
