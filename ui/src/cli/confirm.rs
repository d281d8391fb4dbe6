//! Asks before something is gone for good.

use std::io::{self, BufRead, IsTerminal};

use super::input::InputError;
use super::session::Session;

/// An error when nobody is there to be asked. `deed` is what needs to be confirmed, as in `removing web`.
pub(crate) fn check_asks(deed: &str) -> Result<(), InputError> {
    match io::stdin().is_terminal() {
        true => Ok(()),
        false => Err(InputError::CannotAsk { deed: deed.to_owned() }),
    }
}

/// Says what would happen, and goes on only when this name is typed.
pub(crate) async fn ask(session: &Session, told: &str, name: &str) -> anyhow::Result<()> {
    session.screen.tell(&format!("{told}\nThere is no way back. Type {name} to go on: "));
    let typed = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line).map(|_| line)
    });
    if typed.await??.trim() == name {
        return Ok(());
    }
    Err(InputError::NotConfirmed { name: name.to_owned() }.into())
}
