//! What goes back over the wire: JSON, JSON lines, problems.

use std::convert::Infallible;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt};
use serde::Serialize;
use tokio::time::timeout;

use crate::api::{Problem, ProblemCode};
use crate::proof;

/// What has to be signed (RFC 9421).
const ACCEPT_SIGNATURE: HeaderName = HeaderName::from_static("accept-signature");

/// Seconds after which it is worth trying again.
const RETRY_AFTER: &str = "60";

/// A quiet stream sends a blank line as often, so that a broken connection is noticed at both ends.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// A problem as an answer.
#[derive(Debug)]
pub(super) struct Refusal(Problem);

pub(super) type Answer<T> = Result<Json<T>, Refusal>;

impl<E: Into<Problem>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = match self.0.code {
            ProblemCode::BadRequest => StatusCode::BAD_REQUEST,
            ProblemCode::NotFound => StatusCode::NOT_FOUND,
            ProblemCode::Conflict => StatusCode::CONFLICT,
            ProblemCode::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            ProblemCode::NoRoom => StatusCode::INSUFFICIENT_STORAGE,
            ProblemCode::Unavailable | ProblemCode::Stopping => StatusCode::SERVICE_UNAVAILABLE,
            ProblemCode::Unauthorized => StatusCode::UNAUTHORIZED,
            ProblemCode::Forbidden => StatusCode::FORBIDDEN,
            ProblemCode::TooMany => StatusCode::TOO_MANY_REQUESTS,
            ProblemCode::Version => StatusCode::NOT_FOUND,
            ProblemCode::Internal | ProblemCode::Other => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let mut response = (status, Json(&self.0)).into_response();
        match self.0.code {
            ProblemCode::Unauthorized => {
                response.headers_mut().insert(ACCEPT_SIGNATURE, HeaderValue::from_static(proof::ACCEPTED));
            }
            ProblemCode::TooMany => {
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER));
            }
            _ => {}
        }
        // For the guard, which writes down what was refused.
        response.extensions_mut().insert(self.0);
        response
    }
}

impl From<JsonRejection> for Problem {
    fn from(error: JsonRejection) -> Self {
        Problem::new(ProblemCode::BadRequest, "the request cannot be read").because(&error)
    }
}

impl From<QueryRejection> for Problem {
    fn from(error: QueryRejection) -> Self {
        Problem::new(ProblemCode::BadRequest, "the request's parameters cannot be read").because(&error)
    }
}

impl From<PathRejection> for Problem {
    fn from(error: PathRejection) -> Self {
        Problem::new(ProblemCode::BadRequest, "the request's path cannot be read").because(&error)
    }
}

/// One JSON value a line, for as long as the stream goes on.
pub(super) fn lines<T: Serialize + Send + 'static>(values: impl Stream<Item = T> + Send + 'static) -> Response {
    let lines = stream::unfold(values.boxed(), |mut values| async move {
        let line = match timeout(HEARTBEAT, values.next()).await {
            Ok(Some(value)) => line(&value)?,
            Ok(None) => return None,
            Err(_) => Bytes::from_static(b"\n"),
        };
        Some((Ok::<_, Infallible>(line), values))
    });
    ([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(lines)).into_response()
}

fn line(value: &impl Serialize) -> Option<Bytes> {
    match serde_json::to_vec(value) {
        Ok(mut line) => {
            line.push(b'\n');
            Some(line.into())
        }
        Err(error) => {
            tracing::error!(%error, "an answer could not be written as JSON");
            None
        }
    }
}
