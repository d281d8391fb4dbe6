//! How the domains of https URLs stand: looked at now and then, and often while something is about to change.

use std::collections::BTreeSet;
use std::net::IpAddr;
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
        let Some(own) = self.config.init.domain.as_deref().filter(|_| self.config.init.email.is_some()) else {
            return Vec::new();
        };
        let held =
            self.certificates.views(urls).into_iter().filter(|view| matches!(view.standing, Standing::Valid { .. }));
        let held: BTreeSet<String> = held.map(|view| view.domain).collect();
        let mut doubts = Vec::new();
        let asked: Vec<String> = secured(urls).into_iter().filter(|domain| !held.contains(domain)).collect();
        if asked.is_empty() {
            return doubts;
        }
        let Ok(ours) = addresses(own).await else { return doubts };
        for domain in asked {
            doubts.extend(doubt(&domain, addresses(&domain).await, own, &ours));
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

fn doubt(domain: &str, theirs: Result<BTreeSet<IpAddr>, String>, own: &str, ours: &BTreeSet<IpAddr>) -> Option<String> {
    let list = |addresses: &BTreeSet<IpAddr>| addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    match theirs {
        Ok(theirs) if theirs.is_disjoint(ours) => Some(format!(
            "{domain} points to {}, this server ({own}) is {}: a certificate will be refused until it points here",
            list(&theirs),
            list(ours)
        )),
        Ok(_) => None,
        Err(error) => Some(format!("{domain} cannot be looked up ({error}): a certificate will be refused")),
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
        let of = |theirs| doubt("shop.example.com", theirs, "paas.example.com", &ours);
        assert_eq!(of(Ok(set(&["198.51.100.7", "2001:db8::1"]))), None);
        let elsewhere = of(Ok(set(&["198.51.100.7"]))).unwrap();
        assert_eq!(
            elsewhere,
            "shop.example.com points to 198.51.100.7, this server (paas.example.com) is 192.0.2.1, 2001:db8::1: a \
             certificate will be refused until it points here"
        );
        assert!(of(Err("unknown".into())).unwrap().contains("cannot be looked up (unknown)"));
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
