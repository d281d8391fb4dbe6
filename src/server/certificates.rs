//! How the domains of https URLs stand: looked at now and then, and often while something is about to change.

use std::collections::BTreeSet;
use std::net::{IpAddr, UdpSocket};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, timeout};

use super::core::Core;
use crate::api::{CertificateView, Standing};
use crate::manifest::{Scheme, ServiceUrl};
use crate::router::Certificates;

const FIRST_PAUSE: Duration = Duration::from_secs(3);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// How long names are looked up.
const LOOKUP_LIMIT: Duration = Duration::from_secs(3);

/// What is known of certificates, and when to look again.
#[derive(Debug, Default)]
pub(super) struct CertificateBook {
    page: Mutex<Page>,
}

#[derive(Debug, Default)]
struct Page {
    known: Certificates,
    /// The server's count of changes, when it was last asked whether to look.
    changes: u64,
    looked: Option<Instant>,
    pause: Duration,
}

impl CertificateBook {
    pub(super) fn views(&self, urls: &[ServiceUrl]) -> Vec<CertificateView> {
        let (page, now) = (self.page(), Timestamp::now());
        let view = |domain: String| CertificateView { standing: page.known.standing(&domain, now), domain };
        secured(urls).into_iter().map(view).collect()
    }

    /// Soon after something changed on the server, and after ever longer pauses while nothing does.
    fn is_due(&self, changes: u64) -> bool {
        let mut page = self.page();
        if page.changes != changes {
            page.changes = changes;
            page.pause = FIRST_PAUSE;
        }
        page.looked.is_none_or(|looked| looked.elapsed() >= page.pause)
    }

    /// Whether it is news.
    fn note(&self, known: Certificates) -> bool {
        let mut page = self.page();
        let news = page.known != known;
        page.pause = if news { FIRST_PAUSE } else { (page.pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE) };
        page.looked = Some(Instant::now());
        page.known = known;
        news
    }

