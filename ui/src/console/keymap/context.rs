//! Where keys hold: sections of the keymap file, and the contexts that are made of them.

use serde::Deserialize;

/// A part of the keymap file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Section {
    Always,
    Anywhere,
    Moving,
    Services,
    Service,
    /// A service, or a server, on the whole screen.
    Page,
    Order,
    Logs,
    Tabs,
    Deploy,
    Fleet,
    FleetOrder,
    Alerts,
    AlertOrder,
    Journal,
    JournalOrder,
    Variables,
    Disk,
    Folder,
    Review,
    Mistakes,
    Confirm,
    Unlock,
    Pick,
    Scale,
    Reading,
    Line,
    Choices,
    Typing,
}

impl Section {
    pub(super) const ALL: [Section; 29] = [
        Section::Always,
        Section::Anywhere,
        Section::Moving,
        Section::Services,
        Section::Service,
        Section::Page,
        Section::Order,
        Section::Logs,
        Section::Tabs,
        Section::Deploy,
        Section::Fleet,
        Section::FleetOrder,
        Section::Alerts,
        Section::AlertOrder,
        Section::Journal,
        Section::JournalOrder,
        Section::Variables,
        Section::Disk,
        Section::Folder,
        Section::Review,
        Section::Mistakes,
        Section::Confirm,
        Section::Unlock,
        Section::Pick,
        Section::Scale,
        Section::Reading,
        Section::Line,
        Section::Choices,
        Section::Typing,
    ];

    pub(crate) fn title(self) -> &'static str {
        match self {
            Section::Always | Section::Anywhere => "Everywhere",
            Section::Moving => "Moving",
            Section::Services => "Services",
            Section::Service => "The selected service",
            Section::Page => "The page",
            Section::Order | Section::FleetOrder | Section::AlertOrder | Section::JournalOrder => "Sorting",
            Section::Logs => "Logs",
            Section::Tabs => "Tabs",
            Section::Deploy => "A deploy",
            Section::Fleet => "The fleet",
            Section::Alerts => "Alerts",
            Section::Journal => "The journal",
            Section::Variables => "Variables",
            Section::Disk => "The disks",
            Section::Folder => "Choosing a folder",
            Section::Review | Section::Mistakes => "Before a push",
            Section::Confirm => "Before an action",
            Section::Unlock => "A locked server",
            Section::Pick => "Choosing a release",
            Section::Scale => "Scaling",
            Section::Reading => "Reading",
            Section::Line | Section::Choices | Section::Typing => "Typing",
        }
    }
}

/// What has the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Context {
    /// The list of services, or the pane beside it.
    Services,
    /// The pane on the whole screen: nobody sees the list.
    Page,
    /// The logs as a tab beside the list.
    LogsTab,
    /// The logs on the whole screen.
    Logs,
    Deploy,
    /// All servers.
    Fleet,
    Alerts,
    Journal,
    /// The variables of a server's environment.
    Variables,
    /// The disks of a server.
    Disk,
    Folder,
    Review,
    /// A folder that cannot be pushed.
    Mistakes,
    Confirm,
    /// The name of a locked server.
    Unlock,
    Pick,
    Scale,
    Palette,
    /// One line of text: a filter.
    Line,
    /// Text on top of everything: help, a problem.
    Reading,
    /// Something that can only be waited for, or left.
    Waiting,
}

impl Context {
    pub(super) const ALL: [Context; 21] = [
        Context::Services,
        Context::Page,
        Context::LogsTab,
        Context::Logs,
        Context::Deploy,
        Context::Fleet,
        Context::Alerts,
        Context::Journal,
        Context::Variables,
        Context::Disk,
        Context::Folder,
        Context::Review,
        Context::Mistakes,
        Context::Confirm,
        Context::Unlock,
        Context::Pick,
        Context::Scale,
        Context::Palette,
        Context::Line,
        Context::Reading,
        Context::Waiting,
    ];

    /// The sections that hold here, those that matter most first.
    pub(crate) fn sections(self) -> &'static [Section] {
        use Section::{
            AlertOrder, Alerts, Always, Anywhere, Choices, Confirm, Deploy, Disk, Fleet, FleetOrder, Folder, Journal,
            JournalOrder, Line, Logs, Mistakes, Moving, Order, Page, Pick, Reading, Review, Scale, Service, Services,
            Tabs, Typing, Unlock, Variables,
        };
        match self {
            Context::Services => &[Services, Service, Order, Moving, Anywhere, Always],
            Context::Page => &[Page, Service, Moving, Anywhere, Always],
            Context::LogsTab => &[Logs, Tabs, Moving, Anywhere, Always],
            Context::Logs => &[Logs, Moving, Anywhere, Always],
            Context::Deploy => &[Deploy, Moving, Anywhere, Always],
            Context::Fleet => &[Fleet, FleetOrder, Moving, Anywhere, Always],
            Context::Alerts => &[Alerts, AlertOrder, Moving, Anywhere, Always],
            Context::Journal => &[Journal, JournalOrder, Moving, Anywhere, Always],
            Context::Variables => &[Variables, Moving, Anywhere, Always],
            Context::Disk => &[Disk, Moving, Anywhere, Always],
            Context::Folder => &[Folder, Typing, Always],
            Context::Review => &[Review, Moving, Always],
            Context::Mistakes => &[Mistakes, Moving, Always],
            Context::Confirm => &[Confirm, Moving, Always],
            Context::Unlock => &[Unlock, Typing, Always],
            Context::Pick => &[Pick, Moving, Always],
            Context::Scale => &[Scale, Always],
            Context::Palette => &[Line, Choices, Typing, Always],
            Context::Line => &[Line, Typing, Always],
            Context::Reading => &[Reading, Moving, Always],
            Context::Waiting => &[Anywhere, Always],
        }
    }

    /// As in `both would be meant …`.
    pub(super) fn words(self) -> &'static str {
        match self {
            Context::Services => "in the list of services",
            Context::Page => "on the page of a service",
            Context::LogsTab => "in the logs beside the list",
            Context::Logs => "in the logs",
            Context::Deploy => "in a deploy",
            Context::Fleet => "in the list of servers",
            Context::Alerts => "in the list of alerts",
            Context::Journal => "in the journal",
            Context::Variables => "in the list of variables",
            Context::Disk => "on the page of a server's disks",
            Context::Folder => "where a folder is chosen",
            Context::Review | Context::Mistakes => "before a push",
            Context::Confirm => "before an action",
            Context::Unlock => "where the name of a locked server is typed",
            Context::Pick => "where a release is chosen",
            Context::Scale => "where a service is scaled",
            Context::Palette => "in the palette",
            Context::Line => "where text is typed",
            Context::Reading => "where something is read",
            Context::Waiting => "while something is waited for",
        }
    }

    /// Any character may be part of what is typed.
    pub(super) fn takes_text(self) -> bool {
        self.types() && self != Context::Scale
    }

    /// Keys that are bound to nothing are text.
    pub(crate) fn types(self) -> bool {
        matches!(self, Context::Folder | Context::Palette | Context::Line | Context::Scale | Context::Unlock)
    }
}
