//! Which releases stay. The newest of those do that ever served, as many as `keep_releases` says, and where there are not
//! so many, the newest of the others, to which nobody goes back; beside them those that are pinned; and whatever their age
//! those that are live, or that a deploy comes from or goes to.

use std::collections::{BTreeSet, HashSet};
use std::sync::{MutexGuard, PoisonError};

use crate::api::{Problem, ProblemCode, ReleaseView};
use crate::deploy::{Deploy, Release};
use crate::name::{ReleaseId, ServiceName};
use crate::server::core::Core;
use crate::store::StoreError;

/// What the releases of one service are good for now.
#[derive(Debug, Default)]
struct Standing {
    live: Option<ReleaseId>,
    pinned: BTreeSet<ReleaseId>,
    served: BTreeSet<ReleaseId>,
    /// Of deploys that wait, run or may still be taken back; and the newest, whose number must not be given again.
    in_use: BTreeSet<ReleaseId>,
}

impl Standing {
    fn stays(&self, id: ReleaseId) -> bool {
        self.live == Some(id) || self.pinned.contains(&id) || self.in_use.contains(&id)
    }

    /// Those that are in nobody's way to go. The live one counts among the `keep` that stay; pinned ones do not.
    fn spare<'a>(&self, newest_first: &'a [Release], keep: usize) -> Vec<&'a Release> {
        let live = self.live.filter(|live| !self.pinned.contains(live));
        let others = keep.max(1) - usize::from(live.is_some());
        let counted =
            newest_first.iter().filter(|release| !self.pinned.contains(&release.id) && live != Some(release.id));
        let (served, never): (Vec<_>, Vec<_>) = counted.partition(|release| self.served.contains(&release.id));
        served.into_iter().chain(never).skip(others).filter(|release| !self.stays(release.id)).collect()
    }
}

/// Releases that are just being removed.
pub(in crate::server) type Going = HashSet<(ServiceName, ReleaseId)>;

/// A release that is being removed, until this is dropped. No deploy is accepted that goes to it.
#[derive(Debug)]
pub(in crate::server) struct Leaving<'a> {
    core: &'a Core,
    key: (ServiceName, ReleaseId),
}

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.core.going().remove(&self.key);
    }
}

impl Core {
    /// Keeps the release whatever its age, or no longer.
    pub async fn pin(&self, service: &ServiceName, id: ReleaseId, pinned: bool) -> Result<ReleaseView, Problem> {
        self.known(service)?;
        let release = self.release(service, id)?;
        if pinned && self.engine.image(&release.image).await?.is_none() {
            let message = format!("the image of {service} {id} is not on the server any more, so it cannot be pinned");
            let hint = format!("`mypaas releases SERVER {service}` tells which are there.");
            return Err(Problem::new(ProblemCode::Conflict, message).hint(hint));
        }
        {
            let going = self.going();
            check_stays(&going, service, id)?;
            self.store.pin_release(service, id, pinned)?;
        }
        self.mark_changed();
        let view = self.service_detail(service).await?.releases.into_iter().find(|view| view.release.id == id);
        view.ok_or_else(|| is_going(service, id))
    }

    /// Whether the release stays whatever its age.
    pub(super) fn is_needed(&self, service: &ServiceName, id: ReleaseId) -> Result<bool, StoreError> {
        Ok(self.standing(service)?.stays(id))
    }

    /// The releases of a service that may go when so many are kept, newest first.
    pub(in crate::server) fn spare_releases(
        &self,
        service: &ServiceName,
        keep: usize,
    ) -> Result<Vec<Release>, StoreError> {
        let releases: Vec<Release> = self.store.releases(service)?;
        Ok(self.standing(service)?.spare(&releases, keep).into_iter().cloned().collect())
    }

    /// Marks a release as one that is being removed; none when it came to be needed.
    pub(super) fn leave(&self, release: &Release) -> Result<Option<Leaving<'_>>, StoreError> {
        let mut going = self.going();
        if self.standing(&release.service)?.stays(release.id) {
            return Ok(None);
        }
        let key = (release.service.clone(), release.id);
        going.insert(key.clone());
        Ok(Some(Leaving { core: self, key }))
    }

    /// While this is held, no release begins to go.
    pub(super) fn going(&self) -> MutexGuard<'_, Going> {
        self.going.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn standing(&self, service: &ServiceName) -> Result<Standing, StoreError> {
        let newest = ReleaseId::new(self.store.next_release(service)?.number() - 1);
        let open = self.store.unfinished_deploys::<Deploy>()?.into_iter().filter(|deploy| deploy.service == *service);
        let watched = self.watched(service)?.map(|(deploy, _)| deploy);
        let used = open.chain(watched).flat_map(|deploy| [deploy.from, deploy.to]);
        Ok(Standing {
            live: self.store.service(service)?.and_then(|record| record.live),
            pinned: self.store.pinned_releases(service)?,
            served: self.store.served_releases(service)?,
            in_use: used.flatten().chain([newest]).collect(),
        })
    }
}

