//! The token of a push: the server's time and some letters, as in `1700000000-QwErTyUi`.

use std::fmt;
use std::io;

/// How long a token is good for, by the server's clock.
pub const LIFETIME_SECONDS: i64 = 5;

/// As few letters as the original has; so many that nobody could want more.
const LETTERS: std::ops::RangeInclusive<usize> = 8..=64;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    text: String,
    time: i64,
}

impl Token {
    /// A new one, for a server whose clock shows this second since 1970.
    pub fn new(time: i64) -> io::Result<Self> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(io::Error::other)?;
        let letters: String = bytes.iter().map(|byte| char::from(b'a' + byte % 26)).collect();
        Ok(Self { text: format!("{time}-{letters}"), time })
    }

    /// None for a text that is no token.
    pub fn read(text: &str) -> Option<Self> {
        let (time, letters) = text.split_once('-')?;
        let is_time = !time.is_empty() && time.bytes().all(|byte| byte.is_ascii_digit());
        let is_word = LETTERS.contains(&letters.len()) && letters.bytes().all(|byte| byte.is_ascii_alphanumeric());
        (is_time && is_word).then_some(())?;
        Some(Self { text: text.to_owned(), time: time.parse().ok()? })
    }

    /// Seconds since 1970, by the server's clock.
    pub fn time(&self) -> i64 {
        self.time
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        let token = Token::new(1_700_000_000).unwrap();
        assert_eq!(Token::read(token.as_str()), Some(token.clone()));
        assert_ne!(Token::new(1_700_000_000).unwrap(), token);
        assert_eq!(Token::read("1700000000-QwErTyUi").unwrap().time(), 1_700_000_000);
        let long = format!("1-{}", "a".repeat(65));
        for wrong in [
            "",
            "-",
            "1",
            "1-",
            "-QwErTyUi",
            "x-QwErTyUi",
            "+1-QwErTyUi",
            " 1-QwErTyUi",
            "1-QwErTyU",
            "1-QwErTyU!",
            "1--QwErTyUi",
            "99999999999999999999-QwErTyUi",
            &long,
        ] {
            assert_eq!(Token::read(wrong), None, "{wrong}");
        }
    }
}
