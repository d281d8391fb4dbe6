//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

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
  DOCKER_CONFIG  where `docker login` left the logins that a server here uses [default: ~/.docker]
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
    /// The console writes this session into a new file, for telling a fault of the console: no secrets, but what was
    /// looked at
    #[arg(long, value_name = "FILE")]
    pub(crate) record: Option<PathBuf>,
    /// Plays such a file: space pauses, q leaves
    #[arg(long, value_name = "FILE", conflicts_with = "record")]
    pub(crate) replay: Option<PathBuf>,
    /// So many times as fast
    #[arg(long, value_name = "TIMES", requires = "replay", value_parser = speed)]
    pub(crate) speed: Option<f64>,
}

fn speed(text: &str) -> Result<f64, String> {
    let speed = text.parse::<f64>().ok().filter(|speed| (0.01..=1000.0).contains(speed));
    speed.ok_or_else(|| "a number from 0.01 to 1000, as in 4".to_owned())
}

impl Cli {
    /// Reads the command line; the error may also be help, or the version.
    pub(crate) fn read<T: Into<OsString> + Clone>(arguments: impl IntoIterator<Item = T>) -> Result<Self, clap::Error> {
        let mut command = Self::command();
        let matches = command.try_get_matches_from_mut(arguments)?;
        let cli = Self { json: asks_for_json(&matches), ..Self::from_arg_matches(&matches)? };
        let ConsoleArguments { ascii, no_mouse, theme, record, replay, speed: _ } = &cli.console;
        let is_for_console = *ascii || *no_mouse || theme.is_some() || record.is_some() || replay.is_some();
        if cli.verb.is_some() && is_for_console {
            let told = "--ascii, --no-mouse, --theme, --record and --replay cannot be used with a command; they are for \
                        the console";
            return Err(command.error(ErrorKind::ArgumentConflict, told));
        }
        Ok(cli)
    }
}

fn asks_for_json(matches: &ArgMatches) -> bool {
    let Some((_, verb)) = matches.subcommand() else { return false };
    matches!(verb.try_get_one::<bool>("json"), Ok(Some(true))) || asks_for_json(verb)
}
