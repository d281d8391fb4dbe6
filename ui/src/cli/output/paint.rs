//! Colours by meaning. Without colour, a text stays as it is.

/// What a piece of text means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    /// As it should be.
    Good,
    /// Works, but not as it should.
    Warning,
    Bad,
    /// Beside the point.
    Muted,
    /// What to look at first.
    Strong,
}

/// Puts styles on text, or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Paint {
    pub(crate) colour: bool,
}

impl Paint {
    pub(crate) fn apply(self, style: Style, text: &str) -> String {
        let code = match style {
            _ if !self.colour || text.is_empty() => return text.to_owned(),
            Style::Plain => return text.to_owned(),
            Style::Good => "32",
            Style::Warning => "33",
            Style::Bad => "31;1",
            Style::Muted => "2",
            Style::Strong => "1",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }

    pub(crate) fn good(self, text: &str) -> String {
        self.apply(Style::Good, text)
    }

    pub(crate) fn warning(self, text: &str) -> String {
        self.apply(Style::Warning, text)
    }

    pub(crate) fn bad(self, text: &str) -> String {
        self.apply(Style::Bad, text)
    }

    pub(crate) fn muted(self, text: &str) -> String {
        self.apply(Style::Muted, text)
    }

    pub(crate) fn strong(self, text: &str) -> String {
        self.apply(Style::Strong, text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_colour_nothing_is_added() {
        assert_eq!(Paint { colour: false }.bad("down"), "down");
        assert_eq!(Paint { colour: true }.bad("down"), "\u{1b}[31;1mdown\u{1b}[0m");
        assert_eq!(Paint { colour: true }.bad(""), "");
    }
}
