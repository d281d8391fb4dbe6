//! `mypaas` alone: the console.

use std::convert::Infallible;

use mypaas::name::ServerName;

use crate::cli::args::ConsoleArguments;
use crate::cli::output::ColourWhen;
use crate::cli::session::Session;
use crate::console::{self, Options, Server};

pub(crate) async fn run(arguments: &ConsoleArguments, colour: ColourWhen, session: &Session) -> anyhow::Result<()> {
    let options = Options {
        ascii: arguments.ascii,
        no_color: colour == ColourWhen::Never || session.environment.no_colour,
        no_mouse: arguments.no_mouse,
        theme: arguments.theme.as_deref().map(str::parse).transpose()?,
        keymap: Some(session.environment.keymap.clone()),
        record: arguments.record.clone(),
        who: session.environment.who.clone(),
    };
    if let Some(file) = &arguments.replay {
        return console::replay(file, arguments.speed.unwrap_or(1.0), &options).await;
    }
    let mut servers = Vec::new();
    let mut own = None;
    for (name, known) in session.all()? {
        // Another server may be down: the console shows that. This machine's own has to be there first.
        if session.is_own(&name)? {
            session.ask(&name, async |client| client.server().await).await?;
            own = Some(name.clone());
        }
        let client = session.client(&name).await?;
        servers.push(Server { name, colour: known.colour, lock: known.lock, client });
    }
    tokio::select! {
        left = console::run(servers, options) => left,
        Err(error) = kept(session, own) => Err(error),
    }
}

async fn kept(session: &Session, own: Option<ServerName>) -> anyhow::Result<Infallible> {
    match own {
        Some(name) => session.keep(&name).await,
        None => std::future::pending().await,
    }
}
