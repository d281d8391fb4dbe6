//! Keeps the disk from filling: of each service the newest releases stay, with their images and contexts; older ones
//! go. Only what this server made is ever removed.

use std::time::Duration;

use tokio::time::sleep;

use crate::deploy::patience::until_engine_answers;
use crate::deploy::{Release, What};
use crate::engine::EngineError;
use crate::name::{ImageName, ServiceName};
use crate::server::core::{Core, discard};
use crate::server::feed::Recorder;

/// How often the removal of an image is tried that nobody will come back to.
const TRIES: u32 = 3;

const PAUSE_BETWEEN_TRIES: Duration = Duration::from_millis(500);

impl Core {
    /// After a new release is live. What cannot be removed is told, and tried again after the next deploy.
    pub(super) async fn prune_releases(&self, service: &ServiceName, recorder: &Recorder) {
        let Ok(releases) = self.store.releases::<Release>(service) else { return };
        let live = self.store.service(service).ok().flatten().and_then(|record| record.live);
        let others = releases.iter().filter(|release| Some(release.id) != live);
        // The live one is kept whatever its age, and counts.
        for old in others.skip(self.config.deploy.keep_releases.max(1) - 1) {
            if let Err(error) = self.engine.remove_image(&old.image).await {
                let message = format!("the old image {} could not be removed: {error}", old.image);
                recorder.report(What::Warning { message });
                continue;
            }
            discard(&self.context_of(service, old.id));
            if let Err(error) = self.store.remove_release(service, old.id) {
                recorder.report(What::Warning { message: format!("{} stays in the list: {error}", old.id) });
            }
        }
    }

    /// After a build that gave no release: it may have made the image all the same.
    pub(super) async fn prune_unreleased(&self, service: &ServiceName, recorder: &Recorder) {
        let Ok(next) = self.store.next_release(service) else { return };
        let image = ImageName::of(&self.config.server.instance, service, next);
        if let Err(error) = self.remove_image_for_good(&image, recorder).await {
            let message = format!("the image {image}, which is of no release, could not be removed: {error}");
            recorder.report(What::Warning { message });
        }
    }

    /// For an image that nobody will come back to.
    pub(super) async fn remove_image_for_good(
        &self,
        image: &ImageName,
        recorder: &Recorder,
    ) -> Result<(), EngineError> {
        let report = |message| recorder.report(What::Warning { message });
        let mut tries = 0;
        loop {
            let Err(error) = self.engine.remove_image(image).await else { return Ok(()) };
            if until_engine_answers(&*self.engine, &report).await {
                continue;
            }
            tries += 1;
            if tries == TRIES {
                return Err(error);
            }
            sleep(PAUSE_BETWEEN_TRIES).await;
        }
    }
}
