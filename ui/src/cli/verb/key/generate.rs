//! `mypaas key gen`: a key for a machine without anybody, as in continuous integration. It is printed, and kept nowhere.

use clap::Args;
use mypaas::keys::generate;
use serde::Serialize;

use super::KindName;
use crate::cli::environment::KEY_VARIABLE;
use crate::cli::session::Session;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Which kind of key
    #[arg(long = "type", value_enum, default_value_t, value_name = "TYPE")]
    kind: KindName,
    /// Whose key it is, as it is to stand in authorized_keys
    #[arg(long, value_name = "TEXT", default_value = "mypaas")]
    comment: String,
    /// Print both halves as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Pair<'a> {
    /// For MYPAAS_PRIVATE_KEY.
    private_key: &'a str,
    /// For `authorized_keys`.
    public_key: String,
    fingerprint: String,
}

pub(crate) async fn run(arguments: &Arguments, session: &Session) -> anyhow::Result<()> {
    let (kind, comment) = (arguments.kind.kind(), arguments.comment.clone());
    let made = tokio::task::spawn_blocking(move || generate(kind, &comment, None)).await?;
    let private_key = zeroize::Zeroizing::new(made.text.trim_end().replace('\n', "_"));
    let public_key = made.public.to_openssh(&arguments.comment);
    let fingerprint = made.public.fingerprint().to_string();
    if arguments.json {
        return session.screen.print_json(&Pair { private_key: &private_key, public_key, fingerprint });
    }
    session.screen.tell(&format!(
        "This line goes into authorized_keys of the server folder of each server:\n\n{public_key}\n\n\
         And this is the private key, the value of {KEY_VARIABLE}. Whoever has it may do all that the line allows; \
         it is kept nowhere else:\n\n"
    ));
    session.screen.print(&format!("{}\n", *private_key))
}
