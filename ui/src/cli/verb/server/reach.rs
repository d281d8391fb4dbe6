//! Whether a server that was set up is reached at its domain, and what is missing when it is not.

use std::error::Error;
use std::net::IpAddr;
use std::time::Duration;

use mypaas::api::ServerView;
use mypaas::client::ClientError;
use mypaas::fleet::{Server, SshAddress};
use mypaas::name::ServerName;
use tokio::net::lookup_host;
use tokio::time::{Instant, sleep};

use crate::cli::session::Session;
use crate::cli::set_up::SetUpError;

/// The router needs a while to know the way, and the authority to give a certificate.
const LIMIT: Duration = Duration::from_secs(45);
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);

/// A domain that names the machine, or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Points {
    /// It has no address.
    Nowhere,
    /// To the machine, as far as that can be told.
    Here,
    Elsewhere,
}

/// Returns once it answers at its domain.
pub(super) async fn at_its_domain(
    session: &Session,
    name: &ServerName,
    server: &Server,
    domain: &str,
    machine: &SshAddress,
) -> anyhow::Result<ServerView> {
    let client = session.way_to(server).await?;
    let (theirs, own) = (addresses(domain).await, addresses(&machine.host).await);
    let points = points(&theirs, &own);
    let start = Instant::now();
    loop {
        let error = match client.server().await {
            Ok(view) => return Ok(view),
            Err(error) => error,
        };
        let may_come = points == Points::Here && !matches!(error, ClientError::Refused(_) | ClientError::Version(_));
        if !may_come || start.elapsed() >= LIMIT {
            let missing = missing(points, domain, &theirs, &machine.host, &error);
            return Err(SetUpError::NotReached { name: name.clone(), missing, source: error }.into());
        }
        sleep(BETWEEN_LOOKS).await;
    }
}

/// None where the name has none.
async fn addresses(host: &str) -> Vec<IpAddr> {
    lookup_host((host, 0)).await.map(|found| found.map(|address| address.ip()).collect()).unwrap_or_default()
}

/// What only ssh's own configuration knows by that name may be anywhere, also where the domain points to.
fn points(theirs: &[IpAddr], own: &[IpAddr]) -> Points {
    match theirs {
        [] => Points::Nowhere,
        _ if own.is_empty() || theirs.iter().any(|address| own.contains(address)) => Points::Here,
        _ => Points::Elsewhere,
    }
}

fn missing(points: Points, domain: &str, theirs: &[IpAddr], host: &str, error: &ClientError) -> String {
    let listed: Vec<String> = theirs.iter().map(IpAddr::to_string).collect();
    let listed = listed.join(", ");
    match points {
        Points::Nowhere => format!("{domain} has no address: have its DNS record point to {host}"),
        Points::Elsewhere => {
            format!("{domain} points to {listed}, which is not {host}: have its DNS record point there")
        }
        Points::Here if is_about_the_certificate(error) => format!(
            "{domain} points to {host}, which has no certificate for it that this machine trusts: one is asked for when \
             --email is given, and `mypaas alerts` there tells when it was refused"
        ),
        Points::Here => format!(
            "{domain} points to {listed}, and no server answers there: does a firewall let requests in on the ports of \
             the router (80 and 443)?"
        ),
    }
}

fn is_about_the_certificate(error: &ClientError) -> bool {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.to_string().contains("certificate") {
            return true;
        }
        cause = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(theirs: &[&str], own: &[&str]) -> String {
        let parsed = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<IpAddr>>();
        let (theirs, own) = (parsed(theirs), parsed(own));
        let error = ClientError::TimedOut { limit: Duration::from_secs(1) };
        missing(points(&theirs, &own), "paas.example.com", &theirs, "shop.example.com", &error)
    }

    #[test]
    fn what_is_missing_is_told_by_where_the_domain_points() {
        let told_of = |theirs: &[&str], own: &[&str], parts: [&str; 2]| {
            let told = told(theirs, own);
            assert!(parts.iter().all(|part| told.contains(part)), "{told}");
        };
        told_of(&[], &["192.0.2.1"], ["has no address", "point to shop.example.com"]);
        told_of(&["192.0.2.9"], &["192.0.2.1"], ["points to 192.0.2.9", "is not shop.example.com"]);
        told_of(&["192.0.2.9", "192.0.2.1"], &["192.0.2.1"], ["192.0.2.9, 192.0.2.1", "firewall"]);
        told_of(&["192.0.2.9"], &[], ["points to 192.0.2.9", "firewall"]);
    }
}