    fn page(&self) -> MutexGuard<'_, Page> {
        self.page.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Core {
    /// Looks at certificates when it is time.
    pub(super) async fn look_at_certificates(&self) {
        let changes = *self.changed.borrow();
        if !self.certificates.is_due(changes) {
            return;
        }
        match self.router.certificates().await {
            Ok(known) => {
                if self.certificates.note(known) {
                    self.mark_changed();
                }
            }
            Err(error) => tracing::warn!(%error, "what is known of certificates could not be read"),
        }
    }

    /// Why the certificate authority will not find this server behind an https URL, as far as names tell.
    pub(super) async fn doubts(&self, urls: &[ServiceUrl]) -> Vec<String> {
        if self.config.init.email.is_none() {
            return Vec::new();
        }
        let held =
            self.certificates.views(urls).into_iter().filter(|view| matches!(view.standing, Standing::Valid { .. }));
        let held: BTreeSet<String> = held.map(|view| view.domain).collect();
        let mut doubts = Vec::new();
        let asked: Vec<String> = secured(urls).into_iter().filter(|domain| !held.contains(domain)).collect();
        if asked.is_empty() {
            return doubts;
        }
        let (own, ours) = match &self.config.init.domain {
            Some(domain) => (format!("this server ({domain})"), addresses(domain).await.map(known)),
            None => ("this server".to_owned(), Ok(way_out().into_iter().collect())),
        };
        let Ok(ours) = ours else { return doubts };
        for domain in asked {
            doubts.extend(doubt(&domain, addresses(&domain).await, &own, &ours, is_of_this_machine));
        }
        doubts
    }
}

/// The domains of https URLs.
fn secured(urls: &[ServiceUrl]) -> BTreeSet<String> {
    urls.iter().filter(|url| url.scheme == Scheme::Https).map(|url| url.host.clone()).collect()
}

/// Fails in words.
async fn addresses(domain: &str) -> Result<BTreeSet<IpAddr>, String> {
    match timeout(LOOKUP_LIMIT, tokio::net::lookup_host((domain, 443))).await {
        Ok(Ok(found)) => Ok(found.map(|address| address.ip()).collect()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer within {LOOKUP_LIMIT:?}")),
    }
}

/// Those that others may know the server by too. A machine often has its own name in its file of hosts, with an address that
/// only it understands.
fn known(mut ours: BTreeSet<IpAddr>) -> BTreeSet<IpAddr> {
    ours.retain(|address| !is_inner(address));
    ours
}

fn is_inner(address: &IpAddr) -> bool {
    address.is_loopback() || address.is_unspecified()
}

/// The address with which this machine reaches others, where others reach it by that too: behind a translation of addresses
/// nobody here knows by which. Nothing is sent to find it.
fn way_out() -> Option<IpAddr> {
    const SOMEWHERE: &str = "192.0.2.1:9";
    let socket = UdpSocket::bind(("0.0.0.0", 0)).ok()?;
    socket.connect(SOMEWHERE).ok()?;
    let IpAddr::V4(own) = socket.local_addr().ok()?.ip() else { return None };
    let is_carriers = own.octets()[0] == 100 && own.octets()[1] & 0xc0 == 64;
    let is_inner = own.is_private() || own.is_loopback() || own.is_link_local() || own.is_unspecified() || is_carriers;
    (!is_inner).then_some(IpAddr::V4(own))
}

/// Whether it is an address of this machine, which its own domain may well not tell: an IPv6 one, or one of several.
fn is_of_this_machine(address: &IpAddr) -> bool {
    !is_inner(address) && UdpSocket::bind((*address, 0)).is_ok()
}

/// The authority goes by IPv6 where a domain has it, and falls back on IPv4 only where nothing answers.
fn doubt(
    domain: &str,
    theirs: Result<BTreeSet<IpAddr>, String>,
    own: &str,
    ours: &BTreeSet<IpAddr>,
    is_here: impl Fn(&IpAddr) -> bool,
) -> Option<String> {
    let theirs = match theirs {
        Ok(theirs) => theirs,
        Err(error) => return Some(format!("{domain} cannot be looked up ({error}): a certificate will be refused")),
    };
    let is_ours = |address: &IpAddr| ours.contains(address) || is_here(address);
    let list = |addresses: &BTreeSet<IpAddr>| addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let by_ipv6: BTreeSet<IpAddr> = theirs.iter().copied().filter(IpAddr::is_ipv6).collect();
    if ours.is_empty() {
        None
    } else if !theirs.iter().any(is_ours) {
        let (theirs, ours) = (list(&theirs), list(ours));
        Some(format!(
            "{domain} points to {theirs}, {own} is {ours}: a certificate will be refused until it points here"
        ))
    } else if !by_ipv6.is_empty() && !by_ipv6.iter().any(is_ours) {
        let (theirs, ours) = (list(&by_ipv6), list(ours));
        Some(format!(
            "{domain} points here by IPv4, but by IPv6, which goes first, to {theirs}, {own} is {ours}: a \
             certificate will be refused until its AAAA record points here or is gone"
        ))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(addresses: &[&str]) -> BTreeSet<IpAddr> {
        addresses.iter().map(|address| address.parse().unwrap()).collect()
    }

    #[test]
    fn a_domain_that_points_elsewhere_is_told_with_both_addresses() {
        let ours = set(&["192.0.2.1", "2001:db8::1"]);
        let of = |theirs| doubt("shop.example.com", theirs, "this server (paas.example.com)", &ours, |_| false);
        assert_eq!(of(Ok(set(&["198.51.100.7", "2001:db8::1"]))), None);
        let elsewhere = of(Ok(set(&["198.51.100.7"]))).unwrap();
        assert_eq!(
            elsewhere,
            "shop.example.com points to 198.51.100.7, this server (paas.example.com) is 192.0.2.1, 2001:db8::1: a \
             certificate will be refused until it points here"
        );
        assert!(of(Err("unknown".into())).unwrap().contains("cannot be looked up (unknown)"));
    }

    #[test]
    fn an_ipv6_address_elsewhere_is_told_although_the_other_one_is_right() {
        let theirs = set(&["192.0.2.1", "2001:db8::bad"]);
        for ours in [set(&["192.0.2.1"]), set(&["192.0.2.1", "2001:db8::1"])] {
            let of = |is_here: fn(&IpAddr) -> bool| {
                doubt("shop.test", Ok(theirs.clone()), "this server (paas.test)", &ours, is_here)
            };
            let told = of(|_| false).unwrap();
            assert!(told.contains("by IPv6, which goes first, to 2001:db8::bad, this server"), "{told}");
            assert_eq!(of(IpAddr::is_ipv6), None, "this machine has that address, though its own domain does not tell");
        }
    }

    #[test]
    fn a_machine_that_knows_itself_by_its_file_of_hosts_only_doubts_nothing() {
        let of = |ours: &[&str]| {
            doubt("shop.test", Ok(set(&["192.0.2.1"])), "this server (paas.test)", &known(set(ours)), |_| false)
        };
        assert_eq!(of(&["127.0.1.1"]), None);
        assert_eq!(of(&["127.0.1.1", "::1", "192.0.2.1"]), None);
        assert!(of(&["127.0.1.1", "192.0.2.2"]).unwrap().contains("(paas.test) is 192.0.2.2:"));
        assert!(!is_of_this_machine(&"::1".parse().unwrap()));
        assert!(!is_of_this_machine(&"2001:db8::1".parse().unwrap()), "of a network for examples");
    }

    #[tokio::test(start_paused = true)]
    async fn looks_are_rare_while_nothing_changes() {
        let book = CertificateBook::default();
        assert!(book.is_due(0), "never looked");
        let mut looks = 0;
        for _ in 0..600 {
            if book.is_due(1) {
                looks += 1;
                book.note(Certificates::default());
            }
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        assert!((10..=16).contains(&looks), "{looks} looks in ten minutes");
        book.note(Certificates::default());
        tokio::time::advance(FIRST_PAUSE).await;
        assert!(!book.is_due(1));
        assert!(book.is_due(2), "something changed on the server");
        assert!(book.note(Certificates { asked_for: true, ..Certificates::default() }));
        tokio::time::advance(FIRST_PAUSE).await;
        assert!(book.is_due(2), "there was news");
    }
}
