//! Where the log of a server goes: to the standard error of `mypaas serve`, or to a file where the screen is needed
//! for something else.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use tracing_subscriber::EnvFilter;

use super::environment::Environment;
use super::input::InputError;

/// The log file is put aside at this size; one old file is kept.
const LARGEST_FILE: u64 = 4 * 1024 * 1024;

/// How a log is written: for people, or one JSON object a line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LogFormat {
    #[default]
    Human,
    Json,
}

/// The log of a headless server.
pub(crate) fn to_stderr(environment: &Environment, format: LogFormat, colour: bool) -> anyhow::Result<()> {
    let log = tracing_subscriber::fmt().with_env_filter(filter(environment)?).with_writer(io::stderr);
    let set = match format {
        LogFormat::Human => log.with_ansi(colour).with_target(false).try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    };
    set.map_err(|error| anyhow::anyhow!(error)).context("the log could not be set up")
}

/// The log of a server in this process: a file in the server folder.
pub(crate) fn to_file(environment: &Environment) -> anyhow::Result<()> {
    let folder = environment.home.join("log");
    let failed = || format!("the log in {} could not be opened", environment.shown(&folder));
    DirBuilder::new().recursive(true).mode(0o700).create(&folder).with_context(failed)?;
    let file = Arc::new(Mutex::new(LogFile::open(folder.join("in-process.log")).with_context(failed)?));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter(environment)?)
        .with_ansi(false)
        .with_writer(move || Shared(Arc::clone(&file)));
    // A second server in one process (tests) logs to where the first one does.
    let _ = log.try_init();
    Ok(())
}

fn filter(environment: &Environment) -> Result<EnvFilter, InputError> {
    let value = environment.log.as_deref().unwrap_or("info");
    EnvFilter::try_new(value).map_err(|source| InputError::LogLevel { value: value.to_owned(), source })
}

/// A file that does not grow for ever.
#[derive(Debug)]
struct LogFile {
    path: PathBuf,
    file: File,
    size: u64,
}

impl LogFile {
    fn open(path: PathBuf) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(&path)?;
        let size = file.metadata()?.len();
        Ok(Self { path, file, size })
    }

    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.size >= LARGEST_FILE {
            fs::rename(&self.path, self.path.with_extension("log.1"))?;
            *self = Self::open(self.path.clone())?;
        }
        self.file.write_all(line)?;
        self.size += line.len() as u64;
        Ok(line.len())
    }
}

struct Shared(Arc<Mutex<LogFile>>);

impl Write for Shared {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(line)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_file_is_put_aside_before_it_grows_too_large() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("in-process.log");
        let mut log = LogFile::open(path.clone()).unwrap();
        let line = vec![b'x'; 1024 * 1024];
        for _ in 0..11 {
            log.write(&line).unwrap();
        }
        assert_eq!(fs::metadata(&path).unwrap().len(), 3 * 1024 * 1024);
        assert_eq!(fs::metadata(folder.path().join("in-process.log.1")).unwrap().len(), LARGEST_FILE);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_log_file_goes_on_where_it_ended() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("in-process.log");
        for line in ["one\n", "two\n"] {
            LogFile::open(path.clone()).unwrap().write(line.as_bytes()).unwrap();
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\ntwo\n");
    }
}
