//! Room on the server's disks: how much there is, what takes it, and what may go.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Problem;
use crate::name::{ImageName, ReleaseId, ServiceName};

/// How much room there is, and what takes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DiskView {
    pub at: Timestamp,
    /// Those that hold the engine's images and the server folder; one, when both lie on it.
    pub file_systems: Vec<FileSystemView>,
    /// With less room than this left on one of them no build begins.
    pub min_free_bytes: u64,
    /// Sorted by name.
    pub services: Vec<ServiceDisk>,
    /// What builds left without a name.
    pub leftovers: Leftovers,
    /// Contexts that were received and are not built yet.
    pub uploads_bytes: u64,
    /// The history of deploys with the output of builds.
    pub store_bytes: u64,
    pub reclaimable: Reclaimable,
    /// Why nothing is known of images; they are left out then.
    pub problem: Option<Problem>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileSystemView {
    pub folders: Vec<FolderView>,
    pub total_bytes: u64,
    /// What may still be written.
    pub free_bytes: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FolderView {
    pub holds: Holds,
    pub path: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holds {
    /// The engine's images and containers.
    Images,
    /// Contexts, history, settings.
    ServerFolder,
}

/// What a service takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceDisk {
    pub service: ServiceName,
    pub releases: u32,
    pub pinned: u32,
    /// Of all its images together; what they share counts once.
    pub images_bytes: u64,
    /// The part of it that other images are made of too: that of a base, or of another service.
    pub shared_bytes: u64,
    /// From which it can be built again.
    pub contexts_bytes: u64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leftovers {
    pub count: u32,
    pub bytes: u64,
}

/// What may go, and how much room that would give.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reclaimable {
    /// So many releases of each service would be kept, beside those that are pinned or in use.
    pub keep: u32,
    pub what: Removal,
    pub bytes: u64,
    /// A build runs; until it has ended, images of no release and leftovers stay.
    pub building: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removal {
    /// More of them than are kept.
    pub releases: Vec<ReleaseName>,
    /// Of no release.
    pub images: Vec<ImageName>,
    pub leftovers: u32,
    /// Kept contexts of no release.
    pub contexts: u32,
}

impl Reclaimable {
    /// What exactly would go, a line each: what the operator says yes to, wherever that is asked.
    pub fn lines(&self) -> Vec<String> {
        let Self { keep, what: Removal { releases, images, leftovers, contexts }, building, .. } = self;
        let mut lines = Vec::new();
        if !releases.is_empty() {
            let names: Vec<_> = releases.iter().map(|name| format!("{} {}", name.service, name.release)).collect();
            let count = counted(names.len(), "release");
            lines.push(format!("{count} beyond the newest {keep} of each service: {}", names.join(", ")));
        }
        if !images.is_empty() {
            let names: Vec<_> = images.iter().map(ImageName::as_str).collect();
            lines.push(format!("{} of no release: {}", counted(names.len(), "image"), names.join(", ")));
        }
        if *leftovers > 0 {
            let count = counted(*leftovers as usize, "image");
            lines.push(format!("{count} without a name that builds left; the next builds may take longer"));
        }
        if *contexts > 0 {
            lines.push(format!("{} of no release", counted(*contexts as usize, "kept folder")));
        }
        if *building {
            lines.push("(a build runs: images of no release and without a name stay until it has ended)".to_owned());
        }
        lines
    }
}

impl Removal {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// As in `2 releases, 3 images, 1 kept folder`.
    pub fn in_words(&self) -> String {
        let Self { releases, images, leftovers, contexts } = self;
        let parts = [
            (releases.len(), "release"),
            (images.len() + *leftovers as usize, "image"),
            (*contexts as usize, "kept folder"),
        ];
        let some = parts.into_iter().filter(|(count, _)| *count > 0);
        some.map(|(count, noun)| counted(count, noun)).collect::<Vec<_>>().join(", ")
    }
}

fn counted(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseName {
    pub service: ServiceName,
    pub release: ReleaseId,
}

/// Removes what may go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PruneRequest {
    /// So many releases of each service are kept; none: as configured.
    #[serde(default)]
    pub keep: Option<u32>,
}

/// What was removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pruned {
    pub removed: Removal,
    /// How much room it took.
    pub freed_bytes: u64,
    /// What could not be removed, and why; a sentence each.
    pub left: Vec<String>,
}
