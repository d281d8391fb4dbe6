//! What a server tells those who watch, change by change → snapshots.

use futures_util::stream::{BoxStream, StreamExt};

use super::{ClientError, Result};
use crate::api::{Snapshot, WatchNews};

/// Ends at the first error.
pub(super) fn folded(news: BoxStream<'static, Result<WatchNews>>) -> BoxStream<'static, Result<Snapshot>> {
    news.scan(Known::Nothing, |known, news| std::future::ready(known.hear(news))).boxed()
}

enum Known {
    Nothing,
    Snapshot(Box<Snapshot>),
    Broken,
}

impl Known {
    fn hear(&mut self, news: Result<WatchNews>) -> Option<Result<Snapshot>> {
        let heard = match (std::mem::replace(self, Self::Broken), news) {
            (Self::Broken, _) => return None,
            (_, Err(error)) => Err(error),
            (_, Ok(WatchNews::Whole(snapshot))) => Ok(snapshot),
            (Self::Snapshot(mut snapshot), Ok(WatchNews::Change(change))) => {
                snapshot.apply(*change);
                Ok(snapshot)
            }
            (Self::Nothing, Ok(WatchNews::Change(_))) => {
                let source = "it tells a change before it told what it is a change of".into();
                Err(ClientError::Unreadable { request: "/watch".to_owned(), source })
            }
        };
        Some(heard.map(|snapshot| {
            *self = Self::Snapshot(snapshot.clone());
            *snapshot
        }))
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    #[tokio::test]
    async fn a_change_without_what_it_changes_is_an_error_and_the_end() {
        let change = || Ok(WatchNews::Change(Box::default()));
        let heard: Vec<_> = folded(stream::iter([change(), change()]).boxed()).collect().await;
        assert!(matches!(heard.as_slice(), [Err(ClientError::Unreadable { .. })]), "{heard:?}");
    }
}
