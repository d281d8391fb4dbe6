//! `mypaas logs`: what the containers of a service wrote.

mod told;

use anyhow::Context;
use clap::Args;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use jiff::tz::TimeZone;
use jiff::{Span, SpanRelativeTo, Timestamp};
use mypaas::api::{LogLine, LogQuery, LogsOf, ProblemCode, ServiceDetail};
use mypaas::client::ClientError;
use mypaas::name::{ContainerName, ReleaseId, ServiceName};

use self::told::Told;
use super::act::{On, OnEach, detail};
use crate::cli::input::InputError;
use crate::cli::many::Touch;
use crate::cli::output::{Screen, foreign};
use crate::cli::patience::{Patience, may_pass};
use crate::cli::session::Session;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    on: OnEach,
    /// Go on as more is written
    #[arg(long, short)]
    follow: bool,
    /// Only the last so many lines of each container
    #[arg(long, short = 'n', value_name = "N", value_parser = lines)]
    tail: Option<u32>,
    /// Only what was written since then: 90s, 5m, 2h, 1d, or a time as in 2026-01-31T12:00:00Z
    #[arg(long, value_name = "TIME", value_parser = since)]
    since: Option<Timestamp>,
    /// Only of this container
    #[arg(long, value_name = "NAME")]
    container: Option<String>,
    /// Only of this release, as in r12; of one that runs no more the last lines that were kept
    #[arg(long, value_name = "RELEASE", conflicts_with = "container")]
    release: Option<ReleaseId>,
    /// Say when each line was written
    #[arg(long, short)]
    timestamps: bool,
    /// Print JSON, one line each
    #[arg(long)]
    json: bool,
}

/// How a line is shown.
#[derive(Debug, Clone, Copy)]
struct Form {
    timestamps: bool,
    names: bool,
    json: bool,
}

type Lines = BoxStream<'static, Result<LogLine, ClientError>>;

pub(crate) async fn run(arguments: &Arguments, session: &Session) -> anyhow::Result<()> {
    let Arguments { on, json, .. } = arguments;
    on.each(session, Touch::Reads, *json, async |session, on| show(arguments, session, on).await).await
}

async fn show(arguments: &Arguments, session: &Session, on: &On) -> anyhow::Result<()> {
    let On { server, service } = on;
    let detail = detail(session, on).await?;
    let gone = arguments.release.filter(|release| is_gone(*release, &detail));
    let containers = containers(arguments, detail)?;
    let of = match arguments.release {
        Some(release) => LogsOf::Release(release),
        None => containers.first().filter(|_| arguments.container.is_some()).cloned().into(),
    };
    let names = containers.len() > 1 || gone.is_some();
    let form = Form { timestamps: arguments.timestamps, names, json: arguments.json };
    let mut query = LogQuery { tail: arguments.tail, since: arguments.since, follow: arguments.follow };
    let (mut told, mut patience) = (Told::default(), Patience::default());
    let mut lines = session.ask(server, async |client| client.logs(service, &of, &query).await).await?;
    loop {
        let before = told.lines;
        let ended = pass_on(&mut lines, form, &session.screen, &mut told).await;
        if !query.follow || gone.is_some() || session.screen.is_closed() {
            ended?;
            break;
        }
        if told.lines > before {
            patience = Patience::default();
        }
        query = told.rest(&query);
        match ask_again(session, on, &of, &query, ended, &mut patience).await? {
            Some(more) => lines = more,
            None => break,
        }
    }
    if let Some(release) = gone {
        session.screen.tell(&whose(release, service, told.lines == 0));
    }
    Ok(())
}

async fn pass_on(lines: &mut Lines, form: Form, screen: &Screen, told: &mut Told) -> anyhow::Result<()> {
    while let Some(line) = lines.next().await.transpose()? {
        if !told.note(&line) {
            continue;
        }
        if form.json {
            screen.print_json_line(&line)?;
        } else {
            screen.pass_on(&shown(&line, form, screen))?;
        }
        if screen.is_closed() {
            break;
        }
    }
    Ok(())
}

