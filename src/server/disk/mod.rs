//! Room on the server's disks.
//!
//! ```text
//! room.rs      how much there is; refuses what needs more
//! spare.rs     what may go
//! reclaim.rs   removes it, when asked
//! folder.rs    what files take
//! ```

mod folder;
mod reclaim;
mod room;
mod spare;

use std::fs::Metadata;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use self::folder::{bytes_of, files_below};
use super::core::Core;
use crate::api::{DiskView, FileSystemView, Leftovers, Problem, ProblemCode, ServiceDisk};
use crate::deploy::Release;
use crate::engine::{Storage, StoredImage};
use crate::name::ServiceName;

/// The files of the server folder that take room.
struct Files {
    contexts: Vec<(PathBuf, Metadata)>,
    /// Contexts that are not built yet.
    uploads: Vec<(PathBuf, Metadata)>,
    store: Vec<(PathBuf, Metadata)>,
}

impl Core {
    /// What takes room, and what might go if so many releases of each service were kept; none: as configured.
    pub async fn disk(&self, keep: Option<u32>) -> Result<DiskView, Problem> {
        let (storage, problem) = match self.engine.storage().await {
            Ok(storage) => (storage, None),
            Err(error) => (Storage::default(), Some(error.into())),
        };
        let files = self.files().await?;
        let names = self.store.services()?.into_iter().map(|record| record.name);
        let services = names.map(|name| self.service_disk(name, &storage, &files)).collect::<Result<_, _>>()?;
        Ok(DiskView {
            at: Timestamp::now(),
            file_systems: self.file_systems().await.iter().map(FileSystemView::from).collect(),
            min_free_bytes: self.min_free_bytes(),
            services,
            leftovers: Leftovers {
                count: counted(storage.leftovers().count()),
                bytes: storage.gained_without(StoredImage::is_leftover),
            },
            uploads_bytes: bytes_of(files.uploads.iter().map(|(_, found)| found)),
            store_bytes: bytes_of(files.store.iter().map(|(_, found)| found)),
            reclaimable: self.reclaimable(&storage, &files, keep)?,
            problem,
        })
    }

    fn service_disk(&self, service: ServiceName, storage: &Storage, files: &Files) -> Result<ServiceDisk, Problem> {
        let names = storage.names_of(&self.config.server.instance, &service);
        let images_bytes = storage.bytes_of(|image| image.own_names().iter().any(|name| names.contains(name)));
        let own_bytes = storage.gained_without(|image| image.goes_with(&names));
        let folder = self.contexts_of(&service);
        let contexts = files.contexts.iter().filter(|(path, _)| path.starts_with(&folder));
        Ok(ServiceDisk {
            releases: counted(self.store.releases::<Release>(&service)?.len()),
            pinned: counted(self.store.pinned_releases(&service)?.len()),
            images_bytes,
            shared_bytes: images_bytes.saturating_sub(own_bytes),
            contexts_bytes: bytes_of(contexts.map(|(_, found)| found)),
            service,
        })
    }

    async fn files(&self) -> Result<Files, Problem> {
        let home = self.place.home.clone();
        let folders = [self.incoming(), self.taken(), self.contexts()];
        let read = move || {
            let [incoming, taken, contexts] = folders.map(|folder| files_below(&folder));
            let uploads = [incoming?, taken?].concat();
            Ok(Files { contexts: contexts?, uploads, store: store_files(&home) })
        };
        let found: std::io::Result<Files> = match tokio::task::spawn_blocking(read).await {
            Ok(found) => found,
            Err(error) => Err(std::io::Error::other(error)),
        };
        found.map_err(|error| {
            Problem::new(ProblemCode::Internal, "the files of the server folder could not be counted").because(&error)
        })
    }
}

fn store_files(home: &Path) -> Vec<(PathBuf, Metadata)> {
    let paths = ["store.db", "store.db-wal", "store.db-shm"].map(|name| home.join(name));
    paths.into_iter().filter_map(|path| Some((path.clone(), path.metadata().ok()?))).collect()
}

fn counted(number: usize) -> u32 {
    number.try_into().unwrap_or(u32::MAX)
}
