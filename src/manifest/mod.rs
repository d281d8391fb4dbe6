//! Dockerfile text → [`Manifest`], or diagnostics that say where and what to do.
//!
//! ```text
//! check.rs         the story: everything below, in turn
//! text.rs          bytes → lines: encoding, BOM, line ends
//! instructions.rs  lines → what Docker makes of them: heredocs, FROM
//! images.rs        lines → the images that a build takes something from, for keys that may not take from all
//! option.rs        lines → `mypaas.key=value` with positions; the table of known options
//! value/           one value → its type
//! draft.rs         values → manifest: what is given twice, what is missing
//! advice.rs        options that are good alone and questionable together
//! diagnostic.rs    what is wrong: line, column, marked text, hint
//! ```

mod advice;
mod check;
mod diagnostic;
mod draft;
mod images;
mod instructions;
mod option;
mod text;
mod value;

use std::fmt;
use std::num::{NonZeroU16, NonZeroU32};
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use check::{check, check_missing, from_ends, images};
pub use diagnostic::{Diagnostic, Excerpt, Severity, is_invisible};
pub use images::Images;
pub use value::{DurationError, LimitError, UrlError, parse_cpus, parse_duration, parse_memory};

use crate::name::ServiceName;

/// All options of a Dockerfile, checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    pub service: ServiceName,
    /// Each once, and none whose requests another one redirects to https.
    pub urls: Vec<ServiceUrl>,
    /// Each container folder once.
    pub volumes: Vec<Volume>,
    /// Each name once, and none that every container gets anyway.
    pub env: Vec<EnvVar>,
    /// What the process in the container listens on.
    pub port: NonZeroU16,
    pub publish: Vec<Publish>,
    pub scale: Scale,
    /// None for [`Scale::Single`].
    pub healthcheck: Option<HealthCheck>,
    pub max_cpu: Option<CpuLimit>,
    pub max_mem: Option<MemoryLimit>,
    /// Runs once in a new image before anything is replaced.
    #[serde(default)]
    pub release_command: Option<Vec<String>>,
    /// The Dockerfile builds on an image tagged `latest`: a build pulls it anew.
    pub pulls_latest: bool,
    /// The options as they stand in the text, for showing.
    pub options: Vec<OptionLine>,
}

/// What reading a Dockerfile gave: all its problems at once, and the manifest when none of them is an error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Checked {
    pub manifest: Option<Manifest>,
    pub diagnostics: Vec<Diagnostic>,
}

/// One option as written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OptionLine {
    /// Counted from one.
    pub line: u32,
    /// Without `mypaas.`.
    pub key: String,
    pub value: String,
}

/// A URL of a service: scheme, domain and path; no port, query or fragment.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct ServiceUrl {
    pub scheme: Scheme,
    /// Lower case; an international name in its ASCII form.
    pub host: String,
    /// Empty for the whole domain, else it starts with a slash and does not end with one.
    pub path: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    Http,
    Https,
}

impl fmt::Display for ServiceUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
        };
        f.pad(&format!("{scheme}://{}{}", self.host, self.path))
    }
}

impl fmt::Debug for ServiceUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A folder of the server that is seen in the container. Whether the server's folder is allowed is checked there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volume {
    /// As written: `~/dir`, or absolute.
    pub server_dir: String,
    /// Absolute.
    pub container_dir: String,
    pub read_only: bool,
}

/// A variable of the container's environment.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "lowercase")]
pub enum EnvVar {
    /// `FOO=bar` in the Dockerfile.
    Dockerfile { name: String, value: String },
    /// `FOO` alone: the value is `[env]` of the server's `config.toml`.
    Server { name: String },
}

impl EnvVar {
    pub fn name(&self) -> &str {
        match self {
            EnvVar::Dockerfile { name, .. } | EnvVar::Server { name } => name,
        }
    }
}

impl fmt::Debug for EnvVar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EnvVar::Dockerfile { name, .. } => write!(f, "{name}=…"),
            EnvVar::Server { name } => write!(f, "{name}"),
        }
    }
}

/// One entry as for Docker's `--publish`: `[ip:][host_port:]container_port[/protocol]`. A range is one entry a port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publish {
    pub address: Option<std::net::IpAddr>,
    /// None: the engine chooses a free one.
    pub host_port: Option<NonZeroU16>,
    pub container_port: NonZeroU16,
    pub protocol: Protocol,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    Tcp,
    Udp,
    Sctp,
}

/// As it may stand in a Dockerfile, with the protocol always written.
impl fmt::Display for Publish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = match self.address {
            Some(std::net::IpAddr::V6(address)) => format!("[{address}]:"),
            Some(std::net::IpAddr::V4(address)) => format!("{address}:"),
            None => String::new(),
        };
        let host_port = match self.host_port {
            Some(port) => format!("{port}:"),
            None if self.address.is_some() => ":".to_owned(),
            None => String::new(),
        };
        f.pad(&format!("{address}{host_port}{}/{}", self.container_port, self.protocol))
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
            Protocol::Sctp => "sctp",
        })
    }
}

/// How many containers, and how new ones replace old ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Scale {
    /// `mypaas.scale` is 0 or absent: one container, stopped before the next one starts.
    Single,
    /// `mypaas.scale=N`, N > 0: new containers start while the old serve.
    Rolling { count: NonZeroU32 },
    /// `mypaas.scale=N safe`: all old ones stop before the first new one starts.
    Safe { count: NonZeroU32 },
}

impl Scale {
    /// More containers of one service than this are a slip of the finger.
    pub const LARGEST: u32 = 100;

    /// How many containers run.
    pub fn count(self) -> u32 {
        match self {
            Scale::Single => 1,
            Scale::Rolling { count } | Scale::Safe { count } => count.get(),
        }
    }

    /// The number in `mypaas.scale`, which is 0 for a service that does not scale.
    pub fn declared(self) -> u32 {
        match self {
            Scale::Single => 0,
            other => other.count(),
        }
    }
}

/// `mypaas.healthcheck=/path interval timeout`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthCheck {
    pub path: String,
    pub interval: Duration,
    pub timeout: Duration,
}

/// CPUs a container may use, in units of 10⁻⁹, as Docker's API has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CpuLimit {
    pub nano_cpus: i64,
}

/// Bytes of memory a container may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MemoryLimit {
    pub bytes: i64,
}
