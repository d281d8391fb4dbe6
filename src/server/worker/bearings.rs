//! What a deploy comes from and goes to. Both are told as it is accepted, and found anew when its turn comes: the deploys
//! it waited for may have made another release live, or removed the service.

use crate::api::Problem;
use crate::deploy::{Action, Deploy, Origin};
use crate::name::{ReleaseId, ServiceName};
use crate::server::core::Core;
use crate::server::feed::Recorder;

/// By what is live now.
pub(super) struct Bearings {
    pub(super) from: Option<ReleaseId>,
    pub(super) to: Option<ReleaseId>,
    pub(super) origin: Origin,
}

impl Core {
    pub(super) fn bearings(&self, service: &ServiceName, action: &Action, origin: Origin) -> Result<Bearings, Problem> {
        let record = self.store.service(service)?;
        let from = record.as_ref().and_then(|record| record.live);
        let to = match action {
            // A build has yet to make it, or there will be none.
            Action::Push | Action::Redeploy | Action::Stop | Action::Remove => None,
            Action::Rollback { to } => Some(*to),
            Action::Scale { .. } | Action::Restart | Action::Start => from,
        };
        let origin = match record {
            // What is built again comes from where it came from before.
            Some(record) if *action == Action::Redeploy => {
                let live = self.live_release(&record)?;
                Origin { who: origin.who, key: origin.key, ..live.origin }
            }
            _ => origin,
        };
        Ok(Bearings { from, to, origin })
    }

    /// For a deploy whose turn has come.
    pub(super) fn take_bearings(&self, recorder: &Recorder) -> Result<Deploy, Problem> {
        let Deploy { service, action, origin, .. } = recorder.deploy();
        let Bearings { from, to, origin } = self.bearings(&service, &action, origin)?;
        if action == Action::Push {
            self.store.know_service(&service)?;
        }
        recorder.update(|deploy| {
            deploy.from = from;
            deploy.to = to;
            deploy.origin = origin;
        });
        Ok(recorder.deploy())
    }
}
