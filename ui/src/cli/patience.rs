//! Waiting for a server that answered before: it restarts, or the way to it is broken for a moment.

use std::time::Duration;

use mypaas::api::ProblemCode;
use mypaas::client::ClientError;
use mypaas::name::ServerName;

use tokio::time::Instant;

use super::session::Session;

/// A server that restarts is back within half a minute, or not at all.
const ATTEMPTS: u32 = 30;
/// An attempt may itself take long, where packets get lost.
const LONGEST: Duration = Duration::from_secs(90);
const BETWEEN_ATTEMPTS: Duration = Duration::from_secs(1);

/// So many attempts are left to whoever restarts this machine's server; then it is started here.
const OTHERS_TURN: u32 = 10;

/// How long a server was waited for since it said something last.
#[derive(Debug, Default)]
pub(crate) struct Patience {
    attempts: u32,
    since: Option<Instant>,
}

impl Patience {
    /// Returns when it is time to ask again; false once that has been in vain for too long.
    pub(crate) async fn wait(&mut self, session: &Session, server: &ServerName) -> anyhow::Result<bool> {
        self.attempts += 1;
        let since = *self.since.get_or_insert_with(Instant::now);
        if self.attempts >= ATTEMPTS || since.elapsed() >= LONGEST {
            return Ok(false);
        }
        tokio::time::sleep(BETWEEN_ATTEMPTS).await;
        if self.attempts == OTHERS_TURN && session.is_own(server)? {
            session.ask(server, async |client| client.server().await).await?;
        }
        Ok(true)
    }
}

/// Whether the same question may be answered a little later. A router answers in the place of a server that is away.
pub(crate) fn may_pass(error: &anyhow::Error) -> bool {
    use ClientError::{Broken, NotTheServer, Refused, Ssh, TimedOut, Unreachable};
    match error.downcast_ref() {
        Some(Unreachable { .. } | TimedOut { .. } | Broken(_) | Ssh { .. }) => true,
        Some(NotTheServer { status, .. }) => matches!(status, 502..=504),
        Some(Refused(problem)) => {
            matches!(problem.code, ProblemCode::Unavailable | ProblemCode::Stopping | ProblemCode::TooMany)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use mypaas::api::Problem;
    use tokio::time::Instant;

    use super::*;
    use crate::cli::fixture;

    #[tokio::test(start_paused = true)]
    async fn a_server_elsewhere_is_waited_for_and_never_started() {
        let folder = tempfile::tempdir().unwrap();
        let session = fixture::session(folder.path());
        let fleet = "[servers.shop]\naddress = \"unix:///nowhere/mypaas.sock\"\n";
        std::fs::write(&session.environment.fleet, fleet).unwrap();
        let (mut patience, start) = (Patience::default(), Instant::now());
        while patience.wait(&session, &"shop".parse().unwrap()).await.unwrap() {}
        assert_eq!(start.elapsed(), BETWEEN_ATTEMPTS * (ATTEMPTS - 1));
    }

    #[test]
    fn what_a_restart_or_a_lost_connection_brings_about_may_pass() {
        let endpoint = || "there".to_owned();
        let refused = |code| ClientError::Refused(Box::new(Problem::new(code, "no")));
        let router = |status| ClientError::NotTheServer { endpoint: endpoint(), status };
        let passes = |error: ClientError| may_pass(&error.into());
        assert!(passes(ClientError::Ssh { endpoint: endpoint(), trouble: "Connection timed out".into() }));
        assert!(passes(ClientError::Broken("reset".into())) && passes(router(502)) && passes(router(504)));
        assert!(passes(refused(ProblemCode::Stopping)) && passes(refused(ProblemCode::Unavailable)));
        assert!(passes(refused(ProblemCode::TooMany)), "many come back at once when a server restarts");
        assert!(!passes(router(404)) && !passes(refused(ProblemCode::NotFound)) && !passes(ClientError::NoKey));
    }
}
