//! Any error → what failed, why, what to do next, and the exit code. The only place where an error becomes text.
//!
//! ```text
//! diagnostic.rs   a mistake in a file: its line, and what is meant marked
//! failure.rs      a deploy that failed: what the container left behind
//! ```

pub(crate) mod diagnostic;
pub(crate) mod failure;

use std::error::Error;
use std::fmt::Write;

use mypaas::api::{Problem, ProblemCode};
use mypaas::client::ClientError;
use mypaas::context::ContextError;
use mypaas::fleet::{EditError, FleetError};
use mypaas::install::docker::DockerError;
use mypaas::install::remote::RemoteError;
use mypaas::keys::SignError;
use mypaas::manifest::Diagnostic;
use mypaas::server::ServerError;

use super::follow::DeployEnded;
use super::input::{InputError, hint_for_edit};
use super::many::SomeFailed;
use super::operator_keys::KeyError;
use super::original::OriginalError;
use super::output::foreign;
use super::output::paint::Paint;
use super::refused::Refusal;
use super::set_up::SetUpError;
use super::source::Mistakes;
use crate::console::KeymapError;

/// It was tried, and failed.
pub(crate) const FAILURE: u8 = 1;
/// It was not tried: the command line is wrong.
pub(crate) const USAGE: u8 = 2;
/// Ended by ctrl-c.
pub(crate) const INTERRUPTED: u8 = 130;

/// An error as it is told.
#[derive(Debug)]
pub(crate) struct Report {
    problem: Problem,
    /// The name of the file that the problem's diagnostics are about.
    file: String,
    /// What else there is to see, a line each.
    evidence: Vec<String>,
    exit: u8,
}

impl Report {
    pub(crate) fn of(error: &anyhow::Error) -> Self {
        let mut report = Self::empty();
        for link in error.chain() {
            report.say(&link.to_string());
            if report.explain(link) {
                break;
            }
        }
        report
    }

    /// What the process ends with.
    pub(crate) fn exit_code(&self) -> u8 {
        self.exit
    }

    /// The same as data, for `--json`.
    pub(crate) fn problem(&self) -> &Problem {
        &self.problem
    }

    /// The report for people, ending with a line end.
    pub(crate) fn text(&self, paint: Paint) -> String {
        let mut text =
            format!("{} {}\n", paint.bad("error:"), paint.strong(&foreign::indented(&self.problem.message, "       ")));
        for cause in &self.problem.causes {
            let _ = writeln!(text, "  {} {}", paint.muted("because"), foreign::indented(cause, "          "));
        }
        for diagnostic in &self.problem.diagnostics {
            let _ = write!(text, "\n{}", diagnostic::text(&self.file, diagnostic, paint));
        }
        for line in &self.evidence {
            let _ = writeln!(text, "  {}", foreign::line(line, false));
        }
        if let Some(hint) = &self.problem.hint {
            let _ = writeln!(text, "  {} {}", paint.good("hint:"), foreign::indented(hint, "        "));
        }
        text
    }

    fn empty() -> Self {
        let problem = Problem {
            code: ProblemCode::Internal,
            message: String::new(),
            causes: Vec::new(),
            hint: None,
            diagnostics: Vec::new(),
        };
        Self { problem, file: "Dockerfile".to_owned(), evidence: Vec::new(), exit: FAILURE }
    }

    /// Adds what went wrong, or why; nothing is said twice.
    fn say(&mut self, text: &str) {
        if self.problem.message.is_empty() {
            text.clone_into(&mut self.problem.message);
        } else if !self.problem.message.contains(text) && !self.problem.causes.iter().any(|known| known.contains(text))
        {
            self.problem.causes.push(text.to_owned());
        }
    }

