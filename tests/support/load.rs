//! A load of requests at a steady rate: half of them on kept connections, half on fresh ones, every fourth a POST. A
//! request counts as answered when a whole answer with status 200 came in time.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

const TICK: Duration = Duration::from_millis(2);
/// Where requests wait for those that take five seconds, thousands wait.
const MOST_IN_FLIGHT: usize = 16_000;
/// A kept connection is used again within this time: the router ends those that nobody uses.
const KEPT_FOR: Duration = Duration::from_secs(60);
const POST_BODY: [u8; 4096] = [b'x'; 4096];

/// What is asked for, and how often.
#[derive(Debug, Clone)]
pub(crate) struct Load {
    pub(crate) server: SocketAddr,
    pub(crate) host: String,
    pub(crate) per_second: u32,
    /// An answer that takes longer is a failure.
    pub(crate) limit: Duration,
    pub(crate) pressure: Pressure,
}

/// What happens to requests that are due while many wait for their answers.
#[derive(Debug, Clone, Copy)]
#[allow(dead_code, reason = "each of those who share it presses in one way only")]
pub(crate) enum Pressure {
    /// They are sent all the same, as those of visitors who know nothing of each other.
    Steady,
    /// While so many wait they are not sent. Where the machine bears less than the rate, this tells what fails from what
    /// is only slow: a steady load would grow there without end.
    Yielding { most_waiting: usize },
}

/// A load that goes on until it is stopped.
pub(crate) struct Running {
    ticker: JoinHandle<JoinSet<()>>,
    shared: Arc<Shared>,
}

/// What came of it.
#[derive(Debug, Default, Clone)]
pub(crate) struct Report {
    pub(crate) sent: u64,
    /// By kind, as in `GET: status 502`.
    pub(crate) failures: BTreeMap<String, u64>,
    /// By the answer's body.
    pub(crate) answers: BTreeMap<String, u64>,
    latencies: Vec<Duration>,
}

struct Shared {
    load: Load,
    path: &'static str,
    report: Mutex<Report>,
    kept: Mutex<Vec<(Connection, Instant)>>,
    stopping: AtomicBool,
}

type Connection = BufReader<TcpStream>;

impl Load {
    pub(crate) fn start(self) -> Running {
        self.start_at("/")
    }

    /// All requests ask for this path.
    pub(crate) fn start_at(self, path: &'static str) -> Running {
        let shared = Arc::new(Shared {
            load: self,
            path,
            report: Mutex::default(),
            kept: Mutex::default(),
            stopping: AtomicBool::new(false),
        });
        Running { ticker: tokio::spawn(tick(shared.clone())), shared }
    }
}

impl Running {
    /// Sends no more, waits for the answers to what was sent, and reports.
    pub(crate) async fn stop(self) -> Report {
        self.shared.stopping.store(true, Ordering::Relaxed);
        if let Ok(mut in_flight) = self.ticker.await {
            while in_flight.join_next().await.is_some() {}
        }
        let mut report = self.shared.report().clone();
        report.latencies.sort_unstable();
        report
    }
}

impl Report {
    pub(crate) fn failed(&self) -> u64 {
        self.failures.values().sum()
    }

    /// How long the given share of the answered requests took at most.
    pub(crate) fn latency(&self, share: f64) -> Duration {
        let at = (self.latencies.len() as f64 * share) as usize;
        self.latencies.get(at.min(self.latencies.len().saturating_sub(1))).copied().unwrap_or_default()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [half, most, all] = [0.5, 0.99, 1.0].map(|share| self.latency(share));
        write!(f, "{} sent, {} failed {:?}; ", self.sent, self.failed(), self.failures)?;
        write!(f, "median {half:.1?}, p99 {most:.1?}, longest {all:.1?}; answers {:?}", self.answers)
    }
}

