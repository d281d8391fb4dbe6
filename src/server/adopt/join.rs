//! The original's containers become members of our network with our names; repeating it goes on where it was interrupted.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::path::Path;

use super::{Adoption, register};
use crate::api::{Problem, ProblemCode};
use crate::engine::{Adopted, Engine, Foreign, Role, retain_adopted, write_adopted};
use crate::name::{ContainerName, DeployId, ReleaseId, ServiceName};
use crate::store::Store;

/// Addresses that our routers take.
const ROUTERS: usize = 4;

/// Lets the original have back in the register what was taken over by half: only a service that has a live release is ours.
pub(super) fn forget_halves(home: &Path, store: &Store) -> Result<(), Problem> {
    let services = store.services()?.into_iter();
    let whole: BTreeSet<ServiceName> =
        services.filter(|record| record.live.is_some()).map(|record| record.name).collect();
    let is_whole = |adopted: &Adopted| match &adopted.role {
        Role::Service { service, .. } => whole.contains(service),
        Role::Router => true,
    };
    retain_adopted(&register(home), is_whole).map_err(|error| unwritten(&error))
}

fn unwritten(error: &std::io::Error) -> Problem {
    Problem::new(ProblemCode::Internal, "the register could not be written").because(error)
}

impl Adoption<'_> {
    /// Their containers get a place on our network and our names; under the service's name and their own they are reached
    /// as before. The slots are in the order of the containers.
    pub(super) async fn join(
        &self,
        service: &ServiceName,
        release: ReleaseId,
        containers: &[Foreign],
    ) -> Result<Vec<u32>, Problem> {
        let network = self.engine.ensure_network().await?;
        let name_of = |slot| ContainerName::of(&self.config.server.instance, service, release, slot);
        let slots = slots(containers, &self.engine.names_in_use().await?, name_of);
        for (slot, container) in slots.iter().zip(containers) {
            let used = self.engine.addresses_in_use().await?;
            let free = |address: &Ipv4Addr| *address > network.gateway && !used.contains(address);
            let address = network.subnet.hosts().filter(free).nth(ROUTERS).ok_or_else(|| {
                Problem::new(ProblemCode::Conflict, format!("no address of the network {} is free", network.name))
            })?;
            self.engine.join(&container.id, address, &[service.flat(), container.name.clone()]).await?;
            let name = name_of(*slot);
            if container.name != name.as_str() {
                self.engine.rename(&container.id, name.as_str()).await?;
            }
        }
        Ok(slots)
    }

    /// From now on they are ours.
    pub(super) fn register(
        &self,
        service: &ServiceName,
        release: ReleaseId,
        deploy: DeployId,
        containers: impl Iterator<Item = (u32, String)>,
    ) -> Result<(), Problem> {
        let role = |slot| Role::Service { service: service.clone(), release, slot, deploy };
        let adopted = containers.map(|(slot, id)| Adopted { id, role: role(slot) }).collect();
        write_adopted(&register(&self.place.home), adopted).map_err(|error| unwritten(&error))
    }
}

/// A container that has a name of ours keeps it; the others get the first names that no container has.
fn slots(containers: &[Foreign], used: &BTreeSet<String>, name_of: impl Fn(u32) -> ContainerName) -> Vec<u32> {
    let own = |container: &Foreign| {
        (1..).take(used.len() + containers.len()).find(|slot| name_of(*slot).as_str() == container.name)
    };
    let mut free = (1..).filter(|slot| !used.contains(name_of(*slot).as_str()));
    containers.iter().filter_map(|container| own(container).or_else(|| free.next())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::adopted;
    use crate::store::ServiceRecord;

    fn named(names: &[&str]) -> Vec<Foreign> {
        let container = |name: &&str| Foreign {
            id: format!("id of {name}"),
            name: (*name).to_owned(),
            image: String::new(),
            image_id: String::new(),
            env: [].into(),
            labels: [].into(),
            binds: Vec::new(),
            publish: Vec::new(),
            nano_cpus: 0,
            memory: 0,
        };
        names.iter().map(container).collect()
    }

    #[test]
    fn a_slot_that_a_container_got_before_is_kept_and_given_to_no_other() {
        let (service, instance) = ("blog".parse().unwrap(), "paas".parse().unwrap());
        let name_of = |slot| ContainerName::of(&instance, &service, ReleaseId::new(1), slot);
        let cases: &[(&[&str], &[&str], &[u32])] = &[
            (&["blog.1", "blog.2"], &[], &[1, 2]),
            // Interrupted after one of them: sorted by name, that one comes first or last.
            (&["blog.2", "paas_blog.r1.1"], &[], &[2, 1]),
            (&["blog.1", "paas_blog.r1.2"], &[], &[1, 2]),
            (&["blog.1", "blog.3", "paas_blog.r1.2"], &[], &[1, 3, 2]),
            // One that has ended meanwhile still has its name.
            (&["blog.2"], &["paas_blog.r1.1"], &[2]),
            (&["paas_blog.r1.2"], &["paas_blog.r1.1"], &[2]),
        ];
        for (names, others, expected) in cases {
            let used = names.iter().chain(*others).map(|name| (*name).to_owned()).collect();
            assert_eq!(slots(&named(names), &used, name_of), *expected, "{names:?} beside {others:?}");
        }
    }

    #[test]
    fn what_was_taken_over_by_half_is_the_original_s_again() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("store.db")).unwrap();
        forget_halves(folder.path(), &store).unwrap();
        let adopted_as = |service: &str, id: &str| {
            let (service, release, deploy) = (service.parse().unwrap(), ReleaseId::new(1), "d1".parse().unwrap());
            Adopted { id: id.to_owned(), role: Role::Service { service, release, slot: 1, deploy } }
        };
        let all = ["whole", "half", "unknown"].map(|name| adopted_as(name, name));
        write_adopted(&register(folder.path()), all.to_vec()).unwrap();
        let whole = ServiceRecord { live: Some(ReleaseId::new(1)), ..ServiceRecord::new("whole".parse().unwrap()) };
        store.put_service(&whole).unwrap();
        store.put_service(&ServiceRecord::new("half".parse().unwrap())).unwrap();
        forget_halves(folder.path(), &store).unwrap();
        assert_eq!(adopted(&register(folder.path())).unwrap(), all[..1]);
    }
}
