use clap::CommandFactory;

use super::args::Cli;

/// Every verb, with arguments that are right.
const RIGHT: &[&str] = &[
    "",
    "--ascii --theme light",
    "serve",
    "--serve",
    "--serve --log-format json",
    "serve --log-format human",
    "push local .",
    "push local app/Dockerfile.prod --json",
    "push local . --dry-run",
    "push local . --plan",
    "deploy .",
    "server deploy .",
    "server init",
    "server init --domain paas.example.com --email a@example.com --authorize key.pub --yes",
    "server init --no-domain --http-port 8080 --https-port 0 --user ada --supervise --dry-run",
    "server status --json",
    "server restart all",
    "server restart router --user ada",
    "server schedule-reboot",
    "server schedule-reboot 03:00",
    "server schedule-reboot +2h",
    "server schedule-reboot --cancel",
    "server add shop ada@shop.example.com --port 2222 --domain paas.example.com --https --lock --mark red",
    "server add shop shop:2222/srv/mypaas --no-key --binary mypaas --accept-new-host-key --dry-run",
    "server upgrade shop",
    "server upgrade shop --ssh ada@shop --limit 30",
    "check",
    "check dir --json",
    "status",
    "alerts local --test --json",
    "alerts shop,attic --json",
    "figures local web --span day --plain",
    "figures shop,attic",
    "status local",
    "status local hello --json",
    "--color never status",
    "status --colour always",
    "releases local hello",
    "pin local hello r12",
    "unpin local hello r12 --json",
    "deploys local",
    "deploys local team/app -n 5",
    "follow local d41",
    "cancel local d41 --json",
    "redeploy local hello",
    "rollback local hello",
    "rollback local hello r12 --dry-run",
    "scale local hello 3",
    "restart local hello",
    "stop local hello",
    "start local hello",
    "remove local hello --yes",
    "logs local hello -f --tail 5 --since 5m --container hello.r1.1 --timestamps",
    "disk local --json",
    "prune local",
    "prune local --keep 2 --yes --json",
    "prune local --dry-run",
    "servers --json",
    "key init",
    "key init --type rsa --no-passphrase",
    "key init --use ~/.ssh/id_ed25519",
    "key gen --comment ci",
    "key get --original",
    "key_get",
    "key-init",
    "audit local --service web -n 5 --json",
    "restart shop,attic web --unlock shop --unlock attic",
    "push all . --dry-run",
    "status shop,attic",
    "server dial-stdio",
    "completions bash",
    "json",
];

/// What is typed wrongly, and a part of the answer.
const WRONG: &[(&str, &str)] = &[
    ("server add shop -oProxyCommand=x", "unexpected argument"),
    ("server add shop ada@-x", "its host name is none"),
    ("server add shop ada@shop --https", "--domain"),
    ("server init --domain https://paas.example.com", "is no domain"),
    ("server init --domain a.example --no-domain", "cannot be used with"),
    ("server schedule-reboot tomorrow", "is no time for a reboot"),
    ("server restart everything", "all, daemon, router"),
    ("statsu", "similar subcommands exist: 'start', 'status'"),
    ("push", "<SERVER>"),
    ("push local", "<DIR>"),
    ("push Local .", "'L' at position 0 is not allowed in a name"),
    ("scale local hello", "<N>"),
    ("scale local hello 0", "use `mypaas stop SERVER SERVICE`"),
    ("scale local hello many", "1 or more"),
    ("rollback local hello 12", "releases are written r1, r2"),
    ("pin local hello", "<RELEASE>"),
    ("unpin local hello 12", "releases are written r1, r2"),
    ("follow local 41", "deploy ids are written d1, d2"),
    ("logs local hello --since soon", "90s, 5m, 2h, 1d"),
    ("deploys local --limit 0", "not in 1..=1000"),
    ("disk", "<SERVER>"),
    ("prune local --keep 0", "it takes a whole number of releases, 1 or more"),
    ("logs local web --tail x", "it takes a whole number of lines"),
    ("prune local web", "unexpected argument 'web'"),
    ("completions klingon", "possible values"),
    ("--log-format json", "unexpected argument"),
    ("--ascii status", "cannot be used with"),
    ("shell local", "<SERVICE>"),
    ("status --ascii", "unexpected argument"),
    ("server", "deploy"),
];

fn parse(line: &str) -> Result<Cli, clap::Error> {
    Cli::read(std::iter::once("mypaas").chain(line.split_whitespace()))
}

#[test]
fn the_tree_of_commands_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn right_command_lines_are_taken() {
    for line in RIGHT {
        if let Err(error) = parse(line) {
            panic!("{line}: {error}");
        }
    }
}

#[test]
fn wrong_command_lines_are_answered_with_what_would_be_right() {
    for (line, expected) in WRONG {
        let told = parse(line).map(|_| ()).unwrap_err().to_string();
        assert!(told.contains(expected), "{line}: {told}");
    }
}

#[test]
fn json_is_asked_for_by_verbs_and_their_verbs() {
    let asks = |line: &str| parse(line).unwrap().json;
    assert!(asks("status --json") && asks("server deploy . --json"));
    assert!(!asks("") && !asks("status") && !asks("completions bash"));
}

#[test]
fn the_help_of_every_verb_says_what_it_takes() {
    let mut command = Cli::command().term_width(100);
    command.build();
    insta::assert_snapshot!("help", command.render_long_help().to_string());
    let shown = command.get_subcommands().filter(|verb| !verb.is_hide_set());
    let names: Vec<String> = shown.map(|verb| verb.get_name().to_owned()).collect();
    for name in names.iter().filter(|name| *name != "help" && *name != "json") {
        let verb = command.find_subcommand_mut(name).unwrap();
        let help = verb.clone().term_width(100).render_long_help().to_string();
        insta::assert_snapshot!(format!("help-{name}"), help);
    }
}

#[test]
fn the_program_only_asks_for_what_it_documents() {
    let help = Cli::command().render_long_help().to_string();
    for variable in ["MYPAAS_HOME", "MYPAAS_LOG", "DOCKER_HOST", "DOCKER_CONFIG", "NO_COLOR"] {
        assert!(help.contains(variable), "{variable}");
    }
}
