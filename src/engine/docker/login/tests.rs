use std::path::Path;
use std::time::Duration;

use super::*;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/logins")
}

fn keychain(file: &str) -> Keychain {
    let programs = format!("{}:/usr/bin:/bin", folder().display());
    Keychain { file: Some(folder().join(file)), programs: Some(programs.into()) }
}

fn registry(host: &str) -> Registry {
    Registry::of_key(host).unwrap()
}

fn sources(hosts: &[&str], logins: Logins) -> Sources {
    Sources { registries: hosts.iter().map(|host| registry(host)).collect(), logins }
}

/// What Docker reads of a header.
fn read((name, value): (HeaderName, HeaderValue)) -> (String, Value) {
    assert!(value.is_sensitive());
    (name.to_string(), serde_json::from_slice(&URL_SAFE.decode(value.as_bytes()).unwrap()).unwrap())
}

/// User and password, or token, of each registry that is shown a login.
fn told(shown: &Shown) -> Vec<String> {
    let Some(header) = shown.to_all() else { return Vec::new() };
    let (name, logins) = read(header);
    assert_eq!(name, "x-registry-config");
    let line = |(key, login): (&String, &Value)| {
        assert_eq!(login["serveraddress"], *key);
        let part = |name: &str| login[name].as_str().unwrap().to_owned();
        format!("{key} {}:{}{}{}", part("username"), part("password"), part("identitytoken"), part("registrytoken"))
    };
    logins.as_object().unwrap().iter().map(line).collect()
}

fn why(shown: &Shown, host: &str) -> String {
    match shown.standing(&registry(host)) {
        Standing::Unknown { why } => why,
        other => panic!("{host}: {other:?}"),
    }
}

#[tokio::test]
async fn a_build_shows_all_logins_of_the_file() {
    let shown = keychain("auths.json").open(sources(&["empty.example.com", "new.example.com"], Logins::All)).await;
    assert_eq!(
        told(&shown),
        [
            "https://index.docker.io/v1/ ada:hub-secret?~>",
            "old.example.com ada:old-secret",
            "plain.example.com:5000 ada:a:b",
            "token.example.com ada:identity-secret",
        ]
    );
    assert_eq!(shown.standing(&registry("docker.io")), Standing::LoggedIn);
    for host in ["empty.example.com", "new.example.com"] {
        assert_eq!(shown.standing(&registry(host)), Standing::Stranger, "{host}");
    }
    for host in ["broken.example.com", "odd.example.com"] {
        let why = why(&shown, host);
        assert!(why.contains("\"auths\"") && !why.contains("secret") && !why.contains("c2Vj"), "{why}");
    }
    let debug = format!("{shown:?}");
    assert!(
        !["hub-secret", "old-secret", "identity-secret", "a:b"].iter().any(|secret| debug.contains(secret)),
        "{debug}"
    );
}

#[tokio::test]
async fn a_pull_shows_the_login_of_its_registry() {
    let hub = Registry::of_image("python:3");
    let shown = keychain("auths.json").open_for_pull(&hub).await;
    let (name, login) = read(shown.to(&hub).unwrap());
    assert_eq!(
        (name.as_str(), &login["username"], &login["password"]),
        ("x-registry-auth", &json!("ada"), &json!("hub-secret?~>"))
    );
    let other = registry("old.example.com");
    assert!(shown.to(&other).is_none());
    assert!(keychain("auths.json").open_for_pull(&registry("new.example.com")).await.to_all().is_none());
}

#[tokio::test]
async fn what_is_not_allowed_is_not_shown() {
    let keychain = keychain("auths.json");
    let only = Logins::Only([registry("old.example.com")].into());
    let shown = keychain.open(sources(&["old.example.com", "plain.example.com:5000"], only)).await;
    assert_eq!(told(&shown), ["old.example.com ada:old-secret"]);
    assert_eq!(shown.standing(&registry("plain.example.com:5000")), Standing::Withheld);
    assert_eq!(told(&keychain.open(Sources::default()).await), [""; 0]);
}

#[tokio::test]
async fn programs_are_asked_for_registries_that_are_needed() {
    let hosts = ["token", "none", "locked", "half", "odd", "missing", "path"].map(|name| format!("{name}.example.com"));
    let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
    let shown = keychain("programs.json").open(sources(&hosts, Logins::All)).await;
    assert_eq!(told(&shown), ["file.example.com ada:file", "token.example.com :identity"]);
    assert_eq!(shown.standing(&registry("none.example.com")), Standing::Stranger);
    let fake = "the program docker-credential-fake";
    assert_eq!(why(&shown, "locked.example.com"), format!("{fake}, which keeps it, failed: the keychain is locked"));
    assert_eq!(why(&shown, "half.example.com"), format!("{fake}, which keeps it, failed: exit status: 1"));
    assert_eq!(why(&shown, "odd.example.com"), format!("what {fake} answered is no login"));
    assert!(
        why(&shown, "missing.example.com").contains("docker-credential-not-there, which keeps it, could not be run")
    );
    assert!(why(&shown, "path.example.com").contains("is a path"));
}

#[tokio::test]
async fn where_names_are_unclear_programs_are_asked_for_all_that_is_known() {
    let told = async |logins| told(&keychain("programs.json").open(sources(&[], logins)).await);
    assert_eq!(told(Logins::All).await, ["file.example.com ada:file"]);
    assert_eq!(told(Logins::Every).await, ["file.example.com ada:file", "token.example.com :identity"]);
}

#[tokio::test]
async fn a_program_may_keep_all_logins() {
    let shown = keychain("store.json").open(sources(&["docker.io", "b.example.com"], Logins::All)).await;
    assert_eq!(told(&shown), ["b.example.com ada:of-b.example.com", "https://index.docker.io/v1/ ada:of-hub?~>"]);
}

#[tokio::test]
async fn a_program_that_hangs_is_given_up() {
    let Keychain { programs, .. } = keychain("store.json");
    let slow = registry("slow.example.com");
    let why = program::ask_within(Duration::from_millis(50), "fake", programs.as_deref(), &slow).await.unwrap_err();
    assert_eq!(why, "the program docker-credential-fake, which keeps it, took longer than 50ms");
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_told_of_when_a_registry_refuses() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.json");
    let open = async || {
        let keychain = Keychain { file: Some(file.clone()), programs: None };
        keychain.open(sources(&["a.example.com"], Logins::All)).await
    };
    assert_eq!(open().await.standing(&registry("a.example.com")), Standing::Stranger, "there is no such file");
    for text in ["", "no json", r#"{"auths": "hush-hush"}"#, r#"{"auths": {}, "credHelpers": {"a": ["hush-hush"]}}"#] {
        std::fs::write(&file, text).unwrap();
        let why = why(&open().await, "a.example.com");
        assert!(
            why.contains("config.json is not as `docker login` writes it, at line") && !why.contains("hush"),
            "{why}"
        );
    }
    for text in ["{}", r#"{"auths": null, "credsStore": null, "credHelpers": null}"#] {
        std::fs::write(&file, text).unwrap();
        assert_eq!(open().await.standing(&registry("a.example.com")), Standing::Stranger, "{text}");
    }
    let error = Shown {
        broken: Some("it is broken".to_owned()),
        sources: sources(&["a.example.com"], Logins::All),
        ..Shown::default()
    }
    .refusal("unauthorized: authentication required", None);
    let Some(EngineError::Denied { registry, standing, .. }) = error else { panic!("{error:?}") };
    assert!(registry.advice(&standing).contains("it is broken. Mend that; or run `docker login a.example.com`"));
}
