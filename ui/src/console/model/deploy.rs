//! The page of one deploy.

use mypaas::api::{Action, Deploy, DeployState, Outcome, Phase};
use mypaas::name::DeployId;

use super::fleet::ServiceAt;
use super::progress::Progress;
use super::tape::{Flow, Place};

#[derive(Debug, Clone)]
pub(crate) struct DeployPage {
    pub at: ServiceAt,
    pub deploy: Deploy,
    pub progress: Progress,
    pub flow: Flow,
    pub place: Place,
    pub wrap: bool,
    /// An earlier deploy of the same kind, to compare times with: at first the last one that went well.
    pub before: Option<Before>,
    /// All that there are to compare with, newest first.
    earlier: Vec<Deploy>,
}

#[derive(Debug, Clone)]
pub(crate) struct Before {
    pub id: DeployId,
    pub went_well: bool,
    pub progress: Progress,
}

impl DeployPage {
    pub(crate) fn new(at: ServiceAt, deploy: Deploy) -> Self {
        Self {
            at,
            deploy,
            progress: Progress::default(),
            flow: Flow::Waiting,
            place: Place::End,
            wrap: false,
            before: None,
            earlier: Vec::new(),
        }
    }

    /// The phase that it is in, which is no longer one in which it can be cancelled. Its events may say more than what
    /// the server said of it last, or less.
    pub(crate) fn too_late_to_cancel(&self) -> Option<Phase> {
        let told = match self.deploy.state {
            DeployState::Running { phase, .. } => Some(phase),
            DeployState::Queued | DeployState::Finished { .. } => None,
        };
        let heard = self.progress.phases.last().map(|station| station.phase);
        let has_changed_nothing = |phase: &Phase| matches!(phase, Phase::Queued | Phase::Building);
        heard.into_iter().chain(told).find(|phase| !has_changed_nothing(phase))
    }

    pub(crate) fn is_over(&self) -> bool {
        self.progress.finished.is_some() || self.deploy.is_finished()
    }

    /// Looks for a deploy to compare with in the service's history (newest first).
    pub(crate) fn compare_with(&mut self, history: &[Deploy]) {
        let alike = |deploy: &&Deploy| {
            deploy.id < self.deploy.id && deploy.is_finished() && same_kind(&deploy.action, &self.deploy.action)
        };
        self.earlier = history.iter().filter(alike).cloned().collect();
        if self.before.is_none() {
            self.before = self.earlier.iter().find(|deploy| went_well(deploy)).map(Before::of);
        }
    }

    /// Compares with the one before the one that it is compared with; after the first one with the newest again. Says
    /// whether there is any.
    pub(crate) fn compare_with_next(&mut self) -> bool {
        let place = self.before.as_ref().and_then(|now| self.earlier.iter().position(|deploy| deploy.id == now.id));
        let next = place.map_or(0, |place| place + 1);
        self.before = self.earlier.get(next).or(self.earlier.first()).map(Before::of);
        self.before.is_some()
    }
}

impl Before {
    fn of(deploy: &Deploy) -> Self {
        Self { id: deploy.id, went_well: went_well(deploy), progress: Progress::default() }
    }
}

fn went_well(deploy: &Deploy) -> bool {
    matches!(deploy.state, DeployState::Finished { outcome: Outcome::Succeeded, .. })
}

fn same_kind(one: &Action, other: &Action) -> bool {
    std::mem::discriminant(one) == std::mem::discriminant(other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::fixture::{self, service_at};

    #[test]
    fn it_is_compared_with_the_last_good_one_and_then_with_each_earlier_one() {
        let mut page = DeployPage::new(service_at("local", "api"), fixture::deploy("api", 50));
        page.compare_with(&fixture::detail("api").deploys);
        let before = |page: &DeployPage| page.before.as_ref().map(|before| (before.id.number(), before.went_well));
        assert_eq!(before(&page), Some((31, true)));
        assert!(page.compare_with_next());
        assert_eq!(before(&page), Some((30, false)), "the failed one before it");
        assert!(page.compare_with_next());
        assert_eq!(before(&page), Some((31, true)), "round");
        page.compare_with(&[]);
        assert!(!page.compare_with_next() && page.before.is_none());
    }
}
