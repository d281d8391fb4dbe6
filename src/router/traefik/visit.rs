//! A visitor of the server's own API: asks Traefik for it by the server's domain, and so the server by way of Traefik.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::container::{HTTP, HTTPS};
use crate::router::{ApiRoute, Result, RouterError};

const LIMIT: Duration = Duration::from_secs(5);

/// The status of the answer.
pub(super) async fn ask(router: Ipv4Addr, api: &ApiRoute, path: &str) -> Result<u16> {
    let ApiRoute { domain, secure, .. } = api;
    let (url, client) = if *secure {
        // Whether there is a certificate yet is told elsewhere; what is asked is a container of our own.
        let client = crate::http::secure().tls_danger_accept_invalid_certs(true);
        let there = SocketAddr::from((router, HTTPS.get()));
        (format!("https://{domain}{path}"), client.resolve(domain, there))
    } else {
        (format!("http://{}{path}", SocketAddr::from((router, HTTP.get()))), crate::http::plain())
    };
    let unreachable = |error: reqwest::Error| RouterError::Unreachable {
        endpoint: format!("{router}, asked for {domain}{path}"),
        source: error.without_url().into(),
    };
    let client = client.redirect(reqwest::redirect::Policy::none()).timeout(LIMIT).build().map_err(unreachable)?;
    let request = client.get(url);
    // Over https it is the address already.
    let request = if *secure { request } else { request.header("Host", domain) };
    Ok(request.send().await.map_err(unreachable)?.status().as_u16())
}
