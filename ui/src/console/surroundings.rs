//! What the terminal can show, told by the environment.

use super::theme::{Depth, ThemeName};

/// The variables that tell it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Surroundings {
    pub term: Option<String>,
    pub colorterm: Option<String>,
    pub colorfgbg: Option<String>,
    pub no_color: Option<String>,
    /// The first of LC_ALL, LC_CTYPE and LANG that is set.
    pub locale: Option<String>,
}

impl Surroundings {
    pub(crate) fn read() -> Self {
        let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        Self {
            term: set("TERM"),
            colorterm: set("COLORTERM"),
            colorfgbg: set("COLORFGBG"),
            no_color: set("NO_COLOR"),
            locale: set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG")),
        }
    }

    pub(crate) fn depth(&self) -> Depth {
        let term = self.term.as_deref().unwrap_or_default();
        if self.no_color.is_some() || term == "dumb" {
            return Depth::Plain;
        }
        if matches!(self.colorterm.as_deref(), Some("truecolor" | "24bit")) || term.ends_with("-direct") {
            return Depth::TrueColor;
        }
        if term.contains("256color") { Depth::Indexed256 } else { Depth::Ansi16 }
    }

    /// For the terminal's background, where it tells (`COLORFGBG`, as in `0;15`).
    pub(crate) fn theme(&self) -> ThemeName {
        let background = self.colorfgbg.as_deref().and_then(|value| value.rsplit(';').next()?.parse::<u8>().ok());
        match background {
            Some(7 | 9..=15) => ThemeName::Light,
            _ => ThemeName::Dark,
        }
    }

    /// The locale says that only ASCII is understood.
    pub(crate) fn ascii(&self) -> bool {
        let utf8 = |locale: &String| {
            let locale = locale.to_lowercase();
            locale.contains("utf-8") || locale.contains("utf8")
        };
        self.locale.as_ref().is_some_and(|locale| !utf8(locale))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(term: &str, colorterm: &str) -> Surroundings {
        Surroundings { term: Some(term.into()), colorterm: Some(colorterm.into()), ..Surroundings::default() }
    }

    #[test]
    fn the_terminal_tells_its_colours() {
        assert_eq!(with("xterm-256color", "truecolor").depth(), Depth::TrueColor);
        assert_eq!(with("screen-256color", "").depth(), Depth::Indexed256);
        assert_eq!(with("linux", "").depth(), Depth::Ansi16);
        assert_eq!(with("dumb", "").depth(), Depth::Plain);
        let unwanted = Surroundings { no_color: Some("1".into()), ..with("xterm-256color", "truecolor") };
        assert_eq!(unwanted.depth(), Depth::Plain);
    }

    #[test]
    fn a_light_background_gets_the_light_theme() {
        let told = |value: &str| Surroundings { colorfgbg: Some(value.into()), ..Surroundings::default() }.theme();
        assert_eq!(
            [told("0;15"), told("15;0"), told("12;8"), told("x")],
            [ThemeName::Light, ThemeName::Dark, ThemeName::Dark, ThemeName::Dark]
        );
    }

    #[test]
    fn a_locale_without_utf8_gets_ascii() {
        let told = |value: &str| Surroundings { locale: Some(value.into()), ..Surroundings::default() }.ascii();
        assert_eq!(
            [told("C"), told("de_DE.ISO-8859-1"), told("en_GB.UTF-8"), told("C.utf8")],
            [true, true, false, false]
        );
        assert!(!Surroundings::default().ascii());
    }
}
