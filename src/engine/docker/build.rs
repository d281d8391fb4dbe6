//! Building an image, with Docker's classic builder: the context streams in, the output streams out.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bollard::errors::Error as DockerError;
use bollard::models::BuildInfo;
use bollard::query_parameters::{BuildImageOptions, BuildImageOptionsBuilder};
use futures_util::stream::{BoxStream, StreamExt, TryStreamExt};
use jiff::Timestamp;

use super::error::{Asked, is_full};
use super::image::is_used;
use super::login::Shown;
use super::mark::{Added, marked};
use super::output::Lines;
use super::{DockerEngine, label, limit, request};
use crate::engine::{Build, EngineError, Image, Result};
use crate::manifest::MemoryLimit;
use crate::name::ImageName;

/// A build that prints nothing for so long is stuck. Compiling a big program may be silent for many minutes.
const SILENCE: Duration = Duration::from_secs(30 * 60);

/// How Docker ends its message when an instruction was killed. The kernel does so when there is too little memory.
const KILLED: &str = "returned a non-zero code: 137";

/// Why the context could not be read; Docker itself only sees that it ends.
type Broken = Arc<Mutex<Option<std::io::Error>>>;

impl DockerEngine {
    pub(super) async fn build_image(&self, build: Build, output: &mut (dyn FnMut(String) + Send)) -> Result<Image> {
        let (name, service, options) = (build.name.clone(), build.service.clone(), options(&build));
        self.make_way(&name).await?;
        let broken = Broken::default();
        let context = watched(build.context, Arc::clone(&broken)).boxed();
        let (context, added) = marked(context, label::of_layers(&self.instance));
        let shown = self.keychain.open(build.sources).await;
        let docker = request::with(&self.docker, build.limits.max_mem, shown.to_all());
        let attempt = Attempt { name, limit: build.limits.max_mem, began: Timestamp::now(), broken, added, shown };
        let answers = docker.build_image(options, None, Some(bollard::body_try_stream(context))).boxed();
        if let Err(stopped) = follow(answers, output).await {
            return Err(self.explain_build(stopped, attempt).await);
        }
        let lost = || EngineError::Build { message: "the image vanished right after it was built".to_owned() };
        // A build of a server that was killed may have come to its end, and to this name, since way was made.
        let (image, removed) = tokio::join!(self.find_image(&attempt.name), self.remove_own_nameless(&service));
        if let Err(error) = removed {
            tracing::debug!(%service, %error, "an image that lost its name is left");
        }
        image?.ok_or_else(lost)
    }

    /// An image that has the name already is of no release. It would lose its name; left alone, such images fill the disk.
    /// It goes before the build, so that whoever dies in the midst of that leaves none without a name.
    async fn make_way(&self, name: &ImageName) -> Result<()> {
        if self.own_image(name).await?.is_none() {
            return Ok(());
        }
        match self.remove_with_steps(name.as_str()).await {
            Ok(()) => {}
            Err(error) if is_used(&error) => tracing::debug!(image = %name, "a replaced image is still in use"),
            Err(error) => tracing::warn!(image = %name, %error, "a replaced image was not removed"),
        }
        Ok(())
    }

    async fn explain_build(&self, stopped: Stopped, attempt: Attempt) -> EngineError {
        let Attempt { name, limit, began, broken, added, shown } = attempt;
        let broken = broken.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(error) = broken {
            return Asked::image("read the context of", name.as_str()).refused(error);
        }
        let asked = Asked::image("build", name.as_str());
        match (stopped, limit) {
            (Stopped::Silent, _) => asked.timed_out(SILENCE),
            (Stopped::Failed(error), _) => self.explain(asked, error).await,
            (Stopped::Said { message, .. }, _) if is_full(&message) => self.full(message.into()).await,
            (Stopped::Said { message, container: Some(container), .. }, Some(limit))
                if message.ends_with(KILLED) || self.ran_out_of_memory(&container, began).await =>
            {
                EngineError::BuildOutOfMemory { limit, source: message.into() }
            }
            (Stopped::Said { message, taken, .. }, _) => shown
                .refusal(&message, taken.as_deref())
                .unwrap_or_else(|| EngineError::Build { message: added.explain(hinted(message)) }),
        }
    }
}

