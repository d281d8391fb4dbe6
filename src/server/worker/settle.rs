//! What the store keeps when a deploy reached its goal.

use jiff::Timestamp;

use crate::deploy::event::in_words;
use crate::deploy::patience::Waiting;
use crate::deploy::{Action, Deploy, Release, What};
use crate::name::{ReleaseId, ServiceName};
use crate::server::core::Core;
use crate::server::feed::Recorder;
use crate::store::{ServiceRecord, StoreError};

/// What holds for the service from the switch on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Settlement {
    pub(super) service: ServiceName,
    pub(super) change: Change,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    Serves { release: ReleaseId, scale: ScaleChange },
    Stops,
    Goes,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ScaleChange {
    /// What the manifest says.
    Declared,
    Asked(u32),
    AsBefore,
}

impl Settlement {
    /// For a deploy whose release is known.
    pub(super) fn of(deploy: &Deploy) -> Self {
        let change = match (&deploy.action, deploy.to) {
            (Action::Stop, _) => Change::Stops,
            (Action::Remove, _) | (_, None) => Change::Goes,
            (action, Some(release)) => Change::Serves { release, scale: ScaleChange::of(action) },
        };
        Self { service: deploy.service.clone(), change }
    }

    pub(super) fn serves(&self) -> bool {
        matches!(self.change, Change::Serves { .. })
    }
}

impl ScaleChange {
    pub(super) fn of(action: &Action) -> Self {
        match action {
            Action::Scale { count } => ScaleChange::Asked(*count),
            Action::Restart | Action::Start | Action::Stop | Action::Remove => ScaleChange::AsBefore,
            Action::Push | Action::Redeploy | Action::Rollback { .. } => ScaleChange::Declared,
        }
    }
}

impl Core {
    /// What is to be on record from the switch of a deploy on.
    pub(super) fn settled(&self, settlement: &Settlement) -> Result<Option<ServiceRecord>, StoreError> {
        let record = self.store.service(&settlement.service)?;
        let record = record.unwrap_or_else(|| ServiceRecord::new(settlement.service.clone()));
        Ok(match &settlement.change {
            Change::Serves { release, scale } => Some(serves(record, *release, *scale)),
            Change::Stops => Some(ServiceRecord { stopped: true, ..record }),
            // It is forgotten once nothing of it is left.
            Change::Goes => None,
        })
    }

    /// Removes what a removed service leaves: images, contexts, releases. The history of its deploys stays. What cannot
    /// be removed is told and left, for the service is gone all the same.
    pub(super) async fn forget(&self, service: &ServiceName, recorder: &Recorder) {
        let warn = |message: String| recorder.report(What::Warning { message });
        match self.store.releases::<Release>(service) {
            Ok(releases) => {
                for release in releases {
                    if let Err(error) = self.remove_image_for_good(&release.image, recorder).await {
                        warn(format!("the image {} is left: {error}", release.image));
                    }
                }
            }
            Err(error) => warn(format!("its images are left: {error}")),
        }
        if let Err(error) = self.discard_contexts(service) {
            warn(format!("its contexts are left: {error}"));
        }
        let mut room = Waiting::new(&warn);
        while let Err(error) = self.store.remove_service(service) {
            if !matches!(error, StoreError::Full { .. }) {
                warn(format!("its releases are left in the history: {error}"));
                break;
            }
            room.wait(&in_words(&error)).await;
        }
        self.mark_changed();
    }
}

fn serves(record: ServiceRecord, release: ReleaseId, scale: ScaleChange) -> ServiceRecord {
    let since = if record.live == Some(release) { record.since } else { None };
    ServiceRecord {
        live: Some(release),
        since: Some(since.unwrap_or_else(Timestamp::now)),
        stopped: false,
        scale: match scale {
            ScaleChange::Declared => None,
            ScaleChange::Asked(count) => Some(count),
            ScaleChange::AsBefore => record.scale,
        },
        ..record
    }
}
