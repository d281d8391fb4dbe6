//! A deploy that waits or builds can be cancelled: it has changed nothing yet. Later it cannot; it ends by itself, and
//! one can roll back.

use tokio::sync::oneshot;

use crate::api::{Problem, ProblemCode, state_word};
use crate::deploy::{Deploy, Failure, Outcome};
use crate::name::DeployId;
use crate::server::core::Core;

/// Who cancelled.
pub(super) type CancelledBy = String;

/// Why a deploy did not reach its goal.
#[derive(Debug)]
pub(super) enum Ending {
    Failed(Failure),
    Cancelled { by: CancelledBy },
}

impl From<Failure> for Ending {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl Core {
    /// Ends a deploy that has changed nothing yet.
    pub fn cancel(&self, id: DeployId, by: &str) -> Result<Deploy, Problem> {
        let deploy = self.deploy(id)?;
        let mut admission = self.admission();
        if admission.queue.withdraw(&deploy.service, id) {
            let work = admission.work.remove(&id);
            drop(admission);
            self.dismiss(id, work, Outcome::Cancelled { by: by.to_owned() });
            return self.deploy(id);
        }
        let building = admission.building.remove(&id);
        drop(admission);
        match building.map(|building| building.send(by.to_owned())) {
            Some(Ok(())) => self.deploy(id),
            _ => Err(too_late(&deploy)),
        }
    }

    pub(in crate::server) fn deploy(&self, id: DeployId) -> Result<Deploy, Problem> {
        let stored = self.store.deploy(id)?.map(|deploy| self.feeds.current(deploy));
        stored.ok_or_else(|| Self::no_deploy(id))
    }

    pub(in crate::server) fn no_deploy(id: DeployId) -> Problem {
        let message = format!("there is no deploy {id}");
        Problem::new(ProblemCode::NotFound, message).hint("`mypaas deploys SERVER` lists them.")
    }

    /// From now until [`Core::no_longer_cancellable`] the deploy can be cancelled.
    pub(super) fn cancellable(&self, id: DeployId) -> oneshot::Receiver<CancelledBy> {
        let (sender, receiver) = oneshot::channel();
        self.admission().building.insert(id, sender);
        receiver
    }

    pub(super) fn no_longer_cancellable(&self, id: DeployId) {
        self.admission().building.remove(&id);
    }
}

fn too_late(deploy: &Deploy) -> Problem {
    let (id, word) = (deploy.id, state_word(&deploy.state));
    let (message, hint) = match deploy.is_finished() {
        true => (format!("{id} cannot be cancelled: it has ended ({word})"), "`mypaas rollback` goes back."),
        false => (
            format!("{id} cannot be cancelled: it is {word}"),
            "It ends with the new release or with the old one; `mypaas rollback` goes back afterwards.",
        ),
    };
    Problem::new(ProblemCode::Conflict, message).hint(hint)
}