/// What is needed to tell why a build failed.
struct Attempt {
    name: ImageName,
    limit: Option<MemoryLimit>,
    began: Timestamp,
    broken: Broken,
    added: Added,
    shown: Shown,
}

/// Why there is no image.
#[derive(Debug)]
enum Stopped {
    Silent,
    /// An instruction failed, or the Dockerfile is wrong.
    Said {
        message: String,
        /// The id, or its beginning, of what ran the instruction.
        container: Option<String>,
        /// The image that the instruction takes from, as it is written.
        taken: Option<String>,
    },
    Failed(DockerError),
}

impl Stopped {
    fn said(message: String) -> Self {
        Self::Said { message, container: None, taken: None }
    }

    fn while_doing(self, container: Option<String>, taken: Option<String>) -> Self {
        match self {
            Self::Said { message, .. } => Self::Said { message, container, taken },
            other => other,
        }
    }
}

impl From<DockerError> for Stopped {
    fn from(error: DockerError) -> Self {
        match error {
            DockerError::DockerStreamError { error } => Self::said(error),
            DockerError::DockerResponseServerError { message, .. } => Self::said(message),
            other => Self::Failed(other),
        }
    }
}

fn options(build: &Build) -> BuildImageOptions {
    let labels = label::of_image(build);
    let options = BuildImageOptionsBuilder::default().t(build.name.as_str()).labels(&labels).rm(true).forcerm(true);
    let options = limit::with_cpu(options, &build.limits);
    if build.pull { options.pull("true").build() } else { options.build() }
}

/// Passes the output on until the build ends, which has to be with an image.
async fn follow(
    mut answers: BoxStream<'_, Result<BuildInfo, DockerError>>,
    output: &mut (dyn FnMut(String) + Send),
) -> Result<(), Stopped> {
    let (mut lines, mut made, mut container, mut taken) = (Lines::default(), false, None, None);
    let stopped = loop {
        match tokio::time::timeout(SILENCE, answers.next()).await {
            Ok(Some(Ok(answer))) => {
                lines.take(&answer, output);
                let said = answer.stream.as_deref().unwrap_or_default();
                container = running_in(said).or(container);
                taken = taken_from(said).unwrap_or(taken);
                made |= answer.aux.is_some_and(|image| image.id.is_some());
            }
            Ok(Some(Err(error))) => break Some(error.into()),
            Ok(None) => break None,
            Err(_) => break Some(Stopped::Silent),
        }
    };
    lines.finish(output);
    match stopped {
        Some(stopped) => Err(stopped.while_doing(container, taken)),
        None if made => Ok(()),
        None => Err(Stopped::said("the build ended without an image".to_owned())),
    }
}

/// As in ` ---> Running in c2aa5b4afa0c`.
fn running_in(output: &str) -> Option<String> {
    let id = output.trim().strip_prefix("---> Running in ")?;
    id.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| id.to_owned())
}

/// At the beginning of an instruction the image that it takes from, or none; as in `Step 1/2 : FROM debian:stable-slim`.
fn taken_from(output: &str) -> Option<Option<String>> {
    let (_, instruction) = output.trim().strip_prefix("Step ")?.split_once(" : ")?;
    let mut words = instruction.split_whitespace();
    let image = match words.next()? {
        name if name.eq_ignore_ascii_case("from") => words.find(|word| !word.starts_with("--")),
        _ => words.find_map(|word| word.strip_prefix("--from=")),
    };
    Some(image.map(str::to_owned))
}