impl Shared {
    fn report(&self) -> MutexGuard<'_, Report> {
        self.report.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn kept(&self) -> MutexGuard<'_, Vec<(Connection, Instant)>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sends what is due at each tick.
async fn tick(shared: Arc<Shared>) -> JoinSet<()> {
    let start = Instant::now();
    let mut in_flight = JoinSet::new();
    let mut sent = 0;
    while !shared.stopping.load(Ordering::Relaxed) {
        let due = (start.elapsed().as_secs_f64() * f64::from(shared.load.per_second)) as u64;
        for number in sent..due {
            match shared.load.pressure {
                Pressure::Yielding { most_waiting } if in_flight.len() >= most_waiting => break,
                Pressure::Steady if in_flight.len() >= MOST_IN_FLIGHT => {
                    *shared.report().failures.entry("too many wait".to_owned()).or_default() += 1;
                }
                Pressure::Steady | Pressure::Yielding { .. } => {
                    in_flight.spawn(request(shared.clone(), number));
                }
            }
        }
        sent = sent.max(due);
        while in_flight.try_join_next().is_some() {}
        sleep(TICK).await;
    }
    in_flight
}

async fn request(shared: Arc<Shared>, number: u64) {
    let start = Instant::now();
    let ended = timeout(shared.load.limit, exchange(&shared, number)).await;
    let answer = ended.unwrap_or_else(|_| Err("no answer in time".to_owned()));
    let mut report = shared.report();
    report.sent += 1;
    match answer {
        Ok(body) => {
            report.latencies.push(start.elapsed());
            *report.answers.entry(body).or_default() += 1;
        }
        Err(kind) => *report.failures.entry(format!("{}: {kind}", method(number))).or_default() += 1,
    }
}

fn method(number: u64) -> &'static str {
    if number % 8 < 2 { "POST" } else { "GET" }
}

async fn exchange(shared: &Shared, number: u64) -> Result<String, String> {
    let keep = number.is_multiple_of(2);
    let kept = if keep { shared.kept().pop() } else { None };
    let mut connection = match kept {
        Some((connection, since)) if since.elapsed() < KEPT_FOR => connection,
        _ => BufReader::new(TcpStream::connect(shared.load.server).await.map_err(kind("connect"))?),
    };
    let head = head(shared, keep, method(number));
    connection.write_all(&head).await.map_err(kind("send"))?;
    let answer = read_answer(&mut connection).await.map_err(kind("receive"))?;
    if keep && !answer.closes {
        shared.kept().push((connection, Instant::now()));
    } else {
        // Who closes first cannot use the port again for a minute, and 500 a second are all ports there are in less.
        let _ = read_to_end(&mut connection).await;
    }
    if answer.status == 200 { Ok(answer.body) } else { Err(format!("status {}", answer.status)) }
}

fn kind(action: &'static str) -> impl Fn(io::Error) -> String {
    move |error| format!("{action}: {}", error.kind())
}

fn head(shared: &Shared, keep: bool, method: &str) -> Vec<u8> {
    let (host, path) = (&shared.load.host, shared.path);
    let connection = if keep { "keep-alive" } else { "close" };
    let length = if method == "POST" { POST_BODY.len() } else { 0 };
    let more = format!("Host: {host}\r\nConnection: {connection}\r\nContent-Length: {length}");
    let head = format!("{method} {path} HTTP/1.1\r\n{more}\r\n\r\n");
    [head.as_bytes(), &POST_BODY[..length]].concat()
}

struct Answer {
    status: u16,
    body: String,
    closes: bool,
}

async fn read_answer(connection: &mut Connection) -> io::Result<Answer> {
    let first = read_line(connection).await?;
    let status = first.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or(io::ErrorKind::InvalidData)?;
    let (mut length, mut chunked, mut closes) = (None, false, false);
    loop {
        let line = read_line(connection).await?.to_ascii_lowercase();
        match line.split_once(": ") {
            Some(("content-length", value)) => length = value.parse().ok(),
            Some(("transfer-encoding", "chunked")) => chunked = true,
            Some(("connection", "close")) => closes = true,
            None if line.is_empty() => break,
            _ => {}
        }
    }
    let body = match length {
        _ if chunked => read_chunks(connection).await?,
        Some(length) => read_exactly(connection, length).await?,
        None => {
            closes = true;
            read_to_end(connection).await?
        }
    };
    Ok(Answer { status, body: String::from_utf8_lossy(&body).trim_end().to_owned(), closes })
}

async fn read_chunks(connection: &mut Connection) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = read_line(connection).await?;
        let length = usize::from_str_radix(&line, 16).map_err(|_| io::ErrorKind::InvalidData)?;
        body.extend(read_exactly(connection, length).await?);
        read_line(connection).await?;
        if length == 0 {
            return Ok(body);
        }
    }
}

async fn read_exactly(connection: &mut Connection, length: usize) -> io::Result<Vec<u8>> {
    let mut body = vec![0; length];
    connection.read_exact(&mut body).await?;
    Ok(body)
}

async fn read_to_end(connection: &mut Connection) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    connection.read_to_end(&mut body).await?;
    Ok(body)
}

async fn read_line(connection: &mut Connection) -> io::Result<String> {
    let mut line = String::new();
    connection.read_line(&mut line).await?;
    match line.strip_suffix("\r\n") {
        Some(line) => Ok(line.to_owned()),
        None => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}
