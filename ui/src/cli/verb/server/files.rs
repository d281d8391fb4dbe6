//! What `mypaas server init` writes into the server folder.

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use anyhow::Context;
use mypaas::install::Account;
use mypaas::install::answers::{self, Answers, Change};
use mypaas::install::authorize;
use mypaas::install::manager::Daemon;
use mypaas::server::AUTHORIZED_KEYS;
use mypaas::server::config::FILE_NAME;

use crate::cli::session::Session;
use crate::cli::set_up::SetUpError;

/// What is going to be written.
pub(super) struct Files {
    pub(super) config: String,
    pub(super) changes: Vec<Change>,
    keys: String,
    new_keys: usize,
}

impl Files {
    /// With these answers in what is there already, and these keys let in.
    pub(super) fn of(daemon: &Daemon, answers: &Answers, authorize: &[String]) -> anyhow::Result<Self> {
        let (config, changes) = answers::apply(&read(&daemon.home.join(FILE_NAME))?, answers)?;
        let mut keys = read(&daemon.home.join(AUTHORIZED_KEYS))?;
        let mut new_keys = 0;
        for given in authorize {
            let (text, added) = authorized(&keys, given)?;
            keys = text;
            new_keys += added;
        }
        Ok(Self { config, changes, keys, new_keys })
    }

    /// What is there may be changed by others while a question waits for its answer, or Docker is installed: with these
    /// answers in what is there by now, unless that would do more than what was agreed to.
    pub(super) fn anew(self, daemon: &Daemon, answers: &Answers, authorize: &[String]) -> anyhow::Result<Self> {
        let now = Self::of(daemon, answers, authorize)?;
        if now.changes != self.changes {
            return Err(SetUpError::ChangedMeanwhile { file: FILE_NAME }.into());
        }
        if now.new_keys > self.new_keys {
            return Err(SetUpError::ChangedMeanwhile { file: AUTHORIZED_KEYS }.into());
        }
        Ok(now)
    }

    pub(super) fn write(&self, daemon: &Daemon) -> anyhow::Result<()> {
        let Daemon { home, account, .. } = daemon;
        let failed = || format!("the server folder {} could not be written", home.display());
        make(home, account).with_context(failed)?;
        let write = |name: &str, text: &str, is_new: bool| -> io::Result<()> {
            let path = home.join(name);
            if is_new || !path.exists() {
                account.write(&path, text.as_bytes())?;
            }
            Ok(())
        };
        write(FILE_NAME, &self.config, !self.changes.is_empty()).with_context(failed)?;
        write(AUTHORIZED_KEYS, &self.keys, self.new_keys > 0).with_context(failed)
    }

    pub(super) fn told_config(&self, daemon: &Daemon, session: &Session) -> String {
        let path = session.environment.shown(&daemon.home.join(FILE_NAME));
        match self.changes.as_slice() {
            [] => format!("{path} stays as it is"),
            changes => {
                let keys: Vec<&str> = changes.iter().map(|change| change.key.as_str()).collect();
                format!("{path} got {}", keys.join(", "))
            }
        }
    }

    pub(super) fn told_keys(&self) -> String {
        let all = mypaas::keys::AuthorizedKeys::parse(self.keys.as_bytes()).keys().count();
        match (all, self.new_keys) {
            (0, _) => "nobody is let in over the network; ssh and this machine only".to_owned(),
            (all, 0) => format!("{all} are let in, as before"),
            (all, new) => format!("{all} are let in, {new} of them new"),
        }
    }
}

/// The folder, with those above it that are missing, through which its owner has to get.
fn make(home: &Path, account: &Account) -> io::Result<()> {
    let is_missing = |folder: &&Path| !folder.as_os_str().is_empty() && !folder.exists();
    let missing: Vec<&Path> = home.ancestors().skip(1).take_while(is_missing).collect();
    for folder in missing.into_iter().rev() {
        make_one(folder, 0o755, account)?;
    }
    make_one(home, 0o700, account)
}

fn make_one(folder: &Path, mode: u32, account: &Account) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(mode).create(folder)?;
    account.own(folder)
}

/// Lets in what is given, a line or a file of lines. A line is tried first: no file need be called like a key, whose
/// digits may be more than a path can have.
fn authorized(keys: &str, given: &str) -> anyhow::Result<(String, usize)> {
    let no_line = match authorize::add(keys, given) {
        Err(error) => error,
        Ok(added) => return Ok(added),
    };
    match fs::read_to_string(given) {
        Ok(lines) => Ok(authorize::add(keys, &lines)?),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidFilename) => {
            Err(no_line.into())
        }
        Err(error) => Err(error).with_context(|| format!("the keys in {given} cannot be read")),
    }
}

