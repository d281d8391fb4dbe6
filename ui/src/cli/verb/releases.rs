//! `mypaas releases`: what a service was, and can be again; or all that is known about one release.

use clap::Args;
use jiff::Timestamp;
use mypaas::api::{Action, Deploy, DeployState, Event, Outcome, ReleaseView, ServiceDetail};
use mypaas::name::{DeployId, ReleaseId};
use serde::Serialize;

use super::act::{On, OnEach, detail};
use crate::cli::input::InputError;
use crate::cli::many::Touch;
use crate::cli::output::history;
use crate::cli::progress::retell;
use crate::cli::session::Session;

/// Of a release that was deployed often, so many of its deploys are told, the newest ones.
const DEPLOYS_TOLD: usize = 5;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    on: OnEach,
    /// Tell all about this one, as in r12: its options, and its deploys with their build output, probes and failures
    #[arg(long, short, value_name = "RELEASE")]
    release: Option<ReleaseId>,
    /// Print them as JSON
    #[arg(long)]
    json: bool,
}

/// A release and what became of it.
#[derive(Debug, Serialize)]
struct Past {
    /// None once it is not kept any more.
    release: Option<ReleaseView>,
    /// Those that were to make it live, and rollbacks from it; oldest first.
    deploys: Vec<Told>,
}

#[derive(Debug, Serialize)]
struct Told {
    deploy: Deploy,
    events: Vec<Event>,
}

pub(crate) async fn run(arguments: &Arguments, session: &Session) -> anyhow::Result<()> {
    let Arguments { on, release, json } = arguments;
    on.each(session, Touch::Reads, *json, async |session, on| show(session, on, *release, *json).await).await
}

async fn show(session: &Session, on: &On, release: Option<ReleaseId>, json: bool) -> anyhow::Result<()> {
    let detail = detail(session, on).await?;
    match release {
        Some(release) => one(session, on, detail, release, json).await,
        None => all(session, on, &detail, json),
    }
}

fn all(session: &Session, on: &On, detail: &ServiceDetail, json: bool) -> anyhow::Result<()> {
    if json {
        return session.screen.print_json(&detail.releases);
    }
    if detail.releases.is_empty() {
        return session.screen.print(&format!("{} has no release yet\n", on.service));
    }
    let table = history::releases(&detail.releases, Timestamp::now());
    session.screen.print(&table.render(session.screen.paint(), session.screen.width()))?;
    match failed_build(&detail.deploys) {
        Some(id) => session.screen.print(&format!(
            "\n{id} was to build another one and failed; `mypaas follow {} {id}` tells why\n",
            on.server
        )),
        None => Ok(()),
    }
}

/// The newest deploy that was to build a release, if it failed before there was one.
fn failed_build(newest_first: &[Deploy]) -> Option<DeployId> {
    let builds = |deploy: &&Deploy| matches!(deploy.action, Action::Push | Action::Redeploy) && deploy.is_finished();
    let newest = newest_first.iter().find(builds)?;
    let DeployState::Finished { outcome, .. } = &newest.state else { return None };
    (newest.to.is_none() && matches!(outcome, Outcome::Failed { .. })).then_some(newest.id)
}

async fn one(session: &Session, on: &On, detail: ServiceDetail, id: ReleaseId, json: bool) -> anyhow::Result<()> {
    let known: Vec<String> = detail.releases.iter().map(|view| view.release.id.to_string()).collect();
    let release = detail.releases.into_iter().find(|view| view.release.id == id);
    let deploys = deploys_of(id, detail.deploys);
    if release.is_none() && deploys.is_empty() {
        let (service, server) = (on.service.clone(), on.server.clone());
        return Err(InputError::UnknownRelease { release: id, service, server, known }.into());
    }
    let mut past = Past { release, deploys: Vec::new() };
    for deploy in deploys {
        let events = session.ask(&on.server, async |client| client.past_events(deploy.id).await).await?;
        past.deploys.push(Told { deploy, events });
    }
    if json {
        return session.screen.print_json(&past);
    }
    session.screen.print(&text(session, on, id, &past))
}

/// The newest ones, oldest of them first.
fn deploys_of(release: ReleaseId, newest_first: Vec<Deploy>) -> Vec<Deploy> {
    let is_left = |deploy: &Deploy| deploy.from == Some(release) && matches!(deploy.action, Action::Rollback { .. });
    let concerns = |deploy: &Deploy| deploy.is_finished() && (deploy.to == Some(release) || is_left(deploy));
    let mut deploys: Vec<_> = newest_first.into_iter().filter(concerns).take(DEPLOYS_TOLD).collect();
    deploys.reverse();
    deploys
}

fn text(session: &Session, on: &On, id: ReleaseId, past: &Past) -> String {
    let (paint, now) = (session.screen.paint(), Timestamp::now());
    let mut text = match &past.release {
        Some(view) => history::release(&on.server, view, paint, session.screen.width(), now),
        None => format!("{id} of {} is not kept any more; what is known of it is the history\n", on.service),
    };
    for Told { deploy, events } in &past.deploys {
        text.push('\n');
        text += &retell::whole(deploy, events, paint, now);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::fixture;

    #[test]
    fn the_deploys_of_a_release_are_those_that_led_to_it_and_rollbacks_from_it() {
        let detail: ServiceDetail = fixture::read("services/hello.json");
        let of = |release| {
            let deploys = deploys_of(ReleaseId::new(release), detail.deploys.clone());
            deploys.iter().map(|deploy| deploy.id.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(of(11), ["d36"], "it failed");
        assert_eq!(of(13), ["d41", "d44"], "it was left by a rollback");
        assert!(of(99).is_empty());
    }
}
