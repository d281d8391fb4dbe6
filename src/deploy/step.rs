//! The steps of a plan, as data. Each is an "ensure" step: doing it twice is doing it once, so that a deploy can be
//! taken up again after a crash without knowing how far a step had come.

use std::net::Ipv4Addr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::event::Phase;
use super::readiness::Readiness;
use crate::engine::ContainerSpec;
use crate::name::ContainerName;
use crate::router::Routes;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Step {
    /// Runs a container to its end, which has to be a good one.
    Run {
        container: ContainerSpec,
        limit: Duration,
    },
    Create {
        containers: Vec<ContainerSpec>,
    },
    Start {
        containers: Vec<ContainerName>,
    },
    AwaitReady {
        containers: Vec<ContainerName>,
        readiness: Readiness,
    },
    /// From now on the engine keeps them running, also after a reboot.
    Keep {
        containers: Vec<ContainerName>,
    },
    /// Requests that come while nothing can answer them wait.
    Hold {
        routes: Routes,
    },
    /// The switch: requests go to these containers.
    Route {
        routes: Routes,
        /// Those behind the targets, for telling.
        containers: Vec<ContainerName>,
    },
    Withdraw,
    /// Waits until nobody is connected to them any more.
    Drain {
        containers: Vec<ContainerName>,
        /// At most so long.
        limit: Duration,
        /// So long where it cannot be seen who is connected.
        blind: Duration,
    },
    Stop {
        containers: Vec<ContainerName>,
        grace: Duration,
    },
    Remove {
        containers: Vec<ContainerName>,
    },
    /// Containers get other addresses; one that runs is stopped for it.
    Move {
        containers: Vec<Moved>,
        /// Their host names, beside their own.
        aliases: Vec<String>,
        grace: Duration,
    },
}

/// A container, the address it has, and the one it is to have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    pub container: ContainerName,
    pub from: Ipv4Addr,
    pub to: Ipv4Addr,
}

impl Step {
    pub fn phase(&self) -> Phase {
        match self {
            Step::Run { .. } => Phase::Preparing,
            Step::Create { .. } | Step::Start { .. } | Step::Move { .. } => Phase::Starting,
            Step::AwaitReady { .. } => Phase::Probing,
            Step::Hold { .. } | Step::Route { .. } | Step::Withdraw | Step::Keep { .. } => Phase::Switching,
            Step::Drain { .. } => Phase::Draining,
            Step::Stop { .. } | Step::Remove { .. } => Phase::Retiring,
        }
    }

    /// Changes where requests go.
    pub fn is_switch(&self) -> bool {
        matches!(self, Step::Route { .. } | Step::Withdraw)
    }

    /// Within an undoing: without it, what served before may not serve again. The others only clear away.
    pub(super) fn brings_back(&self) -> bool {
        match self {
            Step::Run { .. } | Step::Keep { .. } | Step::Drain { .. } | Step::Stop { .. } | Step::Remove { .. } => {
                false
            }
            Step::Create { .. } | Step::Start { .. } | Step::AwaitReady { .. } | Step::Move { .. } => true,
            Step::Hold { .. } | Step::Route { .. } | Step::Withdraw => true,
        }
    }

    /// In words, for the plan that an operator confirms.
    pub fn describe(&self) -> String {
        match self {
            Step::Run { container, .. } => {
                format!("run the release command in {}, and wait for its end", container.name)
            }
            Step::Create { containers } => format!("create {}", list(containers.iter().map(|spec| &spec.name))),
            Step::Start { containers } => format!("start {}", list(containers)),
            Step::AwaitReady { containers, readiness } => {
                format!("wait until {} ({})", are(containers, "ready"), readiness.describe())
            }
            Step::Keep { containers } => format!("keep {} running from now on", list(containers)),
            Step::Hold { routes } => {
                let limit = routes.hold.unwrap_or_default().as_secs();
                format!("hold requests, for {limit}s at most")
            }
            Step::Route { containers, .. } if containers.is_empty() => "answer requests with 503".to_owned(),
            Step::Route { containers, .. } => {
                format!("send requests to {}, and wait until the router confirms", list(containers))
            }
            Step::Withdraw => "take the routes away".to_owned(),
            Step::Drain { containers, limit, .. } => {
                format!("give {} up to {}s to finish requests", list(containers), limit.as_secs_f32())
            }
            Step::Stop { containers, .. } => format!("stop {}", list(containers)),
            Step::Remove { containers } => format!("remove {}", list(containers)),
            Step::Move { containers, .. } => {
                format!("change the address of {}", list(containers.iter().map(|moved| &moved.container)))
            }
        }
    }
}

/// As in `web.r2.1, web.r2.2`, or `web.r2.1 to 8` for more in a row than one wants to read.
pub(super) fn list<'a>(containers: impl IntoIterator<Item = &'a ContainerName>) -> String {
    const READABLE: usize = 2;
    let mut names: Vec<_> = containers.into_iter().collect();
    names.sort_by_key(|name| name.place());
    match names[..] {
        [first, .., last] if names.len() > READABLE && are_in_a_row(&names) => format!("{first} to {}", last.place().1),
        _ => names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", "),
    }
}

/// Of one release, with slots that follow each other.
fn are_in_a_row(names: &[&ContainerName]) -> bool {
    names.windows(2).all(|pair| {
        let [(release, slot), next] = [pair[0].place(), pair[1].place()];
        next == (release, slot + 1)
    })
}

fn are(containers: &[ContainerName], state: &str) -> String {
    let verb = if containers.len() == 1 { "is" } else { "are" };
    format!("{} {verb} {state}", list(containers))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_containers_in_a_row_are_told_by_the_first_and_the_last() {
        let told = |names: &[&str]| {
            let names: Vec<_> = names.iter().map(|name| ContainerName::from_engine(name)).collect();
            list(&names)
        };
        assert_eq!(told(&["web.r2.10", "web.r2.11", "web.r2.9"]), "web.r2.9 to 11");
        assert_eq!(told(&["web.r2.2", "web.r2.1"]), "web.r2.1, web.r2.2");
        assert_eq!(told(&["web.r2.10", "web.r2.9", "web.r2.7"]), "web.r2.7, web.r2.9, web.r2.10");
        assert_eq!(told(&["web.r2.3", "web.r1.1", "web.r1.2"]), "web.r1.1, web.r1.2, web.r2.3");
        assert_eq!(told(&["one", "web.r1.1", "two"]), "one, two, web.r1.1");
    }
}
