//! What the last stop cut off is finished or undone, before anything new is accepted.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::stream::{self, StreamExt};
use tokio::time::sleep;

use super::settle::Settlement;
use crate::api::{Problem, ProblemCode};
use crate::deploy::event::in_words;
use crate::deploy::execute::Verdict;
use crate::deploy::journal::{Journal, Progress, Resume, resume};
use crate::deploy::{Action, Deploy, Outcome, Plan, What};
use crate::name::ServiceName;
use crate::server::core::Core;
use crate::server::enduring::reason;
use crate::server::feed::Recorder;

pub(in crate::server) const FAULT: &str =
    "a fault in mypaas itself stopped it from dealing with what its last stop cut off";

/// Deploys that are dealt with at once: one that waits for another service keeps few others from it.
const AT_ONCE: usize = 8;

/// Docker comes to the end of the step that a build was at when its server died. So the image may be there only after it
/// was looked for.
const LATER_LOOKS: [Duration; 3] = [Duration::from_secs(2), Duration::from_secs(10), Duration::from_secs(60)];

impl Core {
    /// Needs the engine and the router.
    pub async fn recover(self: &Arc<Self>) -> Result<(), Problem> {
        // Services do not wait for each other. Those of one take their turns in their order.
        let cut_off = self.store.unfinished_deploys::<Deploy>()?;
        let dealt_with = stream::iter(cut_off.into_iter().map(|deploy| self.deal_with_guarded(deploy)));
        let dealt_with: Vec<Result<(), Problem>> = dealt_with.buffer_unordered(AT_ONCE).collect().await;
        dealt_with.into_iter().collect::<Result<(), Problem>>()?;
        self.discard_incoming();
        self.resume_watches()?;
        self.mark_recovered();
        Ok(())
    }

    /// A fault in one of them is none of the others'.
    async fn deal_with_guarded(self: &Arc<Self>, deploy: Deploy) -> Result<(), Problem> {
        AssertUnwindSafe(self.deal_with(deploy)).catch_unwind().await.unwrap_or_else(|panic| {
            Err(Problem { causes: vec![reason(&*panic).to_owned()], ..Problem::new(ProblemCode::Internal, FAULT) })
        })
    }

    async fn deal_with(self: &Arc<Self>, deploy: Deploy) -> Result<(), Problem> {
        let recorder = self.recorder(&deploy);
        let _turn = self.turns.take(&deploy.service).await;
        let outcome = self.recover_one(&deploy, &recorder, "the server stopped").await?;
        tracing::warn!(deploy = %deploy.id, service = %deploy.service, ?outcome, "recovered a deploy");
        recorder.finish(outcome);
        self.feeds.close(deploy.id);
        Ok(())
    }

    /// Finishes or undoes what was cut off; `cut` says by what.
    pub(super) async fn recover_one(
        self: &Arc<Self>,
        deploy: &Deploy,
        recorder: &Recorder,
        cut: &str,
    ) -> Result<Outcome, Problem> {
        let (journal, plan, progress) = match Journal::open(Arc::clone(&self.store), deploy.id) {
            Ok(Some(found)) => found,
            Ok(None) => {
                self.prune_unreleased(&deploy.service, recorder).await;
                self.look_again_later(&deploy.service);
                let detail = format!("{cut} before anything was changed");
                return Ok(Outcome::Interrupted { detail });
            }
            // It keeps no other deploy from being taken up.
            Err(error) if error.is_for_good() => {
                let (error, service) = (in_words(&error), &deploy.service);
                let detail = format!("{cut} while it ran: {error}; the next deploy of {service} replaces what it left");
                return Ok(Outcome::Interrupted { detail });
            }
            Err(error) => return Err(error.into()),
        };
        match self.take_up(deploy, &journal, &plan, progress, recorder).await {
            Verdict::Reached => {
                if deploy.action == Action::Remove {
                    self.forget(&deploy.service, recorder).await;
                }
                let message = format!("{cut} while it ran; it was finished afterwards");
                recorder.report(What::Warning { message });
                Ok(Outcome::Succeeded)
            }
            Verdict::Short { of: failure } => Ok(match deploy.action {
                Action::Stop | Action::Remove => Outcome::Failed { failure },
                _ => Outcome::Succeeded,
            }),
            Verdict::Undone { unrestored: Some(why), .. } => {
                let detail = format!("{cut} while it ran; what served before may not serve again: {why}");
                Ok(Outcome::Interrupted { detail })
            }
            Verdict::Undone { unrestored: None, .. } => {
                let record = self.store.service(&deploy.service)?.filter(|record| !record.stopped);
                let serving = record.and_then(|record| record.live).map_or("nothing".to_owned(), |id| id.to_string());
                let detail = format!("{cut} while it ran; it is undone, and {serving} serves as before");
                Ok(Outcome::Interrupted { detail })
            }
        }
    }

    /// For the image of a build that gave no release.
    fn look_again_later(self: &Arc<Self>, service: &ServiceName) {
        let (core, service) = (Arc::clone(self), service.clone());
        let looking = async move {
            for pause in LATER_LOOKS {
                sleep(pause).await;
                if let Err(problem) = core.remove_unreleased(&service).await {
                    tracing::warn!(%service, problem = problem.message, "an image that is of no release may be left");
                }
            }
        };
        self.in_background(looking);
    }

    async fn take_up(
        &self,
        deploy: &Deploy,
        journal: &Journal,
        plan: &Plan,
        progress: Progress,
        recorder: &Recorder,
    ) -> Verdict {
        let way: Resume = resume(plan, progress);
        let settlement = Settlement::of(deploy);
        let report = |what| recorder.report(what);
        let holds = || self.settled(&settlement);
        self.executor(&deploy.service, journal, &report, &holds).resume(plan, way).await
    }

    /// Contexts whose deploy will not come: their pushers saw the connection break.
    fn discard_incoming(&self) {
        for folder in [self.incoming(), self.taken()] {
            if let Err(error) = std::fs::remove_dir_all(folder)
                && error.kind() != std::io::ErrorKind::NotFound
            {
                tracing::warn!(%error, "contexts that were not deployed could not be removed");
            }
        }
    }
}
