//! What a key for some services gets of the others by what it pushes: nothing.

use mypaas::api::{AuditResult, PlanRequest, Problem, ProblemCode, VariableChange};
use mypaas::client::{Client, ClientError};
use mypaas::deploy::Outcome;
use mypaas::engine::{Behaviour, BuildScript, Logins, Registry};

use super::callers::{origin, push};
use super::wire::{DOMAIN, Wire, told};
use crate::stage::SINGLE;

/// A Dockerfile of `web` with more lines before its FROM, or with another one.
fn web_with(options: &str) -> String {
    SINGLE.replace("FROM", &format!("{options}\nFROM"))
}

fn web_from(from: &str) -> String {
    SINGLE.replace("FROM scratch", from)
}

/// What the service `hidden` has: the server's PASSWORD, and folders.
async fn with_secrets() -> Wire {
    let wire = Wire::start().await;
    let all = wire.client("ed25519");
    for name in ["PASSWORD", "FREE"] {
        let value = Some("hush-hush".to_owned());
        all.change_variable(&VariableChange { name: name.parse().unwrap(), value }).await.unwrap();
    }
    let hidden = SINGLE.replace("web", "hidden");
    let options = "# mypaas.env=PASSWORD\n# mypaas.volume=~/hidden/data:/data\n# mypaas.volume=~/shared:/shared\nFROM";
    succeed(&wire, &all, &hidden.replace("FROM", options)).await;
    let home = wire.stage.user();
    std::os::unix::fs::symlink(home.join("hidden/data"), home.join("alias")).unwrap();
    wire
}

async fn succeed(wire: &Wire, client: &Client, dockerfile: &str) {
    let deploy = push(client, dockerfile, origin("x")).await.unwrap();
    assert_eq!(wire.stage.end_of(deploy.id).await.outcome, Outcome::Succeeded, "{dockerfile}");
}

/// The refusal of a push; its preview is refused in the same words.
async fn refusal(wire: &Wire, dockerfile: &str) -> Problem {
    let limited = wire.client("rsa");
    let refused = push(&limited, dockerfile, origin("x")).await;
    let Err(ClientError::Refused(problem)) = refused else { panic!("{dockerfile}: {refused:?}") };
    let preview = limited.plan(&PlanRequest::Dockerfile { text: dockerfile.to_owned(), context_bytes: None }).await;
    let Err(ClientError::Refused(in_preview)) = preview else { panic!("{dockerfile}: {preview:?}") };
    assert_eq!((&in_preview.message, in_preview.code), (&problem.message, problem.code), "{dockerfile}");
    *problem
}

#[tokio::test]
async fn a_key_for_one_service_gets_nothing_of_another_by_what_it_pushes() {
    let wire = with_secrets().await;
    let cases = [
        web_with("# mypaas.env=PASSWORD"),
        web_with("# mypaas.env=FREE"),
        web_with("# mypaas.env=NOT_THERE"),
        web_with("# mypaas.volume=~/hidden/data:/x"),
        web_with("# mypaas.volume=~/hidden/data:/x:ro"),
        web_with("# mypaas.volume=~/hidden:/x"),
        web_with("# mypaas.volume=~/hidden/data/deep:/x"),
        web_with("# mypaas.volume=~/alias:/x"),
        web_with("# mypaas.volume=~/nobody's:/x"),
        web_from("FROM mypaas/hidden:r1"),
        web_from("FROM docker.io/mypaas/hidden"),
        web_from("FROM scratch\nCOPY --from=mypaas/hidden:r1 / /x"),
        web_from("FROM scratch\nONBUILD COPY --fr\"om=mypaas/hid\"den:r1 / /x"),
        web_from("FROM mypaas/none:r1"),
        web_from("FROM 4f3c"),
        web_from("FROM ${A:-mypaas/hidden:r1}"),
    ];
    for dockerfile in &cases {
        let problem = refusal(&wire, dockerfile).await;
        assert_eq!(problem.code, ProblemCode::Forbidden, "{dockerfile}: {problem:?}");
        assert!(problem.hint.as_ref().is_some_and(|hint| hint.len() > 20), "{problem:?}");
        let told = format!("{problem:?}");
        assert!(!told.contains("hidden") || dockerfile.contains("hid"), "{dockerfile}: {told}");
    }
    let variables: Vec<_> = [refusal(&wire, &cases[0]).await, refusal(&wire, &cases[2]).await]
        .into_iter()
        .map(|problem| problem.message.replace("PASSWORD", "IT").replace("NOT_THERE", "IT"))
        .collect();
    assert_eq!(variables[0], variables[1], "whether there is such a variable is not told");
    assert_eq!(wire.kept(), 0, "nothing of it is kept");
    let newest = &wire.client("ed25519").audit(None, 1).await.unwrap()[0];
    assert!(matches!(newest.result, AuditResult::Refused { code: ProblemCode::Forbidden, .. }), "{newest:?}");
    assert_eq!(newest.service.as_ref().map(|service| service.as_str()), Some("web"));
    told("variables, folders, images of another service", &format!("403 {}", refusal(&wire, &cases[0]).await.message));
}

#[tokio::test]
async fn what_a_base_image_would_do_in_a_build_ends_it() {
    let wire = Wire::start().await;
    let output =
        ["Step 1/1 : FROM example.com/x", "# Executing 1 build trigger", " ---> 4f3c"].map(str::to_owned).into();
    let build = BuildScript { output, ..BuildScript::default() };
    wire.stage.script("web", Behaviour { build, ..Behaviour::default() });
    let deploy = push(&wire.client("rsa"), &web_from("FROM example.com/x"), origin("x")).await.unwrap();
    let failure = wire.stage.end_of(deploy.id).await.failure();
    assert!(failure.message.contains("ONBUILD"), "{failure:?}");
    assert_eq!(wire.stage.releases("web").await, [1]);
    succeed(&wire, &wire.client("ed25519"), &web_from("FROM example.com/x")).await;
    told("a base image whose ONBUILD takes from another service", "the build is ended");
}

