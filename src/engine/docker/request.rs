//! What goes into requests by hand, because the library cannot say it, or says it wrong.

use bollard::Docker;
use hyper::Uri;
use hyper::header::{HeaderName, HeaderValue};

use crate::manifest::MemoryLimit;

/// A connection whose requests have this in addition.
pub(super) fn with(docker: &Docker, limit: Option<MemoryLimit>, login: Option<(HeaderName, HeaderValue)>) -> Docker {
    if limit.is_none() && login.is_none() {
        return docker.clone();
    }
    docker.clone().with_request_modifier(move |mut request| {
        if let Some(uri) = limit.and_then(|limit| limited(request.uri(), limit)) {
            *request.uri_mut() = uri;
        }
        if let Some((name, value)) = &login {
            request.headers_mut().insert(name.clone(), value.clone());
        }
        request
    })
}

/// The library's own option holds no more than 2 GiB.
fn limited(uri: &Uri, limit: MemoryLimit) -> Option<Uri> {
    let limited = format!("{uri}&memory={}", limit.bytes);
    limited.parse().inspect_err(|error| tracing::error!(limited, %error, "a build's memory is not limited")).ok()
}
