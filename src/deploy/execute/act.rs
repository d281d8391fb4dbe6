//! Does one step.

use std::time::Duration;

use futures_util::future::{FutureExt, try_join_all};
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::time::{sleep, sleep_until, timeout, timeout_at};

use super::{CommandEnd, Executor, StepError, keep_last_lines};
use crate::deploy::event::What;
use crate::deploy::readiness::{Readiness, await_ready};
use crate::deploy::step::{Moved, Step};
use crate::engine::{ContainerSpec, Engine, EngineError, Exit, Probe, ProbeAnswer, Restart};
use crate::name::ContainerName;
use crate::router::Routes;

/// Containers that are acted on at once. The engine starts them one after another all the same; more would only wait
/// in its own queue.
pub(super) const AT_ONCE: usize = 8;

/// Between two looks at a command that runs, or at connections that are still used.
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// The last requests are under way when the router confirms; measured: up to 60 ms. Connections that nobody uses are
/// closed by it after 300 ms.
const SHORTEST_DRAIN: Duration = Duration::from_millis(500);

/// So long it may take to see who is connected; nobody new comes any more by then.
const LOOKING: Duration = Duration::from_millis(100);

pub(super) async fn perform(on: &Executor<'_>, step: &Step) -> Result<(), StepError> {
    let (engine, report) = (on.engine, on.report);
    match step {
        Step::Run { container, limit } => run_to_end(on, container, *limit).await,
        Step::Create { containers } => {
            let made = |container| report(What::Created { container });
            each(containers, |spec| &spec.name, |spec| engine.create(spec), made).await
        }
        Step::Start { containers } => {
            each(containers, itself, |name| engine.start(name), |container| report(What::Started { container })).await
        }
        Step::AwaitReady { containers, readiness } => all_ready(on, containers, readiness).await,
        Step::Keep { containers } => each(containers, itself, |name| keep(engine, name), |_| ()).await,
        Step::Hold { routes } => {
            on.router.apply(routes).await?;
            on.confirmed.now();
            report(What::Holding { limit: routes.hold.unwrap_or_default() });
            Ok(())
        }
        Step::Route { routes, containers } => route(on, routes, containers).await,
        Step::Withdraw => {
            on.router.withdraw(on.service).await?;
            on.confirmed.now();
            Ok(())
        }
        Step::Drain { containers, limit, blind } => {
            drained(on, containers, *limit, *blind).await;
            Ok(())
        }
        Step::Stop { containers, grace } => {
            each(containers, itself, |name| engine.stop(name, *grace), |container| report(What::Stopped { container }))
                .await
        }
        Step::Move { containers, aliases, grace } => {
            for moved in containers {
                change_address(on, moved, aliases, *grace).await.map_err(about(&moved.container))?;
            }
            Ok(())
        }
        Step::Remove { containers } => {
            keep_last_lines(on.engine, on.last_lines, on.service, containers).await;
            each(containers, itself, |name| engine.remove(name), |container| report(What::Removed { container })).await
        }
    }
}

/// What cannot be seen is no failure: then there is nothing but to wait.
async fn drained(on: &Executor<'_>, containers: &[ContainerName], limit: Duration, blind: Duration) {
    let began = on.confirmed.since();
    let shortest = SHORTEST_DRAIN.min(limit);
    sleep_until(began + shortest.saturating_sub(LOOKING)).await;
    let until = match timeout_at(began + limit, until_left(on.engine, containers)).await {
        Ok(Ok(())) | Err(_) => shortest,
        Ok(Err(Unseen)) => blind.min(limit),
    };
    sleep_until(began + until).await;
}

/// It cannot be seen who is connected.
struct Unseen;

async fn until_left(engine: &dyn Engine, containers: &[ContainerName]) -> Result<(), Unseen> {
    try_join_all(containers.iter().map(|container| until_one_is_left(engine, container))).await.map(drop)
}

async fn until_one_is_left(engine: &dyn Engine, container: &ContainerName) -> Result<(), Unseen> {
    while engine.connections(container).await.ok().flatten().ok_or(Unseen)? > 0 {
        sleep(BETWEEN_LOOKS).await;
    }
    Ok(())
}

