//! Containers that were taken over, not made. Docker changes no labels of a container that is there, so what would be
//! in theirs is kept in a file.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::label::{self, Labels};
use crate::atomic_file::{self, Access};
use crate::engine::Role;
use crate::name::{InstanceName, ServiceName};

/// One of them, by Docker's id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adopted {
    pub id: String,
    #[serde(flatten)]
    pub role: Role,
}

/// All of them; those that are gone meanwhile do no harm.
#[derive(Debug, Default)]
pub(super) struct Register(BTreeMap<String, Role>);

impl Register {
    /// A file that is missing names none.
    pub(super) fn read(path: &Path) -> io::Result<Self> {
        Ok(Self(adopted(path)?.into_iter().map(|Adopted { id, role }| (id, role)).collect()))
    }

    /// What its labels would be.
    pub(super) fn labels(&self, instance: &InstanceName, id: &str) -> Option<Labels> {
        self.0.get(id).map(|role| label::of_role(instance, role))
    }

    /// The ids of all, or of those of a service.
    pub(super) fn ids(&self, wanted: Option<&ServiceName>) -> impl Iterator<Item = &String> {
        let of_it = move |role: &Role| match role {
            Role::Service { service, .. } => wanted.is_none_or(|wanted| wanted == service),
            Role::Router => false,
        };
        self.0.iter().filter(move |(_, role)| of_it(role)).map(|(id, _)| id)
    }
}

/// The containers that the file names.
pub fn adopted(path: &Path) -> io::Result<Vec<Adopted>> {
    match fs::read(path) {
        Ok(json) => serde_json::from_slice(&json).map_err(io::Error::other),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Adds containers to those that the file names. An engine sees it when it is connected to next.
pub fn write_adopted(path: &Path, more: Vec<Adopted>) -> io::Result<()> {
    let mut all = adopted(path)?;
    all.retain(|known| more.iter().all(|new| new.id != known.id));
    all.extend(more);
    write(path, &all)
}

/// Takes those out of the file that are not wanted any more. An engine sees it when it is connected to next.
pub fn retain_adopted(path: &Path, wanted: impl Fn(&Adopted) -> bool) -> io::Result<()> {
    let all = adopted(path)?;
    let kept: Vec<Adopted> = all.iter().filter(|known| wanted(known)).cloned().collect();
    if kept.len() == all.len() { Ok(()) } else { write(path, &kept) }
}

fn write(path: &Path, all: &[Adopted]) -> io::Result<()> {
    let json = serde_json::to_vec_pretty(all).map_err(io::Error::other)?;
    atomic_file::write_beside(path, &json, Access::Owner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(service: &str, slot: u32) -> Role {
        let (release, deploy) = ("r1".parse().unwrap(), "d7".parse().unwrap());
        Role::Service { service: service.parse().unwrap(), release, slot, deploy }
    }

    #[test]
    fn a_container_that_was_taken_over_has_the_labels_that_it_would_have() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("adopted.json");
        assert!(adopted(&path).unwrap().is_empty());
        let one = Adopted { id: "a1".into(), role: role("web", 1) };
        write_adopted(&path, vec![one.clone()]).unwrap();
        let other = Adopted { id: "b2".into(), role: role("api", 1) };
        write_adopted(&path, vec![one, other]).unwrap();
        let register = Register::read(&path).unwrap();
        let instance = InstanceName::default();
        let labels = register.labels(&instance, "a1").unwrap();
        assert_eq!(label::role(&labels), Some(role("web", 1)));
        assert!(label::is_our_container(&instance, &labels));
        assert_eq!(register.labels(&instance, "c3"), None);
        assert_eq!(register.ids(None).count(), 2);
        assert_eq!(register.ids(Some(&"api".parse().unwrap())).collect::<Vec<_>>(), ["b2"]);
        fs::write(&path, "[{").unwrap();
        assert!(Register::read(&path).is_err());
    }
}
