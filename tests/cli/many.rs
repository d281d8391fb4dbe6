//! Several servers at once, and locked ones.

use std::os::unix::net::UnixListener;
use std::time::{Duration, Instant};

use mypaas::api::{Action, Deploy};
use serde_json::Value;

use super::leaving::answered;
use super::stage::{ROLLING, SINGLE, Stage};

/// Two servers, of which the first one's fleet knows both.
async fn two() -> (Stage, Stage) {
    let (one, two) = (Stage::new().await, Stage::new().await);
    one.write_fleet(&format!("{}{}", entry("one", &one, ""), entry("two", &two, "")));
    (one, two)
}

fn entry(name: &str, stage: &Stage, more: &str) -> String {
    format!("[servers.{name}]\naddress = \"unix://{}\"\n{more}\n", stage.socket().display())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_goes_to_each_server_and_tells_what_each_says() {
    let (one, two) = two().await;
    one.source("web", ROLLING);
    let pushed = one.run("push one,two web").succeeded();
    let pushed = pushed.shows(&["one │ d1: push of web", "two │ d1: push of web"]);
    assert!(pushed.out.lines().all(|line| line.starts_with("one │ ") || line.starts_with("two │ ")), "{pushed:?}");
    assert_eq!((one.engine.builds().len(), two.engine.builds().len()), (1, 1));
    one.run("releases all web").succeeded().shows(&["one │ r1", "two │ r1"]);
    one.run("deploys one,two,one").succeeded().shows(&["one │ d1", "two │ d1"]);
    let preview = one.run("restart all web --dry-run").succeeded();
    assert!(preview.out.contains("one │ ") && preview.out.contains("two │ "), "{preview:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_on_one_server_is_done_on_the_others_and_told() {
    let (one, two) = two().await;
    one.push("web", ROLLING);
    let restarted = one.run("restart two,one web");
    let restarted =
        restarted.failed(1, &["two │ error: there is no service web on two", "failed on 1 of 2 servers: two"]);
    assert!(restarted.out.contains("one │ "), "{restarted:?}");
    let json = one.run("restart one,two web --json").failed(1, &["{\"server\":\"two\",\"problem\":{"]);
    let lines = json.json_lines::<Value>();
    assert!(lines.iter().all(|line| line["server"] == "one"), "{json:?}");
    assert_eq!(lines.last().unwrap()["answer"]["event"], "finished", "{json:?}");
    assert!(two.engine.builds().is_empty());
    one.run("restart one,tow web").failed(2, &["no server is called tow", "did you mean two?"]);
    let deploys: Vec<Deploy> = one.run("deploys one --json").json();
    assert_eq!(deploys.iter().filter(|deploy| deploy.action == Action::Restart).count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_hangs_is_told_to_be_silent_and_holds_up_nobody() {
    let (one, two) = (Stage::new().await, Stage::new().await);
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("hangs.sock");
    // It takes connections and says nothing.
    let _hangs = UnixListener::bind(&socket).unwrap();
    let hangs = format!("[servers.hangs]\naddress = \"unix://{}\"\n", socket.display());
    one.write_fleet(&format!("{}{hangs}{}", entry("one", &one, ""), entry("two", &two, "")));
    let begun = Instant::now();
    let status = one.run("status").failed(1, &["the state of hangs is not known", "did not answer within 5s"]);
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    let (first, second) = (status.out.find("one: ").unwrap(), status.out.find("two: ").unwrap());
    assert!(first < second, "in order: {status:?}");
    let json = one.run("status --json").failed(1, &[]).json::<Value>();
    let names: Vec<_> = json.as_array().unwrap().iter().map(|status| status["server"].as_str().unwrap()).collect();
    assert_eq!(names, ["hangs", "one", "two"]);
    assert!(json[0]["problem"].is_object() && json[1]["snapshot"].is_object(), "{json}");
    one.run("servers").succeeded().shows(&["hangs", "does not answer"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_changed_on_a_locked_server_before_its_name_is_given() {
    let stage = Stage::new().await;
    stage.push("blog", SINGLE);
    stage.push("blog", SINGLE);
    stage.write_fleet(&entry("shop", &stage, "lock = true"));
    let deploys = || stage.run("deploys shop --json").succeeded().json::<Vec<Deploy>>().len();
    let before = deploys();
    for line in [
        "push shop blog",
        "redeploy shop blog",
        "restart shop blog",
        "rollback shop blog",
        "scale shop blog 2",
        "stop shop blog",
        "start shop blog",
        "remove shop blog --yes",
        "cancel shop d1",
        "pin shop blog r1",
        "unpin shop blog r1",
        "prune shop --yes",
        "env set shop TOKEN",
        "env unset shop TOKEN",
    ] {
        let refused = stage.run(line).failed(2, &["shop is locked", "--unlock shop"]);
        assert_eq!(refused.out, "", "{refused:?}");
    }
    assert_eq!(deploys(), before);
    for line in ["status shop", "releases shop blog", "logs shop blog", "audit shop", "disk shop", "env list shop"] {
        stage.run(line).succeeded();
    }
    stage.run("restart shop blog --dry-run").succeeded();

    let (code, told) = answered(&stage.command("restart shop blog"), "blog\n");
    assert!(code == 1 && told.contains("Type shop to change it") && told.contains("nothing was done"), "{told}");
    assert_eq!(deploys(), before);
    let (code, told) = answered(&stage.command("restart shop blog"), "shop\n");
    assert_eq!(code, 0, "{told}");
    stage.run("restart shop blog --unlock attic").failed(2, &["shop is locked"]);
    stage.run("restart shop blog --unlock shop").succeeded();
    assert_eq!(deploys(), before + 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_machine_is_not_changed_either() {
    let stage = Stage::new().await;
    stage.write_fleet("[servers.shop]\naddress = \"ssh://root@127.0.0.1:1\"\nlock = true\n");
    for line in ["server add shop root@127.0.0.1 --port 1 --no-key", "server upgrade shop"] {
        stage.run(line).failed(2, &["shop is locked", "--unlock shop"]);
        // Nobody listens there, so it goes no further.
        stage.run(&format!("{line} --unlock shop")).failed(1, &["ssh does not get to"]);
    }
    let look = "server add shop root@127.0.0.1 --port 1 --no-key --dry-run";
    stage.run(look).failed(1, &["ssh does not get to"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_are_added_listed_and_forgotten_as_a_new_user_would() {
    let stage = Stage::new().await;
    let unix = format!("unix://{}", stage.socket().display());
    stage.run("servers").succeeded().shows(&["local", "answers"]);
    for (line, code, told) in [
        ("servers add", 2, ["<NAME>", "<ADDRESS>"]),
        ("servers add shop", 2, ["<ADDRESS>", "--help"]),
        ("servers add Shop https://paas.example.com", 2, ["not allowed in a name", "--help"]),
        ("servers add shop paas.example.com", 2, ["https://domain", "ssh://user@host"]),
        ("servers add shop http://paas.example.com", 1, ["reads along", "nothing was added"]),
        ("servers add shop https://paas.example.com --mark pink", 2, ["red, yellow, green", "--help"]),
        ("servers remove shop", 1, ["shop", "hint:"]),
    ] {
        stage.run(line).failed(code, &told);
    }
    stage.run(&format!("servers add shop {unix} --mark red --lock")).succeeded().shows(&["mypaas status shop"]);
    stage.run(&format!("servers add shop {unix}")).failed(1, &["shop", "hint:"]);
    stage.run("servers add attic ssh://ada@attic.example.com").succeeded();
    stage.run("servers list").succeeded().shows(&["shop", "red, locked", "answers", "ssh://ada@attic.example.com"]);
    stage.run("status shop").succeeded();
    stage.run("servers remove attic").succeeded().shows(&["forgotten"]);
    let listed = stage.run("servers").succeeded();
    assert!(!listed.out.contains("attic"), "{listed:?}");
}
