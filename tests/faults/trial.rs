//! One deploy with one trouble.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bollard::Docker;
use bollard::models::ContainerSummaryStateEnum as State;
use bollard::query_parameters::{KillContainerOptions, ListContainersOptionsBuilder, StartContainerOptions};
use futures_util::TryStreamExt;
use mypaas::api::{Deploy, DeployState, What};
use tokio::time::sleep;

use super::check;
use super::engine::{End, Engine};
use super::stage::{Stage, told};
use super::trouble::Trouble;
use crate::load::Report;
use crate::proxy::Fault;

/// Longer than any call is waited for, with all that comes before and after.
const END_LIMIT: Duration = Duration::from_secs(240);

/// An engine that comes back starts one container after the other.
const COMEBACK: Duration = Duration::from_secs(30);
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// What came of it, when nothing was violated.
#[derive(Debug)]
pub(crate) struct Trial {
    /// All calls of the engine that the deploy made.
    pub(crate) calls: Vec<String>,
    /// The call that was hit; none when the deploy made fewer calls.
    pub(crate) met: Option<String>,
    pub(crate) succeeded: bool,
    /// Requests that failed meanwhile.
    pub(crate) failed: u64,
}

/// What must hold and does not.
#[derive(Debug)]
pub(crate) struct Violation {
    pub(crate) met: Option<String>,
    pub(crate) what: String,
}

/// The calls that a deploy makes when nothing befalls it.
pub(crate) async fn calls(stage: &mut Stage) -> Result<Vec<String>, Violation> {
    Ok(run(stage, usize::MAX, Trouble::Call(Fault::Refuse)).await?.calls)
}

/// Deploys, with the trouble at the call of that number.
pub(crate) async fn run(stage: &mut Stage, at: usize, trouble: Trouble) -> Result<Trial, Violation> {
    let requests = stage.requests(15).await;
    stage.proxy.arm(Some((at, trouble.fault())));
    let ended = deploy(stage, trouble).await;
    let (met, calls) = (stage.proxy.met(), stage.proxy.calls());
    stage.proxy.arm(None);
    let settled = match &ended {
        Ok(ended) => judge(stage, ended, trouble).await,
        Err(wrong) => Err(wrong.clone()),
    };
    let report = requests.stop().await;
    match settled.and_then(|succeeded| judge_requests(&report, stage, trouble).map(|()| succeeded)) {
        Ok(succeeded) => Ok(Trial { calls, met, succeeded, failed: report.failed() }),
        Err(what) => Err(Violation { met, what }),
    }
}

async fn deploy(stage: &mut Stage, trouble: Trouble) -> Result<Deploy, String> {
    let deploy = stage.push().await.map_err(|error| format!("not accepted: {error}"))?;
    if !matches!(trouble, Trouble::Call(_)) {
        tokio::select! {
            () = stage.proxy.until_met() => befall(stage, trouble).await,
            _ = stage.server.end_of(deploy.id, END_LIMIT) => {}
        }
    }
    let ended = stage.server.end_of(deploy.id, END_LIMIT).await;
    stage.server.until_well().await;
    ended.ok_or_else(|| format!("{} does not end", deploy.id))
}

/// Whether it succeeded, when all is as its history says.
async fn judge(stage: &Stage, ended: &Deploy, trouble: Trouble) -> Result<bool, String> {
    let DeployState::Finished { outcome, .. } = &ended.state else { return Err("it has not ended".to_owned()) };
    if !outcome.succeeded() && was_done(stage, ended).await? {
        return Err(format!("it was told to be done, and then {outcome:?}"));
    }
    let (told, live) = (told(ended, outcome), stage.live().await?);
    if told != Some(live) {
        return Err(format!("{live} is live, but {told:?} by the history: {outcome:?}"));
    }
    let quiet_by = Instant::now() + if trouble.stops_containers() { COMEBACK } else { Duration::ZERO };
    while let Err(wrong) = check::quiet(stage).await {
        if Instant::now() >= quiet_by {
            return Err(wrong);
        }
        sleep(LOOK_AGAIN).await;
    }
    Ok(outcome.succeeded())
}

/// But for clearing away, as it told.
async fn was_done(stage: &Stage, deploy: &Deploy) -> Result<bool, String> {
    let events = stage.server.client.deploy_events(deploy.id, 1).await.map_err(|error| error.to_string())?;
    let events: Vec<_> = events.try_collect().await.map_err(|error| error.to_string())?;
    Ok(events.iter().any(|event| event.what == What::Done))
}

/// What the proxy cannot do.
async fn befall(stage: &mut Stage, trouble: Trouble) {
    match trouble {
        Trouble::Call(_) => {}
        Trouble::Death | Trouble::DeathMeanwhile | Trouble::DeathAfterEffect => stage.server.start().await,
        Trouble::RouterDeath => kill(&format!("{}-router", stage.server.instance())).await,
        Trouble::Reboot => {
            stage.server.kill();
            let restarted = kill_all(stage).await;
            tokio::join!(stage.server.start(), start_all(&restarted));
        }
        Trouble::EngineEnds(how) => {
            let engine = own_engine(stage);
            go_down(&engine, how).await;
            engine.start().await;
        }
        Trouble::MachineRestart => {
            stage.server.kill();
            let engine = own_engine(stage);
            go_down(&engine, End::Stop).await;
            tokio::join!(stage.server.start(), engine.start());
        }
    }
}

fn own_engine(stage: &Stage) -> Arc<Engine> {
    stage.engine.clone().expect("the machine's own engine is not to go down")
}

/// Requests go on meanwhile.
async fn go_down(engine: &Arc<Engine>, how: End) {
    let engine = Arc::clone(engine);
    tokio::task::spawn_blocking(move || engine.end(how)).await.unwrap();
}

fn docker() -> Docker {
    Docker::connect_with_unix_defaults().unwrap()
}

async fn kill(container: &str) {
    // It may have ended by itself.
    let _ = docker().kill_container(container, None::<KillContainerOptions>).await;
}

/// Those that the engine starts again when it starts.
async fn kill_all(stage: &Stage) -> Vec<String> {
    let mine = format!("mypaas.instance={}", stage.server.instance());
    let filters = [("label".to_owned(), vec![mine])].into();
    let running = ListContainersOptionsBuilder::default().filters(&filters).build();
    let mut restarted = Vec::new();
    for container in docker().list_containers(Some(running)).await.unwrap() {
        let id = container.id.unwrap();
        if container.state == Some(State::RUNNING) && is_kept(&id).await {
            restarted.push(id.clone());
        }
        kill(&id).await;
    }
    restarted
}

async fn is_kept(id: &str) -> bool {
    let found = docker().inspect_container(id, None).await.unwrap();
    let policy = found.host_config.and_then(|host| host.restart_policy?.name);
    policy == Some(bollard::models::RestartPolicyNameEnum::UNLESS_STOPPED)
}

async fn start_all(containers: &[String]) {
    for id in containers {
        // The server may have removed it meanwhile, as it may after a real one.
        let _ = docker().start_container(id, None::<StartContainerOptions>).await;
    }
}

/// While a service rolls, no request fails, whatever happens to the deploy. Those that are held fail where the engine hangs
/// for longer than they are held, or where they came to a new container that an undoing takes away again.
fn judge_requests(report: &Report, stage: &Stage, trouble: Trouble) -> Result<(), String> {
    if stage.case.name != "roll" || trouble.excuses_requests() || report.failed() == 0 {
        return Ok(());
    }
    Err(format!("requests failed meanwhile: {report}"))
}
