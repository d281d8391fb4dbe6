//! The story of one deploy.

use std::sync::Arc;

use futures_util::FutureExt;
use jiff::Timestamp;

use super::Work;
use super::cancel::Ending;
use super::settle::Settlement;
use crate::api::Problem;
use crate::deploy::execute::{Confirmed, Executor, Verdict};
use crate::deploy::journal::Journal;
use crate::deploy::{
    Action, Actual, Deploy, DeployState, Desired, Failure, Goal, Outcome, Phase, Plan, Release, What, plan,
};
use crate::name::ServiceName;
use crate::server::addresses::Promise;
use crate::server::core::{Claim, Core, discard};
use crate::server::enduring::reason;
use crate::server::feed::Recorder;
use crate::server::problem::failure;
use crate::store::{ServiceRecord, StoreError};

impl Core {
    /// Runs a deploy to its end, whatever happens in it.
    pub(super) async fn run_guarded(self: &Arc<Self>, deploy: Deploy, work: Work) {
        let recorder = self.recorder(&deploy);
        recorder.update(|deploy| {
            deploy.state = DeployState::Running { started: Timestamp::now(), phase: Phase::Queued };
        });
        tracing::info!(deploy = %deploy.id, service = %deploy.service, action = ?deploy.action, "deploy begins");
        let pushed = match &work {
            Work::Push { context, .. } => Some(context.clone()),
            Work::Change { .. } => None,
        };
        let running = std::panic::AssertUnwindSafe(self.carry_out(work, &recorder)).catch_unwind();
        let outcome = match running.await {
            Ok(Ok(())) => Outcome::Succeeded,
            Ok(Err(Ending::Failed(failure))) => {
                Outcome::Failed { failure: self.with_survivor(failure, &deploy.service) }
            }
            Ok(Err(Ending::Cancelled { by })) => Outcome::Cancelled { by },
            Err(panic) => {
                tracing::error!(deploy = %deploy.id, reason = reason(&*panic), "a fault in mypaas itself cut it off");
                self.no_longer_cancellable(deploy.id);
                self.after_fault(&recorder).await
            }
        };
        // It is where it was unless it was built.
        pushed.iter().for_each(|context| discard(context));
        recorder.finish(outcome);
        self.feeds.close(deploy.id);
        if let Err(error) = self.store.trim(&deploy.service) {
            tracing::warn!(service = %deploy.service, %error, "what is old in its history stays");
        }
    }

