//! How things look, by what they mean: [`Tone`] → style. Themes are files that are compiled in.

use std::collections::BTreeMap;

use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;

const DARK: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/themes/dark.toml"));
const LIGHT: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/themes/light.toml"));

/// A theme that comes with the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThemeName {
    /// For a dark background.
    Dark,
    /// For a light background.
    Light,
}

/// A name that no theme has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no theme {0:?}; themes are dark and light")]
pub struct UnknownTheme(String);

impl std::str::FromStr for ThemeName {
    type Err = UnknownTheme;

    fn from_str(text: &str) -> Result<Self, UnknownTheme> {
        match text {
            "dark" => Ok(ThemeName::Dark),
            "light" => Ok(ThemeName::Light),
            other => Err(UnknownTheme(other.to_owned())),
        }
    }
}

/// How many colours the terminal shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    /// None, or none wanted: bold, reverse and the like only.
    Plain,
    Ansi16,
    Indexed256,
    TrueColor,
}

/// What something means, as far as its look goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Tone {
    Text,
    Strong,
    Muted,
    Heading,
    Accent,
    Link,
    Bar,
    Rule,
    Focused,
    Selected,
    /// Selected in a pane that does not have the keys.
    SelectedElsewhere,
    Healthy,
    Degraded,
    Failing,
    Pending,
    Stopped,
    Stale,
    /// Last said by a server that does not answer any more.
    Outdated,
    Error,
    Warning,
    Hint,
    Added,
    Removed,
    Key,
    Tab,
    TabActive,
    Match,
    Button,
    ButtonChosen,
    ButtonDanger,
    Cursor,
    Dialog,
    DialogDanger,
    /// A line right across that says it went well.
    BannerGood,
    /// A line right across that says it did not.
    BannerBad,
    #[serde(rename = "source-1")]
    Source1,
    #[serde(rename = "source-2")]
    Source2,
    #[serde(rename = "source-3")]
    Source3,
    #[serde(rename = "source-4")]
    Source4,
    #[serde(rename = "source-5")]
    Source5,
    #[serde(rename = "source-6")]
    Source6,
    /// The names of servers, in the colours that the fleet gives them.
    ServerRed,
    ServerYellow,
    ServerGreen,
    ServerCyan,
    ServerBlue,
    ServerMagenta,
}

impl Tone {
    const LAST: Tone = Tone::ServerMagenta;

    /// Tells the sources of merged logs apart.
    pub(crate) const SOURCES: [Tone; 6] =
        [Tone::Source1, Tone::Source2, Tone::Source3, Tone::Source4, Tone::Source5, Tone::Source6];
}

/// The styles for one terminal.
#[derive(Debug, Clone)]
pub(crate) struct Theme {
    styles: Vec<Style>,
}

