//! Colours by meaning. What gets one has no others: whoever wrote the text, it drives no terminal.

use super::foreign;

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
        let text = foreign::lines(text, false);
        let code = match style {
            _ if !self.colour || text.is_empty() => return text,
            Style::Plain => return text,
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

    #[test]
    fn what_is_painted_brings_no_sequences_of_its_own() {
        let hostile = "a\u{1b}]0;title\u{7}b\u{1b}[32mc\n\u{9b}2Jd\r";
        assert_eq!(Paint { colour: false }.bad(hostile), "abc\n2Jd");
        assert_eq!(Paint { colour: true }.bad(hostile), "\u{1b}[31;1mabc\n2Jd\u{1b}[0m");
    }
}
