//! A folder → the files that belong to a push. As for `docker build`, whatever the lists say, the Dockerfile and
//! `.dockerignore` belong to it.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Component, Path, PathBuf};

use nix::unistd::{AccessFlags, access};

use super::error::ContextError;
use super::ignore_list::{FolderMatches, IgnoreList};
use super::largest::largest;
use super::project::{self, Project};
use super::{DOCKERFILE, DOCKERIGNORE, Entry, EntryKind, Limits, Note, Selection};

type Result<T, E = ContextError> = std::result::Result<T, E>;

/// What is to be pushed, on the operator's disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub root: PathBuf,
    pub dockerfile: PathBuf,
}

/// Takes a folder with a Dockerfile in it, or a Dockerfile of any name, which stands for the folder that it is in.
pub fn locate(path: &Path) -> Result<Place> {
    let missing = |source| ContextError::Missing { path: path.to_owned(), source };
    if fs::metadata(path).map_err(missing)?.is_dir() {
        let dockerfile = path.join(DOCKERFILE);
        if !dockerfile.is_file() {
            return Err(ContextError::NoDockerfile { root: path.to_owned() });
        }
        return Ok(Place { root: path.to_owned(), dockerfile });
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok(Place { root: parent.to_owned(), dockerfile: path.to_owned() })
}

/// Which files belong to a push of this folder (or of the folder of this Dockerfile). Blocks: reads the whole folder,
/// but no file's content.
pub fn select(path: &Path, limits: &Limits) -> Result<Selection> {
    let place = locate(path)?;
    let mut walk = Walk::new(&place, limits)?;
    walk.add_dockerfile()?;
    walk.folder(Path::new(""), &Matches::default())?;
    walk.finish()
}

/// What is known of a folder by either list.
#[derive(Default)]
struct Matches {
    docker: FolderMatches,
    project: FolderMatches,
}

struct Walk<'a> {
    place: &'a Place,
    limits: &'a Limits,
    docker: IgnoreList,
    project: Project,
    entries: Vec<Entry>,
    notes: Vec<Note>,
    left_out: BTreeSet<String>,
}

impl<'a> Walk<'a> {
    fn new(place: &'a Place, limits: &'a Limits) -> Result<Self> {
        let file = place.root.join(DOCKERIGNORE);
        let docker = IgnoreList::parse(&text_of(&file)?.unwrap_or_default()).map_err(|bad| ContextError::Pattern {
            file,
            line: bad.line,
            pattern: bad.pattern,
            source: bad.problem,
        })?;
        let file = place.root.join(project::FILE);
        let project = Project::parse(&file, text_of(&file)?.as_deref())?;
        let (entries, notes, left_out) = Default::default();
        Ok(Self { place, limits, docker, project, entries, notes, left_out })
    }

    /// By its content, also where it is a symlink: the server reads it before anything is built.
    fn add_dockerfile(&mut self) -> Result<()> {
        let path = &self.place.dockerfile;
        let metadata = fs::metadata(path).map_err(unreadable(path))?;
        check_readable(path)?;
        self.add(PathBuf::from(DOCKERFILE), EntryKind::File { bytes: metadata.len() }, &metadata)
    }

    fn folder(&mut self, folder: &Path, matches: &Matches) -> Result<()> {
        for name in names_in(&self.place.root.join(folder))? {
            let path = folder.join(&name);
            if path != Path::new(DOCKERFILE) {
                self.visit(path, matches)?;
            }
        }
        Ok(())
    }

    fn visit(&mut self, path: PathBuf, parent: &Matches) -> Result<()> {
        let full = self.place.root.join(&path);
        let metadata = fs::symlink_metadata(&full).map_err(unreadable(&full))?;
        let text = path.to_string_lossy().into_owned();
        let by_docker = self.docker.leaves_out(&text, &parent.docker) && text != DOCKERIGNORE;
        let by_project = self.project.ignore.leaves_out(&text, &parent.project) && text != DOCKERIGNORE;
        if by_project && !by_docker && self.project.is_default {
            self.left_out.extend(path.file_name().map(|name| name.to_string_lossy().into_owned()));
        }
        let is_left_out = by_docker || by_project;
        if metadata.is_dir() {
            let is_closed = (by_docker && !self.docker.may_keep_below(&text))
                || (by_project && !self.project.ignore.may_keep_below(&text));
            if !is_closed {
                self.subfolder(&path, &text, &metadata, parent, is_left_out)?;
            }
        } else if !is_left_out {
            self.keep(path, &full, &metadata)?;
        }
        Ok(())
    }