/// Why a theme file cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ThemeError {
    #[error("the theme cannot be read")]
    Syntax(#[from] toml::de::Error),
    #[error("the theme gives no style for {0} meanings")]
    Missing(usize),
    #[error("the theme's palette has no colour {0:?}")]
    UnknownColour(String),
    #[error("{0:?} is not a colour")]
    Colour(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    palette: BTreeMap<String, Paint>,
    style: BTreeMap<Tone, Look>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Paint {
    rgb: String,
    ansi: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Look {
    fg: Option<String>,
    bg: Option<String>,
    bold: bool,
    dim: bool,
    italic: bool,
    underline: bool,
    reverse: bool,
    plain: Vec<Emphasis>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Emphasis {
    Bold,
    Dim,
    Italic,
    Underline,
    Reverse,
}

impl Theme {
    pub(crate) fn new(name: ThemeName, depth: Depth) -> Result<Self, ThemeError> {
        let text = match name {
            ThemeName::Dark => DARK,
            ThemeName::Light => LIGHT,
        };
        Self::read(text, depth)
    }

    fn read(text: &str, depth: Depth) -> Result<Self, ThemeError> {
        let file: File = toml::from_str(text)?;
        let wanted = Tone::LAST as usize + 1;
        if file.style.len() != wanted {
            return Err(ThemeError::Missing(wanted - file.style.len()));
        }
        // A map sorted by tone with as many entries as there are tones has each at its own place.
        let styles = file.style.values().map(|look| look.style(&file.palette, depth)).collect::<Result<_, _>>()?;
        Ok(Self { styles })
    }

    pub(crate) fn style(&self, tone: Tone) -> Style {
        self.styles[tone as usize]
    }
}

/// For tests: a theme in which each colour stands for a meaning, so that a picture can be read as meanings.
#[cfg(test)]
impl Theme {
    pub(crate) fn of_meanings() -> Self {
        let file: File = toml::from_str(DARK).unwrap();
        let styles = file.style.iter().map(|(tone, look)| {
            let colour = Color::Indexed(*tone as u8);
            let on_top = look.fg.is_some() || (look.bg.is_none() && !look.modifiers().is_empty());
            let style = if on_top { Style::new().fg(colour) } else { Style::new() };
            if look.bg.is_some() { style.bg(colour) } else { style }
        });
        Self { styles: styles.collect() }
    }

    /// What a colour of that theme stands for, as the theme files name it.
    pub(crate) fn meaning(colour: Color) -> Option<String> {
        let Color::Indexed(index) = colour else { return None };
        let file: toml::Table = toml::from_str(DARK).unwrap();
        let names = file["style"].as_table().unwrap().keys();
        names.into_iter().find(|name| tone_named(name) as u8 == index).cloned()
    }
}

#[cfg(test)]
fn tone_named(name: &str) -> Tone {
    use serde::de::IntoDeserializer;
    use serde::de::value::{Error, StrDeserializer};
    let name: StrDeserializer<'_, Error> = name.into_deserializer();
    Tone::deserialize(name).unwrap()
}

impl Look {
    fn style(&self, palette: &BTreeMap<String, Paint>, depth: Depth) -> Result<Style, ThemeError> {
        let mut style = Style::new();
        style.fg = named(self.fg.as_deref(), palette, depth)?;
        style.bg = named(self.bg.as_deref(), palette, depth)?;
        if matches!(depth, Depth::Plain | Depth::Ansi16) && !self.plain.is_empty() {
            // Over a reversed row, cells of their own colour would look torn.
            style = Style::new().fg(Color::Reset).bg(Color::Reset);
            style.add_modifier = self.plain.iter().fold(Modifier::empty(), |all, one| all | one.modifier());
            return Ok(style);
        }
        style.add_modifier = self.modifiers();
        Ok(style)
    }

    fn modifiers(&self) -> Modifier {
        let flags = [
            (self.bold, Modifier::BOLD),
            (self.dim, Modifier::DIM),
            (self.italic, Modifier::ITALIC),
            (self.underline, Modifier::UNDERLINED),
            (self.reverse, Modifier::REVERSED),
        ];
        flags.into_iter().filter(|(on, _)| *on).fold(Modifier::empty(), |all, (_, one)| all | one)
    }
}

impl Emphasis {
    fn modifier(self) -> Modifier {
        match self {
            Emphasis::Bold => Modifier::BOLD,
            Emphasis::Dim => Modifier::DIM,
            Emphasis::Italic => Modifier::ITALIC,
            Emphasis::Underline => Modifier::UNDERLINED,
            Emphasis::Reverse => Modifier::REVERSED,
        }
    }
}

fn named(name: Option<&str>, palette: &BTreeMap<String, Paint>, depth: Depth) -> Result<Option<Color>, ThemeError> {
    let Some(name) = name else { return Ok(None) };
    let paint = palette.get(name).ok_or_else(|| ThemeError::UnknownColour(name.to_owned()))?;
    let parsed = |text: &str| text.parse::<Color>().map_err(|_| ThemeError::Colour(text.to_owned()));
    Ok(match depth {
        Depth::Plain => None,
        Depth::Ansi16 => paint.ansi.as_deref().map(parsed).transpose()?,
        Depth::Indexed256 => Some(indexed(parsed(&paint.rgb)?)),
        Depth::TrueColor => Some(parsed(&paint.rgb)?),
    })
}

/// The nearest of the 240 fixed colours: the 6×6×6 cube, or the grey ramp.
fn indexed(color: Color) -> Color {
    let Color::Rgb(red, green, blue) = color else { return color };
    let wanted = [red, green, blue].map(i32::from);
    let distance = |candidate: [i32; 3]| -> i32 { (0..3).map(|i| (candidate[i] - wanted[i]).pow(2)).sum() };
    let cube = wanted.map(|level| if level < 48 { 0 } else { ((level - 35) / 40).min(5) });
    let level = |step: i32| if step == 0 { 0 } else { 55 + 40 * step };
    let grey = ((wanted.iter().sum::<i32>() / 3 - 3) / 10).clamp(0, 23);
    let index = if distance(cube.map(level)) <= distance([8 + 10 * grey; 3]) {
        16 + 36 * cube[0] + 6 * cube[1] + cube[2]
    } else {
        232 + grey
    };
    Color::Indexed(u8::try_from(index).unwrap_or(u8::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compiled_in_themes_give_every_meaning_a_style_at_every_depth() {
        for name in [ThemeName::Dark, ThemeName::Light] {
            for depth in [Depth::Plain, Depth::Ansi16, Depth::Indexed256, Depth::TrueColor] {
                Theme::new(name, depth).unwrap();
            }
        }
    }

    #[test]
    fn without_colours_no_style_has_one() {
        let theme = Theme::new(ThemeName::Dark, Depth::Plain).unwrap();
        let coloured = |color: Option<Color>| color.is_some_and(|color| color != Color::Reset);
        assert!(theme.styles.iter().all(|style| !coloured(style.fg) && !coloured(style.bg)));
        assert!(theme.style(Tone::Selected).add_modifier.contains(Modifier::REVERSED));
        assert!(theme.style(Tone::Failing).add_modifier.contains(Modifier::BOLD));
    }

    #[test]
    fn colours_map_to_the_nearest_of_256() {
        assert_eq!(indexed(Color::Rgb(0, 0, 0)), Color::Indexed(16));
        assert_eq!(indexed(Color::Rgb(255, 255, 255)), Color::Indexed(231));
        assert_eq!(indexed(Color::Rgb(255, 0, 0)), Color::Indexed(196));
        assert_eq!(indexed(Color::Rgb(128, 128, 128)), Color::Indexed(244));
    }

    #[test]
    fn a_theme_that_forgets_a_meaning_or_names_no_colour_is_refused() {
        let shorter = DARK.replace("text = {}\n", "");
        assert!(matches!(Theme::read(&shorter, Depth::TrueColor), Err(ThemeError::Missing(1))));
        let unknown = DARK.replace("link = { fg = \"cyan\" }", "link = { fg = \"cian\" }");
        assert!(matches!(Theme::read(&unknown, Depth::TrueColor), Err(ThemeError::UnknownColour(_))));
    }
}
