//! `mypaas rollback`: an earlier release becomes live again.

use clap::Args;
use mypaas::api::{Action, DeployState, ReleaseView, ServiceDetail};
use mypaas::name::ReleaseId;

use super::act::{self, How, On, OnEach, act};
use crate::cli::input::InputError;
use crate::cli::session::Session;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    on: OnEach,
    /// The release to go back to, as in r12; without it, the newest good one before the live one
    release: Option<ReleaseId>,
    #[command(flatten)]
    how: How,
}

pub(crate) async fn run(arguments: &Arguments, session: &Session) -> anyhow::Result<()> {
    let Arguments { on, release, how } = arguments;
    on.each(session, how.touch(), how.json, async |session, on| roll_back(session, on, *release, *how).await).await
}

async fn roll_back(session: &Session, on: &On, release: Option<ReleaseId>, how: How) -> anyhow::Result<()> {
    let detail = act::detail(session, on).await?;
    let to = match release {
        Some(release) => known(&detail, release, on)?,
        None => previous(&detail)
            .ok_or_else(|| InputError::NothingEarlier { service: on.service.clone(), server: on.server.clone() })?,
    };
    act(session, on, Action::Rollback { to }, how).await
}

/// The release, if the service has it.
pub(super) fn known(detail: &ServiceDetail, release: ReleaseId, on: &On) -> Result<ReleaseId, InputError> {
    if detail.releases.iter().any(|view| view.release.id == release) {
        return Ok(release);
    }
    let known = detail.releases.iter().map(|view| view.release.id.to_string()).collect();
    Err(InputError::UnknownRelease { release, service: on.service.clone(), server: on.server.clone(), known })
}

/// The newest release before the live one that was deployed well and whose image is still there.
fn previous(detail: &ServiceDetail) -> Option<ReleaseId> {
    let live = detail.releases.iter().find(|view| view.live).map(|view| view.release.id).or(detail.service.release);
    let earlier = detail.releases.iter().filter(|view| live.is_none_or(|live| view.release.id < live));
    earlier.filter(|view| view.available && was_good(view)).map(|view| view.release.id).max()
}

fn was_good(view: &ReleaseView) -> bool {
    match view.deploy.as_ref().map(|deploy| &deploy.state) {
        Some(DeployState::Finished { outcome, .. }) => outcome.succeeded(),
        Some(_) => false,
        None => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::fixture;

    #[test]
    fn the_release_to_go_back_to_is_the_newest_good_one_before_the_live_one() {
        let detail: ServiceDetail = fixture::read("services/hello.json");
        let states: Vec<_> = detail.releases.iter().map(|view| view.release.id.to_string()).collect();
        assert_eq!(states, ["r13", "r12", "r11", "r10", "r9"], "the fixture: r12 live, r11 failed, r10 gone");
        assert_eq!(previous(&detail), Some(ReleaseId::new(9)));
    }

    #[test]
    fn a_first_release_has_nothing_before_it() {
        let mut detail: ServiceDetail = fixture::read("services/hello.json");
        detail.releases.retain(|view| view.live);
        assert_eq!(previous(&detail), None);
    }
}
