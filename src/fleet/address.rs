//! Where a server is.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use url::{Host, Url};

/// How a server is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Address {
    /// `unix:///path`: the server's socket on this machine.
    Unix(PathBuf),
    /// `https://domain`: the server's own domain, with signed requests.
    Network(NetworkAddress),
    /// `ssh://user@host`: the server's socket, by way of the system's ssh.
    Ssh(SshAddress),
}

/// A server's domain, as `https://domain:port` without a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkAddress(Url);

impl NetworkAddress {
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// Nobody on the way can read along: it is https, or never leaves this machine.
    pub fn is_private(&self) -> bool {
        self.0.scheme() == "https" || self.is_this_machine()
    }

    /// The domain means this machine, also where no name server knows it.
    pub fn is_this_machine(&self) -> bool {
        match self.0.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
            Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
            None => false,
        }
    }
}

/// A machine as ssh knows it, and perhaps the server's folder there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SshAddress {
    /// None: whom ssh's own configuration says.
    pub user: Option<String>,
    /// A host name, or a name of ssh's own configuration.
    pub host: String,
    pub port: Option<u16>,
    /// None: the usual folder of that user.
    pub home: Option<String>,
}

/// Why a text is not the address of a server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    #[error("{0:?} is not the address of a server; use https://domain, ssh://user@host or unix:///path/to/mypaas.sock")]
    Scheme(String),
    #[error("the path in {0:?} is not absolute; use three slashes, as in unix:///path/to/mypaas.sock")]
    Relative(String),
    #[error("{0:?} holds more than a domain and perhaps a port; use https://domain")]
    NotADomain(String),
    #[error("{text:?} is not a machine for ssh: {why}; use ssh://user@host, perhaps with :port and /server/folder")]
    Ssh { text: String, why: &'static str },
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if let Some(path) = text.strip_prefix("unix://") {
            if !path.starts_with('/') {
                return Err(AddressError::Relative(text.to_owned()));
            }
            return Ok(Self::Unix(PathBuf::from(path)));
        }
        if let Some(machine) = text.strip_prefix("ssh://") {
            let ssh = |why| AddressError::Ssh { text: text.to_owned(), why };
            return SshAddress::parse(machine).map(Self::Ssh).map_err(ssh);
        }
        if !text.starts_with("https://") && !text.starts_with("http://") {
            return Err(AddressError::Scheme(text.to_owned()));
        }
        let not_a_domain = || AddressError::NotADomain(text.to_owned());
        let url = Url::parse(text).map_err(|_| not_a_domain())?;
        let bare = url.username().is_empty() && url.password().is_none() && url.path() == "/";
        if !bare || url.query().is_some() || url.fragment().is_some() {
            return Err(not_a_domain());
        }
        Ok(Self::Network(NetworkAddress(url)))
    }
}

impl SshAddress {
    /// What is left of it reaches a command line, so it must not look like an option, nor mean anything to a shell.
    fn parse(text: &str) -> Result<Self, &'static str> {
        let (machine, home) = text.split_once('/').map_or((text, None), |(machine, path)| (machine, Some(path)));
        let (user, host) = machine.rsplit_once('@').map_or((None, machine), |(user, host)| (Some(user), host));
        let (host, port) = match host.rsplit_once(':') {
            Some((host, port)) if !host.ends_with(':') => (host, Some(port)),
            _ => (host, None),
        };
        let port = port.map(|port| port.parse::<u16>().map_err(|_| "its port is no number")).transpose()?;
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let is_plain = |text: &str, more: &str| {
            !text.is_empty()
                && !text.starts_with('-')
                && text.chars().all(|letter| letter.is_ascii_alphanumeric() || more.contains(letter))
        };
        if !is_plain(host, ".-_:%") {
            return Err("its host name is none");
        }
        if !user.is_none_or(|user| is_plain(user, ".-_+\\@")) {
            return Err("its user name is none");
        }
        let home = home.filter(|path| !path.is_empty()).map(|path| format!("/{path}"));
        if !home.as_deref().is_none_or(|path| is_plain(path, "/.-_+@ ")) {
            return Err("its path holds characters that a shell would understand");
        }
        Ok(Self { user: user.map(str::to_owned), host: host.to_owned(), port, home })
    }

    /// As ssh wants it: `user@host`.
    pub fn destination(&self) -> String {
        self.user.as_ref().map_or_else(|| self.host.clone(), |user| format!("{user}@{}", self.host))
    }
}

impl fmt::Display for SshAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = self.user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        f.pad(&format!("ssh://{user}{host}{port}{}", self.home.as_deref().unwrap_or_default()))
    }
}

impl TryFrom<String> for Address {
    type Error = AddressError;

    fn try_from(text: String) -> Result<Self, AddressError> {
        text.parse()
    }
}

impl From<Address> for String {
    fn from(address: Address) -> String {
        address.to_string()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Unix(path) => f.pad(&format!("unix://{}", path.display())),
            Address::Network(NetworkAddress(url)) => f.pad(url.as_str().trim_end_matches('/')),
            Address::Ssh(ssh) => ssh.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_written_as_it_was_read() {
        for text in [
            "unix:///run/a.sock",
            "https://paas.example.com",
            "https://paas.example.com:8443",
            "http://paas.localhost:32768",
            "https://[::1]:8443",
            "ssh://ada@shop.example.com",
            "ssh://shop",
            "ssh://shop:2222/srv/mypaas",
            "ssh://ada@[2001:db8::1]:22",
        ] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
        assert_eq!("https://PaaS.example.com:443/".parse::<Address>().unwrap().to_string(), "https://paas.example.com");
    }

    #[test]
    fn what_is_no_address_is_told_apart() {
        let error = |text: &str| text.parse::<Address>().unwrap_err();
        for text in ["", "shop.example.com", "ftp://a", "unix:/a", "HTTPS://a"] {
            assert_eq!(error(text), AddressError::Scheme(text.into()), "{text}");
        }
        assert_eq!(error("unix://run/b.sock"), AddressError::Relative("unix://run/b.sock".into()));
        for text in
            ["https://", "https://a/b", "https://u@a", "https://u:p@a", "https://a?x", "https://a#x", "http://a b"]
        {
            assert_eq!(error(text), AddressError::NotADomain(text.into()), "{text}");
        }
    }

    #[test]
    fn nothing_of_an_address_is_an_option_or_a_command() {
        for text in [
            "ssh://",
            "ssh://-oProxyCommand=x",
            "ssh://-l@host",
            "ssh://a@-b",
            "ssh://a b",
            "ssh://a;b",
            "ssh://a:port",
            "ssh://a:99999",
            "ssh://$(x)@a",
            "ssh://a/$(x)",
            "ssh://a/`x`",
            "ssh://a/'x'",
            "ssh://a/x;y",
            "ssh://a/x\ny",
        ] {
            assert!(matches!(text.parse::<Address>(), Err(AddressError::Ssh { .. })), "{text}");
        }
    }

    #[test]
    fn only_this_machine_s_names_are_private_without_https() {
        for (text, private) in [
            ("https://paas.example.com", true),
            ("http://localhost:80", true),
            ("http://paas.localhost", true),
            ("http://127.0.0.1:8080", true),
            ("http://[::1]", true),
            ("http://paas.example.com", false),
            ("http://notlocalhost", false),
            ("http://10.0.0.1", false),
        ] {
            let Ok(Address::Network(address)) = text.parse() else { panic!("{text}") };
            assert_eq!(address.is_private(), private, "{text}");
        }
    }
}
