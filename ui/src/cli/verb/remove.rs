//! `mypaas remove`: a service and all that belongs to it is gone for good, so it asks first.

use clap::Args;
use mypaas::api::Action;

use super::act::{How, On, OnEach, act_on_each, known};
use crate::cli::confirm;
use crate::cli::output::words;
use crate::cli::session::Session;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    on: OnEach,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    how: How,
}

pub(crate) async fn run(arguments: &Arguments, session: &Session) -> anyhow::Result<()> {
    let Arguments { on, yes, how } = arguments;
    if !yes && !how.dry_run {
        let (servers, service) = (on.servers.of(session)?, &on.service);
        confirm::check_asks(&format!("removing {service}"))?;
        for server in &servers {
            known(session, &On { server: server.clone(), service: service.clone() }).await?;
        }
        let told = format!(
            "This removes {service} from {}: its containers, its routes, its releases and their images, also \
             pinned ones.\nIts volumes stay.",
            words::names(&servers)
        );
        confirm::ask(session, &told, service.as_str()).await?;
    }
    act_on_each(session, on, &Action::Remove, *how).await
}
