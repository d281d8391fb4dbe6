//! `mypaas server add`: from a machine with nothing but sshd to a server of the fleet. Safe to repeat.

use std::fmt::Write;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use mypaas::fleet::{Address, Colour, Fleet, Server, SshAddress};
use mypaas::install::answers::Domain;
use mypaas::install::probe::Wanted;
use mypaas::install::remote::quoted;
use mypaas::keys::PublicKey;
use mypaas::name::ServerName;

use super::delivery::{There, Way, destination, with_home};
use super::{init, reach};
use crate::cli::operator_keys::{OperatorKeys, lasting};
use crate::cli::output::units;
use crate::cli::session::Session;
use crate::cli::set_up::SetUpError;
use crate::cli::steps::Steps;
use crate::cli::verb::servers;

pub(super) const HELP: &str = "\
It looks at the machine first, and changes nothing when something stands in the way. Then it brings this program there,
and runs `mypaas server init`, which installs Docker where it is missing, lets your key in, and starts everything. It
needs root, or sudo without a password. Repeating it goes on where it ended, and changes only what is given anew.

  mypaas server add shop root@shop.example.com --domain paas.example.com --email ada@example.com";

/// Docker and the router's image come over the network.
const INIT_LIMIT: Duration = Duration::from_secs(30 * 60);

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// What to call it
    name: ServerName,
    /// As in ada@shop.example.com, perhaps with :port, and /server/folder when it is not ~/_mypaas
    #[arg(value_parser = destination, value_name = "USER@HOST")]
    machine: SshAddress,
    /// The port that sshd listens on there
    #[arg(long)]
    port: Option<u16>,
    #[command(flatten)]
    way: Way,
    /// The server's own domain, as in paas.example.com; without one it is reached by ssh only
    #[arg(long)]
    domain: Option<Domain>,
    /// For certificates: where the authority may write to
    #[arg(long)]
    email: Option<String>,
    /// Where its router takes http requests [default: 80]
    #[arg(long, value_name = "PORT")]
    http_port: Option<u16>,
    /// Where its router takes https requests [default: 443]
    #[arg(long, value_name = "PORT")]
    https_port: Option<u16>,
    /// Reach it at its domain, and not by ssh
    #[arg(long, requires = "domain", conflicts_with = "no_key")]
    https: bool,
    /// The key that it lets in: a key file, or the fingerprint of a key in an ssh-agent [default: your usual one]
    #[arg(long, value_name = "KEY", conflicts_with = "no_key")]
    key: Option<String>,
    /// Let no key in; it is reached by ssh only
    #[arg(long)]
    no_key: bool,
    /// Mark it with this colour, to tell it from the others at a glance
    #[arg(long, value_name = "COLOUR", value_parser = servers::colour)]
    mark: Option<Colour>,
    /// Ask for its name before anything is changed there
    #[arg(long)]
    lock: bool,
    /// Keep it running by a process of our own, also where systemd is
    #[arg(long)]
    supervise: bool,
    /// Only look, and say what would be done
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn run(arguments: &Arguments, session: &Session) -> anyhow::Result<()> {
    let Arguments { name, machine, port, dry_run, .. } = arguments;
    let machine = SshAddress { port: port.or(machine.port), ..machine.clone() };
    let server = entry(arguments, &machine)?;
    let known = known(session, name, &server)?;
    let server = known.as_ref().map_or(server.clone(), |known| said_anew(&server, known));
    if known.is_some() && !dry_run {
        session.unlock(name).await?;
    }
    let key = key(arguments, session).await?;
    let mut steps = Steps::begin(&session.screen);
    let wanted = Wanted {
        http_port: arguments.http_port.unwrap_or(80),
        https_port: arguments.https_port.unwrap_or(443),
        architecture: None,
        privileged: true,
    };
    let there = arguments.way.open(machine.clone(), wanted).await?;
    let init = command(arguments, &machine, &there, key.as_ref(), &session.environment.who);
    if *dry_run {
        return preview(&steps, arguments, &there, known.is_some(), session);
    }
    steps.done("machine", &format!("{}: {}", there.remote.destination(), init::describe(&there.findings)))?;
    deliver(&there, &mut steps).await?;
    let told = there.remote.follow("setting it up", &init, INIT_LIMIT, |line| steps.pass_on(line)).await?;
    there.succeeded(told, "setting it up", "mend it and repeat the command; it goes on from there")?;
    steps.done("set up", &format!("by `mypaas server init` on {}", there.remote.destination()))?;
    let fleet = session.environment.shown(&session.environment.fleet);
    match known {
        Some(known) if known == server => steps.done("fleet", &format!("{name} is in {fleet} already"))?,
        Some(_) => {
            Fleet::change(&session.environment.fleet, name, &server)?;
            steps.done("fleet", &format!("{name} was changed in {fleet}"))?;
        }
        None => {
            Fleet::add(&session.environment.fleet, name, &server)?;
            steps.done("fleet", &format!("{name} is {} (in {fleet})", server.address))?;
        }
    }
    if let Some(domain) = arguments.domain.as_ref().filter(|_| arguments.https) {
        let view = reach::at_its_domain(session, name, &server, domain.as_str(), &machine).await?;
        steps.done("reached", &format!("mypaas {} answers at {}", view.version, server.address))?;
    }
    let took = units::duration(steps.total());
    session.screen.print(&format!("{name} is ready after {took}: mypaas push {name} DIR\n"))
}

