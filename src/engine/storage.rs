//! How images lie on the disk. They share layers: one counts once, and is gained only when all images that are made of it
//! go.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::name::{ImageName, InstanceName, ServiceName};

/// All images that are here, of whoever they are, because images share layers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Storage {
    pub images: Vec<StoredImage>,
    /// How many bytes a layer takes, for those that images of this instance are made of.
    pub layers: BTreeMap<LayerId, u64>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredImage {
    /// `sha256:…`.
    pub id: String,
    pub whose: Whose,
    /// Bottom first.
    pub layers: Vec<LayerId>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// Built by this instance, under these names; one that others named too stays when ours are gone.
    Ours {
        names: Vec<ImageName>,
        named_by_others: bool,
    },
    /// Without a name: what a build of this instance left, because it failed, or because it has stages. The next build may
    /// take its steps from there.
    Leftover,
    Others,
}

/// A layer with all those below it: the same for all images that share it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LayerId(pub String);

impl StoredImage {
    /// The names that this instance gave it.
    pub fn own_names(&self) -> &[ImageName] {
        match &self.whose {
            Whose::Ours { names, .. } => names,
            Whose::Leftover | Whose::Others => &[],
        }
    }

    pub fn is_leftover(&self) -> bool {
        self.whose == Whose::Leftover
    }

    /// Whether the image itself goes when these names do.
    pub fn goes_with(&self, gone: &HashSet<ImageName>) -> bool {
        match &self.whose {
            Whose::Ours { names, named_by_others } => !named_by_others && names.iter().all(|name| gone.contains(name)),
            Whose::Leftover | Whose::Others => false,
        }
    }
}

impl Storage {
    /// How many bytes there are less without some of the images.
    pub fn gained_without(&self, goes: impl Fn(&StoredImage) -> bool) -> u64 {
        let (gone, left): (Vec<_>, Vec<_>) = self.images.iter().partition(|image| goes(image));
        let needed: HashSet<&LayerId> = left.iter().flat_map(|image| &image.layers).collect();
        self.sum(gone.iter().flat_map(|image| &image.layers).filter(|layer| !needed.contains(layer)))
    }

    /// What some of the images take together.
    pub fn bytes_of(&self, counts: impl Fn(&StoredImage) -> bool) -> u64 {
        self.sum(self.images.iter().filter(|image| counts(image)).flat_map(|image| &image.layers))
    }

    pub fn leftovers(&self) -> impl Iterator<Item = &StoredImage> {
        self.images.iter().filter(|image| image.is_leftover())
    }

    /// The names that this instance gave.
    pub fn own_names(&self) -> impl Iterator<Item = &ImageName> {
        self.images.iter().flat_map(StoredImage::own_names)
    }

    /// The names of a service's images.
    pub fn names_of(&self, instance: &InstanceName, service: &ServiceName) -> HashSet<ImageName> {
        let start = format!("{instance}/{service}:");
        self.own_names().filter(|name| name.as_str().starts_with(&start)).cloned().collect()
    }

    fn sum<'a>(&self, layers: impl Iterator<Item = &'a LayerId>) -> u64 {
        let once: BTreeSet<&LayerId> = layers.collect();
        once.into_iter().filter_map(|layer| self.layers.get(layer)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Images as in `web:r1 base app1`: a name or names, then layers. A layer takes ten bytes for each of its letters.
    fn storage(images: &[(&str, &str)]) -> Storage {
        let mut storage = Storage::default();
        for (what, layers) in images {
            let layers: Vec<_> = layers.split(' ').map(|layer| LayerId(layer.to_owned())).collect();
            let names: Vec<_> = what.split(' ').map(|name| ImageName::foreign(&format!("mypaas/{name}"))).collect();
            let whose = match *what {
                "others" => Whose::Others,
                "leftover" => Whose::Leftover,
                _ if what.ends_with(" mine") => {
                    Whose::Ours { names: names[..names.len() - 1].to_vec(), named_by_others: true }
                }
                _ => Whose::Ours { names, named_by_others: false },
            };
            if whose != Whose::Others {
                storage.layers.extend(layers.iter().map(|layer| (layer.clone(), 10 * layer.0.len() as u64)));
            }
            storage.images.push(StoredImage { id: (*what).to_owned(), whose, layers });
        }
        storage
    }

    fn names(names: &[&str]) -> HashSet<ImageName> {
        names.iter().map(|name| ImageName::foreign(&format!("mypaas/{name}"))).collect()
    }

    #[test]
    fn a_layer_is_gained_only_when_all_that_need_it_go() {
        let storage = storage(&[
            ("others", "base"),
            ("web:r1", "base libs a"),
            ("web:r2", "base libs bb"),
            ("web:r3", "base other ccc"),
            ("leftover", "base compiler"),
        ]);
        for (gone, leftovers, gained) in [
            (&["web:r1"][..], false, 10),
            (&["web:r1", "web:r2"], false, 40 + 10 + 20),
            (&["web:r1", "web:r2", "web:r3"], false, 40 + 10 + 20 + 50 + 30),
            (&[], true, 80),
            (&["web:r3"], true, 80 + 50 + 30),
            (&["api:r1"], false, 0),
        ] {
            let goes = |image: &StoredImage| image.goes_with(&names(gone)) || (leftovers && image.is_leftover());
            assert_eq!(storage.gained_without(goes), gained, "{gone:?} {leftovers}");
        }
    }

    #[test]
    fn an_image_goes_with_its_last_name() {
        let storage = storage(&[("web:r1 web:r2", "a"), ("web:r3 mine", "bb")]);
        for (gone, gained) in [(&["web:r1"][..], 0), (&["web:r1", "web:r2"], 10), (&["web:r3"], 0)] {
            assert_eq!(storage.gained_without(|image| image.goes_with(&names(gone))), gained, "{gone:?}");
        }
    }

    #[test]
    fn a_service_s_images_are_counted_once_and_are_its_own() {
        let storage = storage(&[("web:r1 web:r2", "base a"), ("web:r3", "base bb"), ("web-api:r1", "base c")]);
        let own = storage.names_of(&InstanceName::default(), &"web".parse().unwrap());
        assert_eq!(own, names(&["web:r1", "web:r2", "web:r3"]));
        let is_its = |image: &StoredImage| image.own_names().iter().any(|name| own.contains(name));
        assert_eq!(storage.bytes_of(is_its), 40 + 10 + 20);
        assert_eq!(storage.gained_without(|image| image.goes_with(&own)), 10 + 20);
    }
}
