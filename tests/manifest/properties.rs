//! What holds for any text, and for any manifest.

use std::fmt::Write as _;
use std::num::{NonZeroU16, NonZeroU32};
use std::time::Duration;

use mypaas::manifest::{
    Checked, CpuLimit, EnvVar, HealthCheck, Manifest, MemoryLimit, Protocol, Publish, Scale, Scheme, ServiceUrl,
    Volume, check,
};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;

proptest! {
    // What fails becomes a test with its data, not a file of seeds.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in vec(any::<u8>(), 0..2000)) {
        hold_together(&bytes, &check(&bytes))?;
    }

    #[test]
    fn any_text_much_like_a_dockerfile_is_read_without_a_panic(lines in vec(line_like_an_option(), 0..20)) {
        let text = lines.join("\n");
        hold_together(text.as_bytes(), &check(text.as_bytes()))?;
    }

    #[test]
    fn a_manifest_written_as_options_reads_the_same(manifest in manifest()) {
        let text = written(&manifest);
        let checked = check(text.as_bytes());
        let read = checked.manifest.map(|read| Manifest { options: Vec::new(), ..read });
        prop_assert_eq!(read.as_ref(), Some(&manifest), "{}\n{:?}", text, checked.diagnostics);
        hold_together(text.as_bytes(), &check(text.as_bytes()))?;
    }

    #[test]
    fn a_bad_option_among_good_ones_is_one_error_in_its_line(
        manifest in manifest(),
        bad in prop::sample::select(BAD_OPTIONS),
        place in any::<prop::sample::Index>(),
    ) {
        let mut lines: Vec<String> = written(&manifest).lines().map(str::to_owned).collect();
        let place = place.index(lines.len());
        lines.insert(place, format!("# mypaas.{bad}"));
        let checked = check(lines.join("\n").as_bytes());
        let errors: Vec<_> = checked.diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).collect();
        prop_assert_eq!(errors.len(), 1, "{:?}", errors);
        prop_assert_eq!(errors[0].line as usize, place + 1);
        prop_assert_eq!(checked.manifest, None);
    }
}

/// Repeatable ones and unknown ones, so that none is a duplicate besides.
const BAD_OPTIONS: &[&str] = &[
    "url=ftp://example.com",
    "url=https://example.com:80",
    "volume=~/.ssh:/keys-of-mine",
    "volume=~/x",
    "env=A B=1",
    "env==",
    "publish=99999",
    "publish=80/icmp",
    "healthchek=/ 1s 1s",
    "=",
];

/// What anybody may rely on who shows a diagnostic or uses a manifest.
fn hold_together(bytes: &[u8], checked: &Checked) -> Result<(), TestCaseError> {
    let text = String::from_utf8_lossy(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes));
    let lines: Vec<&str> = text.split('\n').map(|line| line.trim_end_matches('\r')).collect();
    for diagnostic in &checked.diagnostics {
        let (line, column) = (diagnostic.line as usize, diagnostic.column as usize);
        match diagnostic.excerpt() {
            None => prop_assert_eq!((line, column, diagnostic.length, diagnostic.source.as_str()), (0, 0, 0, "")),
            Some(excerpt) => {
                prop_assert_eq!(lines.get(line - 1), Some(&diagnostic.source.as_str()));
                prop_assert!(column - 1 + diagnostic.length as usize <= diagnostic.source.chars().count());
                prop_assert!(!excerpt.marked.is_empty());
                prop_assert_eq!(excerpt.marked.chars().count(), diagnostic.length as usize);
            }
        }
        let told = diagnostic.message.chars().chain(diagnostic.hint.iter().flat_map(|hint| hint.chars()));
        prop_assert!(!told.clone().any(char::is_control), "{:?}", diagnostic);
    }
    let has_error = checked.diagnostics.iter().any(mypaas::manifest::Diagnostic::is_error);
    prop_assert_eq!(checked.manifest.is_none(), has_error);
    checked.manifest.iter().try_for_each(is_safe)
}

