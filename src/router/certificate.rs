//! Certificates: those that the router serves, and why it could not get others.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use x509_parser::extensions::GeneralName;
use x509_parser::pem::Pem;

/// What the router has, and what it was refused.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Certificates {
    /// Certificates for https URLs are asked for; else only the operator's own are there.
    pub asked_for: bool,
    pub held: Vec<Certificate>,
    pub refused: Vec<Refusal>,
}

/// One that the router serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// As in `example.com` or `*.example.com`.
    pub domains: BTreeSet<String>,
    /// Who vouches for it, as in `R11, Let's Encrypt`.
    pub issuer: String,
    pub since: Timestamp,
    pub expires: Timestamp,
}

/// Why a certificate could not be got, or one of the operator's cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub domain: String,
    pub at: Timestamp,
    pub reason: String,
}

/// How a domain stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "standing", rename_all = "snake_case")]
pub enum Standing {
    Valid {
        issuer: String,
        expires: Timestamp,
        /// Why it could not be renewed, when it was tried.
        refusal: Option<String>,
    },
    Expired {
        issuer: String,
        expires: Timestamp,
        refusal: Option<String>,
    },
    /// It was asked for, and did not come.
    Refused {
        reason: String,
        at: Timestamp,
    },
    /// Asked for; it comes within seconds, or is refused.
    Pending,
    /// Nobody is asked for one, so that browsers warn.
    None,
}

impl Certificates {
    pub fn standing(&self, domain: &str, now: Timestamp) -> Standing {
        let held = self.held.iter().filter(|held| held.covers(domain)).max_by_key(|held| held.expires);
        let refusal = self.refused.iter().filter(|refusal| refusal.domain == domain).max_by_key(|refusal| refusal.at);
        match (held, refusal) {
            (Some(held), refusal) => {
                let (issuer, expires) = (held.issuer.clone(), held.expires);
                let since = refusal.filter(|refusal| refusal.at > held.since).map(|refusal| refusal.reason.clone());
                if expires > now {
                    Standing::Valid { issuer, expires, refusal: since }
                } else {
                    Standing::Expired { issuer, expires, refusal: since }
                }
            }
            (None, Some(Refusal { reason, at, .. })) => Standing::Refused { reason: reason.clone(), at: *at },
            (None, None) if self.asked_for => Standing::Pending,
            (None, None) => Standing::None,
        }
    }
}

impl Certificate {
    /// The first certificate of a PEM file; those that vouch for it follow it.
    ///
    /// # Errors
    /// In words, when there is none that can be read.
    pub fn read(pem: &[u8]) -> Result<Self, String> {
        let pem = Pem::iter_from_buffer(pem).find(|block| block.as_ref().is_ok_and(|pem| pem.label == "CERTIFICATE"));
        let pem = pem.ok_or("it holds no certificate")?.map_err(|error| format!("it is no PEM file: {error}"))?;
        let x509 = pem.parse_x509().map_err(|error| format!("its certificate cannot be read: {error}"))?;
        let alternatives = x509.subject_alternative_name().ok().flatten();
        let names = alternatives.iter().flat_map(|names| &names.value.general_names);
        let domains = names.filter_map(|name| match name {
            GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
            _ => None,
        });
        let issuer = x509.issuer();
        let words = issuer.iter_common_name().chain(issuer.iter_organization());
        let words: Vec<&str> = words.filter_map(|word| word.as_str().ok()).collect();
        let time = |seconds| Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX);
        Ok(Self {
            domains: domains.collect(),
            issuer: words.join(", "),
            since: time(x509.validity().not_before.timestamp()),
            expires: time(x509.validity().not_after.timestamp()),
        })
    }

    /// A wildcard stands for one label.
    pub fn covers(&self, domain: &str) -> bool {
        let wildcard = domain.split_once('.').map(|(_, parent)| format!("*.{parent}"));
        self.domains.contains(domain) || wildcard.is_some_and(|wildcard| self.domains.contains(&wildcard))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(domains: &[&str], since: i64, expires: i64) -> Certificate {
        let time = |seconds| Timestamp::from_second(seconds).unwrap();
        let domains = domains.iter().map(|&domain| domain.to_owned()).collect();
        Certificate { domains, issuer: "Test CA".to_owned(), since: time(since), expires: time(expires) }
    }

    fn refusal(domain: &str, at: i64) -> Refusal {
        let at = Timestamp::from_second(at).unwrap();
        Refusal { domain: domain.to_owned(), at, reason: format!("refused at {}", at.as_second()) }
    }

    #[test]
    fn a_certificate_is_read_from_its_file() {
        let read = Certificate::read(include_bytes!("../../tests/fixtures/certificates/two_domains.pem")).unwrap();
        assert_eq!(read.domains, ["*.shop.example.com", "example.com"].map(str::to_owned).into());
        assert_eq!(read.issuer, "Fixture CA, Fixtures of mypaas");
        assert!(read.since < read.expires);
        for text in [&b""[..], b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", b"no PEM"] {
            assert_eq!(Certificate::read(text).unwrap_err(), "it holds no certificate");
        }
        let cut = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(Certificate::read(cut).unwrap_err().starts_with("its certificate cannot be read"));
    }

    #[test]
    fn a_wildcard_covers_one_label_and_not_its_parent() {
        let certificate = certificate(&["*.example.com", "example.org"], 0, 1);
        for (domain, covered) in [
            ("a.example.com", true),
            ("a.b.example.com", false),
            ("example.com", false),
            ("example.org", true),
            ("a.example.org", false),
        ] {
            assert_eq!(certificate.covers(domain), covered, "{domain}");
        }
    }

    #[test]
    fn a_domain_stands_as_its_newest_certificate_and_what_came_after_it() {
        let now = Timestamp::from_second(100).unwrap();
        let held =
            vec![certificate(&["a.test"], 10, 50), certificate(&["a.test"], 40, 200), certificate(&["b.test"], 10, 90)];
        let refused = vec![refusal("a.test", 20), refusal("b.test", 80), refusal("b.test", 85), refusal("c.test", 5)];
        let all = Certificates { asked_for: true, held, refused };
        let issuer = || "Test CA".to_owned();
        let time = |seconds| Timestamp::from_second(seconds).unwrap();
        assert_eq!(
            all.standing("a.test", now),
            Standing::Valid { issuer: issuer(), expires: time(200), refusal: None }
        );
        let refusal = Some("refused at 85".to_owned());
        assert_eq!(all.standing("b.test", now), Standing::Expired { issuer: issuer(), expires: time(90), refusal });
        let reason = "refused at 5".to_owned();
        assert_eq!(all.standing("c.test", now), Standing::Refused { reason, at: time(5) });
        assert_eq!(all.standing("d.test", now), Standing::Pending);
        assert_eq!(Certificates::default().standing("d.test", now), Standing::None);
    }
}
