//! The headless server: one a folder. It listens on a unix socket, and everything an operator can ask for comes in
//! here.
//!
//! ```text
//! config.rs      config.toml
//! adopt/         taking over a server of the Python original
//! lock.rs        one server a folder
//! core.rs        what the parts share
//! routes.rs      paths → gate/ → handlers.rs → desk.rs → answer.rs, problem.rs
//! original/      pushes of the Python original's client
//! network/       the way in from the network
//! gate/          who asks, and whether they may
//! desk.rs        the server as one caller sees it; asker.rs: on whose behalf something is done
//! confine.rs     what a push by a key for some services may take along
//! worker/        the one owner of all changes: accept, build, plan, execute, recover
//! feed.rs        the events of a deploy, for those who watch it
//! observe.rs     what is there now; roster.rs: which containers; watch.rs: whenever it changes
//! alerts/        what gives cause for concern, and who is told of it
//! figures/       what is measured, now and over time
//! logs.rs        what containers wrote; shell.rs: a shell in one of them
//! certificates.rs how the domains of https URLs stand
//! vault.rs       values of the environment: kept, changed (variables.rs), and kept out of what is told (redact.rs)
//! simulate.rs    a server without containers, for measuring
//! keeper.rs      keeps network and router, and recovers at start; enduring.rs: a fault ends none of such tasks
//! disk/          room on the disks: what takes it, what may go, what is refused for lack of it
//! resolve.rs     values and folders of this server for a manifest; addresses.rs: free addresses
//! ```

mod addresses;
mod adopt;
mod alerts;
mod answer;
mod asker;
mod certificates;
pub mod config;
mod confine;
mod core;
mod desk;
mod disk;
mod enduring;
mod feed;
mod figures;
mod gate;
mod handlers;
mod keeper;
mod lock;
mod logs;
pub mod network;
mod observe;
mod original;
mod problem;
mod redact;
mod resolve;
mod roster;
mod routes;
mod shell;
mod simulate;
mod variables;
mod vault;
mod watch;
mod worker;

use std::fs::Permissions;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::net::UnixListener;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

pub use self::adopt::{AdoptStep, adopt, has_adopted};
use self::config::{AcmeSection, Config, ConfigError};
pub use self::core::Core;
use self::enduring::enduring;
use self::gate::Peer;
pub use self::gate::{AUTHORIZED_KEYS, Endpoint, Payload};
use self::lock::Lock;
pub use self::simulate::{Simulation, simulate};
use crate::api::Problem;
use crate::engine::{DockerEngine, DockerSettings, Engine, EngineError};
use crate::machine::ThisMachine;
use crate::name::ImageName;
use crate::router::traefik::Acme;
use crate::router::{Patience, RouterError, TraefikRouter, TraefikSettings};
use crate::store::{Store, StoreError};

/// How long a running deploy may take to come to its end when the server is told to stop. What is not done by then is
/// taken up by the next start.
/// How long those who read an answer may take to read the rest of it once the server stops. Who does not read holds up
/// nothing: what serves goes on, but nobody looks after it meanwhile.
const LAST_ANSWERS: Duration = Duration::from_secs(5);

const STOP_LIMIT: Duration = Duration::from_secs(90);

/// How long the first look at engine and router may take before requests are accepted all the same.
const FIRST_LOOK_LIMIT: Duration = Duration::from_secs(30);

/// Where a server lives.
#[derive(Debug, Clone)]
pub struct Place {
    /// The server folder: `MYPAAS_HOME`, or `~/_mypaas`.
    pub home: PathBuf,
    /// The home directory of the user it runs as; what `~` means in `mypaas.volume`.
    pub user_home: PathBuf,
    /// Where Docker listens, as in `DOCKER_HOST`; none: its default socket.
    pub docker_host: Option<String>,
    /// Where `docker login` keeps logins, as in `DOCKER_CONFIG`; none: `.docker` in that home directory.
    pub docker_config: Option<PathBuf>,
}

/// Where the server of this folder listens.
pub fn socket_path(home: &Path) -> PathBuf {
    home.join("mypaas.sock")
}

/// Whether a server ever ran on this folder.
pub fn has_run(home: &Path) -> bool {
    store_path(home).exists()
}

fn store_path(home: &Path) -> PathBuf {
    home.join("store.db")
}