fn is_safe(manifest: &Manifest) -> Result<(), TestCaseError> {
    let means_something = |c: char| "`{}\"\\".contains(c) || c.is_control() || c.is_whitespace();
    for url in &manifest.urls {
        prop_assert!(!url.to_string().contains(means_something), "{}", url);
        prop_assert_eq!(ServiceUrl::try_from(url.to_string()), Ok(url.clone()));
    }
    if let Some(HealthCheck { path, .. }) = &manifest.healthcheck {
        prop_assert!(path.starts_with('/') && !path.starts_with("//"), "{}", path);
        prop_assert!(path.is_ascii() && !path.contains(means_something), "{}", path);
    }
    let json = serde_json::to_string(manifest).unwrap();
    prop_assert_eq!(&serde_json::from_str::<Manifest>(&json).unwrap(), manifest);
    Ok(())
}

fn line_like_an_option() -> impl Strategy<Value = String> {
    let key = prop_oneof![
        8 => prop::sample::select(&[
            "service", "url", "volume", "env", "port", "publish", "scale", "healthcheck", "maxcpu", "maxmem",
        ][..]).prop_map(str::to_owned),
        1 => "[a-z]{0,6}",
    ];
    let value = prop_oneof![
        Just("hello".to_owned()),
        "https?://[a-z.:@%`é]{1,12}/[a-z/.%0-9?#;`{ ü]{0,12}",
        "[~/.a-z_:]{0,20}",
        "[0-9.:\\[\\]/a-z-]{0,14}",
        "[0-9]{0,4}(m|ms|s|h|g| safe|roll)?",
        "/[a-z]{0,3} [0-9]{1,3}(ms|s|m|h) [0-9]{1,3}(ms|s|m|h)",
        "[A-Z]{1,3}=?[\"'a-z ]{0,6}",
        "\\PC{0,20}",
    ];
    let option = ("[ \t]{0,2}(#|##|# |#--- |\u{a0}#)", key, "[ \t\"']{0,2}=?[ \t\"']{0,2}", value, "[ \t\"'\r]{0,2}")
        .prop_map(|(start, key, equals, value, end)| format!("{start}mypaas.{key}{equals}{value}{end}"));
    prop_oneof![
        6 => option,
        1 => Just("FROM alpine:latest".to_owned()),
        1 => Just("RUN cat <<-EOF <<\"B\" \\".to_owned()),
        1 => prop::sample::select(&["EOF", "\tEOF", "B", "", "\\"][..]).prop_map(str::to_owned),
        1 => ".{0,20}",
    ]
}

prop_compose! {
    fn manifest()(
        service in "[a-z0-9]{1,8}([._/-][a-z0-9]{1,8}){0,3}",
        urls in urls(),
        volumes in btree_map("/[a-z0-9_ü. -]{0,5}[a-z]", ("(~/|/)[a-zé]{1,5}(/[a-z .-]{0,4}[a-z])?", any::<bool>()), 0..4),
        env in btree_map("[A-Za-z_][A-Za-z0-9_.-]{0,6}", option::of("[ -~é漢]{0,10}"), 0..4),
        port in port(),
        publish in btree_map(port(), (port(), protocol()), 0..4),
        scale in scale(),
        health in health(),
        max_cpu in option::of(1..=1_000_000_i64),
        max_mem in option::of(6_291_456..=1_i64 << 50),
        pulls_latest in any::<bool>(),
    ) -> Manifest {
        let volume = |(container_dir, (server_dir, read_only))| Volume { server_dir, container_dir, read_only };
        Manifest {
            release_command: None,
            service: service.parse().unwrap(),
            urls,
            volumes: volumes.into_iter().map(volume).collect(),
            env: env.into_iter().map(variable).collect(),
            port,
            publish: publish.into_iter().map(entry).collect(),
            healthcheck: health.filter(|_| scale.declared() > 0),
            scale,
            max_cpu: max_cpu.map(|units| CpuLimit { nano_cpus: units * 10_000_000 }),
            max_mem: max_mem.map(|bytes| MemoryLimit { bytes }),
            pulls_latest,
            options: Vec::new(),
        }
    }
}

