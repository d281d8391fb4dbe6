//! One router gives the ports, the other one takes them; whatever fails, somebody is to have them in the end.

use crate::api::Problem;

/// The two routers.
pub(super) trait Routers {
    async fn stop_old(&self) -> Result<(), Problem>;
    async fn start_old(&self) -> Result<(), Problem>;
    async fn start_ours(&self) -> Result<(), Problem>;
    /// That it does not run is fine.
    async fn stop_ours(&self) -> Result<(), Problem>;
}

/// Who has the ports, and why it is not us.
#[derive(Debug, PartialEq)]
pub(super) enum Holder {
    Ours,
    Old(Problem),
    Nobody(Problem),
}

/// When ours does not come up, or the old one does not go, the old one has its place again.
pub(super) async fn exchange(routers: &impl Routers) -> Holder {
    let taken = async {
        routers.stop_old().await?;
        routers.start_ours().await
    };
    let Err(mut problem) = taken.await else { return Holder::Ours };
    // It may have the ports, and not answer.
    if let Err(second) = routers.stop_ours().await {
        tracing::warn!(problem = second.message, causes = ?second.causes, "our router could not be stopped");
    }
    match routers.start_old().await {
        Ok(()) => Holder::Old(problem),
        Err(second) => {
            problem.causes.push(format!("nor could the old router be started again: {}", second.message));
            problem.causes.extend(second.causes);
            Holder::Nobody(problem)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::api::ProblemCode;

    /// Remembers what was done; some of it fails.
    struct Tried {
        fails: &'static [&'static str],
        done: RefCell<Vec<&'static str>>,
    }

    impl Tried {
        fn attempt(&self, deed: &'static str) -> Result<(), Problem> {
            self.done.borrow_mut().push(deed);
            if self.fails.contains(&deed) { Err(Problem::new(ProblemCode::Unavailable, deed)) } else { Ok(()) }
        }
    }

    impl Routers for Tried {
        async fn stop_old(&self) -> Result<(), Problem> {
            self.attempt("stop old")
        }
        async fn start_old(&self) -> Result<(), Problem> {
            self.attempt("start old")
        }
        async fn start_ours(&self) -> Result<(), Problem> {
            self.attempt("start ours")
        }
        async fn stop_ours(&self) -> Result<(), Problem> {
            self.attempt("stop ours")
        }
    }

    async fn tried(fails: &'static [&'static str]) -> (Holder, Vec<&'static str>) {
        let tried = Tried { fails, done: RefCell::default() };
        let holder = exchange(&tried).await;
        (holder, tried.done.into_inner())
    }

    fn failed(deed: &str) -> Problem {
        Problem::new(ProblemCode::Unavailable, deed)
    }

    #[tokio::test]
    async fn whichever_step_fails_the_old_router_has_its_place_again() {
        assert_eq!(tried(&[]).await, (Holder::Ours, vec!["stop old", "start ours"]));
        let after_stop = vec!["stop old", "stop ours", "start old"];
        assert_eq!(tried(&["stop old"]).await, (Holder::Old(failed("stop old")), after_stop.clone()));
        let after_start = vec!["stop old", "start ours", "stop ours", "start old"];
        assert_eq!(tried(&["start ours"]).await, (Holder::Old(failed("start ours")), after_start.clone()));
        let both = tried(&["start ours", "stop ours"]).await;
        assert_eq!(both, (Holder::Old(failed("start ours")), after_start));
    }

    #[tokio::test]
    async fn when_nobody_has_the_ports_the_first_failure_is_told_with_the_second() {
        let (holder, done) = tried(&["stop old", "start old"]).await;
        let Holder::Nobody(problem) = holder else { panic!("{holder:?}") };
        assert_eq!(problem.message, "stop old");
        assert_eq!(problem.causes, ["nor could the old router be started again: start old"]);
        assert_eq!(done.last(), Some(&"start old"));
    }
}
