//! After a gap all requests that were held come at once. While containers are busy with them they answer their health check
//! late, and the router answers for those that do so with 503. So it is told of the health check only once they are through.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::{Instant, sleep, timeout};

use crate::engine::{Engine, EngineError, Probe, ProbeAnswer};
use crate::name::ContainerName;

/// Containers must answer quickly for so long. Held requests try again at least every 200 ms, so the rush begins by then.
const CALM: Duration = Duration::from_millis(800);

/// The same where the server may not enter a container's network, and so could not announce it there: the router asks
/// again for its address after a second.
const BLIND_CALM: Duration = Duration::from_secs(2);

/// A rush that lasts longer is the usual load, of which the health check has to tell.
const LIMIT: Duration = Duration::from_secs(15);

const PAUSE: Duration = Duration::from_millis(100);

/// Returns in any case: it is for the router to say who answers.
pub(super) async fn until_through(engine: &dyn Engine, containers: &[ContainerName], probe: &Probe) {
    let _ = timeout(LIMIT, join_all(containers.iter().map(|container| calm(engine, container, probe)))).await;
}

async fn calm(engine: &dyn Engine, container: &ContainerName, probe: &Probe) {
    let sees = matches!(engine.connections(container).await, Ok(Some(_)));
    let time = if sees { CALM } else { BLIND_CALM };
    until_calm(|| engine.probe(container, probe), time, quick(probe)).await;
}

/// Also when it cannot be asked any more.
async fn until_calm<Answer>(ask: impl Fn() -> Answer, time: Duration, quick: Duration)
where
    Answer: Future<Output = Result<ProbeAnswer, EngineError>>,
{
    let mut calm_since = Instant::now();
    while calm_since.elapsed() < time {
        let asked = Instant::now();
        match ask().await {
            Ok(ProbeAnswer::Ready { .. }) if asked.elapsed() < quick => {}
            Ok(ProbeAnswer::Ready { .. } | ProbeAnswer::NotReady { .. }) => calm_since = Instant::now(),
            Ok(ProbeAnswer::Exited { .. }) | Err(_) => return,
        }
        sleep(PAUSE).await;
    }
}

/// Who takes longer than half of what is allowed may take all of it next time.
fn quick(probe: &Probe) -> Duration {
    match probe {
        Probe::Http { timeout, .. } | Probe::Connect { timeout, .. } => *timeout / 2,
        Probe::ImageHealth | Probe::Running => Duration::MAX,
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::engine::Exit;

    const QUICK: Duration = Duration::from_millis(250);

    fn ready() -> Result<ProbeAnswer, EngineError> {
        Ok(ProbeAnswer::Ready { detail: "HTTP 200".into() })
    }

    /// How long it takes, where every answer comes after so long.
    async fn takes(answer: impl AsyncFn(usize) -> Result<ProbeAnswer, EngineError>) -> f32 {
        let (begin, asked) = (Instant::now(), Cell::new(0));
        let ask = || {
            asked.set(asked.get() + 1);
            answer(asked.get())
        };
        let _ = timeout(LIMIT, until_calm(ask, CALM, QUICK)).await;
        begin.elapsed().as_secs_f32()
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_over_once_answers_have_come_quickly_for_a_while() {
        assert!((0.8..1.0).contains(&takes(async |_| ready()).await));
        let busy_for_a_while = async |number| {
            sleep(Duration::from_millis(if number <= 4 { 400 } else { 5 })).await;
            ready()
        };
        assert!((2.7..2.9).contains(&takes(busy_for_a_while).await));
        let failing_once =
            async |number| if number == 5 { Ok(ProbeAnswer::NotReady { detail: String::new() }) } else { ready() };
        assert!((1.2..1.4).contains(&takes(failing_once).await));
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_not_waited_for_without_end_nor_for_one_that_has_ended() {
        let always_busy = async |_| {
            sleep(QUICK).await;
            ready()
        };
        assert_eq!(takes(always_busy).await, 15.0);
        let ended = ProbeAnswer::Exited { exit: Exit { code: 1, out_of_memory: false } };
        assert_eq!(takes(async |_| Ok(ended.clone())).await, 0.0);
    }
}