/// What is followed ended, as it does when the server stops, or when all that wrote is gone: asks for the rest, once there is
/// an answer again. None when there is nothing more to follow, which is told.
async fn ask_again(
    session: &Session,
    On { server, service }: &On,
    of: &LogsOf,
    rest: &LogQuery,
    mut ended: anyhow::Result<()>,
    patience: &mut Patience,
) -> anyhow::Result<Option<Lines>> {
    let client = session.client(server).await?;
    let over = |why: &str| session.screen.tell(&format!("{why}, so nothing more is followed\n"));
    loop {
        if ended.as_ref().is_err_and(|error| !may_pass(error)) || !patience.wait(session, server).await? {
            ended.with_context(|| format!("what {service} writes could not be followed any longer"))?;
            over(&nothing_more(service, of));
            return Ok(None);
        }
        match client.logs(service, of, rest).await {
            Ok(lines) => return Ok(Some(lines)),
            Err(ClientError::Refused(problem)) if problem.code == ProblemCode::NotFound => {
                over(&problem.message);
                return Ok(None);
            }
            Err(error) => ended = Err(error.into()),
        }
    }
}

fn nothing_more(service: &ServiceName, of: &LogsOf) -> String {
    match of {
        LogsOf::Service => format!("no container of {service} runs"),
        LogsOf::Container(name) => format!("{name} runs no more"),
        LogsOf::Release(release) => format!("no container of {release} of {service} runs any more"),
    }
}

fn is_gone(release: ReleaseId, detail: &ServiceDetail) -> bool {
    detail.service.containers.iter().all(|container| container.release != release)
}

/// So that nobody takes a part for the whole.
fn whose(release: ReleaseId, service: &ServiceName, is_empty: bool) -> String {
    match is_empty {
        true => format!("nothing was kept of what {release} of {service} wrote\n"),
        false => format!("{release} of {service} runs no more: these are the last lines that were kept of it\n"),
    }
}

/// The containers whose lines are wanted: all, or the one that was named.
fn containers(arguments: &Arguments, detail: ServiceDetail) -> Result<Vec<ContainerName>, InputError> {
    let service = &arguments.on.service;
    let mut names: Vec<ContainerName> = detail.service.containers.into_iter().map(|view| view.name).collect();
    if let Some(wanted) = &arguments.container {
        if !names.iter().any(|name| name.as_str() == wanted) {
            let known = names.iter().map(ToString::to_string).collect();
            return Err(InputError::UnknownContainer { name: wanted.clone(), service: service.clone(), known });
        }
        names.retain(|name| name.as_str() == wanted);
    }
    Ok(names)
}

/// For a program that reads it, a line stays as it is; on a terminal it is made safe.
fn shown(line: &LogLine, form: Form, screen: &Screen) -> String {
    let paint = screen.paint();
    let mut text = String::new();
    if form.timestamps {
        let at = line.at.to_zoned_datetime(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S%.3f").to_string();
        text += &format!("{} ", paint.muted(&at));
    }
    if form.names {
        text += &format!("{} ", paint.muted(&format!("{} |", line.container)));
    }
    if screen.is_terminal() { text + &foreign::line(&line.text, paint.colour) + "\n" } else { text + &line.text + "\n" }
}

fn lines(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| "it takes a whole number of lines, as in 100".to_owned())
}

fn since(text: &str) -> Result<Timestamp, String> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    let ago = text.parse::<Span>().and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()));
    match ago.map(|ago| Timestamp::now().checked_sub(ago.abs())) {
        Ok(Ok(at)) => Ok(at),
        _ => Err("it takes 90s, 5m, 2h, 1d, or a time as in 2026-01-31T12:00:00Z".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn since_takes_how_long_ago_or_a_time() {
        for (text, seconds) in [("90s", 90), ("5m", 300), ("2h", 7_200), ("1h30m", 5_400), ("1d", 86_400)] {
            let before = Timestamp::now();
            let age = before.duration_since(since(text).unwrap()).as_secs_f64();
            assert!((age - f64::from(seconds)).abs() < 5.0, "{text}: {age}");
        }
        assert_eq!(since("2026-01-31T12:00:00Z").unwrap().to_string(), "2026-01-31T12:00:00Z");
        for text in ["", "5", "soon", "5 parsecs"] {
            assert!(since(text).is_err(), "{text}");
        }
    }
}
