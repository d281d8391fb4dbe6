//! Writes a session down. The file is written by a thread of its own; when it does not keep up, or the file has become
//! too large, the recording ends there: one with holes would not play.

use std::fs::OpenOptions;
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use anyhow::Context;

use super::{Beginning, Entry};
use crate::console::key::{Code, Key};
use crate::console::message::{Message, Stamped};
use crate::console::model::Model;

/// A recording grows no further than this, in bytes: an hour of a large fleet.
const LARGEST: u64 = 256 * 1024 * 1024;

/// So much may wait to be written.
const WAITING: usize = 4096;

/// What stands where something was typed unseen.
const UNSEEN: char = '*';

/// Why a recording ended before the session did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::console) enum Ended {
    /// The file is as large as it may become, or cannot be written any more.
    Full,
    /// More happened than could be written.
    Behind,
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Ended::Full => "its file takes no more",
            Ended::Behind => "more happened than could be written",
        })
    }
}

/// Notes what happens. When it is dropped, everything is in the file.
#[derive(Debug)]
pub(in crate::console) struct Recorder {
    /// None once the recording ended.
    entries: Option<SyncSender<Entry>>,
    writer: Option<JoinHandle<()>>,
}

impl Recorder {
    /// Into a new file, for the operator alone.
    pub(in crate::console) fn start(path: &Path, beginning: &Beginning) -> anyhow::Result<Self> {
        Self::bounded(path, beginning, LARGEST)
    }

    fn bounded(path: &Path, beginning: &Beginning, largest: u64) -> anyhow::Result<Self> {
        let failed = || format!("the session cannot be recorded in {}", path.display());
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).with_context(failed)?;
        let mut file = Bounded { file: BufWriter::new(file), path: path.to_owned(), left: largest };
        file.write(beginning).with_context(failed)?;
        let (sender, entries) = sync_channel(WAITING);
        let writer = std::thread::Builder::new().name("recorder".into()).spawn(move || write_all(file, &entries))?;
        Ok(Self { entries: Some(sender), writer: Some(writer) })
    }

    /// A message, before it changes the model. Says when the recording ends with it.
    pub(in crate::console) fn note(&mut self, model: &Model, stamped: &Stamped) -> Option<Ended> {
        self.entries.as_ref()?;
        let Stamped { at, message } = stamped.clone();
        let message = if model.types_unseen() { without_secrets(message) } else { message };
        self.add(Stamped { at, message }.into())
    }

    /// A picture of what is known was drawn.
    pub(in crate::console) fn drew(&mut self) -> Option<Ended> {
        self.add(Entry::Drawn)
    }

    fn add(&mut self, entry: Entry) -> Option<Ended> {
        let ended = match self.entries.as_ref()?.try_send(entry) {
            Ok(()) => return None,
            Err(TrySendError::Full(_)) => Ended::Behind,
            Err(TrySendError::Disconnected(_)) => Ended::Full,
        };
        self.entries = None;
        Some(ended)
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.entries = None;
        if let Some(writer) = self.writer.take() {
            // Why it failed is of no use to anybody any more.
            let _ = writer.join();
        }
    }
}

/// A file that grows so far, and no further.
struct Bounded {
    file: BufWriter<std::fs::File>,
    path: PathBuf,
    left: u64,
}

impl Bounded {
    /// An error also when it would become too large.
    fn write(&mut self, line: &impl serde::Serialize) -> anyhow::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.left = self.left.checked_sub(text.len() as u64).context("it would become too large")?;
        Ok(self.file.write_all(&text)?)
    }
}

fn write_all(mut file: Bounded, entries: &Receiver<Entry>) {
    for entry in entries {
        if let Err(error) = file.write(&entry) {
            tracing::warn!(%error, "the recording {} ends here", file.path.display());
            break;
        }
    }
    if let Err(error) = file.file.flush() {
        tracing::warn!(%error, "the end of the recording {} is missing", file.path.display());
    }
}

/// As long as what was typed, and nothing else of it.
fn without_secrets(message: Message) -> Message {
    match message {
        Message::Key(key) if key.typed().is_some() => Message::Key(Key { code: Code::Char(UNSEEN), ..key }),
        Message::Pasted(text) => Message::Pasted(text.chars().map(|_| UNSEEN).collect()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::console::fixture;
    use crate::console::record::replay::tests::beginning;

    fn press(text: &str) -> Message {
        Message::Key(text.parse().unwrap())
    }

    #[test]
    fn a_recording_is_a_new_file_for_the_operator_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("session.jsonl");
        drop(Recorder::start(&path, &beginning()).unwrap());
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let error = Recorder::start(&path, &beginning()).unwrap_err();
        assert!(error.to_string().contains("session.jsonl"), "{error:#}");
    }

    #[test]
    fn it_ends_when_its_file_would_become_too_large_and_says_so_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("session.jsonl");
        let largest = serde_json::to_vec(&beginning()).unwrap().len() as u64 + 100;
        let mut recorder = Recorder::bounded(&path, &beginning(), largest).unwrap();
        let model = fixture::model();
        let message = Stamped { at: model.now, message: press("j") };
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
        let ended = loop {
            if let Some(ended) = recorder.note(&model, &message) {
                break ended;
            }
            assert!(std::time::Instant::now() < deadline, "it goes on for ever");
            std::thread::sleep(std::time::Duration::from_millis(1));
        };
        assert_eq!((ended, recorder.note(&model, &message)), (Ended::Full, None));
        drop(recorder);
        assert!(std::fs::metadata(&path).unwrap().len() <= largest);
    }

    #[test]
    fn what_is_typed_unseen_leaves_nothing_but_its_length() {
        let masked = |message| serde_json::to_string(&without_secrets(message)).unwrap();
        assert_eq!(masked(press("x")), masked(press("y")));
        assert_eq!(masked(Message::Pasted("hunter2".into())), masked(Message::Pasted("1234567".into())));
        assert!(!masked(Message::Pasted("hunter2".into())).contains("hunter"));
        assert_ne!(masked(press("enter")), masked(press("esc")));
    }
}
