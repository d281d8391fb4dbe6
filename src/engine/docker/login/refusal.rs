//! Docker's words → the registry that refused an image. Registries differ in how they do, and so do versions of Docker.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use crate::engine::Registry;

const REFUSALS: [&str; 7] = [
    "pull access denied",
    "unauthorized",
    "no basic auth credentials",
    "authentication required",
    "incorrect username or password",
    "403 Forbidden",
    // More may be pulled with a login.
    "toomanyrequests",
];

/// Instructions that failed by themselves; what they did may have been denied elsewhere.
const OWN: [&str; 3] = ["The command ", "COPY failed", "ADD failed"];

pub(super) fn refused_by(message: &str, taken: Option<&str>, named: &BTreeSet<Registry>) -> Option<Registry> {
    if !is_refusal(message) {
        return None;
    }
    let only = || named.first().filter(|_| named.len() == 1).cloned();
    let taken = || taken.filter(|image| !image.contains('$')).map(Registry::of_image);
    told(message).or_else(taken).or_else(only)
}

fn is_refusal(message: &str) -> bool {
    let is_denied = message.split(": ").any(|part| part.trim() == "denied");
    !OWN.iter().any(|own| message.starts_with(own))
        && (is_denied || REFUSALS.iter().any(|refusal| message.contains(refusal)))
}

/// The registry that the message itself names.
fn told(message: &str) -> Option<Registry> {
    static IMAGE: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"access denied for ([^\s,]+)").expect("the pattern is valid"));
    static ADDRESS: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r#"https?://([^/\s"]+)/v[12]/"#).expect("the pattern is valid"));
    let found = |pattern: &Regex| Some(pattern.captures(message)?.get(1)?.as_str().to_owned());
    let of_image = found(&IMAGE).map(|image| Registry::of_image(&image));
    of_image.or_else(|| found(&ADDRESS).map(|host| Registry::of_host(&host)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(message: &str, taken: Option<&str>, named: &[&str]) -> Option<String> {
        let named = named.iter().map(|host| Registry::of_host(host)).collect();
        refused_by(message, taken, &named).map(|registry| registry.to_string())
    }

    #[test]
    fn the_registry_is_known_by_what_docker_says() {
        for (message, registry) in [
            (
                "pull access denied for team/base, repository does not exist or may require 'docker login': denied: \
                 requested access to the resource is denied",
                "docker.io",
            ),
            (
                "invalid from flag value r.example.com/x:1: pull access denied for r.example.com/x, repository …",
                "r.example.com",
            ),
            ("Get \"http://127.0.0.1:5000/v2/team/base/manifests/1\": no basic auth credentials", "127.0.0.1:5000"),
            ("Get https://registry-1.docker.io/v2/: unauthorized: incorrect username or password", "docker.io"),
            ("Head \"https://ghcr.io/v2/team/base/manifests/1\": denied", "ghcr.io"),
        ] {
            assert_eq!(refused(message, None, &["other.example.com"]).as_deref(), Some(registry), "{message}");
        }
    }

    #[test]
    fn else_it_is_that_of_the_image_or_the_only_one_that_is_named() {
        let of = |message, taken| refused(message, taken, &["a.example.com"]);
        assert_eq!(
            of("unauthorized: authentication required", Some("b.example.com/x")).as_deref(),
            Some("b.example.com")
        );
        assert_eq!(of("denied", Some("${REGISTRY}/x")).as_deref(), Some("a.example.com"));
        assert_eq!(of("denied: permission_denied: read_package", None).as_deref(), Some("a.example.com"));
        assert_eq!(refused("unauthorized", None, &["a.example.com", "b.example.com"]), None);
    }

    #[test]
    fn other_failures_are_no_refusals() {
        for message in [
            "The command '/bin/sh -c curl https://x/v2/ || echo unauthorized' returned a non-zero code: 1",
            "COPY failed: file not found in build context: stat unauthorized.html: file does not exist",
            "failed to register layer: open /x: permission denied",
            "manifest for r.example.com/x:1 not found: manifest unknown: manifest unknown",
            "Get \"https://r.example.com/v2/\": dial tcp: lookup r.example.com: no such host",
        ] {
            assert_eq!(refused(message, Some("r.example.com/x"), &["r.example.com"]), None, "{message}");
        }
    }
}
