//! What a deploy would do, without doing it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::unkept;
use crate::api::{Downtime, OptionChange, PlanRequest, PlanView, Problem, ProblemCode};
use crate::deploy::{Action, Desired, Goal, Origin, Plan, Release, plan};
use crate::manifest::{self, Manifest, Severity};
use crate::name::{DeployId, ImageName, ReleaseId, ServiceName};
use crate::server::asker::Asker;
use crate::server::core::Core;

impl Core {
    /// What a deploy would do; changes nothing.
    pub async fn preview(self: &Arc<Self>, request: &PlanRequest) -> Result<PlanView, Problem> {
        self.preview_for(request, Asker::SERVER).await
    }

    /// The same, for somebody who may not have everything done.
    pub(in crate::server) async fn preview_for(
        self: &Arc<Self>,
        request: &PlanRequest,
        asker: Asker<'_>,
    ) -> Result<PlanView, Problem> {
        match request {
            PlanRequest::Dockerfile { text, context_bytes } => {
                self.preview_push(text, context_bytes.unwrap_or(0), asker).await
            }
            PlanRequest::Service { service, action } => self.preview_change(service, action, asker).await,
        }
    }

    async fn preview_push(
        self: &Arc<Self>,
        dockerfile: &str,
        context_bytes: u64,
        asker: Asker<'_>,
    ) -> Result<PlanView, Problem> {
        let checked = manifest::check(dockerfile.as_bytes());
        let Some(manifest) = checked.manifest else {
            let message = "the Dockerfile has problems; it would not be deployed";
            return Err(Problem { diagnostics: checked.diagnostics, ..Problem::new(ProblemCode::BadRequest, message) });
        };
        asker.may(&manifest.service, &Action::Push)?;
        self.check_confined(asker, &manifest, &manifest::images(dockerfile.as_bytes())).await?;
        let release = self.release_to_be(manifest)?;
        let warnings = checked.diagnostics.iter().filter(|found| found.severity == Severity::Warning);
        let warnings = warnings.map(|found| format!("line {}: {}", found.line, found.message));
        let service = &release.service;
        let mut view = self.preview_release(service, &Action::Push, Some(&release), context_bytes, asker).await?;
        view.warnings.splice(0..0, warnings);
        Ok(view)
    }

    async fn preview_change(
        self: &Arc<Self>,
        service: &ServiceName,
        action: &Action,
        asker: Asker<'_>,
    ) -> Result<PlanView, Problem> {
        asker.may(service, action)?;
        let record = self.known(service)?;
        let release = match action {
            Action::Remove => None,
            Action::Rollback { to } => Some(self.release(service, *to)?),
            Action::Redeploy => Some(self.release_to_be(self.live_release(&record)?.manifest)?),
            _ => Some(self.live_release(&record)?),
        };
        self.preview_release(service, action, release.as_ref(), 0, asker).await
    }

    async fn preview_release(
        self: &Arc<Self>,
        service: &ServiceName,
        action: &Action,
        release: Option<&Release>,
        context_bytes: u64,
        asker: Asker<'_>,
    ) -> Result<PlanView, Problem> {
        let record = self.store.service(service)?;
        let from = record.as_ref().and_then(|record| record.live);
        let live: Option<Release> = match from {
            Some(id) => self.store.release(service, id)?,
            None => None,
        };
        let mut view = PlanView {
            service: service.clone(),
            action: action.clone(),
            from,
            to: release.map(|release| release.id),
            notes: Vec::new(),
            steps: Vec::new(),
            downtime: Downtime::None,
            changes: changes(live.as_ref().map(|live| &live.manifest), release.map(|release| &release.manifest)),
            warnings: Vec::new(),
            refusals: Vec::new(),
        };
        match self.try_plan(service, action, release, context_bytes, asker).await {
            Ok((desired, plan)) => describe(&mut view, &desired, &plan),
            Err(problem) => view.refusals.push(problem),
        }
        if let (Action::Rollback { .. }, Some(release), []) = (action, release, view.refusals.as_slice()) {
            view.notes.extend(notes_of_rollback(release));
        }
        view.notes.extend(release.map_or(Ok(None), |release| self.note_of_scale(action, release))?);
        view.warnings.extend(live.iter().flat_map(|live| unkept::of_live(live, action)));
        if let Some(release) = release {
            view.warnings.extend(self.doubts(&release.manifest.urls).await);
        }
        Ok(view)
    }

    async fn try_plan(
        self: &Arc<Self>,
        service: &ServiceName,
        action: &Action,
        release: Option<&Release>,
        context_bytes: u64,
        asker: Asker<'_>,
    ) -> Result<(Desired, Plan), Problem> {
        self.check_possible(service, action, context_bytes).await?;
        let deploy = DeployId::new(u64::MAX >> 1);
        let desired = self.desire_dry(deploy, service, action, release)?;
        if let Goal::Serving(serving) = &desired.goal {
            self.check_urls(service, &serving.urls, |holder| asker.hears_of(holder)).await?;
        }
        let (actual, _promise) = self.observe(&desired).await?;
        let plan = plan(&desired, &actual)?;
        Ok((desired, plan))
    }

