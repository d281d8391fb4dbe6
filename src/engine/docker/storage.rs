//! How images lie on the disk: whose they are, and which layers they share.

use std::collections::BTreeMap;

use bollard::models::{ImageHistoryResponseItem, ImageSummary};
use bollard::query_parameters::ListImagesOptionsBuilder;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use sha2::{Digest, Sha256};

use super::error::Asked;
use super::{DockerEngine, QUICK, label};
use crate::engine::{EngineError, LayerId, Result, Storage, StoredImage, Whose};
use crate::name::ImageName;

/// So many images are looked at at once.
const AT_ONCE: usize = 8;

impl DockerEngine {
    pub(super) async fn look_at_storage(&self) -> Result<Storage> {
        let options = ListImagesOptionsBuilder::default().build();
        let asked = Asked { verb: "list", what: "images of", name: &self.endpoint };
        let found = self.call(asked, QUICK, self.docker.list_images(Some(options))).await?;
        let images = stream::iter(found).map(|image| self.look_at_stored(image)).buffered(AT_ONCE);
        let images: Vec<Option<(StoredImage, Sizes)>> = images.try_collect().await?;
        let mut storage = Storage::default();
        for (image, sizes) in images.into_iter().flatten() {
            storage.images.push(image);
            storage.layers.extend(sizes);
        }
        Ok(storage)
    }

    /// None when it has vanished meanwhile.
    async fn look_at_stored(&self, summary: ImageSummary) -> Result<Option<(StoredImage, Sizes)>> {
        let id = summary.id.clone();
        let Some(details) = self.look_at_image(&id).await? else { return Ok(None) };
        let layers = chain(&details.root_fs.and_then(|files| files.layers).unwrap_or_default());
        if !label::carries_instance(&self.instance, &summary.labels) && !self.has_own_name(&summary) {
            return Ok(Some((StoredImage { id, whose: Whose::Others, layers }, Sizes::new())));
        }
        let history = match self.history(&id).await {
            Err(EngineError::NotFound { .. }) => return Ok(None),
            history => history?,
        };
        let whose = self.whose(&summary, history.first().map(|step| step.created_by.as_str()));
        let sizes = match whose {
            Whose::Others => Sizes::new(),
            Whose::Ours { .. } | Whose::Leftover => layers.iter().cloned().zip(sizes(&history, layers.len())).collect(),
        };
        Ok(Some((StoredImage { id, whose, layers }, sizes)))
    }

    fn has_own_name(&self, summary: &ImageSummary) -> bool {
        summary.repo_tags.iter().any(|tag| label::is_our_image(&self.instance, tag, &summary.labels))
    }

    fn whose(&self, summary: &ImageSummary, last_step: Option<&str>) -> Whose {
        // Older engines write a name for what has none.
        let tags: Vec<&String> = summary.repo_tags.iter().filter(|tag| *tag != "<none>:<none>").collect();
        if tags.is_empty() && label::is_leftover(&self.instance, &summary.labels, last_step) {
            return Whose::Leftover;
        }
        let (ours, others): (Vec<_>, Vec<_>) =
            tags.into_iter().partition(|tag| label::is_our_image(&self.instance, tag, &summary.labels));
        match ours.is_empty() {
            true => Whose::Others,
            false => Whose::Ours {
                names: ours.into_iter().map(|tag| ImageName::foreign(tag)).collect(),
                named_by_others: !others.is_empty(),
            },
        }
    }
}

type Sizes = BTreeMap<LayerId, u64>;

/// A layer is shared only together with all below it, so it is known by a hash over them, bottom first.
fn chain(layers: &[String]) -> Vec<LayerId> {
    let mut above = Sha256::new();
    let mut ids = Vec::with_capacity(layers.len());
    for layer in layers {
        above.update(layer.as_bytes());
        ids.push(LayerId(above.clone().finalize().iter().map(|byte| format!("{byte:02x}")).collect()));
    }
    ids
}

/// The sizes of so many layers, bottom first. The history has an entry for each instruction, newest first, and does not
/// say which of them made a layer: all that have a size did, and of the others those that put files in place.
fn sizes(history: &[ImageHistoryResponseItem], layers: usize) -> Vec<u64> {
    let made = history.iter().rev().filter(|entry| entry.size > 0 || makes_files(&entry.created_by));
    let mut sizes: Vec<u64> = made.map(|entry| entry.size.try_into().unwrap_or(0)).collect();
    if sizes.len() != layers {
        sizes.retain(|size| *size > 0);
    }
    sizes.resize(layers, 0);
    sizes
}

/// Instructions that only describe the image are written down as `#(nop)` by the classic builder.
fn makes_files(instruction: &str) -> bool {
    match instruction.split_once("#(nop)") {
        Some((_, what)) => ["ADD", "COPY", "WORKDIR"].iter().any(|word| what.trim_start().starts_with(word)),
        None => !instruction.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(newest_first: &[(&str, i64)]) -> Vec<ImageHistoryResponseItem> {
        let entry = |(created_by, size): &(&str, i64)| ImageHistoryResponseItem {
            created_by: (*created_by).to_owned(),
            size: *size,
            ..Default::default()
        };
        newest_first.iter().map(entry).collect()
    }

    #[test]
    fn each_layer_has_the_size_of_the_instruction_that_made_it() {
        let built = history(&[
            ("/bin/sh -c #(nop)  LABEL mypaas.service=web", 0),
            ("/bin/sh -c true", 0),
            ("/bin/sh -c #(nop) COPY file:1 in /app ", 700),
            ("/bin/sh -c #(nop)  ENV A=1", 0),
            ("/bin/sh -c #(nop) WORKDIR /srv", 0),
            ("", 2000),
        ]);
        assert_eq!(sizes(&built, 4), [2000, 0, 700, 0]);
    }

    #[test]
    fn what_does_not_add_up_keeps_its_sum() {
        let strange = history(&[("a", 0), ("b", 0), ("c", 5), ("d", 7)]);
        assert_eq!(sizes(&strange, 3), [7, 5, 0]);
        assert_eq!(sizes(&[], 2), [0, 0]);
    }

    #[test]
    fn equal_layers_are_shared_only_on_equal_ground() {
        let ids = |layers: &[&str]| chain(&layers.iter().map(|&layer| layer.to_owned()).collect::<Vec<_>>());
        let (one, two) = (ids(&["a", "b", "c"]), ids(&["a", "b", "d"]));
        assert_eq!(one[..2], two[..2]);
        assert_ne!(one[2], two[2]);
        assert_ne!(ids(&["x", "b"])[1], one[1]);
    }
}
