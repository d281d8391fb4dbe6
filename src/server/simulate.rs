//! A server whose engine and router are in memory, with services that look real: for measuring, and looking at, what
//! shows fleets that no one machine could run. Everything but engine and router is what always runs.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::config::{Config, DeploySection, ServerSection};
use super::{Core, Lock, Place, ServerError, listen, make_folder, serve, socket_path};
use crate::api::{DeployRequest, Problem, ProblemCode, Target};
use crate::context::{Limits, pack, select};
use crate::deploy::{Commit, Deploy, DeployState, Origin};
use crate::engine::{Behaviour, Exit, MemoryEngine, Moment};
use crate::machine::MemoryMachine;
use crate::name::{InstanceName, ServiceName};
use crate::router::MemoryRouter;
use crate::store::Store;

/// What services of a small company are called.
const NAMES: [&str; 20] = [
    "api", "auth", "billing", "blog", "chat", "docs", "feed", "images", "jobs", "mail", "maps", "metrics", "orders",
    "payments", "proxy", "queue", "search", "shop", "status", "wiki",
];

/// How many containers they run, taken in turn.
const SCALES: [usize; 8] = [3, 1, 2, 5, 1, 4, 1, 2];

const AUTHORS: [&str; 3] = ["ada@laptop", "ci@build", "grace@desk"];

/// Of so many services one breaks, and so has no container.
const BROKEN: usize = 16;

/// A deploy of a simulated service that takes longer hangs.
const LONGEST_DEPLOY: Duration = Duration::from_secs(60);

/// What is simulated.
#[derive(Debug, Clone)]
pub struct Simulation {
    /// So many run on this server.
    pub containers: usize,
    /// Tells servers apart that are simulated side by side.
    pub number: usize,
    /// CPU and memory stay as they are, and nothing is written to logs.
    pub still: bool,
    /// One of the services writes so many lines a second.
    pub flood: Option<u32>,
}

/// Runs the server until told to stop. `ready` is called once all its services were deployed.
pub async fn simulate(
    place: Place,
    simulation: Simulation,
    ready: impl FnOnce() + Send + 'static,
    shutdown: CancellationToken,
) -> Result<(), ServerError> {
    make_folder(&place.home)?;
    make_folder(&place.user_home)?;
    let _lock = Lock::take(&place.home)?;
    let engine = Arc::new(MemoryEngine::starting_at(InstanceName::default(), Timestamp::now()));
    let store = Arc::new(Store::open(&place.home.join("store.db"))?);
    let config = Config { server: ServerSection::default(), deploy: quick(), ..Config::default() };
    let machine = Arc::new(MemoryMachine::at_work(simulation.number, simulation.still));
    let router = Arc::new(MemoryRouter::new());
    if !simulation.still {
        router.be_busy();
    }
    let core = Core::new(place, config, store, Arc::clone(&engine) as _, router, machine);
    let socket = socket_path(&core.place.home);
    let listener = listen(&socket)?;
    let populating = tokio::spawn(populate(Arc::clone(&core), engine, simulation, ready));
    let served = serve(listener, core, || {}, shutdown).await;
    populating.abort();
    served.map_err(|source| ServerError::Listen { path: socket.clone(), source })?;
    // The lock is still held, so that the socket is this server's own.
    let _ = std::fs::remove_file(&socket);
    Ok(())
}

fn quick() -> DeploySection {
    DeploySection { settle: Duration::ZERO, drain: Duration::ZERO, watch: Duration::ZERO, ..DeploySection::default() }
}

/// A service to deploy.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Sketch {
    name: String,
    scale: usize,
    index: usize,
    breaks: bool,
}

/// Services that together run so many containers.
fn sketches(containers: usize) -> Vec<Sketch> {
    let mut sketches = Vec::new();
    let mut left = containers;
    for index in 0.. {
        if left == 0 {
            break;
        }
        let name = match index / NAMES.len() {
            0 => NAMES[index % NAMES.len()].to_owned(),
            round => format!("{}-{}", NAMES[index % NAMES.len()], round + 1),
        };
        let breaks = index % BROKEN == BROKEN - 1;
        let scale = SCALES[index % SCALES.len()].min(left);
        left -= if breaks { 0 } else { scale };
        sketches.push(Sketch { name, scale, index, breaks });
    }
    sketches
}

