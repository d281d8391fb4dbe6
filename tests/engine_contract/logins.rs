//! Images of a registry that wants to know who asks.

use std::collections::BTreeSet;
use std::path::PathBuf;

use mypaas::api::Problem;
use mypaas::engine::{
    Build, DockerEngine, DockerSettings, Engine, EngineError, Image, Logins, Registry, Result, Sources, Standing,
};
use mypaas::name::ImageName;
use tempfile::TempDir;

use crate::docker::InDocker;
use crate::fixture::Fixture;
use crate::support::registry::{PASSWORD, PrivateRegistry};

/// An engine whose user may have logged in to a registry of the test's own.
struct Case {
    engine: DockerEngine,
    registry: PrivateRegistry,
    on: InDocker,
    folder: TempDir,
}

impl Case {
    async fn new() -> Self {
        let on = InDocker::new().await;
        let registry = PrivateRegistry::start(on.instance().as_str()).await;
        let folder = tempfile::tempdir().unwrap();
        let logins = Some(folder.path().join("config.json"));
        let settings = DockerSettings { logins, ..DockerSettings::local(on.instance().clone()) };
        Self { engine: DockerEngine::connect(settings).unwrap(), registry, on, folder }
    }

    fn write(&self, text: &str) {
        std::fs::write(self.file(), text).unwrap();
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("config.json")
    }

    fn registries(&self) -> BTreeSet<Registry> {
        [Registry::of_image(&self.registry.image())].into()
    }

    async fn build(&self, instructions: &str, logins: Logins) -> Result<Image> {
        let build = self.on.build_of("web", 1, instructions);
        let sources = Sources { registries: self.registries(), logins };
        self.engine.build(Build { sources, ..build }, &mut |_| {}).await
    }

    fn from(&self) -> String {
        format!("FROM {}\n", self.registry.image())
    }

    async fn pull(&self) -> Result<Image> {
        self.engine.ensure_image(&ImageName::foreign(&self.registry.image())).await
    }

    /// What is advised on the way.
    fn assert_denied<T: std::fmt::Debug>(&self, outcome: Result<T>, expected: &Standing) -> String {
        let error = outcome.unwrap_err();
        let EngineError::Denied { registry, standing, .. } = &error else { panic!("{error:?}") };
        assert_eq!((registry.to_string(), standing), (self.registry.host(), expected), "{error:?}");
        let problem = Problem::from(error);
        assert_eq!(problem.message, format!("the registry {} refused an image", self.registry.host()));
        assert!(!problem.causes.is_empty() && !format!("{problem:?}").contains("hush"), "{problem:?}");
        problem.hint.unwrap()
    }
}

#[tokio::test]
async fn a_build_on_a_private_image_takes_the_login_of_the_server_s_user() {
    let case = Case::new().await;
    let docker_login = format!("`docker login {}` on the server", case.registry.host());
    let hint = case.assert_denied(case.build(&case.from(), Logins::All).await, &Standing::Stranger);
    assert!(hint.contains("has no login for") && hint.contains(&docker_login), "{hint}");

    case.write(&case.registry.login("hush, but wrong"));
    let hint = case.assert_denied(case.build(&case.from(), Logins::All).await, &Standing::LoggedIn);
    assert!(hint.contains("is not enough") && hint.contains(&docker_login), "{hint}");

    case.write("{\"auths\": hush");
    let error = case.build(&case.from(), Logins::All).await.unwrap_err();
    let hint = Problem::from(error).hint.unwrap();
    assert!(hint.contains(&case.file().display().to_string()) && hint.contains(&docker_login), "{hint}");
    case.build("FROM scratch\nLABEL x=y\n", Logins::All).await.unwrap();

    case.write(&case.registry.login(PASSWORD));
    case.assert_denied(case.build(&case.from(), Logins::default()).await, &Standing::Withheld);
    case.build(&case.from(), Logins::All).await.unwrap();
}

#[tokio::test]
async fn a_copy_from_a_private_image_takes_it_too() {
    let case = Case::new().await;
    let copies = format!("FROM scratch\nCOPY --from={} /of /of\n", case.registry.image());
    case.assert_denied(case.build(&copies, Logins::All).await, &Standing::Stranger);
    case.write(&case.registry.login(PASSWORD));
    case.build(&copies, Logins::All).await.unwrap();
}

#[tokio::test]
async fn a_pull_of_a_private_image_takes_it_too() {
    let case = Case::new().await;
    let hint = case.assert_denied(case.pull().await, &Standing::Stranger);
    assert!(hint.contains("docker login"), "{hint}");
    case.write(&case.registry.login(PASSWORD));
    assert_eq!(case.pull().await.unwrap().name.as_str(), case.registry.image());
}