/// All of one scheme: an http URL beside its https twin is dropped.
fn urls() -> impl Strategy<Value = Vec<ServiceUrl>> {
    let place = ("[a-z0-9]{1,5}(\\.[a-z]{2,5}){0,2}\\.example", "(/[A-Za-z0-9ü@,~_-]{1,5}){0,3}");
    (prop_oneof![Just(Scheme::Http), Just(Scheme::Https)], btree_set(place, 0..4))
        .prop_map(|(scheme, places)| places.into_iter().map(|(host, path)| ServiceUrl { scheme, host, path }).collect())
}

fn port() -> impl Strategy<Value = NonZeroU16> {
    (1..=u16::MAX).prop_map(|port| NonZeroU16::new(port).unwrap())
}

fn protocol() -> impl Strategy<Value = Protocol> {
    prop::sample::select(&[Protocol::Tcp, Protocol::Udp, Protocol::Sctp][..])
}

fn scale() -> impl Strategy<Value = Scale> {
    (0..=Scale::LARGEST, any::<bool>()).prop_map(|(count, safe)| match NonZeroU32::new(count) {
        None => Scale::Single,
        Some(count) if safe => Scale::Safe { count },
        Some(count) => Scale::Rolling { count },
    })
}

fn health() -> impl Strategy<Value = Option<HealthCheck>> {
    let duration = || (1..86_400_000_u64).prop_map(Duration::from_millis);
    let check = ("/[a-z][a-z0-9/._?=&%-]{0,8}", duration(), duration());
    option::of(check.prop_map(|(path, interval, timeout)| HealthCheck { path, interval, timeout }))
}

fn variable((name, value): (String, Option<String>)) -> EnvVar {
    match value {
        Some(value) => EnvVar::Dockerfile { name, value },
        None => EnvVar::Server { name },
    }
}

/// With an address where the numbers happen to be even, so that all ways are met.
fn entry((host_port, (container_port, protocol)): (NonZeroU16, (NonZeroU16, Protocol))) -> Publish {
    let address = match host_port.get() % 3 {
        0 => Some("127.0.0.1".parse().unwrap()),
        1 => Some("::1".parse().unwrap()),
        _ => None,
    };
    Publish { address, host_port: (container_port.get() % 2 == 0).then_some(host_port), container_port, protocol }
}

fn written(manifest: &Manifest) -> String {
    let mut text = format!("# mypaas.service={}\n# mypaas.port={}\n", manifest.service, manifest.port);
    let mut option = |key: &str, value: String| writeln!(text, "# mypaas.{key}={value}").unwrap();
    manifest.urls.iter().for_each(|url| option("url", url.to_string()));
    for Volume { server_dir, container_dir, read_only } in &manifest.volumes {
        option("volume", format!("{server_dir}:{container_dir}{}", if *read_only { ":ro" } else { "" }));
    }
    for variable in &manifest.env {
        option(
            "env",
            match variable {
                EnvVar::Dockerfile { name, value } => format!("{name}=\"{value}\""),
                EnvVar::Server { name } => name.clone(),
            },
        );
    }
    manifest.publish.iter().for_each(|entry| option("publish", entry.to_string()));
    option(
        "scale",
        match manifest.scale {
            Scale::Safe { count } => format!("{count} safe"),
            other => other.declared().to_string(),
        },
    );
    if let Some(HealthCheck { path, interval, timeout }) = &manifest.healthcheck {
        option("healthcheck", format!("{path} {}ms {}ms", interval.as_millis(), timeout.as_millis()));
    }
    if let Some(limit) = &manifest.max_cpu {
        option("maxcpu", format!("{}.{:09}", limit.nano_cpus / 1_000_000_000, limit.nano_cpus % 1_000_000_000));
    }
    manifest.max_mem.iter().for_each(|limit| option("maxmem", limit.bytes.to_string()));
    text + if manifest.pulls_latest { "FROM alpine:latest\n" } else { "FROM alpine\n" }
}
