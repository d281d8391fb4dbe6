//! Sending a context, with the bytes counted as they go.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use mypaas::api::ContextView;
use mypaas::client::{ClientError, Sending};
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
    let client = session.client(server).await?;
    let (begun, total) = (Instant::now(), selection.bytes);
    let packed = Arc::new(AtomicU64::new(0));
    let mut live = LiveLine::new(&session.screen);
    let mut ticks = tokio::time::interval(TICK);
    let sending = Arc::new(Sending::default());
    let mut upload = std::pin::pin!(client.upload(pack(selection, Some(Arc::clone(&packed))), Arc::clone(&sending)));
    let received = loop {
        tokio::select! {
            received = &mut upload => break received.map_err(|error| cause(advice::of_error(error, server)))?,
            _ = ticks.tick() => if !quiet {
                live.show(&progress(packed.load(Ordering::Relaxed), total, sending.now()))?;
            },
        }
    };
    if !quiet {
        let took = units::duration(begun.elapsed());
        live.print(&format!("sent in {took}, compressed to {}", units::bytes(received.bytes)))?;
    }
    Ok(received)
}

/// Over the network everything is packed before the first byte is sent.
fn progress(packed: u64, total: u64, sending: Option<(u64, u64)>) -> String {
    let (word, done, of) = match sending {
        Some((sent, size)) => ("sending", sent, size),
        None => ("packing", packed, total),
    };
    format!("{word} {} of {}", units::bytes(done), units::bytes(of))
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