    /// The release that a build would make; its image is not there yet.
    fn release_to_be(&self, manifest: Manifest) -> Result<Release, Problem> {
        let service = manifest.service.clone();
        let id: ReleaseId = self.store.next_release(&service)?;
        Ok(Release {
            image: ImageName::of(&self.config.server.instance, &service, id),
            service,
            id,
            image_id: String::new(),
            image_bytes: 0,
            image_has_healthcheck: false,
            image_first_check: std::time::Duration::ZERO,
            image_volumes: Vec::new(),
            repositories: BTreeSet::new(),
            manifest,
            origin: Origin { who: String::new(), key: None, folder: None, commit: None },
            built: Timestamp::UNIX_EPOCH,
            build_seconds: 0.0,
        })
    }
}

fn describe(view: &mut PlanView, desired: &Desired, plan: &Plan) {
    view.notes.clone_from(&plan.notes);
    if plan.steps.is_empty() {
        view.notes.push("Everything is as it should be already; nothing is done.".to_owned());
    }
    view.steps = plan.steps.iter().map(|step| step.describe()).collect();
    view.downtime = match &desired.goal {
        Goal::Serving(_) => plan.hold().map_or(Downtime::None, |limit| Downtime::Held { limit }),
        Goal::Stopped | Goal::Gone => Downtime::Intended,
    };
}

/// What one goes back to besides the options; that the image is there was found before.
fn notes_of_rollback(release: &Release) -> Vec<String> {
    let mut notes = vec![format!("The image of {}, {}, is on the server.", release.id, release.image)];
    if !release.manifest.volumes.is_empty() {
        notes.push("What is in the volumes stays as it is now.".to_owned());
    }
    notes
}

/// Options by key, as written, where they differ.
fn changes(old: Option<&Manifest>, new: Option<&Manifest>) -> Vec<OptionChange> {
    let (Some(old), Some(new)) = (old, new) else { return Vec::new() };
    let (old, new) = (by_key(old), by_key(new));
    let keys: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    let values = |of: &BTreeMap<String, Vec<String>>, key: &str| of.get(key).cloned().unwrap_or_default();
    keys.into_iter()
        .map(|key| (key, values(&old, key), values(&new, key)))
        .filter(|(_, old, new)| old != new)
        .map(|(key, old, new)| match key.as_str() {
            "env" => env_change(&old, &new),
            _ => OptionChange { key: key.clone(), old, new },
        })
        .collect()
}

fn by_key(manifest: &Manifest) -> BTreeMap<String, Vec<String>> {
    let mut values: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for option in &manifest.options {
        values.entry(option.key.clone()).or_default().push(option.value.clone());
    }
    values
}

/// The names of variables that come, go or get another value. A value may be a secret: it is not told.
fn env_change(old: &[String], new: &[String]) -> OptionChange {
    let names = |of: &[String]| of.iter().map(|entry| variable(entry).to_owned()).collect::<BTreeSet<_>>();
    let differing = |of: &[String], from: &[String], known: &BTreeSet<String>, mark: &str| {
        let differs = of.iter().filter(|entry| !from.contains(entry)).map(|entry| variable(entry));
        differs.map(|name| if known.contains(name) { format!("{name}{mark}") } else { name.to_owned() }).collect()
    };
    OptionChange {
        key: "env".to_owned(),
        old: differing(old, new, &names(new), ""),
        new: differing(new, old, &names(old), " (another value)"),
    }
}

/// The name in `NAME=value`, or in `NAME` alone.
fn variable(entry: &str) -> &str {
    entry.split('=').next().unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(options: &[&str]) -> Manifest {
        let text: String = options.iter().map(|option| format!("# mypaas.{option}\n")).collect();
        manifest::check(format!("# mypaas.service=web\n{text}FROM scratch\n").as_bytes()).manifest.unwrap()
    }

    #[test]
    fn options_that_differ_are_told_and_of_variables_only_the_names() {
        let old = manifest(&["scale=2", "volume=~/a:/a", "env=SAME=1", "env=OTHER=old-secret", "env=GONE=2"]);
        let new = manifest(&["volume=~/b:/a", "env=SAME=1", "env=OTHER=new-secret", "env=NEW=3"]);
        let told = changes(Some(&old), Some(&new));
        let expected = [
            ("env", vec!["OTHER", "GONE"], vec!["OTHER (another value)", "NEW"]),
            ("scale", vec!["2"], vec![]),
            ("volume", vec!["~/a:/a"], vec!["~/b:/a"]),
        ];
        let expected: Vec<_> = expected
            .into_iter()
            .map(|(key, old, new)| OptionChange {
                key: key.to_owned(),
                old: old.into_iter().map(str::to_owned).collect(),
                new: new.into_iter().map(str::to_owned).collect(),
            })
            .collect();
        assert_eq!(told, expected);
        assert!(changes(Some(&old), Some(&old)).is_empty());
    }
}
