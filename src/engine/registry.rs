//! Where images come from: registries, their repositories, and the logins that the server's user has there.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Docker's own registry, as images are named: it is meant where a name tells none.
const HUB: &str = "docker.io";

/// As `docker login` writes it down.
const HUB_KEY: &str = "https://index.docker.io/v1/";

/// Other names of its machines.
const HUB_HOSTS: [&str; 3] = [HUB, "index.docker.io", "registry-1.docker.io"];

/// A registry by its host, perhaps with a port, as in `registry.example.com`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Registry(String);

/// What all tags of an image have in common, as in `registry.example.com/team/base`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Repository(String);

/// Where a build takes images from, and what it may show there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources {
    /// As far as the Dockerfile tells.
    pub registries: BTreeSet<Registry>,
    pub logins: Logins,
}

/// Which logins of the server's user may be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Logins {
    /// Also those that programs keep for registries that nobody can tell beforehand.
    Every,
    All,
    Only(BTreeSet<Registry>),
}

impl Default for Logins {
    fn default() -> Self {
        Self::Only(BTreeSet::new())
    }
}

impl Logins {
    pub fn include(&self, registry: &Registry) -> bool {
        match self {
            Self::Every | Self::All => true,
            Self::Only(registries) => registries.contains(registry),
        }
    }
}

/// What a registry that refused an image had been shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Nothing: the server's user never logged in there.
    Stranger,
    /// A login.
    LoggedIn,
    /// Nothing: whether there is a login could not be found out.
    Unknown { why: String },
    /// Nothing: whoever asked for the build may not use the server's logins for it.
    Withheld,
}

impl Registry {
    /// Of an image's name, read as Docker does.
    pub fn of_image(image: &str) -> Self {
        match image.split_once('/') {
            Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => Self::of_host(host),
            _ => Self(HUB.to_owned()),
        }
    }

    pub(super) fn of_host(host: &str) -> Self {
        let host = host.to_lowercase();
        Self(if HUB_HOSTS.contains(&host.as_str()) { HUB.to_owned() } else { host })
    }

    /// Of a key under `auths`, which may be an address. None where it is not for images.
    pub(super) fn of_key(key: &str) -> Option<Self> {
        let address = ["https://", "http://"].iter().find_map(|scheme| key.strip_prefix(scheme)).unwrap_or(key);
        let (host, path) = address.split_once('/').unwrap_or((address, ""));
        let registry = Self::of_host(host);
        // Docker's own client keeps tokens beside its login there.
        let is_other = registry.0 == HUB && !matches!(path.trim_end_matches('/'), "" | "v1" | "v2");
        (!is_other && !host.is_empty()).then_some(registry)
    }

    /// What Docker and programs that keep logins call it.
    pub(super) fn key(&self) -> &str {
        if self.0 == HUB { HUB_KEY } else { &self.0 }
    }

    fn login(&self) -> String {
        if self.0 == HUB { "docker login".to_owned() } else { format!("docker login {self}") }
    }

    /// What can be done where it refused an image.
    pub fn advice(&self, standing: &Standing) -> String {
        let login = format!("run `{}` on the server, as the user that mypaas runs as, and try again.", self.login());
        match standing {
            Standing::Stranger => {
                format!("Is the image's name right? The server's user has no login for {self}: {login}")
            }
            Standing::LoggedIn => format!(
                "Is the image's name right? The login for {self} that the server's user has is not enough; for another \
                 one, {login}"
            ),
            Standing::Unknown { why } => format!(
                "Whether the server's user has a login for {self} could not be found out: {why}. Mend that; or {login}"
            ),
            Standing::Withheld => format!(
                "A key for some services may use the server's login for {self} only for images that the service was \
                 built on before with a key that is not limited. Push it once with such a key."
            ),
        }
    }
}

impl fmt::Display for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Repository {
    /// Of an image's name, with or without tag and digest.
    pub fn of(image: &str) -> Self {
        let registry = Registry::of_image(image);
        let named = image.split('@').next().unwrap_or(image);
        let path = match named.split_once('/') {
            Some((host, path)) if Registry::of_host(host) == registry => path,
            _ => named,
        };
        let path = path.split(':').next().unwrap_or(path);
        let official = if registry.0 == HUB && !path.contains('/') { "library/" } else { "" };
        Self(format!("{registry}/{official}{path}"))
    }

    pub fn registry(&self) -> Registry {
        Registry::of_image(&self.0)
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_s_name_tells_its_registry_and_repository() {
        for (image, registry, repository) in [
            ("python", "docker.io", "docker.io/library/python"),
            ("python:3.13-slim", "docker.io", "docker.io/library/python"),
            ("ada/tool:1", "docker.io", "docker.io/ada/tool"),
            ("docker.io/ada/tool", "docker.io", "docker.io/ada/tool"),
            ("index.docker.io/library/python:3", "docker.io", "docker.io/library/python"),
            ("localhost/x", "localhost", "localhost/x"),
            ("localhost:5000/x:1", "localhost:5000", "localhost:5000/x"),
            ("127.0.0.1:5000/team/base:1", "127.0.0.1:5000", "127.0.0.1:5000/team/base"),
            ("registry.example.com/a/b/c:1@sha256:0a", "registry.example.com", "registry.example.com/a/b/c"),
            ("Registry.Example.com/x", "registry.example.com", "registry.example.com/x"),
        ] {
            let found = Repository::of(image);
            assert_eq!(Registry::of_image(image).to_string(), registry, "{image}");
            assert_eq!((found.to_string(), found.registry().to_string()), (repository.to_owned(), registry.to_owned()));
        }
    }

    #[test]
    fn keys_of_logins_name_registries() {
        let of = |key: &str| Registry::of_key(key).map(|registry| registry.to_string());
        for key in ["https://index.docker.io/v1/", "index.docker.io", "docker.io", "https://registry-1.docker.io/v2/"] {
            assert_eq!(of(key).as_deref(), Some("docker.io"), "{key}");
        }
        for key in ["r.example.com", "https://r.example.com", "http://r.example.com/v1/", "r.example.com/"] {
            assert_eq!(of(key).as_deref(), Some("r.example.com"), "{key}");
        }
        for key in
            ["https://index.docker.io/v1/access-token", "https://index.docker.io/v1/refresh-token", "", "https://"]
        {
            assert_eq!(of(key), None, "{key}");
        }
        assert_eq!(Registry::of_image("x").key(), HUB_KEY);
    }

    #[test]
    fn advice_tells_what_to_run_and_where() {
        let registry = Registry::of_image("r.example.com/x");
        let unknown = Standing::Unknown { why: "no such program".to_owned() };
        for standing in [Standing::Stranger, Standing::LoggedIn, unknown] {
            let advice = registry.advice(&standing);
            assert!(advice.contains("`docker login r.example.com` on the server"), "{advice}");
        }
        assert!(Registry::of_image("x").advice(&Standing::Stranger).contains("docker.io: run `docker login` on"));
        assert!(!registry.advice(&Standing::Withheld).contains("docker login"));
    }
}