async fn populate(
    core: Arc<Core>,
    engine: Arc<MemoryEngine>,
    simulation: Simulation,
    ready: impl FnOnce() + Send + 'static,
) {
    // Until then no deploy is accepted.
    while !core.is_recovered() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for sketch in sketches(simulation.containers) {
        if let Err(problem) = deploy(&core, &engine, &simulation, &sketch).await {
            tracing::warn!(service = sketch.name, problem = problem.message, "a simulated service was not deployed");
        }
    }
    ready();
}

async fn deploy(
    core: &Arc<Core>,
    engine: &MemoryEngine,
    simulation: &Simulation,
    sketch: &Sketch,
) -> Result<(), Problem> {
    if let Ok(service) = sketch.name.parse::<ServiceName>() {
        engine.script(&service, behaviour(simulation, sketch));
    }
    let internal = |error: &dyn std::error::Error| Problem::of(ProblemCode::Internal, error);
    let folder = core.place.home.join("simulated").join(&sketch.name);
    std::fs::create_dir_all(&folder).map_err(|error| internal(&error))?;
    std::fs::write(folder.join("Dockerfile"), dockerfile(simulation, sketch)).map_err(|error| internal(&error))?;
    let selection = select(&folder, &Limits::default()).map_err(|error| internal(&error))?;
    let target = Target::Context { context: core.receive(pack(selection, None)).await?.id.to_string() };
    let accepted = core.accept(DeployRequest { target, origin: origin(sketch) }).await?;
    until_finished(core, &accepted).await
}

async fn until_finished(core: &Core, accepted: &Deploy) -> Result<(), Problem> {
    let finished = async {
        loop {
            if matches!(core.deploy(accepted.id)?.state, DeployState::Finished { .. }) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let late = |_| Problem::new(ProblemCode::Internal, format!("{} does not end", accepted.id));
    tokio::time::timeout(LONGEST_DEPLOY, finished).await.map_err(late)?
}

fn behaviour(simulation: &Simulation, sketch: &Sketch) -> Behaviour {
    let usual = Behaviour { still: simulation.still, logs: Vec::new(), ..Behaviour::default() };
    if sketch.breaks {
        let exit = Exit { code: 3, out_of_memory: false };
        let logs = vec!["could not connect to the database at db:5432".to_owned()];
        return Behaviour { exit: Some((Moment::Probes(0), exit)), logs, ..usual };
    }
    let floods = simulation.flood.filter(|_| sketch.index == 0).map(|rate| Duration::from_secs(1) / rate.max(1));
    let talks = (!simulation.still).then(|| Duration::from_millis(700 + 330 * (sketch.index as u64 % 9)));
    Behaviour { chatter: floods.or(talks), ..usual }
}

fn dockerfile(simulation: &Simulation, sketch: &Sketch) -> String {
    let Sketch { name, scale, index, .. } = sketch;
    let mut text = format!("# mypaas.service={name}\n");
    if index % 7 != 6 {
        text.push_str(&format!("# mypaas.url=https://{name}.s{}.example.com\n", simulation.number));
    }
    if *scale > 1 {
        text.push_str(&format!("# mypaas.scale={scale}\n# mypaas.healthcheck=/up 5s 2s\n"));
    }
    if index % 3 == 0 {
        text.push_str("# mypaas.maxmem=256m\n");
    }
    text + "FROM scratch\n"
}

fn origin(sketch: &Sketch) -> Origin {
    let id = format!("{:07x}", 0x3f2_c1a9_usize.wrapping_mul(sketch.index + 1) & 0xfff_ffff);
    let commit = Commit { id, subject: format!("Answer faster in {}", sketch.name), dirty: sketch.index % 5 == 4 };
    Origin {
        who: AUTHORS[sketch.index % AUTHORS.len()].to_owned(),
        folder: Some(format!("~/src/{}", sketch.name)),
        commit: Some(commit),
        key: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_containers_are_sketched_as_are_asked_for() {
        for wanted in [1, 10, 50, 300, 1000] {
            let sketches = sketches(wanted);
            let running: usize = sketches.iter().filter(|sketch| !sketch.breaks).map(|sketch| sketch.scale).sum();
            assert_eq!(running, wanted);
            let mut names: Vec<_> = sketches.iter().map(|sketch| &sketch.name).collect();
            names.sort();
            names.dedup();
            assert_eq!(names.len(), sketches.len());
        }
    }
}
