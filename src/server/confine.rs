//! What a push by a key for some services may take along: no secret, folder or image that only other services have. The
//! same is said whether or not there is such a secret or image.

use std::collections::BTreeSet;

use super::asker::Asker;
use super::core::Core;
use super::gate::Caller;
use super::resolve::{Folder, folder};
use crate::api::Problem;
use crate::deploy::Release;
use crate::manifest::{EnvVar, Images, Manifest, Volume};
use crate::name::ServiceName;

/// What the releases that are kept have, of the services of a key and of all others.
struct Kept {
    own: Vec<Manifest>,
    others: Vec<Manifest>,
}

impl Core {
    /// Whether whoever asks may have a service made of this.
    pub(super) fn check_confined(&self, asker: Asker<'_>, manifest: &Manifest, images: &Images) -> Result<(), Problem> {
        let Some((caller, services)) = asker.limited() else { return Ok(()) };
        let kept = self.kept(services)?;
        check_variables(caller, manifest, &kept)?;
        self.check_images(caller, images)?;
        self.check_volumes(caller, manifest, &kept)
    }

    fn kept(&self, services: &BTreeSet<ServiceName>) -> Result<Kept, Problem> {
        let mut kept = Kept { own: Vec::new(), others: Vec::new() };
        for record in self.store.services()? {
            let manifests = self.store.releases::<Release>(&record.name)?.into_iter().map(|release| release.manifest);
            let whose = if services.contains(&record.name) { &mut kept.own } else { &mut kept.others };
            whose.extend(manifests);
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

    fn check_volumes(&self, caller: &Caller, manifest: &Manifest, kept: &Kept) -> Result<(), Problem> {
        let home = &self.place.user_home;
        let folders = |manifests: &[Manifest]| -> Vec<Folder> {
            manifests.iter().flat_map(|manifest| &manifest.volumes).filter_map(|volume| folder(volume, home)).collect()
        };
        let (own, others) = (folders(&kept.own), folders(&kept.others));
        let here = folders(std::slice::from_ref(manifest));
        let wanted = manifest.volumes.iter().filter_map(|volume| Some((volume, folder(volume, home)?)));
        for (volume, folder) in wanted {
            if has_already(volume, &folder, kept, home) {
                continue;
            }
            if others.iter().any(|other| other.overlaps(&folder)) {
                let what = format!("the volume {} overlaps with another service's", volume.server_dir);
                return Err(caller.refusal(&what, PUSH_ONCE));
            }
            if own.iter().chain(&here).any(|other| other.overlaps(&folder) && other.real != folder.real) {
                let what = format!(
                    "the volume {} lies within another one or around it, so that a container could turn it into a \
                     link to anywhere",
                    volume.server_dir
                );
                return Err(caller.refusal(&what, PUSH_ONCE));
            }
        }
        Ok(())
    }
}

const PUSH_ONCE: &str = "Choose another one. Or whoever keeps the server pushes this once with a key that is not limited; \
                         from then on this key may do so too.";

fn check_variables(caller: &Caller, manifest: &Manifest, kept: &Kept) -> Result<(), Problem> {
    let of_server = |manifest: &Manifest| -> BTreeSet<String> {
        let names = manifest.env.iter().filter_map(|variable| match variable {
            EnvVar::Server { name } => Some(name.clone()),
            EnvVar::Dockerfile { .. } => None,
        });
        names.collect()
    };
    let known: BTreeSet<String> = kept.own.iter().flat_map(of_server).collect();
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

/// Whether a release of the key's own services has this folder, and may write to it if that is wanted.
fn has_already(wanted: &Volume, at: &Folder, kept: &Kept, home: &std::path::Path) -> bool {
    let volumes = kept.own.iter().flat_map(|manifest| &manifest.volumes);
    let mut able = volumes.filter(|volume| wanted.read_only || !volume.read_only);
    able.any(|volume| folder(volume, home).is_some_and(|folder| folder.written == at.written))
}
