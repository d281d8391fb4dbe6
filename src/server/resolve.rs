//! What a manifest asks of this server, resolved: values of the environment, and folders for volumes.

use std::collections::BTreeMap;
use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};

use nix::fcntl::OFlag;

use super::vault::Values;
use crate::api::{Problem, ProblemCode};
use crate::engine::{Bind, Secret};
use crate::manifest::{EnvVar, Manifest, Volume};

const NO_LINK: OFlag = OFlag::O_DIRECTORY.union(OFlag::O_NOFOLLOW);

/// The manifest's variables with their values. All that are missing are told at once.
pub(super) fn environment(manifest: &Manifest, known: &Values) -> Result<BTreeMap<String, Secret>, Problem> {
    let mut values = BTreeMap::new();
    let mut missing = Vec::new();
    for variable in &manifest.env {
        match variable {
            EnvVar::Dockerfile { name, value } => {
                values.insert(name.clone(), Secret::new(value.clone()));
            }
            EnvVar::Server { name } => match known.get(name) {
                Some(value) => {
                    values.insert(name.clone(), value.clone());
                }
                None => missing.push(name.as_str()),
            },
        }
    }
    if missing.is_empty() {
        return Ok(values);
    }
    let message = format!("the server has no value for {}", missing.join(", "));
    let hint = format!("Set it with `mypaas env set SERVER {0}`, or write mypaas.env={0}=value.", missing[0]);
    Err(Problem::new(ProblemCode::Conflict, message).hint(hint))
}

/// The folders of the volumes, as absolute paths; nothing is made yet.
pub(super) fn volumes(manifest: &Manifest, user_home: &Path, server_home: &Path) -> Result<Vec<Bind>, Problem> {
    let binds: Vec<Bind> =
        manifest.volumes.iter().map(|volume| bind(volume, user_home, server_home)).collect::<Result<_, _>>()?;
    for (volume, bind) in manifest.volumes.iter().zip(&binds) {
        check_not_led_away(volume, bind, manifest, user_home)?;
    }
    Ok(binds)
}

/// Within a volume that a container may write to, it can make a link of another volume's folder, and would get at its next
/// start whatever the link leads to.
fn check_not_led_away(volume: &Volume, bind: &Bind, manifest: &Manifest, user_home: &Path) -> Result<(), Problem> {
    let inner = written(volume, user_home);
    let writable = manifest.volumes.iter().filter(|outer| !outer.read_only && *outer != volume);
    for outer in writable.map(|outer| written(outer, user_home)) {
        let Ok(real) = real_path(&outer) else { continue };
        let rest = inner.strip_prefix(&outer).or_else(|_| inner.strip_prefix(&real));
        if rest.is_ok_and(|rest| real.join(rest) != bind.server_dir) {
            let message = format!(
                "the volume {} is not allowed: it leads to {} by a symlink in another volume, where a container may have \
                 made it",
                volume.server_dir,
                bind.server_dir.display()
            );
            return Err(Problem::new(ProblemCode::Conflict, message)
                .hint("Put a folder in the symlink's place, or choose one that lies in no other volume."));
        }
    }
    Ok(())
}

/// Makes the folders that are missing.
pub(super) fn make_folders(binds: &[Bind]) -> Result<(), Problem> {
    for bind in binds {
        make_folder(&bind.server_dir).map_err(|error| {
            let message = format!("the folder {} for a volume could not be made", bind.server_dir.display());
            Problem::new(ProblemCode::Conflict, message).because(&error)
        })?;
    }
    Ok(())
}

/// As Docker makes them: open to whatever user a container's processes run as, also where the server's own files are not.
fn make_folder(folder: &Path) -> io::Result<()> {
    let missing: Vec<&Path> = folder.ancestors().take_while(|path| !path.exists()).collect();
    for path in missing.into_iter().rev() {
        match std::fs::create_dir(path) {
            // Another deploy was a moment earlier.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            made => made?,
        }
        // By way of the folder itself: in another volume, a container may have put a link in its place.
        let made = File::options().read(true).custom_flags(NO_LINK.bits()).open(path)?;
        made.set_permissions(Permissions::from_mode(0o755))?;
    }
    // What is there may not be a folder.
    std::fs::create_dir_all(folder)
}

