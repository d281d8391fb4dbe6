//! `mypaas status`: what runs, on all servers, on one, or of one service.

use anyhow::Context;
use clap::Args;
use futures_util::future::join_all;
use jiff::Timestamp;
use mypaas::api::{Problem, Snapshot};
use mypaas::name::{ServerName, ServiceName};
use serde::Serialize;

use super::act::{On, detail};
use crate::cli::output::services;
use crate::cli::report::Report;
use crate::cli::session::Session;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// One server only; `local` is this machine
    server: Option<ServerName>,
    /// One service, with its options and containers
    #[arg(requires = "server")]
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
    match (&arguments.server, &arguments.service) {
        (Some(server), Some(service)) => {
            let on = On { server: server.clone(), service: service.clone() };
            one_service(session, &on, arguments.json).await
        }
        (Some(server), None) => {
            session.server(server)?;
            servers(session, vec![server.clone()], arguments.json).await
        }
        (None, _) => {
            let names = session.all()?.into_iter().map(|(name, _)| name).collect();
            servers(session, names, arguments.json).await
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
async fn servers(session: &Session, names: Vec<ServerName>, json: bool) -> anyhow::Result<()> {
    let answers = join_all(names.iter().map(|name| snapshot(session, name))).await;
    if json {
        return print_json(session, names, answers);
    }
    let mut failures = Vec::new();
    for (index, (name, answer)) in names.iter().zip(answers).enumerate() {
        match answer {
            Ok(snapshot) => {
                let gap = if index > 0 { "\n" } else { "" };
                let (paint, width) = (session.screen.paint(), session.screen.width());
                let text = services::server(name, &snapshot, paint, width, Timestamp::now());
                session.screen.print(&format!("{gap}{text}"))?;
            }
            Err(error) => failures.push(error),
        }
    }
    fail(session, failures)
}

async fn snapshot(session: &Session, name: &ServerName) -> anyhow::Result<Snapshot> {
    let answer = session.ask(name, async |client| client.snapshot().await).await;
    answer.with_context(|| format!("the state of {name} is not known"))
}

fn print_json(session: &Session, names: Vec<ServerName>, answers: Vec<anyhow::Result<Snapshot>>) -> anyhow::Result<()> {
    let mut failures = Vec::new();
    let mut list = Vec::new();
    for (server, answer) in names.into_iter().zip(answers) {
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
