//! Questions on the terminal.

use std::fmt::Display;
use std::io::{self, IsTerminal};
use std::str::FromStr;

use crate::cli::confirm::typed_line;
use crate::cli::session::Session;

/// Whether somebody is there to be asked.
pub(super) fn can_ask() -> bool {
    io::stdin().is_terminal()
}

/// What is typed; none for nothing.
pub(super) async fn ask(session: &Session, prompt: &str) -> anyhow::Result<Option<String>> {
    session.screen.tell(&format!("{prompt}: "));
    let line = typed_line().await?.trim().to_owned();
    Ok(Some(line).filter(|line| !line.is_empty()))
}

/// The same of what is to be more than a text; asked again until it is.
pub(super) async fn ask_for<T: FromStr<Err: Display>>(session: &Session, prompt: &str) -> anyhow::Result<Option<T>> {
    loop {
        let Some(text) = ask(session, prompt).await? else { return Ok(None) };
        match text.parse() {
            Ok(answer) => return Ok(Some(answer)),
            Err(error) => session.screen.tell(&format!("{error}\n")),
        }
    }
}

/// Whether the answer is yes; nothing typed is a no.
pub(super) async fn agree(session: &Session, prompt: &str) -> anyhow::Result<bool> {
    let answer = ask(session, &format!("{prompt} [y/N]")).await?;
    Ok(answer.is_some_and(|answer| matches!(answer.to_ascii_lowercase().as_str(), "y" | "yes")))
}
