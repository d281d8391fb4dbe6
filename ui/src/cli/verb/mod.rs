//! One file a verb: its arguments, and what it does.
//!
//! `act.rs` holds what all verbs share that change a service.

pub(crate) mod act;
pub(crate) mod adopt;
pub(crate) mod alerts;
pub(crate) mod audit;
pub(crate) mod cancel;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod console;
pub(crate) mod demo;
pub(crate) mod deploy;
pub(crate) mod deploys;
pub(crate) mod dial_stdio;
pub(crate) mod disk;
pub(crate) mod env;
pub(crate) mod figures;
pub(crate) mod follow;
pub(crate) mod json;
pub(crate) mod key;
pub(crate) mod keymap;
pub(crate) mod logs;
pub(crate) mod pin;
pub(crate) mod prune;
pub(crate) mod push;
pub(crate) mod redeploy;
pub(crate) mod releases;
pub(crate) mod remove;
pub(crate) mod restart;
pub(crate) mod rollback;
pub(crate) mod scale;
pub(crate) mod serve;
pub(crate) mod server;
pub(crate) mod servers;
pub(crate) mod shell;
pub(crate) mod start;
pub(crate) mod status;
pub(crate) mod stop;
pub(crate) mod unpin;

use std::process::ExitCode;

use clap::Subcommand;

use super::session::Session;

/// Everything `mypaas` can be told to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Run the headless server of this machine
    #[command(long_flag = "serve", after_help = serve::HELP)]
    Serve(serve::Arguments),
    /// Push a folder to a server, build it there, and make it live
    Push(push::Arguments),
    /// Push a folder to the server of this machine
    Deploy(push::Pushed),
    /// Say what is wrong in a Dockerfile
    Check(check::Arguments),
    /// Show what runs: on all servers, on one, or of one service
    Status(status::Arguments),
    /// List the releases of a service
    Releases(releases::Arguments),
    /// Keep a release whatever its age
    Pin(pin::Arguments),
    /// Let a pinned release go once newer ones are kept
    Unpin(unpin::Arguments),
    /// List what was deployed, and how it ended
    Deploys(deploys::Arguments),
    /// Show what was asked of a server, by whose key, and what was refused
    Audit(audit::Arguments),
    /// Show a deploy from its beginning, until it ends
    Follow(follow::Arguments),
    /// End a deploy that waits or builds
    Cancel(cancel::Arguments),
    /// Build what was pushed last again
    Redeploy(redeploy::Arguments),
    /// Make an earlier release live again
    Rollback(rollback::Arguments),
    /// Run so many containers of a service
    Scale(scale::Arguments),
    /// Replace the containers of a service by fresh ones
    Restart(restart::Arguments),
    /// Stop a service; requests to it are answered with 503
    Stop(stop::Arguments),
    /// Start a stopped service
    Start(start::Arguments),
    /// Remove a service with its releases, after asking
    Remove(remove::Arguments),
    /// Show what the containers of a service wrote
    Logs(logs::Arguments),
    /// Show what gives cause for concern on a server
    #[command(after_help = alerts::HELP)]
    Alerts(alerts::Arguments),
    /// Show what a server measured of itself or of a service, over time
    #[command(after_help = figures::HELP)]
    Figures(figures::Arguments),
    /// Give services values that are in no Dockerfile: secrets
    Env(env::Arguments),
    /// Show how much room a server has, and what takes it
    #[command(after_help = disk::HELP)]
    Disk(disk::Arguments),
    /// Remove what is of no use any more, after asking
    #[command(after_help = prune::HELP)]
    Prune(prune::Arguments),
    /// Open a shell in a container of a service
    #[command(after_help = shell::HELP)]
    Shell(shell::Arguments),
    /// Make, choose or show the key that signs what goes over the network
    #[command(after_help = key::HELP)]
    Key(key::Arguments),
    /// The Python original's word for `key init`
    #[command(hide = true, alias = "key_init")]
    KeyInit(key::init::Arguments),
    /// The Python original's word for `key gen`
    #[command(hide = true, alias = "key_gen")]
    KeyGen(key::generate::Arguments),
    /// The Python original's word for `key get`
    #[command(hide = true, alias = "key_get")]
    KeyGet(key::get::Arguments),
    /// List the servers that are known
    Servers(servers::Arguments),
    /// Make machines servers, and look after them: add, upgrade, init, status, restart, schedule-reboot
    Server(server::Arguments),
    /// Print what a shell needs to complete this command line
    Completions(completions::Arguments),
    /// Print the console's keys
    #[command(after_help = keymap::HELP)]
    Keymap,
    /// Simulate servers, to look at the console
    #[command(hide = true)]
    Demo(demo::Arguments),
    /// Describe what --json prints
    #[command(long_about = json::HELP)]
    Json,
}

