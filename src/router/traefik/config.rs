//! Routes → the text of a service's file, and back. Pure and deterministic: equal routes give equal text.
//!
//! The file begins with the routes themselves, as JSON in a comment, because Traefik's words do not hold all of them.
//! Names in it (`hello-url-1`) end in a word that a service's own name cannot forge, so files never share one.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::path::routing_path;
use crate::manifest::{HealthCheck, Scheme, ServiceUrl};
use crate::router::{RUSH, Routes};

const HEAD: &str = "# Written by mypaas; do not edit: the next deploy overwrites it.";
const ROUTES: &str = "# routes = ";

/// In front of the name of a service with a health check. No service's own name begins so.
const FAILOVER: &str = "_failover-";

/// In front of the name of such a service, where its containers are asked for no health.
pub(super) const UNCHECKED: &str = "_unchecked-";

/// How a request is tried again that no container has taken, so nothing is done twice. The waits between attempts grow
/// from `interval` to twice of it; each may be half as long.
struct Retries {
    attempts: u128,
    interval: Duration,
}

/// A few times at once: the next container is asked, or a busy one again.
const PASSING: Retries = Retries { attempts: 10, interval: Duration::from_millis(20) };

/// While requests are held.
const HOLD_INTERVAL: Duration = Duration::from_millis(100);

/// What a service's file says, and how to find it in Traefik's own view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    pub text: String,
    /// A middleware that is named by this text and does nothing: Traefik knows it once it follows the text.
    pub edition: String,
    /// The rest of what the text defines.
    pub items: Vec<Item>,
}

/// Something that Traefik's API can be asked about by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub kind: Kind,
    pub name: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Router,
    Service,
    Middleware,
}

/// The text for these routes. Without a certificate resolver, https is served with Traefik's own certificate.
pub fn render(routes: &Routes, resolver: Option<&str>) -> Rendered {
    render_as(routes, routes, resolver)
}

/// The text for these routes while all that were held come at once: busy containers are tried as patiently as while nobody
/// was there, and not asked for their health. With the usual patience requests would fail, and the many short tries keep
/// those busy that are to answer.
pub fn render_for_rush(routes: &Routes, resolver: Option<&str>) -> Rendered {
    render_as(routes, &Routes { hold: Some(RUSH), healthcheck: None, ..routes.clone() }, resolver)
}

/// What this file makes of its routes; none where `render` did not write it.
pub fn rendered(text: &str, resolver: Option<&str>) -> Option<Rendered> {
    let render = if is_for_rush(text, resolver) { render_for_rush } else { render };
    Some(render(&parse(text)?, resolver))
}

/// Whether requests wait for long where this file is followed.
pub fn is_patient(text: &str, resolver: Option<&str>) -> bool {
    parse(text).is_some_and(|routes| routes.hold.is_some()) || is_for_rush(text, resolver)
}

pub fn is_for_rush(text: &str, resolver: Option<&str>) -> bool {
    parse(text).is_some_and(|routes| render_for_rush(&routes, resolver).text == text)
}

fn render_as(routes: &Routes, shape: &Routes, resolver: Option<&str>) -> Rendered {
    let mut http = Http::of(shape, resolver);
    let items = http.items();
    let json = serde_json::to_string(routes).expect("routes are texts, numbers and lists");
    let edition = format!("{}-edition-{}", routes.service.flat(), short_hash(&json, &body(&http)));
    let nothing = MiddlewareEntry::Chain { middlewares: ["_hsts"] };
    http.middlewares.insert(edition.clone(), nothing);
    Rendered { text: format!("{HEAD}\n{ROUTES}{json}\n\n{}", body(&http)), edition, items }
}

/// The routes in a file that `render` wrote; none in any other file.
pub fn parse(text: &str) -> Option<Routes> {
    let mut lines = text.lines();
    let json = lines.next().filter(|line| *line == HEAD).and_then(|_| lines.next())?.strip_prefix(ROUTES)?;
    serde_json::from_str(json).ok()
}

