//! How much room there is on the disks, and refusing what needs more.

use std::path::{Path, PathBuf};

use crate::api::{FileSystemView, FolderView, Holds, Problem, ProblemCode, Reclaimable};
use crate::context::{self, in_words};
use crate::machine::Room;
use crate::server::core::Core;

/// A build with `COPY . /` has three copies of its context on the disk at once: the one that the builder unpacks, what it
/// copies into a container, and the layer that it makes of that. What `RUN` makes comes on top, and nobody can know it.
const COPIES_OF_A_BUILD: u64 = 3;

/// A file system, and which of our folders lie on it.
#[derive(Debug, Clone)]
pub(super) struct FileSystem {
    folders: Vec<(Holds, PathBuf)>,
    room: Room,
}

impl From<&FileSystem> for FileSystemView {
    fn from(found: &FileSystem) -> Self {
        let folder = |(holds, path): &(Holds, PathBuf)| FolderView { holds: *holds, path: path.display().to_string() };
        Self {
            folders: found.folders.iter().map(folder).collect(),
            total_bytes: found.room.total_bytes,
            free_bytes: found.room.free_bytes,
        }
    }
}

/// What something takes, beside what must stay free.
#[derive(Debug, Clone, Copy)]
struct Need {
    images: u64,
    server_folder: u64,
}

impl Need {
    fn of_a_build(context_bytes: u64) -> Self {
        Self { images: context_bytes.saturating_mul(COPIES_OF_A_BUILD), server_folder: 0 }
    }

    /// A context that cannot be compressed is kept as large as it is.
    fn of_a_push(context_bytes: u64) -> Self {
        Self { server_folder: context_bytes, ..Self::of_a_build(context_bytes) }
    }

    fn on(&self, disk: &FileSystem) -> u64 {
        let part = |holds| match holds {
            Holds::Images => self.images,
            Holds::ServerFolder => self.server_folder,
        };
        disk.folders.iter().map(|(holds, _)| part(*holds)).fold(0, u64::saturating_add)
    }
}

impl Core {
    /// Refuses a push, before any of it was sent, when there is too little room for its context and its build.
    pub(in crate::server) async fn check_room_to_push(&self, context_bytes: u64) -> Result<(), Problem> {
        self.check_room(Need::of_a_push(context_bytes)).await
    }

    /// Refuses a build, before it begins, when there is too little room for it.
    pub(in crate::server) async fn check_room_to_build(&self, context: &Path) -> Result<(), Problem> {
        // Measuring a context means to read it; mostly there is room enough for the largest.
        if self.shortage(Need::of_a_build(self.max_context_bytes())).await.is_none() {
            return Ok(());
        }
        let bytes = context::unpacked_bytes(context).await?;
        self.check_room(Need::of_a_build(bytes)).await
    }

    async fn check_room(&self, need: Need) -> Result<(), Problem> {
        match self.shortage(need).await {
            None => Ok(()),
            Some((disk, needed)) => Err(self.refusal(&disk, needed).await),
        }
    }

    /// The first disk that lacks room, with what would have to be free on it.
    async fn shortage(&self, need: Need) -> Option<(FileSystem, u64)> {
        let needed = |disk: &FileSystem| self.min_free_bytes().saturating_add(need.on(disk));
        let disks = self.file_systems().await.into_iter();
        disks
            .map(|disk| (needed(&disk), disk))
            .find(|(needed, disk)| disk.room.free_bytes < *needed)
            .map(|(n, d)| (d, n))
    }

    async fn refusal(&self, disk: &FileSystem, needed: u64) -> Problem {
        let (free, min_free) = (disk.room.free_bytes, self.min_free_bytes());
        let folder = disk.folders.first().map(|(_, path)| path.display().to_string()).unwrap_or_default();
        let message = format!(
            "there is too little room on the disk of {folder}: {} are free, and {} are needed",
            in_words(free),
            in_words(needed)
        );
        let mut causes =
            vec![format!("{} must stay free (min_free_mib of [limits] in config.toml)", in_words(min_free))];
        if needed > min_free {
            causes.push(format!("for the context and its build {} are reckoned with", in_words(needed - min_free)));
        }
        let hint = self.way_out(needed.saturating_sub(free)).await;
        Problem { causes, ..Problem::new(ProblemCode::NoRoom, message) }.hint(hint)
    }

    /// How room can be made: the gentlest way that is enough, or the one that gives most.
    async fn way_out(&self, missing: u64) -> String {
        let (gentle, hard) = (self.gain(None).await.bytes, self.gain(Some(1)).await.bytes);
        let (gain, command) = match gentle >= missing || hard <= gentle {
            true => (gentle, "mypaas prune SERVER"),
            false => (hard, "mypaas prune SERVER --keep 1"),
        };
        let only = if gain < missing { "only " } else { "" };
        match gain {
            0 => "Nothing of mypaas can be removed; `mypaas disk SERVER` shows what takes the room.".to_owned(),
            _ => format!(
                "`{command}` gives back {only}{}; `mypaas disk SERVER` shows what takes the room.",
                in_words(gain)
            ),
        }
    }

    async fn gain(&self, keep: Option<u32>) -> Reclaimable {
        let storage = self.engine.storage().await.unwrap_or_default();
        let Ok(files) = self.files().await else { return Reclaimable::default() };
        self.reclaimable(&storage, &files, keep).unwrap_or_default()
    }

    /// Those that hold the engine's images and the server folder. One that cannot be seen, because the engine does not
    /// answer or lives elsewhere, is left out.
    pub(super) async fn file_systems(&self) -> Vec<FileSystem> {
        let images = self.data_root().await.map(|path| (Holds::Images, path));
        let folders = images.into_iter().chain([(Holds::ServerFolder, self.place.home.clone())]);
        let mut found: Vec<FileSystem> = Vec::new();
        for (holds, path) in folders {
            let Ok(room) = self.machine.room(&path) else { continue };
            match found.iter_mut().find(|disk| disk.room.device == room.device) {
                Some(disk) => disk.folders.push((holds, path)),
                None => found.push(FileSystem { folders: vec![(holds, path)], room }),
            }
        }
        found
    }

    pub(super) fn min_free_bytes(&self) -> u64 {
        self.config.limits.min_free_mib.saturating_mul(1024 * 1024)
    }

    /// Where the engine keeps its images; asked for once.
    async fn data_root(&self) -> Option<PathBuf> {
        if let Some(known) = self.data_root.get() {
            return Some(known.clone());
        }
        let told = self.engine.info().await.ok()?.data_root?;
        Some(self.data_root.get_or_init(|| told).clone())
    }
}
