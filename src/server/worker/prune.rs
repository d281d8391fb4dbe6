//! Keeps the disk from filling: releases that are too old go, with their images and contexts. Only what this server made
//! is ever removed.

use std::time::Duration;

use tokio::time::sleep;

use crate::api::Problem;
use crate::deploy::patience::until_engine_answers;
use crate::deploy::{Release, What};
use crate::engine::EngineError;
use crate::name::{ImageName, ServiceName};
use crate::server::core::{Core, discard};
use crate::server::feed::Recorder;
use crate::store::StoreError;

/// How often the removal of an image is tried that nobody will come back to.
const TRIES: u32 = 3;

const PAUSE_BETWEEN_TRIES: Duration = Duration::from_millis(500);

impl Core {
    /// After each deploy that may have made a release. What cannot be removed is told, and tried again after the next deploy.
    pub(super) async fn prune_releases(&self, service: &ServiceName, recorder: &Recorder) {
        let Ok(spare) = self.spare_releases(service, self.config.deploy.keep_releases) else { return };
        for release in spare {
            if let Err(message) = self.remove_release(&release).await {
                recorder.report(What::Warning { message });
            }
        }
    }

    /// Removes a release with its image and its context; false when it came to be needed. An error says in a sentence
    /// what is left.
    pub(in crate::server) async fn remove_release(&self, release: &Release) -> Result<bool, String> {
        let Release { service, id, image, .. } = release;
        let stays = |error: &dyn std::fmt::Display| format!("{id} of {service} stays in the list: {error}");
        let Some(_leaving) = self.leave(release).map_err(|error| stays(&error))? else { return Ok(false) };
        let removed = self.engine.remove_image(image).await;
        removed.map_err(|error| format!("the old image {image} could not be removed: {error}"))?;
        discard(&self.context_of(service, *id));
        self.store.remove_release(service, *id).map_err(|error| stays(&error))?;
        Ok(true)
    }

    /// After a build that gave no release: it may have made the image all the same, and died before that got its name.
    pub(super) async fn prune_unreleased(&self, service: &ServiceName, recorder: &Recorder) {
        let Ok(image) = self.next_image(service) else { return };
        if let Err(error) = self.remove_image_for_good(&image, recorder).await {
            let message = format!("the image {image}, which is of no release, could not be removed: {error}");
            recorder.report(What::Warning { message });
        }
        if let Err(error) = self.engine.remove_nameless(service).await {
            let message = format!("images of {service} that came to no name could not be removed: {error}");
            recorder.report(What::Warning { message });
        }
    }

    /// The same later on, tried once. Nothing while somebody builds: then it may be of that build, which sees to it itself.
    pub(super) async fn remove_unreleased(&self, service: &ServiceName) -> Result<(), Problem> {
        let Some(_alone) = self.no_builds() else { return Ok(()) };
        self.engine.remove_image(&self.next_image(service)?).await?;
        Ok(self.engine.remove_nameless(service).await?)
    }

    /// The name that the next build will give.
    fn next_image(&self, service: &ServiceName) -> Result<ImageName, StoreError> {
        let next = self.store.next_release(service)?;
        Ok(ImageName::of(&self.config.server.instance, service, next))
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
