//! What stands before each endpoint: who asks, whether they may, and what is remembered of it.

use std::net::IpAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use jiff::Timestamp;
use tokio::time::timeout;

use super::Peer;
use super::busy::UnderWay;
use super::caller::Caller;
use super::denied::Denied;
use super::endpoint::{Endpoint, LARGEST_SMALL, Payload};
use super::prove::{BodyProof, Unproven};
use super::stay::Stay;
use crate::api::{AuditEntry, AuditResult, By, Problem, ProblemCode};
use crate::deploy::Action;
use crate::keys::{Fingerprint, Role};
use crate::name::{DeployId, ServiceName};
use crate::original::LARGEST_ZIP;
use crate::proof::{self, Altered};
use crate::server::answer::Refusal;
use crate::server::core::Core;
use crate::store::Author;

/// How long a small payload may take to arrive.
const SMALL_LIMIT: Duration = Duration::from_secs(15);

/// How long, and how far, the body of a request is read on that a key may not send.
const LINGER: Duration = Duration::from_secs(5);
const LARGEST_REST: u64 = 64 * 1024 * 1024;

/// Of what was asked, and of why it was refused, so many characters are written down. Others choose how long they are.
const LONGEST_REQUEST: usize = 200;
const LONGEST_MESSAGE: usize = 1000;

/// Where the router says a request comes from; it lets nobody else say so.
const REAL_ADDRESS: &str = "x-real-ip";

/// One endpoint with its server.
#[derive(Debug, Clone)]
pub(in crate::server) struct Guard {
    pub(in crate::server) core: Arc<Core>,
    pub(in crate::server) endpoint: Endpoint,
}

/// What an action was about, for the audit log; told by whoever does it.
#[derive(Debug, Clone, Default)]
pub(in crate::server) struct About {
    pub(in crate::server) service: Option<ServiceName>,
    pub(in crate::server) action: Option<Action>,
    pub(in crate::server) deploy: Option<DeployId>,
    /// In words, where these and the request do not say it.
    pub(in crate::server) detail: Option<String>,
}

/// Where it is told.
#[derive(Debug, Clone, Default)]
pub(in crate::server) struct Note(Arc<Mutex<About>>);

