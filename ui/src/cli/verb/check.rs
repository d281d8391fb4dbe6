//! `mypaas check`: what is wrong in a Dockerfile, without any server.

use std::path::PathBuf;

use clap::Args;
use mypaas::context::ContextError;
use mypaas::manifest::{self, Checked, Manifest};

use crate::cli::output::units;
use crate::cli::report::diagnostic;
use crate::cli::session::Session;
use crate::cli::source::{Source, accept};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The folder with the Dockerfile, or the Dockerfile
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// Print the manifest and the diagnostics as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments, session: &Session) -> anyhow::Result<()> {
    let (file, checked) = match Source::open(&arguments.dir) {
        Ok(source) => (source.file(), source.check()),
        Err(ContextError::NoDockerfile { root }) => (root.display().to_string(), manifest::check_missing()),
        Err(error) => return Err(error.into()),
    };
    if arguments.json {
        session.screen.print_json(&checked)?;
        accept(file, checked.diagnostics)?;
        return Ok(());
    }
    let Checked { manifest, diagnostics } = checked;
    let warnings = accept(file.clone(), diagnostics)?;
    for warning in &warnings {
        session.screen.print(&(diagnostic::text(&file, warning, session.screen.paint()) + "\n"))?;
    }
    let summary = manifest.map(|manifest| summary(&file, &manifest, warnings.len())).unwrap_or_default();
    session.screen.print(&summary)
}

fn summary(file: &str, manifest: &Manifest, warnings: usize) -> String {
    let options = units::counted(manifest.options.len() as u64, "option");
    let warnings = match warnings {
        0 => String::new(),
        number => format!(", {}", units::counted(number as u64, "warning")),
    };
    format!("{file}: service {}, {options}{warnings}; ready to push\n", manifest.service)
}
