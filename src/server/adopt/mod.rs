//! Taking over a server of the Python original: its services become ours as they run, and our router takes the place of
//! its. No container of a service is stopped or restarted by it; the next push of a service replaces them as any deploy does.
//!
//! ```text
//! options.rs    a container of the original → the options that its Dockerfile had
//! join.rs       its containers become members of our network
//! iptables.rs   new connections to a port → a container, for a while
//! handover.rs   from the original's router to ours; exchange.rs the one moment in which the ports change hands
//! ```
//!
//! It may be done again: what was taken over stays so, and what was taken over by half is taken over anew.

mod exchange;
mod handover;
mod iptables;
mod join;
mod options;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddrV4;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use jiff::Timestamp;
use tar::{Builder, Header};
use toml_edit::DocumentMut;

use self::handover::Handover;
use super::config::{Config, FILE_NAME};
use super::lock::Lock;
use super::{Place, ServerError, engine_of, make_folder, router_of};
use crate::api::{Problem, ProblemCode};
use crate::atomic_file::{self, Access};
use crate::context::DOCKERFILE;
use crate::deploy::{Action, Deploy, DeployState, Origin, Outcome, Release};
use crate::engine::{Build, BuildLimits, DockerEngine, Engine, Foreign, Image, Role, Sources};
use crate::manifest::{self, Manifest};
use crate::name::{DeployId, ImageName, ReleaseId, ServiceName};
use crate::router::{Routes, TraefikRouter};
use crate::store::{ServiceRecord, Store};

/// What the original calls its own services.
const ROUTER: &str = "traefik";
const STATISTICS: &str = "stats";

/// Where our network has the name of the original's, this instance has another.
const OTHER_INSTANCE: &str = "paas";

/// The containers that were taken over, in the server folder.
pub(super) fn register(home: &Path) -> PathBuf {
    home.join("adopted.json")
}

/// Whether services of the original were taken over into this server folder.
pub fn has_adopted(home: &Path) -> bool {
    register(home).exists()
}

/// What was done, for people to be told.
#[derive(Debug, Clone, PartialEq)]
pub enum AdoptStep {
    /// Nothing was changed before, and that begins now, with so many services.
    Begun { services: usize },
    /// The service runs on as this release, in so many containers. Notes say what could not be known.
    Service { service: ServiceName, release: ReleaseId, containers: usize, notes: Vec<String> },
    /// It was taken over before.
    Known { service: ServiceName },
    /// The original's container of figures runs on, and is not routed to any more.
    Statistics { container: String },
    /// Requests come to our router now. How long the ports were nobody's; none: at no time.
    Router { old: String, gap: Option<Duration> },
    /// There was no router of the original's.
    NoRouter,
}

/// A service of the original, and what it is going to be.
#[derive(Debug)]
struct Found {
    manifest: Manifest,
    dockerfile: String,
    notes: Vec<String>,
    containers: Vec<Foreign>,
}

/// The same with the image of its first release.
struct Prepared {
    service: ServiceName,
    release: ReleaseId,
    image: Image,
    found: Found,
}

struct Adoption<'a> {
    config: Config,
    engine: std::sync::Arc<DockerEngine>,
    router: TraefikRouter,
    store: Store,
    place: &'a Place,
}

/// Takes over what the original has on this machine. No server may run for the folder; the original's daemon has to be
/// stopped before. Nothing is changed unless all services can be taken over.
pub async fn adopt(place: &Place, mut told: impl FnMut(AdoptStep) + Send) -> Result<(), Problem> {
    make_folder(&place.home)?;
    let _lock = Lock::take(&place.home)?;
    let adoption = Adoption::begin(place).await?;
    let foreign = adoption.engine.foreign().await?;
    let mut services: BTreeMap<ServiceName, Found> = BTreeMap::new();
    for (name, containers) in by_service(&foreign) {
        if name == ROUTER {
            continue;
        }
        if name == STATISTICS {
            told(AdoptStep::Statistics { container: containers[0].name.clone() });
            continue;
        }
        let found = adoption.read(containers)?;
        services.insert(found.manifest.service.clone(), found);
    }
    let mut prepared = Vec::new();
    for (service, found) in services {
        match adoption.prepare(service.clone(), found).await? {
            Some(service) => prepared.push(service),
            None => told(AdoptStep::Known { service }),
        }
    }
    told(AdoptStep::Begun { services: prepared.len() });
    for service in prepared {
        told(adoption.take_over(service).await?);
    }
    let old = foreign.iter().find(|container| container.service() == ROUTER);
    told(adoption.take_ports(old).await?);
    Ok(())
}

