//! Keeps the disk from filling: of each service the newest releases stay, with their images and contexts; older ones
//! go. Only what this server made is ever removed.

use crate::deploy::{Release, What};
use crate::name::ServiceName;
use crate::server::core::{Core, discard};
use crate::server::feed::Recorder;

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
}
