//! `mypaas key …`: the key that signs what goes to a server's `https://` address.
//!
//! ```text
//! init.rs      makes one, or chooses one that exists
//! generate.rs  makes one for MYPAAS_PRIVATE_KEY, kept nowhere
//! get.rs       shows the public half of the one that signs
//! ```

pub(crate) mod generate;
pub(crate) mod get;
pub(crate) mod init;

use clap::{Args, Subcommand, ValueEnum};
use mypaas::keys::Kind;

use crate::cli::session::Session;

/// Where keys are looked for, for its help.
pub(crate) const HELP: &str = "\
The key that signs is the first of these:
  what fleet.toml says of the server (`mypaas servers add … --key`)
  MYPAAS_PRIVATE_KEY: the key itself, its lines joined by `_`
  ~/.ssh/mypaas_ed25519, ~/.ssh/mypaas_rsa: a key, `file://` and the path of one, or the public half of a key that an
  ssh-agent holds
  the first key of the ssh-agent
  ~/.ssh/id_ed25519, ~/.ssh/id_ecdsa, ~/.ssh/id_rsa
A key that needs a passphrase is asked of the ssh-agent before the passphrase is asked for.

Whoever's public key stands in authorized_keys of a server's folder may do everything there. In front of the key,
mypaas-role=\"viewer\" lets it only look, and mypaas-services=\"blog,api\" is for these services only.";

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: KeyCommand,
}

#[derive(Debug, Subcommand)]
enum KeyCommand {
    /// Make a key, or choose one that you have
    Init(init::Arguments),
    /// Make a key for MYPAAS_PRIVATE_KEY, for a machine without anybody; it is printed and kept nowhere
    Gen(generate::Arguments),
    /// Print the public key, a line for a server's authorized_keys
    Get(get::Arguments),
}

/// Kinds of keys that can be made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum KindName {
    #[default]
    Ed25519,
    /// For servers of the Python original
    Rsa,
}

impl KindName {
    fn kind(self) -> Kind {
        match self {
            Self::Ed25519 => Kind::Ed25519,
            Self::Rsa => Kind::Rsa,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
            Self::Rsa => "RSA",
        }
    }
}

pub(crate) async fn run(arguments: &Arguments, session: &Session) -> anyhow::Result<()> {
    match &arguments.command {
        KeyCommand::Init(arguments) => init::run(arguments, session).await,
        KeyCommand::Gen(arguments) => generate::run(arguments, session).await,
        KeyCommand::Get(arguments) => get::run(arguments, session).await,
    }
}
