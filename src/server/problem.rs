//! Errors of the layers below → [`Problem`]s, with what to do next.

use std::io::ErrorKind;

use crate::api::{Problem, ProblemCode};
use crate::context::ArchiveError;
use crate::deploy::journal::JournalError;
use crate::deploy::{Failure, Phase, PlanError};
use crate::engine::EngineError;
use crate::router::RouterError;
use crate::store::StoreError;

/// What a program says that finds no more room.
const DISK_FULL: &str = "no space left on device";

const SHOWS_ROOM: &str = "`mypaas disk SERVER` shows what takes the room, and `mypaas prune SERVER` makes some.";

impl From<EngineError> for Problem {
    fn from(error: EngineError) -> Self {
        let (code, hint) = match &error {
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
            EngineError::Build { message } if message.contains(DISK_FULL) => (ProblemCode::NoRoom, Some(SHOWS_ROOM)),
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
        let code = match &error {
            ArchiveError::SentTooMuch { .. } | ArchiveError::TooLarge { .. } => ProblemCode::TooLarge,
            ArchiveError::Disk { source, .. } if source.kind() == ErrorKind::StorageFull => {
                return Problem::of(ProblemCode::NoRoom, &error).hint(SHOWS_ROOM);
            }
            ArchiveError::Disk { .. } => ProblemCode::Internal,
            _ => ProblemCode::BadRequest,
        };
        Problem::of(code, &error)
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Problem::of(ProblemCode::Internal, &error)
            .hint("Is the disk of the server folder full? `mypaas disk SERVER` tells.")
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

/// A problem that ends a deploy.
pub(super) fn failure(phase: Phase, problem: Problem) -> Failure {
    Failure::plain(phase, problem.message, problem.causes, problem.hint)
}
