//! Whether the server is reached by its domain, and how.

use std::net::IpAddr;

use crate::manifest::ServiceUrl;
use crate::server::config::Config;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reach {
    Not { why: &'static str },
    ByDomain { domain: String, secure: bool },
}

impl Reach {
    pub(super) fn of(config: &Config) -> Self {
        let Some(domain) = config.init.domain.as_deref().filter(|domain| !domain.is_empty()) else {
            return Self::Not { why: "config.toml has no domain under [init]" };
        };
        let Ok(ServiceUrl { host, path, .. }) = ServiceUrl::try_from(format!("https://{domain}")) else {
            return Self::Not { why: "the domain under [init] of config.toml is none" };
        };
        if !path.is_empty() || host != domain.to_ascii_lowercase() {
            return Self::Not { why: "the domain under [init] of config.toml is more or less than a domain" };
        }
        let has_email = config.init.email.as_deref().is_some_and(|email| !email.is_empty());
        match (config.api.http || is_own(&host), has_email) {
            (true, _) => Self::ByDomain { domain: host, secure: false },
            (false, true) => Self::ByDomain { domain: host, secure: true },
            (false, false) => Self::Not {
                why: "a certificate takes an email under [init] of config.toml; http = true under [api] does without",
            },
        }
    }
}

/// Names that never leave the machine, so that nobody can listen on the way.
fn is_own(host: &str) -> bool {
    host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(config: &str) -> Reach {
        Reach::of(&toml::from_str(config).unwrap())
    }

    fn by(domain: &str, secure: bool) -> Reach {
        Reach::ByDomain { domain: domain.to_owned(), secure }
    }

    #[test]
    fn a_public_domain_is_reached_with_https_or_not_at_all() {
        let init = "[init]\ndomain = \"PaaS.example.com\"\n";
        assert_eq!(reach(&format!("{init}email = \"a@example.com\"")), by("paas.example.com", true));
        assert!(matches!(reach(init), Reach::Not { .. }));
        assert!(matches!(reach(&format!("{init}email = \"\"")), Reach::Not { .. }));
        assert_eq!(reach(&format!("{init}[api]\nhttp = true")), by("paas.example.com", false));
    }

    #[test]
    fn names_of_this_machine_need_no_certificate() {
        for own in ["localhost", "paas.localhost", "127.0.0.1"] {
            assert_eq!(reach(&format!("[init]\ndomain = \"{own}\"\nemail = \"a@b.c\"")), by(own, false));
        }
        assert!(matches!(reach("[init]\ndomain = \"notlocalhost\""), Reach::Not { .. }));
    }

    #[test]
    fn what_is_no_domain_is_not_routed() {
        for wrong in ["", "a b", "https://a.example", "a.example/x", "a.example:80", "x`)||Host(`y", "a\\nb"] {
            let config = format!("[init]\ndomain = \"{wrong}\"\nemail = \"a@b.c\"");
            assert!(matches!(reach(&config), Reach::Not { .. }), "{wrong}");
        }
        assert!(matches!(reach(""), Reach::Not { .. }));
    }
}
