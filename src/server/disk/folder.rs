//! The room that files take.

use std::collections::HashMap;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The files in a folder and below it; none where there is no folder.
pub(super) fn files_below(folder: &Path) -> io::Result<Vec<(PathBuf, Metadata)>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries?,
        };
        for entry in entries {
            let path = entry?.path();
            match fs::symlink_metadata(&path) {
                Ok(found) if found.is_dir() => folders.push(path),
                Ok(found) => files.push((path, found)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(files)
}

/// What the files take together. One that has several names counts once.
pub(super) fn bytes_of<'a>(files: impl IntoIterator<Item = &'a Metadata>) -> u64 {
    by_content(files).into_values().map(|(found, _)| allocated(found)).sum()
}

/// What would be gained without the files: one that has further names stays.
pub(super) fn gained_without<'a>(files: impl IntoIterator<Item = &'a Metadata>) -> u64 {
    let gone = by_content(files).into_values().filter(|(found, names)| found.nlink() <= *names);
    gone.map(|(found, _)| allocated(found)).sum()
}

fn by_content<'a>(files: impl IntoIterator<Item = &'a Metadata>) -> HashMap<(u64, u64), (&'a Metadata, u64)> {
    let mut contents = HashMap::new();
    for found in files {
        contents.entry((found.dev(), found.ino())).or_insert((found, 0)).1 += 1;
    }
    contents
}

/// In blocks of 512 bytes, whatever the file system's own are.
fn allocated(found: &Metadata) -> u64 {
    found.blocks() * 512
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_with_two_names_counts_once_and_goes_with_the_last() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("web")).unwrap();
        fs::write(path("web/r1"), vec![1; 100_000]).unwrap();
        fs::hard_link(path("web/r1"), path("web/r2")).unwrap();
        let files = files_below(folder.path()).unwrap();
        let found: Vec<&Metadata> = files.iter().map(|(_, found)| found).collect();
        assert_eq!(found.len(), 2);
        let bytes = bytes_of(found.iter().copied());
        assert!((100_000..150_000).contains(&bytes), "{bytes}");
        assert_eq!(gained_without(found[..1].iter().copied()), 0);
        assert_eq!(gained_without(found), bytes);
        assert!(files_below(&path("nowhere")).unwrap().is_empty());
    }
}
