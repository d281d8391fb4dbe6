//! `mypaas status`: what runs, on all servers, on one, or of one service.

use std::collections::BTreeMap;
use std::pin::pin;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use futures_util::stream::{self, FuturesUnordered};
use futures_util::{FutureExt, Stream, StreamExt};
use jiff::Timestamp;
use mypaas::api::{Problem, Snapshot};
use mypaas::client::{Client, ClientError};
use mypaas::name::{ServerName, ServiceName};
use serde::Serialize;
use tokio::time::timeout;

use super::act::{On, OnEach, detail};
use crate::cli::many::{Servers, Touch};
use crate::cli::output::services;
use crate::cli::report::Report;
use crate::cli::session::Session;

/// Those that have answered by then are told in order.
const SOON: Duration = Duration::from_secs(1);

/// One among several that has not answered by then is told to be silent.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Some servers only: `shop`, or `shop,attic`; `local` is this machine
    #[arg(value_name = "SERVER")]
    servers: Option<Servers>,
    /// One service, with its options and containers
    #[arg(requires = "servers")]
    service: Option<ServiceName>,
    /// Print it as JSON
    #[arg(long)]
    json: bool,
}

/// One server in the JSON output.
#[derive(Debug, Serialize)]
struct ServerStatus {
    server: ServerName,
    #[serde(flatten)]
    answer: Answer,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Snapshot(Box<Snapshot>),
    Problem(Problem),
}

pub(crate) async fn run(arguments: &Arguments, session: &Session) -> anyhow::Result<()> {
    let Arguments { servers, service, json } = arguments;
    match (servers, service) {
        (Some(servers), Some(service)) => {
            let on = OnEach { servers: servers.clone(), service: service.clone() };
            on.each(session, Touch::Reads, *json, async |session, on| one_service(session, on, *json).await).await
        }
        (Some(servers), None) => all_services(session, servers.of(session)?, *json).await,
        (None, _) => {
            let names = session.all()?.into_iter().map(|(name, _)| name).collect();
            all_services(session, names, *json).await
        }
    }
}

async fn one_service(session: &Session, on: &On, json: bool) -> anyhow::Result<()> {
    let detail = detail(session, on).await?;
    if json {
        return session.screen.print_json(&detail);
    }
    let (paint, width) = (session.screen.paint(), session.screen.width());
    session.screen.print(&services::detail(&on.server, &detail, paint, width, Timestamp::now()))
}

/// Shows those that answer, whatever the others do; an error when one does not answer.
async fn all_services(session: &Session, names: Vec<ServerName>, json: bool) -> anyhow::Result<()> {
    let mut ways = Vec::new();
    for name in &names {
        // One after the other: a passphrase may be asked for.
        ways.push(session.client(name).await);
    }
    let alone = names.len() == 1;
    let asked = names.iter().zip(ways).map(|(name, way)| snapshot(session, name, way, alone));
    let mut answers = pin!(in_good_order(asked.collect()));
    if json {
        let answers = answers.collect::<BTreeMap<usize, _>>().await.into_values().collect();
        return print_json(session, &names, answers);
    }
    let (mut failures, mut gap) = (Vec::new(), "");
    while let Some((index, answer)) = answers.next().await {
        match answer {
            Ok(snapshot) => {
                let (paint, width) = (session.screen.paint(), session.screen.width());
                let text = services::server(&names[index], &snapshot, paint, width, Timestamp::now());
                session.screen.print(&format!("{gap}{text}"))?;
                gap = "\n";
            }
            Err(error) => failures.push(error),
        }
    }
    fail(session, failures)
}

/// Answers with the places of their questions: in that order for those that come soon, the others as they come.
fn in_good_order<F: Future>(asked: Vec<F>) -> impl Stream<Item = (usize, F::Output)> {
    let numbered = asked.into_iter().enumerate().map(|(index, question)| async move { (index, question.await) });
    let answers = numbered.collect::<FuturesUnordered<_>>();
    let soon = async move {
        let mut answers = answers;
        let mut first = BTreeMap::new();
        // Told in order are those of one moment, which ends early when all have answered.
        let _ = timeout(SOON, async {
            while let Some((index, answer)) = answers.next().await {
                first.insert(index, answer);
            }
        })
        .await;
        stream::iter(first).chain(answers)
    };
    soon.flatten_stream()
}

/// One among several is not waited for for long.
async fn snapshot(
    session: &Session,
    name: &ServerName,
    way: anyhow::Result<Client>,
    alone: bool,
) -> anyhow::Result<Snapshot> {
    let ask = async {
        way?;
        session.ask(name, async |client| client.snapshot().await).await
    };
    let limit = if alone || session.is_own(name)? { Duration::MAX } else { PATIENCE };
    let answer = timeout(limit, ask).await;
    let answer = answer.unwrap_or_else(|_| Err(ClientError::TimedOut { limit: PATIENCE }.into()));
    answer.with_context(|| format!("the state of {name} is not known"))
}

fn print_json(session: &Session, names: &[ServerName], answers: Vec<anyhow::Result<Snapshot>>) -> anyhow::Result<()> {
    let mut failures = Vec::new();
    let mut list = Vec::new();
    for (server, answer) in names.iter().cloned().zip(answers) {
        let answer = match answer {
            Ok(snapshot) => Answer::Snapshot(Box::new(snapshot)),
            Err(error) => {
                let problem = Report::of(&error).problem().clone();
                failures.push(error);
                Answer::Problem(problem)
            }
        };
        list.push(ServerStatus { server, answer });
    }
    session.screen.print_json(&list)?;
    failures.pop().map_or(Ok(()), Err)
}

/// Tells all failures; the last one as the verb's own.
fn fail(session: &Session, mut failures: Vec<anyhow::Error>) -> anyhow::Result<()> {
    let Some(last) = failures.pop() else { return Ok(()) };
    for failure in &failures {
        session.screen.tell(&Report::of(failure).text(session.screen.tell_paint()));
    }
    Err(last)
}
