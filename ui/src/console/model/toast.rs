//! Short notes on what happened elsewhere. They go by themselves.

use jiff::{SignedDuration, Timestamp};

/// At most so many are shown; the oldest goes first.
const MOST: usize = 4;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Toast {
    pub kind: ToastKind,
    pub text: String,
    /// Shown until then.
    pub until: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ToastKind {
    Note,
    Good,
    Bad,
    /// What is typed cannot be taken. It goes with the line that it is about, or when that line is taken.
    Typed,
}

impl ToastKind {
    fn shown_for(self) -> SignedDuration {
        SignedDuration::from_secs(match self {
            ToastKind::Note | ToastKind::Good => 6,
            ToastKind::Bad | ToastKind::Typed => 15,
        })
    }
}

/// Those that are shown now, newest last.
#[derive(Debug, Clone, Default)]
pub(crate) struct Toasts {
    pub shown: Vec<Toast>,
}

impl Toasts {
    pub(crate) fn add(&mut self, kind: ToastKind, text: String, now: Timestamp) {
        let until = now.checked_add(kind.shown_for()).unwrap_or(now);
        self.shown.retain(|toast| toast.text != text);
        if self.shown.len() == MOST {
            self.shown.remove(0);
        }
        self.shown.push(Toast { kind, text, until });
    }

    /// It is so no longer.
    pub(crate) fn withdraw(&mut self, text: &str) {
        self.shown.retain(|toast| toast.text != text);
    }

    /// What was typed is taken now, or nothing is typed any more.
    pub(crate) fn withdraw_typed(&mut self) {
        self.shown.retain(|toast| toast.kind != ToastKind::Typed);
    }

    pub(crate) fn forget_until(&mut self, now: Timestamp) {
        self.shown.retain(|toast| toast.until > now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::fixture::at;

    #[test]
    fn toasts_go_after_their_time_and_failures_stay_longer() {
        let mut toasts = Toasts::default();
        toasts.add(ToastKind::Good, "good".into(), at(0));
        toasts.add(ToastKind::Bad, "bad".into(), at(0));
        toasts.forget_until(at(10));
        assert_eq!(toasts.shown.iter().map(|toast| toast.text.as_str()).collect::<Vec<_>>(), ["bad"]);
    }

    #[test]
    fn few_are_shown_and_none_twice() {
        let mut toasts = Toasts::default();
        for text in ["a", "b", "c", "d", "e", "b"] {
            toasts.add(ToastKind::Note, text.into(), at(0));
        }
        assert_eq!(toasts.shown.iter().map(|toast| toast.text.as_str()).collect::<Vec<_>>(), ["c", "d", "e", "b"]);
    }
}
