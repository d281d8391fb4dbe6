//! What a key, or a line of the palette, means.

use serde::Deserialize;

use super::model::alerts::AlertColumn;
use super::model::column::Column;
use super::model::entries::EntryColumn;
use super::model::servers::ServerColumn;

/// One thing the operator can tell the console to do. The file `keymap.toml` binds keys to these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Command {
    Quit,
    Suspend,
    Redraw,
    Help,
    Palette,
    Back,

    Up,
    Down,
    PageUp,
    PageDown,
    HalfUp,
    HalfDown,
    /// A notch of the mouse's wheel.
    WheelUp,
    WheelDown,
    First,
    Last,

    Open,
    SwitchPane,
    NextTab,
    PreviousTab,
    Unfold,
    Fold,
    Filter,
    NextMatch,
    PreviousMatch,
    GoBack,
    GoForward,
    Mouse,

    ShowServices,
    ShowFleet,
    ShowAlerts,
    ShowJournal,
    ShowVariables,
    ShowDisk,
    /// The list on the whole screen, with all its columns, or something beside it.
    Widen,
    ShorterSpan,
    LongerSpan,

    Mark,
    MarkAll,
    SortName,
    SortServer,
    SortState,
    SortLive,
    SortReady,
    SortAge,
    SortCpu,
    SortMemory,
    SortUrl,
    SortRequests,
    SortP95,
    SortErrors,
    SortCertificate,
    SortDisk,
    SortServices,
    SortAlerts,
    SortVersion,
    /// As the operator listed them.
    SortGiven,
    SortMessage,
    SortWho,
    SortKey,
    ReverseOrder,
    Flatten,

    Push,
    Redeploy,
    Rollback,
    ScaleUp,
    ScaleDown,
    Restart,
    StopOrStart,
    Remove,
    Describe,
    Logs,
    Shell,
    Watch,
    /// A release, or unpin it.
    Pin,
    CopyUrl,
    CopyName,
    CopyContainer,
    CancelDeploy,
    /// With another earlier run.
    Compare,

    Follow,
    Wrap,
    Times,
    OnlyMatches,
    NextContainer,
    PreviousContainer,
    Since,
    Save,
    CopyLines,

    CheckAgain,
    Edit,
    OtherServer,

    SetVariable,
    NewVariable,
    UnsetVariable,

    Prune,

    Accept,
    Cancel,
    Yes,
    Switch,
    More,
    Less,

    Complete,
    Left,
    Right,
    LineStart,
    LineEnd,
    DeleteBack,
    DeleteForward,
    DeleteWord,
    DeleteLine,
}

/// A way through something longer than the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Motion {
    Up,
    Down,
    PageUp,
    PageDown,
    HalfUp,
    HalfDown,
    WheelUp,
    WheelDown,
    First,
    Last,
}

/// So many lines a notch of the wheel moves.
const NOTCH: usize = 3;

impl Command {
    /// The column that the list of services is to be sorted by.
    pub(crate) fn column(self) -> Option<Column> {
        Some(match self {
            Command::SortName => Column::Name,
            Command::SortServer => Column::Server,
            Command::SortState => Column::State,
            Command::SortLive => Column::Live,
            Command::SortReady => Column::Ready,
            Command::SortAge => Column::Age,
            Command::SortCpu => Column::Cpu,
            Command::SortMemory => Column::Memory,
            Command::SortUrl => Column::Url,
            Command::SortRequests => Column::Requests,
            Command::SortP95 => Column::P95,
            Command::SortErrors => Column::Errors,
            Command::SortCertificate => Column::Certificate,
            _ => return None,
        })
    }

    /// The column that the list of servers is to be sorted by.
    pub(crate) fn server_column(self) -> Option<ServerColumn> {
        Some(match self {
            Command::SortGiven => ServerColumn::Given,
            Command::SortName => ServerColumn::Name,
            Command::SortState => ServerColumn::State,
            Command::SortCpu => ServerColumn::Cpu,
            Command::SortMemory => ServerColumn::Memory,
            Command::SortDisk => ServerColumn::Disk,
            Command::SortServices => ServerColumn::Services,
            Command::SortAlerts => ServerColumn::Alerts,
            Command::SortVersion => ServerColumn::Version,
            Command::SortAge => ServerColumn::Up,
            Command::SortUrl => ServerColumn::Address,
            _ => return None,
        })
    }

    /// The column that the list of alerts is to be sorted by.
    pub(crate) fn alert_column(self) -> Option<AlertColumn> {
        Some(match self {
            Command::SortState => AlertColumn::Kind,
            Command::SortAge => AlertColumn::Since,
            Command::SortServer => AlertColumn::Server,
            Command::SortName => AlertColumn::Service,
            Command::SortMessage => AlertColumn::Message,
            _ => return None,
        })
    }

    /// The column that the journal is to be sorted by.
    pub(crate) fn entry_column(self) -> Option<EntryColumn> {
        Some(match self {
            Command::SortAge => EntryColumn::Ago,
            Command::SortServer => EntryColumn::Server,
            Command::SortWho => EntryColumn::Who,
            Command::SortKey => EntryColumn::Key,
            Command::SortName => EntryColumn::Service,
            Command::SortMessage => EntryColumn::What,
            Command::SortState => EntryColumn::Result,
            Command::SortUrl => EntryColumn::From,
            _ => return None,
        })
    }

    pub(crate) fn motion(self) -> Option<Motion> {
        Some(match self {
            Command::Up => Motion::Up,
            Command::Down => Motion::Down,
            Command::PageUp => Motion::PageUp,
            Command::PageDown => Motion::PageDown,
            Command::HalfUp => Motion::HalfUp,
            Command::HalfDown => Motion::HalfDown,
            Command::WheelUp => Motion::WheelUp,
            Command::WheelDown => Motion::WheelDown,
            Command::First => Motion::First,
            Command::Last => Motion::Last,
            _ => return None,
        })
    }
}

impl Motion {
    /// Where one is after the move: a place from 0 to `last`, a page being `page` long.
    pub(crate) fn from(self, place: usize, last: usize, page: usize) -> usize {
        let page = page.max(1);
        let half = (page / 2).max(1);
        let place = match self {
            Motion::Up => place.saturating_sub(1),
            Motion::Down => place.saturating_add(1),
            Motion::PageUp => place.saturating_sub(page),
            Motion::PageDown => place.saturating_add(page),
            Motion::HalfUp => place.saturating_sub(half),
            Motion::HalfDown => place.saturating_add(half),
            Motion::WheelUp => place.saturating_sub(NOTCH.min(page)),
            Motion::WheelDown => place.saturating_add(NOTCH.min(page)),
            Motion::First => 0,
            Motion::Last => last,
        };
        place.min(last)
    }

    /// Towards the end.
    pub(crate) fn is_forward(self) -> bool {
        use Motion::{Down, HalfDown, Last, PageDown, WheelDown};
        matches!(self, Down | HalfDown | PageDown | WheelDown | Last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_motion_stays_within_what_there_is() {
        assert_eq!(Motion::Down.from(4, 4, 10), 4);
        assert_eq!(Motion::Up.from(0, 4, 10), 0);
        assert_eq!(Motion::PageDown.from(1, 40, 10), 11);
        assert_eq!(Motion::HalfUp.from(11, 40, 10), 6);
        assert_eq!(Motion::Last.from(0, 40, 0), 40);
        assert_eq!(Motion::Down.from(9, 0, 0), 0);
    }
}
