//! A real Docker under test. Each test is an instance of its own, with its own network, and leaves nothing behind.

use std::net::TcpListener;

use bollard::Docker;
use bollard::models::{ContainerCreateBody, ContainerUpdateBody};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, InspectContainerOptions, StartContainerOptions, TagImageOptionsBuilder,
};
use mypaas::engine::{
    Build, BuildLimits, Container, ContainerSpec, DockerEngine, DockerSettings, Engine, EngineError, LogStream, Secret,
    Sources,
};
use mypaas::manifest::{CpuLimit, MemoryLimit};
use mypaas::name::{ContainerName, ImageName, InstanceName, ReleaseId, ServiceName};

use crate::fixture::{App, Fixture, PORT};
use crate::support::app;
use crate::support::sweep::{Sweep, TEST};

pub(crate) struct InDocker {
    engine: DockerEngine,
    instance: InstanceName,
    pub(crate) docker: Docker,
    _sweep: Sweep,
}

impl InDocker {
    pub(crate) async fn new() -> Self {
        let sweep = Sweep::new();
        let instance: InstanceName = sweep.instance.parse().unwrap();
        let engine = DockerEngine::connect(DockerSettings::local(instance.clone())).unwrap();
        engine.ensure_network().await.unwrap();
        Self { engine, instance, docker: Docker::connect_with_unix_defaults().unwrap(), _sweep: sweep }
    }

    /// What the process in the container answers.
    pub(crate) async fn ask(&self, container: &Container, path: &str) -> reqwest::Result<String> {
        let client = mypaas::http::plain().build()?;
        client.get(format!("http://{}:{PORT}{path}", container.address)).send().await?.text().await
    }

    pub(crate) fn build_of(&self, service: &str, release: u64, dockerfile: &str) -> Build {
        let (service, release): (ServiceName, _) = (service.parse().unwrap(), ReleaseId::new(release));
        let name = ImageName::of(&self.instance, &service, release);
        Build {
            name,
            service,
            release,
            context: app::context(dockerfile),
            pull: false,
            sources: Sources::default(),
            limits: BuildLimits::default(),
        }
    }

    pub(crate) fn dockerfile(&self, app: App) -> String {
        let check = match app {
            App::ChecksItself => "HEALTHCHECK --interval=1s --timeout=5s CMD [\"/app\", \"check\"]\n",
            _ => "HEALTHCHECK NONE\n",
        };
        format!("FROM scratch\nLABEL {TEST}={}\nCOPY app /app\n{check}ENTRYPOINT [\"/app\"]\n", self.instance)
    }
}

impl Fixture for InDocker {
    fn engine(&self) -> &dyn Engine {
        &self.engine
    }

    fn instance(&self) -> &InstanceName {
        &self.instance
    }

    async fn build(&self, service: &str, release: u64, app: App) -> ImageName {
        let build = self.build_of(service, release, &self.dockerfile(app));
        self.engine.build(build, &mut |_| {}).await.unwrap().name
    }

    async fn build_that_fails(&self, service: &str) -> (EngineError, Vec<String>) {
        let build = self.build_of(service, 1, "FROM scratch\nCOPY nowhere /app\n");
        let mut lines = Vec::new();
        let failed = self.engine.build(build, &mut |line| lines.push(line)).await;
        (failed.unwrap_err(), lines)
    }

    async fn build_that_eats_memory(&self, service: &str) -> EngineError {
        // A child is killed, as a compiler would be; the instruction itself ends with a code of its own.
        let run = "ENV EAT_MEGABYTES=512\nRUN [\"/app\", \"feed\"]\n";
        let limits = BuildLimits { max_mem: Some(MemoryLimit { bytes: 24 << 20 }), ..BuildLimits::default() };
        let build = self.build_of(service, 1, &(self.dockerfile(App::Serves) + run));
        self.engine.build(Build { limits, ..build }, &mut |_| {}).await.unwrap_err()
    }

    async fn build_in_stages(&self, service: &str, release: u64) -> ImageName {
        let first = format!("FROM scratch AS first\nLABEL {TEST}={}\nCOPY app /other/app\n", self.instance);
        let dockerfile = format!("{first}{}COPY --from=first /other/app /second\n", self.dockerfile(App::Serves));
        self.engine.build(self.build_of(service, release, &dockerfile), &mut |_| {}).await.unwrap().name
    }

    /// Run by hand from one of our images: it inherits the image's labels, and is a stranger all the same.
    async fn make_stranger(&self, name: &ContainerName) {
        let image = self.build("stranger", 1, App::Serves).await;
        let body = ContainerCreateBody { image: Some(image.to_string()), ..Default::default() };
        let options = CreateContainerOptionsBuilder::default().name(name.as_str()).build();
        self.docker.create_container(Some(options), body).await.unwrap();
        self.docker.start_container(name.as_str(), None::<StartContainerOptions>).await.unwrap();
    }

    async fn stranger_runs(&self, name: &ContainerName) -> bool {
        let found = self.docker.inspect_container(name.as_str(), None::<InspectContainerOptions>).await;
        found.is_ok_and(|found| found.state.and_then(|state| state.running) == Some(true))
    }

    /// One of ours under a name that is not ours; thus it is swept with the others.
    async fn foreign_image(&self) -> ImageName {
        let own = self.build("foreign", 1, App::Serves).await;
        let repository = format!("foreign-{}", self.instance);
        let options = TagImageOptionsBuilder::default().repo(&repository).tag("1").build();
        self.docker.tag_image(own.as_str(), Some(options)).await.unwrap();
        ImageName::foreign(&format!("{repository}:1"))
    }

    async fn write(&self, container: &Container, stream: LogStream, text: &str) {
        let path = if stream == LogStream::Stdout { "out" } else { "err" };
        self.ask(container, &format!("/{path}/{text}")).await.unwrap();
    }

    async fn end(&self, container: &Container, code: i64) {
        // It ends before it answers.
        let _ = self.ask(container, &format!("/exit/{code}")).await;
    }

    async fn set_limits(&self, container: &Container, max_cpu: CpuLimit, max_mem: MemoryLimit) {
        let body = ContainerUpdateBody {
            nano_cpus: Some(max_cpu.nano_cpus),
            memory: Some(max_mem.bytes),
            ..Default::default()
        };
        self.docker.update_container(container.name.as_str(), body).await.unwrap();
    }

    fn free_port(&self) -> u16 {
        TcpListener::bind("0.0.0.0:0").unwrap().local_addr().unwrap().port()
    }

    fn adapt(&self, spec: &mut ContainerSpec, app: App) {
        let (name, value) = match app {
            App::Serves | App::ChecksItself => return,
            App::Speaks => ("LINES", "hello".to_owned()),
            App::IsSlow => ("START_DELAY_MS", "3000".to_owned()),
            App::NeverListens => ("PORT", "0".to_owned()),
            App::IgnoresSigterm => ("ON_SIGTERM", "ignore".to_owned()),
            App::ExitsAtOnce(code) => ("EXIT_CODE", code.to_string()),
            App::EatsMemory => ("EAT_MEGABYTES", "512".to_owned()),
        };
        spec.env.insert(name.to_owned(), Secret::new(value));
    }
}
