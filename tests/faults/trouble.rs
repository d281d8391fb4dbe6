//! What befalls a deploy, at one of the calls that its server makes of the engine.

use std::fmt;
use std::time::Duration;

use super::engine::End;
use crate::proxy::Fault;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The call meets the fault.
    Call(Fault),
    /// The server is killed before the call has an effect, and started again.
    Death,
    /// The server is killed while the engine is at it.
    DeathMeanwhile,
    /// The server is killed when the call has had its effect.
    DeathAfterEffect,
    /// The router's container is killed.
    RouterDeath,
    /// Server and all containers are killed; the engine and the server are started again, at the same time.
    Reboot,
    /// The engine goes down and comes back.
    EngineEnds(End),
    /// Engine and server go down, and are started again at the same time.
    MachineRestart,
}

/// What every call is to meet.
pub(crate) const EVERYWHERE: [Trouble; 9] = [
    Trouble::Call(Fault::Refuse),
    Trouble::Call(Fault::RefuseAfterEffect),
    Trouble::Call(Fault::Cut),
    Trouble::Call(Fault::CutAnswer),
    Trouble::Call(Fault::Delay(Duration::from_secs(2))),
    Trouble::Call(Fault::Hang),
    Trouble::Death,
    Trouble::DeathMeanwhile,
    Trouble::DeathAfterEffect,
];

/// What is tried at some calls only.
pub(crate) const SOMETIMES: [Trouble; 2] = [Trouble::RouterDeath, Trouble::Reboot];

/// What is tried where the engine may go down.
pub(crate) const WITH_ENGINE: [Trouble; 3] =
    [Trouble::EngineEnds(End::Stop), Trouble::EngineEnds(End::Kill), Trouble::MachineRestart];

impl Trouble {
    /// What the proxy does about it.
    pub(super) fn fault(self) -> Fault {
        match self {
            Trouble::Call(fault) => fault,
            Trouble::Death | Trouble::Reboot | Trouble::MachineRestart => Fault::Hang,
            Trouble::DeathMeanwhile => Fault::HangMeanwhile,
            Trouble::DeathAfterEffect => Fault::HangAfterEffect,
            Trouble::RouterDeath | Trouble::EngineEnds(_) => Fault::Delay(Duration::from_millis(500)),
        }
    }

    /// Whether requests may fail meanwhile, whatever the server does.
    pub(super) fn excuses_requests(self) -> bool {
        matches!(self, Trouble::RouterDeath | Trouble::Reboot | Trouble::EngineEnds(_) | Trouble::MachineRestart)
    }

    /// Whether the engine has to start containers again that served, in its own time.
    pub(super) fn stops_containers(self) -> bool {
        matches!(self, Trouble::Reboot | Trouble::EngineEnds(_) | Trouble::MachineRestart)
    }

    /// One that costs time and no work, so that many may be tried at once.
    pub(crate) fn is_idle(self) -> bool {
        self == Trouble::Call(Fault::Hang)
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Trouble::Call(Fault::Refuse) => "500",
            Trouble::Call(Fault::RefuseAfterEffect) => "500 after the effect",
            Trouble::Call(Fault::Delay(_)) => "delayed",
            Trouble::Call(Fault::Hang) => "hangs",
            Trouble::Call(Fault::HangAfterEffect) => "hangs after the effect",
            Trouble::Call(Fault::Cut) => "cut before",
            Trouble::Call(Fault::CutAnswer) => "cut within the answer",
            Trouble::Call(Fault::HangMeanwhile) => "hangs meanwhile",
            Trouble::Death => "kill -9 before",
            Trouble::DeathMeanwhile => "kill -9 meanwhile",
            Trouble::DeathAfterEffect => "kill -9 after",
            Trouble::RouterDeath => "router killed",
            Trouble::Reboot => "machine rebooted",
            Trouble::EngineEnds(End::Stop) => "engine restarted",
            Trouble::EngineEnds(End::Kill) => "engine killed",
            Trouble::MachineRestart => "engine and server anew",
        })
    }
}