fn by_service(foreign: &[Foreign]) -> BTreeMap<&str, Vec<Foreign>> {
    let mut services: BTreeMap<&str, Vec<Foreign>> = BTreeMap::new();
    for container in foreign {
        services.entry(container.service()).or_default().push(container.clone());
    }
    services
}

impl<'a> Adoption<'a> {
    async fn begin(place: &'a Place) -> Result<Self, Problem> {
        let mut config = Config::read(&place.home).map_err(ServerError::from)?;
        let engine = engine_of(place, &config)?;
        if config.server.instance.is_default() && engine.has_foreign_network().await? {
            rename_instance(&place.home)?;
            config = Config::read(&place.home).map_err(ServerError::from)?;
        }
        let store = Store::open(&place.home.join("store.db"))?;
        join::forget_halves(&place.home, &store)?;
        let engine = std::sync::Arc::new(engine_of(place, &config)?);
        let router = router_of(place, &config, std::sync::Arc::<DockerEngine>::clone(&engine)).await?;
        Ok(Self { config, engine, router, store, place })
    }

    /// What a service is, as far as its containers tell.
    fn read(&self, containers: Vec<Foreign>) -> Result<Found, Problem> {
        let options::Read { dockerfile, notes } = options::read(&containers, &self.place.user_home, &self.config.env);
        let checked = manifest::check(dockerfile.as_bytes());
        let Some(manifest) = checked.manifest else {
            let name = containers[0].service();
            let message = format!("the service {name} of the original cannot be taken over; nothing was changed");
            return Err(Problem {
                diagnostics: checked.diagnostics,
                ..Problem::new(ProblemCode::Conflict, message)
                    .hint("Remove its containers, or push it anew to the original without what is wrong.")
            });
        };
        Ok(Found { manifest, dockerfile, notes, containers })
    }

    /// None: it was taken over before.
    async fn prepare(&self, service: ServiceName, found: Found) -> Result<Option<Prepared>, Problem> {
        if self.store.service(&service)?.is_some_and(|record| record.live.is_some()) {
            return Ok(None);
        }
        let release = self.store.next_release(&service)?;
        let image = self.build(&service, release, &found.dockerfile).await?;
        Ok(Some(Prepared { service, release, image, found }))
    }

    async fn take_over(&self, prepared: Prepared) -> Result<AdoptStep, Problem> {
        let Prepared { service, release, image, found } = prepared;
        let slots = self.join(&service, release, &found.containers).await?;
        let containers = found.containers.len();
        let ids = found.containers.into_iter().map(|container| container.id);
        let (now, origin) = (Timestamp::now(), origin());
        let deploy = self.store.add_deploy(&service, |id| pushed(id, &service, release, &origin, now))?;
        self.store.update_deploy(deploy.id, &deploy, true)?;
        self.register(&service, release, deploy.id, slots.into_iter().zip(ids))?;
        let built = Release {
            service: service.clone(),
            id: release,
            image: image.name,
            image_id: image.id,
            image_bytes: image.bytes,
            image_has_healthcheck: image.has_healthcheck,
            image_first_check: image.first_check,
            image_volumes: image.volumes,
            repositories: BTreeSet::new(),
            manifest: found.manifest,
            origin,
            built: image.created,
            build_seconds: 0.0,
        };
        self.store.put_release(&service, release, &built)?;
        let record = ServiceRecord { live: Some(release), since: Some(now), ..ServiceRecord::new(service.clone()) };
        // The last of it: until then an adoption that is done again begins anew with this service.
        self.store.put_service(&record)?;
        Ok(AdoptStep::Service { service, release, containers, notes: found.notes })
    }

