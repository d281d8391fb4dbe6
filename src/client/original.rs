//! Pushes to a server of the Python original (0.5.9). It takes nothing else.

use std::fs::File;
use std::sync::Arc;

use bytes::{Buf, BytesMut};
use futures_util::stream::{self, BoxStream, StreamExt};
use jiff::{SignedDuration, Timestamp};
use reqwest::{Method, Response, StatusCode};

use super::limits::{ANSWER_LIMIT, within};
use super::spool::{Sending, Spooled};
use super::{Client, ClientError, Result};
use crate::api::{Problem, ProblemCode};
use crate::original::{LARGEST_ZIP, PUSH, Signed, TIME, Token};
use crate::proof::BodyDigest;

/// How far a server's clock may be off this machine's. What is signed is good for whatever time the server tells: one that
/// told tomorrow's could push with it elsewhere, tomorrow.
const MOST_APART: SignedDuration = SignedDuration::from_mins(5);

/// A longer line is broken in two.
const LONGEST_LINE: usize = 64 * 1024;

/// Of an answer that is no answer to a push.
const LONGEST_REFUSAL: usize = 4 * 1024;

impl Client {
    /// Pushes a zip (of [`zip_up`](crate::context::zip_up)); its signer needs an RSA key. Gives the lines of the answer as
    /// they come; what the server does goes on whether or not they are read. One that begins with
    /// [`FAIL`](crate::original::FAIL) tells that the push failed, and those after it why.
    pub async fn push_as_original(
        &self,
        zip: File,
        sending: Arc<Sending>,
    ) -> Result<BoxStream<'static, Result<String>>> {
        let spooled = Spooled::of(zip).await.map_err(ClientError::Pack)?;
        if spooled.bytes > LARGEST_ZIP {
            let limit = LARGEST_ZIP / (1024 * 1024);
            let message = format!("the zip of the folder is larger than {limit} MiB, the original's limit");
            let hint = "leave out what the image does not need, in .dockerignore";
            return Err(ClientError::Refused(Box::new(Problem::new(ProblemCode::TooLarge, message).hint(hint))));
        }
        let query = self.signed(&spooled.digest).await?.query();
        let (bytes, url) = (spooled.bytes, self.transport.url(&format!("{PUSH}?{query}")));
        let body = reqwest::Body::wrap_stream(spooled.into_stream(sending));
        let request = self.transport.http().post(url).header("content-length", bytes).body(body);
        let response = request.send().await.map_err(|error| self.transport.explain(error))?;
        if response.status() == StatusCode::OK {
            return Ok(lines(response));
        }
        Err(refusal(response).await)
    }

    /// The token is good for a few seconds, so it comes last.
    async fn signed(&self, zip: &BodyDigest) -> Result<Signed> {
        let signer = self.transport.signer().ok_or(ClientError::NoKey)?;
        let over_body = signer.sign_as_original(zip.bytes()).map_err(ClientError::Sign)?;
        let time = self.transport.time_of_original().await?.ok_or_else(|| ClientError::NotTheServer {
            endpoint: self.endpoint().to_owned(),
            status: StatusCode::NOT_FOUND.as_u16(),
        })?;
        check_clock(time, Timestamp::now())?;
        let token = Token::new(time).map_err(ClientError::Pack)?;
        let digest = BodyDigest::of(token.as_str().as_bytes());
        let over_token = signer.sign_as_original(digest.bytes()).map_err(ClientError::Sign)?;
        let id = signer.public().original_id().unwrap_or_default();
        Ok(Signed { id, token, over_token, over_body })
    }
}

impl super::transport::Transport {
    /// The time of a server that speaks as the original does; none when what answers does not.
    pub(super) async fn time_of_original(&self) -> Result<Option<i64>> {
        let request = self.http().request(Method::GET, self.url(TIME));
        let answer = async {
            let mut response = request.send().await.map_err(|error| self.explain(error))?;
            if response.status() != StatusCode::OK {
                return Ok(None);
            }
            let text = beginning(&mut response).await.map_err(|error| self.explain(error))?;
            Ok(text.trim().parse().ok().filter(|time| *time > 0))
        };
        within(ANSWER_LIMIT, answer).await
    }
}

