//! Asks before something is gone for good.

use std::io::{self, BufRead, IsTerminal};

use mypaas::name::ServerName;

use super::input::InputError;
use super::session::Session;

/// An error when nobody is there to be asked. `deed` is what needs to be confirmed, as in `removing web`.
pub(crate) fn check_asks(deed: &str) -> Result<(), InputError> {
    match io::stdin().is_terminal() {
        true => Ok(()),
        false => Err(InputError::CannotAsk { deed: deed.to_owned() }),
    }
}

/// Goes on only when the name of the locked server is typed.
pub(crate) async fn unlock(session: &Session, server: &ServerName) -> anyhow::Result<()> {
    if !io::stdin().is_terminal() {
        return Err(InputError::Locked { server: server.clone() }.into());
    }
    session.screen.tell(&format!("{server} is locked. Type {server} to change it: "));
    match typed_line().await?.trim() == server.as_str() {
        true => Ok(()),
        false => Err(InputError::StaysLocked { server: server.clone() }.into()),
    }
}

/// Lets the operator choose one of so many, counted from one; the first when nothing is typed. `deed` is what is chosen,
/// as in `choosing a key`.
pub(crate) async fn choose(deed: &str, told: &str, count: usize, session: &Session) -> anyhow::Result<usize> {
    check_asks(deed)?;
    loop {
        session.screen.tell(&format!("{told}Which one? [1] "));
        let typed = typed_line().await?;
        match typed.trim() {
            "" if typed.is_empty() => return Err(InputError::CannotAsk { deed: deed.to_owned() }.into()),
            "" => return Ok(1),
            number => match number.parse() {
                Ok(number) if (1..=count).contains(&number) => return Ok(number),
                _ => session.screen.tell(&format!("a number from 1 to {count}, please\n")),
            },
        }
    }
}

/// Says what would happen, and goes on only when this name is typed.
pub(crate) async fn ask(session: &Session, told: &str, name: &str) -> anyhow::Result<()> {
    session.screen.tell(&format!("{told}\nThere is no way back. Type {name} to go on: "));
    if typed_line().await?.trim() == name {
        return Ok(());
    }
    Err(InputError::NotConfirmed { name: name.to_owned() }.into())
}

/// Empty at the end of the input.
pub(crate) async fn typed_line() -> anyhow::Result<String> {
    let typed = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line).map(|_| line)
    });
    Ok(typed.await??)
}