/// Nothing where there is no such file.
pub(super) fn read(path: &Path) -> anyhow::Result<String> {
    match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        read => read.with_context(|| format!("{} cannot be read", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;
    use std::path::PathBuf;

    use mypaas::keys::PublicKey;

    use super::*;

    /// A server of somebody else, as far as this process may make one.
    fn daemon(home: PathBuf) -> Daemon {
        let mut account = Account::current().unwrap();
        if account.is_root() {
            (account.uid, account.gid) = (12_345, 12_345);
        }
        Daemon { home, program: "/usr/bin/mypaas".into(), account, name: "mypaas".into(), docker_host: None }
    }

    #[test]
    fn its_owner_gets_to_a_folder_however_deep_and_nobody_else_into_it() {
        let above = tempfile::tempdir().unwrap();
        let daemon = daemon(above.path().join("new/deep/folder"));
        for _ in 0..2 {
            Files::of(&daemon, &Answers::default(), &[]).unwrap().write(&daemon).unwrap();
            for (folder, mode) in [("new", 0o755), ("new/deep", 0o755), ("new/deep/folder", 0o700)] {
                let made = fs::metadata(above.path().join(folder)).unwrap();
                assert_eq!((made.mode() & 0o777, made.uid()), (mode, daemon.account.uid), "{folder}");
            }
        }
        assert_ne!(fs::metadata(above.path()).unwrap().uid(), 12_345, "what was there stays as it was");
    }

    const RSA: &str = include_str!("../../../../../tests/fixtures/keys/rsa.pub");
    const ED25519: &str = include_str!("../../../../../tests/fixtures/keys/ed25519.pub");

    #[test]
    fn what_others_write_meanwhile_stays_and_what_was_not_agreed_to_is_not_done() {
        let home = tempfile::tempdir().unwrap();
        let daemon = daemon(home.path().to_owned());
        let config = |text: &str| fs::write(home.path().join(FILE_NAME), text).unwrap();
        let keys = |text: &str| fs::write(home.path().join(AUTHORIZED_KEYS), text).unwrap();
        let (answers, rsa) = (Answers { http_port: Some(8080), ..Answers::default() }, [RSA.to_owned()]);
        let write = |files: Files| files.anew(&daemon, &answers, &rsa).and_then(|files| files.write(&daemon));

        config("[router]\nhttp_port = 80\n");
        keys(ED25519);
        let files = Files::of(&daemon, &answers, &rsa).unwrap();
        config("[router]\nhttp_port = 80\n[env]\nTOKEN = \"new\"\n");
        keys("# the other one is revoked\n");
        write(files).unwrap();
        let written = fs::read_to_string(home.path().join(FILE_NAME)).unwrap();
        assert_eq!(written, "[router]\nhttp_port = 8080\n[env]\nTOKEN = \"new\"\n");
        let written = fs::read_to_string(home.path().join(AUTHORIZED_KEYS)).unwrap();
        assert_eq!(written, format!("# the other one is revoked\n{RSA}"));

        config("[router]\nhttp_port = 80\n");
        let files = Files::of(&daemon, &answers, &rsa).unwrap();
        config("[router]\nhttp_port = 81\n");
        assert!(write(files).unwrap_err().to_string().starts_with("config.toml was changed meanwhile"));
        let files = Files::of(&daemon, &answers, &rsa).unwrap();
        keys("# both are revoked\n");
        assert!(write(files).unwrap_err().to_string().starts_with("authorized_keys was changed meanwhile"));
        assert_eq!(fs::read_to_string(home.path().join(FILE_NAME)).unwrap(), "[router]\nhttp_port = 81\n");
    }

    #[test]
    fn a_line_is_let_in_however_long_and_a_file_of_lines_too() {
        let key = PublicKey::from_openssh(RSA.trim()).unwrap().0;
        // None of its digits is a slash, so as a path it is one name that is too long.
        let long = key.to_original().unwrap();
        assert!(long.len() > 255 && !long.contains('/'), "{long}");
        assert_eq!(authorized("", &long).unwrap(), (format!("{long}\n"), 1));

        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("keys");
        fs::write(&file, format!("# ours\n{RSA}")).unwrap();
        assert_eq!(authorized("", file.to_str().unwrap()).unwrap(), (RSA.to_owned(), 1));
    }

    #[test]
    fn what_is_neither_is_told_as_no_line() {
        for wrong in ["nowhere.pub".to_owned(), "x".repeat(400)] {
            let told = format!("{:#}", authorized("", &wrong).unwrap_err());
            assert!(told.contains("is no line for authorized_keys"), "{told}");
        }
        let folder = tempfile::tempdir().unwrap();
        let told = format!("{:#}", authorized("", folder.path().to_str().unwrap()).unwrap_err());
        assert!(told.contains("cannot be read"), "{told}");
    }
}