/// Where a volume's folder lies on the server, symlinks aside.
pub(super) fn written(volume: &Volume, user_home: &Path) -> PathBuf {
    match volume.server_dir.strip_prefix('~') {
        Some(rest) => user_home.join(rest.trim_start_matches('/')),
        None => PathBuf::from(&volume.server_dir),
    }
}

fn bind(volume: &Volume, user_home: &Path, server_home: &Path) -> Result<Bind, Problem> {
    let wanted = written(volume, user_home);
    let refuse = |why: String| {
        Problem::new(ProblemCode::Conflict, format!("the volume {} is not allowed: {why}", volume.server_dir))
            .hint("A volume's folder lies in the home directory of the server's user, as in ~/data/blog.")
    };
    let resolved = real_path(&wanted).map_err(|error| refuse(error.to_string()))?;
    let home = real_path(user_home).map_err(|error| refuse(error.to_string()))?;
    if !resolved.starts_with(&home) || resolved == home {
        return Err(refuse(format!("{} does not lie under {}", resolved.display(), home.display())));
    }
    let kept = [home.join(".ssh"), server_home.to_owned()];
    if let Some(kept) = kept.iter().flat_map(|kept| wherever_it_lies(kept)).find(|kept| overlap(&resolved, kept)) {
        return Err(refuse(format!("{} holds keys and secrets", kept.display())));
    }
    Ok(Bind { server_dir: resolved, container_dir: volume.container_dir.clone(), read_only: volume.read_only })
}

/// The folder, also where it is a symlink, and what the symlinks in it lead to.
fn wherever_it_lies(folder: &Path) -> Vec<PathBuf> {
    let inside = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let links = inside.filter(|path| path.is_symlink()).chain([folder.to_owned()]);
    links.filter_map(|path| real_path(&path).ok()).chain([folder.to_owned()]).collect()
}

/// Whether one lies within the other, or is the same.
fn overlap(one: &Path, other: &Path) -> bool {
    one.starts_with(other) || other.starts_with(one)
}