#[tokio::test]
async fn what_its_own_service_has_already_it_may_go_on_having() {
    let wire = with_secrets().await;
    let (all, limited) = (wire.client("ed25519"), wire.client("rsa"));
    let granted = web_with("# mypaas.env=PASSWORD\n# mypaas.volume=~/shared:/s:ro\n# mypaas.volume=~/own:/x");
    refusal(&wire, &granted).await;
    succeed(&wire, &all, &granted).await;
    succeed(&wire, &limited, &granted).await;
    let writing = granted.replace(":ro", "");
    assert_eq!(refusal(&wire, &writing).await.code, ProblemCode::Forbidden, "it could only read so far");
    let deeper = granted.replace("~/own", "~/own/deep");
    assert_eq!(refusal(&wire, &deeper).await.code, ProblemCode::Forbidden, "a container might have made a link of it");
}

#[tokio::test]
async fn the_server_s_logins_are_for_what_its_service_was_built_on_before() {
    let wire = Wire::start().await;
    let (all, limited) = (wire.client("ed25519"), wire.client("rsa"));
    let only =
        |hosts: &[&str]| Logins::Only(hosts.iter().map(|host| Registry::of_image(&format!("{host}/x"))).collect());
    let logins = || wire.stage.engine.builds().last().unwrap().sources.logins.clone();
    let base =
        |tag: &str| web_from(&format!("FROM private.example.com/team/base:{tag}\nCOPY --from=b.example.com/x / /"));
    succeed(&wire, &limited, &base("1")).await;
    assert_eq!(logins(), only(&[]), "nobody let it have that");
    succeed(&wire, &limited, &base("2")).await;
    assert_eq!(logins(), only(&[]), "that it was built is not enough");
    succeed(&wire, &all, &web_from("FROM private.example.com/team/base:2")).await;
    assert_eq!(logins(), Logins::All);
    for tag in ["3", "4"] {
        succeed(&wire, &limited, &base(tag)).await;
        assert_eq!(logins(), only(&["private.example.com"]), "{tag}");
    }
    let other = web_from("FROM private.example.com/team/base:4\nCOPY --from=private.example.com/team/other / /");
    succeed(&wire, &limited, &other).await;
    assert_eq!(logins(), only(&[]), "a login opens all of a registry");
    told("private images of a registry that the server may use", "built without the server's login");
}

#[tokio::test]
async fn what_is_nobody_s_it_may_have() {
    let wire = with_secrets().await;
    let limited = wire.client("rsa");
    succeed(&wire, &limited, &web_with("# mypaas.env=A=1")).await;
    succeed(
        &wire,
        &limited,
        &web_from("ARG V=3.13\nFROM python:$V-slim AS build\nFROM mypaas/web:r1\nCOPY --from=build / /"),
    )
    .await;
    succeed(&wire, &wire.client("ed25519"), &web_from("FROM mypaas/hidden:r1\nCOPY --from=${B} / /x")).await;
}

#[tokio::test]
async fn whose_a_url_is_a_key_for_another_service_is_not_told() {
    let wire = Wire::start().await;
    let taken = SINGLE.replace("http://web.test", "http://hidden.test");
    let problem = refusal(&wire, &taken).await;
    let told = format!("{problem:?}").replace("hidden.test", "");
    assert!(problem.message.contains("the domain hidden.test") && !told.contains("hidden"), "{problem:?}");
    let all = wire.client("ed25519");
    let view = all.plan(&PlanRequest::Dockerfile { text: taken, context_bytes: None }).await.unwrap();
    assert_eq!(view.refusals[0].message, "http://hidden.test belongs to the service hidden");
}

#[tokio::test]
async fn how_a_deploy_failed_does_not_tell_whose_a_url_is() {
    let wire = Wire::start().await;
    let all = wire.client("ed25519");
    let hidden = SINGLE.replace("web", "hidden");
    succeed(&wire, &all, &SINGLE.replace("http://web.test", "http://other.test")).await;
    succeed(&wire, &all, &hidden.replace("http://hidden.test", "http://web.test")).await;
    let back = wire.stage.act("web", mypaas::deploy::Action::Rollback { to: mypaas::name::ReleaseId::new(1) }).await;
    let told = format!("{:?}", back.failure());
    assert!(told.contains("belongs to another service") && !told.contains("hidden"), "{told}");
}

#[tokio::test]
async fn a_key_for_one_service_gets_no_part_of_another_s_domain() {
    let wire = Wire::start().await;
    let (all, limited) = (wire.client("ed25519"), wire.client("rsa"));
    let shop = SINGLE.replace("web", "shop");
    succeed(&wire, &all, &shop).await;
    for url in ["http://shop.test/login", "https://shop.test/login", &format!("http://{DOMAIN}/login")] {
        let strange = web_with(&format!("# mypaas.url={url}"));
        let problem = refusal(&wire, &strange).await;
        assert_eq!(problem.code, ProblemCode::Forbidden, "{url}: {problem:?}");
        assert!(problem.message.contains("so far") && !problem.message.contains("service shop"), "{problem:?}");
    }
    let granted = web_with("# mypaas.url=http://shop.test/blog");
    succeed(&wire, &all, &granted).await;
    succeed(&wire, &limited, &granted).await;
    told(
        "a path of another service's domain",
        &format!("403 {}", refusal(&wire, &web_with("# mypaas.url=http://shop.test/login")).await.message),
    );
}
