//! A plan that the server would not carry out.

use mypaas::api::Problem;
use mypaas::name::ServerName;

use super::advice;

/// Why it would be refused: the first reason, and how many more there are.
#[derive(Debug, thiserror::Error)]
#[error("{}", first.message)]
pub(crate) struct Refusal {
    pub(crate) first: Box<Problem>,
    pub(crate) others: Vec<Problem>,
}

impl Refusal {
    /// None when nothing is refused.
    pub(crate) fn among(problems: Vec<Problem>, server: &ServerName) -> Option<Self> {
        let mut problems = problems.into_iter().map(|problem| advice::of_problem(problem, server));
        let first = Box::new(problems.next()?);
        Some(Self { first, others: problems.collect() })
    }
}