    /// Adds what is known about an error of this kind; true when its own causes are of no use to an operator.
    fn explain(&mut self, error: &(dyn Error + 'static)) -> bool {
        if let Some(error) = error.downcast_ref::<InputError>() {
            self.problem.code = ProblemCode::BadRequest;
            self.problem.hint = error.hint();
            self.exit = if error.is_usage() { USAGE } else { FAILURE };
        } else if let Some(error) = error.downcast_ref::<ClientError>() {
            return self.explain_client(error);
        } else if let Some(error) = error.downcast_ref::<DeployEnded>() {
            self.explain_deploy(error);
        } else if error.is::<SomeFailed>() {
            self.problem.code = ProblemCode::Conflict;
        } else if let Some(Refusal { first, others }) = error.downcast_ref() {
            self.adopt(first);
            self.evidence = others.iter().map(|other| format!("also: {}", other.message)).collect();
        } else if let Some(error) = error.downcast_ref::<ContextError>() {
            self.problem.code = ProblemCode::BadRequest;
            self.problem.hint = error.hint();
        } else if let Some(Mistakes { file, diagnostics }) = error.downcast_ref() {
            self.mark(file, diagnostics);
        } else if let Some(ServerError::Engine(_)) = error.downcast_ref() {
            self.problem.code = ProblemCode::Unavailable;
            self.problem.hint = Some(
                "is Docker installed and running? `docker info` says; DOCKER_HOST names another socket".to_owned(),
            );
        } else if let Some(error) = error.downcast_ref::<OriginalError>() {
            self.problem.code = ProblemCode::Conflict;
            self.problem.hint = Some(error.hint());
        } else if let Some(error) = error.downcast_ref::<KeyError>() {
            self.problem.code = ProblemCode::BadRequest;
            self.problem.hint = error.hint();
        } else if let Some(error) = error.downcast_ref::<SetUpError>() {
            self.problem.code = ProblemCode::Conflict;
            self.problem.hint = error.hint();
            self.evidence = error.evidence();
            self.exit = if error.is_usage() { USAGE } else { FAILURE };
        } else if let Some(error) = error.downcast_ref::<RemoteError>() {
            self.problem.code = ProblemCode::Unavailable;
            self.problem.hint = Some(error.hint().to_owned());
        } else if let Some(error) = error.downcast_ref::<DockerError>() {
            self.problem.code = ProblemCode::Unavailable;
            self.problem.hint = Some(error.hint().to_owned());
        } else if let Some(error) = error.downcast_ref::<EditError>() {
            self.problem.code = ProblemCode::BadRequest;
            self.problem.hint = hint_for_edit(error);
        } else if let Some(FleetError::Invalid { path, diagnostic }) = error.downcast_ref() {
            self.mark(&path.display().to_string(), std::slice::from_ref(diagnostic.as_ref()));
        } else if let Some(KeymapError::Invalid { path, diagnostic }) = error.downcast_ref() {
            self.mark(&path.display().to_string(), std::slice::from_ref(diagnostic.as_ref()));
        }
        false
    }

    fn explain_client(&mut self, error: &ClientError) -> bool {
        self.problem.code = ProblemCode::Unavailable;
        match error {
            ClientError::Refused(problem) | ClientError::Version(problem) => self.adopt(problem),
            ClientError::Unreachable { .. } => {
                self.say(&innermost(error));
                self.problem.hint = Some("is `mypaas serve` running there, and may you open its socket?".to_owned());
            }
            ClientError::TimedOut { .. } => {
                self.problem.hint = Some("it may be busy; see its log, and try again".to_owned());
            }
            ClientError::Ssh { trouble, .. } => {
                self.say(trouble);
                self.problem.hint = Some(
                    "does `ssh` get there by itself, and is `mypaas` in the PATH of a command that it runs there?"
                        .to_owned(),
                );
            }
            ClientError::NotTheServer { status, .. } => {
                self.problem.hint = Some(not_the_server(*status).to_owned());
            }
            ClientError::Original { .. } => {
                self.problem.hint = Some(
                    "`mypaas push` works with it; for the rest, bring this program to that machine: there, `mypaas server \
                     init --adopt` takes over its services and keys"
                        .to_owned(),
                );
            }
            ClientError::Sign(SignError::NotRsa(_) | SignError::NotByAgent) => {
                self.say(&innermost(error));
                self.problem.hint = Some(
                    "name the file of an RSA key that the server knows: `key = \"~/.ssh/mypaas_rsa\"` of the server in \
                     fleet.toml, or MYPAAS_PRIVATE_KEY"
                        .to_owned(),
                );
            }
            ClientError::NoKey => self.problem.hint = Some("`mypaas key init` makes one".to_owned()),
            ClientError::Unreadable { .. } => {
                self.say(&innermost(error));
                self.problem.hint =
                    Some("client and server may be of different versions; upgrade the older one".to_owned());
            }
            ClientError::TooLarge { .. } => {
                self.problem.hint = Some(
                    "no answer of a mypaas server is that large, but for what very long builds wrote: is it yours that \
                     answers there? `mypaas follow` shows a long deploy line by line"
                        .to_owned(),
                );
            }
            ClientError::Broken(_)
            | ClientError::Setup(_)
            | ClientError::Sign(_)
            | ClientError::Tunnel(_)
            | ClientError::Pack(_) => self.say(&innermost(error)),
        }
        true
    }

    fn explain_deploy(&mut self, ended: &DeployEnded) {
        self.problem.code = ProblemCode::Conflict;
        if let Some(failure) = ended.failure() {
            self.say(&failure.message);
            failure.causes.iter().for_each(|cause| self.say(cause));
            self.evidence = failure::evidence(&ended.deploy().service, failure);
            self.problem.hint.clone_from(&failure.hint);
        }
    }

    /// Tells what a server told, whose message was said already.
    fn adopt(&mut self, problem: &Problem) {
        self.problem.code = problem.code;
        problem.causes.iter().for_each(|cause| self.say(cause));
        self.problem.hint.clone_from(&problem.hint);
        self.problem.diagnostics.clone_from(&problem.diagnostics);
    }

    fn mark(&mut self, file: &str, diagnostics: &[Diagnostic]) {
        self.problem.code = ProblemCode::BadRequest;
        file.clone_into(&mut self.file);
        self.problem.diagnostics = diagnostics.to_vec();
    }
}

fn not_the_server(status: u16) -> &'static str {
    match status {
        502..=504 => "the router there runs, and its mypaas server does not; `ssh` there and look at its log",
        300..=399 => "use the address that it names: https:// where http:// was given",
        _ => "is that its own domain, `domain` under [init] of its config.toml, and is mypaas running there?",
    }
}

fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

#[cfg(test)]
mod tests;
