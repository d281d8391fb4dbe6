//! What does not depend on any service: Traefik's own settings, and what all routes share. Both are compiled-in
//! templates with a few places to fill.

use std::net::Ipv4Addr;
use std::num::NonZeroU16;
use std::path::PathBuf;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sha1::{Digest, Sha1};

use super::own;
use crate::engine::Secret;
use crate::router::ApiRoute;

const STATIC: &str = include_str!("../../../assets/traefik/traefik.toml");
const ACME: &str = include_str!("../../../assets/traefik/acme.toml");
const BASE: &str = include_str!("../../../assets/traefik/base.toml");
const API_HTTP: &str = include_str!("../../../assets/traefik/api_http.toml");
const API_HTTPS: &str = include_str!("../../../assets/traefik/api_https.toml");

/// Where Traefik sees the operator's certificates.
pub(super) const OWN_CERTIFICATES: &str = "/certificates";

/// The user name that goes with the password of Traefik's API.
pub(super) const API_USER: &str = "mypaas";

/// The certificate resolver's name in Traefik's settings.
pub(super) const RESOLVER: &str = "default";

/// Where certificates come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acme {
    /// Let's Encrypt writes to it when a certificate is about to lapse.
    pub email: String,
    /// None: Let's Encrypt.
    pub ca_server: Option<url::Url>,
    /// A file in PEM that vouches for that server, where no well-known authority does.
    pub ca_file: Option<PathBuf>,
    /// How long its certificates are valid, in hours: so it is known when to renew them.
    pub hours: u32,
}

impl Acme {
    /// Let's Encrypt's certificates are valid for 90 days.
    pub const USUAL_HOURS: u32 = 90 * 24;
}

/// Where Traefik listens and what it reads, as it sees it itself.
#[derive(Debug, Clone)]
pub struct Setup {
    /// As in `:80` or `127.0.0.1:8080`.
    pub http: String,
    pub https: String,
    /// For mypaas alone.
    pub api: String,
    /// The watched folder.
    pub routes: String,
    /// The file that certificates are kept in.
    pub certificates: String,
    /// The file that vouches for the certificate authority's server, if there is one.
    pub authority: String,
    pub acme: Option<Acme>,
}

impl Setup {
    /// The file that Traefik reads when it starts.
    pub fn render(&self) -> String {
        let mut text =
            fill(STATIC, &[("http", &self.http), ("https", &self.https), ("api", &self.api), ("routes", &self.routes)]);
        if let Some(acme) = &self.acme {
            let email = toml::Value::from(acme.email.as_str()).to_string();
            text.push_str(&fill(
                ACME,
                &[("email", &email), ("storage", &self.certificates), ("hours", &acme.hours.to_string())],
            ));
            if let Some(server) = &acme.ca_server {
                text.push_str(&format!("caServer = {}\n", toml::Value::from(server.as_str())));
            }
            if acme.ca_file.is_some() {
                text.push_str(&format!("caCertificates = [{}]\n", toml::Value::from(self.authority.as_str())));
            }
        }
        text
    }
}

/// What all routes share.
#[derive(Debug)]
pub struct Base<'a> {
    /// The only address that may use Traefik's API.
    pub server: Ipv4Addr,
    /// For that API.
    pub password: &'a Secret,
    /// The certificate for domains that there is none for, with its key, in PEM.
    pub fallback: &'a Secret,
    /// None: the engine chooses.
    pub https_port: Option<NonZeroU16>,
    /// The names of the operator's certificates.
    pub own: &'a [String],
}

/// The file with what all routes share.
pub fn render_base(base: &Base<'_>) -> String {
    let hash = format!("{{SHA}}{}", BASE64_STANDARD.encode(Sha1::digest(base.password.expose())));
    let port = base.https_port.map_or(443, NonZeroU16::get).to_string();
    let fallback = toml::Value::from(base.fallback.expose()).to_string();
    let mut text = fill(
        BASE,
        &[
            ("server", &base.server.to_string()),
            ("password_hash", &hash),
            ("https_port", &port),
            ("fallback", &fallback),
        ],
    );
    for name in base.own {
        let file = |ending| toml::Value::from(format!("{OWN_CERTIFICATES}/{name}.{ending}"));
        let (certificate, key) = (file(own::CERTIFICATE), file(own::KEY));
        text.push_str(&format!("\n[[tls.certificates]]\ncertFile = {certificate}\nkeyFile = {key}\n"));
    }
    text
}