impl Verb {
    /// Does it; the process's exit code.
    pub(crate) async fn run(&self, session: &Session) -> anyhow::Result<ExitCode> {
        match self {
            Self::Shell(arguments) => shell::run(arguments, session).await,
            _ => self.run_to_success(session).await.map(|()| ExitCode::SUCCESS),
        }
    }

    /// For all verbs that succeed or fail, and nothing else.
    async fn run_to_success(&self, session: &Session) -> anyhow::Result<()> {
        match self {
            Self::Push(arguments) => push::run(arguments, session).await,
            Self::Deploy(arguments) => deploy::run(arguments, session).await,
            Self::Check(arguments) => check::run(arguments, session),
            Self::Status(arguments) => status::run(arguments, session).await,
            Self::Releases(arguments) => releases::run(arguments, session).await,
            Self::Pin(arguments) => pin::run(arguments, session).await,
            Self::Unpin(arguments) => unpin::run(arguments, session).await,
            Self::Deploys(arguments) => deploys::run(arguments, session).await,
            Self::Audit(arguments) => audit::run(arguments, session).await,
            Self::Follow(arguments) => follow::run(arguments, session).await,
            Self::Cancel(arguments) => cancel::run(arguments, session).await,
            Self::Redeploy(arguments) => redeploy::run(arguments, session).await,
            Self::Rollback(arguments) => rollback::run(arguments, session).await,
            Self::Scale(arguments) => scale::run(arguments, session).await,
            Self::Restart(arguments) => restart::run(arguments, session).await,
            Self::Stop(arguments) => stop::run(arguments, session).await,
            Self::Start(arguments) => start::run(arguments, session).await,
            Self::Remove(arguments) => remove::run(arguments, session).await,
            Self::Logs(arguments) => logs::run(arguments, session).await,
            Self::Alerts(arguments) => alerts::run(arguments, session).await,
            Self::Figures(arguments) => figures::run(arguments, session).await,
            Self::Env(arguments) => env::run(arguments, session).await,
            Self::Disk(arguments) => disk::run(arguments, session).await,
            Self::Prune(arguments) => prune::run(arguments, session).await,
            Self::Key(arguments) => key::run(arguments, session).await,
            Self::KeyInit(arguments) => key::init::run(arguments, session).await,
            Self::KeyGen(arguments) => key::generate::run(arguments, session).await,
            Self::KeyGet(arguments) => key::get::run(arguments, session).await,
            Self::Servers(arguments) => servers::run(arguments, session).await,
            Self::Server(arguments) => server::run(arguments, session).await,
            Self::Serve(arguments) => serve::run(arguments, &session.environment, &session.screen).await,
            Self::Completions(arguments) => completions::run(arguments, &session.screen),
            Self::Keymap => keymap::run(&session.screen),
            Self::Demo(arguments) => demo::run(arguments, session).await,
            Self::Json => session.screen.print(json::HELP),
            Self::Shell(arguments) => shell::run(arguments, session).await.map(drop),
        }
    }

    /// Whether it shows what there is, and makes nothing.
    pub(crate) fn only_shows(&self) -> bool {
        match self {
            Self::Status(_) | Self::Releases(_) | Self::Deploys(_) | Self::Audit(_) | Self::Follow(_) => true,
            Self::Logs(_) | Self::Alerts(_) | Self::Figures(_) | Self::Disk(_) => true,
            Self::Env(arguments) => arguments.only_lists(),
            _ => false,
        }
    }

    /// Whether ctrl-c means something of its own to it.
    pub(crate) fn handles_signals(&self) -> bool {
        match self {
            Self::Serve(_) | Self::Demo(_) => true,
            Self::Server(arguments) => arguments.handles_signals(),
            _ => false,
        }
    }
}
