//! Everything the console knows and shows. Changed by `update` alone, drawn by `view`, without a clock of its own:
//! the time comes with each message.
//!
//! ```text
//! fleet.rs      the servers, and what each last said: connecting, live, stale, unreachable
//! list.rs       servers → services → containers as lines; folds, selection
//!    column.rs  what the columns mean   filter/   which services are shown (mistake.rs)   order.rs  how they are sorted
//!    marks.rs   those that an action is about
//!    arrangement.rs  both of these for a page   servers.rs, alerts.rs  the pages with all servers, with all alerts
//! concern.rs    what somebody should look at: alerts, silent servers
//! detail.rs     what is known of single services; the tabs beside the list
//!    chosen.rs  the selected one of their lines
//!    drift.rs   options and what runs, compared      histories.rs  figures over time
//! deploy.rs     the page of one deploy        progress.rs  its events, folded
//! logs.rs       the page or tab with logs     tape.rs      a bounded buffer and a place in it
//! push.rs       the page for a push           clean.rs     text from outside made safe to show
//! journal.rs    what was done, and by whom    entries.rs   its lines, and what its columns mean
//! variables.rs the page with a server's variables
//! disk.rs      the page with a server's disks
//! dialog.rs     what lies on top              palette/     the command palette
//! toast.rs      short notes                   line.rs      a line of text being typed
//! trail.rs      where one was before
//! about.rs      what a page is about: a service, a server
//! wanted.rs     what is listened to, as it follows from what is shown
//! ```

pub(crate) mod about;
pub(crate) mod alerts;
pub(crate) mod arrangement;
pub(crate) mod chosen;
pub(crate) mod clean;
pub(crate) mod column;
pub(crate) mod concern;
pub(crate) mod deploy;
pub(crate) mod detail;
pub(crate) mod dialog;
pub(crate) mod disk;
pub(crate) mod drift;
pub(crate) mod entries;
pub(crate) mod filter;
pub(crate) mod fleet;
pub(crate) mod histories;
pub(crate) mod journal;
pub(crate) mod line;
pub(crate) mod list;
pub(crate) mod logs;
pub(crate) mod marks;
mod mistake;
pub(crate) mod order;
pub(crate) mod palette;
pub(crate) mod progress;
pub(crate) mod push;
pub(crate) mod servers;
pub(crate) mod tape;
pub(crate) mod toast;
pub(crate) mod trail;
pub(crate) mod variables;
mod wanted;

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use mypaas::name::ServerName;
use ratatui::layout::{Position, Rect, Size};
use serde::{Deserialize, Serialize};

use self::alerts::AlertColumn;
use self::arrangement::Arrangement;
use self::chosen::Chosen;
use self::column::Column;
use self::concern::ConcernId;
use self::deploy::DeployPage;
use self::detail::{Details, Pane, Tab};
use self::dialog::{Choice, Dialog};
use self::disk::Disk;
use self::fleet::{Fleet, ServerEntry, ServiceAt};
use self::histories::Histories;
use self::journal::{Journal, JournalPage};
use self::list::{Item, List};
use self::logs::Logs;
use self::push::{Push, Step};
use self::servers::ServerColumn;
use self::toast::{ToastKind, Toasts};
use self::trail::Trail;
use self::variables::Variables;
use super::command::{Command, Motion};
use super::key::Key;
use super::keymap::{Context, Keymap};

