//! `mypaas key init`: the key that signs from now on, a new one or one that exists. Nothing is ever overwritten.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use clap::Args;
use mypaas::keys::{Algorithm, Generated, generate};
use zeroize::Zeroizing;

use super::KindName;
use crate::cli::confirm;
use crate::cli::environment::KEY_VARIABLE;
use crate::cli::input::InputError;
use crate::cli::operator_keys::{ELSEWHERE, KeyError, OWN_FILES, OperatorKeys, USUAL_FILES};
use crate::cli::session::Session;

/// How often two passphrases may differ.
const ATTEMPTS: u32 = 3;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Choose this key instead of making one: a key file, or the public half (FILE.pub) of a key that an ssh-agent holds
    #[arg(long = "use", value_name = "FILE", conflicts_with_all = ["kind", "no_passphrase"])]
    existing: Option<String>,
    /// Which kind of key to make
    #[arg(long = "type", value_enum, value_name = "TYPE")]
    kind: Option<KindName>,
    /// Make a key without a passphrase: whoever can read the file can use it
    #[arg(long)]
    no_passphrase: bool,
}

/// What was typed, or chosen.
enum Choice {
    New,
    Existing(String),
}

pub(crate) async fn run(arguments: &Arguments, session: &Session) -> anyhow::Result<()> {
    let keys = OperatorKeys::new(&session.environment);
    refuse_if_there(arguments.kind, &keys, session)?;
    let choice = match &arguments.existing {
        Some(file) => Choice::Existing(file.clone()),
        None if arguments.kind.is_some() || arguments.no_passphrase => Choice::New,
        None => ask_which(&keys, session).await?,
    };
    match choice {
        Choice::New => make(arguments, &keys, session).await?,
        Choice::Existing(file) => choose(&file, &keys, session).await?,
    }
    if session.environment.private_key.is_some() {
        session.screen.tell(&format!("note: {KEY_VARIABLE} is set, and comes before this key\n"));
    }
    Ok(())
}

/// A key that was chosen before stays. One of another kind may be put beside it, when it is asked for by its kind.
fn refuse_if_there(kind: Option<KindName>, keys: &OperatorKeys<'_>, session: &Session) -> Result<(), InputError> {
    let files: &[&str] = match kind {
        Some(kind) => &[own_file(kind)],
        None => &OWN_FILES,
    };
    let there = files.iter().map(|name| keys.folder().join(name)).find(|path| fs::symlink_metadata(path).is_ok());
    there.map_or(Ok(()), |path| Err(InputError::KeyIsThere { file: session.environment.shown(&path) }))
}

fn own_file(kind: KindName) -> &'static str {
    match kind {
        KindName::Ed25519 => OWN_FILES[0],
        KindName::Rsa => OWN_FILES[1],
    }
}

/// Where there is nothing to choose from, a new one is made.
async fn ask_which(keys: &OperatorKeys<'_>, session: &Session) -> anyhow::Result<Choice> {
    let usual = USUAL_FILES.iter().map(|name| keys.folder().join(name)).filter(|path| path.is_file());
    let files: Vec<String> = usual.map(|path| session.environment.shown(&path)).collect();
    if files.is_empty() {
        return Ok(Choice::New);
    }
    let new = session.environment.shown(&keys.folder().join(OWN_FILES[0]));
    let mut told = format!("  1  a new key, {new}\n");
    for (file, number) in files.iter().zip(2..) {
        told += &format!("  {number}  the one that is there, {file}\n");
    }
    let chosen = confirm::choose("choosing a key", &told, files.len() + 1, session).await?;
    Ok(if chosen == 1 { Choice::New } else { Choice::Existing(files[chosen - 2].clone()) })
}

