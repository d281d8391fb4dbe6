//! Errors of the layers below → [`Problem`]s, with what to do next.

use std::error::Error;
use std::io;
use std::path::Path;

use crate::api::{Problem, ProblemCode};
use crate::atomic_file;
use crate::context::ArchiveError;
use crate::deploy::journal::JournalError;
use crate::deploy::{Failure, Phase, PlanError};
use crate::engine::EngineError;
use crate::proof::Altered;
use crate::router::RouterError;
use crate::server::ServerError;
use crate::store::StoreError;

impl From<EngineError> for Problem {
    fn from(error: EngineError) -> Self {
        let (code, hint) = match &error {
            EngineError::Denied { registry, standing, .. } => {
                return Problem::of(ProblemCode::Conflict, &error).hint(registry.advice(standing));
            }
            EngineError::Full { folder, .. } => {
                let hint = atomic_file::make_room(Path::new(folder));
                return Problem::of(ProblemCode::NoRoom, &error).hint(hint);
            }
            EngineError::Unreachable { .. } => {
                (ProblemCode::Unavailable, Some("Start it (`systemctl start docker`), then try again."))
            }
            EngineError::TimedOut { .. } => {
                (ProblemCode::Unavailable, Some("The engine is busy or hangs; look at it with `docker ps`."))
            }
            EngineError::NotFound { .. } => (ProblemCode::NotFound, None),
            EngineError::PortTaken { .. } => {
                (ProblemCode::Conflict, Some("Free the port, or choose another in the server's config.toml."))
            }
            EngineError::Pull { .. } => (
                ProblemCode::Unavailable,
                Some(
                    "Can the server reach the registry? An image of that name that is already there is used as it is.",
                ),
            ),
            EngineError::BuildOutOfMemory { .. } => (
                ProblemCode::Conflict,
                Some(
                    "Let the instruction use less, as with fewer jobs at once; or let builds use more, with \
                     build_max_mem of [deploy] in config.toml: \"auto\" is what was available when the build began.",
                ),
            ),
            EngineError::Build { .. }
            | EngineError::Refused { .. }
            | EngineError::AddressTaken { .. }
            | EngineError::NotOurs { .. } => (ProblemCode::Conflict, None),
        };
        let problem = Problem::of(code, &error);
        match hint {
            Some(hint) => problem.hint(hint),
            None => problem,
        }
    }
}

impl From<RouterError> for Problem {
    fn from(error: RouterError) -> Self {
        let hint = error.hint().unwrap_or_else(|| {
            "`docker logs` of the router's container says more; the server tries to keep it running.".to_owned()
        });
        Problem::of(ProblemCode::Unavailable, &error).hint(hint)
    }
}

impl From<ArchiveError> for Problem {
    fn from(error: ArchiveError) -> Self {
        match &error {
            ArchiveError::Broken(source) if is_altered(source.as_ref()) => {
                Problem::new(ProblemCode::Unauthorized, Altered.to_string())
                    .hint("Nothing was kept of it. Something between client and server changed it, or it is an attack.")
            }
            ArchiveError::SentTooMuch { .. } | ArchiveError::TooLarge { .. } => {
                Problem::of(ProblemCode::TooLarge, &error)
            }
            ArchiveError::Disk { path, source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                let hint = atomic_file::make_room(path.parent().unwrap_or(path));
                Problem::of(ProblemCode::NoRoom, &error).hint(hint)
            }
            ArchiveError::Disk { .. } => Problem::of(ProblemCode::Internal, &error),
            _ => Problem::of(ProblemCode::BadRequest, &error),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error.hint() {
            Some(hint) => Problem::of(ProblemCode::NoRoom, &error).hint(hint),
            None => Problem::of(ProblemCode::Internal, &error),
        }
    }
}

impl From<ServerError> for Problem {
    fn from(error: ServerError) -> Self {
        match error {
            ServerError::AlreadyRuns { .. } => Problem::of(ProblemCode::Conflict, &error).hint("Stop it first."),
            other => Problem::of(ProblemCode::Internal, &other),
        }
    }
}

impl From<JournalError> for Problem {
    fn from(error: JournalError) -> Self {
        Problem::of(ProblemCode::Internal, &error)
    }
}

impl From<PlanError> for Problem {
    fn from(error: PlanError) -> Self {
        Problem::of(ProblemCode::Conflict, &error)
            .hint("Remove services that are not needed, or set a larger subnet under [network] in config.toml.")
    }
}

fn is_altered(error: &(dyn Error + 'static)) -> bool {
    error.is::<Altered>() || error.source().is_some_and(is_altered)
}

/// A problem that ends a deploy.
pub(super) fn failure(phase: Phase, problem: Problem) -> Failure {
    Failure::plain(phase, problem.message, problem.causes, problem.hint)
}
