//! Long pasts wait in memory until they are read. So few of them wait at once, and fewer for one key: who does not read
//! keeps neither the server's memory nor everybody's place.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::api::{Problem, ProblemCode};
use crate::engine::LogQuery;
use crate::keys::Holder;
use crate::server::gate::{Busy, UnderWay};

/// The last so many lines of a log may be had by everybody at any time.
const SHORT: u32 = 5000;

const MOST: usize = 6;
const MOST_OF_A_KEY: usize = 2;

#[derive(Debug)]
pub(in crate::server) struct Places {
    all: Arc<Semaphore>,
    of_keys: Busy,
}

/// Held until the past has been read.
#[derive(Debug)]
pub(super) struct Place {
    _one_of_all: OwnedSemaphorePermit,
    _one_of_the_key: Option<UnderWay>,
}

impl Default for Places {
    fn default() -> Self {
        Self { all: Arc::new(Semaphore::new(MOST)), of_keys: Busy::new(MOST_OF_A_KEY) }
    }
}

impl Places {
    /// None for what is short.
    pub(super) fn take(&self, query: &LogQuery, holder: Option<&Holder>) -> Result<Option<Place>, Problem> {
        if query.tail.is_some_and(|tail| tail <= SHORT) {
            return Ok(None);
        }
        let too_many = |message: String| {
            Problem::new(ProblemCode::TooMany, message).hint(format!(
                "Ask again in a while, or for the last {SHORT} lines at most, which are always to be had."
            ))
        };
        let of_key = holder.map(|holder| {
            let message = || format!("{} is being sent {MOST_OF_A_KEY} long logs already", holder.name());
            self.of_keys.begin(&holder.fingerprint).ok_or_else(|| too_many(message()))
        });
        let _one_of_the_key = of_key.transpose()?;
        let taken = |_| too_many(format!("{MOST} long logs are being sent already"));
        let _one_of_all = Arc::clone(&self.all).try_acquire_owned().map_err(taken)?;
        Ok(Some(Place { _one_of_all, _one_of_the_key }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_few_long_logs_at_once_and_everybody_has_short_ones() {
        let places = Places::default();
        let holder = |digit: &str| Holder {
            fingerprint: format!("SHA256:{}", digit.repeat(43)).parse().unwrap(),
            comment: "ada".to_owned(),
        };
        let (ada, bob) = (holder("a"), holder("b"));
        let long = LogQuery { tail: None, since: None, follow: true };
        let short = LogQuery { tail: Some(SHORT), ..long };
        let mut taken: Vec<_> = (0..MOST_OF_A_KEY).map(|_| places.take(&long, Some(&ada)).unwrap().unwrap()).collect();
        let refused = places.take(&long, Some(&ada)).unwrap_err();
        assert!(refused.code == ProblemCode::TooMany && refused.message.contains("ada"), "{refused:?}");
        assert!(places.take(&short, Some(&ada)).unwrap().is_none());
        taken.push(places.take(&long, Some(&bob)).unwrap().unwrap());
        taken.extend((taken.len()..MOST).map(|_| places.take(&long, None).unwrap().unwrap()));
        assert_eq!(places.take(&long, Some(&bob)).unwrap_err().code, ProblemCode::TooMany);
        drop(taken);
        assert!(places.take(&long, Some(&ada)).unwrap().is_some(), "what has been read makes room");
    }
}
