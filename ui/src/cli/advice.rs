//! What a server advises, in words that can be typed. A server does not know what it is called here, and says SERVER.

use mypaas::api::{Outcome, Problem};
use mypaas::client::ClientError;
use mypaas::name::ServerName;

pub(crate) fn of_error(error: ClientError, server: &ServerName) -> ClientError {
    match error {
        ClientError::Refused(problem) => ClientError::Refused(Box::new(of_problem(*problem, server))),
        other => other,
    }
}

pub(crate) fn of_problem(problem: Problem, server: &ServerName) -> Problem {
    Problem { hint: problem.hint.map(|hint| named(&hint, server)), ..problem }
}

pub(crate) fn of_outcome(mut outcome: Outcome, server: &ServerName) -> Outcome {
    if let Outcome::Failed { failure } = &mut outcome {
        failure.hint = failure.hint.take().map(|hint| named(&hint, server));
    }
    outcome
}

fn named(hint: &str, server: &ServerName) -> String {
    hint.replace(" SERVER", &format!(" {server}"))
}

#[cfg(test)]
mod tests {
    use mypaas::api::ProblemCode;

    use super::*;

    #[test]
    fn a_server_that_says_server_is_called_by_its_name() {
        let problem =
            Problem::new(ProblemCode::NoRoom, "no room").hint("`mypaas prune SERVER` gives; `mypaas disk SERVER`");
        let told = of_problem(problem, &"attic".parse().unwrap());
        assert_eq!(told.hint.as_deref(), Some("`mypaas prune attic` gives; `mypaas disk attic`"));
    }
}
