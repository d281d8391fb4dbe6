//! A container of the original → the options that its Dockerfile had, as far as they can be told: the original keeps no
//! Dockerfile, but all that it made of one is in the containers.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::engine::Foreign;
use crate::manifest::CpuLimit;
use crate::server::config::EnvValue;

/// Set by the original itself.
const ITS_OWN: &str = "MYPAAS_";

/// A Dockerfile that says the same, and what could not be told.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Read {
    pub(super) dockerfile: String,
    pub(super) notes: Vec<String>,
}

/// All containers of one service; there is one at least.
pub(super) fn read(containers: &[Foreign], user_home: &Path, known: &BTreeMap<String, EnvValue>) -> Read {
    let one = &containers[0];
    let mut notes = Vec::new();
    let value =
        |name: &str| one.env.get(&format!("{ITS_OWN}{name}")).map(String::as_str).filter(|text| *text != "None");
    let mut options = vec![("service", one.service().to_owned())];
    options.extend(urls(&one.labels).into_iter().map(|url| ("url", url)));
    options.extend(value("PORT").map(|port| ("port", port.to_owned())));
    if let Some(scale) = value("SCALE") {
        options.push(("scale", scale.to_owned()));
        notes.push("a scale with `safe` cannot be told from one without: until its next push it rolls".to_owned());
        options.extend(healthcheck(&one.labels).map(|check| ("healthcheck", check)));
    }
    options.extend(one.binds.iter().map(|bind| ("volume", volume(bind, user_home))));
    options.extend(one.publish.iter().map(|entry| ("publish", entry.clone())));
    if one.nano_cpus > 0 {
        options.push(("maxcpu", CpuLimit { nano_cpus: one.nano_cpus }.to_string()));
    }
    if one.memory > 0 {
        options.push(("maxmem", format!("{}k", one.memory / 1024)));
    }
    variables(&one.env, known, &mut options, &mut notes);
    let lines: String = options.iter().map(|(name, value)| format!("# mypaas.{name}={value}\n")).collect();
    let dockerfile = format!("{lines}FROM {}\n", one.image_id);
    Read { dockerfile, notes }
}

/// What is known as a secret stays one, whatever its value was when the containers were made.
fn variables(
    env: &BTreeMap<String, String>,
    known: &BTreeMap<String, EnvValue>,
    options: &mut Vec<(&str, String)>,
    notes: &mut Vec<String>,
) {
    let mut visible = Vec::new();
    for (name, value) in env.iter().filter(|(name, _)| !name.starts_with(ITS_OWN)) {
        if let Some(known) = known.get(name) {
            options.push(("env", name.clone()));
            if known.secret().expose() != value {
                notes
                    .push(format!("{name} has another value in its containers than in config.toml; new ones get that"));
            }
        } else if value.contains(['\n', '\r']) {
            notes.push(format!("{name} has several lines, so that no option holds it: set it with `mypaas env set`"));
        } else {
            options.push(("env", format!("{name}={value}")));
            visible.push(name.as_str());
        }
    }
    if !visible.is_empty() {
        let names = visible.join(", ");
        notes.push(format!(
            "kept as plain options, for all who may see the release: {names}; `mypaas env set` keeps secrets"
        ));
    }
}

/// From rules such as `Host(`a.example`) && PathPrefix(`/x`)`.
fn urls(labels: &BTreeMap<String, String>) -> BTreeSet<String> {
    let routers = labels.iter().filter_map(|(label, rule)| {
        let name = label.strip_prefix("traefik.http.routers.")?.strip_suffix(".rule")?;
        Some((name, rule))
    });
    let entry = |name: &str| labels.get(&format!("traefik.http.routers.{name}.entrypoints")).map(String::as_str);
    let is_redirect = |name: &str| {
        let label = format!("traefik.http.routers.{name}.middlewares");
        labels.get(&label).is_some_and(|middlewares| middlewares.contains("https-redirect"))
    };
    let url = |(name, rule): (&str, &String)| {
        let scheme = if entry(name) == Some("web-secure") { "https" } else { "http" };
        let host = argument(rule, "Host")?;
        Some(format!("{scheme}://{host}{}", argument(rule, "PathPrefix").unwrap_or_default()))
    };
    routers.filter(|(name, _)| !is_redirect(name)).filter_map(url).collect()
}

/// What stands between the backticks.
fn argument<'a>(rule: &'a str, function: &str) -> Option<&'a str> {
    let (_, rest) = rule.split_once(&format!("{function}(`"))?;
    rest.split_once("`)").map(|(argument, _)| argument)
}

fn healthcheck(labels: &BTreeMap<String, String>) -> Option<String> {
    let part = |name: &str| {
        let ending = format!(".loadbalancer.healthcheck.{name}");
        labels.iter().find(|(label, _)| label.to_ascii_lowercase().ends_with(&ending)).map(|(_, value)| value)
    };
    Some(format!("{} {} {}", part("path")?, part("interval")?, part("timeout")?))
}

