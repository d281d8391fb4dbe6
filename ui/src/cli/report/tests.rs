use std::io;
use std::path::PathBuf;

use anyhow::Context;
use mypaas::api::{Deploy, Event, PlanView, Problem, ProblemCode, What};
use mypaas::client::{Client, ClientError};
use mypaas::fleet::{Fleet, FleetError};
use mypaas::manifest;
use serde::Deserialize;

use super::*;
use crate::cli::fixture;

fn text(error: impl Into<anyhow::Error>) -> String {
    Report::of(&error.into()).text(Paint { colour: false })
}

fn code(error: impl Into<anyhow::Error>) -> (ProblemCode, u8) {
    let report = Report::of(&error.into());
    (report.problem.code, report.exit)
}

fn unknown_service() -> InputError {
    InputError::UnknownService {
        name: "helo".parse().unwrap(),
        server: "local".parse().unwrap(),
        known: vec!["blog".into(), "hello".into()],
    }
}

fn ended(recording: &str) -> DeployEnded {
    #[derive(Deserialize)]
    struct Recorded {
        deploy: Deploy,
        events: Vec<Event>,
    }
    let Recorded { deploy, events } = fixture::read(&format!("events/{recording}.json"));
    match events.into_iter().next_back().map(|event| event.what) {
        Some(What::Finished { outcome }) => DeployEnded::new(deploy, outcome),
        other => panic!("{recording} ends with {other:?}"),
    }
}

#[test]
fn a_chain_of_errors_says_everything_once() {
    let deep = io::Error::other("disk full");
    let error = anyhow::Error::new(deep).context("could not write x: disk full").context("the push failed");
    insta::assert_snapshot!(text(error), @"
    error: the push failed
      because could not write x: disk full
    ");
}

#[test]
fn what_was_probably_meant_is_suggested() {
    insta::assert_snapshot!(text(unknown_service()), @"
    error: there is no service helo on local
      hint: did you mean hello?
    ");
    assert_eq!(code(unknown_service()), (ProblemCode::BadRequest, FAILURE));
}

#[test]
fn a_wrong_server_name_is_a_wrong_command_line() {
    let error = InputError::UnknownServer {
        name: "prod".parse().unwrap(),
        known: vec!["local".into()],
        fleet: PathBuf::from("/home/ada/.config/mypaas/fleet.toml"),
    };
    assert_eq!(code(error), (ProblemCode::BadRequest, USAGE));
}

#[test]
fn what_the_server_refuses_is_told_in_its_words() {
    let problem = Problem {
        code: ProblemCode::Conflict,
        message: "hello cannot be scaled".into(),
        causes: vec!["mypaas.scale is 0".into()],
        hint: Some("set mypaas.scale in its Dockerfile".into()),
        diagnostics: Vec::new(),
    };
    let error = ClientError::Refused(Box::new(problem));
    insta::assert_snapshot!(text(error), @"
    error: hello cannot be scaled
      because mypaas.scale is 0
      hint: set mypaas.scale in its Dockerfile
    ");
}

#[tokio::test]
async fn no_server_is_told_without_the_words_of_the_http_library() {
    let folder = tempfile::tempdir().unwrap();
    let client = Client::unix(&folder.path().join("mypaas.sock")).unwrap();
    let error = client.server().await.map(|_| ()).context("the state of local is not known").unwrap_err();
    let told = Report::of(&error).text(Paint { colour: false });
    let told = told.replace(&folder.path().display().to_string(), "FOLDER");
    insta::assert_snapshot!(told, @"
    error: the state of local is not known
      because no server answers at FOLDER/mypaas.sock
      because No such file or directory (os error 2)
      hint: is `mypaas serve` running there, and may you open its socket?
    ");
    assert_eq!(code(error), (ProblemCode::Unavailable, FAILURE));
}

#[test]
fn mistakes_in_a_dockerfile_are_shown_where_they_are() {
    let dockerfile = "FROM scratch\n# mypaas.service=Hello\n# mypaas.helthcheck=/ 10s 5s\n";
    let mistakes =
        Mistakes { file: "hello/Dockerfile".into(), diagnostics: manifest::check(dockerfile.as_bytes()).diagnostics };
    let error = anyhow::Error::new(mistakes).context("nothing was sent");
    insta::assert_snapshot!(text(error));
}

#[test]
fn a_mistake_in_the_list_of_servers_is_shown_where_it_is() {
    let diagnostic = Fleet::parse("[servers.shop]\nadress = \"unix:///run/b.sock\"\n").unwrap_err();
    let error = FleetError::Invalid { path: "/home/ada/.config/mypaas/fleet.toml".into(), diagnostic };
    insta::assert_snapshot!(text(error), @r#"
    error: the list of servers /home/ada/.config/mypaas/fleet.toml has a mistake

    error: unknown field `adress`, expected one of `address`, `key`, `color`, `colour`, `lock`, `insecure`
      /home/ada/.config/mypaas/fleet.toml:2:1
      2 | adress = "unix:///run/b.sock"
        | ^^^^^^
      hint: a server is written [servers.NAME], and below it address = "https://domain"
    "#);
}

#[test]
fn a_failed_deploy_shows_all_evidence() {
    insta::assert_snapshot!("container_exits", text(ended("container_exits")));
    insta::assert_snapshot!("build_fails", text(ended("build_fails")));
    insta::assert_snapshot!("superseded", text(ended("superseded")));
    assert_eq!(code(ended("superseded")), (ProblemCode::Conflict, FAILURE));
}

#[test]
fn a_refused_plan_says_why() {
    let plan: PlanView = fixture::read("plans/push.json");
    let refusal = Refusal::among(plan.refusals, &"local".parse().unwrap()).unwrap();
    insta::assert_snapshot!(text(refusal), @"
    error: https://www.hello.example.com/app belongs to the service blog
      hint: choose another URL, or remove it from blog
    ");
}

#[test]
fn text_of_others_cannot_drive_the_terminal() {
    let told = text(anyhow::anyhow!("a\u{1b}[2Jb\nc\u{1b}]0;x\u{7}d"));
    assert_eq!(told, "error: ab\n       cd\n");
}

#[test]
fn what_a_failure_left_behind_cannot_either() {
    let mut plan: PlanView = fixture::read("plans/push.json");
    plan.refusals.push(Problem::new(ProblemCode::Conflict, "x\u{1b}]0;x\u{7}y\nok: z"));
    let refused = text(Refusal::among(plan.refusals, &"local".parse().unwrap()).unwrap());
    assert!(refused.contains("\n  also: xy ok: z\n"), "{refused:?}");

    let failed = SetUpError::Reverted { reason: "a\u{1b}[2Jb\nc\u{9b}d".into() };
    assert!(text(failed).contains("\n  | ab\n  | cd\n"));
}

#[test]
fn a_report_is_also_data() {
    let report = Report::of(&unknown_service().into());
    let json = serde_json::to_value(report.problem()).unwrap();
    assert_eq!(json["message"], "there is no service helo on local");
    assert_eq!(json["hint"], "did you mean hello?");
}