/// As it will stand in the fleet.
fn entry(arguments: &Arguments, machine: &SshAddress) -> anyhow::Result<Server> {
    let address = match arguments.domain.as_ref().filter(|_| arguments.https) {
        Some(domain) => {
            let port = arguments.https_port.map(|port| format!(":{port}")).unwrap_or_default();
            format!("https://{}{port}", domain.as_str()).parse()?
        }
        None => Address::Ssh(machine.clone()),
    };
    let key = arguments.key.as_deref().map(lasting);
    Ok(Server { address, key, colour: arguments.mark, lock: arguments.lock, insecure: false })
}

/// This very server, if it is in the fleet already; an error when another one has the name.
fn known(session: &Session, name: &ServerName, server: &Server) -> anyhow::Result<Option<Server>> {
    match Fleet::load(&session.environment.fleet)?.server(name) {
        Some(known) if known.address != server.address => {
            Err(SetUpError::Taken { name: name.clone(), address: known.address.to_string() }.into())
        }
        known => Ok(known.cloned()),
    }
}

/// A known server, with what is given anew.
fn said_anew(given: &Server, known: &Server) -> Server {
    Server {
        address: known.address.clone(),
        key: given.key.clone().or_else(|| known.key.clone()),
        colour: given.colour.or(known.colour),
        lock: given.lock || known.lock,
        insecure: known.insecure,
    }
}

/// The operator's public key; none when there is none, or is to be none.
async fn key(arguments: &Arguments, session: &Session) -> anyhow::Result<Option<PublicKey>> {
    if arguments.no_key {
        return Ok(None);
    }
    let keys = OperatorKeys::new(&session.environment);
    let found = keys.public(arguments.key.as_deref()).await.context("no key was found that it could let in")?;
    if found.is_none() && arguments.https {
        return Err(SetUpError::NoKey.into());
    }
    if found.is_none() && !arguments.dry_run {
        session
            .screen
            .tell("note: you have no key yet, so it lets nobody in but by ssh; `mypaas key init` makes one\n");
    }
    Ok(found)
}

