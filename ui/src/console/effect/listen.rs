//! Streams of servers. Each is tried again when it breaks, with pauses that grow from half a second to ten; each ends
//! with the task that runs it.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use mypaas::api::{Event, Problem, ProblemCode, What};
use mypaas::client::{self, Client, ClientError};
use mypaas::name::{DeployId, ServerName};
use tokio::sync::mpsc::Sender;
use tokio::time::{sleep, timeout};

use super::problem::of_client;
use crate::console::message::{Message, News, ServerNews};
use crate::console::model::fleet::ServiceAt;

const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// A server that has not begun to answer by then does not answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// A stream that is silent for so long is not trusted: the server is asked whether it is there.
const SILENCE: Duration = Duration::from_secs(5);

/// A service is asked about when the selection has rested for so long, so that moving through a list asks for nothing.
pub(super) const REST: Duration = Duration::from_millis(60);

/// So many items of a stream travel as one message at most.
const BATCH: usize = 512;

pub(super) type Inbox = Sender<Message>;

/// Pauses that grow with each failure.
pub(super) struct Pause(Duration);

impl Pause {
    pub(super) fn new() -> Self {
        Self(FIRST_PAUSE)
    }

    pub(super) async fn wait(&mut self) {
        sleep(self.0).await;
        self.0 = (self.0 * 2).min(LONGEST_PAUSE);
    }
}

/// An answer, or that there was none in time.
pub(super) async fn in_time<T>(answer: impl Future<Output = client::Result<T>>) -> Result<T, Problem> {
    let late = |_| ClientError::TimedOut { limit: ANSWER_LIMIT };
    timeout(ANSWER_LIMIT, answer).await.map_err(late).and_then(|answer| answer).map_err(of_client)
}

fn is_gone(problem: &Problem) -> bool {
    problem.code == ProblemCode::NotFound
}

/// A server's snapshots.
pub(super) async fn server(client: Client, name: ServerName, inbox: Inbox) {
    let mut pause = Pause::new();
    loop {
        let problem = match in_time(client.watch()).await {
            Ok(mut snapshots) => loop {
                let snapshot = match timeout(SILENCE, snapshots.next()).await {
                    Ok(Some(Ok(snapshot))) => snapshot,
                    Ok(Some(Err(error))) => break of_client(error),
                    Ok(None) => break Problem::new(ProblemCode::Unavailable, "the server ended the connection"),
                    Err(_) => match in_time(client.server()).await {
                        Ok(_) => {
                            tell(&inbox, Message::Server { server: name.clone(), news: ServerNews::Alive }).await;
                            continue;
                        }
                        Err(problem) => break problem,
                    },
                };
                pause = Pause::new();
                let news = ServerNews::Snapshot(Box::new(snapshot));
                tell(&inbox, Message::Server { server: name.clone(), news }).await;
            },
            Err(problem) => problem,
        };
        tell(&inbox, Message::Server { server: name.clone(), news: ServerNews::Lost(problem) }).await;
        pause.wait().await;
    }
}

/// A service's detail, once.
pub(super) async fn detail(client: Client, at: ServiceAt, inbox: Inbox) {
    sleep(REST).await;
    let mut pause = Pause::new();
    loop {
        let result = in_time(client.service(&at.service)).await.map(Box::new);
        let again = result.as_ref().is_err_and(|problem| !is_gone(problem));
        tell(&inbox, Message::Detail { at: at.clone(), result }).await;
        if !again {
            return;
        }
        pause.wait().await;
    }
}

/// A deploy's events from the first one to the last.
pub(super) async fn deploy(client: Client, server: ServerName, id: DeployId, inbox: Inbox) {
    let told = |news| Message::Deploy { server: server.clone(), id, news };
    let (mut next, mut finished) = (1, false);
    let mut pause = Pause::new();
    while !finished {
        let news = match in_time(client.deploy_events(id, next)).await {
            Ok(events) => {
                tell(&inbox, told(News::Began)).await;
                let seen = |event: &Event| {
                    next = event.seq + 1;
                    finished |= matches!(event.what, What::Finished { .. });
                };
                forward(events, seen, |events| tell(&inbox, told(News::Some(events)))).await
            }
            Err(problem) => News::Lost(problem),
        };
        let gone = matches!(&news, News::Lost(problem) if is_gone(problem));
        tell(&inbox, told(news)).await;
        if finished || gone {
            return;
        }
        pause.wait().await;
    }
}

/// Hands on what a stream brings, as many items at once as are there; says how it ended.
async fn forward<T, Told: Future<Output = ()>>(
    stream: BoxStream<'static, client::Result<T>>,
    mut seen: impl FnMut(&T),
    mut tell: impl FnMut(Vec<T>) -> Told,
) -> News<T> {
    let mut batches = stream.ready_chunks(BATCH);
    while let Some(batch) = batches.next().await {
        let mut items = Vec::with_capacity(batch.len());
        let mut broken = None;
        for item in batch {
            match item {
                Ok(item) => {
                    seen(&item);
                    items.push(item);
                }
                Err(error) => broken = Some(of_client(error)),
            }
        }
        if !items.is_empty() {
            tell(items).await;
        }
        if let Some(problem) = broken {
            return News::Lost(problem);
        }
    }
    News::Ended
}

/// A console that is gone wants to hear nothing.
pub(super) async fn tell(inbox: &Inbox, message: Message) {
    let _ = inbox.send(message).await;
}
