//! Sends alerts to webhooks: each has a queue of its own, so that one that does not answer holds up none of the others.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use reqwest::StatusCode;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::letter::{Letter, Occasion};
use crate::api::{Alert, AlertKind, Problem, ProblemCode, WebhookTest};
use crate::engine::Secret;
use crate::http;
use crate::server::config::{Config, WebhookKind, WebhookSection};
use crate::server::core::Core;
use crate::server::vault::Vault;

/// What waits for a webhook that does not answer; more is lost.
const MOST_WAITING: usize = 64;

const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// How long a server that stops goes on sending what waits still.
const LAST_LIMIT: Duration = Duration::from_secs(3);

/// Before each further attempt, in seconds.
const PAUSES: [u64; 5] = [1, 5, 30, 120, 600];

/// All webhooks of the server.
#[derive(Debug)]
pub(in crate::server) struct Webhooks {
    hooks: Vec<Arc<Webhook>>,
    /// How people call this server.
    server: String,
    vault: Arc<Vault>,
}

struct Webhook {
    url: url::Url,
    kind: WebhookKind,
    /// Empty: all.
    kinds: Vec<AlertKind>,
    token: Option<Secret>,
    client: Option<reqwest::Client>,
    queue: Sender<Letter>,
    /// Until somebody sends what is in the queue.
    waiting: Mutex<Option<Receiver<Letter>>>,
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

impl Webhooks {
    pub(in crate::server) fn new(config: &Config, vault: Arc<Vault>) -> Self {
        let hooks = config.webhook.iter().map(|section| Arc::new(Webhook::new(section))).collect();
        let host = || nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
        let server = config.init.domain.clone().or_else(host).unwrap_or_else(|| config.server.instance.to_string());
        Self { hooks, server, vault }
    }

    /// Returns at once.
    pub(super) fn tell(&self, occasion: Occasion, alert: &Alert) {
        tracing::info!(?occasion, kind = ?alert.kind, "alert: {}", self.vault.redact(&alert.message));
        for hook in self.hooks.iter().filter(|hook| hook.wants(alert.kind)) {
            if hook.queue.try_send(self.letter(hook, occasion, alert)).is_err() {
                tracing::warn!(webhook = hook.name(), "too much waits for the webhook already; an alert is not sent");
            }
        }
    }

    fn letter(&self, hook: &Webhook, occasion: Occasion, alert: &Alert) -> Letter {
        let clean = |text: &String| self.vault.redact(text).into_owned();
        let clean = Alert { message: clean(&alert.message), hint: alert.hint.as_ref().map(clean), ..alert.clone() };
        Letter::write(hook.kind, &self.server, occasion, &clean)
    }

    /// One attempt each.
    async fn test(&self) -> Vec<WebhookTest> {
        let alert = Alert {
            kind: AlertKind::Other,
            since: jiff::Timestamp::now(),
            service: None,
            container: None,
            message: "This is a test: nothing is the matter.".to_owned(),
            hint: None,
        };
        let test = async |hook: &Arc<Webhook>| {
            let sent = hook.send(&self.letter(hook, Occasion::Test, &alert)).await;
            WebhookTest { webhook: hook.name(), problem: sent.err().map(|failure| failure.reason) }
        };
        join_all(self.hooks.iter().map(test)).await
    }
}

impl Core {
    /// Goes on until the server stops; what waits then is tried once more.
    pub(in crate::server) fn begin_sending(&self) {
        for hook in &self.webhooks.hooks {
            let waiting = hook.waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(waiting) = waiting {
                self.tasks.spawn(Arc::clone(hook).deliver(waiting, self.stopping.clone()));
            }
        }
    }

