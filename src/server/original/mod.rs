//! Pushes as the Python original's client (0.5.9) sends them. They take the same road as all others: guard, desk, queue.
//!
//! That client prints what it is answered and ends well, whatever it printed. It ends badly only when the answer breaks
//! off; so that is what an answer does that tells of a failure.
//!
//! ```text
//! tell.rs   what a deploy reports → lines of text
//! ```

mod tell;

use std::time::Duration;

use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt};
use jiff::Timestamp;
use tokio::time::sleep;

use super::answer::Refusal;
use super::desk::Desk;
use crate::api::{DeployRequest, Problem, ProblemCode, Target};
use crate::deploy::{Deploy, Origin};
use crate::original::{DENIED, NOT_VERIFIED};
use crate::proof::Altered;

/// How long the last lines have to get out before the answer breaks off.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// The server's time, which a push is signed with.
pub(super) async fn time() -> String {
    Timestamp::now().as_second().to_string()
}

pub(super) async fn push(desk: Desk, body: Body) -> Response {
    match accept(&desk, body).await {
        Ok(deploy) => told(&desk, deploy),
        Err(problem) if problem.code == ProblemCode::Unauthorized => Refusal::from(problem).into_response(),
        Err(problem) => {
            let lines = stream::iter(tell::problem(&problem)).boxed();
            let mut response = answer(failing(lines));
            // For the guard, which writes down what was refused.
            response.extensions_mut().insert(problem);
            response
        }
    }
}

async fn accept(desk: &Desk, body: Body) -> Result<Deploy, Problem> {
    let received = desk.receive_zip(body).await?;
    let target = Target::Context { context: received.id.to_string() };
    // The desk knows who it is by the key.
    let origin = Origin { who: String::new(), key: None, folder: None, commit: None };
    desk.accept(DeployRequest { target, origin }).await
}

/// Tells all of the deploy, until it is done.
fn told(desk: &Desk, deploy: Deploy) -> Response {
    let events = match desk.events(deploy.id, 1) {
        Ok(events) => events,
        Err(problem) => return answer(failing(stream::iter(tell::problem(&problem)).boxed())),
    };
    let first = stream::iter([tell::accepted(&deploy)]);
    let stopped = Box::pin(desk.stopped());
    let events = events.take_until(stopped).map(Some).chain(stream::iter([None]));
    let told = stream::unfold((events, tell::Story::of(deploy)), |(mut events, mut story)| async move {
        if story.is_over() {
            return None;
        }
        let lines = story.tell(events.next().await?);
        Some((stream::iter(lines), (events, story)))
    });
    let lines = told.flatten();
    answer(failing(first.chain(lines).boxed()))
}

/// The lines to the first one that tells of a failure; after it the answer breaks off.
fn failing(lines: BoxStream<'static, tell::Line>) -> BoxStream<'static, Result<Bytes, Failed>> {
    let sent = stream::unfold((lines, false), |(mut lines, failed)| async move {
        if failed {
            sleep(LAST_WORDS).await;
            return Some((Err(Failed), (stream::empty().boxed(), false)));
        }
        let line = lines.next().await?;
        Some((Ok(line.bytes()), (lines, line.is_failure())))
    });
    sent.boxed()
}

#[derive(Debug, thiserror::Error)]
#[error("the push failed, as its last line tells")]
struct Failed;

fn answer(lines: BoxStream<'static, Result<Bytes, Failed>>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], Body::from_stream(lines)).into_response()
}

/// A refusal as the original words it. Why exactly is for the server's log: the client shows it to anybody.
pub(super) async fn in_its_words(response: Response) -> Response {
    let Some(problem) = response.extensions().get::<Problem>().filter(|_| !response.status().is_success()) else {
        return response;
    };
    let (status, text) = match problem.code {
        ProblemCode::Unauthorized if problem.message == Altered.to_string() => {
            (StatusCode::FORBIDDEN, NOT_VERIFIED.to_owned())
        }
        ProblemCode::Unauthorized => (StatusCode::FORBIDDEN, DENIED.to_owned()),
        ProblemCode::Forbidden => (StatusCode::FORBIDDEN, format!("{DENIED}: {}", problem.message)),
        _ => (response.status(), problem.message.clone()),
    };
    (status, text).into_response()
}
