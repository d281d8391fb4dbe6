//! Where the log of a server goes: to the standard error of `mypaas serve`, or to a file where the screen is needed
//! for something else.

use std::fs::DirBuilder;
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use mypaas::install::manager::log_file::LogFile;
use tracing_subscriber::EnvFilter;

use super::environment::Environment;
use super::input::InputError;

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

struct Shared(Arc<Mutex<LogFile>>);

impl Write for Shared {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(line)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
