//! Removes what a test made in Docker.

use std::collections::HashMap;
use std::time::Duration;

use bollard::Docker;
use bollard::query_parameters::{
    ListContainersOptionsBuilder, ListImagesOptionsBuilder, ListNetworksOptionsBuilder, RemoveContainerOptionsBuilder,
    RemoveImageOptionsBuilder,
};

/// How long an engine may still work at a call whose caller was killed.
const UNDER_WAY: Duration = Duration::from_secs(1);

/// Removals that fail are tried again so often.
const PASSES: usize = 10;

/// When dropped, also by a panic, removes every container, image and network of this instance, and every layer that
/// was built with the label [`TEST`]. What uses the instance must have ended by then.
#[derive(Debug)]
pub(crate) struct Sweep {
    pub(crate) instance: String,
}

impl Sweep {
    /// For an instance that no other test has.
    pub(crate) fn new() -> Self {
        Self { instance: format!("t-{:012x}", getrandom::u64().unwrap() >> 16) }
    }
}

/// For the first instruction of a test's Dockerfile, with the instance as its value: a failed build leaves layers behind
/// that have no other label. It also keeps tests apart, so that none takes away a layer that another builds on.
pub(crate) const TEST: &str = "mypaas.test";

impl Drop for Sweep {
    fn drop(&mut self) {
        let labels = ["mypaas.instance", TEST].map(|key| format!("{key}={}", self.instance));
        // A runtime of its own: the test's may be going down.
        let swept = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(sweep_until_clean(&labels));
        });
        if swept.join().is_err() && !std::thread::panicking() {
            panic!("objects of {} may be left in Docker", self.instance);
        }
    }
}

/// A container that a killed server had asked for comes after the first pass, so only the second can tell.
async fn sweep_until_clean(labels: &[String]) {
    let docker = Docker::connect_with_unix_defaults().unwrap();
    for pass in 0..PASSES {
        let mut found = 0;
        for label in labels {
            found += sweep(&docker, label).await;
        }
        if found == 0 && pass > 0 {
            return;
        }
        tokio::time::sleep(UNDER_WAY).await;
    }
    panic!("there is always more to remove");
}

/// How much there was. What cannot be removed may be going already, or have gone with what was built on it.
async fn sweep(docker: &Docker, label: &str) -> usize {
    let filters = HashMap::from([("label", vec![label])]);
    let all = ListContainersOptionsBuilder::default().all(true).filters(&filters).build();
    let containers = docker.list_containers(Some(all)).await.unwrap();
    for container in &containers {
        let force = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
        let _ = docker.remove_container(container.id.as_ref().unwrap(), Some(force)).await;
    }
    let all = ListImagesOptionsBuilder::default().filters(&filters).build();
    let images = docker.list_images(Some(all)).await.unwrap();
    for image in &images {
        let force = RemoveImageOptionsBuilder::default().force(true).build();
        let _ = docker.remove_image(&image.id, Some(force), None).await;
    }
    let all = ListNetworksOptionsBuilder::default().filters(&filters).build();
    let networks = docker.list_networks(Some(all)).await.unwrap();
    for network in &networks {
        let _ = docker.remove_network(network.id.as_ref().unwrap()).await;
    }
    containers.len() + images.len() + networks.len()
}