async fn beginning(response: &mut Response) -> Result<String, reqwest::Error> {
    let mut bytes = BytesMut::new();
    while bytes.len() < LONGEST_REFUSAL
        && let Some(chunk) = response.chunk().await?
    {
        bytes.extend_from_slice(&chunk);
    }
    bytes.truncate(LONGEST_REFUSAL);
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn check_clock(time: i64, now: Timestamp) -> Result<()> {
    let apart = SignedDuration::from_secs(time.saturating_sub(now.as_second()));
    if apart.unsigned_abs() <= MOST_APART.unsigned_abs() {
        return Ok(());
    }
    let side = if apart.is_negative() { "behind" } else { "ahead of" };
    let apart = SignedDuration::from_secs(i64::try_from(apart.unsigned_abs().as_secs()).unwrap_or(i64::MAX));
    let message = format!("the server's clock is {apart:#} {side} this machine's, so nothing was signed for it");
    let hint = "Set the clock that is wrong, as with `timedatectl set-ntp true`.";
    Err(ClientError::Refused(Box::new(Problem::new(ProblemCode::Other, message).hint(hint))))
}

/// What the original says instead of a push's story.
async fn refusal(mut response: Response) -> ClientError {
    let status = response.status();
    let text = beginning(&mut response).await.unwrap_or_default();
    let (code, message) = match status {
        StatusCode::FORBIDDEN => (ProblemCode::Unauthorized, format!("the server refuses the push: {}", text.trim())),
        _ => (ProblemCode::Other, format!("the server answers HTTP {}: {}", status.as_u16(), text.trim())),
    };
    let problem = Problem::new(code, message);
    ClientError::Refused(Box::new(match status {
        StatusCode::FORBIDDEN => problem.hint(
            "Is the line that begins with rsa-pub- of this very key in the authorized_keys of that server? Are its \
             clock and its load such that a push begins within 5 seconds?",
        ),
        _ => problem,
    }))
}

/// The answer, line by line; ends at the first error.
fn lines(response: Response) -> BoxStream<'static, Result<String>> {
    stream::unfold(Some((response, BytesMut::new())), |state| async move {
        let (mut response, mut buffer) = state?;
        loop {
            if let Some(line) = take_line(&mut buffer) {
                return Some((Ok(line), Some((response, buffer))));
            }
            match response.chunk().await {
                Ok(Some(chunk)) => buffer.extend_from_slice(&chunk),
                Ok(None) if buffer.is_empty() => return None,
                Ok(None) => return Some((Ok(text(&buffer)), None)),
                Err(error) => return Some((Err(ClientError::Broken(Box::new(error))), None)),
            }
        }
    })
    .boxed()
}

fn take_line(buffer: &mut BytesMut) -> Option<String> {
    let Some(end) = buffer.iter().take(LONGEST_LINE).position(|byte| *byte == b'\n') else {
        return (buffer.len() >= LONGEST_LINE).then(|| text(&buffer.split_to(LONGEST_LINE)));
    };
    let line = text(&buffer[..end]);
    buffer.advance(end + 1);
    Some(line)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_end_matches('\r').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_signed_for_another_time() {
        let now: Timestamp = "2026-01-01T12:00:00Z".parse().unwrap();
        let told = |time| check_clock(time, now).map_err(|error| error.to_string());
        for apart in [-300, 0, 300] {
            assert_eq!(told(now.as_second() + apart), Ok(()));
        }
        for (time, words) in [
            (now.as_second() + 301, "5m 1s ahead of"),
            (now.as_second() - 7200, "2h behind"),
            (0, "behind"),
            (i64::MAX, "ahead of"),
            (i64::MIN, "behind"),
        ] {
            let refused = told(time).unwrap_err();
            assert!(refused.contains(words) && refused.contains("nothing was signed"), "{refused}");
        }
    }

    #[test]
    fn lines_come_out_one_by_one_and_endless_ones_in_pieces() {
        let mut buffer = BytesMut::from("one\r\ntwo\n\nthr".as_bytes());
        let taken: Vec<String> = std::iter::from_fn(|| take_line(&mut buffer)).collect();
        assert_eq!((taken, &buffer[..]), (vec!["one".into(), "two".into(), String::new()], &b"thr"[..]));
        let mut endless = BytesMut::from("x".repeat(LONGEST_LINE + 1).as_bytes());
        assert_eq!(take_line(&mut endless).map(|line| line.len()), Some(LONGEST_LINE));
        assert_eq!(take_line(&mut endless), None);
    }
}
