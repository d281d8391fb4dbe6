//! `mypaas server dial-stdio`: the far end of the way through ssh. What comes in goes to the socket of this machine's
//! server, and what it answers goes out.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::thread;

use anyhow::Context;
use mypaas::server::socket_path;

use crate::cli::environment::Environment;

/// Goes on until the server has nothing more to say, or nobody hears it any more.
pub(crate) async fn run(environment: &Environment) -> anyhow::Result<()> {
    let socket = socket_path(&environment.home);
    let server = UnixStream::connect(&socket);
    let server = server.with_context(|| format!("no server answers at {} there", socket.display()))?;
    tokio::task::spawn_blocking(move || carry(&server)).await?.context("the standard streams cannot be used")
}

fn carry(server: &UnixStream) -> io::Result<()> {
    // Not by way of the library's own streams, which wait for the end of a line.
    let input = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    let output = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    let to_server = server.try_clone()?;
    // It may wait for input for ever, and ends with the process.
    thread::spawn(move || {
        // That the server is gone is seen on the way down.
        let _ = copy(input, &to_server);
        let _ = to_server.shutdown(Shutdown::Write);
    });
    // A reader that went away is the usual end of an answer that goes on.
    let _ = copy(server, output);
    Ok(())
}

/// The library's own way splices, and on many kernels a splice that waits for more keeps what it has put into a pipe
/// from whoever reads there.
fn copy(mut from: impl Read, mut to: impl Write) -> io::Result<()> {
    let mut chunk = vec![0; 64 * 1024];
    loop {
        match from.read(&mut chunk) {
            Ok(0) => return Ok(()),
            Ok(count) => to.write_all(&chunk[..count])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
