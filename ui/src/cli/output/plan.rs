//! What a deploy would do, for `--dry-run`.

use std::fmt::Write;

use mypaas::api::{Action, Downtime, OptionChange, PlanView};
use mypaas::name::ServerName;

use super::paint::Paint;
use super::{foreign, words};

/// The plan in words. What would refuse it is not part of it: that is an error.
pub(crate) fn plan(server: &ServerName, plan: &PlanView, paint: Paint) -> String {
    let mut text = format!("{} on {server}", paint.strong(&words::deed(&plan.action, &plan.service)));
    let _ = writeln!(text, "{}; nothing is done yet", releases(plan));
    section(&mut text, "steps", paint, &numbered(&plan.steps));
    section(&mut text, "why", paint, &plan.notes);
    section(&mut text, "changed options", paint, &plan.changes.iter().map(change).collect::<Vec<_>>());
    section(&mut text, "requests meanwhile", paint, &[downtime(&plan.downtime)]);
    for warning in &plan.warnings {
        let _ = writeln!(text, "{}: {}", paint.warning("warning"), foreign::line(warning, false));
    }
    text
}

fn releases(plan: &PlanView) -> String {
    match (plan.from, plan.to, &plan.action) {
        (None, Some(to), _) => format!(": {to}, nothing serves now"),
        (Some(from), Some(to), _) if from == to => format!(": {to} stays"),
        (Some(from), Some(to), _) => format!(": {from} → {to}"),
        (Some(from), None, Action::Push | Action::Redeploy) => format!(": {from} → a new release"),
        (None, None, Action::Push | Action::Redeploy) => ": its first release".to_owned(),
        (Some(from), None, _) => format!(": {from} serves now"),
        (None, None, _) => String::new(),
    }
}

fn numbered(steps: &[String]) -> Vec<String> {
    steps.iter().enumerate().map(|(index, step)| format!("{}. {step}", index + 1)).collect()
}

fn section(text: &mut String, title: &str, paint: Paint, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(text, "{}", paint.muted(title));
    for line in lines {
        let _ = writeln!(text, "  {}", foreign::line(line, false));
    }
}

fn change(change: &OptionChange) -> String {
    let list = |values: &[String]| if values.is_empty() { "(absent)".to_owned() } else { values.join(", ") };
    format!("{}: {} → {}", change.key, list(&change.old), list(&change.new))
}

fn downtime(downtime: &Downtime) -> String {
    match downtime {
        Downtime::None => "are answered without a gap".to_owned(),
        Downtime::Held { limit } => {
            format!("wait while the new containers start, for up to {limit:?}")
        }
        Downtime::Intended => "are not served, as asked".to_owned(),
    }
}
