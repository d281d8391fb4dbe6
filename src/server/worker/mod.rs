//! The one owner of all changes. What is asked is checked and accepted here, waits its turn, and is carried out.
//!
//! ```text
//! accept.rs      request → accepted deploy, or a problem; the queue
//! bearings.rs    what a deploy comes from and goes to, found anew when its turn comes
//! cancel.rs      ends a deploy that has changed nothing yet
//! carry_out.rs   the story of one deploy: bearings, build, desire, observe, plan, execute
//! build.rs       context → image → release
//! sources.rs     where a build takes images from, and with which logins
//! desire.rs      release + request + server → Desired
//! scale.rs       how long a scale holds that was asked for
//! settle.rs      what the store keeps when a deploy reached its goal
//! recover.rs     what the last stop cut off is finished or undone
//! watch_over.rs  a new release is watched for a while; what keeps failing is rolled back
//! revive.rs      what is live and was left stopped is started
//! leftover.rs    what a deploy could not take away goes later
//! turns.rs       one at a time changes the containers of a service
//! keep.rs        which releases stay: the newest, the pinned, those in use
//! prune.rs       releases that are too old go
//! unkept.rs      data that goes with its container
//! preview.rs     what a deploy would do, without doing it
//! ```

mod accept;
mod bearings;
mod build;
mod cancel;
mod carry_out;
mod desire;
mod keep;
mod leftover;
mod preview;
mod prune;
mod recover;
mod revive;
mod scale;
mod settle;
mod sources;
mod turns;
mod unkept;
mod watch_over;

use std::path::PathBuf;

pub(super) use keep::Going;
pub(super) use recover::FAULT;
pub(super) use revive::Stranded;
pub(super) use turns::Turns;

use super::core::Core;
use crate::deploy::Action;
use crate::manifest::Manifest;

/// What an accepted deploy is to do.
#[derive(Debug, Clone)]
pub(super) enum Work {
    /// Build this context; it is moved to the release when it is built, and removed when it is not.
    Push {
        context: PathBuf,
        manifest: Box<Manifest>,
    },
    Change {
        action: Action,
    },
}

impl Core {
    /// Nobody waits for it, and it ends with the server.
    fn in_background(&self, work: impl Future<Output = ()> + Send + 'static) {
        let working = self.stopping.clone().run_until_cancelled_owned(work);
        self.tasks.spawn(self.abandoned.clone().run_until_cancelled_owned(working));
    }
}
