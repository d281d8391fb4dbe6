//! `mypaas unpin`: a pinned release is kept no longer than any other.

pub(crate) use super::pin::Arguments;
use super::pin::set;
use crate::cli::session::Session;

pub(crate) async fn run(arguments: &Arguments, session: &Session) -> anyhow::Result<()> {
    let Arguments { on, release, .. } = arguments;
    let told = format!("{release} of {} is not pinned: it goes once enough newer releases are kept\n", on.service);
    set(arguments, session, false, &told).await
}
