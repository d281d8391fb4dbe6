//! Data that goes with its container: a VOLUME of the image that no `mypaas.volume` puts into a folder of the server.

use crate::deploy::{Action, Release};

/// For who pushes it.
pub(super) fn of_new(release: &Release) -> Vec<String> {
    let told = |folder: &String| {
        let kept = format!("`# mypaas.volume=~/{}:{folder}`", release.service);
        format!("the image keeps data in {folder}, which each new container begins without; {kept} would keep it")
    };
    folders(release).map(told).collect()
}

/// For who asks what the live release stands to lose.
pub(super) fn of_live(release: &Release, action: &Action) -> Vec<String> {
    if matches!(action, Action::Start | Action::Stop | Action::Scale { .. }) {
        return Vec::new();
    }
    let told = |folder: &String| {
        format!("what the containers of {} wrote to {folder} goes with them: no mypaas.volume keeps it", release.id)
    };
    folders(release).map(told).collect()
}

fn folders(release: &Release) -> impl Iterator<Item = &String> {
    let is_kept = |folder: &&String| {
        let mut volumes = release.manifest.volumes.iter();
        volumes.any(|volume| std::path::Path::new(folder).starts_with(&volume.container_dir))
    };
    release.image_volumes.iter().filter(move |folder| !is_kept(folder))
}