    pub(in crate::server) async fn test_webhooks(&self) -> Result<Vec<WebhookTest>, Problem> {
        if self.webhooks.hooks.is_empty() {
            let message = "this server has no webhooks";
            return Err(Problem::new(ProblemCode::NotFound, message).hint(
                "Add a section [[webhook]] with a url and a kind (json, slack or ntfy) to its config.toml, and restart it.",
            ));
        }
        Ok(self.webhooks.test().await)
    }
}

/// Why it was not taken.
#[derive(Debug)]
struct Refused {
    reason: String,
    /// It may be taken later.
    passes: bool,
}

impl Webhook {
    fn new(section: &WebhookSection) -> Self {
        let WebhookSection { url, kind, kinds, token } = section.clone();
        let builder = if url.scheme() == "https" { http::secure() } else { http::plain() };
        // What is told is for this address alone.
        let client = builder.timeout(ANSWER_LIMIT).redirect(reqwest::redirect::Policy::none()).build();
        let client = client.inspect_err(|error| tracing::error!(%error, "no webhook can be told anything")).ok();
        let (queue, waiting) = mpsc::channel(MOST_WAITING);
        Self { url, kind, kinds, token, client, queue, waiting: Mutex::new(Some(waiting)) }
    }

    /// Without path and query, which may be all the secret that there is.
    fn name(&self) -> String {
        format!("{} at {}", self.kind.word(), self.url.host_str().unwrap_or("?"))
    }

    fn wants(&self, kind: AlertKind) -> bool {
        self.kinds.is_empty() || self.kinds.contains(&kind)
    }

    async fn deliver(self: Arc<Self>, mut waiting: Receiver<Letter>, stopping: CancellationToken) {
        let mut left = Vec::new();
        while let Some(Some(letter)) = stopping.run_until_cancelled(waiting.recv()).await {
            if stopping.run_until_cancelled(self.send_at_last(&letter)).await.is_none() {
                left.push(letter);
            }
        }
        left.extend(std::iter::from_fn(|| waiting.try_recv().ok()));
        let sending = async {
            for letter in &left {
                if let Err(Refused { reason, .. }) = self.send(letter).await {
                    tracing::warn!(webhook = self.name(), reason, "an alert was not sent before the server stopped");
                }
            }
        };
        if timeout(LAST_LIMIT, sending).await.is_err() {
            tracing::warn!(webhook = self.name(), "alerts were not sent before the server stopped");
        }
    }

    async fn send_at_last(&self, letter: &Letter) {
        let mut pauses = PAUSES.into_iter();
        loop {
            let Err(Refused { reason, passes }) = self.send(letter).await else { return };
            match pauses.next().filter(|_| passes) {
                Some(pause) => {
                    tracing::debug!(webhook = self.name(), reason, pause, "the webhook is tried again");
                    sleep(Duration::from_secs(pause)).await;
                }
                None => return tracing::warn!(webhook = self.name(), reason, "an alert was not sent"),
            }
        }
    }

    async fn send(&self, letter: &Letter) -> Result<(), Refused> {
        let Some(client) = &self.client else {
            return Err(Refused { reason: "no client could be set up".to_owned(), passes: false });
        };
        let mut request = client.post(self.url.clone()).body(letter.body.clone());
        for (name, value) in &letter.headers {
            request = request.header(*name, value);
        }
        if let Some(token) = &self.token {
            request = request.bearer_auth(token.expose());
        }
        match request.send().await {
            Ok(answer) if answer.status().is_success() => Ok(()),
            Ok(answer) => Err(refused(answer.status())),
            Err(error) => Err(Refused { reason: unreached(error), passes: true }),
        }
    }
}

fn refused(status: StatusCode) -> Refused {
    let passes =
        status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS || status == StatusCode::REQUEST_TIMEOUT;
    Refused { reason: format!("it answered with HTTP {status}"), passes }
}

/// The error names the URL, which may be a secret.
fn unreached(error: reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("it did not answer within {ANSWER_LIMIT:?}");
    }
    let error = error.without_url();
    let mut reason = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        reason = cause.to_string();
        source = cause.source();
    }
    format!("it cannot be reached: {reason}")
}
