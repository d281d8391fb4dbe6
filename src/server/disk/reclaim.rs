//! Removes what may go. Only what carries this instance's labels, or lies in its folder, is ever removed.

use std::collections::HashSet;
use std::sync::Arc;

use tokio::sync::SemaphorePermit;

use super::folder::gained_without;
use super::spare::Spare;
use super::{Files, counted};
use crate::api::{Problem, ProblemCode, Pruned, ReleaseName, Removal};
use crate::engine::Storage;
use crate::server::core::{Core, discard};

impl Core {
    /// Goes on when nobody waits for it any more.
    pub async fn prune(self: &Arc<Self>, keep: Option<u32>) -> Result<Pruned, Problem> {
        // What the last stop cut off may wait for nothing but room.
        self.check_not_stopping()?;
        let core = Arc::clone(self);
        let pruning = self.tasks.spawn(async move { core.prune_now(keep).await });
        pruning.await.map_err(|error| Problem::of(ProblemCode::Internal, &error))?
    }

    async fn prune_now(&self, keep: Option<u32>) -> Result<Pruned, Problem> {
        let Ok(_alone) = self.pruning.try_lock() else {
            let problem = Problem::new(ProblemCode::Conflict, "somebody else has just begun to prune this server");
            return Err(problem.hint("`mypaas disk SERVER` shows what is left to do once that is over."));
        };
        // What a build has begun is of no release yet; so none may run while strays are looked for and removed.
        let no_builds = self.no_builds();
        let storage = self.engine.storage().await?;
        let files = self.files().await?;
        let spare = self.spare(&storage, &files, self.releases_to_keep(keep))?;
        let mut pruned = Pruned { removed: Removal::default(), freed_bytes: 0, left: Vec::new() };
        self.prune_spare_releases(&spare, &mut pruned).await;
        match no_builds {
            Some(_) => self.prune_strays(&spare, &mut pruned).await,
            None => pruned.left.push("a build runs: what builds left stays until it has ended".to_owned()),
        }
        pruned.freed_bytes = self.gained(&storage, &files).await?;
        tracing::info!(removed = ?pruned.removed, left = ?pruned.left, freed = pruned.freed_bytes, "pruned");
        self.mark_changed();
        Ok(pruned)
    }

    /// How much of what was there is there no more. The free room itself would tell what others write meanwhile.
    async fn gained(&self, before: &Storage, files: &Files) -> Result<u64, Problem> {
        let now: HashSet<String> = self.engine.storage().await?.images.into_iter().map(|image| image.id).collect();
        let gone = files.contexts.iter().filter(|(path, _)| !path.exists()).map(|(_, found)| found);
        Ok(before.gained_without(|image| !now.contains(&image.id)) + gained_without(gone))
    }

    async fn prune_spare_releases(&self, spare: &Spare, pruned: &mut Pruned) {
        for release in &spare.releases {
            match self.remove_release(release).await {
                Ok(true) => {
                    let name = ReleaseName { service: release.service.clone(), release: release.id };
                    pruned.removed.releases.push(name);
                }
                Ok(false) => pruned.left.push(format!("{} of {} is needed now", release.id, release.service)),
                Err(reason) => pruned.left.push(reason),
            }
        }
    }

    async fn prune_strays(&self, spare: &Spare, pruned: &mut Pruned) {
        for name in &spare.images {
            match self.engine.remove_image(name).await {
                Ok(()) => pruned.removed.images.push(name.clone()),
                Err(error) => pruned.left.push(told(&error)),
            }
        }
        for id in &spare.leftovers {
            match self.engine.remove_leftover(id).await {
                Ok(()) => pruned.removed.leftovers += 1,
                Err(error) => pruned.left.push(told(&error)),
            }
        }
        spare.contexts.iter().for_each(|context| discard(context));
        pruned.removed.contexts = counted(spare.contexts.iter().filter(|context| !context.exists()).count());
    }

    /// All places for builds; none when a build has one.
    pub(in crate::server) fn no_builds(&self) -> Option<SemaphorePermit<'_>> {
        self.builds.try_acquire_many(self.config.deploy.parallel_builds()).ok()
    }

    pub(super) fn is_building(&self) -> bool {
        self.builds.available_permits() < self.config.deploy.parallel_builds() as usize
    }
}

/// An error with its causes, in a line.
fn told(error: &dyn std::error::Error) -> String {
    let Problem { message, causes, .. } = Problem::of(ProblemCode::Conflict, error);
    [vec![message], causes].concat().join(": ")
}
