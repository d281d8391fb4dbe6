//! A deploy that ended, told again as a whole, with all that a failure left behind.

use std::fmt::Write;

use jiff::Timestamp;
use mypaas::api::{Deploy, Event, Outcome, What};

use super::story::Story;
use super::title;
use crate::cli::output::paint::Paint;
use crate::cli::output::{foreign, units};
use crate::cli::report::failure::evidence;

pub(crate) fn whole(deploy: &Deploy, events: &[Event], paint: Paint, now: Timestamp) -> String {
    let (who, ago) = (foreign::line(&deploy.origin.by(), false), units::age(deploy.accepted, now));
    let before = deploy.from.map_or_else(String::new, |release| format!(", when {release} served"));
    let mut text = format!("{}{before}; by {who}, {ago} ago\n", title(paint, deploy));
    let mut story = Story::of(deploy);
    for line in events.iter().flat_map(|event| story.tell(event)) {
        let _ = writeln!(text, "{}", line.text(paint));
    }
    if let Some(What::Finished { outcome: Outcome::Failed { failure } }) = events.last().map(|event| &event.what) {
        let _ = writeln!(text, "  {}", paint.bad(&foreign::line(&failure.message, false)));
        for cause in &failure.causes {
            let _ = writeln!(text, "  {} {}", paint.muted("because"), foreign::line(cause, false));
        }
        for line in evidence(&deploy.service, failure) {
            let _ = writeln!(text, "  {}", foreign::line(&line, false));
        }
    }
    text
}
