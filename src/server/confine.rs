//! What a push by a key for some services may take along: no secret, folder or part of another one's domain that its own
//! services do not have already, and no image of another one. The same is said whether or not there is such a secret, folder or image.

use std::collections::BTreeSet;

use super::asker::Asker;
use super::core::{Core, place_of};
use super::gate::Caller;
use super::resolve::written;
use crate::api::Problem;
use crate::deploy::Release;
use crate::manifest::{EnvVar, Images, Manifest, ServiceUrl, Volume};
use crate::name::ServiceName;

impl Core {
    /// Whether whoever asks may have a service made of this.
    pub(super) async fn check_confined(
        &self,
        asker: Asker<'_>,
        manifest: &Manifest,
        images: &Images,
    ) -> Result<(), Problem> {
        let Some((caller, services)) = asker.limited() else { return Ok(()) };
        let kept = self.kept(services)?;
        check_variables(caller, manifest, &kept)?;
        self.check_images(caller, images)?;
        self.check_volumes(caller, manifest, &kept)?;
        self.check_domains(caller, manifest, &kept).await
    }

    /// Of the releases of these services.
    fn kept(&self, services: &BTreeSet<ServiceName>) -> Result<Vec<Manifest>, Problem> {
        let mut kept = Vec::new();
        for service in services {
            kept.extend(self.store.releases::<Release>(service)?.into_iter().map(|release| release.manifest));
        }
        Ok(kept)
    }

    fn check_images(&self, caller: &Caller, images: &Images) -> Result<(), Problem> {
        let plainly =
            "Write the image's name in full and without conditions, as in FROM docker.io/library/python:3.13.";
        if let Some(unclear) = images.unclear.first() {
            return Err(caller.refusal(&format!("what image {unclear:?} means is not clear before the build"), plainly));
        }
        if let Some(id) = images.named.iter().find(|image| is_id(image)) {
            return Err(caller.refusal(&format!("the image {id} might be meant by its id"), plainly));
        }
        let may_use = |image: &str| match self.service_of(image) {
            Some(service) => service.parse().is_ok_and(|service| caller.sees(&service)),
            None => true,
        };
        if let Some(image) = images.named.iter().find(|image| !may_use(image)) {
            let hint = "Build on an image from a registry. Whoever keeps the server may push this with a key that is not \
                        limited, or add that service to mypaas-services of this one.";
            return Err(caller.refusal(&format!("the image {image} is another service's"), hint));
        }
        Ok(())
    }

    /// The service whose image has this name on the server, or would have it.
    fn service_of<'i>(&self, image: &'i str) -> Option<&'i str> {
        let local = ["docker.io/", "index.docker.io/"].iter().find_map(|registry| image.strip_prefix(registry));
        let local = local.unwrap_or(image);
        let named = local.strip_prefix(self.config.server.instance.as_str())?.strip_prefix('/')?;
        named.split([':', '@']).next()
    }

    /// Also of a folder that nobody else has: in the home directory may lie programs, settings and keys.
    fn check_volumes(&self, caller: &Caller, manifest: &Manifest, kept: &[Manifest]) -> Result<(), Problem> {
        let had: Vec<&Volume> = kept.iter().flat_map(|manifest| &manifest.volumes).collect();
        match manifest.volumes.iter().find(|volume| !self.has_already(volume, &had)) {
            None => Ok(()),
            Some(volume) => {
                let how = if volume.read_only { "" } else { " to write to" };
                let what = format!("no service of its own has the volume {}{how} so far", volume.server_dir);
                Err(caller.refusal(&what, PUSH_ONCE))
            }
        }
    }

    /// Whoever answers a path of a domain gets the cookies of all of it, and what people type there.
    async fn check_domains(&self, caller: &Caller, manifest: &Manifest, kept: &[Manifest]) -> Result<(), Problem> {
        let had: BTreeSet<String> = kept.iter().flat_map(|manifest| &manifest.urls).map(place_of).collect();
        let routes = self.router.routes().await?;
        let others = routes.iter().filter(|routes| !caller.sees(&routes.service)).flat_map(|routes| &routes.urls);
        // Its capitals are the operator's; those of URLs are gone.
        let servers = self.config.init.domain.iter().map(|domain| domain.to_ascii_lowercase());
        let taken: BTreeSet<String> = others.map(|url| url.host.clone()).chain(servers).collect();
        let is_strange = |url: &&ServiceUrl| taken.contains(&url.host) && !had.contains(&place_of(url));
        match manifest.urls.iter().find(is_strange) {
            None => Ok(()),
            Some(url) => {
                let what =
                    format!("the domain {} is not its services' alone, and none of them has {url} so far", url.host);
                Err(caller.refusal(&what, PUSH_ONCE))
            }
        }
    }

    fn has_already(&self, wanted: &Volume, had: &[&Volume]) -> bool {
        let folder = |volume| written(volume, &self.place.user_home);
        let mut able = had.iter().filter(|volume| wanted.read_only || !volume.read_only);
        able.any(|volume| folder(volume) == folder(wanted))
    }
}

const PUSH_ONCE: &str = "Choose another one. Or whoever keeps the server pushes this once with a key that is not limited; \
                         from then on this key may do so too.";

fn check_variables(caller: &Caller, manifest: &Manifest, kept: &[Manifest]) -> Result<(), Problem> {
    let of_server = |manifest: &Manifest| -> BTreeSet<String> {
        let names = manifest.env.iter().filter_map(|variable| match variable {
            EnvVar::Server { name } => Some(name.clone()),
            EnvVar::Dockerfile { .. } => None,
        });
        names.collect()
    };
    let known: BTreeSet<String> = kept.iter().flat_map(of_server).collect();
    let strange: Vec<String> = of_server(manifest).difference(&known).cloned().collect();
    if strange.is_empty() {
        return Ok(());
    }
    let what = format!("no service of its own has the server's {} so far", strange.join(", "));
    Err(caller.refusal(&what, PUSH_ONCE))
}

/// Docker takes the beginning of an id too, where no image has that name.
fn is_id(image: &str) -> bool {
    let digits = image.strip_prefix("sha256:").unwrap_or(image);
    digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}
