//! `mypaas rollback`: an earlier release becomes live again.

use clap::Args;
use mypaas::api::{Action, ServiceDetail};
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
        None => detail
            .good_before()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::fixture;

    #[test]
    fn the_release_to_go_back_to_is_the_newest_good_one_before_the_live_one() {
        let detail: ServiceDetail = fixture::read("services/hello.json");
        let states: Vec<_> = detail.releases.iter().map(|view| view.release.id.to_string()).collect();
        assert_eq!(states, ["r13", "r12", "r11", "r10", "r9"], "the fixture: r12 live, r11 failed, r10 gone");
        assert_eq!(detail.good_before(), Some(ReleaseId::new(9)));
    }

    #[test]
    fn a_first_release_has_nothing_before_it() {
        let mut detail: ServiceDetail = fixture::read("services/hello.json");
        detail.releases.retain(|view| view.live);
        assert_eq!(detail.good_before(), None);
    }

    #[test]
    fn a_release_that_one_went_back_from_is_passed_over_until_it_is_made_live_again() {
        let mut detail: ServiceDetail = fixture::read("services/hello.json");
        // A push of r14 over r12, after r13 was gone back from.
        for view in &mut detail.releases {
            view.live = false;
        }
        detail.service.release = Some(ReleaseId::new(14));
        assert_eq!(detail.good_before(), Some(ReleaseId::new(12)));
        let mut again = detail.deploys[0].clone();
        (again.from, again.to) = (again.to, again.from);
        again.action = Action::Rollback { to: ReleaseId::new(13) };
        detail.deploys.insert(0, again);
        assert_eq!(detail.good_before(), Some(ReleaseId::new(13)));
    }
}
