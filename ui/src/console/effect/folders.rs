//! Folders: what a typed path may become, and which were pushed before.

use std::fs;
use std::path::{Path, PathBuf};

use directories::{BaseDirs, ProjectDirs};
use mypaas::atomic_file::{Access, write_beside};
use mypaas::context::DOCKERFILE;

use crate::console::model::push::FoundFolder;

/// So many folders are offered.
const MOST_FOUND: usize = 200;

/// So many folders are remembered.
const MOST_RECENT: usize = 20;

const RECENTS: &str = "recent-folders";

/// The path with `~` replaced.
pub(super) fn at_home(typed: &Path) -> PathBuf {
    let at_home = BaseDirs::new().and_then(|dirs| Some(dirs.home_dir().join(typed.strip_prefix("~").ok()?)));
    at_home.unwrap_or_else(|| typed.to_owned())
}

/// The path with `~` and what is relative made whole.
pub(super) fn whole(typed: &Path) -> PathBuf {
    let path = at_home(typed);
    path.canonicalize().or_else(|_| std::path::absolute(&path)).unwrap_or(path)
}

/// The folders that a typed path may become, sorted; hidden ones only where a dot is typed.
pub(super) fn find(typed: &str) -> Vec<FoundFolder> {
    let split = typed.rfind('/').map_or(0, |slash| slash + 1);
    let (parent, start) = typed.split_at(split);
    let folder = if parent.is_empty() { PathBuf::from(".") } else { whole(Path::new(parent)) };
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let folders = entries.flatten().filter(|entry| entry.path().is_dir());
    let mut names: Vec<String> = folders.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.retain(|name| name.starts_with(start) && (!name.starts_with('.') || start.starts_with('.')));
    names.sort();
    names.truncate(MOST_FOUND);
    let found = |name: String| {
        let path = format!("{parent}{name}");
        let has_dockerfile = whole(Path::new(&path)).join(DOCKERFILE).is_file();
        FoundFolder { path, has_dockerfile }
    };
    names.into_iter().map(found).collect()
}

/// Where the folders that were pushed are remembered; none where the system has no place for it.
pub(super) fn state_folder() -> Option<PathBuf> {
    let dirs = ProjectDirs::from("", "", "mypaas")?;
    Some(dirs.state_dir().unwrap_or_else(|| dirs.data_local_dir()).to_owned())
}

/// The folders that were pushed before and are still there, the latest first.
pub(super) fn recents(state: Option<&Path>) -> Vec<PathBuf> {
    let text = state.and_then(|state| fs::read_to_string(state.join(RECENTS)).ok()).unwrap_or_default();
    text.lines().map(PathBuf::from).filter(|folder| folder.is_dir()).take(MOST_RECENT).collect()
}

/// Remembers a folder as the latest. That it cannot be remembered hinders nothing.
pub(super) fn remember(state: Option<&Path>, folder: &Path) {
    let Some(state) = state else { return };
    let others = recents(Some(state)).into_iter().filter(|known| known != folder);
    let all: Vec<PathBuf> = std::iter::once(folder.to_owned()).chain(others).take(MOST_RECENT).collect();
    let text: String = all.iter().map(|folder| format!("{}\n", folder.display())).collect();
    let written =
        fs::create_dir_all(state).and_then(|()| write_beside(&state.join(RECENTS), text.as_bytes(), Access::Owner));
    if let Err(error) = written {
        tracing::warn!(%error, "the pushed folder could not be remembered");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_found_by_how_they_begin() {
        let root = tempfile::tempdir().unwrap();
        for name in ["api", "api-docs", "blog", ".hidden"] {
            fs::create_dir(root.path().join(name)).unwrap();
        }
        fs::write(root.path().join("api/Dockerfile"), "FROM scratch").unwrap();
        fs::write(root.path().join("apple"), "no folder").unwrap();
        let typed = |name: &str| format!("{}/{name}", root.path().display());
        let names = |text: &str| -> Vec<(String, bool)> {
            find(&typed(text)).into_iter().map(|found| (found.path, found.has_dockerfile)).collect()
        };
        assert_eq!(names("ap"), [(typed("api"), true), (typed("api-docs"), false)]);
        assert_eq!(names("").len(), 3);
        assert_eq!(names("."), [(typed(".hidden"), false)]);
        assert_eq!(names("nowhere/x"), []);
    }

    #[test]
    fn pushed_folders_are_remembered_once_the_latest_first() {
        let root = tempfile::tempdir().unwrap();
        let state = root.path().join("state");
        let folder = |name: &str| {
            let path = root.path().join(name);
            fs::create_dir_all(&path).unwrap();
            path
        };
        let (one, two) = (folder("one"), folder("two"));
        for path in [&one, &two, &one] {
            remember(Some(&state), path);
        }
        assert_eq!(recents(Some(&state)), [one.clone(), two.clone()]);
        fs::remove_dir(&two).unwrap();
        assert_eq!(recents(Some(&state)), [one]);
        assert_eq!(recents(None), [""; 0].map(PathBuf::from));
    }
}
