//! Docker's answers → [`EngineError`]: what was asked, and Docker's own words as the cause.

use std::sync::LazyLock;
use std::time::Duration;

use bollard::errors::Error as DockerError;
use regex::Regex;

use crate::engine::{Cause, EngineError};

/// What Docker was asked to do, for the message when it does not.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) verb: &'static str,
    /// `container`, `image`, …
    pub(super) what: &'static str,
    pub(super) name: &'a str,
}

impl<'a> Asked<'a> {
    pub(super) fn container(verb: &'static str, name: &'a str) -> Self {
        Self { verb, what: "container", name }
    }

    pub(super) fn image(verb: &'static str, name: &'a str) -> Self {
        Self { verb, what: "image", name }
    }

    pub(super) fn network(verb: &'static str, name: &'a str) -> Self {
        Self { verb, what: "network", name }
    }

    pub(super) fn action(&self) -> String {
        format!("{} the {} {}", self.verb, self.what, self.name)
    }

    pub(super) fn refused(&self, source: impl Into<Cause>) -> EngineError {
        EngineError::Refused { action: self.action(), source: source.into() }
    }

    pub(super) fn timed_out(&self, limit: Duration) -> EngineError {
        EngineError::TimedOut { action: self.action(), limit }
    }

    /// Where it may be the disk, see [`DockerEngine::explain`](super::DockerEngine::explain).
    pub(super) fn explain(&self, error: DockerError, endpoint: &str) -> EngineError {
        match error {
            DockerError::DockerResponseServerError { status_code: 404, .. } => {
                EngineError::NotFound { what: self.what, name: self.name.to_owned() }
            }
            error if is_unreachable(&error) => {
                EngineError::Unreachable { endpoint: endpoint.to_owned(), source: words(error) }
            }
            error => self.refused(words(error)),
        }
    }
}

/// Docker's own words, without the library's around them.
pub(super) fn words(error: DockerError) -> Cause {
    match error {
        DockerError::DockerResponseServerError { message, .. } => message.into(),
        DockerError::DockerStreamError { error } => error.into(),
        DockerError::HyperLegacyError { err } => Box::new(err),
        other => Box::new(other),
    }
}

/// Nobody was there, or whoever was there went away before the answer was whole.
fn is_unreachable(error: &DockerError) -> bool {
    matches!(
        error,
        DockerError::HyperLegacyError { .. }
            | DockerError::HyperResponseError { .. }
            | DockerError::IOError { .. }
            | DockerError::SocketNotFoundError(_)
    )
}

/// Whether Docker says that its disk is full.
pub(super) fn is_full(message: &str) -> bool {
    message.contains("no space left on device")
}

/// Why a container could not get on the network.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Conflict {
    Port(String),
    Address,
}

/// Recognises a conflict in what Docker says about a failed start.
pub(super) fn conflict(message: &str) -> Option<Conflict> {
    // Bind for 0.0.0.0:80 failed: port is already allocated
    // Error starting userland proxy: listen tcp4 0.0.0.0:80: bind: address already in use
    // failed to bind host port for 0.0.0.0:80:10.0.0.2:80/tcp: address already in use
    static PORT: LazyLock<Regex> = LazyLock::new(|| {
        let host = r"(?:\[[0-9a-fA-F:]*\]|::|[0-9.]*)";
        Regex::new(&format!(r"(?:Bind for|listen \w+|host port(?: for)?) {host}:(\d+)")).expect("the pattern is valid")
    });
    if message.ends_with("Address already in use") {
        return Some(Conflict::Address);
    }
    if !message.contains("port is already allocated") && !message.contains("address already in use") {
        return None;
    }
    let port = PORT.captures(message)?.get(1)?;
    Some(Conflict::Port(port.as_str().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conflicts_are_read_from_what_docker_says() {
        let told = include_str!("../../../tests/fixtures/docker_conflicts.txt");
        let mut count = 0;
        for line in told.lines() {
            let (expected, message) = line.split_once(" | ").unwrap();
            let found = match conflict(message) {
                Some(Conflict::Port(port)) => port,
                Some(Conflict::Address) => "address".into(),
                None => "none".into(),
            };
            assert_eq!(found, expected.trim(), "{message}");
            count += 1;
        }
        assert!(count > 5);
    }

    #[test]
    fn a_missing_object_is_told_as_missing_and_docker_s_words_are_the_cause() {
        let asked = Asked::container("start", "web.r1.1");
        let answer = |status_code, message: &str| DockerError::DockerResponseServerError {
            status_code,
            message: message.to_owned(),
        };
        let missing = asked.explain(answer(404, "No such container: web.r1.1"), "here");
        assert_eq!(missing.to_string(), "there is no container web.r1.1");
        let refused = asked.explain(answer(500, "no room"), "here");
        assert_eq!(refused.to_string(), "could not start the container web.r1.1");
        assert_eq!(std::error::Error::source(&refused).unwrap().to_string(), "no room");
    }
}
