//! `config.toml` of the server folder: what an operator may set, checked, with its defaults.

mod webhook;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

pub use self::webhook::{WebhookKind, WebhookSection};
use crate::engine::{Secret, Subnet};
use crate::manifest::{CpuLimit, MemoryLimit, parse_cpus, parse_duration, parse_memory};
use crate::name::InstanceName;
use crate::router::traefik::Acme;

/// The name of the file in the server folder.
pub const FILE_NAME: &str = "config.toml";

#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("could not read {}", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    /// The message of the TOML parser says the line and shows it.
    #[error("{} is not as it should be", path.display())]
    Parse { path: PathBuf, source: toml::de::Error },
}

/// All settings.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    pub init: Init,
    pub server: ServerSection,
    pub network: NetworkSection,
    pub api: ApiSection,
    pub router: RouterSection,
    pub acme: AcmeSection,
    pub deploy: DeploySection,
    pub limits: LimitsSection,
    /// Who is told of alerts.
    pub webhook: Vec<WebhookSection>,
    /// Values for `mypaas.env=NAME`.
    pub env: BTreeMap<String, EnvValue>,
}

/// `[init]`, as the Python original writes it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Init {
    pub domain: Option<String>,
    /// For the certificate authority.
    pub email: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerSection {
    /// Tells two platforms on one engine apart.
    pub instance: InstanceName,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NetworkSection {
    /// Of the services' network, as in `10.97.0.0/16`; none: one that is free.
    #[serde(deserialize_with = "optional_subnet")]
    pub subnet: Option<Subnet>,
}

/// How the server is reached over the network, under its domain.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ApiSection {
    /// Where it listens, for the router alone; 0: any port that is free.
    pub port: u16,
    /// Without https, although the domain is a public one: whoever listens on the way reads along.
    pub http: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RouterSection {
    pub image: String,
    /// The server's address that requests are taken on.
    pub bind: IpAddr,
    /// 0: any that is free.
    pub http_port: u16,
    pub https_port: u16,
}

impl Default for RouterSection {
    fn default() -> Self {
        Self {
            image: "traefik:v3.7.15".to_owned(),
            bind: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            http_port: 80,
            https_port: 443,
        }
    }
}

/// Where certificates come from; they are asked for when `[init]` has an email.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AcmeSection {
    /// The directory of an ACME server; none: Let's Encrypt's.
    pub server: Option<url::Url>,
    /// A file in PEM that vouches for it, where no well-known authority does.
    pub ca_file: Option<PathBuf>,
    /// How long its certificates are valid.
    pub hours: u32,
}

impl Default for AcmeSection {
    fn default() -> Self {
        Self { server: None, ca_file: None, hours: Acme::USUAL_HOURS }
    }
}

/// How long things may take in a deploy; written as in `60s`, `500ms`, `5m`.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeploySection {
    /// Until a new container is ready.
    #[serde(deserialize_with = "duration")]
    pub ready_deadline: Duration,
    /// For requests in flight on containers that leave; half a second at least.
    #[serde(deserialize_with = "duration")]
    pub drain: Duration,
    /// How long a container must stay up that shows readiness in no other way.
    #[serde(deserialize_with = "duration")]
    pub settle: Duration,
    /// Between SIGTERM and SIGKILL.
    #[serde(deserialize_with = "duration")]
    pub grace: Duration,
    /// How long a release command may run.
    #[serde(deserialize_with = "duration")]
    pub command_limit: Duration,
    /// How long a new release is watched after the switch, to go back when it keeps failing; zero, written as `off`:
    /// not at all.
    #[serde(deserialize_with = "duration_or_off")]
    pub watch: Duration,
    /// Releases of a service that are kept, with the live one.
    pub keep_releases: usize,
    /// Builds that run at once.
    pub parallel_builds: usize,
    /// How much CPU a build gets beside a service's container, which has 1024, when both want more than there is.
    #[serde(deserialize_with = "cpu_shares")]
    pub build_cpu_shares: u32,
    /// CPUs that a build may use, also when nobody else wants them; none, written as `off`: all.
    #[serde(deserialize_with = "cpus_or_off")]
    pub build_max_cpu: Option<CpuLimit>,
    #[serde(deserialize_with = "build_memory")]
    pub build_max_mem: BuildMemory,
}

/// How much memory a build may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BuildMemory {
    /// What is available when it begins, but for a part that is left to what runs already.
    Auto,
    Off,
    Limit(MemoryLimit),
}

