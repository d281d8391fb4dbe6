//! Stands between a server and its Docker engine: passes requests on, counts them, and lets the n-th meet a fault.
//!
//! ```text
//! mod.rs     the socket, the count, the faults
//! http.rs    where a request and an answer begin and end
//! ```

mod http;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, sink};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

use self::http::{Head, copy_body};

/// Longer than whatever the server waits for; a hung engine that somebody restarts then.
const HANG: Duration = Duration::from_secs(110);

/// What happens to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing happens, and the engine answers 500.
    Refuse,
    /// It happens, and the engine answers 500 all the same.
    RefuseAfterEffect,
    /// It happens later.
    Delay(Duration),
    /// Nothing happens and nobody answers; after a long while the connection breaks.
    Hang,
    /// It happens, and nobody answers.
    HangAfterEffect,
    /// It begins to happen, and nobody answers.
    HangMeanwhile,
    /// Nothing happens, and the connection breaks.
    Cut,
    /// It happens, and the connection breaks within the answer.
    CutAnswer,
}

/// It ends when it is dropped, with all its connections.
#[derive(Debug)]
pub(crate) struct Proxy {
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    engine: PathBuf,
    /// Calls with this in their path are not counted.
    uncounted: String,
    count: Mutex<Count>,
    /// The call that met the fault.
    met: watch::Sender<Option<String>>,
}

#[derive(Debug, Default)]
struct Count {
    calls: Vec<String>,
    fault: Option<(usize, Fault)>,
}

impl Proxy {
    /// Listens on the socket, for the engine behind another.
    pub(crate) fn start(socket: &Path, engine: &Path, uncounted: String) -> Self {
        let listener = UnixListener::bind(socket).unwrap();
        let shared = Arc::new(Shared {
            engine: engine.to_owned(),
            uncounted,
            count: Mutex::default(),
            met: watch::Sender::new(None),
        });
        Self { task: tokio::spawn(accept(listener, shared.clone())), shared }
    }

    /// Counts calls from one again; the one with this number meets the fault.
    pub(crate) fn arm(&self, fault: Option<(usize, Fault)>) {
        self.shared.met.send_replace(None);
        *self.shared.count() = Count { calls: Vec::new(), fault };
    }

    /// The calls since then, in order, as in `POST /containers/web.r1.1/start`.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.shared.count().calls.clone()
    }

    /// The call that met the fault, if one did.
    pub(crate) fn met(&self) -> Option<String> {
        self.shared.met.borrow().clone()
    }

    /// Returns once a call met the fault: where it has an effect, that is done.
    pub(crate) async fn until_met(&self) {
        // The sender lives as long as `self`, so this cannot fail.
        let _ = self.shared.met.subscribe().wait_for(Option::is_some).await;
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    fn count(&self) -> MutexGuard<'_, Count> {
        self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the call down; the fault that it is to meet.
    fn enter(&self, call: &str) -> Option<Fault> {
        if call.contains(&self.uncounted) {
            return None;
        }
        let mut count = self.count();
        count.calls.push(call.to_owned());
        let number = count.calls.len();
        count.fault.filter(|(at, _)| *at == number).map(|(_, fault)| fault)
    }
}

async fn accept(listener: UnixListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        let shared = shared.clone();
        connections.spawn(async move {
            // Either end may leave whenever it likes.
            let _ = converse(client, &shared).await;
        });
        while connections.try_join_next().is_some() {}
    }
}

/// One client's connection, and the one to the engine that belongs to it.
struct Pair {
    client: BufReader<OwnedReadHalf>,
    client_out: OwnedWriteHalf,
    engine: BufReader<UnixStream>,
}

async fn converse(client: UnixStream, shared: &Shared) -> io::Result<()> {
    let (client, client_out) = client.into_split();
    let engine = BufReader::new(UnixStream::connect(&shared.engine).await?);
    let mut pair = Pair { client: BufReader::new(client), client_out, engine };
    while let Some(request) = Head::read(&mut pair.client).await? {
        let call = request.call();
        let goes_on = match shared.enter(&call) {
            None => pair.pass_on(&request).await?,
            Some(fault) => pair.meet(&request, fault, || drop(shared.met.send_replace(Some(call.clone())))).await?,
        };
        if !goes_on {
            break;
        }
    }
    Ok(())
}

impl Pair {
    /// Whether the connection can be used again.
    async fn pass_on(&mut self, request: &Head) -> io::Result<bool> {
        self.forward(request).await?;
        let answer = tokio::select! {
            answer = Head::read(&mut self.engine) => answer?,
            () = gone(&mut self.client) => return Ok(false),
        };
        let Some(answer) = answer else { return Ok(false) };
        self.client_out.write_all(&answer.text).await?;
        tokio::select! {
            copied = copy_body(&mut self.engine, &mut self.client_out, answer.body) => copied?,
            () = gone(&mut self.client) => return Ok(false),
        }
        Ok(answer.keeps_connection())
    }

    async fn meet(&mut self, request: &Head, fault: Fault, met: impl FnOnce()) -> io::Result<bool> {
        match fault {
            Fault::Refuse => {
                copy_body(&mut self.client, &mut sink(), request.body).await?;
                met();
                self.refuse().await
            }
            Fault::RefuseAfterEffect => {
                let kept = self.take_effect(request, &mut sink()).await?;
                met();
                Ok(self.refuse().await? && kept)
            }
            Fault::Delay(time) => {
                met();
                sleep(time).await;
                self.pass_on(request).await
            }
            Fault::Hang => {
                met();
                self.hang().await
            }
            Fault::HangAfterEffect => {
                self.take_effect(request, &mut sink()).await?;
                met();
                self.hang().await
            }
            Fault::HangMeanwhile => {
                self.forward(request).await?;
                met();
                self.hang().await
            }
            Fault::Cut => {
                met();
                Ok(false)
            }
            Fault::CutAnswer => {
                let mut answer = Vec::new();
                self.take_effect(request, &mut answer).await?;
                met();
                self.client_out.write_all(&answer[..answer.len() / 2]).await?;
                Ok(false)
            }
        }
    }

    async fn forward(&mut self, request: &Head) -> io::Result<()> {
        self.engine.write_all(&request.text).await?;
        // An engine that has answered already reads no further.
        let _ = copy_body(&mut self.client, &mut self.engine, request.body).await;
        Ok(())
    }

    /// The engine does it; its answer goes elsewhere than to the client.
    async fn take_effect(
        &mut self,
        request: &Head,
        elsewhere: &mut (impl tokio::io::AsyncWrite + Unpin),
    ) -> io::Result<bool> {
        self.forward(request).await?;
        let Some(answer) = Head::read(&mut self.engine).await? else { return Ok(false) };
        elsewhere.write_all(&answer.text).await?;
        copy_body(&mut self.engine, elsewhere, answer.body).await?;
        Ok(answer.keeps_connection())
    }

    async fn refuse(&mut self) -> io::Result<bool> {
        let body = r#"{"message":"this call was to fail"}"#;
        let head = "HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\nContent-Length: ";
        self.client_out.write_all(format!("{head}{}\r\n\r\n{body}", body.len()).as_bytes()).await?;
        Ok(true)
    }

    async fn hang(&mut self) -> io::Result<bool> {
        // Whether the client or the time ended it makes no difference here.
        let _ = timeout(HANG, gone(&mut self.client)).await;
        Ok(false)
    }
}

/// Returns once the client has closed its end.
async fn gone(client: &mut BufReader<OwnedReadHalf>) {
    if let Ok(bytes) = client.fill_buf().await
        && !bytes.is_empty()
    {
        std::future::pending::<()>().await;
    }
}