/// What is run there.
fn command(arguments: &Arguments, machine: &SshAddress, there: &There, key: Option<&PublicKey>, who: &str) -> String {
    let Arguments { domain, email, http_port, https_port, supervise, .. } = arguments;
    let mut command = format!("cd / && {} server init --yes", with_home(machine, there.sudo()));
    let _ = write!(command, " --user {}", quoted(&there.findings.user));
    for (flag, port) in [("http-port", http_port), ("https-port", https_port)] {
        if let Some(port) = port {
            let _ = write!(command, " --{flag} {port}");
        }
    }
    let line = key.map(|key| key.to_openssh(who));
    let texts =
        [("domain", domain.as_ref().map(Domain::as_str)), ("email", email.as_deref()), ("authorize", line.as_deref())];
    for (flag, text) in texts {
        if let Some(text) = text {
            let _ = write!(command, " --{flag} {}", quoted(text));
        }
    }
    if *supervise {
        command += " --supervise";
    }
    command
}

/// A server that was set up before keeps its program: replacing it is an upgrade.
async fn deliver(there: &There, steps: &mut Steps<'_>) -> anyhow::Result<()> {
    match &there.findings.program {
        Some(program) if there.is_same()? => steps.done("program", &format!("{} is there already", program.version)),
        Some(program) if there.findings.is_settled => {
            let told = format!("{} is there and stays; mypaas server upgrade replaces it", program.version);
            steps.done("program", &told)
        }
        _ => {
            there.upload().await?;
            let version = there.settle().await?;
            steps.done("program", &format!("{version} is in {}", mypaas::install::PROGRAM))
        }
    }
}

fn preview(
    steps: &Steps<'_>,
    arguments: &Arguments,
    there: &There,
    is_known: bool,
    session: &Session,
) -> anyhow::Result<()> {
    let findings = &there.findings;
    steps.would("machine", &format!("{}: {}", there.remote.destination(), init::describe(findings)))?;
    let program = match &findings.program {
        Some(program) if there.is_same()? => format!("{} is there already", program.version),
        Some(program) if findings.is_settled => format!("{} is there and would stay", program.version),
        _ => format!("{} would be brought to {}", there.program.display(), mypaas::install::PROGRAM),
    };
    steps.would("program", &program)?;
    let docker = match &findings.docker {
        Some(version) => format!("{version} is there"),
        None => "would be installed by apt".to_owned(),
    };
    steps.would("docker", &docker)?;
    let manager = if findings.has_systemd && !arguments.supervise { "systemd" } else { "a supervisor process" };
    steps.would("daemon", &format!("would be kept running by {manager}, as {}", findings.user))?;
    let fleet = session.environment.shown(&session.environment.fleet);
    let told = if is_known { "is in" } else { "would be added to" };
    steps.would("fleet", &format!("{} {told} {fleet}", arguments.name))?;
    steps.would("", "nothing was changed")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::fixture;

    #[test]
    fn of_a_known_server_only_what_is_given_anew_changes() {
        let folder = tempfile::tempdir().unwrap();
        let session = fixture::session(folder.path());
        let text = "[servers.shop]\naddress = \"ssh://ada@shop\"\nkey = \"~/.ssh/work\"\nlock = true\n";
        std::fs::write(&session.environment.fleet, text).unwrap();
        let name: ServerName = "shop".parse().unwrap();
        let given = |key: Option<&str>, colour, address: &str| Server {
            address: address.parse().unwrap(),
            key: key.map(lasting),
            colour,
            lock: false,
            insecure: false,
        };
        let plain = given(None, None, "ssh://ada@shop");
        let before = known(&session, &name, &plain).unwrap().unwrap();
        assert_eq!(said_anew(&plain, &before), before);
        let marked = said_anew(&given(Some("keys/new"), Some(Colour::Red), "ssh://ada@shop"), &before);
        assert!(marked.lock && marked.colour == Some(Colour::Red));
        let key = std::env::current_dir().unwrap().join("keys/new").display().to_string();
        assert_eq!(marked.key, Some(key), "it means the same file in every folder");
        assert!(known(&session, &name, &given(None, None, "ssh://ada@attic")).is_err());
        for lasts in ["~/.ssh/work", "SHA256:uEPjQDhzQ7cFvmLNXG7jPfcvTBGQ0UBP0Y7Nnnqr5DI", "/root/key"] {
            assert_eq!(lasting(lasts), lasts);
        }
    }
}
