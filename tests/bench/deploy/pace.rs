//! How long a deploy takes, from being accepted to the first answer of the new release, until it is done, and to its end,
//! when what was before is stopped and removed.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::stream::StreamExt;
use mypaas::api::{Deploy, DeployState};
use mypaas::deploy::{Phase, What};
use tokio::time::{sleep, timeout};

use crate::case::{Case, Service};
use crate::floor::Floors;
use crate::server::Server;
use crate::{DRAIN, median};

/// Until a new release answers.
const LIMIT: Duration = Duration::from_secs(120);

const LOOK_AGAIN: Duration = Duration::from_millis(5);

pub(crate) const HEAD: &str = "build    run  answer  = floor  stop, rm |  first new answer  / floor |    done  / floor |  \
                               at its end  / floor  / by hand";

pub(crate) struct Pace {
    to_done: Duration,
    to_end: Duration,
    to_answer: Duration,
    drains_first: bool,
    /// How long each phase took, in their order.
    phases: Vec<(Phase, Duration)>,
}

pub(crate) async fn measure(server: &Server, web: SocketAddr, case: &Case, times: usize) -> Pace {
    let mut service = Service::new(server, *case, "pace").await;
    let visitor = Visitor::new(web, service.host());
    let (mut dones, mut ends, mut answers, mut phases) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..times {
        let before = visitor.hello().await;
        let deploy = service.push().await;
        let begin = Instant::now();
        until_started(server, &deploy).await;
        let answered = timeout(LIMIT, visitor.until_other(release_in(&before))).await;
        answered.unwrap_or_else(|_| panic!("{} never answers anew", service.name));
        answers.push(begin.elapsed());
        let ended = service.end_of(&deploy).await;
        ends.push(duration(&ended));
        let (of_phases, done) = course_of(server, &ended).await;
        dones.push(done);
        phases.push(of_phases);
    }
    Pace {
        to_done: median(dones),
        to_end: median(ends),
        to_answer: median(answers),
        drains_first: !case.strategy.rolls(),
        phases: medians(&phases),
    }
}

/// Nobody asks while it is built and started, as nobody does when that is done by hand.
async fn until_started(server: &Server, deploy: &Deploy) {
    let mut events = server.client.deploy_events(deploy.id, 1).await.unwrap();
    while let Some(event) = events.next().await {
        if matches!(event.unwrap().what, What::Phase { phase: Phase::Probing }) {
            return;
        }
    }
}

/// How long each phase of a deploy took, by its events, and until it was done. A phase that is entered twice counts as one.
async fn course_of(server: &Server, deploy: &Deploy) -> (Vec<(Phase, Duration)>, Duration) {
    let mut events = server.client.deploy_events(deploy.id, 1).await.unwrap();
    let (mut phases, mut current) = (Vec::<(Phase, Duration)>::new(), (Phase::Queued, deploy.accepted));
    let mut done = None;
    while let Some(event) = events.next().await {
        let event = event.unwrap();
        let (phase, since) = current;
        match event.what {
            What::Phase { phase: next } => current = (next, event.at),
            What::Finished { .. } => current = (Phase::Queued, event.at),
            What::Done => {
                done = Some(event.at.duration_since(deploy.accepted).unsigned_abs());
                continue;
            }
            _ => continue,
        }
        let took = event.at.duration_since(since).unsigned_abs();
        match phases.iter_mut().find(|(known, _)| *known == phase) {
            Some((_, sum)) => *sum += took,
            None => phases.push((phase, took)),
        }
    }
    (phases, done.expect("a release that serves was told to be done"))
}

/// Of deploys that went through the same phases.
fn medians(deploys: &[Vec<(Phase, Duration)>]) -> Vec<(Phase, Duration)> {
    let of = |at: usize| median(deploys.iter().map(|phases| phases[at].1).collect());
    deploys[0].iter().enumerate().map(|(at, (phase, _))| (*phase, of(at))).collect()
}

/// By the server's own clock.
fn duration(deploy: &Deploy) -> Duration {
    let DeployState::Finished { finished, .. } = &deploy.state else { panic!("{} has not ended", deploy.id) };
    finished.duration_since(deploy.accepted).unsigned_abs()
}

/// Asks on one connection, which costs the machine little of what is measured.
struct Visitor {
    client: reqwest::Client,
    url: String,
    host: String,
}

impl Visitor {
    fn new(web: SocketAddr, host: String) -> Self {
        Self { client: mypaas::http::plain().build().unwrap(), url: format!("http://{web}/"), host }
    }

    async fn hello(&self) -> String {
        let answer = self.client.get(&self.url).header("Host", &self.host).send().await.unwrap();
        answer.error_for_status().unwrap().text().await.unwrap()
    }

    /// Returns once another release than this one answers.
    async fn until_other(&self, before: &str) {
        while release_in(&self.hello().await) == before {
            sleep(LOOK_AGAIN).await;
        }
    }
}

/// As in `hello from web.r3.1 (release r3, version blue)`.
fn release_in(hello: &str) -> &str {
    hello.split("(release ").nth(1).and_then(|rest| rest.split(',').next()).unwrap()
}

impl Pace {
    /// As in `starting 310, probing 20`, in ms.
    pub(crate) fn by_phase(&self) -> String {
        let told = |(phase, took): &(Phase, Duration)| format!("{phase:?} {}", took.as_millis()).to_lowercase();
        self.phases.iter().map(told).collect::<Vec<_>>().join(", ")
    }

    /// By hand means all that a deploy does, its drain and its end too.
    pub(crate) fn beside(&self, floor: &Floors) -> String {
        let ms = |time: Duration| time.as_secs_f64() * 1000.0;
        let sum = ms(floor.sum());
        let [done, end] = [self.to_done, self.to_end].map(|time| ms(time.saturating_sub(DRAIN)));
        // Who rolls answers before the drain.
        let answer = ms(if self.drains_first { self.to_answer.saturating_sub(DRAIN) } else { self.to_answer });
        format!(
            "{:>5.0} {:>6.0} {:>7.0} {sum:>8.0} {:>9.0} | {answer:>17.0} {:>8.2} | {done:>7.0} {:>8.2} | {end:>11.0} {:>8.2} {:>10.2}",
            ms(floor.build),
            ms(floor.run),
            ms(floor.answer),
            ms(floor.retire),
            answer / sum,
            done / sum,
            end / sum,
            (end + ms(DRAIN)) / (sum + ms(floor.retire + DRAIN)),
        )
    }
}
