//! `mypaas completions`: what a shell needs to complete our command line.

use clap::{Args, Command, CommandFactory};
use clap_complete::Shell;

use crate::cli::args::Cli;
use crate::cli::output::Screen;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    shell: Shell,
}

pub(crate) fn run(arguments: &Arguments, screen: &Screen) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut shown(), "mypaas", &mut script);
    screen.print(&String::from_utf8(script)?)
}

/// Everything but the verbs that no help names.
fn shown() -> Command {
    let all = Cli::command();
    let verbs = all.get_subcommands().filter(|verb| !verb.is_hide_set()).cloned();
    Command::new("mypaas").args(all.get_arguments().cloned()).subcommands(verbs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_verbs_are_not_completed() {
        let names: Vec<_> = shown().get_subcommands().map(|verb| verb.get_name().to_owned()).collect();
        assert!(names.contains(&"push".to_owned()) && !names.contains(&"demo".to_owned()), "{names:?}");
        assert!(Cli::command().get_subcommands().any(|verb| verb.get_name() == "demo"));
    }
}
