//! Strategies and apps.

use mypaas::api::Deploy;
use std::time::Duration;

use crate::edition;
use crate::project::Project;
use crate::server::Server;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Strategy {
    pub(crate) name: &'static str,
    options: &'static [&'static str],
    pub(crate) containers: usize,
}

pub(crate) const STRATEGIES: [Strategy; 4] = [
    Strategy { name: "roll, scale 3", options: &["scale=3 roll", "healthcheck=/health 1s 500ms"], containers: 3 },
    Strategy { name: "roll, scale 1", options: &["scale=1 roll"], containers: 1 },
    Strategy { name: "safe, scale 3", options: &["scale=3 safe", "healthcheck=/health 1s 500ms"], containers: 3 },
    Strategy { name: "replace", options: &[], containers: 1 },
];

impl Strategy {
    pub(crate) fn rolls(self) -> bool {
        self.name.starts_with("roll")
    }
}

/// What the app does with SIGTERM.
const ON_SIGTERM: [&str; 3] = ["graceful", "die", "ignore"];

const END_LIMIT: Duration = Duration::from_secs(120);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    Quick,
    Full,
}

impl Scope {
    /// Under load, for each case.
    pub(crate) fn time(self) -> Duration {
        match self {
            Scope::Quick => Duration::from_secs(6),
            Scope::Full => Duration::from_secs(32),
        }
    }

    pub(crate) fn repetitions(self) -> usize {
        match self {
            Scope::Quick => 1,
            Scope::Full => 7,
        }
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    pub(crate) strategy: Strategy,
    pub(crate) on_sigterm: &'static str,
}

impl Case {
    /// When there is little time, one app a strategy.
    pub(crate) fn all(scope: Scope) -> Vec<Self> {
        let apps = |number: usize| match scope {
            Scope::Quick => vec![ON_SIGTERM[(number + 1) % ON_SIGTERM.len()]],
            Scope::Full => ON_SIGTERM.to_vec(),
        };
        let of = |(number, strategy)| apps(number).into_iter().map(move |on_sigterm| Self { strategy, on_sigterm });
        STRATEGIES.into_iter().enumerate().flat_map(of).collect()
    }
}

/// A service of that kind, to be deployed again and again.
pub(crate) struct Service<'a> {
    server: &'a Server,
    case: Case,
    pub(crate) name: String,
    project: Project,
}

impl<'a> Service<'a> {
    /// With a release that serves.
    pub(crate) async fn new(server: &'a Server, case: Case, purpose: &str) -> Self {
        let words = case.strategy.name.replace(", ", "-").replace(' ', "");
        let name = format!("{words}.{}.{purpose}", case.on_sigterm);
        let mut service = Self { server, case, name, project: Project::new(server.instance().as_str()) };
        service.deploy().await;
        service
    }

    pub(crate) fn host(&self) -> String {
        format!("{}.test", self.name)
    }

    /// Accepted, and under way.
    pub(crate) async fn push(&mut self) -> Deploy {
        let (name, url) = (format!("service={}", self.name), format!("url=http://{}", self.host()));
        let options = [&[name.as_str(), url.as_str()], self.case.strategy.options].concat();
        let instruction = format!("ENV ON_SIGTERM={}", self.case.on_sigterm);
        self.server.push(self.project.write(edition(), &options, &[&instruction])).await.unwrap()
    }

    /// A deploy at its end, which is a success.
    pub(crate) async fn deploy(&mut self) -> Deploy {
        let deploy = self.push().await;
        self.end_of(&deploy).await
    }

    pub(crate) async fn end_of(&self, deploy: &Deploy) -> Deploy {
        let ended = self.server.end_of(deploy.id, END_LIMIT).await.unwrap();
        assert!(succeeded(&ended), "{}: {:?}", self.name, ended.state);
        ended
    }
}

fn succeeded(deploy: &Deploy) -> bool {
    matches!(&deploy.state, mypaas::api::DeployState::Finished { outcome, .. } if outcome.succeeded())
}
