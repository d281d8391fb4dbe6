//! A small HTTP service within the test: it answers every request with its name.

use std::io;
use std::net::SocketAddrV4;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::sleep;

/// Every tenth request takes this long.
const SLOW: Duration = Duration::from_millis(200);

/// It stops at once, with all its connections and whatever it has begun, when it is dropped.
#[derive(Debug)]
pub(crate) struct Backend {
    pub(crate) address: SocketAddrV4,
    behaviour: Arc<Behaviour>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Behaviour {
    name: String,
    healthy: AtomicBool,
    requests: AtomicU64,
    /// Requests that are not answered yet.
    busy: AtomicU64,
}

impl Backend {
    /// Starts at the address, at any port where it is 0; its name is the address.
    pub(crate) async fn start(at: SocketAddrV4) -> Self {
        let listener = TcpListener::bind(at).await.unwrap();
        let address = SocketAddrV4::new(*at.ip(), listener.local_addr().unwrap().port());
        let behaviour = Arc::new(Behaviour {
            name: address.ip().to_string(),
            healthy: AtomicBool::new(true),
            requests: AtomicU64::new(0),
            busy: AtomicU64::new(0),
        });
        let task = tokio::spawn(accept(listener, behaviour.clone()));
        Self { address, behaviour, task }
    }

    /// Finishes what it has begun, and stops.
    pub(crate) async fn retire(self) {
        while self.behaviour.busy.load(Ordering::Relaxed) > 0 {
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// What `/health` answers from now on: 302, or 500.
    pub(crate) fn set_healthy(&self, healthy: bool) {
        self.behaviour.healthy.store(healthy, Ordering::Relaxed);
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, behaviour: Arc<Behaviour>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let behaviour = behaviour.clone();
        connections.spawn(async move {
            // A client that goes away in the middle is its own business.
            let _ = serve(stream, &behaviour).await;
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn serve(stream: TcpStream, behaviour: &Behaviour) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    while let Some(path) = read_request(&mut stream).await? {
        behaviour.busy.fetch_add(1, Ordering::Relaxed);
        let status = match (path.as_str(), behaviour.healthy.load(Ordering::Relaxed)) {
            ("/health", true) => "302 Found",
            ("/health", false) => "500 Internal Server Error",
            _ => "200 OK",
        };
        if path != "/health" && behaviour.requests.fetch_add(1, Ordering::Relaxed).is_multiple_of(10) {
            sleep(SLOW).await;
        }
        let name = &behaviour.name;
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{name}", name.len());
        let written = stream.write_all(answer.as_bytes()).await;
        behaviour.busy.fetch_sub(1, Ordering::Relaxed);
        written?;
    }
    Ok(())
}

/// The path of the next request, read with its body; none when the client has closed.
async fn read_request(stream: &mut BufReader<TcpStream>) -> io::Result<Option<String>> {
    let mut first = String::new();
    if stream.read_line(&mut first).await? == 0 {
        return Ok(None);
    }
    let mut length = 0;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        let line = line.trim_end().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.parse().map_err(|_| io::ErrorKind::InvalidData)?;
        }
        if line.is_empty() {
            break;
        }
    }
    stream.read_exact(&mut vec![0; length]).await?;
    Ok(Some(first.split(' ').nth(1).unwrap_or_default().to_owned()))
}
