//! `mypaas figures`: what a server measured, over time.

use clap::{Args, ValueEnum};
use mypaas::api::{HistoryQuery, Span};
use mypaas::name::{ServerName, ServiceName};

use crate::cli::many::{Servers, Touch, each};
use crate::cli::output::figures::{self, Marks};
use crate::cli::session::Session;

pub(crate) const HELP: &str = "\
Each line ends with the figure of now and the largest of the time that is shown; where one mark stands for many figures,
it is the largest of them. A server keeps each second of the last hour and each minute of the last thirty days.";

/// Marks of a graph where nobody says how wide the screen is.
const USUAL_WIDTH: usize = 80;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The server's name; `local` is this machine. Several: `shop,attic`, or `all`
    #[arg(value_name = "SERVER")]
    servers: Servers,
    /// One service; else the machine itself
    service: Option<ServiceName>,
    /// How far back
    #[arg(long, value_enum, default_value_t)]
    span: Back,
    /// Draw with ASCII characters only
    #[arg(long = "plain")]
    plain: bool,
    /// Print it as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Back {
    #[default]
    Hour,
    Day,
    /// Thirty days
    Month,
}

pub(crate) async fn run(arguments: &Arguments, session: &Session) -> anyhow::Result<()> {
    let Arguments { servers, json, .. } = arguments;
    each(session, servers, Touch::Reads, *json, async |session, server| show(arguments, session, server).await).await
}

async fn show(arguments: &Arguments, session: &Session, server: &ServerName) -> anyhow::Result<()> {
    let Arguments { service, span, plain, json, .. } = arguments;
    let width = session.screen.width().unwrap_or(USUAL_WIDTH);
    let span = match span {
        Back::Hour => Span::Hour,
        Back::Day => Span::Day,
        Back::Month => Span::Month,
    };
    let points = (!json).then(|| figures::marks_within(width));
    let query = HistoryQuery { service: service.clone(), span, points };
    let history = session.ask(server, async |client| client.history(&query).await).await?;
    if *json {
        return session.screen.print_json(&history);
    }
    let marks = if *plain { Marks::Ascii } else { Marks::Blocks };
    session.screen.print(&figures::history(server, service.as_ref(), &history, marks, session.screen.paint()))
}
