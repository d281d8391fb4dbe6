//! `mypaas server adopt`: takes over what the Python original runs on this machine.

mod daemon;

use mypaas::server::{self, AdoptStep};

use self::daemon::{Daemon, Stopped};
use crate::cli::output::foreign;
use crate::cli::output::units;
use crate::cli::refused::Refusal;
use crate::cli::session::Session;

/// What surrounds it, for its help.
pub(crate) const HELP: &str = "\
The original's daemon is stopped, and starts no more. Its services run on as they are, and become services of this server,
each with a first release; the next push of one replaces its containers. Requests go to our router from then on; those under
way end where they are. config.toml, authorized_keys and acme.json stay. Nothing is changed unless all can be taken over;
`docker start traefik` and `systemctl enable --now mypaasd` undo it, as long as nothing was pushed.";

pub(crate) async fn run(session: &Session) -> anyhow::Result<()> {
    let _whole = session.whole().begin().await;
    let daemon = Daemon::of_this_machine();
    let stopped = daemon.stop().await?;
    let mut written = Ok(());
    let mut print = |text: &str| {
        let printed = session.screen.print(text);
        if written.is_ok() {
            written = printed;
        }
    };
    if stopped.is_some() {
        print("stopped and disabled mypaasd, the original's daemon\n");
    }
    let mut begun = false;
    let adopted = server::adopt(&session.environment.place(), |step| {
        begun |= matches!(step, AdoptStep::Begun { .. });
        print(&told(&step));
    })
    .await;
    let Err(problem) = adopted else {
        print("all of it is taken over\n");
        return written;
    };
    if let Some(stopped) = stopped {
        print(&after_failure(&daemon, stopped, begun).await);
    }
    Err(Refusal { first: Box::new(problem), others: Vec::new() }.into())
}

/// The daemon knows no container by a name that we gave it: it goes on only when none has one.
async fn after_failure(daemon: &Daemon, stopped: Stopped, begun: bool) -> String {
    if begun {
        return "mypaasd stays stopped, as part of it may be taken over; `mypaas server adopt` goes on from there\n"
            .to_owned();
    }
    daemon.start_again(stopped).await
}

fn told(step: &AdoptStep) -> String {
    match step {
        AdoptStep::Begun { services } => {
            format!("nothing hinders it: {} to take over\n", units::counted(*services as u64, "service"))
        }
        AdoptStep::Service { service, release, containers, notes } => {
            let count = units::counted(*containers as u64, "container");
            let notes = notes.iter().map(|note| format!("  note: {}\n", foreign::line(note, false)));
            format!("{service}: {release} is live, in {count} that run on\n{}", notes.collect::<String>())
        }
        AdoptStep::Known { service } => format!("{service}: taken over before\n"),
        AdoptStep::Statistics { container } => {
            format!(
                "{container}, the original's figures, runs on without a route; `docker rm -f {container}` removes it\n"
            )
        }
        AdoptStep::Router { old, gap: None } => {
            format!("requests come to our router; {old} is stopped, `docker rm {old}` removes it\n")
        }
        AdoptStep::Router { old, gap: Some(gap) } => {
            format!("requests come to our router, and for {} came to none; {old} is stopped\n", units::duration(*gap))
        }
        AdoptStep::NoRouter => "the original's router did not run; ours does\n".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::daemon::fake::{changes, daemon};
    use super::*;

    #[tokio::test]
    async fn the_original_s_daemon_goes_on_when_nothing_was_taken_over() {
        for (begun, expected) in
            [(false, &["disable --now mypaasd", "enable --now mypaasd"][..]), (true, &["disable --now mypaasd"])]
        {
            let folder = tempfile::tempdir().unwrap();
            let daemon = daemon(folder.path(), "nothing");
            let stopped = daemon.stop().await.unwrap().unwrap();
            let told = after_failure(&daemon, stopped, begun).await;
            assert_eq!(changes(folder.path()), expected);
            assert_eq!(told.contains("stays stopped"), begun, "{told}");
        }
    }
}
