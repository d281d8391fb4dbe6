//! What may go: releases beyond those that are kept, and what is of no release any more.

use std::collections::HashSet;
use std::fs::Metadata;
use std::path::PathBuf;

use super::folder::gained_without;
use super::{Files, counted};
use crate::api::{Reclaimable, ReleaseName, Removal};
use crate::deploy::Release;
use crate::engine::Storage;
use crate::name::ImageName;
use crate::server::core::Core;
use crate::store::StoreError;

pub(super) struct Spare {
    pub(super) releases: Vec<Release>,
    pub(super) images: Vec<ImageName>,
    /// Their ids.
    pub(super) leftovers: Vec<String>,
    pub(super) contexts: Vec<PathBuf>,
}

impl Spare {
    fn removal(&self) -> Removal {
        let name = |release: &Release| ReleaseName { service: release.service.clone(), release: release.id };
        Removal {
            releases: self.releases.iter().map(name).collect(),
            images: self.images.clone(),
            leftovers: counted(self.leftovers.len()),
            contexts: counted(self.contexts.len()),
        }
    }
}

impl Core {
    pub(super) fn reclaimable(
        &self,
        storage: &Storage,
        files: &Files,
        keep: Option<u32>,
    ) -> Result<Reclaimable, StoreError> {
        let keep = self.releases_to_keep(keep);
        let spare = self.spare(storage, files, keep)?;
        let names: HashSet<_> =
            spare.releases.iter().map(|release| &release.image).chain(&spare.images).cloned().collect();
        let of_releases = spare.releases.iter().map(|release| self.context_of(&release.service, release.id));
        let paths: HashSet<PathBuf> = of_releases.chain(spare.contexts.iter().cloned()).collect();
        let gone = files.contexts.iter().filter(|(path, _)| paths.contains(path)).map(|(_, found)| found);
        Ok(Reclaimable {
            keep: counted(keep),
            what: spare.removal(),
            bytes: storage.gained_without(|image| image.is_leftover() || image.goes_with(&names))
                + gained_without(gone),
            building: self.is_building(),
        })
    }

    /// What was seen in the engine and in the folder before is compared with the releases there are now, so that what
    /// has become a release meanwhile is not taken for a stray.
    pub(super) fn spare(&self, storage: &Storage, files: &Files, keep: usize) -> Result<Spare, StoreError> {
        let (mut releases, mut images, mut contexts) = (Vec::new(), HashSet::new(), HashSet::new());
        for record in self.store.services()? {
            releases.extend(self.spare_releases(&record.name, keep)?);
            for release in self.store.releases::<Release>(&record.name)? {
                contexts.insert(self.context_of(&record.name, release.id));
                images.insert(release.image);
            }
        }
        let stray = |(path, _): &&(PathBuf, Metadata)| !contexts.contains(path);
        Ok(Spare {
            releases,
            images: storage.own_names().filter(|name| !images.contains(*name)).cloned().collect(),
            leftovers: storage.leftovers().map(|image| image.id.clone()).collect(),
            contexts: files.contexts.iter().filter(stray).map(|(path, _)| path.clone()).collect(),
        })
    }

    /// How many releases of each service are kept.
    pub(super) fn releases_to_keep(&self, asked: Option<u32>) -> usize {
        asked.map_or(self.config.deploy.keep_releases, |keep| keep as usize).max(1)
    }
}
