//! The command line.

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser};
use mypaas::name::ServerName;

use super::output::ColourWhen;
use super::verb::Verb;

const AFTER_HELP: &str = "\
SERVER is a name from fleet.toml (see `mypaas servers`). `local` is this machine's own server: the one that runs,
else one that the command starts for as long as it needs it. Where several servers may be named: `shop,attic`, or `all`.
Before anything is changed on a locked server its name has to be typed; --unlock SERVER is for scripts.

Environment:
  MYPAAS_HOME  the server folder of this machine [default: ~/_mypaas]
  MYPAAS_PRIVATE_KEY  the key that signs what goes to https:// addresses [default: see `mypaas help key`]
  MYPAAS_LOG   what a server logs: error, warn, info, debug or trace [default: info]
  DOCKER_HOST  where the container engine of this machine answers
  NO_COLOR     no colours

Exit codes: 0 done, 1 failed, 2 wrong command line, 130 interrupted. A deploy is done only when it succeeded.
What --json prints: `mypaas help json`";

/// Deploy services to your own servers. Without a command: the console.
#[derive(Debug, Parser)]
#[command(name = "mypaas", version, after_help = AFTER_HELP, max_term_width = 110)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) verb: Option<Verb>,
    #[command(flatten)]
    pub(crate) console: ConsoleArguments,
    /// When to use colours; auto: on a terminal, unless NO_COLOR is set
    #[arg(long = "color", alias = "colour", global = true, value_enum, default_value_t, value_name = "WHEN")]
    pub(crate) colour: ColourWhen,
    /// Change this locked server without asking for its name
    #[arg(long, global = true, hide = true, value_name = "SERVER")]
    pub(crate) unlock: Vec<ServerName>,
    /// The verb's output is to be JSON, so its failure is told likewise.
    #[arg(skip)]
    pub(crate) json: bool,
}

/// How the console looks.
#[derive(Debug, Args)]
pub(crate) struct ConsoleArguments {
    /// The console draws with ASCII characters only
    #[arg(long)]
    pub(crate) ascii: bool,
    /// The console leaves the mouse to the terminal
    #[arg(long)]
    pub(crate) no_mouse: bool,
    /// The console's colours
    #[arg(long, value_name = "NAME")]
    pub(crate) theme: Option<String>,
}

impl Cli {
    /// Reads the command line; the error may also be help, or the version.
    pub(crate) fn read<T: Into<OsString> + Clone>(arguments: impl IntoIterator<Item = T>) -> Result<Self, clap::Error> {
        let mut command = Self::command();
        let matches = command.try_get_matches_from_mut(arguments)?;
        let cli = Self { json: asks_for_json(&matches), ..Self::from_arg_matches(&matches)? };
        let ConsoleArguments { ascii, no_mouse, theme } = &cli.console;
        if cli.verb.is_some() && (*ascii || *no_mouse || theme.is_some()) {
            let told = "--ascii, --no-mouse and --theme cannot be used with a command; they are for the console";
            return Err(command.error(ErrorKind::ArgumentConflict, told));
        }
        Ok(cli)
    }
}

fn asks_for_json(matches: &ArgMatches) -> bool {
    let Some((_, verb)) = matches.subcommand() else { return false };
    matches!(verb.try_get_one::<bool>("json"), Ok(Some(true))) || asks_for_json(verb)
}