    /// A folder that is left out is there all the same when something in it is kept.
    fn subfolder(
        &mut self,
        path: &Path,
        text: &str,
        metadata: &Metadata,
        parent: &Matches,
        is_left_out: bool,
    ) -> Result<()> {
        let matches = Matches {
            docker: self.docker.enter(text, &parent.docker),
            project: self.project.ignore.enter(text, &parent.project),
        };
        let before = self.entries.len();
        self.add(path.to_owned(), EntryKind::Folder, metadata)?;
        self.folder(path, &matches)?;
        if is_left_out && self.entries.len() == before + 1 {
            self.entries.pop();
        }
        Ok(())
    }

    fn keep(&mut self, path: PathBuf, full: &Path, metadata: &Metadata) -> Result<()> {
        let kind = if metadata.is_symlink() {
            let target = fs::read_link(full).map_err(unreadable(full))?;
            if points_out(&path, &target) {
                return Err(ContextError::SymlinkOut { path, target });
            }
            EntryKind::Symlink { target }
        } else if metadata.is_file() {
            check_readable(full)?;
            EntryKind::File { bytes: metadata.len() }
        } else {
            self.notes.push(Note::Skipped { path, what: what_it_is(metadata) });
            return Ok(());
        };
        self.add(path, kind, metadata)
    }

    fn add(&mut self, path: PathBuf, kind: EntryKind, metadata: &Metadata) -> Result<()> {
        let modified = u64::try_from(metadata.mtime()).unwrap_or_default();
        self.entries.push(Entry { path, kind, mode: metadata.mode() & 0o7777, modified });
        if self.entries.len() as u64 > self.limits.files {
            return Err(ContextError::TooMany { limit: self.limits.files, largest: largest(&self.entries, |_| 1) });
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Selection> {
        let bytes = self.entries.iter().map(Entry::bytes).sum();
        if bytes > self.limits.bytes {
            let largest = largest(&self.entries, Entry::bytes);
            return Err(ContextError::TooLarge { bytes, limit: self.limits.bytes, largest });
        }
        self.entries.sort_by(|a, b| a.path.cmp(&b.path));
        if !self.left_out.is_empty() {
            self.notes.push(Note::LeftOut { names: self.left_out });
        }
        let Place { root, dockerfile } = self.place.clone();
        Ok(Selection { root, dockerfile, entries: self.entries, bytes, notes: self.notes })
    }
}

/// Whether a symlink leads out of the context. An absolute one does not: it means a file of the image.
pub(super) fn points_out(link: &Path, target: &Path) -> bool {
    let mut depth = link.components().count().saturating_sub(1);
    for part in target.components() {
        match part {
            Component::RootDir => return false,
            Component::ParentDir if depth == 0 => return true,
            Component::ParentDir => depth -= 1,
            Component::Normal(_) => depth += 1,
            Component::CurDir | Component::Prefix(_) => {}
        }
    }
    false
}

fn names_in(folder: &Path) -> Result<Vec<OsString>> {
    let listed = fs::read_dir(folder).and_then(|entries| entries.map(|e| Ok(e?.file_name())).collect());
    let mut names: Vec<OsString> = listed.map_err(unreadable(folder))?;
    names.sort();
    Ok(names)
}

/// None where there is no such file.
fn text_of(file: &Path) -> Result<Option<String>> {
    match fs::read(file) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(file)(error)),
    }
}

