//! Tasks that last as long as the server: a fault in one of them is told, and the task begins anew.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::sleep;

const PAUSE: Duration = Duration::from_secs(1);

/// Runs the task until it ends by itself.
pub(super) async fn enduring<F: Future<Output = ()>>(name: &str, task: impl Fn() -> F) {
    while let Err(panic) = AssertUnwindSafe(task()).catch_unwind().await {
        let reason = reason(&*panic);
        tracing::error!(task = name, reason, "a fault in mypaas itself ended a task of the server; it begins anew");
        sleep(PAUSE).await;
    }
}

/// What a panic said.
pub(super) fn reason(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("unknown")
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_task_that_panics_begins_anew_until_it_ends() {
        let runs = Cell::new(0);
        enduring("test", || async {
            runs.set(runs.get() + 1);
            assert!(runs.get() > 2, "a fault, on purpose");
        })
        .await;
        assert_eq!(runs.get(), 3);
    }

    #[test]
    fn what_a_panic_said_is_told() {
        assert_eq!(reason(&"fixed"), "fixed");
        assert_eq!(reason(&format!("made {}", 1)), "made 1");
        assert_eq!(reason(&1), "unknown");
    }
}
