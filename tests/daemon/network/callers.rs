//! What the holders of keys see, and what is remembered of them.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use mypaas::api::{
    AuditEntry, AuditResult, By, CancelRequest, DeployRequest, HistoryQuery, LogsOf, ProblemCode, Target,
    VariableChange,
};
use mypaas::client::{Client, ClientError, Sending};
use mypaas::context::{Limits, pack, select};
use mypaas::deploy::{Action, Deploy, Origin, Outcome};
use mypaas::engine::{LogQuery, LogStream};
use mypaas::keys::Holder;
use tokio::time::timeout;

use super::wire::{Wire, public, signer};
use crate::stage::SINGLE;

const SOON: Duration = Duration::from_secs(15);

fn holder(key: &str, comment: &str) -> Holder {
    Holder { fingerprint: signer(key).public().fingerprint().clone(), comment: comment.to_owned() }
}

pub(super) fn origin(who: &str) -> Origin {
    Origin { who: who.to_owned(), key: None, folder: Some("web".to_owned()), commit: None }
}

pub(super) async fn push(client: &Client, dockerfile: &str, origin: Origin) -> Result<Deploy, ClientError> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("Dockerfile"), dockerfile).unwrap();
    std::fs::write(folder.path().join("data"), vec![1; 300_000]).unwrap();
    let selection = select(folder.path(), &Limits::default()).unwrap();
    let sending = Arc::new(Sending::default());
    let context = client.upload(pack(selection, None), Arc::clone(&sending)).await?;
    assert_eq!(sending.now(), Some((context.bytes, context.bytes)), "all of it was told");
    client.deploy(&DeployRequest { target: Target::Context { context: context.id }, origin }).await
}

#[tokio::test]
async fn a_push_is_its_key_s_whatever_the_request_says() {
    let wire = Wire::start().await;
    let client = wire.client("ed25519");
    let mallory = Origin { key: Some(holder("p256", "somebody else")), ..origin("mallory@elsewhere") };
    let deploy = push(&client, SINGLE, mallory).await.unwrap();
    assert_eq!(
        (deploy.origin.who.as_str(), &deploy.origin.key),
        ("ada@laptop", &Some(holder("ed25519", "ada@laptop")))
    );
    assert_eq!(wire.stage.end_of(deploy.id).await.outcome, Outcome::Succeeded);
    let detail = client.service(&"web".parse().unwrap()).await.unwrap();
    assert_eq!(detail.releases[0].release.origin.key, Some(holder("ed25519", "ada@laptop")), "beside the release too");
    assert_eq!(detail.releases[0].release.origin.folder.as_deref(), Some("web"));
}

#[tokio::test]
async fn what_is_built_again_is_of_the_key_that_had_it_built() {
    let wire = Wire::start().await;
    let first = push(&wire.client("ed25519"), SINGLE, origin("ada")).await.unwrap();
    assert_eq!(wire.stage.end_of(first.id).await.outcome, Outcome::Succeeded);
    let target = Target::Service { service: "web".parse().unwrap(), action: Action::Redeploy };
    let bob = wire.client("rsa");
    let asked = DeployRequest { target: target.clone(), origin: Origin { folder: None, ..origin("bob") } };
    let again = bob.deploy(&asked).await.unwrap();
    assert_eq!(wire.stage.end_of(again.id).await.outcome, Outcome::Succeeded);
    let local = wire.stage.accept("web", Action::Redeploy).await.unwrap();
    assert_eq!(wire.stage.end_of(local.id).await.outcome, Outcome::Succeeded);
    assert_eq!((local.origin.who.as_str(), local.origin.key), ("ada@laptop", None), "without a key, it is nobody's");
    let releases = bob.service(&"web".parse().unwrap()).await.unwrap().releases;
    let origin = &releases[1].release.origin;
    assert_eq!((origin.who.as_str(), &origin.key), ("rsa key", &Some(holder("rsa", "rsa key"))));
    assert_eq!(origin.folder.as_deref(), Some("web"), "where it came from stays");
}

#[tokio::test]
async fn actions_are_in_the_audit_log_by_key() {
    let wire = Wire::start().await;
    let client = wire.client("ed25519");
    let deploy = push(&client, SINGLE, origin("ada")).await.unwrap();
    wire.stage.end_of(deploy.id).await;
    client.snapshot().await.unwrap();
    let refused = client.cancel(deploy.id, &CancelRequest { who: "ada".to_owned() }).await;
    assert!(matches!(refused, Err(ClientError::Refused(_))));

    let entries = client.audit(None, 9).await.unwrap();
    let told: Vec<_> = entries.iter().map(|entry| entry.request.as_str()).collect();
    assert_eq!(told, ["POST /daemon/v1/deploys/d3/cancel", "POST /daemon/v1/deploys", "POST /daemon/v1/contexts"]);
    let by = By::Key(holder("ed25519", "ada@laptop"));
    assert!(entries.iter().all(|entry| entry.by == by && entry.address.is_some()), "{entries:#?}");
    assert_eq!(entries[0].what(), "cancel d3");
    let [cancelled, accepted, _] = entries.as_slice() else { unreachable!() };
    assert!(matches!(cancelled.result, AuditResult::Refused { code: ProblemCode::Conflict, .. }), "{cancelled:?}");
    assert_eq!(
        (accepted.deploy, &accepted.action, &accepted.result),
        (Some(deploy.id), &Some(Action::Push), &AuditResult::Done)
    );
    assert_eq!(accepted.service.as_ref().map(|name| name.as_str()), Some("web"));
    assert_eq!(client.audit(None, 1).await.unwrap().len(), 1);
    let about = client.audit(Some(&"web".parse().unwrap()), 9).await.unwrap();
    assert_eq!(about.iter().map(|entry| entry.deploy).collect::<Vec<_>>(), [Some(deploy.id); 2], "of one service");
    assert!(client.audit(Some(&"hidden".parse().unwrap()), 9).await.unwrap().is_empty());
}

