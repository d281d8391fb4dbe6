//! The headless server.

use std::path::{Path, PathBuf};

use tokio_util::sync::CancellationToken;

/// Where a server lives.
#[derive(Debug, Clone)]
pub struct Place {
    /// The server folder: `MYPAAS_HOME`, or `~/_mypaas`.
    pub home: PathBuf,
    /// The home directory of the user it runs as; what `~` means in `mypaas.volume`.
    pub user_home: PathBuf,
    /// Where the container engine answers, as in `DOCKER_HOST`; none for the usual place.
    pub docker_host: Option<String>,
}

/// Where the server of this folder listens.
pub fn socket_path(home: &Path) -> PathBuf {
    home.join("mypaas.sock")
}

/// Why a server did not start, or stopped by itself.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// Another process serves this folder.
    #[error("another server already runs for {}", home.display())]
    AlreadyRuns { home: PathBuf },
}

/// Runs the server of this folder until told to stop; then lets running deploys reach a safe point. `ready` is called
/// once requests are accepted.
pub async fn run(place: Place, ready: impl FnOnce() + Send, shutdown: CancellationToken) -> Result<(), ServerError> {
    let _ = place;
    ready();
    shutdown.cancelled().await;
    Ok(())
}