/// Asked for each file beforehand, so that a push does not break off halfway.
fn check_readable(file: &Path) -> Result<()> {
    access(file, AccessFlags::R_OK).map_err(|error| unreadable(file)(error.into()))
}

fn unreadable(path: &Path) -> impl FnOnce(io::Error) -> ContextError {
    move |source| ContextError::Unreadable { path: path.to_owned(), source }
}

fn what_it_is(metadata: &Metadata) -> &'static str {
    let kind = metadata.file_type();
    if kind.is_socket() {
        "a socket"
    } else if kind.is_fifo() {
        "a named pipe"
    } else {
        "a device"
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    /// A folder with these files in it; a name that ends with a slash is a folder.
    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            if name.ends_with('/') {
                fs::create_dir_all(&path).unwrap();
            } else {
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, text).unwrap();
            }
        }
        folder
    }

    fn selected(folder: &Path) -> Vec<String> {
        let selection = select(folder, &Limits::default()).unwrap();
        selection.entries.iter().map(|entry| entry.path.to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn a_folder_is_selected_whole_and_in_order() {
        let folder =
            folder(&[("b.txt", "12345"), ("Dockerfile", "FROM x"), ("a/c", "1"), ("a.txt", ""), ("empty/", "")]);
        fs::set_permissions(folder.path().join("a/c"), fs::Permissions::from_mode(0o755)).unwrap();
        let selection = select(folder.path(), &Limits::default()).unwrap();
        assert_eq!(selected(folder.path()), ["Dockerfile", "a", "a/c", "a.txt", "b.txt", "empty"]);
        assert_eq!((selection.bytes, selection.notes.len()), (12, 0));
        assert_eq!(selection.entries[2].mode, 0o755);
        assert_eq!(selection.entries[4].kind, EntryKind::File { bytes: 5 });
        assert_eq!(selection, select(folder.path(), &Limits::default()).unwrap());
    }

    #[test]
    fn both_lists_leave_out_and_the_dockerfile_stays() {
        let folder = folder(&[
            (".dockerignore", "*\n!src\n!docs/keep/a\nsrc/*.log"),
            ("mypaas.toml", r#"ignore = ["secret"]"#),
            ("Dockerfile", "FROM x"),
            ("src/a.rs", ""),
            ("src/a.log", ""),
            ("src/secret/x", ""),
            ("docs/keep/a", ""),
            ("docs/keep/b", ""),
            ("docs/other/c", ""),
            ("other", ""),
        ]);
        assert_eq!(
            selected(folder.path()),
            [".dockerignore", "Dockerfile", "docs", "docs/keep", "docs/keep/a", "src", "src/a.rs"]
        );
    }

    #[test]
    fn the_usual_names_are_left_out_and_told() {
        let folder = folder(&[("Dockerfile", ""), ("a/node_modules/x", ""), (".git/config", ""), ("main.py", "")]);
        let selection = select(folder.path(), &Limits::default()).unwrap();
        assert_eq!(selected(folder.path()), ["Dockerfile", "a", "main.py"]);
        let notes: Vec<String> = selection.notes.iter().map(ToString::to_string).collect();
        assert_eq!(notes, ["left out by default: .git, node_modules (`ignore = []` in mypaas.toml sends them)"]);
    }

    #[test]
    fn a_dockerfile_of_another_name_travels_as_dockerfile() {
        let folder = folder(&[("Dockerfile", "FROM dev"), ("web.Dockerfile", "FROM web!"), ("a", "")]);
        let selection = select(&folder.path().join("web.Dockerfile"), &Limits::default()).unwrap();
        let dockerfile = &selection.entries[0];
        assert_eq!((dockerfile.path.as_path(), dockerfile.bytes()), (Path::new(DOCKERFILE), 9));
        assert!(selection.source(dockerfile).ends_with("web.Dockerfile"));
        assert_eq!(selection.entries.len(), 3);
    }

    #[test]
    fn symlinks_stay_symlinks_and_may_not_lead_out() {
        let folder = folder(&[("Dockerfile", ""), ("a/b", "")]);
        let link = |target: &str, name: &str| symlink(target, folder.path().join(name)).unwrap();
        link("b", "a/inside");
        link("../a", "a/folder");
        link("/usr/bin/python3", "a/of_the_image");
        link("nowhere", "a/broken");
        let selection = select(folder.path(), &Limits::default()).unwrap();
        let targets: Vec<_> =
            selection.entries.iter().filter(|e| matches!(e.kind, EntryKind::Symlink { .. })).collect();
        assert_eq!(targets.len(), 4);
        link("../../etc", "a/out");
        let error = select(folder.path(), &Limits::default()).unwrap_err();
        assert_eq!(error.to_string(), "the symlink a/out points out of the folder, to ../../etc");
        assert!(error.hint().unwrap().contains("`a/out`"));
    }

    #[test]
    fn symlinks_that_lead_out_are_told_apart_by_their_parts() {
        for (link, target, out) in [
            ("a", "b", false),
            ("a", "..", true),
            ("a/b", "..", false),
            ("a/b", "../..", true),
            ("a/b", "../c/../../x", true),
            ("a/b", "./../c/../x", false),
            ("a", "/etc/passwd", false),
        ] {
            assert_eq!(points_out(Path::new(link), Path::new(target)), out, "{link} → {target}");
        }
    }

    #[test]
    fn what_no_image_can_hold_is_skipped_with_a_note() {
        let folder = folder(&[("Dockerfile", "")]);
        let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("app.sock")).unwrap();
        nix::unistd::mkfifo(&folder.path().join("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        let selection = select(folder.path(), &Limits::default()).unwrap();
        let notes: Vec<String> = selection.notes.iter().map(ToString::to_string).collect();
        assert_eq!(notes, ["app.sock is a socket and is not sent", "pipe is a named pipe and is not sent"]);
        assert_eq!(selection.entries.len(), 1);
    }

    #[test]
    fn a_folder_that_is_too_large_is_refused_with_the_culprits() {
        let folder = folder(&[("Dockerfile", "FROM x"), ("data/big/dump.sql", &"x".repeat(5000)), ("log", "12345")]);
        let error = select(folder.path(), &Limits { bytes: 4096, files: 100 }).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the folder holds 4.9 KiB, and at most 4.0 KiB may be pushed; \
             largest are data/big/dump.sql (4.9 KiB), Dockerfile (6 bytes), log (5 bytes)"
        );
        assert_eq!(
            error.hint().unwrap(),
            "leave out what the image does not need: add the line `data/big/dump.sql` to .dockerignore"
        );
        let error = select(folder.path(), &Limits { bytes: 9999, files: 4 }).unwrap_err();
        assert!(matches!(error, ContextError::TooMany { limit: 4, .. }), "{error}");
        assert!(select(folder.path(), &Limits { bytes: 5011, files: 5 }).is_ok());
    }

    #[test]
    fn what_is_missing_or_unreadable_is_named() {
        let none = folder(&[("a", "")]);
        let told = |path: &Path| {
            select(path, &Limits::default()).unwrap_err().to_string().replace(&none.path().display().to_string(), "DIR")
        };
        assert_eq!(told(none.path()), "DIR has no Dockerfile");
        assert_eq!(told(&none.path().join("b")), "there is no folder DIR/b");
        fs::create_dir(none.path().join(".dockerignore")).unwrap();
        fs::write(none.path().join("Dockerfile"), "").unwrap();
        assert_eq!(told(none.path()), "DIR/.dockerignore cannot be read");
        let gone = check_readable(&none.path().join("gone")).unwrap_err();
        assert!(gone.to_string().ends_with("gone cannot be read"));
    }

    #[test]
    fn a_bad_pattern_is_told_with_file_and_line() {
        let folder = folder(&[("Dockerfile", ""), (".dockerignore", "ok\nbad[\n")]);
        let error = select(folder.path(), &Limits::default()).unwrap_err();
        assert!(error.to_string().starts_with("line 2 of /"), "{error}");
        assert!(error.to_string().ends_with(".dockerignore is no pattern: \"bad[\""), "{error}");
    }
}
