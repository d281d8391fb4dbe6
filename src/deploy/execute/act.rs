//! Does one step.

use std::future::Future;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use tokio::time::sleep;

use super::{Executor, StepError};
use crate::deploy::event::What;
use crate::deploy::readiness::{Readiness, await_ready};
use crate::deploy::step::Step;
use crate::engine::{EngineError, Restart};
use crate::name::ContainerName;
use crate::router::Routes;

/// Containers that are acted on at once. The engine starts them one after another all the same; more would only wait
/// in its own queue.
const AT_ONCE: usize = 8;

pub(super) async fn perform(on: &Executor<'_>, step: &Step) -> Result<(), StepError> {
    let (engine, report) = (on.engine, on.report);
    match step {
        Step::Create { containers } => {
            for spec in containers {
                engine.create(spec).await.map_err(about(&spec.name))?;
                report(What::Created { container: spec.name.clone() });
            }
            Ok(())
        }
        Step::Start { containers } => {
            each(containers, |name| engine.start(name), |container| report(What::Started { container })).await
        }
        Step::AwaitReady { containers, readiness } => all_ready(on, containers, readiness).await,
        Step::Keep { containers } => {
            each(containers, |name| engine.set_restart(name, Restart::UnlessStopped), |_| ()).await
        }
        Step::Hold { routes } => {
            on.router.apply(routes).await?;
            report(What::Holding { limit: routes.hold.unwrap_or_default() });
            Ok(())
        }
        Step::Route { routes, containers } => route(on, routes, containers).await,
        Step::Withdraw => Ok(on.router.withdraw(on.service).await?),
        Step::Drain { wait, .. } => {
            sleep(*wait).await;
            Ok(())
        }
        Step::Stop { containers, grace } => {
            each(containers, |name| engine.stop(name, *grace), |container| report(What::Stopped { container })).await
        }
        Step::Remove { containers } => {
            each(containers, |name| engine.remove(name), |container| report(What::Removed { container })).await
        }
    }
}

async fn route(on: &Executor<'_>, routes: &Routes, containers: &[ContainerName]) -> Result<(), StepError> {
    on.router.apply(routes).await?;
    (on.report)(What::Switched { containers: containers.to_vec() });
    Ok(())
}

/// The first that fails ends the waiting for all.
async fn all_ready(on: &Executor<'_>, containers: &[ContainerName], readiness: &Readiness) -> Result<(), StepError> {
    stream::iter(containers)
        .map(|container| async move {
            let ready = await_ready(on.engine, container, readiness, on.report).await;
            let after = ready.map_err(|why| StepError::NotReady { container: container.clone(), why })?;
            (on.report)(What::Ready { container: container.clone(), after });
            Ok(())
        })
        .buffer_unordered(containers.len().max(1))
        .try_collect()
        .await
}

async fn each<'a, F>(
    containers: &'a [ContainerName],
    act: impl Fn(&'a ContainerName) -> F,
    done: impl Fn(ContainerName),
) -> Result<(), StepError>
where
    F: Future<Output = Result<(), EngineError>>,
{
    let acts = stream::iter(containers.iter().map(|name| {
        let acting = act(name);
        async move { acting.await.map(|()| name.clone()).map_err(about(name)) }
    }));
    let mut acts = acts.buffer_unordered(AT_ONCE);
    while let Some(name) = acts.try_next().await? {
        done(name);
    }
    Ok(())
}

fn about(container: &ContainerName) -> impl FnOnce(EngineError) -> StepError {
    let container = Some(container.clone());
    move |source| StepError::Engine { container, source }
}
