//! Why something did not work, as data.

use std::error::Error;

use mypaas::api::{Problem, ProblemCode};
use mypaas::client::ClientError;
use mypaas::context::ContextError;

/// What a server, or the way to it, answered instead.
pub(crate) fn of_client(error: ClientError) -> Problem {
    if let Some(context) = context_cause(&error) {
        return of_context(context);
    }
    match error {
        ClientError::Refused(problem) | ClientError::Version(problem) => *problem,
        ClientError::Ssh { endpoint, trouble } => {
            let problem = Problem::new(ProblemCode::Unavailable, format!("no server answers at {endpoint}"));
            Problem { causes: vec![trouble], ..problem }
        }
        other => Problem::of(ProblemCode::Unavailable, &other),
    }
}

/// Why a folder cannot be pushed.
pub(super) fn of_context(error: &ContextError) -> Problem {
    let problem = Problem::of(ProblemCode::BadRequest, error);
    match error.hint() {
        Some(hint) => problem.hint(hint),
        None => problem,
    }
}

/// A file that could not be read ends an upload like a broken connection; the file is what matters.
fn context_cause(error: &ClientError) -> Option<&ContextError> {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(link) = cause {
        let inner = link.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        if let Some(context) = inner.and_then(|inner| inner.downcast_ref()) {
            return Some(context);
        }
        cause = link.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_broke_an_upload_is_named() {
        let changed = ContextError::Changed { path: "a/b.txt".into() };
        let broken = ClientError::Broken(Box::new(std::io::Error::other(changed)));
        let problem = of_client(broken);
        assert_eq!(problem.message, "a/b.txt changed while it was read");
        assert!(problem.hint.is_some());
    }

    #[test]
    fn what_the_server_said_is_kept_as_it_is() {
        let said = Problem::new(ProblemCode::Conflict, "no").hint("so");
        assert_eq!(of_client(ClientError::Refused(Box::new(said.clone()))), said);
    }
}
