//! `mypaas key get`: the public half of the key that signs.

use clap::Args;
use serde::Serialize;

use crate::cli::input::InputError;
use crate::cli::operator_keys::OperatorKeys;
use crate::cli::session::Session;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Another key than the one that signs: a key file, or the fingerprint of a key in an ssh-agent
    key: Option<String>,
    /// As the Python original writes it; RSA keys only
    #[arg(long)]
    original: bool,
    /// Print it as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Shown {
    public_key: String,
    fingerprint: String,
    /// Where it was found.
    place: String,
}

pub(crate) async fn run(arguments: &Arguments, session: &Session) -> anyhow::Result<()> {
    let keys = OperatorKeys::new(&session.environment);
    let identity = keys.identity(arguments.key.as_deref()).await?;
    let fingerprint = identity.public.fingerprint().to_string();
    let public_key = match arguments.original {
        false => identity.public.to_openssh(&identity.comment),
        true => {
            identity.public.to_original().ok_or_else(|| InputError::NotForOriginal { place: identity.place.clone() })?
        }
    };
    if arguments.json {
        return session.screen.print_json(&Shown { public_key, fingerprint, place: identity.place });
    }
    if session.screen.tells_a_person() {
        let place = &identity.place;
        session.screen.tell(&format!(
            "The key is in {place} ({fingerprint}). It is let in by a server in whose folder (~/_mypaas there) \
             authorized_keys has this line:\n"
        ));
    }
    session.screen.print(&format!("{public_key}\n"))
}
