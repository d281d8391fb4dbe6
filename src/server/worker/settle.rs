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
    /// With so many containers where this is what was asked for.
    Serves {
        release: ReleaseId,
        asked: Option<u32>,
    },
    Stops,
    Goes,
}

impl Settlement {
    /// For a deploy whose release is known.
    pub(super) fn of(deploy: &Deploy) -> Self {
        let change = match (&deploy.action, deploy.to) {
            (Action::Stop, _) => Change::Stops,
            (Action::Remove, _) | (_, None) => Change::Goes,
            (Action::Scale { count }, Some(release)) => Change::Serves { release, asked: Some(*count) },
            (_, Some(release)) => Change::Serves { release, asked: None },
        };
        Self { service: deploy.service.clone(), change }
    }

    pub(super) fn serves(&self) -> bool {
        matches!(self.change, Change::Serves { .. })
    }
}

impl Core {
    /// What is to be on record from the switch of a deploy on.
    pub(super) fn settled(&self, settlement: &Settlement) -> Result<Option<ServiceRecord>, StoreError> {
        let known = self.store.service(&settlement.service)?;
        let stops = |record| ServiceRecord { stopped: true, ..record };
        Ok(match &settlement.change {
            Change::Serves { release, asked } => {
                let record = known.unwrap_or_else(|| ServiceRecord::new(settlement.service.clone()));
                let made: Option<Release> = self.store.release(&settlement.service, *release)?;
                let before = made.map_or(Ok(None), |release| self.asked_scale(&release))?;
                Some(serves(record, *release, asked.or(before)))
            }
            // One that goes is forgotten once nothing of it is left; until then nothing of it is started again.
            Change::Stops | Change::Goes => known.map(stops),
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

fn serves(record: ServiceRecord, release: ReleaseId, scale: Option<u32>) -> ServiceRecord {
    let since = if record.live == Some(release) { record.since } else { None };
    ServiceRecord {
        live: Some(release),
        since: Some(since.unwrap_or_else(Timestamp::now)),
        stopped: false,
        scale,
        ..record
    }
}
