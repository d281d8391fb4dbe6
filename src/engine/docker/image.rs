//! Images: which are here, pulling one, removing one of ours.
//!
//! When Docker removes an image, it takes along the nameless ones that it was built on. Some of those may be somebody
//! else's; so we tell it not to, and remove ours among them ourselves.

use std::time::Duration;

use bollard::models::{HealthConfig, ImageHistoryResponseItem, ImageInspect};
use bollard::query_parameters::{CreateImageOptionsBuilder, ListImagesOptionsBuilder, RemoveImageOptionsBuilder};
use futures_util::StreamExt;

use super::container::time;
use super::error::{Asked, words};
use super::label::{self, Labels};
use super::{DockerEngine, QUICK, WORK, request};
use crate::engine::{Cause, EngineError, Image, Registry, Result};
use crate::name::{ImageName, ServiceName};

/// A registry may be silent for so long while it sends an image.
const PULL_SILENCE: Duration = Duration::from_secs(120);

/// The id of a step that was made elsewhere.
const UNKNOWN_STEP: &str = "<missing>";

impl DockerEngine {
    pub(super) async fn find_image(&self, name: &ImageName) -> Result<Option<Image>> {
        Ok(self.look_at_image(name.as_str()).await?.map(|details| read(name, &details)))
    }

    /// The names under which images of ours were built. Names that others gave to them are not ours.
    pub(super) async fn own_images(&self) -> Result<Vec<Image>> {
        let filters = [("label".to_owned(), vec![self.own_label()])].into();
        let options = ListImagesOptionsBuilder::default().filters(&filters).build();
        let asked = Asked { verb: "list", what: "images of", name: self.instance.as_str() };
        let found = self.call(asked, QUICK, self.docker.list_images(Some(options))).await?;
        let names = found.iter().flat_map(|image| {
            let is_own = |tag: &&String| label::is_our_image(&self.instance, tag, &image.labels);
            image.repo_tags.iter().filter(is_own).map(|tag| ImageName::foreign(tag))
        });
        let mut names: Vec<ImageName> = names.collect();
        names.sort();
        let mut images = Vec::new();
        for name in names {
            images.extend(self.find_image(&name).await?);
        }
        Ok(images)
    }

    pub(super) async fn find_or_pull_image(&self, name: &ImageName) -> Result<Image> {
        if let Some(image) = self.find_image(name).await? {
            return Ok(image);
        }
        self.pull(name).await?;
        let missing = || EngineError::NotFound { what: "image", name: name.to_string() };
        self.find_image(name).await?.ok_or_else(missing)
    }

    async fn pull(&self, name: &ImageName) -> Result<()> {
        let (repository, tag) = split_tag(name.as_str());
        let options = CreateImageOptionsBuilder::default().from_image(repository).tag(tag).build();
        let registry = Registry::of_image(name.as_str());
        let shown = self.keychain.open_for_pull(&registry).await;
        let docker = request::with(&self.docker, None, shown.to(&registry));
        let mut progress = docker.create_image(Some(options), None, None);
        let failed = |source: Cause| {
            let refusal = shown.refusal(&source.to_string(), Some(name.as_str()));
            refusal.unwrap_or_else(|| EngineError::Pull { image: name.clone(), source })
        };
        loop {
            match tokio::time::timeout(PULL_SILENCE, progress.next()).await {
                Ok(Some(Ok(_))) => {}
                Ok(Some(Err(error))) => return Err(failed(words(error))),
                Ok(None) => return Ok(()),
                Err(_) => return Err(Asked::image("pull", name.as_str()).timed_out(PULL_SILENCE)),
            }
        }
    }

    pub(super) async fn remove_own_image(&self, name: &ImageName) -> Result<()> {
        match self.look_at_image(name.as_str()).await? {
            None => Ok(()),
            Some(details) if self.is_own(name, &details) => self.remove_with_steps(name.as_str()).await,
            Some(_) => Err(EngineError::NotOurs { what: "image", name: name.to_string() }),
        }
    }

