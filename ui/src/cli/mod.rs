//! The command line: what is typed → a verb → what is shown, and the exit code.
//!
//! ```text
//! args.rs          the tree of commands and options
//! verb/            one file a verb: its arguments, and what it does
//! session.rs       what every verb is given; local.rs starts this machine's server when none runs
//! environment.rs   what is read from the environment
//! advice.rs        what a server advises, with the name that it has here
//! input.rs         what cannot be done as asked, and what was probably meant
//! steps.rs         what is done one step after another; set_up.rs what hinders a machine from becoming a server
//! confirm.rs       asks before something is gone for good, or changed on a locked server
//! many.rs          several servers at once
//! source.rs        the Dockerfile that is pushed; upload.rs sends its folder
//! original.rs      the same to a server of the Python original
//! follow.rs        a deploy watched until it is done; progress/ tells it
//! patience.rs      waiting for a server that is away for a moment
//! output/          tables, plans, units, colours
//! report/          any error → message, causes, hint, exit code
//! signal.rs        ctrl-c and its kin; logging.rs where a server's log goes
//! ```

mod advice;
mod args;
mod confirm;
mod environment;
#[cfg(test)]
mod fixture;
mod follow;
mod input;
mod local;
mod logging;
mod many;
mod operator_keys;
mod original;
mod output;
mod patience;
mod progress;
mod refused;
mod report;
mod session;
mod set_up;
mod signal;
mod source;
mod steps;
#[cfg(test)]
mod tests;
mod upload;
mod verb;

use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Duration;

use args::Cli;
use environment::Environment;
use output::{ColourWhen, Screen};
use report::{FAILURE, INTERRUPTED, Report, USAGE};
use session::Session;
use signal::Signals;
use verb::Verb;

/// How long what still goes on may take to end with the process.
const LAST_WAIT: Duration = Duration::from_millis(200);

/// Does what the arguments say; the exit code of the process.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    match Cli::read(arguments) {
        Ok(cli) => start(&cli),
        Err(error) => explain(&error),
    }
}

/// Help, the version, or what is wrong with the command line.
fn explain(error: &clap::Error) -> ExitCode {
    let screen = Screen::new(ColourWhen::Auto, std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()));
    let paint = if error.use_stderr() { screen.tell_paint() } else { screen.paint() };
    let text = if paint.colour { error.render().ansi().to_string() } else { error.render().to_string() };
    if error.use_stderr() {
        screen.tell(&text);
        return ExitCode::from(USAGE);
    }
    if screen.print(&text).is_ok() { ExitCode::SUCCESS } else { ExitCode::from(FAILURE) }
}

fn start(cli: &Cli) -> ExitCode {
    let environment = Environment::read();
    let no_colour = environment.as_ref().is_ok_and(|environment| environment.no_colour);
    let screen = Screen::new(cli.colour, no_colour);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    match (environment, runtime) {
        (Ok(environment), Ok(runtime)) => {
            let session = Session::new(screen, environment);
            cli.unlock.iter().for_each(|name| session.mark_unlocked(name));
            if cli.verb.as_ref().is_some_and(Verb::only_shows) {
                session.only_show();
            }
            let code = runtime.block_on(Box::pin(run(cli, &session)));
            // What still goes on ends with its processes, such as ssh; a thread that waits for the keyboard must not keep us.
            runtime.shutdown_timeout(LAST_WAIT);
            code
        }
        (Err(error), _) => refuse(&screen, &error.into(), cli.json),
        (_, Err(error)) => refuse(&screen, &error.into(), cli.json),
    }
}

async fn run(cli: &Cli, session: &Session) -> ExitCode {
    let result = match &cli.verb {
        None => verb::console::run(&cli.console, cli.colour, session).await.map(|()| ExitCode::SUCCESS),
        Some(verb) if verb.handles_signals() => verb.run(session).await,
        Some(verb) => interruptible(verb, session).await,
    };
    let code = result.unwrap_or_else(|error| refuse(&session.screen, &error, cli.json));
    tokio::spawn(exit_at_signal());
    match session.end().await {
        Ok(()) => code,
        Err(error) => refuse(&session.screen, &error, cli.json),
    }
}

/// Does it until ctrl-c, and says then what becomes of what was begun.
async fn interruptible(verb: &Verb, session: &Session) -> anyhow::Result<ExitCode> {
    let mut signals = Signals::listen()?;
    tokio::select! {
        result = verb.run(session) => return result,
        () = interrupted(&mut signals, session) => {}
    }
    session.screen.tell(&format!("\n{}", session.interrupt_notes()));
    Ok(ExitCode::from(INTERRUPTED))
}

/// A signal has come, and the verb may end.
async fn interrupted(signals: &mut Signals, session: &Session) {
    signals.next().await;
    if session.whole().is_under_way() {
        session.screen.tell("\nthis is not left half-done; it ends as soon as it can\n");
    }
    session.whole().until_over().await;
}

/// Once the verb is over, only the server in this process may still have something to do.
async fn exit_at_signal() {
    if let Ok(mut signals) = Signals::listen() {
        signals.next().await;
        signal::exit_at_once();
    }
}

fn refuse(screen: &Screen, error: &anyhow::Error, json: bool) -> ExitCode {
    let report = Report::of(error);
    screen.tell_problem(&report, json);
    ExitCode::from(report.exit_code())
}
