//! What hinders a machine from becoming a server, or a server from being changed as a whole.

use mypaas::client::ClientError;
use mypaas::install::health::Unwell;
use mypaas::install::probe::Obstacle;
use mypaas::name::ServerName;

#[derive(Debug, thiserror::Error)]
pub(crate) enum SetUpError {
    #[error("{host} cannot become a server as it is")]
    Obstacles { host: String, obstacles: Vec<Obstacle> },
    #[error("not everything that is needed was given, and there is no terminal to ask on")]
    Missing { flags: Vec<&'static str> },
    #[error("config.toml says something else already, and there is no terminal to ask on")]
    WouldChange { changes: Vec<String> },
    #[error("{file} was changed meanwhile, so that something else would be written than was agreed to")]
    ChangedMeanwhile { file: &'static str },
    #[error("nothing was changed, as it was not agreed to")]
    NotAgreed,
    #[error("only root can do this: {deed}")]
    NotRoot { deed: &'static str, user: String },
    #[error("a server of {home} runs that nothing keeps running")]
    Unmanaged { home: String },
    #[error("nothing keeps a server of {home} running on this machine")]
    NotSetUp { home: String },
    #[error("the server was started by {manager}, and is not well")]
    NotUp { manager: String, last_lines: String, source: Unwell },
    /// What a command on another machine complained about.
    #[error("{step} failed on {host}")]
    There { step: &'static str, host: String, complaint: String, hint: &'static str },
    #[error("{name} is not reached by ssh")]
    NoSsh { name: ServerName },
    #[error("{name} is in the list of servers already, at {address}")]
    Taken { name: ServerName, address: String },
    #[error("{name} is set up and in the list of servers, and does not answer at its domain")]
    NotReached { name: ServerName, missing: String, source: ClientError },
    #[error("a server that is reached at its domain lets in keys only, and you have none")]
    NoKey,
    #[error("the new program did not come up; the one before runs again")]
    Reverted { reason: String },
    #[error("the upgrade was refused, and nothing was changed")]
    Refused { reason: String },
    #[error("neither the new program nor the one before comes up")]
    Down { reason: String, then: String },
    #[error("the upgrade ended without saying how")]
    Unknown,
}

impl SetUpError {
    /// The command line itself is wrong, not the state of the world.
    pub(crate) fn is_usage(&self) -> bool {
        matches!(self, Self::Missing { .. } | Self::WouldChange { .. } | Self::NoSsh { .. } | Self::NoKey)
    }

    /// What to do next.
    pub(crate) fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Obstacles { .. } => "nothing was changed there; mend this, and repeat the command".to_owned(),
            Self::Missing { flags } => format!("say {}; or --yes to do without", flags.join(", ")),
            Self::WouldChange { .. } => "say --yes to change it".to_owned(),
            Self::ChangedMeanwhile { .. } => {
                "neither config.toml nor authorized_keys was written; run it again, and it looks at them anew"
                    .to_owned()
            }
            Self::NotRoot { user, .. } => format!("sudo mypaas server init --user {user} …"),
            Self::Unmanaged { .. } => "stop that one (`mypaas serve`), and repeat the command".to_owned(),
            Self::NotSetUp { .. } => "`mypaas server init` sets one up".to_owned(),
            Self::NotUp { .. } => "mend it and repeat the command; it goes on from here".to_owned(),
            Self::There { hint, .. } => (*hint).to_owned(),
            Self::NoSsh { .. } => "say where it is: --ssh user@host".to_owned(),
            Self::Taken { name, .. } => format!("choose another name, or `mypaas servers remove {name}` first"),
            Self::NotReached { .. } => {
                "mend it and repeat the command; without --https, and under another name, it is reached by ssh"
                    .to_owned()
            }
            Self::NoKey => "`mypaas key init` makes one; nothing was changed".to_owned(),
            Self::Reverted { .. } | Self::Refused { .. } => "services were not touched".to_owned(),
            Self::Down { .. } => {
                "services run on; on the server, `mypaas server status` and its log say more".to_owned()
            }
            Self::Unknown => "look with `mypaas server status` on the server, and repeat the command".to_owned(),
            Self::NotAgreed => return None,
        })
    }

    /// What else there is to see, a line each.
    pub(crate) fn evidence(&self) -> Vec<String> {
        let lines = |text: &str| text.lines().map(|line| format!("| {line}")).collect();
        match self {
            Self::Obstacles { obstacles, .. } => obstacles.iter().map(|obstacle| format!("· {obstacle}")).collect(),
            Self::WouldChange { changes } => changes.iter().map(|change| format!("· {change}")).collect(),
            Self::NotReached { missing, .. } => vec![format!("· {missing}")],
            Self::NotUp { last_lines, .. } => lines(last_lines),
            Self::There { complaint, .. } => lines(complaint),
            Self::Reverted { reason } | Self::Refused { reason } => lines(reason),
            Self::Down { reason, then } => lines(&format!("{reason}\nand then, with the one before:\n{then}")),
            _ => Vec::new(),
        }
    }
}