fn short_hash(json: &str, body: &str) -> String {
    let digest = Sha256::new().chain_update(json).chain_update(body).finalize();
    digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

fn body(http: &Http<'_>) -> String {
    toml::to_string(&BTreeMap::from([("http", http)])).expect("the configuration is tables, texts and numbers")
}

/// Traefik's dynamic configuration, as far as it is used here. Empty tables are left out: Traefik refuses them.
#[derive(Serialize)]
struct Http<'a> {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    routers: BTreeMap<String, RouterEntry<'a>>,
    services: BTreeMap<String, ServiceEntry>,
    middlewares: BTreeMap<String, MiddlewareEntry>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RouterEntry<'a> {
    entry_points: [&'static str; 1],
    rule: String,
    service: String,
    middlewares: Vec<String>,
    tls: Option<Tls<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Tls<'a> {
    cert_resolver: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum ServiceEntry {
    LoadBalancer(LoadBalancer),
    Failover { service: String, fallback: String },
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LoadBalancer {
    servers_transport: &'static str,
    servers: Vec<ServerEntry>,
    health_check: Option<HealthEntry>,
}

#[derive(Serialize)]
struct ServerEntry {
    url: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HealthEntry {
    path: String,
    interval: String,
    timeout: String,
    /// A redirect is an answer; where it leads may not be the container's business.
    follow_redirects: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum MiddlewareEntry {
    #[serde(rename_all = "camelCase")]
    Retry {
        attempts: u64,
        initial_interval: String,
        timeout: Option<String>,
        retry_non_idempotent_method: bool,
    },
    Chain {
        middlewares: [&'static str; 1],
    },
}

impl<'a> Http<'a> {
    fn of(routes: &Routes, resolver: Option<&'a str>) -> Self {
        let name = routes.service.flat();
        let retry = format!("{name}-retry");
        let (entry, services) = services(routes);
        let routers = routes.urls.iter().enumerate().flat_map(|(at, url)| {
            let own = (format!("{name}-url-{}", at + 1), router(&entry, url, &retry, resolver));
            let redirect = is_redirected(url, &routes.urls)
                .then(|| (format!("{name}-redirect-{}", at + 1), redirect(&entry, url)));
            [own].into_iter().chain(redirect)
        });
        Self { routers: routers.collect(), services, middlewares: BTreeMap::from([(retry, retries(routes.hold))]) }
    }

    fn items(&self) -> Vec<Item> {
        let named = |kind, name: &String| Item { kind, name: name.clone() };
        let routers = self.routers.keys().map(|name| named(Kind::Router, name));
        let services = self.services.keys().map(|name| named(Kind::Service, name));
        let middlewares = self.middlewares.keys().map(|name| named(Kind::Middleware, name));
        routers.chain(services).chain(middlewares).collect()
    }
}

fn router<'a>(service: &str, url: &ServiceUrl, retry: &str, resolver: Option<&'a str>) -> RouterEntry<'a> {
    let secure = url.scheme == Scheme::Https;
    RouterEntry {
        entry_points: [if secure { "websecure" } else { "web" }],
        rule: rule(url),
        service: service.to_owned(),
        middlewares: [retry.to_owned()].into_iter().chain(secure.then(|| "_hsts@file".to_owned())).collect(),
        tls: secure.then_some(Tls { cert_resolver: resolver }),
    }
}

/// A service that wants to serve the same URL without https too gets its way.
fn is_redirected(url: &ServiceUrl, all: &[ServiceUrl]) -> bool {
    url.scheme == Scheme::Https && !all.contains(&ServiceUrl { scheme: Scheme::Http, ..url.clone() })
}

fn redirect<'a>(service: &str, url: &ServiceUrl) -> RouterEntry<'a> {
    RouterEntry {
        entry_points: ["web"],
        rule: rule(url),
        service: service.to_owned(),
        middlewares: vec!["_redirect@file".to_owned()],
        tls: None,
    }
}

/// Traefik prefers the longer rule, so the longer path of a domain wins.
fn rule(url: &ServiceUrl) -> String {
    let host = format!("Host(`{}`)", url.host);
    if url.path.is_empty() { host } else { format!("{host} && PathPrefix(`{}`)", routing_path(&url.path)) }
}

/// What routers lead to, and all that is behind it. With a health check the same containers are there once more without
/// it, for when none of them passes: those that are only too busy to answer it in time shall not be answered for with 503.
fn services(routes: &Routes) -> (String, BTreeMap<String, ServiceEntry>) {
    let name = routes.service.flat();
    // Held requests are to wait for a container that does not answer yet.
    let Some(check) = routes.healthcheck.as_ref().filter(|_| routes.hold.is_none()) else {
        return (name.clone(), BTreeMap::from([(name, ServiceEntry::LoadBalancer(balancer(routes, None)))]));
    };
    let (entry, fallback) = (format!("{FAILOVER}{name}"), format!("{UNCHECKED}{name}"));
    let services = BTreeMap::from([
        (entry.clone(), ServiceEntry::Failover { service: name.clone(), fallback: fallback.clone() }),
        (name, ServiceEntry::LoadBalancer(balancer(routes, Some(check)))),
        (fallback, ServiceEntry::LoadBalancer(balancer(routes, None))),
    ]);
    (entry, services)
}

fn balancer(routes: &Routes, check: Option<&HealthCheck>) -> LoadBalancer {
    LoadBalancer {
        servers_transport: if routes.hold.is_some() { "_patient@file" } else { "_quick@file" },
        servers: routes.targets.iter().map(|target| ServerEntry { url: format!("http://{target}") }).collect(),
        health_check: check.map(|check| HealthEntry {
            path: check.path.clone(),
            interval: milliseconds(check.interval),
            timeout: milliseconds(check.timeout),
            follow_redirects: false,
        }),
    }
}

fn retries(hold: Option<Duration>) -> MiddlewareEntry {
    let Retries { attempts, interval } = hold.map_or(PASSING, |limit| Retries {
        attempts: limit.as_millis().div_ceil(HOLD_INTERVAL.as_millis() / 2) + 1,
        interval: HOLD_INTERVAL,
    });
    MiddlewareEntry::Retry {
        attempts: u64::try_from(attempts).unwrap_or(u64::MAX),
        initial_interval: milliseconds(interval),
        timeout: hold.map(milliseconds),
        retry_non_idempotent_method: true,
    }
}

fn milliseconds(duration: Duration) -> String {
    format!("{}ms", duration.as_millis())
}

#[cfg(test)]
mod tests;
