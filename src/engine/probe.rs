//! Asking a process in a container whether it is ready, over the network.

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use tokio::net::TcpStream;

use super::{EngineError, ProbeAnswer, Result};

/// Asks by HTTP or by connecting. It follows no redirects, uses no proxy and keeps no connection.
#[derive(Debug)]
pub(super) struct Prober {
    http: reqwest::Client,
}

impl Prober {
    pub(super) fn new() -> Result<Self> {
        let http = crate::http::plain()
            .redirect(reqwest::redirect::Policy::none())
            .pool_max_idle_per_host(0)
            .user_agent("mypaas-probe")
            .build()
            .map_err(|error| EngineError::Refused { action: "prepare probing".to_owned(), source: Box::new(error) })?;
        Ok(Self { http })
    }

    /// Ready when the path answers 2xx or 3xx in time.
    pub(super) async fn http(&self, address: Ipv4Addr, port: u16, path: &str, timeout: Duration) -> ProbeAnswer {
        let url = format!("http://{address}:{port}/{}", path.trim_start_matches('/'));
        match self.http.get(url).timeout(timeout).send().await {
            Ok(answer) => {
                let (status, detail) = (answer.status(), format!("HTTP {}", answer.status().as_u16()));
                if status.is_success() || status.is_redirection() {
                    ProbeAnswer::Ready { detail }
                } else {
                    ProbeAnswer::NotReady { detail }
                }
            }
            Err(error) if error.is_timeout() => too_late(timeout),
            Err(error) => ProbeAnswer::NotReady { detail: innermost(&error) },
        }
    }
}

/// Ready when the port accepts a connection in time.
pub(super) async fn connect(address: Ipv4Addr, port: u16, timeout: Duration) -> ProbeAnswer {
    match tokio::time::timeout(timeout, TcpStream::connect(SocketAddrV4::new(address, port))).await {
        Ok(Ok(_)) => ProbeAnswer::Ready { detail: "connected".to_owned() },
        Ok(Err(error)) => ProbeAnswer::NotReady { detail: reason(&error) },
        Err(_) => too_late(timeout),
    }
}

fn too_late(limit: Duration) -> ProbeAnswer {
    ProbeAnswer::NotReady { detail: format!("no answer within {limit:?}") }
}

/// The layers above it only say that a request failed.
fn innermost(error: &(dyn Error + 'static)) -> String {
    let innermost = std::iter::successors(Some(error), |&cause| cause.source()).last().unwrap_or(error);
    match innermost.downcast_ref::<std::io::Error>() {
        Some(error) => reason(error),
        None => innermost.to_string(),
    }
}

/// Without the error's number, which depends on the system.
fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    const HERE: Ipv4Addr = Ipv4Addr::LOCALHOST;
    const SHORT: Duration = Duration::from_millis(200);
    const LONG: Duration = Duration::from_secs(10);

    fn ready(detail: &str) -> ProbeAnswer {
        ProbeAnswer::Ready { detail: detail.to_owned() }
    }

    fn not_ready(detail: &str) -> ProbeAnswer {
        ProbeAnswer::NotReady { detail: detail.to_owned() }
    }

    /// Answers one request so; what it was asked.
    async fn answering(answer: &'static str) -> (u16, tokio::task::JoinHandle<String>) {
        let listener = TcpListener::bind((HERE, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let served = tokio::spawn(async move {
            let (mut connection, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 4096];
            let length = connection.read(&mut request).await.unwrap();
            connection.write_all(answer.as_bytes()).await.unwrap();
            String::from_utf8_lossy(&request[..length]).into_owned()
        });
        (port, served)
    }

    #[tokio::test]
    async fn success_and_redirects_are_ready_and_all_else_is_not() {
        let prober = Prober::new().unwrap();
        for (answer, expected) in [
            ("HTTP/1.1 204 No Content\r\n\r\n", ready("HTTP 204")),
            ("HTTP/1.1 302 Found\r\nlocation: http://192.0.2.1/\r\ncontent-length: 0\r\n\r\n", ready("HTTP 302")),
            ("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", not_ready("HTTP 404")),
            ("HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n", not_ready("HTTP 503")),
        ] {
            let (port, served) = answering(answer).await;
            assert_eq!(prober.http(HERE, port, "/health?full=1", LONG).await, expected);
            let request = served.await.unwrap().to_lowercase();
            assert!(request.starts_with("get /health?full=1 http/1.1\r\n"), "{request}");
            assert!(request.contains(&format!("host: 127.0.0.1:{port}\r\n")), "{request}");
        }
    }

    #[tokio::test]
    async fn a_closed_port_is_told_as_refused() {
        let port = TcpListener::bind((HERE, 0)).await.unwrap().local_addr().unwrap().port();
        assert_eq!(Prober::new().unwrap().http(HERE, port, "/", LONG).await, not_ready("connection refused"));
        assert_eq!(connect(HERE, port, LONG).await, not_ready("connection refused"));
    }

    #[tokio::test]
    async fn silence_is_not_ready_but_accepts_a_connection() {
        let listener = TcpListener::bind((HERE, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let silent = Prober::new().unwrap().http(HERE, port, "/", SHORT).await;
        assert_eq!(silent, not_ready("no answer within 200ms"));
        assert_eq!(connect(HERE, port, LONG).await, ready("connected"));
    }
}
