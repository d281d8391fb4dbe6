//! The scale that an operator asked for holds until a release declares another one than the release before it: a push
//! while many visitors come, or a rollback, is not to take containers away that somebody added.

use crate::deploy::{Action, Release};
use crate::server::core::Core;
use crate::store::StoreError;

impl Core {
    /// With how many containers the release is to run, where the manifest does not say.
    pub(super) fn asked_scale(&self, release: &Release) -> Result<Option<u32>, StoreError> {
        Ok(self.scales(release)?.filter(|scales| scales.holds).map(|scales| scales.asked))
    }

    /// What becomes of it, for who makes that release live.
    pub(super) fn note_of_scale(&self, action: &Action, release: &Release) -> Result<Option<String>, StoreError> {
        let (id, declared) = (release.id, release.manifest.scale.count());
        let told = |Scales { asked, holds }| match holds {
            true => format!("{asked} containers run, as was asked for last; {id} declares {declared}, as before."),
            false => {
                format!("{id} declares another scale than before: {declared}, in the place of the {asked} asked for.")
            }
        };
        let changes_release = matches!(action, Action::Push | Action::Redeploy | Action::Rollback { .. });
        Ok(self.scales(release)?.filter(|scales| changes_release && scales.asked != declared).map(told))
    }

    fn scales(&self, release: &Release) -> Result<Option<Scales>, StoreError> {
        let Some(record) = self.store.service(&release.service)? else { return Ok(None) };
        let (Some(asked), Some(live)) = (record.scale, record.live) else { return Ok(None) };
        let before: Option<Release> = self.store.release(&release.service, live)?;
        // A port of the machine is one container's alone.
        let declares = |release: &Release| (release.manifest.scale, release.manifest.publish.is_empty());
        let holds = live == release.id || before.is_some_and(|before| declares(&before) == declares(release));
        Ok(Some(Scales { asked, holds }))
    }
}

/// A scale that was asked for, and whether it holds on.
struct Scales {
    asked: u32,
    holds: bool,
}
