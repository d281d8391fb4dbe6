//! A Dockerfile that may change while it is looked at.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tokio::time::sleep;

use super::listen::{Inbox, tell};
use super::push::dockerfile_of;
use crate::console::message::Message;

/// Nobody saves more often.
const LOOK_AGAIN: Duration = Duration::from_millis(400);

/// Tells each time the folder's Dockerfile is another one than before, or comes, or goes.
pub(super) async fn dockerfile(folder: PathBuf, inbox: Inbox) {
    let mut before = state(&folder).await;
    loop {
        sleep(LOOK_AGAIN).await;
        let now = state(&folder).await;
        if now != before {
            before = now;
            tell(&inbox, Message::DockerfileChanged { folder: folder.clone() }).await;
        }
    }
}

/// When it was written, and how long it is; none when there is none.
async fn state(folder: &Path) -> Option<(SystemTime, u64)> {
    let file = dockerfile_of(folder).ok()?;
    let metadata = tokio::fs::metadata(file).await.ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn a_change_is_told_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("Dockerfile");
        std::fs::write(&file, "FROM scratch").unwrap();
        let (sender, mut inbox) = mpsc::channel(4);
        let watching = tokio::spawn(dockerfile(folder.path().to_owned(), sender));
        tokio::time::sleep(Duration::from_millis(100)).await;
        std::fs::write(&file, "FROM scratch\n# mypaas.service=web").unwrap();
        let told = tokio::time::timeout(Duration::from_secs(20), inbox.recv()).await.unwrap();
        assert!(matches!(told, Some(Message::DockerfileChanged { folder: told }) if told == folder.path()));
        tokio::time::sleep(2 * LOOK_AGAIN).await;
        assert!(inbox.try_recv().is_err());
        watching.abort();
    }
}
