//! Every endpoint there is, also those that are still to come: one without an example here fails.

use mypaas::api::{AuditEntry, BASE, By, ProblemCode};
use mypaas::keys::Role;
use mypaas::server::{Endpoint, endpoints};

use super::wire::{Forged, Wire};

/// A request that makes sense, about this service and its deploy.
fn example(endpoint: &Endpoint, service: &str, deploy: &str) -> Forged {
    let target = format!("{BASE}{}", endpoint.path).replace("{service}", service).replace("{deploy}", deploy);
    let target = target.replace("{release}", "r1");
    let body = match (endpoint.method, endpoint.path) {
        ("GET", "/server" | "/snapshot" | "/audit" | "/disk" | "/variables") => String::new(),
        // Their ends are the client's to decide; HEAD asks for the same without a body.
        ("GET", "/watch") => return Forged::new("HEAD", &target),
        ("GET", "/services/{service}" | "/services/{service}/logs") => String::new(),
        ("GET", "/history") => return Forged::new("GET", &format!("{target}?service={service}")),
        ("POST", "/alerts/test") => "null".to_owned(),
        ("GET", "/deploys") => return Forged::new("GET", &format!("{target}?service={service}")),
        ("GET", "/deploys/{deploy}" | "/deploys/{deploy}/events") => String::new(),
        ("GET", "/services/{service}/shell") => return Forged::new("GET", &format!("{target}?columns=80&rows=24")),
        ("POST", "/contexts") => "no archive".to_owned(),
        ("POST", "/prune") => "{}".to_owned(),
        ("POST", "/variables") => "{\"name\":\"TOKEN\",\"value\":null}".to_owned(),
        ("POST", "/services/{service}/releases/{release}/pin") => "{\"pinned\":true}".to_owned(),
        ("POST", "/plans") => {
            format!("{{\"kind\":\"service\",\"service\":\"{service}\",\"action\":{{\"action\":\"restart\"}}}}")
        }
        ("POST", "/deploys") => format!(
            "{{\"target\":{{\"kind\":\"service\",\"service\":\"{service}\",\"action\":{{\"action\":\"nothing\"}}}},\
             \"origin\":{{\"who\":\"x\",\"folder\":null,\"commit\":null}}}}"
        )
        .replace("nothing", "start"),
        ("POST", "/deploys/{deploy}/cancel") => "{\"who\":\"x\"}".to_owned(),
        other => panic!("{other:?} has no example: what may viewers and keys of other services do there?"),
    };
    Forged::with_body(endpoint.method, &target, body)
}

#[tokio::test]
async fn no_endpoint_answers_without_a_signature() {
    let wire = Wire::start().await;
    let all = endpoints(&wire.stage.core);
    assert!(all.len() > 10, "the endpoints were listed");
    for endpoint in all {
        for method in ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"] {
            let request = example(&endpoint, "web", "d1").signed(&wire, "ed25519").await;
            let unsigned =
                Forged { method: method.to_owned(), ..request.without("signature").without("signature-input") };
            let answer = wire.send(&unsigned).await;
            assert_eq!(answer.status, 401, "{method} {}: {answer:?}", endpoint.path);
        }
    }
}

#[tokio::test]
async fn a_viewer_gets_what_only_looks_and_nothing_else() {
    let wire = Wire::start().await;
    for endpoint in endpoints(&wire.stage.core) {
        let answer = wire.send(&example(&endpoint, "web", "d1").signed(&wire, "p256").await).await;
        match endpoint.role {
            Role::Viewer => assert_eq!(answer.status, 200, "{endpoint:?}: {answer:?}"),
            Role::Operator => {
                let problem = answer.problem();
                assert_eq!((answer.status, problem.code), (403, ProblemCode::Forbidden), "{endpoint:?}");
                assert!(problem.message.contains("viewer") && problem.message.contains("p256"), "{problem:?}");
            }
        }
    }
    let changing: Vec<_> = endpoints(&wire.stage.core).into_iter().filter(|one| one.role == Role::Operator).collect();
    assert!(
        changing.iter().all(|endpoint| endpoint.method == "POST" || endpoint.path.ends_with("/shell")),
        "{changing:?}"
    );
    assert_eq!(changing.len(), 8, "what changes anything is known: {changing:?}");
}

#[tokio::test]
async fn a_key_for_one_service_never_hears_of_another() {
    let wire = Wire::start().await;
    // Entries of the audit log that are none of its business.
    let hidden = wire.stage.accept("hidden", mypaas::deploy::Action::Start).await.unwrap();
    wire.stage.end_of(hidden.id).await;
    for key in ["rsa", "p384"] {
        for endpoint in endpoints(&wire.stage.core) {
            let mut about_all = example(&endpoint, "web", "d1");
            about_all.target = about_all.target.replace("?service=web", "");
            let requests = [about_all, example(&endpoint, "hidden", "d2"), example(&endpoint, "none", "d99")];
            let names = ["nothing", "hidden", "none"];
            for (request, named) in requests.into_iter().zip(names) {
                let mut answer = wire.send(&request.signed(&wire, key).await).await;
                // What it named itself may be named in a refusal, and in its own entries of the audit log.
                answer.body = answer.body.replace(&format!("is for web only, not for {named}"), "");
                answer.body = own_entries_left_out(&answer.body);
                assert!(!answer.body.contains("hidden"), "{key}, {endpoint:?}, {named}: {answer:?}");
            }
            let answer = wire.send(&example(&endpoint, "hidden", "d2").signed(&wire, key).await).await;
            match endpoint.path {
                // One of another service is as if it were not there.
                path if path.contains("{deploy}") && endpoint.role == Role::Viewer => assert_eq!(answer.status, 404),
                path if path.contains("{service}") || ["/plans", "/deploys", "/history"].contains(&path) => {
                    assert_eq!(answer.status, 403, "{key}, {endpoint:?}: {answer:?}");
                }
                _ => {}
            }
        }
    }
}

/// An answer that is a list of audit entries, without those by a key.
fn own_entries_left_out(body: &str) -> String {
    match serde_json::from_str::<Vec<AuditEntry>>(body) {
        Ok(entries) => entries
            .into_iter()
            .filter(|entry| !matches!(entry.by, By::Key(_)))
            .map(|entry| format!("{entry:?}"))
            .collect(),
        Err(_) => body.to_owned(),
    }
}

#[tokio::test]
async fn a_key_for_one_service_gets_what_is_about_it() {
    let wire = Wire::start().await;
    for endpoint in endpoints(&wire.stage.core) {
        let answer = wire.send(&example(&endpoint, "web", "d1").signed(&wire, "rsa").await).await;
        let expected: &[u16] = match endpoint.path {
            "/contexts" => &[400],
            "/deploys/{deploy}/cancel" => &[409],
            // It takes more than a request.
            "/services/{service}/shell" => &[400],
            "/disk" | "/prune" | "/alerts/test" => &[403],
            "/variables" if endpoint.method == "POST" => &[403],
            _ => &[200],
        };
        assert!(expected.contains(&answer.status), "{endpoint:?}: {answer:?}");
    }
    let snapshot = wire.client("rsa").snapshot().await.unwrap();
    let services: Vec<_> = snapshot.services.iter().map(|service| service.name.as_str()).collect();
    assert_eq!(services, ["web"]);
    assert!(snapshot.deploys.iter().all(|deploy| deploy.service.as_str() == "web"));
    assert!(!snapshot.deploys.is_empty());
}