impl Note {
    pub(in crate::server) fn tell(&self, about: About) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = about;
    }

    fn told(&self) -> About {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Somebody who is let in.
struct Admitted {
    request: Request,
    caller: Caller,
    under_way: Option<UnderWay>,
}

/// Somebody who is not.
struct Refused {
    problem: Problem,
    by: By,
    address: Option<IpAddr>,
    /// It was told often enough.
    quietly: bool,
}

/// Lets a request through to its endpoint when whoever sent it may ask for it.
pub(in crate::server) async fn guard(
    State(Guard { core, endpoint }): State<Guard>,
    request: Request,
    next: Next,
) -> Response {
    let asked = shortened(&format!("{} {}", request.method(), request.uri().path()), LONGEST_REQUEST);
    let Admitted { mut request, caller, under_way } = match admit(&core, endpoint, request).await {
        Ok(admitted) => admitted,
        Err(refused) => return refuse(&core, asked, refused),
    };
    let (note, stay) = (Note::default(), Stay::new(Arc::clone(&core), caller.clone(), under_way));
    request.extensions_mut().insert(caller.clone());
    request.extensions_mut().insert(note.clone());
    request.extensions_mut().insert(stay.clone());
    let response = next.run(request).await;
    let refusal = response.extensions().get::<Problem>();
    let forbidden = refusal.is_some_and(|problem| problem.code == ProblemCode::Forbidden);
    if endpoint.role == Role::Operator || forbidden {
        let result = refusal.map_or(AuditResult::Done, refused_as);
        core.audit(caller.by(), caller.address(), asked, note.told(), result);
    }
    stay.hold(response)
}

async fn admit(core: &Core, endpoint: Endpoint, request: Request) -> Result<Admitted, Refused> {
    let peer = request.extensions().get::<ConnectInfo<Peer>>().map(|ConnectInfo(peer)| peer.clone());
    match peer {
        Some(Peer::Socket { user }) => Ok(Admitted { request, caller: Caller::local(user), under_way: None }),
        Some(Peer::Network { address }) => admit_key(core, endpoint, request, address).await,
        // A listener that does not say who connects lets nobody in.
        None => Err(Refused { problem: Denied::Unsigned.into(), by: nobody(None), address: None, quietly: false }),
    }
}

async fn admit_key(core: &Core, endpoint: Endpoint, request: Request, peer: IpAddr) -> Result<Admitted, Refused> {
    match check_key(core, endpoint, &request, peer) {
        Ok((caller, proof, under_way)) => admit_body(core, endpoint, request, caller, proof, under_way).await,
        Err(refused) => {
            let body = request.into_body();
            match (endpoint.payload, &refused.by) {
                (Payload::Original, _) => hear_out(core, body, &refused).await,
                // A connection that is closed before takes the refusal with it, and the router says only that it broke.
                (_, By::Key(_)) => drop(tokio::spawn(read_on(body, LARGEST_REST, LINGER))),
                _ => {}
            }
            Err(*refused)
        }
    }
}

/// The original's client hears of a refusal only once it has sent all. Who was told often enough, or finds too many others
/// there, need not hear it.
async fn hear_out(core: &Core, body: Body, refused: &Refused) {
    if refused.quietly {
        return;
    }
    if let Ok(_place) = core.gate.heard_out.try_acquire() {
        read_on(body, LARGEST_ZIP, SMALL_LIMIT).await;
    }
}

/// All that can be checked before the body is read.
fn check_key(
    core: &Core,
    endpoint: Endpoint,
    request: &Request,
    peer: IpAddr,
) -> Result<(Caller, BodyProof, UnderWay), Box<Refused>> {
    let told = request.headers().get(REAL_ADDRESS).and_then(|value| value.to_str().ok()?.parse().ok());
    let address = told.unwrap_or(peer);
    let failed = |Unproven { denied, claimed }: Unproven| {
        let quietly = !core.gate.attempts.fail(address, Instant::now());
        let denied = if quietly { Denied::TooOften(address) } else { denied };
        Box::new(Refused { problem: denied.into(), by: nobody(claimed), address: Some(address), quietly })
    };
    let proven = match endpoint.payload {
        Payload::Small | Payload::Stream => core.gate.prove(request, Timestamp::now()),
        Payload::Original => core.gate.prove_as_original(request, Timestamp::now()),
    };
    let proven = proven.map_err(failed)?;
    let caller = Caller::with_key(&proven.key, address);
    let fingerprint = proven.key.key.fingerprint();
    caller.check_role(endpoint.role).map_err(|problem| Box::new(refused(core, &caller, problem)))?;
    let too_busy = || Box::new(refused(core, &caller, Denied::TooBusy(fingerprint.clone()).into()));
    let under_way = core.gate.busy.begin(fingerprint).ok_or_else(too_busy)?;
    Ok((caller, proven.body, under_way))
}

async fn admit_body(
    core: &Core,
    endpoint: Endpoint,
    request: Request,
    caller: Caller,
    proof: BodyProof,
    under_way: UnderWay,
) -> Result<Admitted, Refused> {
    let (parts, body) = request.into_parts();
    let body = match endpoint.payload {
        Payload::Small => Body::from(small(body, proof).await.map_err(|problem| refused(core, &caller, problem))?),
        Payload::Stream | Payload::Original => {
            Body::from_stream(proof::checked(body.into_data_stream(), move |found| proof.holds(found)))
        }
    };
    Ok(Admitted { request: Request::from_parts(parts, body), caller, under_way: Some(under_way) })
}

/// Somebody with a key who may not.
fn refused(core: &Core, caller: &Caller, problem: Problem) -> Refused {
    let address = caller.address();
    let quietly = address.is_some_and(|address| !core.gate.attempts.fail(address, Instant::now()));
    Refused { problem, by: caller.by(), address, quietly }
}

/// Reads what is still sent, for a while and up to a size; whoever sends more, or takes longer, hears nothing.
async fn read_on(body: Body, largest: u64, limit: Duration) {
    let rest = async move {
        let (mut chunks, mut left) = (body.into_data_stream(), largest);
        while let Some(Ok(chunk)) = chunks.next().await {
            let Some(less) = left.checked_sub(chunk.len() as u64) else { break };
            left = less;
        }
    };
    // That it took too long is as good an end as any.
    let _ = timeout(limit, rest).await;
}

fn nobody(claimed: Option<Fingerprint>) -> By {
    By::Nobody { claimed }
}

/// The whole body, once it is known to be the one that was signed.
async fn small(body: Body, proof: BodyProof) -> Result<Bytes, Problem> {
    let gather = async {
        let mut chunks = pin!(proof::checked(body.into_data_stream(), move |found| proof.holds(found)));
        let mut whole = BytesMut::new();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|error| match error.downcast_ref::<Altered>() {
                Some(Altered) => Denied::Altered.into(),
                None => Problem::new(ProblemCode::BadRequest, "the request broke off").because(error.as_ref()),
            })?;
            if whole.len() + chunk.len() > LARGEST_SMALL {
                let message = format!("the request is larger than {LARGEST_SMALL} bytes");
                return Err(Problem::new(ProblemCode::TooLarge, message));
            }
            whole.extend_from_slice(&chunk);
        }
        Ok::<_, Problem>(whole.freeze())
    };
    let late = |_| Problem::new(ProblemCode::BadRequest, format!("the request did not arrive within {SMALL_LIMIT:?}"));
    timeout(SMALL_LIMIT, gather).await.map_err(late)?
}

fn refuse(core: &Core, asked: String, refused: Refused) -> Response {
    let Refused { problem, by, address, quietly } = refused;
    if !quietly {
        tracing::warn!(?by, address = ?address, request = asked, problem = problem.message, "a request was refused");
        core.audit(by, address, asked, About::default(), refused_as(&problem));
    }
    Refusal::from(problem).into_response()
}

fn refused_as(problem: &Problem) -> AuditResult {
    AuditResult::Refused { code: problem.code, message: shortened(&problem.message, LONGEST_MESSAGE) }
}

fn shortened(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

impl Core {
    /// Writes down what was asked. That it cannot is no reason to leave undone what was done.
    fn audit(&self, by: By, address: Option<IpAddr>, request: String, about: About, result: AuditResult) {
        let About { service, action, deploy, detail } = about;
        let at = Timestamp::now();
        let entry = AuditEntry { at, by, address, request, service, action, detail, deploy, result };
        let author = match &entry.by {
            By::Key(holder) => Author::Known(holder.fingerprint.as_str()),
            By::Local { .. } => Author::Known("local"),
            By::Nobody { .. } => Author::Stranger,
        };
        if let Err(error) = self.store.note(&entry, author) {
            tracing::error!(%error, ?entry, "the audit log could not be written");
        }
    }
}
