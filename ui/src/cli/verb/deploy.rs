//! `mypaas deploy` and `mypaas server deploy`: a push to the server of this machine.

use crate::cli::session::{LOCAL, Session};

use super::push::{Pushed, push_to_each};

pub(crate) async fn run(pushed: &Pushed, session: &Session) -> anyhow::Result<()> {
    push_to_each(pushed, &LOCAL.parse()?, session).await
}
