//! The journal of calls, and faults at the n-th of them. A test runs once to see how many calls there are, and then once
//! for each of them, with a fault there.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::engine::{EngineError, Result};

/// One call of the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Counted from one.
    pub number: u64,
    /// As in `start`.
    pub action: &'static str,
    /// What it was called on: a name, or nothing.
    pub subject: String,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.action)?;
        if self.subject.is_empty() { Ok(()) } else { write!(f, " {}", self.subject) }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing happens, and the call fails.
    Error,
    /// It happens, and the call fails all the same.
    ErrorAfterEffect,
    /// Nothing happens, and the call never returns. The caller is to be killed meanwhile.
    Hang,
    /// It happens, and the call never returns.
    HangAfterEffect,
    /// It happens later.
    Delay(Duration),
    /// Nothing happens, and the engine is down for so long. Of the containers it starts those again that it is to keep.
    Outage(Duration),
    /// It happens, and the engine is down for so long before it can answer.
    OutageAfterEffect(Duration),
    /// It happens, and then the caller comes upon a fault of its own.
    PanicAfterEffect,
}

/// A fault at one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FaultPlan {
    /// The call's number, counted from one over the engine's life.
    pub at: u64,
    pub fault: Fault,
}

#[derive(Debug, Default)]
pub(super) struct Faults {
    book: Mutex<Book>,
    hung: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct Book {
    calls: Vec<Call>,
    plans: Vec<FaultPlan>,
    /// At each call of these words.
    standing: Vec<(String, Fault)>,
    down_until: Option<Instant>,
}

impl Faults {
    pub(super) fn plan(&self, plan: FaultPlan) {
        self.book().plans.push(plan);
    }

    pub(super) fn plan_at_each(&self, call: &str, fault: Fault) {
        self.book().standing.push((call.to_owned(), fault));
    }

    pub(super) fn forget(&self) {
        let mut book = self.book();
        book.plans.clear();
        book.standing.clear();
    }

    pub(super) fn calls(&self) -> Vec<Call> {
        self.book().calls.clone()
    }

    pub(super) async fn until_hung(&self) {
        // The sender lives as long as `self`, so this cannot fail.
        let _ = self.hung.subscribe().wait_for(|&hung| hung).await;
    }

    /// Writes the call down and makes it, or what a fault makes of it. `go_down` is what an outage does to containers.
    pub(super) async fn attempt<T>(
        &self,
        action: &'static str,
        subject: &str,
        go_down: impl Fn(Duration),
        effect: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let (number, fault) = self.enter(action, subject);
        self.check_up()?;
        let failed = || {
            let action = if subject.is_empty() { action.to_owned() } else { format!("{action} {subject}") };
            EngineError::Refused { action, source: format!("call {number} was to fail").into() }
        };
        match fault {
            Some(Fault::Error) => return Err(failed()),
            Some(Fault::Hang) => self.hang().await,
            Some(Fault::Delay(time)) => tokio::time::sleep(time).await,
            Some(Fault::Outage(time)) => self.go_down(time, &go_down)?,
            _ => {}
        }
        let outcome = effect.await;
        // It may have gone down meanwhile.
        self.check_up()?;
        match fault {
            Some(Fault::OutageAfterEffect(time)) => {
                self.go_down(time, &go_down)?;
                outcome
            }
            Some(Fault::ErrorAfterEffect) => Err(failed()),
            Some(Fault::PanicAfterEffect) => panic!("after {action} {subject}, on purpose"),
            Some(Fault::HangAfterEffect) => {
                self.hang().await;
                outcome
            }
            _ => outcome,
        }
    }

    fn enter(&self, action: &'static str, subject: &str) -> (u64, Option<Fault>) {
        let mut book = self.book();
        let call = Call { number: book.calls.len() as u64 + 1, action, subject: subject.to_owned() };
        let (number, words) = (call.number, call.to_string());
        book.calls.push(call);
        let planned = book.plans.iter().find(|plan| plan.at == number).map(|plan| plan.fault);
        (number, planned.or_else(|| book.standing.iter().find(|(call, _)| *call == words).map(|(_, fault)| *fault)))
    }

    fn go_down(&self, time: Duration, go_down: &impl Fn(Duration)) -> Result<()> {
        go_down(time);
        self.book().down_until = Some(Instant::now() + time);
        self.check_up()
    }

    fn check_up(&self) -> Result<()> {
        match self.book().down_until {
            Some(back) if Instant::now() < back => {
                Err(EngineError::Unreachable { endpoint: "memory".to_owned(), source: "it is down".into() })
            }
            _ => Ok(()),
        }
    }

    pub(super) fn is_down(&self) -> bool {
        self.check_up().is_err()
    }

    async fn hang(&self) {
        self.hung.send_replace(true);
        std::future::pending::<()>().await;
    }

    fn book(&self) -> std::sync::MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    /// Makes three calls, with this fault at the second: how each ended, and how many took effect.
    async fn three_calls(fault: Fault) -> (Vec<bool>, u32) {
        let (faults, effects) = (Faults::default(), AtomicU32::new(0));
        faults.plan(FaultPlan { at: 2, fault });
        let mut outcomes = Vec::new();
        for _ in 0..3 {
            let effect = async {
                effects.fetch_add(1, Ordering::Relaxed);
                Ok(())
            };
            outcomes.push(faults.attempt("start", "web.r1.1", |_| (), effect).await.is_ok());
        }
        (outcomes, effects.into_inner())
    }

    #[tokio::test(start_paused = true)]
    async fn a_fault_strikes_one_call_with_or_without_its_effect() {
        assert_eq!(three_calls(Fault::Error).await, (vec![true, false, true], 2));
        assert_eq!(three_calls(Fault::ErrorAfterEffect).await, (vec![true, false, true], 3));
        let begun = tokio::time::Instant::now();
        assert_eq!(three_calls(Fault::Delay(Duration::from_secs(5))).await, (vec![true; 3], 3));
        assert_eq!(begun.elapsed(), Duration::from_secs(5));
    }

    #[tokio::test]
    async fn a_call_that_hangs_can_be_waited_for_and_killed() {
        for (fault, expected) in [(Fault::Hang, 0), (Fault::HangAfterEffect, 1)] {
            let (faults, effects) = (Arc::new(Faults::default()), Arc::new(AtomicU32::new(0)));
            faults.plan(FaultPlan { at: 1, fault });
            let (inside, counter) = (Arc::clone(&faults), Arc::clone(&effects));
            let effect = async move {
                counter.fetch_add(1, Ordering::Relaxed);
                Ok(())
            };
            let caller = tokio::spawn(async move { inside.attempt("stop", "web.r1.1", |_| (), effect).await });
            faults.until_hung().await;
            caller.abort();
            assert!(caller.await.unwrap_err().is_cancelled());
            assert_eq!(effects.load(Ordering::Relaxed), expected, "{fault:?}");
        }
    }

    #[tokio::test]
    async fn the_journal_has_every_call_also_those_that_failed() {
        let faults = Faults::default();
        faults.plan(FaultPlan { at: 1, fault: Fault::Error });
        let error = faults.attempt("create", "web.r1.1", |_| (), async { Ok(()) }).await.unwrap_err();
        assert_eq!(error.to_string(), "could not create web.r1.1");
        faults.attempt("info", "", |_| (), async { Ok(()) }).await.unwrap();
        let calls: Vec<String> = faults.calls().iter().map(|call| format!("{} {call}", call.number)).collect();
        assert_eq!(calls, ["1 create web.r1.1", "2 info"]);
    }
}
