//! The simulated images: each is one layer, shared with none.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::behaviour::Behaviour;
use crate::engine::{EngineError, Image, LayerId, Result, Storage, StoredImage, Whose};
use crate::name::ImageName;

#[derive(Debug, Default)]
pub(super) struct Images {
    named: BTreeMap<ImageName, Here>,
    /// What builds left, with its size in bytes.
    leftovers: BTreeMap<String, u64>,
}

/// An image that is here.
#[derive(Debug)]
struct Here {
    image: Image,
    behaviour: Behaviour,
    built: bool,
}

impl Image {
    pub(super) fn new(name: ImageName, id: &str, bytes: u64, behaviour: &Behaviour, created: Timestamp) -> Self {
        let Behaviour { healthcheck: has_healthcheck, first_check, volumes, .. } = behaviour.clone();
        Self { name, id: format!("sha256:{id}"), bytes, has_healthcheck, first_check, volumes, created }
    }
}

impl Images {
    pub(super) fn add(&mut self, image: Image, behaviour: Behaviour, built: bool) -> Image {
        self.named.insert(image.name.clone(), Here { image: image.clone(), behaviour, built });
        image
    }

    pub(super) fn leave(&mut self, id: String, bytes: u64) {
        self.leftovers.insert(id, bytes);
    }

    pub(super) fn find(&self, name: &ImageName) -> Option<Image> {
        self.named.get(name).map(|here| here.image.clone())
    }

    pub(super) fn behaviour(&self, name: &ImageName) -> Option<Behaviour> {
        self.named.get(name).map(|here| here.behaviour.clone())
    }

    pub(super) fn own(&self) -> Vec<Image> {
        self.named.values().filter(|here| here.built).map(|here| here.image.clone()).collect()
    }

    /// An error for an image that is here and was not built.
    pub(super) fn check_own(&self, name: &ImageName) -> Result<()> {
        match self.named.get(name) {
            Some(here) if !here.built => Err(EngineError::NotOurs { what: "image", name: name.to_string() }),
            _ => Ok(()),
        }
    }

    pub(super) fn remove(&mut self, name: &ImageName) {
        self.named.remove(name);
    }

    pub(super) fn remove_leftover(&mut self, id: &str) -> Result<()> {
        if self.named.values().any(|here| here.image.id == id) {
            return Err(EngineError::NotOurs { what: "image", name: id.to_owned() });
        }
        self.leftovers.remove(id);
        Ok(())
    }

    /// Of all together, in bytes.
    pub(super) fn bytes(&self) -> u64 {
        self.named.values().map(|here| here.image.bytes).chain(self.leftovers.values().copied()).sum()
    }

    pub(super) fn storage(&self) -> Storage {
        let mut storage = Storage::default();
        let named = self.named.values().map(|here| {
            let whose = match here.built {
                true => Whose::Ours { names: vec![here.image.name.clone()], named_by_others: false },
                false => Whose::Others,
            };
            (&here.image.id, here.image.bytes, whose)
        });
        let left = self.leftovers.iter().map(|(id, bytes)| (id, *bytes, Whose::Leftover));
        for (id, bytes, whose) in named.chain(left) {
            let layer = LayerId(id.clone());
            if whose != Whose::Others {
                storage.layers.insert(layer.clone(), bytes);
            }
            storage.images.push(StoredImage { id: id.clone(), whose, layers: vec![layer] });
        }
        storage
    }
}