/// Refuses what needs a release that is being removed.
pub(super) fn check_stays(going: &Going, service: &ServiceName, id: ReleaseId) -> Result<(), Problem> {
    match going.contains(&(service.clone(), id)) {
        true => Err(is_going(service, id)),
        false => Ok(()),
    }
}

fn is_going(service: &ServiceName, id: ReleaseId) -> Problem {
    let message = format!("{id} of {service} is just being removed, because newer releases are kept");
    Problem::new(ProblemCode::Conflict, message).hint("`mypaas pin` keeps a release whatever its age.")
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::deploy::Origin;
    use crate::manifest;
    use crate::name::{ImageName, InstanceName};

    fn releases(newest: u64) -> Vec<Release> {
        let manifest = manifest::check(b"# mypaas.service=web\nFROM x\n").manifest.unwrap();
        let release = |id| Release {
            service: manifest.service.clone(),
            id: ReleaseId::new(id),
            image: ImageName::of(&InstanceName::default(), &manifest.service, ReleaseId::new(id)),
            image_id: String::new(),
            image_bytes: 0,
            image_has_healthcheck: false,
            image_first_check: std::time::Duration::ZERO,
            image_volumes: Vec::new(),
            repositories: BTreeSet::new(),
            manifest: manifest.clone(),
            origin: Origin { who: String::new(), folder: None, commit: None, key: None },
            built: Timestamp::UNIX_EPOCH,
            build_seconds: 0.0,
        };
        (1..=newest).rev().map(release).collect()
    }

    fn ids(numbers: &[u64]) -> BTreeSet<ReleaseId> {
        numbers.iter().copied().map(ReleaseId::new).collect()
    }

    fn spare(live: u64, pinned: &[u64], in_use: &[u64], keep: usize) -> Vec<u64> {
        spare_of(&(1..=9).collect::<Vec<_>>(), live, pinned, in_use, keep)
    }

    fn spare_of(served: &[u64], live: u64, pinned: &[u64], in_use: &[u64], keep: usize) -> Vec<u64> {
        let (pinned, served, in_use) = (ids(pinned), ids(served), ids(in_use));
        let standing = Standing { live: Some(ReleaseId::new(live)), pinned, served, in_use };
        standing.spare(&releases(9), keep).into_iter().map(|release| release.id.number()).collect()
    }

    #[test]
    fn the_newest_stay_and_the_live_one_counts_among_them() {
        assert_eq!(spare(9, &[], &[], 7), [2, 1]);
        assert_eq!(spare(2, &[], &[], 7), [3, 1]);
        assert_eq!(spare(2, &[], &[], 1), [9, 8, 7, 6, 5, 4, 3, 1]);
        assert!(spare(9, &[], &[], 9).is_empty());
    }

    #[test]
    fn pinned_ones_stay_and_do_not_count() {
        assert_eq!(spare(9, &[1, 8], &[], 3), [5, 4, 3, 2]);
        assert_eq!(spare(2, &[2], &[], 3), [6, 5, 4, 3, 1], "a live one that is pinned does not count either");
    }

    #[test]
    fn what_never_served_pushes_out_nothing_that_did() {
        assert_eq!(spare_of(&[1, 2, 9], 9, &[], &[], 4), [7, 6, 5, 4, 3], "one of them fills the room that is left");
        assert_eq!(spare_of(&[1, 2, 9], 9, &[], &[], 2), [1, 8, 7, 6, 5, 4, 3], "those that served come first");
        assert_eq!(spare_of(&[1], 1, &[], &[9], 1), [8, 7, 6, 5, 4, 3, 2], "the newest may still be looked at");
    }

    #[test]
    fn what_a_deploy_needs_stays_though_it_counts_as_too_old() {
        assert_eq!(spare(9, &[], &[3], 5), [4, 2, 1]);
    }

    #[test]
    fn to_keep_none_is_to_keep_one() {
        assert_eq!(spare(9, &[], &[], 0), spare(9, &[], &[], 1));
        assert!(Standing::default().spare(&releases(1), 0).is_empty());
    }
}
