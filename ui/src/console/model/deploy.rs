//! The page of one deploy.

use mypaas::api::{Action, Deploy, Outcome};
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
    /// The last deploy of the same kind that went well, to compare times with.
    pub before: Option<Before>,
}

#[derive(Debug, Clone)]
pub(crate) struct Before {
    pub id: DeployId,
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
        }
    }

    /// Looks for a deploy to compare with in the service's history (newest first).
    pub(crate) fn compare_with(&mut self, history: &[Deploy]) {
        if self.before.is_some() {
            return;
        }
        let alike = |deploy: &&Deploy| {
            deploy.id < self.deploy.id
                && same_kind(&deploy.action, &self.deploy.action)
                && matches!(deploy.state, mypaas::api::DeployState::Finished { outcome: Outcome::Succeeded, .. })
        };
        self.before = history.iter().find(alike).map(|deploy| Before { id: deploy.id, progress: Progress::default() });
    }
}

fn same_kind(one: &Action, other: &Action) -> bool {
    std::mem::discriminant(one) == std::mem::discriminant(other)
}
