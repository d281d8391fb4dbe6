//! Where a build takes images from, and with which of the logins that the server's user has. They open what that user may
//! see. So a key for some services gets by them what a key without limits had the service built on before, and nothing
//! else: neither other images of a registry, nor those of other services.

use std::collections::BTreeSet;
use std::path::Path;

use crate::api::Problem;
use crate::context;
use crate::deploy::{Action, Deploy, Release};
use crate::engine::{Logins, Registry, Repository, Sources};
use crate::manifest;
use crate::name::ServiceName;
use crate::server::core::Core;

/// Docker's name for no image at all.
const NOTHING: &str = "scratch";

impl Core {
    /// With the repositories that later builds may use the logins for, whoever asks for them.
    pub(super) async fn sources_of(
        &self,
        deploy: &Deploy,
        context: &Path,
    ) -> Result<(Sources, BTreeSet<Repository>), Problem> {
        let dockerfile = context::dockerfile_of(context).await?.unwrap_or_default();
        let images = manifest::images(&dockerfile);
        let named: BTreeSet<Repository> =
            images.named.iter().filter(|image| *image != NOTHING).map(|image| Repository::of(image)).collect();
        let granted = self.granted(&deploy.service)?;
        let still_granted = || named.intersection(&granted).cloned().collect();
        if self.is_confined(deploy) {
            return Ok((confined(&named, &granted), still_granted()));
        }
        let logins = if images.unclear.is_empty() { Logins::All } else { Logins::Every };
        // What is built again may have been written with a key for some services.
        let granted = if deploy.action == Action::Redeploy { still_granted() } else { named.clone() };
        Ok((Sources { registries: registries(&named), logins }, granted))
    }

    fn granted(&self, service: &ServiceName) -> Result<BTreeSet<Repository>, Problem> {
        let kept = self.store.releases::<Release>(service)?;
        Ok(kept.into_iter().flat_map(|release| release.repositories).collect())
    }
}

/// A login is for all of a registry. So it is not used where even one image of it is not granted.
fn confined(named: &BTreeSet<Repository>, granted: &BTreeSet<Repository>) -> Sources {
    let strange: BTreeSet<Registry> = named.difference(granted).map(Repository::registry).collect();
    let registries = registries(named);
    let open = registries.difference(&strange).cloned().collect();
    Sources { registries, logins: Logins::Only(open) }
}

fn registries(repositories: &BTreeSet<Repository>) -> BTreeSet<Registry> {
    repositories.iter().map(Repository::registry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repositories(images: &[&str]) -> BTreeSet<Repository> {
        images.iter().map(|image| Repository::of(image)).collect()
    }

    #[test]
    fn a_login_is_withheld_where_one_image_of_its_registry_is_not_granted() {
        let named = repositories(&["a.example.com/x:2", "b.example.com/y", "b.example.com/z", "python:3"]);
        let granted = repositories(&["a.example.com/x:1", "b.example.com/y", "c.example.com/x"]);
        let Sources { registries: all, logins } = confined(&named, &granted);
        assert_eq!(all, registries(&named));
        assert_eq!(logins, Logins::Only([Registry::of_image("a.example.com/x")].into()));
    }
}