/// One that a machine took along when it went down right after the switch comes back too.
async fn keep(engine: &dyn Engine, name: &ContainerName) -> Result<(), EngineError> {
    engine.set_restart(name, Restart::UnlessStopped).await?;
    match engine.probe(name, &Probe::Running).await? {
        ProbeAnswer::Exited { .. } => engine.start(name).await,
        ProbeAnswer::Ready { .. } | ProbeAnswer::NotReady { .. } => Ok(()),
    }
}

async fn route(on: &Executor<'_>, routes: &Routes, containers: &[ContainerName]) -> Result<(), StepError> {
    on.router.apply(routes).await?;
    on.confirmed.now();
    (on.report)(What::Switched { containers: containers.to_vec() });
    Ok(())
}

async fn run_to_end(on: &Executor<'_>, spec: &ContainerSpec, limit: Duration) -> Result<(), StepError> {
    let name = &spec.name;
    // One that an earlier run left would only tell how that one ended.
    on.engine.remove(name).await.map_err(about(name))?;
    on.engine.create(spec).await.map_err(about(name))?;
    on.engine.start(name).await.map_err(about(name))?;
    (on.report)(What::Started { container: name.clone() });
    let failed = |end| StepError::Command { container: name.clone(), end };
    match timeout(limit, end_of(on, name)).await {
        Ok(Ok(exit)) if exit.code == 0 => Ok(()),
        Ok(Ok(exit)) => Err(failed(CommandEnd::Exited(exit))),
        Ok(Err(error)) => Err(about(name)(error)),
        Err(_) => Err(failed(CommandEnd::TooLong { limit })),
    }
}

async fn end_of(on: &Executor<'_>, name: &ContainerName) -> Result<Exit, EngineError> {
    loop {
        if let ProbeAnswer::Exited { exit } = on.engine.probe(name, &Probe::Running).await? {
            return Ok(exit);
        }
        sleep(BETWEEN_LOOKS).await;
    }
}

async fn change_address(
    on: &Executor<'_>,
    moved: &Moved,
    aliases: &[String],
    grace: Duration,
) -> Result<(), EngineError> {
    let Moved { container, to, .. } = moved;
    // Also one that cannot be inspected, because a crash came while it had no address.
    if !on.engine.inspect(container).await.is_ok_and(|there| there.address == *to) {
        on.engine.stop(container, grace).await?;
        on.engine.readdress(container, *to, aliases).await?;
    }
    Ok(())
}

/// The first that fails ends the waiting for all.
async fn all_ready(on: &Executor<'_>, containers: &[ContainerName], readiness: &Readiness) -> Result<(), StepError> {
    try_join_all(containers.iter().map(|container| ready(on, container, readiness))).await.map(drop)
}

async fn ready(on: &Executor<'_>, container: &ContainerName, readiness: &Readiness) -> Result<(), StepError> {
    let ready = await_ready(on.engine, container, readiness, on.report).await;
    let after = ready.map_err(|why| StepError::NotReady { container: container.clone(), why })?;
    (on.report)(What::Ready { container: container.clone(), after });
    Ok(())
}

/// Acts on a few containers at a time, and reports each that is done. Where one fails the others are waited for: the
/// engine goes on with them, and what undoes them must not come before they are done.
async fn each<'a, T, F>(
    containers: &'a [T],
    name_of: impl Fn(&'a T) -> &'a ContainerName,
    act: impl Fn(&'a T) -> F,
    done: impl Fn(ContainerName),
) -> Result<(), StepError>
where
    F: Future<Output = Result<(), EngineError>>,
{
    for few in containers.chunks(AT_ONCE) {
        let mut acts = FuturesUnordered::new();
        for container in few {
            let name = name_of(container);
            acts.push(act(container).map(move |acted| acted.map(|()| name).map_err(about(name))));
        }
        let mut failure = None;
        while let Some(acted) = acts.next().await {
            match acted {
                Ok(name) => done(name.clone()),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        if let Some(error) = failure {
            return Err(error);
        }
    }
    Ok(())
}

fn itself(name: &ContainerName) -> &ContainerName {
    name
}

fn about(container: &ContainerName) -> impl FnOnce(EngineError) -> StepError + use<> {
    let container = Some(container.clone());
    move |source| StepError::Engine { container, source }
}
