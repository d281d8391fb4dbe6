//! `mypaas deploy` and `mypaas server deploy`: a push to the server of this machine.

use crate::cli::session::{LOCAL, Session};

use super::push::{Pushed, push};

pub(crate) async fn run(pushed: &Pushed, session: &Session) -> anyhow::Result<()> {
    push(pushed, &LOCAL.parse()?, session).await
}
