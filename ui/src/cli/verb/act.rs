//! What all verbs have in common that change a service: ask for a deploy, and tell how it goes.

use clap::Args;
use mypaas::api::{Action, DeployRequest, Origin, PlanRequest, RouterInfo, ServiceDetail, Target};
use mypaas::manifest::{Scheme, ServiceUrl};
use mypaas::name::{ServerName, ServiceName};

use crate::cli::follow::{Until, follow};
use crate::cli::input::InputError;
use crate::cli::many::{Servers, Touch, each};
use crate::cli::output::plan;
use crate::cli::refused::Refusal;
use crate::cli::session::Session;

/// One service of one server.
#[derive(Debug, Clone, Args)]
pub(crate) struct On {
    /// The server's name; `local` is this machine
    pub(crate) server: ServerName,
    /// The service's name
    pub(crate) service: ServiceName,
}

/// One service of one or more servers.
#[derive(Debug, Clone, Args)]
pub(crate) struct OnEach {
    /// The server's name; `local` is this machine. Several: `shop,attic`, or `all`
    #[arg(value_name = "SERVER")]
    pub(crate) servers: Servers,
    /// The service's name
    pub(crate) service: ServiceName,
}

impl OnEach {
    /// Does something with the service on each server.
    pub(crate) async fn each(
        &self,
        session: &Session,
        touch: Touch,
        json: bool,
        work: impl AsyncFn(&Session, &On) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        each(session, &self.servers, touch, json, async |session, server| {
            work(session, &On { server: server.clone(), service: self.service.clone() }).await
        })
        .await
    }
}

/// Whether it is done, and how it is told.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct How {
    /// Only say what would be done, and what requests would notice
    #[arg(long, alias = "plan")]
    pub(crate) dry_run: bool,
    /// Print the deploy's events as JSON, one a line; with --dry-run the plan
    #[arg(long)]
    pub(crate) json: bool,
}

impl How {
    pub(crate) fn touch(self) -> Touch {
        if self.dry_run { Touch::Reads } else { Touch::Changes }
    }
}

/// Does something with a service on each server.
pub(crate) async fn act_on_each(session: &Session, on: &OnEach, action: &Action, how: How) -> anyhow::Result<()> {
    on.each(session, how.touch(), how.json, async |session, on| act(session, on, action.clone(), how).await).await
}

/// Does something with a service that is there.
pub(crate) async fn act(session: &Session, on: &On, action: Action, how: How) -> anyhow::Result<()> {
    known(session, on).await?;
    let service = on.service.clone();
    if how.dry_run {
        return preview(session, &on.server, &PlanRequest::Service { service, action }, how.json).await;
    }
    let origin = Origin { who: session.environment.who.clone(), key: None, folder: None, commit: None };
    let target = Target::Service { service, action };
    carry_out(session, &on.server, &DeployRequest { target, origin }, how.json).await
}

/// An error unless the server has the service.
pub(crate) async fn known(session: &Session, on: &On) -> anyhow::Result<()> {
    let services = session.ask(&on.server, async |client| client.snapshot().await).await?.services;
    if services.iter().any(|service| service.name == on.service) {
        return Ok(());
    }
    let known = services.iter().map(|service| service.name.to_string()).collect();
    Err(InputError::UnknownService { name: on.service.clone(), server: on.server.clone(), known }.into())
}

/// All there is to know about a service that is there.
pub(crate) async fn detail(session: &Session, on: &On) -> anyhow::Result<ServiceDetail> {
    known(session, on).await?;
    session.ask(&on.server, async |client| client.service(&on.service).await).await
}

/// Has the deploy done, tells it until it is, and says where the service answers.
pub(crate) async fn carry_out(
    session: &Session,
    server: &ServerName,
    request: &DeployRequest,
    json: bool,
) -> anyhow::Result<()> {
    let deploy = session.change(server, async |client| client.deploy(request).await).await?;
    let (service, serves) = (deploy.service.clone(), !matches!(deploy.action, Action::Stop | Action::Remove));
    // Whoever reads JSON finds the end among the events.
    let until = if json { Until::Finished } else { Until::Done };
    follow(session, server, deploy, until, json).await?;
    if serves && !json {
        // Only an extra: what cannot be found out is left out.
        session.screen.print(&addresses(session, server, &service).await.unwrap_or_default())?;
    }
    Ok(())
}

/// Shows what the request would do; an error when it would be refused.
pub(crate) async fn preview(
    session: &Session,
    server: &ServerName,
    request: &PlanRequest,
    json: bool,
) -> anyhow::Result<()> {
    let planned = session.ask(server, async |client| client.plan(request).await).await?;
    if json {
        session.screen.print_json(&planned)?;
    } else {
        session.screen.print(&plan::plan(server, &planned, session.screen.paint()))?;
    }
    Refusal::among(planned.refusals, server).map_or(Ok(()), |refusal| Err(refusal.into()))
}

/// Where the service answers, a line each.
async fn addresses(session: &Session, server: &ServerName, service: &ServiceName) -> anyhow::Result<String> {
    let snapshot = session.ask(server, async |client| client.snapshot().await).await?;
    let router = snapshot.server.router.up();
    let view = snapshot.services.iter().find(|view| view.name == *service);
    let urls = view.map(|view| view.urls.as_slice()).unwrap_or_default();
    Ok(urls.iter().map(|url| format!("{:11}{}\n", "", reachable(url, router))).collect())
}

/// The URL with the router's port, where that is not the usual one.
fn reachable(url: &ServiceUrl, router: Option<&RouterInfo>) -> String {
    let port = router.map(|router| match url.scheme {
        Scheme::Http => (router.http_port, 80),
        Scheme::Https => (router.https_port, 443),
    });
    match port {
        Some((port, usual)) if port != usual => {
            let whole = url.to_string();
            let domain = whole.len() - url.path.len();
            format!("{}:{port}{}", &whole[..domain], url.path)
        }
        _ => url.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unusual_port_is_part_of_the_address() {
        let router = |http_port, https_port| RouterInfo {
            name: "Traefik".into(),
            version: "3".into(),
            http_port,
            https_port,
            unreplaced: None,
        };
        let url = |text: &str| ServiceUrl::try_from(text.to_owned()).unwrap();
        assert_eq!(reachable(&url("http://a.example/x"), Some(&router(8080, 8443))), "http://a.example:8080/x");
        assert_eq!(reachable(&url("https://a.example"), Some(&router(8080, 8443))), "https://a.example:8443");
        assert_eq!(reachable(&url("http://a.example"), Some(&router(80, 443))), "http://a.example");
        assert_eq!(reachable(&url("http://a.example"), None), "http://a.example");
    }
}