async fn make(arguments: &Arguments, keys: &OperatorKeys<'_>, session: &Session) -> anyhow::Result<()> {
    let kind = arguments.kind.unwrap_or_default();
    let path = keys.folder().join(own_file(kind));
    let public_path = path.with_extension("pub");
    // Before a passphrase is asked for.
    if fs::symlink_metadata(&public_path).is_ok() {
        return Err(InputError::KeyIsThere { file: session.environment.shown(&public_path) }.into());
    }
    let passphrase = match arguments.no_passphrase {
        true => None,
        false => new_passphrase(&session.environment.shown(&path), session).await?,
    };
    let comment = session.environment.who.clone();
    let open = passphrase.is_none();
    let made =
        tokio::task::spawn_blocking(move || generate(kind.kind(), &comment, passphrase.as_deref().map(String::as_str)));
    let Generated { text, public } = made.await?;
    let line = public.to_openssh(&session.environment.who);
    write_new(&path, text.as_bytes(), 0o600, session)?;
    write_new(&public_path, format!("{line}\n").as_bytes(), 0o644, session).inspect_err(|_| {
        // One half alone would be in the way of the next attempt.
        let _ = fs::remove_file(&path);
    })?;
    let locked = if open { "without a passphrase" } else { "locked with the passphrase" };
    let told = format!(
        "made the {} key {}, {locked}\n{}\n",
        kind.word(),
        session.environment.shown(&path),
        public.fingerprint()
    );
    session.screen.print(&(told + &next(&line)))
}

/// The file that is looked for says where the key is.
async fn choose(file: &str, keys: &OperatorKeys<'_>, session: &Session) -> anyhow::Result<()> {
    let identity = keys.identity(Some(file)).await?;
    let path = session.environment.path(file);
    let there = path.canonicalize().map_err(|source| KeyError::Read { path: path.clone(), source })?;
    let kind = if identity.public.algorithm() == Algorithm::RsaV15Sha256 { KindName::Rsa } else { KindName::Ed25519 };
    let own = keys.folder().join(own_file(kind));
    write_new(&own, format!("{ELSEWHERE}{}\n", there.display()).as_bytes(), 0o600, session)?;
    let told = format!(
        "{} is the key from now on ({} says so)\n{}\n",
        identity.place,
        session.environment.shown(&own),
        identity.public.fingerprint()
    );
    session.screen.print(&(told + &next(&identity.public.to_openssh(&identity.comment))))
}

fn next(line: &str) -> String {
    format!("\nThis line goes into authorized_keys of the server folder (~/_mypaas) of each server:\n\n{line}\n")
}

/// Typed twice; nothing typed is none.
async fn new_passphrase(file: &str, session: &Session) -> anyhow::Result<Option<Zeroizing<String>>> {
    if !io::stdin().is_terminal() {
        return Err(InputError::NoPassphrase.into());
    }
    for _ in 0..ATTEMPTS {
        let first = ask_unseen(format!("Passphrase for {file} (empty: none): ")).await?;
        let second = ask_unseen("The same once more: ".to_owned()).await?;
        if first == second {
            return Ok((!first.is_empty()).then_some(first));
        }
        session.screen.tell("these were two different ones\n");
    }
    Err(InputError::PassphrasesDiffer.into())
}

async fn ask_unseen(prompt: String) -> anyhow::Result<Zeroizing<String>> {
    let typed = tokio::task::spawn_blocking(move || rpassword::prompt_password(prompt)).await?;
    Ok(typed.map(Zeroizing::new).map_err(KeyError::Prompt)?)
}

/// A file that was not there.
fn write_new(path: &Path, contents: &[u8], mode: u32, session: &Session) -> anyhow::Result<()> {
    let written = make_folder(path).and_then(|()| {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
        file.write_all(contents).and_then(|()| file.sync_all()).inspect_err(|_| {
            // Half a key is worse than none.
            let _ = fs::remove_file(path);
        })
    });
    match written {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Err(InputError::KeyIsThere { file: session.environment.shown(path) }.into())
        }
        Err(source) => Err(InputError::Write { path: path.to_owned(), source }.into()),
        Ok(()) => Ok(()),
    }
}

fn make_folder(file: &Path) -> io::Result<()> {
    let folder = file.parent().map_or_else(PathBuf::new, Path::to_owned);
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}
