//! Images: what one is built from, and how those that are here lie on the disk.

use std::collections::BTreeMap;
use std::fmt;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::name::{ImageName, ReleaseId, ServiceName};

/// What an image is built from.
pub struct Build {
    pub name: ImageName,
    pub service: ServiceName,
    pub release: ReleaseId,
    /// A tar, gzipped or not, with the Dockerfile at its root.
    pub context: BoxStream<'static, std::io::Result<Bytes>>,
    /// Ask the registry for newer base images.
    pub pull: bool,
}

impl fmt::Debug for Build {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Build").field("name", &self.name).field("pull", &self.pull).finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    pub name: ImageName,
    /// `sha256:…`.
    pub id: String,
    pub bytes: u64,
    /// The image has a HEALTHCHECK of its own.
    pub has_healthcheck: bool,
    pub created: Timestamp,
}

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
