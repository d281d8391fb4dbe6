//! Several servers at once: each on its own way, so that none waits for another, and each with its own result.

use std::str::FromStr;

use futures_util::future::join_all;
use mypaas::name::{NameError, ServerName};

use super::output::words;
use super::report::Report;
use super::session::Session;

/// Means all servers of the fleet, unless one of them is called so.
const ALL: &str = "all";

/// Servers as they are named in one argument: `shop`, `shop,attic`, or `all`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Servers(Vec<ServerName>);

/// Whether a verb changes anything; then locked servers are asked for first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Touch {
    Reads,
    Changes,
}

/// What came of some servers; each was told by itself.
#[derive(Debug, thiserror::Error)]
#[error("it failed on {} of {of} servers: {}", failed.len(), words::names(failed))]
pub(crate) struct SomeFailed {
    failed: Vec<ServerName>,
    of: usize,
}

impl FromStr for Servers {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        text.split(',').map(|name| name.trim().parse()).collect::<Result<_, _>>().map(Self)
    }
}

impl Servers {
    /// Those that are meant, each once; an error when one is not known.
    pub(crate) fn of(&self, session: &Session) -> anyhow::Result<Vec<ServerName>> {
        if let [name] = self.0.as_slice()
            && name.as_str() == ALL
            && session.server(name).is_err()
        {
            return Ok(session.all()?.into_iter().map(|(name, _)| name).collect());
        }
        let mut names: Vec<ServerName> = Vec::new();
        for name in &self.0 {
            session.server(name)?;
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        Ok(names)
    }
}

/// Does something on each server. Of several, each line that is shown says of which one it is; an error when one failed.
pub(crate) async fn each(
    session: &Session,
    servers: &Servers,
    touch: Touch,
    json: bool,
    work: impl AsyncFn(&Session, &ServerName) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let names = servers.of(session)?;
    if touch == Touch::Changes {
        for name in &names {
            session.unlock(name).await?;
        }
    }
    if let [only] = names.as_slice() {
        return work(session, only).await;
    }
    let mut ways = Vec::new();
    for name in &names {
        // One after the other: a passphrase may be asked for.
        ways.push((name, session.client(name).await));
    }
    let width = names.iter().map(|name| name.as_str().len()).max().unwrap_or_default();
    let (of, work) = (names.len(), &work);
    let works = ways.into_iter().map(|(name, way)| async move {
        let own = session.labelled(name, width);
        let result = match way {
            Ok(_) => work(&own, name).await,
            Err(error) => Err(error),
        };
        result.inspect_err(|error| own.screen.tell_problem(&Report::of(error), json)).is_err().then(|| name.clone())
    });
    let failed: Vec<ServerName> = join_all(works).await.into_iter().flatten().collect();
    if failed.is_empty() { Ok(()) } else { Err(SomeFailed { failed, of }.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_named_one_by_one_or_all() {
        let names = |text: &str| text.parse::<Servers>().map(|Servers(names)| names.len());
        assert_eq!(names("shop"), Ok(1));
        assert_eq!(names("shop, attic,local"), Ok(3));
        assert!(names("shop,").is_err() && names("").is_err() && names("shop;attic").is_err());
    }
}
