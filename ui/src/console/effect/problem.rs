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
        other => {
            let problem = Problem::new(ProblemCode::Unavailable, other.to_string());
            Problem { causes: innermost(&other).into_iter().collect(), ..problem }
        }
    }
}

/// What it began with; what lies between tells of requests and addresses that nobody asked for.
fn innermost(error: &ClientError) -> Option<String> {
    let mut cause = error.source()?;
    while let Some(source) = cause.source() {
        cause = source;
    }
    Some(cause.to_string())
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
    use mypaas::client::Client;

    use super::*;

    #[test]
    fn a_file_that_broke_an_upload_is_named() {
        let changed = ContextError::Changed { path: "a/b.txt".into() };
        let broken = ClientError::Broken(Box::new(std::io::Error::other(changed)));
        let problem = of_client(broken);
        assert_eq!(problem.message, "a/b.txt changed while it was read");
        assert!(problem.hint.is_some());
    }

    #[tokio::test]
    async fn why_nobody_answers_is_told_without_the_request_that_was_tried() {
        let folder = tempfile::tempdir().unwrap();
        let client = Client::unix(&folder.path().join("none.sock")).unwrap();
        let problem = of_client(client.server().await.unwrap_err());
        assert!(problem.message.starts_with("no server answers at "), "{problem:?}");
        assert!(matches!(&problem.causes[..], [cause] if cause.starts_with("No such file")), "{problem:?}");
    }

    #[test]
    fn what_the_server_said_is_kept_as_it_is() {
        let said = Problem::new(ProblemCode::Conflict, "no").hint("so");
        assert_eq!(of_client(ClientError::Refused(Box::new(said.clone()))), said);
    }
}