    /// An image of ours with nothing but theirs in it.
    async fn build(&self, service: &ServiceName, release: ReleaseId, dockerfile: &str) -> Result<Image, Problem> {
        let context = context_of(dockerfile)
            .map_err(|error| Problem::new(ProblemCode::Internal, "a context could not be made").because(&error))?;
        let build = Build {
            name: ImageName::of(&self.config.server.instance, service, release),
            service: service.clone(),
            release,
            context: stream::iter([Ok(context)]).boxed(),
            pull: false,
            sources: Sources::default(),
            limits: BuildLimits { cpu_shares: self.config.deploy.build_cpu_shares, max_cpu: None, max_mem: None },
        };
        Ok(self.engine.build(build, &mut |_| ()).await?)
    }

    /// Where requests to the services go that were taken over.
    async fn routes(&self) -> Result<Vec<Routes>, Problem> {
        // What was written to the register counts for engines that are connected from then on.
        let containers = engine_of(self.place, &self.config)?.containers(None).await?;
        let mut routes = Vec::new();
        for record in self.store.services()? {
            let Some(release) = record.live.map(|live| self.store.release::<Release>(&record.name, live)) else {
                continue;
            };
            let Some(Release { manifest, .. }) = release? else { continue };
            if manifest.urls.is_empty() {
                continue;
            }
            let own = containers.iter().filter(|container| {
                container.is_running()
                    && matches!(&container.role, Role::Service { service, .. } if *service == record.name)
            });
            routes.push(Routes {
                targets: own.map(|container| SocketAddrV4::new(container.address, manifest.port.get())).collect(),
                service: record.name,
                urls: manifest.urls,
                healthcheck: manifest.healthcheck,
                hold: None,
            });
        }
        Ok(routes)
    }

    async fn take_ports(&self, old: Option<&Foreign>) -> Result<AdoptStep, Problem> {
        let routes = self.routes().await?;
        let ports = [self.config.router.http_port, self.config.router.https_port];
        let handover = Handover { engine: &self.engine, router: &self.router, routes: &routes, ports };
        match old {
            Some(old) => {
                let gap = handover.from(old).await?;
                Ok(AdoptStep::Router { old: old.name.clone(), gap })
            }
            None => {
                handover.start().await?;
                Ok(AdoptStep::NoRouter)
            }
        }
    }
}

fn origin() -> Origin {
    Origin { who: "the Python original".to_owned(), key: None, folder: None, commit: None }
}

/// As what the history knows it.
fn pushed(id: DeployId, service: &ServiceName, release: ReleaseId, origin: &Origin, now: Timestamp) -> Deploy {
    Deploy {
        id,
        service: service.clone(),
        action: Action::Push,
        from: None,
        to: Some(release),
        origin: origin.clone(),
        accepted: now,
        state: DeployState::Finished { started: Some(now), finished: now, outcome: Outcome::Succeeded },
    }
}

fn rename_instance(home: &Path) -> Result<(), Problem> {
    let path = home.join(FILE_NAME);
    let failed = |error: &dyn std::error::Error| {
        Problem::new(ProblemCode::Internal, format!("{} could not be changed", path.display())).because(error)
    };
    let text = std::fs::read_to_string(&path).map_err(|error| failed(&error))?;
    let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| failed(&error))?;
    document.entry("server").or_insert(toml_edit::table())["instance"] = toml_edit::value(OTHER_INSTANCE);
    atomic_file::write_beside(&path, document.to_string().as_bytes(), Access::Owner).map_err(|error| failed(&error))
}

fn context_of(dockerfile: &str) -> std::io::Result<Bytes> {
    let mut tar = Builder::new(Vec::new());
    let mut header = Header::new_gnu();
    header.set_size(dockerfile.len() as u64);
    header.set_mode(0o644);
    tar.append_data(&mut header, DOCKERFILE, dockerfile.as_bytes())?;
    Ok(tar.into_inner()?.into())
}
