//! `mypaas` alone: the console.

use std::convert::Infallible;

use mypaas::name::ServerName;

use crate::cli::args::ConsoleArguments;
use crate::cli::output::ColourWhen;
use crate::cli::report::Report;
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
    let own = start_own(session).await?;
    let servers = servers(session).await?;
    tokio::select! {
        left = console::run(servers, options) => left,
        Err(error) = kept(session, own) => Err(error),
    }
}

/// Another server may be down: the console shows that. This machine's own has to be there first.
async fn start_own(session: &Session) -> anyhow::Result<Option<ServerName>> {
    for (name, _) in session.all()? {
        if session.is_own(&name)? {
            session.ask(&name, async |client| client.server().await).await?;
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// A key that cannot be used keeps nobody from the servers that want another one.
async fn servers(session: &Session) -> anyhow::Result<Vec<Server>> {
    let mut servers = Vec::new();
    for (name, known) in session.all()? {
        // One after the other: a passphrase may be asked for.
        let client = session.client(&name).await.map_err(|error| Report::of(&error).problem().clone());
        let address = known.address.to_string();
        servers.push(Server { name, address, colour: known.colour, lock: known.lock, client });
    }
    Ok(servers)
}

async fn kept(session: &Session, own: Option<ServerName>) -> anyhow::Result<Infallible> {
    match own {
        Some(name) => session.keep(&name).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::fixture;

    #[tokio::test]
    async fn a_key_that_cannot_be_used_keeps_nobody_from_the_other_servers() {
        let folder = tempfile::tempdir().unwrap();
        let text = "[servers.shop]\naddress = \"https://shop.example.com\"\nkey = \"/nowhere/key\"\n\
                    [servers.attic]\naddress = \"ssh://ada@attic\"\n";
        std::fs::write(folder.path().join("fleet.toml"), text).unwrap();
        let session = fixture::session(folder.path());
        let servers = servers(&session).await.unwrap();
        let ways: Vec<_> = servers.iter().map(|server| (server.name.as_str(), server.client.is_ok())).collect();
        assert_eq!(ways, [("attic", true), ("shop", false)]);
        let Err(problem) = &servers[1].client else { panic!("there is a way") };
        assert!(problem.message.contains("/nowhere/key"), "{problem:?}");
    }
}
