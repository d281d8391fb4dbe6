//! The kinds of deploy that are broken in every way.

use std::ops::RangeInclusive;

use mypaas::api::{ServiceState, Snapshot};
use mypaas::deploy::{Action, Outcome};
use mypaas::name::{DeployId, ReleaseId};

use crate::stage::{MIGRATING, ROLLING, SAFE, SINGLE, Stage, outcome};

/// A deploy to break: what is there before, and what is asked.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) before: &'static [&'static str],
    pub(crate) asked: Asked,
}

#[derive(Debug, Clone)]
pub(crate) enum Asked {
    Push(&'static str),
    Act(Action),
}

pub(crate) fn cases() -> Vec<Case> {
    let case = |name, before, asked| Case { name, before, asked };
    vec![
        case("first", &[], Asked::Push(ROLLING)),
        case("roll", &[ROLLING], Asked::Push(ROLLING)),
        case("safe", &[SAFE], Asked::Push(SAFE)),
        case("replace", &[SINGLE], Asked::Push(SINGLE)),
        case("roll to safe", &[ROLLING], Asked::Push(SAFE)),
        case("roll with a release command", &[ROLLING], Asked::Push(MIGRATING)),
        case("scale up", &[ROLLING], Asked::Act(Action::Scale { count: 4 })),
        case("scale down", &[ROLLING], Asked::Act(Action::Scale { count: 1 })),
        case("roll back", &[ROLLING, ROLLING], Asked::Act(Action::Rollback { to: ReleaseId::new(1) })),
        case("restart", &[ROLLING], Asked::Act(Action::Restart)),
        case("restart in place", &[SINGLE], Asked::Act(Action::Restart)),
        case("stop", &[ROLLING], Asked::Act(Action::Stop)),
        case("remove", &[ROLLING], Asked::Act(Action::Remove)),
    ]
}

impl Case {
    pub(crate) async fn prepared(&self) -> Stage {
        self.prepare(Stage::new().await).await
    }

    /// With what is there before.
    pub(crate) async fn prepare(&self, stage: Stage) -> Stage {
        for dockerfile in self.before {
            stage.push(dockerfile).await.assert_succeeded();
        }
        stage
    }

    /// None when it is refused.
    pub(crate) async fn start(&self, stage: &Stage) -> Option<DeployId> {
        let accepted = match &self.asked {
            Asked::Push(dockerfile) => stage.accept_push(dockerfile).await,
            Asked::Act(action) => stage.accept("web", action.clone()).await,
        };
        accepted.ok().map(|deploy| deploy.id)
    }

    pub(crate) async fn outcome(&self, stage: &Stage) -> Option<Outcome> {
        let id = self.start(stage).await?;
        Some(stage.end_of(id).await.outcome)
    }

    pub(crate) async fn start_until(&self, stage: &Stage, hung: impl Future<Output = ()>) {
        let started = async {
            self.start(stage).await;
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = started => {}
            () = hung => {}
        }
    }

    /// How many calls of engine and router the deploy makes when all goes well.
    pub(crate) async fn calls(&self) -> (RangeInclusive<u64>, RangeInclusive<u64>) {
        let stage = self.prepared().await;
        let before = (stage.engine.calls().len() as u64, stage.router.calls().len() as u64);
        assert_eq!(self.outcome(&stage).await, Some(Outcome::Succeeded));
        let after = (stage.engine.calls().len() as u64, stage.router.calls().len() as u64);
        (before.0 + 1..=after.0, before.1 + 1..=after.1)
    }

    /// What must hold after a deploy that something befell.
    pub(crate) async fn check(&self, stage: &Stage, befell: &str) {
        println!("fault point: {}: {befell}", self.name);
        let snapshot = stage.snapshot().await;
        if let Err(violation) = stage.check_settled("web").await.and_then(|()| is_as_told(&snapshot)) {
            let history: Vec<_> = snapshot.deploys.into_iter().map(|deploy| deploy.state).collect();
            panic!("{}: {befell}: {violation}\n{history:#?}", self.name);
        }
    }
}

/// The newest deploy that succeeded brought about what was asked; after one that did not, all is as it was before.
fn is_as_told(snapshot: &Snapshot) -> Result<(), String> {
    let newest = snapshot.deploys.first();
    let told = newest.and_then(|deploy| match (&deploy.action, outcome(deploy).succeeded()) {
        (Action::Remove, true) => None,
        (Action::Stop, true) => Some((ServiceState::Stopped, deploy.from)),
        (_, true) => Some((ServiceState::Running, deploy.to)),
        (_, false) if deploy.from.is_none() => Some((ServiceState::NeverLive, None)),
        (_, false) => Some((ServiceState::Running, deploy.from)),
    });
    let found = snapshot.services.first().map(|view| (view.state, view.release));
    if found == told { Ok(()) } else { Err(format!("{found:?} is what there is, and {told:?} what was told")) }
}