#[derive(Debug, Clone)]
pub(crate) struct Model {
    pub now: Timestamp,
    pub zone: TimeZone,
    pub size: Size,
    pub keymap: Arc<Keymap>,
    pub fleet: Fleet,
    pub list: List,
    /// How the page with all servers is arranged.
    pub servers: Arrangement<ServerColumn>,
    /// How the page with all alerts is arranged.
    pub alerts: Arrangement<AlertColumn>,
    pub details: Details,
    pub histories: Histories,
    pub journal: Journal,
    pub pane: Pane,
    pub focus: Focus,
    /// Of the service whose logs were looked at last.
    pub logs: Option<Logs>,
    pub page: Page,
    pub dialog: Option<Dialog>,
    /// The line that is typed at the bottom of the page.
    pub typing: Option<Typing>,
    pub toasts: Toasts,
    /// Keys that are the beginning of a sequence.
    pub pending: Vec<Key>,
    /// What was drawn last, as far as moving through it needs to know.
    pub seen: Seen,
    /// Where one was before.
    pub trail: Trail,
    /// Where a shell was asked for that is not there yet.
    pub shell: Option<ServiceAt>,
    /// It was told what would be lost by leaving now.
    pub warned_of_leaving: bool,
    /// Clicks come here; else the terminal has them, for selecting text.
    pub mouse: bool,
    last_ticket: u64,
}

/// How much room there is from left to right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Breadth {
    /// One thing at a time.
    Narrow,
    /// The list and something beside it.
    Medium,
    /// And several things beside each other there.
    Wide,
}

/// Which part of the main page has the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Focus {
    #[default]
    List,
    /// What is beside the list; on a narrow screen, or when `whole`, it takes the list's place.
    Pane { whole: bool },
}

/// What fills the screen.
#[derive(Debug, Clone)]
pub(crate) enum Page {
    /// The list and what is beside it.
    Services,
    Logs,
    Deploy(Box<DeployPage>),
    Push(Box<Push>),
    /// All servers, and the selected one.
    Fleet(Option<ServerName>),
    /// All alerts, and the selected one of those that are shown.
    Alerts(Chosen<ConcernId>),
    Journal(JournalPage),
    Variables(Box<Variables>),
    Disk(Box<Disk>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Typing {
    ServiceFilter,
    ServerFilter,
    AlertFilter,
    JournalFilter,
    LogFilter,
    /// Since when logs are read.
    LogSince,
    /// Where to save what is shown.
    LogPath,
    VariableName,
    /// Nobody may see it.
    VariableValue,
}

/// Tells the answers to requests apart: an answer whose ticket nobody holds any more is too late.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Ticket(u64);

/// What was drawn last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub list: Window,
    /// What the moving keys move through, when that is not the list.
    pub body: Window,
    /// What a click means, by where it is; the later ones lie above the earlier ones.
    pub spots: Vec<Spot>,
}

/// A part of the screen that answers to the mouse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Spot {
    pub area: Rect,
    pub target: Target,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// The list, where no line of it is.
    List,
    /// What the moving keys move through, when that is not the list.
    Body,
    Item(Item),
    Column(Column),
    Tab(Tab),
    /// A line, by its number, of whatever one chooses from.
    Line(usize),
    Choice(Choice),
    Command(Command),
}

impl Seen {
    /// What lies there, the topmost first.
    pub(crate) fn at(&self, place: Position) -> impl Iterator<Item = &Target> {
        self.spots.iter().rev().filter(move |spot| spot.area.contains(place)).map(|spot| &spot.target)
    }
}

/// Some lines of many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Window {
    /// The first line that was shown.
    pub top: usize,
    /// How many fit.
    pub page: usize,
    /// How many fit before the first one.
    pub page_before: usize,
    /// The greatest `top` that still fills the screen.
    pub last_top: usize,
}

impl Window {
    /// Of lines that are one row high each.
    pub(crate) fn of_rows(top: usize, page: usize, count: usize) -> Self {
        Self { top, page, page_before: page, last_top: count.saturating_sub(page) }
    }

    /// The first line on the screen after a move.
    pub(crate) fn moved(&self, motion: Motion) -> usize {
        let page = if motion.is_forward() { self.page } else { self.page_before };
        motion.from(self.top, self.last_top, page)
    }
}

