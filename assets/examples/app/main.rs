//! The example services' program: a small HTTP server that behaves, or misbehaves, as its environment says. No
//! dependencies, so that a static binary of it is made in seconds and runs in an empty image (`./dev app DIR`).
//!
//! ```text
//! PORT             where it listens; without it MYPAAS_PORT, else 80
//! VERSION          any text; told at /
//! LOG              requests: a line a request
//! START_DELAY_MS   waits so long before it listens
//! LISTEN           no: never listens, only runs
//! HEALTH           ok, fail, or a number: fails once it has run so many milliseconds
//! EXIT_AFTER_MS    ends by itself after so long, with EXIT_CODE (1) and EXIT_MESSAGE on stderr
//! ON_SIGTERM       graceful: takes no more connections, finishes requests in flight, ends with 0 (this is the default)
//!                  die: ends at once, with 143
//!                  ignore: goes on
//!
//! GET  /           hello from web.r3.1 (release r3, version blue)
//! GET  /health     200, or 503
//! GET  /slow?ms=N  answers after N milliseconds
//! GET  /env?name=X the variable's value, or 404
//! POST /echo       the request's body
//! GET  /socket     becomes a websocket, as far as proxies see; what is sent comes back
//! GET  /crash      the process ends with code 70, without an answer
//! GET  /leak       takes memory until it is killed
//! ```

mod http;

use std::env;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::process;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use http::{Answer, Request, read_request, write_answer, write_upgrade};

/// So many connections are served at once, as ordinary web servers do; others wait until one ends. While some do, none is
/// kept that has its answer: whoever keeps a connection busy would keep them waiting.
const CONNECTIONS: usize = 4096;

/// Of the thread that each connection has.
const STACK: usize = 128 * 1024;

/// Longer than proxies keep unused connections, so that it is never this end that closes one that is about to be used.
const IDLE: Duration = Duration::from_secs(180);

const SIGTERM: i32 = 15;

/// So many connections wait until they are taken; the kernel cuts it to what it allows.
const QUEUE: i32 = 4096;

static STOPPING: AtomicBool = AtomicBool::new(false);
static CROWDED: AtomicBool = AtomicBool::new(false);
static IN_FLIGHT: AtomicUsize = AtomicUsize::new(0);

unsafe extern "C" {
    fn signal(number: i32, handler: usize) -> usize;
    fn _exit(code: i32) -> !;
    fn listen(socket: i32, queue: i32) -> i32;
}

fn main() {
    let app = Arc::new(App::from_env());
    handle_sigterm();
    say(&format!("{} starts, version {}", app.container, app.version));
    if !pause(millis("START_DELAY_MS").unwrap_or_default()) {
        return;
    }
    if let Some(after) = millis("EXIT_AFTER_MS") {
        thread::spawn(move || exit_after(after));
    }
    if text("LISTEN", "yes") == "no" {
        say("listens nowhere, as told");
        pause(Duration::MAX);
        return;
    }
    let listener = listener(app.port);
    say(&format!("listens on port {}", app.port));
    let port = app.port;
    thread::spawn(move || wait_for_stop(port));
    serve(&listener, &app);
    drop(listener);
    say("stops: finishes requests in flight");
    while IN_FLIGHT.load(SeqCst) > 0 {
        thread::sleep(Duration::from_millis(5));
    }
    say("stopped");
}

struct App {
    container: String,
    release: String,
    version: String,
    port: u16,
    logs_requests: bool,
    health: String,
    started: Instant,
}

impl App {
    fn from_env() -> Self {
        let container = text("MYPAAS_CONTAINER", "nowhere");
        let is_release = |part: &&str| part.strip_prefix('r').is_some_and(|number| number.parse::<u64>().is_ok());
        let release = container.rsplit('.').find(is_release).unwrap_or("none").to_owned();
        let port = env::var("PORT").or_else(|_| env::var("MYPAAS_PORT")).ok().and_then(|port| port.parse().ok());
        Self {
            release,
            container,
            version: text("VERSION", "none"),
            port: port.unwrap_or(80),
            logs_requests: text("LOG", "") == "requests",
            health: text("HEALTH", "ok"),
            started: Instant::now(),
        }
    }

    fn answer(&self, request: &Request) -> Answer {
        match (request.method.as_str(), request.path.as_str()) {
            (_, "/health") => self.health(),
            (_, "/slow") => {
                let wait = request.parameter("ms").and_then(|ms| ms.parse().ok()).unwrap_or(300);
                thread::sleep(Duration::from_millis(wait));
                Answer::text(200, format!("waited {wait} ms in {}\n", self.container))
            }
            (_, "/env") => match request.parameter("name").and_then(|name| env::var(name).ok()) {
                Some(value) => Answer::text(200, value + "\n"),
                None => Answer::text(404, "there is no such variable\n".into()),
            },
            ("POST" | "PUT", "/echo") => Answer { status: 200, body: request.body.clone() },
            (_, "/crash") => {
                complain("crashes, as told");
                process::exit(70)
            }
            (_, "/leak") => leak(),
            (_, "/") => Answer::text(
                200,
                format!("hello from {} (release {}, version {})\n", self.container, self.release, self.version),
            ),
            _ => Answer::text(404, "there is nothing here\n".into()),
        }
    }

    fn health(&self) -> Answer {
        let fails = match self.health.parse::<u128>() {
            Ok(after) => self.started.elapsed().as_millis() >= after,
            Err(_) => self.health == "fail",
        };
        if fails { Answer::text(503, "not well\n".into()) } else { Answer::text(200, "ok\n".into()) }
    }
}