#[tokio::test]
async fn which_variable_was_changed_is_in_the_audit_log_and_its_value_is_not() {
    let wire = Wire::start().await;
    let client = wire.client("ed25519");
    for value in [Some("hush".to_owned()), None] {
        client.change_variable(&VariableChange { name: "TOKEN".parse().unwrap(), value }).await.unwrap();
    }
    let entries = client.audit(None, 9).await.unwrap();
    assert_eq!(entries.iter().map(AuditEntry::what).collect::<Vec<_>>(), ["unset TOKEN", "set TOKEN"]);
    assert!(!format!("{entries:?}").contains("hush"));
}

#[tokio::test]
async fn a_key_for_one_service_pushes_that_one_only_and_reads_its_own_log() {
    let wire = Wire::start().await;
    let limited = wire.client("rsa");
    let other = push(&limited, &SINGLE.replace("web", "other"), origin("x")).await;
    let Err(ClientError::Refused(problem)) = other else { panic!("{other:?}") };
    assert_eq!(problem.code, ProblemCode::Forbidden);
    assert_eq!(std::fs::read_dir(wire.stage.home().join("incoming")).unwrap().count(), 0, "nothing of it is kept");
    let deploy = push(&limited, SINGLE, origin("x")).await.unwrap();
    wire.stage.end_of(deploy.id).await.assert_succeeded();

    push(&wire.client("ed25519"), &SINGLE.replace("web", "hidden"), origin("x")).await.unwrap();
    let entries = limited.audit(None, 99).await.unwrap();
    assert_eq!(entries.len(), 4, "{entries:#?}");
    assert!(entries.iter().all(|entry| entry.by == By::Key(holder("rsa", "rsa key"))));
}

#[tokio::test]
async fn what_is_watched_is_narrowed_too_and_ends_with_the_key() {
    let wire = Wire::start().await;
    let [limited, all] = [wire.client("rsa"), wire.client("ed25519")];
    let mut seen = limited.watch().await.unwrap();
    let mut everything = all.watch().await.unwrap();
    let first = timeout(SOON, seen.next()).await.unwrap().unwrap().unwrap();
    assert_eq!(first.services.iter().map(|service| service.name.as_str()).collect::<Vec<_>>(), ["web"]);
    let first = timeout(SOON, everything.next()).await.unwrap().unwrap().unwrap();
    assert_eq!(first.services.len(), 2);

    // The one key goes, the other one's rights are changed: both have to come in again.
    std::fs::write(wire.stage.home().join("authorized_keys"), format!("mypaas-role=\"viewer\" {}", public("ed25519")))
        .unwrap();
    for stream in [&mut seen, &mut everything] {
        let ended = async { while stream.next().await.is_some_and(|snapshot| snapshot.is_ok()) {} };
        timeout(SOON, ended).await.expect("the stream ends");
    }
    assert!(matches!(limited.snapshot().await, Err(ClientError::Refused(_))));
    all.snapshot().await.unwrap();
}

#[tokio::test]
async fn of_an_endless_log_the_newest_lines_are_told_and_that_there_are_more() {
    let wire = Wire::start().await;
    let name = &wire.stage.containers("web").await[0].name;
    for number in 0..100 {
        let text = format!("{number} {}", "x".repeat(1 << 20));
        wire.stage.engine.write_log(name, LogStream::Stdout, &text).unwrap();
    }
    let client = wire.client("rsa");
    let read = async |tail| {
        let query = LogQuery { tail, ..LogQuery::default() };
        let lines = client.logs(&"web".parse().unwrap(), &LogsOf::Service, &query).await.unwrap();
        lines.map(|line| line.unwrap().text.chars().take(60).collect::<String>()).collect::<Vec<_>>().await
    };
    let all = read(None).await;
    assert_eq!(all.len(), 1 + 15, "what fits into 16 MiB");
    assert!(all[0].contains("what is older is left out") && all[15].starts_with("99 "), "{all:?}");
    assert_eq!(read(Some(3)).await.len(), 3, "all that was asked for");
}

#[tokio::test]
async fn figures_of_other_services_are_nobody_s_business() {
    let wire = Wire::start().await;
    let limited = wire.client("p384");
    let of = |service: Option<&str>| HistoryQuery {
        service: service.map(|name| name.parse().unwrap()),
        ..HistoryQuery::default()
    };
    limited.history(&of(None)).await.unwrap();
    limited.history(&of(Some("web"))).await.unwrap();
    for refused in [limited.history(&of(Some("hidden"))).await.err(), limited.test_webhooks().await.err()] {
        let Some(ClientError::Refused(problem)) = refused else { panic!("{refused:?}") };
        assert_eq!(problem.code, ProblemCode::Forbidden);
    }
}

#[tokio::test]
async fn every_kind_of_key_is_let_in() {
    let wire = Wire::start().await;
    for key in ["ed25519", "rsa", "p256", "p384"] {
        assert!(!wire.client(key).snapshot().await.unwrap().services.is_empty(), "{key}");
    }
}
