//! Sending a context, with the bytes counted as they go.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use mypaas::api::ContextView;
use mypaas::client::ClientError;
use mypaas::context::{ContextError, Selection, pack};
use mypaas::name::ServerName;

use super::advice;
use super::output::units;
use super::progress::live::LiveLine;
use super::session::Session;

const TICK: Duration = Duration::from_millis(200);

/// Sends the files and waits until the server has them all.
pub(crate) async fn upload(
    session: &Session,
    server: &ServerName,
    selection: Selection,
    quiet: bool,
) -> anyhow::Result<ContextView> {
    let client = session.client(server)?;
    let (begun, total) = (Instant::now(), selection.bytes);
    let sent = Arc::new(AtomicU64::new(0));
    let mut live = LiveLine::new(&session.screen);
    let mut ticks = tokio::time::interval(TICK);
    let mut upload = std::pin::pin!(client.upload(pack(selection, Some(Arc::clone(&sent)))));
    let received = loop {
        tokio::select! {
            received = &mut upload => break received.map_err(|error| cause(advice::of_error(error, server)))?,
            _ = ticks.tick() => if !quiet {
                live.show(&sending(sent.load(Ordering::Relaxed), total))?;
            },
        }
    };
    if !quiet {
        let took = units::duration(begun.elapsed());
        live.print(&format!("sent in {took}, compressed to {}", units::bytes(received.bytes)))?;
    }
    Ok(received)
}

fn sending(sent: u64, total: u64) -> String {
    format!("sending {} of {}", units::bytes(sent), units::bytes(total))
}

/// A file that could not be read ends the upload like a broken connection; the file is what matters.
fn cause(error: ClientError) -> anyhow::Error {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(link) = cause {
        let inner = link.downcast_ref::<std::io::Error>().and_then(|io| io.get_ref());
        if let Some(context) = inner.and_then(|inner| inner.downcast_ref::<ContextError>()) {
            return anyhow::Error::msg(context.to_string());
        }
        cause = link.source();
    }
    error.into()
}