/// Takes connections until told to stop.
fn serve(listener: &TcpListener, app: &Arc<App>) {
    let places = Arc::new((Mutex::new(0_usize), Condvar::new()));
    for connection in listener.incoming() {
        if STOPPING.load(SeqCst) {
            return;
        }
        let Ok(connection) = connection else {
            thread::sleep(Duration::from_millis(10));
            continue;
        };
        let (taken, freed) = &*places;
        let mut taken = taken.lock().unwrap();
        CROWDED.store(*taken >= CONNECTIONS, SeqCst);
        taken = freed.wait_while(taken, |taken| *taken >= CONNECTIONS).unwrap();
        *taken += 1;
        let (app, places) = (app.clone(), places.clone());
        let serve = move || {
            // The other end may leave whenever it likes.
            let _ = converse(connection, &app);
            *places.0.lock().unwrap() -= 1;
            places.1.notify_one();
        };
        thread::Builder::new().stack_size(STACK).spawn(serve).expect("there is room for a thread");
    }
}

/// One request after the other on one connection.
fn converse(connection: TcpStream, app: &App) -> io::Result<()> {
    connection.set_nodelay(true)?;
    connection.set_read_timeout(Some(IDLE))?;
    let mut writer = connection.try_clone()?;
    let mut reader = BufReader::new(connection);
    while !reader.fill_buf()?.is_empty() {
        let _flight = Flight::begin();
        let (request, answer) = match read_request(&mut reader, &mut writer)? {
            Ok(request) if request.is_upgrade && request.path == "/socket" => {
                write_upgrade(&mut writer)?;
                return io::copy(&mut reader, &mut writer).map(drop);
            }
            Ok(request) => {
                let answer = app.answer(&request);
                (Some(request), answer)
            }
            Err(answer) => (None, answer),
        };
        let keeps = !STOPPING.load(SeqCst) && !CROWDED.load(SeqCst);
        let keep_alive = keeps && request.as_ref().is_some_and(|request| request.keep_alive);
        let is_head = request.as_ref().is_some_and(|request| request.method == "HEAD");
        write_answer(&mut writer, &answer, keep_alive, is_head)?;
        if let Some(request) = request.filter(|_| app.logs_requests) {
            say(&format!("{} {} {}", answer.status, request.method, request.path));
        }
        if !keep_alive {
            break;
        }
    }
    Ok(())
}

/// Counts a request as in flight for as long as it is kept, however it ends.
struct Flight;

impl Flight {
    fn begin() -> Self {
        IN_FLIGHT.fetch_add(1, SeqCst);
        Self
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        IN_FLIGHT.fetch_sub(1, SeqCst);
    }
}

fn listener(port: u16) -> TcpListener {
    // Both families where there are both.
    let bound =
        TcpListener::bind((Ipv6Addr::UNSPECIFIED, port)).or_else(|_| TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)));
    let listener = bound.unwrap_or_else(|error| {
        complain(&format!("cannot listen on port {port}: {error}"));
        process::exit(1)
    });
    // Requests that waited while nobody listened come all at once, and the library's queue takes but 128 of them.
    // Safe: it is a socket that listens already; only its queue grows.
    unsafe { listen(listener.as_raw_fd(), QUEUE) };
    listener
}

/// The first process of a container has no default action for signals, so every choice needs a handler.
fn handle_sigterm() {
    const IGNORE: usize = 1;
    let handler = match text("ON_SIGTERM", "graceful").as_str() {
        "ignore" => IGNORE,
        "die" => die as extern "C" fn(i32) as usize,
        _ => stop as extern "C" fn(i32) as usize,
    };
    // Safe: both handlers only do what a signal handler may.
    unsafe { signal(SIGTERM, handler) };
}

extern "C" fn die(_: i32) {
    // Safe: `_exit` may be called in a handler and never returns.
    unsafe { _exit(143) }
}

extern "C" fn stop(_: i32) {
    STOPPING.store(true, SeqCst);
}

/// A signal does not end the wait for a connection, but a connection does.
fn wait_for_stop(port: u16) {
    while pause(Duration::MAX) {}
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
        thread::sleep(Duration::from_millis(10));
    }
}

/// Waits, unless it is told to stop; says whether it may go on.
fn pause(wait: Duration) -> bool {
    let begin = Instant::now();
    while begin.elapsed() < wait && !STOPPING.load(SeqCst) {
        thread::sleep(Duration::from_millis(5));
    }
    !STOPPING.load(SeqCst)
}

fn exit_after(wait: Duration) {
    thread::sleep(wait);
    complain(&text("EXIT_MESSAGE", "ends, as told"));
    process::exit(text("EXIT_CODE", "1").parse().unwrap_or(1))
}

fn leak() -> ! {
    const PIECE: usize = 8 * 1024 * 1024;
    complain("takes memory until it is killed, as told");
    let mut pieces = Vec::new();
    loop {
        pieces.push(vec![1_u8; PIECE]);
        std::hint::black_box(&pieces);
        thread::sleep(Duration::from_millis(5));
    }
}

fn text(name: &str, default: &str) -> String {
    env::var(name).ok().filter(|value| !value.is_empty()).unwrap_or_else(|| default.to_owned())
}

fn millis(name: &str) -> Option<Duration> {
    env::var(name).ok()?.parse().ok().map(Duration::from_millis)
}

/// Whether anybody reads it does not matter.
fn say(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}

fn complain(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}