/// Why a server did not start, or stopped by itself.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// Another process serves this folder.
    #[error("another server already runs for {}", home.display())]
    AlreadyRuns { home: PathBuf },
    #[error("could not set up {}", path.display())]
    Folder { path: PathBuf, source: std::io::Error },
    #[error("the server's configuration is not usable")]
    Config(#[from] ConfigError),
    #[error("the server's memory is not usable")]
    Store(#[from] StoreError),
    #[error("the container engine cannot be used")]
    Engine(#[from] EngineError),
    #[error("the router's folder cannot be used")]
    Router(#[from] RouterError),
    #[error("the server can no longer listen on {}", path.display())]
    Listen { path: PathBuf, source: std::io::Error },
}

/// Runs the server of this folder until told to stop; then lets running deploys come to their end. `ready` is called
/// once requests are accepted.
pub async fn run(place: Place, ready: impl FnOnce() + Send, shutdown: CancellationToken) -> Result<(), ServerError> {
    make_folder(&place.home)?;
    let _lock = Lock::take(&place.home)?;
    allow_open_files();
    let core = open(place).await?;
    let socket = socket_path(&core.place.home);
    let listener = listen(&socket)?;
    serve(listener, core, ready, shutdown)
        .await
        .map_err(|source| ServerError::Listen { path: socket.clone(), source })?;
    // The lock is still held, so that the socket is this server's own.
    let _ = std::fs::remove_file(&socket);
    Ok(())
}

/// Files that stay open for the figures of containers, and then some. Systems allow more than they grant unasked.
const OPEN_FILES: u64 = 16_384;

fn allow_open_files() {
    let raised = getrlimit(Resource::RLIMIT_NOFILE).and_then(|(now, most)| {
        let wanted = OPEN_FILES.min(most);
        if wanted > now { setrlimit(Resource::RLIMIT_NOFILE, wanted, most) } else { Ok(()) }
    });
    if let Err(error) = raised {
        tracing::warn!(%error, "no more files may be open at once than are granted to all programs");
    }
}

/// Puts the real parts together.
async fn open(place: Place) -> Result<Arc<Core>, ServerError> {
    let config = Config::read(&place.home)?;
    let store = Arc::new(Store::open(&store_path(&place.home))?);
    let engine: Arc<dyn Engine> = Arc::new(engine_of(&place, &config)?);
    let router = Arc::new(router_of(&place, &config, Arc::clone(&engine)).await?);
    Ok(Core::new(place, config, store, engine, router, Arc::new(ThisMachine::default())))
}

fn engine_of(place: &Place, config: &Config) -> Result<DockerEngine, EngineError> {
    let docker_config = place.docker_config.clone().unwrap_or_else(|| place.user_home.join(".docker"));
    DockerEngine::connect(DockerSettings {
        instance: config.server.instance.clone(),
        subnet: config.network.subnet,
        endpoint: place.docker_host.clone().unwrap_or_else(|| DockerSettings::DEFAULT_ENDPOINT.to_owned()),
        adopted: Some(adopt::register(&place.home)),
        logins: Some(docker_config.join("config.json")),
    })
}

async fn router_of(place: &Place, config: &Config, engine: Arc<dyn Engine>) -> Result<TraefikRouter, RouterError> {
    let settings = TraefikSettings {
        instance: config.server.instance.clone(),
        folder: place.home.join("traefik"),
        image: ImageName::foreign(&config.router.image),
        bind: config.router.bind,
        http_port: config.router.http_port,
        https_port: config.router.https_port,
        acme: acme(config),
        storage: place.home.join("acme.json"),
        own_certificates: place.home.join("certificates"),
        patience: Patience::default(),
    };
    TraefikRouter::new(engine, settings).await
}

/// Certificates are asked for as soon as there is somebody to tell when one is about to lapse.
fn acme(config: &Config) -> Option<Acme> {
    let AcmeSection { server, ca_file, hours } = config.acme.clone();
    Some(Acme { email: config.init.email.clone()?, ca_server: server, ca_file, hours })
}

/// Serves a listener until told to stop. The parts are the caller's, so that tests bring their own.
pub async fn serve(
    listener: UnixListener,
    core: Arc<Core>,
    ready: impl FnOnce() + Send,
    shutdown: CancellationToken,
) -> std::io::Result<()> {
    // What is dealt with first may wait for a service that was left stopped, which has to be seen for that.
    core.begin_following();
    if timeout(FIRST_LOOK_LIMIT, first_look(&core)).await.is_ok_and(|look| look.is_ok()) {
        tracing::info!("engine and router are well");
    }
    let kept = Arc::clone(&core);
    let keeper = tokio::spawn(async move { enduring("keeper", || Arc::clone(&kept).keep()).await });
    core.begin_looking();
    ready();
    tracing::info!(home = %core.place.home.display(), "requests are accepted");
    let stopped = core.stopped.clone();
    let service = routes::routes(Arc::clone(&core)).into_router();
    let served = axum::serve(listener, service.into_make_service_with_connect_info::<Peer>())
        .with_graceful_shutdown(stopped.cancelled_owned())
        .into_future();
    let orderly = async {
        stop_orderly(&core, shutdown).await;
        sleep(LAST_ANSWERS).await;
    };
    let served = tokio::select! {
        served = served => served,
        () = orderly => {
            tracing::warn!("answers that nobody reads to their end are cut off");
            Ok(())
        }
    };
    keeper.abort();
    served
}

/// Until what the last stop cut off has been dealt with.
async fn first_look(core: &Arc<Core>) -> Result<(), Problem> {
    while !core.is_recovered() {
        core.keep_once().await?;
    }
    Ok(())
}

/// All endpoints, with what each needs.
pub fn endpoints(core: &Arc<Core>) -> Vec<Endpoint> {
    routes::routes(Arc::clone(core)).declared().to_vec()
}

/// Takes no more deploys, waits for those that run, and then ends all connections.
async fn stop_orderly(core: &Arc<Core>, shutdown: CancellationToken) {
    shutdown.cancelled().await;
    tracing::info!("the server stops; running deploys come to their end first");
    core.stopping.cancel();
    core.dismiss_waiting();
    core.tasks.close();
    if timeout(STOP_LIMIT, core.tasks.wait()).await.is_err() {
        tracing::warn!("a deploy did not come to its end in time; the next start takes it up");
        core.abandon();
    }
    core.stopped.cancel();
}

fn make_folder(home: &Path) -> Result<(), ServerError> {
    let failed = |source| ServerError::Folder { path: home.to_owned(), source };
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(home).map_err(failed)
}

/// A socket that the server's user alone may use. One that a dead server left is replaced; the lock says it is dead.
fn listen(socket: &Path) -> Result<UnixListener, ServerError> {
    let failed = |source| ServerError::Folder { path: socket.to_owned(), source };
    match std::fs::remove_file(socket) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let listener = UnixListener::bind(socket).map_err(failed)?;
    std::fs::set_permissions(socket, Permissions::from_mode(0o600)).map_err(failed)?;
    Ok(listener)
}
