//! Servers that do not answer, and those to which there is no way.

use mypaas::api::{Action, ProblemCode};
use tokio::sync::mpsc::{self, Receiver};

use super::*;
use crate::console::fixture;

fn world(ways: Vec<(&str, Result<Client, Problem>)>) -> (World, Receiver<Message>) {
    let (news, inbox) = mpsc::channel(64);
    let inboxes = Inboxes { news, logs: mpsc::channel(1).0, shells: mpsc::channel(1).0 };
    let ways = ways.into_iter().map(|(name, way)| (name.parse().unwrap(), way)).collect();
    (World::new(ways, "ada@laptop".into(), inboxes), inbox)
}

fn ask(world: &mut World, model: &mut crate::console::model::Model, server: &str) -> Ticket {
    let ticket = model.ticket();
    let request = PlanRequest::Service { service: "api".parse().unwrap(), action: Action::Restart };
    assert_eq!(world.perform(Effect::Plan { ticket, server: server.parse().unwrap(), request }), None);
    ticket
}

async fn answered(inbox: &mut Receiver<Message>) -> (Ticket, ProblemCode) {
    let limit = std::time::Duration::from_secs(20);
    match tokio::time::timeout(limit, inbox.recv()).await.unwrap() {
        Some(Message::Planned { ticket, result: Err(problem) }) => (ticket, problem.code),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_server_that_is_frozen_delays_nothing_on_another_and_its_plans_go_with_their_question() {
    let folder = tempfile::tempdir().unwrap();
    let frozen = folder.path().join("frozen.sock");
    let _nobody_answers = std::os::unix::net::UnixListener::bind(&frozen).unwrap();
    let (mut world, mut inbox) = world(vec![
        ("frozen", Ok(Client::unix(&frozen).unwrap())),
        ("gone", Ok(Client::unix(&folder.path().join("gone.sock")).unwrap())),
    ]);
    let mut model = fixture::model();
    let asked: Vec<_> = (0..2 * AT_A_TIME).map(|_| ask(&mut world, &mut model, "frozen")).collect();
    tokio::task::yield_now().await;
    let other = ask(&mut world, &mut model, "gone");
    assert_eq!(answered(&mut inbox).await, (other, ProblemCode::Unavailable));
    world.keep_plans(|ticket| ticket == asked[0]);
    assert_eq!(world.plans.keys().copied().collect::<Vec<_>>(), [asked[0]]);
}

#[tokio::test]
async fn what_is_asked_of_a_server_to_which_there_is_no_way_is_answered() {
    let why = Problem::new(ProblemCode::BadRequest, "the key cannot be read");
    let (mut world, mut inbox) = world(vec![("s1", Err(why))]);
    let news = world.first_news();
    assert!(matches!(&news[..], [Message::Server { news: ServerNews::NoWay(_), .. }]), "{news:?}");
    let mut model = fixture::model();
    let ticket = ask(&mut world, &mut model, "s1");
    assert_eq!(answered(&mut inbox).await, (ticket, ProblemCode::BadRequest));
}