/// The file with the way to the server's own API.
pub(super) fn render_api(route: &ApiRoute, resolver: Option<&str>) -> String {
    let tls = resolver.map_or_else(|| "{}".to_owned(), |name| format!("{{ certResolver = \"{name}\" }}"));
    let template = if route.secure { API_HTTPS } else { API_HTTP };
    fill(template, &[("domain", &route.domain), ("target", &route.target.to_string()), ("tls", &tls)])
}

fn fill(template: &str, places: &[(&str, &str)]) -> String {
    places.iter().fold(template.to_owned(), |text, (place, value)| text.replace(&format!("{{{{{place}}}}}"), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setup(acme: Option<Acme>) -> Setup {
        Setup {
            http: ":80".into(),
            https: ":443".into(),
            api: ":8080".into(),
            routes: "/etc/traefik/routes".into(),
            certificates: "/acme.json".into(),
            authority: "/etc/traefik/authority.pem".into(),
            acme,
        }
    }

    fn acme(email: &str) -> Acme {
        Acme { email: email.into(), ca_server: None, ca_file: None, hours: Acme::USUAL_HOURS }
    }

    #[test]
    fn the_settings_of_an_ordinary_server_are_as_reviewed() {
        insta::assert_snapshot!(setup(None).render());
    }

    #[test]
    fn certificates_come_from_the_named_server() {
        let acme = Acme {
            ca_server: Some("https://ca.test/dir".parse().unwrap()),
            ca_file: Some("ca.pem".into()),
            hours: 1,
            ..acme("ada@example.com")
        };
        let text = setup(Some(acme)).render();
        let parsed: toml::Table = text.parse().unwrap();
        let resolver = &parsed["certificatesResolvers"][RESOLVER]["acme"];
        assert_eq!(resolver["email"].as_str(), Some("ada@example.com"));
        assert_eq!(resolver["caServer"].as_str(), Some("https://ca.test/dir"));
        assert_eq!(resolver["caCertificates"][0].as_str(), Some("/etc/traefik/authority.pem"));
        assert_eq!(resolver["certificatesDuration"].as_integer(), Some(1));
        assert_eq!(resolver["httpChallenge"]["entryPoint"].as_str(), Some("web"));
    }

    #[test]
    fn an_email_cannot_add_settings() {
        let acme = acme("a\"\nstorage = \"/etc/passwd");
        let parsed: toml::Table = setup(Some(acme.clone())).render().parse().unwrap();
        let resolver = &parsed["certificatesResolvers"][RESOLVER]["acme"];
        assert_eq!(resolver["email"].as_str(), Some(acme.email.as_str()));
        assert_eq!(resolver["storage"].as_str(), Some("/acme.json"));
    }

    #[test]
    fn the_shared_part_is_as_reviewed() {
        insta::assert_snapshot!(render_base(&Base {
            server: Ipv4Addr::new(10, 97, 0, 1),
            password: &Secret::new("password".into()),
            fallback: &Secret::new("-----BEGIN CERTIFICATE-----\nMIIB\n".into()),
            https_port: NonZeroU16::new(8443),
            own: &[],
        }));
    }

    #[test]
    fn the_way_to_the_api_is_as_reviewed() {
        let target = "10.97.0.1:4711".parse().unwrap();
        let route = ApiRoute { domain: "paas.localhost".into(), secure: false, target };
        let secure = ApiRoute { domain: "paas.example.com".into(), secure: true, target };
        let texts =
            [render_api(&route, None), render_api(&secure, Some(RESOLVER)), render_api(&secure, None)].join("\n----\n");
        insta::assert_snapshot!(texts);
        texts.split("\n----\n").for_each(|text| drop(text.parse::<toml::Table>().unwrap()));
    }

    #[test]
    fn an_https_port_that_the_engine_chooses_is_redirected_to_as_443() {
        let (server, password, fallback) = (Ipv4Addr::LOCALHOST, &Secret::default(), &Secret::default());
        let base = Base { server, password, fallback, https_port: None, own: &[] };
        let base: toml::Table = render_base(&base).parse().unwrap();
        assert_eq!(base["http"]["middlewares"]["_redirect"]["redirectScheme"]["port"].as_str(), Some("443"));
    }
}