/// Folders below the home directory as an operator writes them.
fn volume(bind: &str, user_home: &Path) -> String {
    match bind.strip_prefix(&*user_home.to_string_lossy()) {
        Some(rest) if rest.starts_with('/') => format!("~{rest}"),
        _ => bind.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::config::Config;

    /// As the original makes them for its own example.
    fn container() -> Foreign {
        let texts = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Foreign {
            id: "f00".into(),
            name: "blog.1".into(),
            image: "blog".into(),
            image_id: "sha256:1234".into(),
            env: texts(&[
                ("MYPAAS_SERVICE", "blog"),
                ("MYPAAS_SCALE", "2"),
                ("MYPAAS_PORT", "8080"),
                ("MYPAAS_CONTAINER", "blog.1"),
                ("SECRET", "sesame"),
                ("MODE", "fast \"one\""),
                ("PEM", "a\nb"),
            ]),
            labels: texts(&[
                ("traefik.enable", "true"),
                ("traefik.http.services.blog-service.loadbalancer.server.port", "8080"),
                ("traefik.http.services.blog-service.loadbalancer.healthCheck.path", "/health"),
                ("traefik.http.services.blog-service.loadbalancer.healthCheck.interval", "5s"),
                ("traefik.http.services.blog-service.loadbalancer.healthCheck.timeout", "500ms"),
                ("traefik.http.routers.a-example-x-router.rule", "Host(`a.example`) && PathPrefix(`/x`)"),
                ("traefik.http.routers.a-example-x-router.entrypoints", "web-secure"),
                ("traefik.http.routers.a-example-x-router.middlewares", "hsts-header@file"),
                ("traefik.http.routers.a-example-x-https-redirect.rule", "Host(`a.example`) && PathPrefix(`/x`)"),
                ("traefik.http.routers.a-example-x-https-redirect.entrypoints", "web"),
                ("traefik.http.routers.a-example-x-https-redirect.middlewares", "https-redirect@file"),
                ("traefik.http.routers.b-example-router.rule", "Host(`b.example`)"),
                ("traefik.http.routers.b-example-router.entrypoints", "web"),
            ]),
            binds: vec!["/root/blog:/data".into()],
            publish: vec!["2222:22/tcp".into()],
            nano_cpus: 1_500_000_000,
            memory: 512 << 20,
        }
    }

    #[test]
    fn a_container_tells_the_options_of_its_dockerfile() {
        let config: Config = toml::from_str("[env]\nSECRET = \"sesame\"\n").unwrap();
        let Read { dockerfile, notes } = read(&[container()], Path::new("/root"), &config.env);
        assert_eq!(
            dockerfile,
            "# mypaas.service=blog\n# mypaas.url=http://b.example\n# mypaas.url=https://a.example/x\n\
             # mypaas.port=8080\n# mypaas.scale=2\n# mypaas.healthcheck=/health 5s 500ms\n# mypaas.volume=~/blog:/data\n\
             # mypaas.publish=2222:22/tcp\n# mypaas.maxcpu=1.5\n# mypaas.maxmem=524288k\n\
             # mypaas.env=MODE=fast \"one\"\n# mypaas.env=SECRET\nFROM sha256:1234\n"
        );
        assert_eq!(notes.len(), 3, "{notes:?}");
        assert!(notes[1].starts_with("PEM has several lines"));
        assert!(notes[2].contains(": MODE; "), "{notes:?}");
    }

    #[test]
    fn a_secret_that_was_changed_since_is_no_plain_option() {
        let config: Config = toml::from_str("[env]\nSECRET = \"changed\"\nPEM = \"c\\nd\"\n").unwrap();
        let Read { dockerfile, notes } = read(&[container()], Path::new("/root"), &config.env);
        assert!(dockerfile.contains("# mypaas.env=PEM\n# mypaas.env=SECRET\nFROM"), "{dockerfile}");
        let told = notes.join("\n");
        assert!(told.contains("SECRET has another value in its containers"), "{told}");
        assert!(told.contains("PEM has another value in its containers"), "{told}");
        assert!(!dockerfile.contains("sesame") && !told.contains("sesame") && !told.contains("changed"), "{told}");
    }

    #[test]
    fn what_the_original_left_out_is_left_out() {
        let mut one = container();
        one.env = [("MYPAAS_SERVICE", "a"), ("MYPAAS_SCALE", "None"), ("MYPAAS_PORT", "80")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        (one.labels, one.binds, one.publish, one.nano_cpus, one.memory) = Default::default();
        let Read { dockerfile, notes } = read(&[one], Path::new("/root"), &BTreeMap::new());
        assert_eq!(dockerfile, "# mypaas.service=a\n# mypaas.port=80\nFROM sha256:1234\n");
        assert_eq!(notes, [] as [&str; 0]);
    }
}