fn watched(
    context: BoxStream<'static, std::io::Result<bytes::Bytes>>,
    broken: Broken,
) -> impl futures_util::Stream<Item = std::io::Result<bytes::Bytes>> + Send {
    context.map_err(move |error| {
        let told = std::io::Error::new(error.kind(), "the context cannot be read");
        *broken.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        told
    })
}

/// Docker's advice is to switch on BuildKit in its own client, which does not help here.
fn hinted(message: String) -> String {
    match message.split_once(" requires BuildKit") {
        Some((option, _)) => {
            format!(
                "{option} requires BuildKit, which this server does not build with; write the instruction without it"
            )
        }
        None => message,
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;
    use crate::engine::{BuildLimits, Sources};
    use crate::name::ReleaseId;

    #[test]
    fn an_option_of_buildkit_is_explained() {
        let docker = "the --mount option requires BuildKit. Refer to https://docs.docker.com/go/buildkit/ to learn how \
                      to build images with BuildKit enabled";
        assert_eq!(
            hinted(docker.to_owned()),
            "the --mount option requires BuildKit, which this server does not build with; write the instruction \
             without it"
        );
        assert_eq!(hinted("COPY failed".to_owned()), "COPY failed");
    }

    #[test]
    fn images_are_pulled_anew_only_where_the_build_says_so() {
        let build = |pull| Build {
            name: ImageName::foreign("web:r1"),
            service: "web".parse().unwrap(),
            release: ReleaseId::new(1),
            context: stream::empty().boxed(),
            pull,
            sources: Sources::default(),
            limits: BuildLimits::default(),
        };
        assert_eq!([true, false].map(|pull| options(&build(pull)).pull.is_some()), [true, false]);
    }

    #[tokio::test]
    async fn output_before_a_failure_is_passed_on_whole() {
        let answers = stream::iter([
            Ok(BuildInfo { stream: Some("making\nhalf a line".to_owned()), ..Default::default() }),
            Err(DockerError::DockerStreamError { error: "returned a non-zero code: 1".to_owned() }),
        ]);
        let mut lines = Vec::new();
        let stopped = follow(answers.boxed(), &mut |line| lines.push(line)).await.unwrap_err();
        assert!(matches!(stopped, Stopped::Said { message, .. } if message == "returned a non-zero code: 1"));
        assert_eq!(lines, ["making", "half a line"]);
    }

    #[tokio::test]
    async fn what_ran_the_instruction_that_failed_is_known() {
        let said = |text: &str| Ok(BuildInfo { stream: Some(text.to_owned()), ..Default::default() });
        let answers = stream::iter([
            said(" ---> Running in 941dc4d9f826\n"),
            said(" ---> 460da428d8fd\n"),
            said(" ---> Running in c2aa5b4afa0c\n"),
            said("---> Running in circles\n"),
            Err(DockerError::DockerStreamError { error: "no".to_owned() }),
        ]);
        let stopped = follow(answers.boxed(), &mut |_| {}).await.unwrap_err();
        assert!(matches!(stopped, Stopped::Said { container: Some(id), .. } if id == "c2aa5b4afa0c"));
    }

    #[test]
    fn the_image_is_known_that_an_instruction_takes_from() {
        let taken = |output: &str| taken_from(output).map(|image| image.unwrap_or_default());
        assert_eq!(
            taken("Step 1/3 : FROM --platform=x r.example.com/a:1 AS b\n").as_deref(),
            Some("r.example.com/a:1")
        );
        assert_eq!(taken("Step 2/3 : COPY --chown=1 --from=lib /a /b\n").as_deref(), Some("lib"));
        assert_eq!(taken("Step 3/3 : RUN x\n").as_deref(), Some(""));
        assert_eq!(taken(" ---> 460da428d8fd\n"), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_build_that_says_nothing_any_more_is_given_up() {
        let stopped = follow(stream::pending().boxed(), &mut |_| {}).await.unwrap_err();
        assert!(matches!(stopped, Stopped::Silent));
    }
}
