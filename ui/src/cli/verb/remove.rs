//! `mypaas remove`: a service and all that belongs to it is gone for good, so it asks first.

use std::io::{self, BufRead, IsTerminal};

use clap::Args;
use mypaas::api::Action;

use super::act::{How, On, act, known};
use crate::cli::input::InputError;
use crate::cli::session::Session;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    on: On,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    how: How,
}

pub(crate) async fn run(arguments: &Arguments, session: &Session) -> anyhow::Result<()> {
    let Arguments { on, yes, how } = arguments;
    let asks = !yes && !how.dry_run;
    if asks && !io::stdin().is_terminal() {
        return Err(InputError::CannotAsk { service: on.service.clone() }.into());
    }
    if asks {
        known(session, on).await?;
        ask(session, on).await?;
    }
    act(session, on, Action::Remove, *how).await
}

async fn ask(session: &Session, on: &On) -> anyhow::Result<()> {
    let On { server, service } = on;
    session.screen.tell(&format!(
        "This removes {service} from {server}: its containers, its routes, its releases and their images.\n\
         Its volumes stay. There is no way back. Type its name to go on: "
    ));
    let typed = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line).map(|_| line)
    });
    if typed.await??.trim() == service.as_str() {
        return Ok(());
    }
    Err(InputError::NotConfirmed { service: service.clone() }.into())
}