/// The path with all symlinks of its existing part resolved; `..` behind that part is refused.
fn real_path(path: &Path) -> io::Result<PathBuf> {
    let mut existing = path;
    let mut missing = Vec::new();
    loop {
        match existing.canonicalize() {
            Ok(mut real) => {
                real.extend(missing.iter().rev());
                return Ok(real);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => match existing.components().next_back() {
                Some(Component::Normal(name)) => missing.push(name.to_owned()),
                _ => return Err(error),
            },
            Err(error) => return Err(error),
        }
        existing = existing.parent().ok_or_else(|| io::Error::other("the path has no existing part"))?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn volume(server_dir: &str) -> Volume {
        Volume { server_dir: server_dir.to_owned(), container_dir: "/data".to_owned(), read_only: false }
    }

    fn resolved(server_dir: &str) -> Result<PathBuf, String> {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().canonicalize().unwrap().join("ada");
        let server = home.join("_mypaas");
        std::fs::create_dir_all(home.join(".ssh")).unwrap();
        std::fs::create_dir_all(&server).unwrap();
        std::os::unix::fs::symlink("/etc", home.join("link")).unwrap();
        std::os::unix::fs::symlink(home.join(".ssh"), home.join("keys")).unwrap();
        let written = server_dir.replace("HOME", &home.display().to_string());
        match bind(&volume(&written), &home, &server) {
            Ok(bind) => Ok(bind.server_dir.strip_prefix(&home).unwrap().to_owned()),
            Err(problem) => Err(problem.message),
        }
    }

    #[test]
    fn folders_under_the_home_directory_are_allowed() {
        for (written, lies) in [("~/blog", "blog"), ("~/a/b/c", "a/b/c"), ("HOME/x", "x"), ("~/_mypaas2", "_mypaas2")] {
            assert_eq!(resolved(written), Ok(PathBuf::from(lies)), "{written}");
        }
    }

    #[test]
    fn keys_are_kept_also_where_their_folder_is_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().canonicalize().unwrap();
        let server = home.join("_mypaas");
        for path in ["dotfiles/ssh", "lists", "srv/paas"] {
            std::fs::create_dir_all(home.join(path)).unwrap();
        }
        std::fs::write(home.join("lists/keys"), "").unwrap();
        let link = |from: &str, to: &str| std::os::unix::fs::symlink(home.join(to), home.join(from)).unwrap();
        link(".ssh", "dotfiles/ssh");
        link("dotfiles/ssh/authorized_keys", "lists/keys");
        link("_mypaas", "srv/paas");
        for written in
            ["~/dotfiles", "~/dotfiles/ssh", "~/dotfiles/ssh/x", "~/.ssh", "~/lists", "~/srv", "~/srv/paas/x"]
        {
            let problem = bind(&volume(written), &home, &server).unwrap_err();
            assert!(problem.message.contains("holds keys"), "{written}: {}", problem.message);
        }
        for written in ["~/dotfiles/vim", "~/lists2", "~/srv/data"] {
            bind(&volume(written), &home, &server).unwrap();
        }
    }

    #[test]
    fn what_a_container_may_have_made_a_link_of_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().canonicalize().unwrap();
        for path in ["data/b", "other", "big"] {
            std::fs::create_dir_all(home.join(path)).unwrap();
        }
        std::os::unix::fs::symlink(home.join("big"), home.join("mine")).unwrap();
        let resolved = |options: &str| {
            let text = format!("# mypaas.service=web\n{options}\nFROM scratch\n");
            volumes(&crate::manifest::check(text.as_bytes()).manifest.unwrap(), &home, &home.join("_mypaas"))
        };
        let nested = "# mypaas.volume=~/data:/d\n# mypaas.volume=~/data/b:/e";
        resolved(nested).unwrap();
        resolved("# mypaas.volume=~/mine:/d\n# mypaas.volume=~/mine/b:/e").unwrap();
        std::fs::remove_dir(home.join("data/b")).unwrap();
        std::os::unix::fs::symlink(home.join("other"), home.join("data/b")).unwrap();
        let problem = resolved(nested).unwrap_err();
        assert!(problem.message.contains("symlink in another volume"), "{problem:?}");
        resolved(&nested.replace(":/d", ":/d:ro")).unwrap();
        let by_a_link = "# mypaas.volume=~/mine:/d\n# mypaas.volume=~/big/b:/e";
        resolved(by_a_link).unwrap();
        std::os::unix::fs::symlink(home.join("other"), home.join("big/b")).unwrap();
        resolved(by_a_link).unwrap_err();
    }

    #[test]
    fn everything_else_is_refused_also_by_way_of_a_link() {
        let bad = [
            "/etc",
            "~",
            "~/",
            "~/.ssh",
            "~/.ssh/x",
            "~/_mypaas",
            "~/_mypaas/a",
            "~/link/x",
            "~/keys",
            "~/../x",
            "~/no/../../x",
        ];
        for written in bad {
            assert!(resolved(written).is_err(), "{written}: {:?}", resolved(written));
        }
    }

    #[test]
    fn folders_that_are_made_are_open_to_any_user_whatever_the_server_s_own_files_are() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().canonicalize().unwrap();
        std::fs::create_dir(home.join("there")).unwrap();
        std::fs::set_permissions(home.join("there"), Permissions::from_mode(0o700)).unwrap();
        let bind = |path: &str| Bind { server_dir: home.join(path), container_dir: "/d".to_owned(), read_only: false };
        let binds = [bind("there/new/deep"), bind("there")];
        let made = std::thread::spawn(move || {
            // The mask of this thread alone.
            nix::sched::unshare(nix::sched::CloneFlags::CLONE_FS).unwrap();
            nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o077));
            make_folders(&binds)
        });
        made.join().unwrap().unwrap();
        for (path, mode) in [("there", 0o700), ("there/new", 0o755), ("there/new/deep", 0o755)] {
            let metadata = std::fs::metadata(home.join(path)).unwrap();
            assert_eq!(metadata.permissions().mode() & 0o777, mode, "{path}");
        }
        std::fs::write(home.join("file"), "").unwrap();
        assert!(make_folders(&[bind("file")]).is_err());
    }
}