    /// The image of this name, when this instance built it.
    pub(super) async fn own_image(&self, name: &ImageName) -> Result<Option<ImageInspect>> {
        Ok(self.look_at_image(name.as_str()).await?.filter(|details| self.is_own(name, details)))
    }

    pub(super) async fn remove_own_leftover(&self, id: &str) -> Result<()> {
        match self.look_at_image(id).await? {
            None => Ok(()),
            Some(details) if self.is_leftover(&details, self.last_step(id).await?.as_deref()) => {
                self.remove_with_steps(id).await
            }
            Some(_) => Err(EngineError::NotOurs { what: "image", name: id.to_owned() }),
        }
    }

    /// Removes images of the service that have lost their name to a newer one. Where they are still used they stay.
    pub(super) async fn remove_own_nameless(&self, service: &ServiceName) -> Result<()> {
        let labels = vec![self.own_label(), label::of_service(service)];
        let filters = [("label".to_owned(), labels), ("dangling".to_owned(), vec!["true".to_owned()])].into();
        let options = ListImagesOptionsBuilder::default().filters(&filters).build();
        let asked = Asked { verb: "list", what: "nameless images of", name: service.as_str() };
        for image in self.call(asked, QUICK, self.docker.list_images(Some(options))).await? {
            self.remove_own_leftover(&image.id).await?;
        }
        Ok(())
    }

    /// Takes away a name, or an image without one; and then the steps of its build that nothing else is built on. A step
    /// that stays is a leftover from now on.
    pub(super) async fn remove_with_steps(&self, name_or_id: &str) -> Result<()> {
        let history = match self.history(name_or_id).await {
            Err(EngineError::NotFound { .. }) => return Ok(()),
            history => history?,
        };
        self.untag(name_or_id).await?;
        for step in history.iter().skip(1).filter(|step| step.id != UNKNOWN_STEP) {
            let found = self.look_at_image(&step.id).await.ok().flatten();
            if !found.is_some_and(|found| self.is_leftover(&found, None)) || self.untag(&step.id).await.is_err() {
                break;
            }
        }
        Ok(())
    }

    pub(super) async fn history(&self, name_or_id: &str) -> Result<Vec<ImageHistoryResponseItem>> {
        self.call(Asked::image("inspect", name_or_id), QUICK, self.docker.image_history(name_or_id)).await
    }

    fn is_own(&self, name: &ImageName, details: &ImageInspect) -> bool {
        label::is_our_image(&self.instance, name.as_str(), labels(details))
    }

    fn is_leftover(&self, details: &ImageInspect, last_step: Option<&str>) -> bool {
        let is_nameless = details.repo_tags.as_ref().is_none_or(Vec::is_empty);
        is_nameless && label::is_leftover(&self.instance, labels(details), last_step)
    }

