//! Reading what a container wrote, and following it through its restarts until it is removed.
//!
//! Docker ends a follow when the container stops. So ours goes round: read to the end; look at the container; when it
//! runs again, read on from the last line.

use std::time::Duration;

use bollard::Docker;
use bollard::container::LogOutput;
use bollard::errors::Error as DockerError;
use bollard::models::ContainerState;
use bollard::query_parameters::{InspectContainerOptions, LogsOptions, LogsOptionsBuilder};
use futures_util::stream::{self, BoxStream, StreamExt};
use jiff::Timestamp;

use super::error::Asked;
use super::frame::Frames;
use super::{DockerEngine, QUICK};
use crate::engine::{EngineError, LogLine, LogQuery, Result};
use crate::name::ContainerName;

/// How often to look whether a container that does not run was started again, or removed.
const LOOK_AGAIN: Duration = Duration::from_millis(300);

impl DockerEngine {
    pub(super) async fn read_logs(
        &self,
        name: &ContainerName,
        query: &LogQuery,
    ) -> Result<BoxStream<'static, Result<LogLine>>> {
        let there = self.own(name).await?;
        let reader = Reader {
            docker: self.docker.clone(),
            endpoint: self.endpoint.clone(),
            name: name.clone(),
            id: there.id.unwrap_or_else(|| name.to_string()),
            query: query.clone(),
            last: None,
            started: there.state.and_then(|state| state.started_at),
            part: None,
            opened: None,
        };
        Ok(stream::unfold(Some(reader), |reader| async move { reader?.step().await }).boxed())
    }
}

/// Reads one container's log, a line at a step.
struct Reader {
    docker: Docker,
    endpoint: String,
    name: ContainerName,
    id: String,
    query: LogQuery,
    /// The latest time of all lines that were passed on.
    last: Option<Timestamp>,
    /// Which run of the container was read last.
    started: Option<String>,
    part: Option<Part>,
    /// When the part was begun that was read last.
    opened: Option<Timestamp>,
}

/// What Docker sends in one go: until now, or until the container stops.
struct Part {
    pieces: BoxStream<'static, Result<LogOutput, DockerError>>,
    frames: Frames,
    /// What was passed on before. Within a part, a line may well be a little older than the one before it.
    after: Option<Timestamp>,
}

impl Reader {
    /// The next line, and how to go on; none at the end.
    async fn step(mut self) -> Option<(Result<LogLine>, Option<Self>)> {
        loop {
            match self.next_line().await {
                Ok(Some(line)) => {
                    self.last = self.last.max(Some(line.at));
                    return Some((Ok(line), Some(self)));
                }
                Ok(None) if !self.query.follow => return None,
                Ok(None) => {}
                Err(error) => return Some((Err(error), None)),
            }
            match self.until_there_is_more().await {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => return Some((Err(error), None)),
            }
        }
    }

    /// The next line of this part that is wanted; none at the part's end.
    async fn next_line(&mut self) -> Result<Option<LogLine>> {
        let mut part = match self.part.take() {
            Some(part) => part,
            None => self.open(),
        };
        let line = loop {
            let line = match self.next_piece(&mut part).await? {
                Some(piece) => part.frames.take(&piece),
                None => match part.frames.rest() {
                    None => return Ok(None),
                    rest => rest,
                },
            };
            if let Some(line) = line.filter(|line| self.is_wanted(line, part.after)) {
                break line;
            }
        };
        self.part = Some(part);
        Ok(Some(line))
    }

    async fn next_piece(&mut self, part: &mut Part) -> Result<Option<LogOutput>> {
        let asked = Asked::container("read the log of", self.name.as_str());
        let piece = if self.query.follow {
            part.pieces.next().await
        } else {
            tokio::time::timeout(QUICK, part.pieces.next()).await.map_err(|_| asked.timed_out(QUICK))?
        };
        match piece.transpose().map_err(|error| asked.explain(error, &self.endpoint)) {
            // Removed while it was read: that is the end of its log.
            Err(EngineError::NotFound { .. }) => Ok(None),
            other => other,
        }
    }

    /// The first part is what the query asks for; the next ones are all that was written since.
    fn open(&mut self) -> Part {
        if let Some(opened) = self.opened.replace(Timestamp::now()) {
            self.query.tail = None;
            self.query.since = self.query.since.max(self.last.or(Some(opened)));
        }
        Part {
            pieces: self.docker.logs(&self.id, Some(options(&self.query))).fuse().boxed(),
            frames: Frames::new(self.name.clone()),
            after: self.last,
        }
    }

    fn is_wanted(&self, line: &LogLine, after: Option<Timestamp>) -> bool {
        after.is_none_or(|after| line.at > after) && self.query.since.is_none_or(|since| line.at >= since)
    }

    /// Waits until the container was started again. False when it is gone.
    async fn until_there_is_more(&mut self) -> Result<bool> {
        loop {
            let Some(state) = self.look().await? else {
                return Ok(false);
            };
            if state.started_at != self.started {
                self.started = state.started_at;
                return Ok(true);
            }
            tokio::time::sleep(LOOK_AGAIN).await;
            if state.running == Some(true) {
                return Ok(true);
            }
        }
    }

    async fn look(&mut self) -> Result<Option<ContainerState>> {
        let asked = Asked::container("inspect", self.name.as_str());
        let look = self.docker.inspect_container(&self.id, None::<InspectContainerOptions>);
        let found = tokio::time::timeout(QUICK, look).await.map_err(|_| asked.timed_out(QUICK))?;
        match found.map_err(|error| asked.explain(error, &self.endpoint)) {
            Ok(found) => Ok(Some(found.state.unwrap_or_default())),
            Err(EngineError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Docker knows whole seconds only: what is too early is left out afterwards.
fn options(query: &LogQuery) -> LogsOptions {
    let from = query.since.map_or(0, |time| i32::try_from(time.as_second()).unwrap_or(i32::MAX));
    let tail = query.tail.map_or("all".to_owned(), |count| count.to_string());
    let options = LogsOptionsBuilder::default().stdout(true).stderr(true).timestamps(true);
    options.follow(query.follow).since(from).tail(&tail).build()
}