/// Docker takes no other number of shares.
const CPU_SHARES: std::ops::RangeInclusive<u32> = 2..=262_144;

/// Shorter, and the router may still send a request it had decided on before it saw the change.
const SHORTEST_DRAIN: Duration = Duration::from_millis(500);

impl DeploySection {
    pub fn drain(&self) -> Duration {
        self.drain.max(SHORTEST_DRAIN)
    }

    pub fn parallel_builds(&self) -> u32 {
        self.parallel_builds.clamp(1, 16) as u32
    }
}

impl Default for DeploySection {
    fn default() -> Self {
        Self {
            ready_deadline: Duration::from_secs(60),
            drain: Duration::from_secs(10),
            settle: Duration::from_secs(5),
            grace: Duration::from_secs(10),
            command_limit: Duration::from_secs(600),
            watch: Duration::from_secs(30),
            keep_releases: 10,
            parallel_builds: 1,
            build_cpu_shares: 128,
            build_max_cpu: None,
            build_max_mem: BuildMemory::Auto,
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsSection {
    /// The largest context, in MiB before compression.
    pub context_mib: u64,
    /// No build begins that would leave less room than this on a disk, in MiB; 0: none is refused for this.
    pub min_free_mib: u64,
}

impl Default for LimitsSection {
    fn default() -> Self {
        Self { context_mib: 1024, min_free_mib: 1024 }
    }
}

/// A value of `[env]`; numbers and booleans may be written without quotes.
#[derive(Clone, Deserialize)]
#[serde(untagged)]
pub enum EnvValue {
    Text(String),
    Integer(i64),
    Float(f64),
    Boolean(bool),
}

impl EnvValue {
    pub fn secret(&self) -> Secret {
        Secret::new(match self {
            EnvValue::Text(text) => text.clone(),
            EnvValue::Integer(number) => number.to_string(),
            EnvValue::Float(number) => number.to_string(),
            EnvValue::Boolean(value) => value.to_string(),
        })
    }
}

impl std::fmt::Debug for EnvValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

impl Config {
    /// Reads the file of a server folder; a missing file means all defaults.
    pub fn read(home: &Path) -> Result<Self, ConfigError> {
        let path = home.join(FILE_NAME);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(source) => return Err(ConfigError::Read { path, source }),
        };
        toml::from_str(&text).map_err(|mut source| {
            // The parser's message shows the line it stumbled over, which may hold a secret.
            if text.contains("[env]") || text.contains("[[webhook]]") {
                source.set_input(None);
            }
            ConfigError::Parse { path, source }
        })
    }
}

fn duration<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_duration(&text).map_err(serde::de::Error::custom)
}

fn duration_or_off<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    match String::deserialize(deserializer)?.as_str() {
        "off" => Ok(Duration::ZERO),
        text => parse_duration(text).map_err(serde::de::Error::custom),
    }
}

fn cpu_shares<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let shares = u32::deserialize(deserializer)?;
    let refusal = || format!("{shares} is no number of CPU shares; Docker takes 2 to 262144");
    CPU_SHARES.contains(&shares).then_some(shares).ok_or_else(refusal).map_err(serde::de::Error::custom)
}

fn cpus_or_off<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<CpuLimit>, D::Error> {
    match EnvValue::deserialize(deserializer)?.secret().expose() {
        "off" => Ok(None),
        text => parse_cpus(text).map(Some).map_err(serde::de::Error::custom),
    }
}

fn build_memory<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<BuildMemory, D::Error> {
    match String::deserialize(deserializer)?.as_str() {
        "auto" => Ok(BuildMemory::Auto),
        "off" => Ok(BuildMemory::Off),
        text => parse_memory(text).map(BuildMemory::Limit).map_err(serde::de::Error::custom),
    }
}