    async fn last_step(&self, id: &str) -> Result<Option<String>> {
        match self.history(id).await {
            Ok(history) => Ok(history.into_iter().next().map(|step| step.created_by)),
            Err(EngineError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Missing is fine.
    async fn untag(&self, name_or_id: &str) -> Result<()> {
        let options = RemoveImageOptionsBuilder::default().force(false).noprune(true).build();
        let asked = Asked::image("remove", name_or_id);
        match self.call(asked, WORK, self.docker.remove_image(name_or_id, Some(options), None)).await {
            Ok(_) | Err(EngineError::NotFound { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn look_at_image(&self, name_or_id: &str) -> Result<Option<ImageInspect>> {
        let asked = Asked::image("inspect", name_or_id);
        match self.call(asked, QUICK, self.docker.inspect_image(name_or_id)).await {
            Ok(details) => Ok(Some(details)),
            Err(EngineError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Whether Docker refuses because a container was made from the image.
pub(super) fn is_used(error: &EngineError) -> bool {
    matches!(error, EngineError::Refused { source, .. } if source.to_string().contains("is using"))
}

fn read(name: &ImageName, details: &ImageInspect) -> Image {
    let config = details.config.as_ref();
    let healthcheck = config.and_then(|config| config.healthcheck.as_ref()).filter(|check| is_check(check));
    let mut volumes = config.and_then(|config| config.volumes.clone()).unwrap_or_default();
    volumes.sort();
    Image {
        name: name.clone(),
        id: details.id.clone().unwrap_or_default(),
        bytes: details.size.and_then(|size| size.try_into().ok()).unwrap_or(0),
        has_healthcheck: healthcheck.is_some(),
        first_check: healthcheck.map(first_check).unwrap_or_default(),
        volumes,
        created: time(details.created.as_deref()),
    }
}

fn labels(details: &ImageInspect) -> &Labels {
    label::present(details.config.as_ref().and_then(|config| config.labels.as_ref()))
}

/// Docker's defaults for what the image leaves open are those of its documentation. A start period does not put the first
/// check off: failures within it do not count, a success does.
fn first_check(config: &HealthConfig) -> Duration {
    const DEFAULT: Duration = Duration::from_secs(30);
    let time = |nanoseconds: Option<i64>| Duration::from_nanos(nanoseconds.unwrap_or(0).max(0).unsigned_abs());
    let or_default = |time: Duration| if time.is_zero() { DEFAULT } else { time };
    or_default(time(config.interval)).saturating_add(or_default(time(config.timeout)))
}

/// `HEALTHCHECK NONE` is written down too, and so is one that only changes the interval.
fn is_check(config: &HealthConfig) -> bool {
    config.test.as_ref().and_then(|test| test.first()).is_some_and(|kind| kind != "NONE")
}

/// Without a tag, Docker would pull all there are.
fn split_tag(name: &str) -> (&str, &str) {
    if let Some(parts) = name.split_once('@') {
        return parts;
    }
    match name.rsplit_once(':') {
        // A colon before a slash is a registry's port.
        Some((repository, tag)) if !tag.contains('/') => (repository, tag),
        _ => (name, "latest"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_without_a_tag_means_the_latest() {
        for (name, repository, tag) in [
            ("traefik", "traefik", "latest"),
            ("traefik:v3.7.15", "traefik", "v3.7.15"),
            ("registry.example.com:5000/a/b", "registry.example.com:5000/a/b", "latest"),
            ("registry.example.com:5000/a/b:1", "registry.example.com:5000/a/b", "1"),
            ("a/b@sha256:0123", "a/b", "sha256:0123"),
        ] {
            assert_eq!(split_tag(name), (repository, tag));
        }
    }

    #[test]
    fn a_disabled_or_empty_health_check_is_none() {
        let config = |test: &[&str]| HealthConfig {
            test: Some(test.iter().map(|&word| word.to_owned()).collect()),
            ..Default::default()
        };
        assert!(is_check(&config(&["CMD", "/check"])));
        assert!(!is_check(&config(&["NONE"])));
        assert!(!is_check(&config(&[])));
        assert!(!is_check(&HealthConfig::default()));
    }

    #[test]
    fn what_an_image_brings_along_is_read() {
        let json = |config: &str| format!(r#"{{"Id":"sha256:1","Size":5,"Config":{config}}}"#);
        let image = |config| read(&ImageName::foreign("x:r1"), &serde_json::from_str(&json(config)).unwrap());
        let plain = image("{}");
        assert_eq!((plain.has_healthcheck, plain.first_check, plain.volumes), (false, Duration::ZERO, Vec::new()));
        let checked = image(
            r#"{"Healthcheck":{"Test":["CMD","x"],"Interval":300000000000,"StartPeriod":2000000000},
                "Volumes":{"/b":{},"/a":{}}}"#,
        );
        assert_eq!((checked.has_healthcheck, checked.first_check), (true, Duration::from_secs(300 + 30)));
        assert_eq!(checked.volumes, ["/a", "/b"]);
        let none = image(r#"{"Healthcheck":{"Test":["NONE"],"Interval":300000000000}}"#);
        assert_eq!((none.has_healthcheck, none.first_check), (false, Duration::ZERO));
    }
}
