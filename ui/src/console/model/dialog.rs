//! What lies on top of a page and has the keys until it is closed.

use mypaas::api::{Action, PlanView, Problem, ReleaseView};
use mypaas::name::{ContainerName, DeployId, ReleaseId, ServerName};

use super::Ticket;
use super::disk::PruneConfirm;
use super::fleet::ServiceAt;
use super::line::Line;
use super::palette::Palette;
use super::variables::VariableConfirm;
use crate::console::keymap::Context;

#[derive(Debug, Clone)]
pub(crate) enum Dialog {
    /// The keys of a context.
    Help {
        of: Context,
        scroll: usize,
    },
    /// Why something did not work.
    Trouble {
        title: String,
        problem: Problem,
        scroll: usize,
    },
    Confirm(Confirm),
    CancelDeploy(CancelDeploy),
    Rollback(Rollback),
    Scale(Scale),
    Variable(VariableConfirm),
    Prune(PruneConfirm),
    Unlock(Unlock),
    Palette(Palette),
}

/// Something that waits for the names of locked servers to be typed, or for the number of what is removed.
#[derive(Debug, Clone)]
pub(crate) struct Unlock {
    /// Those that are locked and would be changed.
    pub servers: Vec<ServerName>,
    /// So many services would be removed at once.
    pub removed: Option<usize>,
    pub line: Line,
    /// The question that was answered with yes already.
    pub question: String,
    pub then: Guarded,
}

/// What is done once the names are right.
#[derive(Debug, Clone)]
pub(crate) enum Guarded {
    /// What this dialog asked.
    Dialog(Box<Dialog>),
    /// The push that is looked at.
    Push,
    Shell(ServiceAt, Option<ContainerName>),
    /// A release is pinned from now on, or no longer.
    Pin(ServiceAt, ReleaseId, bool),
}

impl Unlock {
    /// What has to be typed.
    pub(crate) fn words(&self) -> String {
        let names = self.servers.iter().map(ToString::to_string);
        names.chain(self.removed.map(|count| count.to_string())).collect::<Vec<_>>().join(" ")
    }

    pub(crate) fn is_right(&self) -> bool {
        self.line.text().split_whitespace().eq(self.words().split(' '))
    }
}

/// Something that was asked for.
#[derive(Debug, Clone)]
pub(crate) enum Load<T> {
    Waiting,
    Ready(T),
    Failed(Problem),
}

impl<T> Load<T> {
    pub(crate) fn ready(&self) -> Option<&T> {
        match self {
            Load::Ready(value) => Some(value),
            Load::Waiting | Load::Failed(_) => None,
        }
    }

    pub(crate) fn of(result: Result<T, Problem>) -> Self {
        result.map_or_else(Load::Failed, Load::Ready)
    }
}

/// Which button has the focus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Choice {
    #[default]
    Cancel,
    Do,
}

impl Choice {
    pub(crate) fn other(self) -> Self {
        match self {
            Choice::Cancel => Choice::Do,
            Choice::Do => Choice::Cancel,
        }
    }
}

/// An action that waits for a yes.
#[derive(Debug, Clone)]
pub(crate) struct Confirm {
    pub action: Action,
    /// What it is about: one service, or all that were marked.
    pub aims: Vec<Aim>,
    /// Services that were marked, and for which there is nothing to do.
    pub left_out: usize,
    /// Services that were marked, and that the operator's key may not change.
    pub forbidden: usize,
    pub stage: Stage,
    pub scroll: usize,
}

/// A service that something is about to be done to.
#[derive(Debug, Clone)]
pub(crate) struct Aim {
    pub at: ServiceAt,
    pub plan: Load<PlanView>,
    /// Of the plan, then of the deploy that was asked for.
    pub ticket: Ticket,
    pub answer: Option<Result<DeployId, Problem>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Deciding(Choice),
    /// The server was told to do it and has not answered yet.
    Asked,
}

impl Confirm {
    pub(crate) fn of(action: Action, aims: Vec<Aim>) -> Self {
        Self { action, aims, left_out: 0, forbidden: 0, stage: Stage::Deciding(Choice::Cancel), scroll: 0 }
    }

    /// The service, when it is about one only.
    pub(crate) fn single(&self) -> Option<&Aim> {
        match &self.aims[..] {
            [aim] => Some(aim),
            _ => None,
        }
    }

    /// Nothing known stands in the way of some of it.
    pub(crate) fn can_do(&self) -> bool {
        self.aims.iter().any(Aim::can_be_done)
    }

    pub(crate) fn aim_mut(&mut self, ticket: Ticket) -> Option<&mut Aim> {
        self.aims.iter_mut().find(|aim| aim.ticket == ticket)
    }
}

impl Aim {
    pub(crate) fn new(at: ServiceAt, ticket: Ticket) -> Self {
        Self { at, plan: Load::Waiting, ticket, answer: None }
    }

    /// A plan that is still on its way does not stand in the way: the server decides anyhow.
    pub(crate) fn can_be_done(&self) -> bool {
        match &self.plan {
            Load::Waiting => true,
            Load::Ready(plan) => plan.refusals.is_empty(),
            Load::Failed(_) => false,
        }
    }
}

/// A deploy that is to be cancelled waits for a yes.
#[derive(Debug, Clone)]
pub(crate) struct CancelDeploy {
    pub at: ServiceAt,
    pub id: DeployId,
    pub stage: Stage,
    pub ticket: Ticket,
}

/// The choice of a release to go back to.
#[derive(Debug, Clone)]
pub(crate) struct Rollback {
    pub at: ServiceAt,
    /// Those that are not live, newest first.
    pub releases: Load<Vec<ReleaseView>>,
    pub cursor: usize,
    /// For the selected release.
    pub plan: Load<PlanView>,
    pub ticket: Ticket,
}

impl Rollback {
    pub(crate) fn selected(&self) -> Option<&ReleaseView> {
        self.releases.ready()?.get(self.cursor)
    }
}

/// The choice of how many containers run.
#[derive(Debug, Clone)]
pub(crate) struct Scale {
    /// One service, or all that were marked.
    pub of: Vec<ServiceAt>,
    /// How many run now, of the first one.
    pub from: u32,
    pub to: u32,
    /// The number was typed, so that a further digit makes it longer.
    pub is_typed: bool,
    /// For one service only; for several the confirmation shows what will happen.
    pub plan: Load<PlanView>,
    pub ticket: Ticket,
    pub stage: ScaleStage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ScaleStage {
    Deciding,
    Asked,
}

impl Scale {
    pub(crate) fn set(&mut self, count: u32) {
        self.to = count.clamp(1, mypaas::manifest::Scale::LARGEST);
    }

    /// The service, when it is about one only.
    pub(crate) fn single(&self) -> Option<&ServiceAt> {
        match &self.of[..] {
            [at] => Some(at),
            _ => None,
        }
    }

    pub(crate) fn can_do(&self) -> bool {
        self.single().is_none() || self.to != self.from && !self.is_refused()
    }

    /// Something known stands in the way.
    pub(crate) fn is_refused(&self) -> bool {
        match &self.plan {
            Load::Waiting => false,
            Load::Ready(plan) => !plan.refusals.is_empty(),
            Load::Failed(_) => true,
        }
    }
}
