//! Removes what a test made in Docker.

use std::collections::HashMap;

use bollard::Docker;
use bollard::query_parameters::{
    ListContainersOptionsBuilder, ListImagesOptionsBuilder, ListNetworksOptionsBuilder, RemoveContainerOptionsBuilder,
    RemoveImageOptionsBuilder,
};

/// When dropped, also by a panic, removes every container, image and network of this instance, and every layer that
/// was built with the label [`TEST`].
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
            for label in labels {
                runtime.block_on(sweep(&label));
            }
        });
        if swept.join().is_err() && !std::thread::panicking() {
            panic!("objects of {} may be left in Docker", self.instance);
        }
    }
}

async fn sweep(label: &str) {
    let docker = Docker::connect_with_unix_defaults().unwrap();
    let filters = HashMap::from([("label", vec![label])]);
    let all = ListContainersOptionsBuilder::default().all(true).filters(&filters).build();
    for container in docker.list_containers(Some(all)).await.unwrap() {
        let force = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
        // It may be going already.
        let _ = docker.remove_container(&container.id.unwrap(), Some(force)).await;
    }
    let all = ListImagesOptionsBuilder::default().filters(&filters).build();
    for image in docker.list_images(Some(all)).await.unwrap() {
        let force = RemoveImageOptionsBuilder::default().force(true).build();
        // It may have gone with one that was built on it.
        let _ = docker.remove_image(&image.id, Some(force), None).await;
    }
    let all = ListNetworksOptionsBuilder::default().filters(&filters).build();
    for network in docker.list_networks(Some(all)).await.unwrap() {
        docker.remove_network(&network.id.unwrap()).await.unwrap();
    }
}