    /// What a panic left is dealt with as the next start would.
    async fn after_fault(self: &Arc<Self>, recorder: &Recorder) -> Outcome {
        const CUT: &str = "a fault in mypaas itself cut it off";
        let deploy = recorder.deploy();
        let _turn = self.turns.take(&deploy.service).await;
        let recovering = std::panic::AssertUnwindSafe(self.recover_one(&deploy, recorder, CUT)).catch_unwind();
        match recovering.await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(Problem { message, .. })) => {
                Outcome::Interrupted { detail: format!("{CUT}, and what it left could not be dealt with: {message}") }
            }
            Err(_) => Outcome::Interrupted { detail: format!("{CUT}, twice; the next deploy replaces what it left") },
        }
    }

    /// Take bearings, build, bring about what is wanted, prune.
    async fn carry_out(self: &Arc<Self>, work: Work, recorder: &Recorder) -> Result<(), Ending> {
        let deploy = &self.take_bearings(recorder).map_err(unplanned)?;
        let release = self.release_for(deploy, work, recorder).await?;
        let _turn = self.turns.take(&deploy.service).await;
        let brought = self.bring_about(deploy, release.as_ref(), recorder).await;
        // One that failed made a release as well.
        if deploy.action != Action::Remove {
            self.prune_releases(&deploy.service, recorder).await;
        }
        brought
    }

    /// Desire, observe, plan, execute.
    async fn bring_about(
        self: &Arc<Self>,
        deploy: &Deploy,
        release: Option<&Release>,
        recorder: &Recorder,
    ) -> Result<(), Ending> {
        let desired = self.desire(deploy, release).map_err(unplanned)?;
        let _claim = self.claim_urls(&desired).await.map_err(unplanned)?;
        let (actual, _promise) = self.observe(&desired).await.map_err(unplanned)?;
        let plan = plan(&desired, &actual).map_err(|error| unplanned(error.into()))?;
        let of_scale = release.map_or(Ok(None), |release| self.note_of_scale(&deploy.action, release));
        recorder.report(What::Planned {
            notes: plan.notes.iter().cloned().chain(of_scale.map_err(|error| unplanned(error.into()))?).collect(),
            steps: plan.steps.iter().map(|step| step.describe()).collect(),
        });
        if let Goal::Serving(serving) = &desired.goal {
            for message in self.doubts(&serving.urls).await {
                recorder.report(What::Warning { message });
            }
        }
        let settlement = Settlement::of(&recorder.deploy());
        self.execute(&plan, &settlement, recorder).await?;
        if desired.goal == Goal::Gone {
            self.forget(&desired.service, recorder).await;
        } else {
            self.watch_over(deploy, &desired);
        }
        Ok(())
    }

    /// Executes a new plan.
    async fn execute(&self, plan: &Plan, settlement: &Settlement, recorder: &Recorder) -> Result<(), Failure> {
        // Whoever finds the journal after a crash needs the whole record.
        recorder.save().map_err(|error| unplanned(error.into()))?;
        let journal = Journal::begin(Arc::clone(&self.store), plan).map_err(|error| unplanned(error.into()))?;
        let report = |what| recorder.report(what);
        let holds = || self.settled(settlement);
        match self.executor(&plan.service, &journal, &report, &holds).run(plan).await {
            Verdict::Reached => Ok(()),
            // The release serves, and the next deploy retires what is left of the one before.
            Verdict::Short { .. } if settlement.serves() => Ok(()),
            Verdict::Short { of: because } => Err(because),
            Verdict::Undone { because, unrestored } => Err(Failure { unrestored, ..because }),
        }
    }

    pub(super) fn executor<'a>(
        &'a self,
        service: &'a ServiceName,
        journal: &'a Journal,
        report: &'a (dyn Fn(What) + Sync),
        holds: &'a (dyn Fn() -> Result<Option<ServiceRecord>, StoreError> + Sync),
    ) -> Executor<'a> {
        Executor {
            engine: &*self.engine,
            router: &*self.router,
            journal,
            service,
            report,
            holds,
            last_lines: self,
            confirmed: Confirmed::default(),
        }
    }

    /// What is there now, with addresses for what is to come.
    pub(super) async fn observe(&self, desired: &Desired) -> Result<(Actual, Promise), Problem> {
        let service = &desired.service;
        let containers = self.engine.containers(Some(service)).await?;
        let routes = self.router.routes().await?.into_iter().find(|routes| routes.service == *service);
        let network = self.engine.ensure_network().await?;
        let in_use = self.engine.addresses_in_use().await?;
        let wanted = match &desired.goal {
            Goal::Serving(serving) => serving.count as usize + 1,
            Goal::Stopped | Goal::Gone => 0,
        };
        let promise = self.addresses.promise(&network, &in_use, wanted);
        Ok((Actual { containers, routes, free: promise.addresses.clone() }, promise))
    }

    /// The URLs are this service's alone: none is another's now, or about to be.
    pub(super) async fn claim_urls(self: &Arc<Self>, desired: &Desired) -> Result<Option<Claim>, Problem> {
        let Goal::Serving(serving) = &desired.goal else { return Ok(None) };
        // How a deploy failed can be read with every key of its service, also with one that is for no other.
        self.check_urls(&desired.service, &serving.urls, |_| false).await?;
        match self.claim(&desired.service, &serving.urls) {
            Ok(claim) => Ok(Some(claim)),
            Err(url) => Err(super::desire::url_taken(None, &url)),
        }
    }

    /// Names the release that serves on after a failure.
    fn with_survivor(&self, failure: Failure, service: &ServiceName) -> Failure {
        if failure.unrestored.is_some() {
            return failure;
        }
        let record = self.store.service(service).ok().flatten();
        let still_serving = record.filter(|record| !record.stopped).and_then(|record| record.live);
        Failure { still_serving, ..failure }
    }
}

/// A problem before anything was changed.
fn unplanned(problem: Problem) -> Failure {
    failure(Phase::Starting, problem)
}
