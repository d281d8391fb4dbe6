//! What must hold once all is quiet: the service answers, and nothing else of it is there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use bollard::Docker;
use bollard::query_parameters::{ListContainersOptionsBuilder, ListImagesOptionsBuilder, ListNetworksOptionsBuilder};
use mypaas::api::{Action, PlanRequest, ServiceDetail, ServiceState};
use mypaas::name::ReleaseId;
use tokio::time::sleep;

use super::stage::{SERVICE, Stage};
use crate::load::Report;

/// How Docker lists an image that has no name.
const NO_TAG: &str = "<none>:<none>";

const ANSWER_LIMIT: Duration = Duration::from_secs(10);

const LATE_IMAGE_LIMIT: Duration = Duration::from_secs(15);

/// The first thing that does not hold.
pub(crate) async fn quiet(stage: &Stage) -> Result<(), String> {
    let detail = stage.server.client.service(&SERVICE.parse().unwrap()).await;
    let detail = detail.map_err(|error| format!("the server does not know the service: {error}"))?;
    history_is_closed(stage).await?;
    service_runs(stage, &detail)?;
    let live = detail.service.release.ok_or("the server says that nothing is live")?;
    only_the_live_one_answers(stage, live).await?;
    containers_are_its_own(stage, live).await?;
    in_the_end_images_are_of_releases(stage, &detail).await?;
    only_one_network(stage).await?;
    folders_are_tidy(stage, &detail)?;
    nothing_is_to_do(stage).await
}

async fn history_is_closed(stage: &Stage) -> Result<(), String> {
    let deploys = stage.server.client.deploys(None, 100).await.map_err(|error| error.to_string())?;
    match deploys.iter().find(|deploy| !deploy.is_finished()) {
        Some(open) => Err(format!("{} has no end in the history: {:?}", open.id, open.state)),
        None => Ok(()),
    }
}

fn service_runs(stage: &Stage, detail: &ServiceDetail) -> Result<(), String> {
    let view = &detail.service;
    if view.state == ServiceState::Running && view.ready as usize == stage.case.containers {
        return Ok(());
    }
    Err(format!("the server says that it is {:?}, {} of {} ready", view.state, view.ready, view.wanted))
}

/// By its own word, through the router.
async fn only_the_live_one_answers(stage: &Stage, live: ReleaseId) -> Result<(), String> {
    let report = some_answers(stage).await;
    let expected = format!("(release {live}, ");
    if report.failed() > 0 || report.answers.is_empty() || !report.answers.keys().all(|body| body.contains(&expected)) {
        return Err(format!("{live} is live, but: {report}"));
    }
    Ok(())
}

/// A busy machine may send nothing for a while.
async fn some_answers(stage: &Stage) -> Report {
    let begin = Instant::now();
    loop {
        let running = stage.requests(100).await;
        sleep(Duration::from_millis(150)).await;
        let report = running.stop().await;
        if report.sent > 0 || begin.elapsed() > ANSWER_LIMIT {
            return report;
        }
    }
}

async fn containers_are_its_own(stage: &Stage, live: ReleaseId) -> Result<(), String> {
    let all = ListContainersOptionsBuilder::default().all(true).filters(&mine(stage)).build();
    let all = docker().list_containers(Some(all)).await.unwrap();
    let named = |container: &bollard::models::ContainerSummary| {
        container.names.iter().flatten().next().map(|name| name.trim_start_matches('/').to_owned())
    };
    let running: BTreeMap<String, String> =
        all.iter().filter_map(|container| Some((named(container)?, format!("{:?}", container.state?)))).collect();
    let of_live = format!("{}_{SERVICE}.{live}.", stage.server.instance());
    let router = format!("{}-router", stage.server.instance());
    let is_expected = |name: &str| name.starts_with(&of_live) || name == router;
    if running.len() == stage.case.containers + 1
        && running.iter().all(|(name, state)| is_expected(name) && state == "RUNNING")
    {
        return Ok(());
    }
    Err(format!("{live} is live, but the containers are {running:?}"))
}

/// Docker comes to the end of what a build was at when its server was killed, and the server looks for that later.
async fn in_the_end_images_are_of_releases(stage: &Stage, detail: &ServiceDetail) -> Result<(), String> {
    let begin = Instant::now();
    loop {
        match images_are_of_releases(stage, detail).await {
            Err(_) if begin.elapsed() < LATE_IMAGE_LIMIT => sleep(Duration::from_millis(250)).await,
            settled => return settled,
        }
    }
}

/// Each tag is of a release that the server knows, and no image of ours is without one; but for the steps of a build that
/// broke, from which the next one goes on.
async fn images_are_of_releases(stage: &Stage, detail: &ServiceDetail) -> Result<(), String> {
    let known: BTreeSet<&str> = detail.releases.iter().map(|release| release.release.image.as_str()).collect();
    let options = ListImagesOptionsBuilder::default().filters(&mine(stage)).build();
    for image in docker().list_images(Some(options)).await.unwrap() {
        let tags: Vec<_> = image.repo_tags.iter().filter(|tag| *tag != NO_TAG).collect();
        match tags.iter().find(|tag| !known.contains(tag.as_str())) {
            Some(tag) => return Err(format!("the image {tag} is of no release")),
            None if image.labels.get("mypaas.service").is_some_and(String::is_empty) => {}
            None if tags.is_empty() => return Err(format!("the image {} has no name", image.id)),
            None => {}
        }
    }
    Ok(())
}

async fn only_one_network(stage: &Stage) -> Result<(), String> {
    let options = ListNetworksOptionsBuilder::default().filters(&mine(stage)).build();
    let networks = docker().list_networks(Some(options)).await.unwrap();
    if networks.len() == 1 { Ok(()) } else { Err(format!("there are {} networks", networks.len())) }
}

fn folders_are_tidy(stage: &Stage, detail: &ServiceDetail) -> Result<(), String> {
    let home = stage.server.home();
    only(&stage.routes_folder(), &BTreeSet::from(["_base.toml".to_owned(), format!("{SERVICE}.toml")]))?;
    for folder in ["traefik/staging", "incoming", "accepted"] {
        only(&home.join(folder), &BTreeSet::new())?;
    }
    let contexts = detail.releases.iter().map(|release| format!("{}.tar.gz", release.release.id)).collect();
    only(&home.join("contexts").join(SERVICE), &contexts)
}

/// Nothing else is in the folder, if it is there at all.
fn only(folder: &Path, expected: &BTreeSet<String>) -> Result<(), String> {
    let found = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().file_name());
    let strays: Vec<_> = found.filter(|name| name.to_str().is_none_or(|name| !expected.contains(name))).collect();
    if strays.is_empty() { Ok(()) } else { Err(format!("left in {}: {strays:?}", folder.display())) }
}

/// Planning again what is there yields no steps.
async fn nothing_is_to_do(stage: &Stage) -> Result<(), String> {
    let request = PlanRequest::Service { service: SERVICE.parse().unwrap(), action: Action::Start };
    let plan = stage.server.client.plan(&request).await.map_err(|error| error.to_string())?;
    if plan.steps.is_empty() { Ok(()) } else { Err(format!("still to do: {:?}", plan.steps)) }
}

fn mine(stage: &Stage) -> std::collections::HashMap<String, Vec<String>> {
    [("label".to_owned(), vec![format!("mypaas.instance={}", stage.server.instance())])].into()
}

fn docker() -> Docker {
    Docker::connect_with_unix_defaults().unwrap()
}