impl Model {
    pub(crate) fn new(servers: Vec<ServerEntry>, keymap: Keymap, zone: TimeZone, now: Timestamp) -> Self {
        let mut model = Self {
            now,
            zone,
            size: Size::default(),
            keymap: Arc::new(keymap),
            fleet: Fleet { servers },
            list: List::default(),
            servers: Arrangement::default(),
            alerts: Arrangement::default(),
            details: Details::default(),
            histories: Histories::default(),
            journal: Journal::default(),
            pane: Pane::default(),
            focus: Focus::default(),
            logs: None,
            page: Page::Services,
            dialog: None,
            typing: None,
            toasts: Toasts::default(),
            pending: Vec::new(),
            seen: Seen::default(),
            trail: Trail::default(),
            shell: None,
            warned_of_leaving: false,
            mouse: true,
            last_ticket: 0,
        };
        model.list.settle(&model.fleet);
        model
    }

    pub(crate) fn breadth(&self) -> Breadth {
        match self.size.width {
            0..100 => Breadth::Narrow,
            100..170 => Breadth::Medium,
            _ => Breadth::Wide,
        }
    }

    /// What has the keys now.
    pub(crate) fn context(&self) -> Context {
        match &self.dialog {
            Some(Dialog::Help { .. } | Dialog::Trouble { .. }) => return Context::Reading,
            Some(Dialog::Confirm(confirm)) if !confirm.can_do() => return Context::Reading,
            Some(Dialog::Prune(confirm)) if !confirm.can_do() => return Context::Reading,
            Some(Dialog::Confirm(_) | Dialog::CancelDeploy(_) | Dialog::Variable(_) | Dialog::Prune(_)) => {
                return Context::Confirm;
            }
            Some(Dialog::Unlock(_)) => return Context::Unlock,
            Some(Dialog::Rollback(_)) => return Context::Pick,
            Some(Dialog::Scale(_)) => return Context::Scale,
            Some(Dialog::Palette(_)) => return Context::Palette,
            None => {}
        }
        if self.typing.is_some() { Context::Line } else { self.page_context() }
    }

    /// What has the keys when nothing lies on top of the page.
    pub(crate) fn page_context(&self) -> Context {
        match &self.page {
            Page::Services if self.shows_logs_tab() => Context::LogsTab,
            Page::Services if self.hides_list() => Context::Page,
            Page::Services => Context::Services,
            Page::Logs => Context::Logs,
            Page::Deploy(_) => Context::Deploy,
            Page::Fleet(_) => Context::Fleet,
            Page::Alerts(_) => Context::Alerts,
            Page::Journal(_) => Context::Journal,
            Page::Variables(_) => Context::Variables,
            Page::Disk(_) => Context::Disk,
            Page::Push(push) => match push.step {
                Step::Choosing(_) => Context::Folder,
                Step::Review(ref review) if review.can_push() => Context::Review,
                Step::Review(_) | Step::Refused { .. } => Context::Mistakes,
                Step::Checking { .. } | Step::Sending { .. } => Context::Waiting,
            },
        }
    }

    fn shows_logs_tab(&self) -> bool {
        self.tab_with_keys() == Some(Tab::Logs)
    }

    /// The tab beside the list, or in its place, when it has the keys.
    pub(crate) fn tab_with_keys(&self) -> Option<Tab> {
        let has_keys = self.focus != Focus::List && self.selected_service().is_some();
        has_keys.then_some(self.pane.tab)
    }

    /// What is beside the list fills the screen: keys that are about the list would act on what nobody sees.
    fn hides_list(&self) -> bool {
        match self.focus {
            Focus::List => false,
            Focus::Pane { whole } => whole || self.breadth() == Breadth::Narrow,
        }
    }

    /// What is typed now may be seen by nobody, and recorded nowhere.
    pub(crate) fn types_unseen(&self) -> bool {
        self.typing == Some(Typing::VariableValue) && self.dialog.is_none()
    }

    /// What was drawn of it.
    pub(crate) fn saw(&mut self, seen: Seen) {
        self.list.top = seen.list.top;
        self.seen = seen;
    }

    pub(crate) fn ticket(&mut self) -> Ticket {
        self.last_ticket += 1;
        Ticket(self.last_ticket)
    }

    pub(crate) fn toast(&mut self, kind: ToastKind, text: impl Into<String>) {
        self.toasts.add(kind, text.into(), self.now);
    }
}
