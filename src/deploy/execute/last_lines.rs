//! What containers wrote last, kept before they are removed: their logs go with them.

use std::time::Duration;

use futures_util::stream::{self, StreamExt};
use tokio::time::timeout;

use super::act::AT_ONCE;
use crate::engine::{Engine, LogLine, LogQuery, Role};
use crate::name::{ContainerName, ReleaseId, ServiceName};

/// Of each container.
const LINES: u32 = 200;

/// Of all containers that are removed together, so that a release keeps no more however many it had.
const BYTES: usize = 256 * 1024;

/// So long a deploy waits for the lines of a container; to go on matters more.
const LIMIT: Duration = Duration::from_secs(2);

/// Where they are kept.
pub trait LastLines: Sync {
    fn keep(&self, service: &ServiceName, release: ReleaseId, container: &ContainerName, lines: Vec<LogLine>);
}

/// Lines that cannot be had, or not in time, are lost and hinder nothing.
pub(crate) async fn keep_last_lines(
    engine: &dyn Engine,
    place: &dyn LastLines,
    service: &ServiceName,
    containers: &[ContainerName],
) {
    let most = BYTES / containers.len().max(1);
    let keep_one = async |container: &ContainerName| {
        if let Ok(Some((release, lines))) = timeout(LIMIT, of(engine, container)).await {
            place.keep(service, release, container, newest(lines, most));
        }
    };
    stream::iter(containers).for_each_concurrent(AT_ONCE, keep_one).await;
}

async fn of(engine: &dyn Engine, container: &ContainerName) -> Option<(ReleaseId, Vec<LogLine>)> {
    let Role::Service { release, .. } = engine.inspect(container).await.ok()?.role else { return None };
    let lines = read(engine, container, LINES).await;
    (!lines.is_empty()).then_some((release, lines))
}

/// Nothing where the log cannot be read.
pub(super) async fn read(engine: &dyn Engine, container: &ContainerName, count: u32) -> Vec<LogLine> {
    let query = LogQuery { tail: Some(count), since: None, follow: false };
    match engine.logs(container, &query).await {
        Ok(lines) => lines.filter_map(|line| async { line.ok() }).collect().await,
        Err(_) => Vec::new(),
    }
}

/// As many of the newest as have room in so many bytes.
fn newest(mut lines: Vec<LogLine>, most: usize) -> Vec<LogLine> {
    let mut room = most;
    let fitting = lines.iter().rev().take_while(|line| {
        let left = room.checked_sub(line.text.len());
        room = left.unwrap_or(0);
        left.is_some()
    });
    let count = fitting.count();
    lines.split_off(lines.len() - count)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::engine::LogStream;

    #[test]
    fn the_newest_lines_are_kept_where_there_is_no_room_for_all() {
        let line = |text: &str| LogLine {
            container: ContainerName::from_engine("web.r1.1"),
            at: Timestamp::UNIX_EPOCH,
            stream: LogStream::Stdout,
            text: text.into(),
        };
        let kept = |most| newest(["old", "longer", "new"].map(line).into(), most).len();
        assert_eq!([12, 11, 9, 8, 3, 2, 0].map(kept), [3, 2, 2, 1, 1, 0, 0]);
        assert_eq!(newest(["old", "new"].map(line).into(), 3)[0].text, "new");
        assert_eq!(newest(["one", "", "longer"].map(line).into(), 2).len(), 0, "nothing older than what is left out");
    }
}
