//! What the parts of the server share.

use std::collections::HashMap;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream::BoxStream;
use jiff::Timestamp;
use tokio::sync::{Semaphore, oneshot, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Place;
use super::addresses::AddressBook;
use super::alerts::{Alerts, Webhooks};
use super::certificates::CertificateBook;
use super::config::Config;
use super::feed::{Feeds, Recorder};
use super::figures::Figures;
use super::gate::{Busy, Gate};
use super::logs::Places;
use super::network::Network;
use super::observe::Parts;
use super::roster::Roster;
use super::vault::Vault;
use super::watch::Watchers;
use super::worker::{Going, Stranded, Turns, Work};
use crate::api::{Problem, ProblemCode};
use crate::context::{self, ArchiveError, Limits, Received};
use crate::deploy::queue::Queue;
use crate::deploy::{Deploy, Event};
use crate::engine::Engine;
use crate::keys::Holder;
use crate::machine::Machine;
use crate::manifest::ServiceUrl;
use crate::name::{DeployId, ServiceName};
use crate::router::Router;
use crate::store::{Store, StoreError};

/// A context that no deploy took by then will not be deployed.
const CONTEXT_LIFETIME: Duration = Duration::from_secs(600);

/// Ends with nothing when the server is abandoned meanwhile.
pub(super) type Recovery = JoinHandle<Option<Result<(), Problem>>>;
/// Contexts that are received at once; from one key, so that whoever has one leaves room for others.
const MOST_UPLOADS: usize = 8;
const MOST_UPLOADS_OF_A_KEY: usize = 2;

/// One server: its ports, its memory, and what is going on.
#[derive(Debug)]
pub struct Core {
    pub(super) place: Place,
    pub(super) config: Config,
    pub(super) engine: Arc<dyn Engine>,
    pub(super) router: Arc<dyn Router>,
    pub(super) machine: Arc<dyn Machine>,
    pub(super) store: Arc<Store>,
    pub(super) started: Timestamp,
    pub(super) feeds: Feeds,
    pub(super) addresses: Arc<AddressBook>,
    pub(super) figures: Figures,
    pub(super) roster: Roster,
    pub(super) alerts: Alerts,
    pub(super) webhooks: Webhooks,
    pub(super) parts: Parts,
    pub(super) vault: Arc<Vault>,
    pub(super) certificates: CertificateBook,
    pub(super) gate: Gate,
    pub(super) network: Network,
    pub(super) admission: Mutex<Admissions>,
    /// URLs that a running deploy is about to route, so that no two take the same.
    pub(super) claims: Mutex<HashMap<String, ServiceName>>,
    pub(super) going: Mutex<Going>,
    pub(super) turns: Turns,
    pub(super) stranded: Stranded,
    pub(super) leftovers: Stranded,
    pub(super) builds: Semaphore,
    /// Held by whoever removes what may go.
    pub(super) pruning: tokio::sync::Mutex<()>,
    /// Where the engine keeps its images, once it said so.
    pub(super) data_root: OnceLock<PathBuf>,
    uploads: Semaphore,
    uploads_of_keys: Busy,
    pub(super) long_logs: Places,
    /// Counts changes, for those who watch.
    pub(super) changed: watch::Sender<u64>,
    pub(super) tasks: TaskTracker,
    pub(super) watchers: Watchers,
    /// No deploy is accepted any more.
    pub(super) stopping: CancellationToken,
    /// Running deploys are dropped where they are; the next start takes them up.
    pub(super) abandoned: CancellationToken,
    /// All deploys have ended; connections that would go on for ever end now.
    pub(super) stopped: CancellationToken,
    /// What the last stop cut off has been dealt with; before that nothing is accepted.
    recovered: AtomicBool,
    /// The task that deals with it.
    pub(super) recovery: tokio::sync::Mutex<Option<Recovery>>,
    /// Why engine or router are not as they should be.
    trouble: Mutex<Option<Problem>>,
}

/// Deploys that were accepted: the queue, and what each is to do.
#[derive(Debug, Default)]
pub(super) struct Admissions {
    pub(super) queue: Queue,
    pub(super) work: HashMap<DeployId, Work>,
    /// Deploys that build, and can be told who cancels them.
    pub(super) building: HashMap<DeployId, oneshot::Sender<String>>,
}

impl Core {
    pub fn new(
        place: Place,
        config: Config,
        store: Arc<Store>,
        engine: Arc<dyn Engine>,
        router: Arc<dyn Router>,
        machine: Arc<dyn Machine>,
    ) -> Arc<Self> {
        let vault = Arc::new(Vault::new(&place.home, &config));
        let builds = Semaphore::new(config.deploy.parallel_builds() as usize);
        let started = Timestamp::now();
        let gate = Gate::new(&place.home, &config);
        let figures = Figures::new(&place.home);
        let (alerts, webhooks) = (Alerts::open(&figures.archive), Webhooks::new(&config, Arc::clone(&vault)));
        Arc::new(Self {
            place,
            config,
            engine,
            router,
            machine,
            store,
            started,
            feeds: Feeds::default(),
            addresses: Arc::default(),
            figures,
            roster: Roster::default(),
            alerts,
            webhooks,
            parts: Parts::default(),
            vault,
            certificates: CertificateBook::default(),
            gate,
            network: Network::default(),
            admission: Mutex::default(),
            claims: Mutex::default(),
            going: Mutex::default(),
            turns: Turns::default(),
            stranded: Stranded::default(),
            leftovers: Stranded::default(),
            builds,
            pruning: tokio::sync::Mutex::default(),
            data_root: OnceLock::new(),
            uploads: Semaphore::new(MOST_UPLOADS),
            uploads_of_keys: Busy::new(MOST_UPLOADS_OF_A_KEY),
            long_logs: Places::default(),
            changed: watch::Sender::new(0),
            tasks: TaskTracker::new(),
            watchers: Watchers::default(),
            stopping: CancellationToken::new(),
            abandoned: CancellationToken::new(),
            stopped: CancellationToken::new(),
            recovered: AtomicBool::new(false),
            recovery: tokio::sync::Mutex::default(),
            trouble: Mutex::default(),
        })
    }

    /// Where contexts lie that were received; they expire.
    pub(super) fn incoming(&self) -> PathBuf {
        self.place.home.join("incoming")
    }

    /// Takes a context in; it waits for its deploy request.
    pub async fn receive<E>(&self, stream: impl Stream<Item = Result<Bytes, E>>) -> Result<Received, Problem>
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        self.receive_from(None, stream).await
    }

    /// The same from the holder of a key, who may not send many at once.
    pub(super) async fn receive_from<E>(
        &self,
        holder: Option<&Holder>,
        stream: impl Stream<Item = Result<Bytes, E>>,
    ) -> Result<Received, Problem>
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        self.take_in(holder, async |folder, limits| context::receive(stream, folder, limits).await).await
    }

    /// The same for a zip of the Python original's client.
    pub(super) async fn receive_zip<E>(
        &self,
        holder: Option<&Holder>,
        stream: impl Stream<Item = Result<Bytes, E>>,
    ) -> Result<Received, Problem>
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        self.take_in(holder, async |folder, limits| context::receive_zip(stream, folder, limits).await).await
    }

    async fn take_in(
        &self,
        holder: Option<&Holder>,
        receive: impl AsyncFnOnce(&Path, &Limits) -> Result<Received, ArchiveError>,
    ) -> Result<Received, Problem> {
        self.check_accepting()?;
        let too_many = |message| Problem::new(ProblemCode::TooMany, message).hint("Push again in a while.");
        let of_key = holder.map(|holder| {
            let message = || format!("{} sends {MOST_UPLOADS_OF_A_KEY} folders already", holder.name());
            self.uploads_of_keys.begin(&holder.fingerprint).ok_or_else(|| too_many(message()))
        });
        let _place_of_key = of_key.transpose()?;
        let taken = |_| too_many(format!("{MOST_UPLOADS} folders are being received already"));
        let _place = self.uploads.try_acquire().map_err(taken)?;
        self.check_room_to_push(0).await?;
        self.make_incoming()?;
        let limits = Limits { bytes: self.max_context_bytes(), ..Limits::default() };
        let received = receive(&self.incoming(), &limits).await?;
        self.expire(received.path.clone());
        Ok(received)
    }

    /// The events of a deploy from a number on; ends after the one that says how it ended.
    pub fn events(&self, deploy: DeployId, from: u64) -> BoxStream<'static, Result<Event, StoreError>> {
        self.feeds.follow(Arc::clone(&self.store), deploy, from)
    }

    /// Drops running deploys where they are, as the end of the process would; the next start takes them up.
    pub fn abandon(&self) {
        self.abandoned.cancel();
    }

    fn make_incoming(&self) -> Result<(), Problem> {
        let folder = self.incoming();
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(|error| {
            Problem::new(ProblemCode::Internal, format!("the folder {} could not be made", folder.display()))
                .because(&error)
        })
    }

    /// Where contexts lie whose deploy was accepted and has not built them yet.
    pub(super) fn taken(&self) -> PathBuf {
        self.place.home.join("accepted")
    }

    /// Where the contexts of releases are kept.
    pub(super) fn contexts(&self) -> PathBuf {
        self.place.home.join("contexts")
    }

    /// Removes a received context after a while, unless a deploy has taken it by then.
    fn expire(&self, context: PathBuf) {
        let stopping = self.stopping.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = tokio::time::sleep(CONTEXT_LIFETIME) => discard(&context),
                () = stopping.cancelled() => {}
            }
        });
    }

    pub(super) fn max_context_bytes(&self) -> u64 {
        self.config.limits.context_mib.saturating_mul(1024 * 1024)
    }

    pub(super) fn admission(&self) -> MutexGuard<'_, Admissions> {
        self.admission.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn mark_recovered(&self) {
        self.recovered.store(true, Ordering::Release);
        self.mark_changed();
    }

    pub(super) fn is_recovered(&self) -> bool {
        self.recovered.load(Ordering::Acquire)
    }

    pub(super) fn note_trouble(&self, trouble: Option<&Problem>) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble.cloned();
    }

    pub(super) fn trouble(&self) -> Option<Problem> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn mark_changed(&self) {
        self.changed.send_modify(|count| *count += 1);
    }

    pub(super) fn recorder(&self, deploy: &Deploy) -> Arc<Recorder> {
        self.feeds.open(&self.store, deploy, &self.changed, &self.vault)
    }

    /// Reserves the URLs for a deploy; an error is one of them that another service is about to have.
    pub(super) fn claim(self: &Arc<Self>, service: &ServiceName, urls: &[ServiceUrl]) -> Result<Claim, ServiceUrl> {
        let mut claims = self.claims.lock().unwrap_or_else(PoisonError::into_inner);
        let is_taken = |url: &&ServiceUrl| claims.get(&place_of(url)).is_some_and(|holder| holder != service);
        if let Some(taken) = urls.iter().find(is_taken) {
            return Err(taken.clone());
        }
        let wanted: Vec<String> = urls.iter().map(place_of).collect();
        claims.extend(wanted.iter().map(|url| (url.clone(), service.clone())));
        Ok(Claim { core: Arc::clone(self), urls: wanted })
    }
}

/// Removes a context that is not needed any more.
pub(super) fn discard(context: &Path) {
    if let Err(error) = std::fs::remove_file(context)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        tracing::warn!(context = %context.display(), %error, "a context could not be removed");
    }
}

/// What of a URL may be held by one service only: http and https of a place belong together.
pub(super) fn place_of(url: &ServiceUrl) -> String {
    format!("{}{}", url.host, url.path)
}

/// Reserved URLs, free again when dropped: by then they are routed, or not wanted any more.
#[derive(Debug)]
pub(super) struct Claim {
    core: Arc<Core>,
    urls: Vec<String>,
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut claims = self.core.claims.lock().unwrap_or_else(PoisonError::into_inner);
        for url in &self.urls {
            claims.remove(url);
        }
    }
}