fn optional_subnet<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Subnet>, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map(Some).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Config, ConfigError> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE_NAME), text).unwrap();
        Config::read(folder.path())
    }

    #[test]
    fn without_a_file_the_defaults_hold() {
        let folder = tempfile::tempdir().unwrap();
        let config = Config::read(folder.path()).unwrap();
        assert_eq!(config.router.http_port, 80);
        assert_eq!(config.deploy.ready_deadline, Duration::from_secs(60));
        assert!(config.server.instance.is_default());
    }

    #[test]
    fn an_original_file_is_read() {
        let config = read(
            "[init]\ndomain = \"paas.example.com\"\nemail = \"a@example.com\"\nweb_credentials = \"admin:x\"\n\
             [env]\nTOKEN = \"s3cret\"\nPORT = 8080\n",
        )
        .unwrap();
        assert_eq!(config.init.domain.as_deref(), Some("paas.example.com"));
        assert_eq!(config.env["PORT"].secret().expose(), "8080");
        assert!(!format!("{config:?}").contains("s3cret"));
    }

    #[test]
    fn a_mistake_is_told_and_shows_no_secret() {
        let error = read("[env]\nTOKEN = \"s3cret\n").unwrap_err();
        let told = format!("{error} {:?}", std::error::Error::source(&error).map(ToString::to_string));
        assert!(told.contains("config.toml") && !told.contains("s3cret"), "{told}");
        assert!(read("[deploy]\ndrain = \"10\"\n").is_err());
        assert!(read("[deploy]\ndrane = \"10s\"\n").is_err());
    }

    #[test]
    fn webhooks_are_read_and_their_addresses_are_never_shown() {
        let config = read(
            "[[webhook]]\nurl = \"https://hooks.slack.com/services/T0/B0/s3cret\"\nkind = \"slack\"\n\
             [[webhook]]\nurl = \"http://127.0.0.1:9/x\"\nkind = \"json\"\nkinds = [\"down\", \"disk\"]\n\
             token = \"t0ken\"\n",
        )
        .unwrap();
        assert_eq!(config.webhook.len(), 2);
        assert!(config.webhook[0].kinds.is_empty() && config.webhook[1].kinds.len() == 2);
        let shown = format!("{config:?}");
        assert!(!shown.contains("s3cret") && !shown.contains("t0ken"), "{shown}");
        for (line, told) in [
            ("url = \"ftp://example.com\"\nkind = \"json\"", "http:// or https://"),
            ("url = \"https://example.com/s3cret\"\nkind = \"mail\"", "unknown variant `mail`"),
            ("url = \"https://example.com/s3cret\"\nkind = \"json\"\nkinds = [\"dwon\"]", "`dwon` is no kind of alert"),
        ] {
            let error = read(&format!("[[webhook]]\n{line}\n")).unwrap_err();
            let source = std::error::Error::source(&error).unwrap().to_string();
            assert!(source.contains(told) && !source.contains("s3cret"), "{line}: {source}");
        }
    }

    #[test]
    fn the_watch_over_new_releases_can_be_switched_off() {
        assert_eq!(read("[deploy]\nwatch = \"off\"\n").unwrap().deploy.watch, Duration::ZERO);
        assert_eq!(read("[deploy]\nwatch = \"5s\"\n").unwrap().deploy.watch, Duration::from_secs(5));
    }

    #[test]
    fn limits_of_builds_are_written_as_people_write_them() {
        let deploy = |line: &str| read(&format!("[deploy]\n{line}\n")).map(|config| config.deploy);
        for (text, nano_cpus) in [("1.5", 1_500_000_000), ("2", 2_000_000_000), ("\"0.5\"", 500_000_000)] {
            let limit = deploy(&format!("build_max_cpu = {text}")).unwrap().build_max_cpu;
            assert_eq!(limit, Some(CpuLimit { nano_cpus }), "{text}");
        }
        assert_eq!(deploy("build_max_cpu = \"off\"").unwrap().build_max_cpu, None);
        let memory = |text: &str| deploy(&format!("build_max_mem = \"{text}\"")).unwrap().build_max_mem;
        assert_eq!(memory("4g"), BuildMemory::Limit(MemoryLimit { bytes: 4 << 30 }));
        assert_eq!((memory("auto"), memory("off")), (BuildMemory::Auto, BuildMemory::Off));
        for (line, told) in [
            ("build_cpu_shares = 1", "2 to 262144"),
            ("build_max_cpu = \"many\"", "`many` is not a number of CPUs"),
            ("build_max_cpu = 0", "more than 0 CPUs"),
            ("build_max_mem = \"1k\"", "Docker's minimum"),
        ] {
            let error = deploy(line).unwrap_err();
            let source = std::error::Error::source(&error).unwrap().to_string();
            assert!(source.contains(told), "{line}: {source}");
        }
    }

    #[test]
    fn a_drain_is_never_shorter_than_the_router_needs() {
        let config = read("[deploy]\ndrain = \"1ms\"\n").unwrap();
        assert_eq!(config.deploy.drain(), SHORTEST_DRAIN);
    }
}
