//! What only a real network and real processes can show.

use std::net::TcpListener;
use std::process::Command;
use std::time::Duration;

use bollard::models::NetworkCreateRequest;
use bollard::query_parameters::{BuildImageOptionsBuilder, TagImageOptionsBuilder, TopOptions};
use futures_util::TryStreamExt;
use mypaas::engine::{
    Bind, Build, BuildLimits, ContainerSpec, DockerEngine, DockerSettings, Engine, EngineError, LogLine, LogQuery,
    LogStream, Probe, ProbeAnswer, Secret, StoredImage, Whose,
};
use mypaas::manifest::{CpuLimit, MemoryLimit, Protocol, Publish};
use mypaas::name::ImageName;

use crate::docker::InDocker;
use crate::exec::{read_until, shell};
use crate::fixture::{App, Fixture, PORT, eventually};
use crate::support::app;
use crate::support::sweep::TEST;

#[tokio::test]
async fn containers_find_each_other_by_their_aliases() {
    let on = InDocker::new().await;
    let mut spec = on.spec("shop", App::Serves).await;
    spec.aliases = vec!["shop".into(), "shop.1".into()];
    on.engine().create(&spec).await.unwrap();
    on.engine().start(&spec.name).await.unwrap();
    let asker = on.run_until_it_listens("asker", App::Serves).await;
    for name in ["shop", "shop.1", spec.name.as_str()] {
        let found = on.ask(&asker, &format!("/resolve/{name}")).await.unwrap();
        assert_eq!(found, spec.address.to_string(), "{name}");
    }
    assert_eq!(on.ask(&asker, "/resolve/nobody-has-this-name.shop").await.unwrap(), "none");
}

#[tokio::test]
async fn a_container_that_comes_back_elsewhere_is_found_by_its_names() {
    let on = InDocker::new().await;
    let shop = on.run("shop", App::Serves).await;
    on.engine().stop(&shop.name, Duration::from_secs(5)).await.unwrap();
    let to = on.free_address().await;
    on.engine().readdress(&shop.name, to, &["shop".into()]).await.unwrap();
    on.engine().start(&shop.name).await.unwrap();
    let asker = on.run_until_it_listens("asker", App::Serves).await;
    for name in ["shop", shop.name.as_str()] {
        assert_eq!(on.ask(&asker, &format!("/resolve/{name}")).await.unwrap(), to.to_string(), "{name}");
    }
}

#[tokio::test]
async fn a_command_whose_terminal_was_left_is_hung_up_on() {
    let on = InDocker::new().await;
    let container = on.run_until_it_listens("web", App::Serves).await;
    let processes = async || {
        let top = on.docker.top_processes(container.name.as_str(), None::<TopOptions>).await.unwrap();
        top.processes.unwrap_or_default().len()
    };
    let mut session = on.engine().exec(&container.name, &shell()).await.unwrap();
    read_until(&mut session, "$ ").await.unwrap();
    assert_eq!(processes().await, 2);
    drop(session);
    eventually("the shell is gone", async || (processes().await == 1).then_some(())).await;
}

#[tokio::test]
async fn connections_are_counted_while_they_are_open() {
    let on = InDocker::new().await;
    let container = on.run_until_it_listens("web", App::Serves).await;
    let count = async || on.engine().connections(&container.name).await.unwrap();
    assert_eq!(count().await, Some(0));
    let connect = async || tokio::net::TcpStream::connect((container.address, PORT)).await.unwrap();
    let (first, second) = (connect().await, connect().await);
    assert_eq!(count().await, Some(2));
    drop((first, second));
    eventually("they are gone", async || (count().await == Some(0)).then_some(())).await;
}

#[tokio::test]
async fn who_asked_for_a_container_in_vain_knows_it_as_soon_as_it_runs() {
    let on = InDocker::new().await;
    let asker = on.run_until_it_listens("asker", App::Serves).await;
    let spec = on.spec("web", App::Serves).await;
    on.engine().create(&spec).await.unwrap();
    let details = on.docker.inspect_container(asker.name.as_str(), None).await.unwrap();
    let pid = details.state.unwrap().pid.unwrap().to_string();
    let there = |script: &str| {
        let said = Command::new("nsenter").args(["--net", "--target", &pid, "bash", "-c", script]).output().unwrap();
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
        String::from_utf8(said.stdout).unwrap()
    };
    let knows = || {
        let neighbours = there("cat /proc/net/arp");
        let entry = neighbours.lines().find(|line| line.split_whitespace().next() == Some(&spec.address.to_string()));
        entry.map(|entry| entry.split_whitespace().nth(2) == Some("0x2"))
    };
    there(&format!("echo >/dev/udp/{}/9", spec.address));
    // It asks three times, a second apart, and then no more.
    tokio::time::sleep(Duration::from_millis(3500)).await;
    assert_ne!(knows(), Some(true));
    on.engine().start(&spec.name).await.unwrap();
    // On a busy machine the kernel takes in a moment later what was told; nobody asks again meanwhile.
    eventually("it is known", async || (knows() == Some(true)).then_some(())).await;
}

#[tokio::test]
async fn a_port_that_another_process_listens_on_is_told_by_its_number() {
    let on = InDocker::new().await;
    let holder = TcpListener::bind("0.0.0.0:0").unwrap();
    let port = holder.local_addr().unwrap().port();
    let mut spec = on.spec("web", App::Serves).await;
    spec.publish = vec![Publish {
        address: None,
        host_port: port.try_into().ok(),
        container_port: PORT.try_into().unwrap(),
        protocol: Protocol::Tcp,
    }];
    on.engine().create(&spec).await.unwrap();
    let error = on.engine().start(&spec.name).await.unwrap_err();
    assert_eq!(error.to_string(), format!("port {port} of this server is taken"));
}

#[tokio::test]
async fn a_line_longer_than_docker_s_pieces_is_whole() {
    let on = InDocker::new().await;
    let container = on.run_until_it_listens("web", App::Serves).await;
    on.ask(&container, "/long/40000").await.unwrap();
    on.write(&container, LogStream::Stdout, "short").await;
    let lines = eventually("both lines are there", async || {
        let lines = on.engine().logs(&container.name, &LogQuery::default()).await.unwrap();
        let lines: Vec<LogLine> = lines.try_collect().await.unwrap();
        (lines.len() >= 2).then_some(lines)
    })
    .await;
    assert_eq!(lines.iter().map(|line| line.text.len()).collect::<Vec<_>>(), [40_000, 5]);
}

#[tokio::test]
async fn a_probe_sees_the_status_and_takes_redirects_for_an_answer() {
    let on = InDocker::new().await;
    let container = on.run_until_it_listens("web", App::Serves).await;
    for (path, detail, is_ready) in [("/status/302", "HTTP 302", true), ("/status/503", "HTTP 503", false)] {
        let probe = Probe::Http { port: PORT, path: path.into(), timeout: Duration::from_secs(5) };
        let answer = on.engine().probe(&container.name, &probe).await.unwrap();
        let detail = detail.to_owned();
        let expected = if is_ready { ProbeAnswer::Ready { detail } } else { ProbeAnswer::NotReady { detail } };
        assert_eq!(answer, expected);
    }
}

#[tokio::test]
async fn environment_and_folders_reach_the_process() {
    let on = InDocker::new().await;
    let folder = tempfile::tempdir().unwrap();
    let mut spec = on.spec("web", App::Serves).await;
    spec.env.insert("LINES".into(), Secret::new("from the environment".into()));
    spec.binds = vec![Bind { server_dir: folder.path().into(), container_dir: "/data".into(), read_only: true }];
    on.engine().create(&spec).await.unwrap();
    on.engine().start(&spec.name).await.unwrap();
    let line = eventually("the line is there", async || {
        let lines = on.engine().logs(&spec.name, &LogQuery::default()).await.unwrap();
        lines.try_collect::<Vec<LogLine>>().await.unwrap().pop()
    })
    .await;
    assert_eq!(line.text, "from the environment");
    let inspected = on.docker.inspect_container(spec.name.as_str(), None).await.unwrap();
    let mount = inspected.mounts.unwrap().pop().unwrap();
    assert_eq!(mount.source.as_deref(), folder.path().to_str());
    assert_eq!((mount.destination.as_deref(), mount.rw), (Some("/data"), Some(false)));
}

#[tokio::test]
async fn an_instruction_for_buildkit_is_explained() {
    let on = InDocker::new().await;
    let dockerfile = format!("{}RUN --mount=type=cache,target=/x true\n", on.dockerfile(App::Serves));
    let error = build(&on, &dockerfile).await.unwrap_err();
    assert!(error.to_string().contains("--mount option requires BuildKit, which this server"), "{error}");
}

#[tokio::test]
async fn a_mistake_in_the_dockerfile_is_told_with_its_line() {
    let on = InDocker::new().await;
    let error = build(&on, "FROM scratch\nCOPPY app /app\n").await.unwrap_err();
    assert!(matches!(&error, EngineError::Build { message } if message.contains("line 2")), "{error:?}");
}

#[tokio::test]
async fn releases_that_share_layers_are_counted_by_what_each_has_alone() {
    let on = InDocker::new().await;
    let first = on.build("web", 1, App::Serves).await;
    let more = format!("{}COPY app /second\n", on.dockerfile(App::Serves));
    let second = on.engine().build(on.build_of("web", 2, &more), &mut |_| {}).await.unwrap();
    let storage = on.engine().storage().await.unwrap();
    let layers = |name: &ImageName| {
        let is_it = |image: &&StoredImage| matches!(&image.whose, Whose::Ours { names, .. } if names.contains(name));
        storage.images.iter().find(is_it).unwrap().layers.clone()
    };
    let (first_layers, second_layers) = (layers(&first), layers(&second.name));
    assert_eq!((first_layers.len(), second_layers.len()), (1, 2));
    assert_eq!(first_layers[0], second_layers[0]);
    let bytes = on.engine().image(&first).await.unwrap().unwrap().bytes;
    assert_eq!(second_layers.iter().map(|layer| storage.layers[layer]).collect::<Vec<_>>(), [bytes, bytes]);
}

/// What a build may use, as an instruction sees it.
async fn limits_seen(on: &InDocker, release: u64, limits: BuildLimits) -> Vec<String> {
    let run = format!("ENV RELEASE={release}\nRUN [\"/app\", \"limits\"]\n");
    let build = on.build_of("web", release, &(on.dockerfile(App::Serves) + &run));
    let mut lines = Vec::new();
    on.engine().build(Build { limits, ..build }, &mut |line| lines.push(line)).await.unwrap();
    lines
}

#[tokio::test]
async fn limits_of_a_build_reach_its_instructions() {
    let on = InDocker::new().await;
    // More than the library's own option can say.
    let bytes = 3 << 30;
    let limits = BuildLimits {
        cpu_shares: 128,
        max_cpu: Some(CpuLimit { nano_cpus: 1_500_000_000 }),
        max_mem: Some(MemoryLimit { bytes }),
    };
    let seen = limits_seen(&on, 1, limits).await;
    let first = ["cpu.shares: 128", "cpu.cfs_quota_us: 150000", "cpu.cfs_period_us: 100000"].map(str::to_owned);
    let second = ["cpu.max: 150000 100000".to_owned(), format!("memory.max: {bytes}")];
    let has = |wanted: &[String]| wanted.iter().all(|line| seen.contains(line));
    assert!(has(&[&first[..], &[format!("memory.limit_in_bytes: {bytes}")]].concat()) || has(&second), "{seen:?}");

    let seen = limits_seen(&on, 2, BuildLimits::default()).await;
    let free = ["cpu.cfs_quota_us: -1".to_owned(), "cpu.max: max 100000".to_owned()];
    assert!(seen.iter().any(|line| free.contains(line)), "{seen:?}");
    assert!(!seen.iter().any(|line| line.ends_with(&bytes.to_string())), "{seen:?}");
}

/// Two releases that were built from the same files are one image with two names.
#[tokio::test]
async fn an_image_with_several_names_says_so() {
    let on = InDocker::new().await;
    let first = on.build("web", 1, App::Serves).await;
    let second = on.build("web", 2, App::Serves).await;
    let tag = |tag: &str| TagImageOptionsBuilder::default().repo(&format!("mine-{}", on.instance())).tag(tag).build();
    let whose = async || {
        let storage = on.engine().storage().await.unwrap();
        let ours = |image: StoredImage| match image.whose {
            Whose::Ours { mut names, named_by_others } => {
                names.sort();
                Some((names, named_by_others))
            }
            _ => None,
        };
        storage.images.into_iter().find_map(ours).unwrap()
    };
    assert_eq!(whose().await, (vec![first.clone(), second.clone()], false));
    on.docker.tag_image(first.as_str(), Some(tag("1"))).await.unwrap();
    assert_eq!(whose().await, (vec![first.clone(), second], true));
    on.engine().remove_image(&first).await.unwrap();
    assert_eq!(whose().await.0.len(), 1);
}

/// Docker would take it along with the image that was built on it.
#[tokio::test]
async fn a_stranger_s_image_without_a_name_outlives_ours_that_was_built_on_it() {
    let on = InDocker::new().await;
    let base = format!("base-{}:1", on.instance());
    let from = |dockerfile: &str| {
        let options = BuildImageOptionsBuilder::default().t(&base).rm(true).build();
        let body = bollard::body_try_stream(app::context(dockerfile));
        on.docker.build_image(options, None, Some(body)).try_collect::<Vec<_>>()
    };
    let old = format!("FROM scratch\nLABEL {TEST}={}\nCOPY app /base\n", on.instance());
    from(&old).await.unwrap();
    let stranger = on.docker.inspect_image(&base).await.unwrap().id.unwrap();
    let ours = on.build_of("web", 1, &format!("FROM {base}\nCOPY app /app\nCMD [\"/app\"]\n"));
    let ours = on.engine().build(ours, &mut |_| {}).await.unwrap();
    // It loses its name to a newer one.
    from(&format!("{old}LABEL newer=yes\n")).await.unwrap();
    assert!(on.docker.inspect_image(&stranger).await.unwrap().repo_tags.is_none_or(|tags| tags.is_empty()));

    on.engine().remove_image(&ours.name).await.unwrap();
    on.docker.inspect_image(&stranger).await.expect("the stranger's image is there");
    let left = on.engine().storage().await.unwrap().images;
    assert!(left.iter().all(|image| image.whose == Whose::Others), "nothing of ours is left: {left:?}");
}

/// Its name goes to the new image; the old one stays for whoever made it.
#[tokio::test]
async fn a_stranger_s_image_of_the_name_that_is_built_is_not_removed() {
    let on = InDocker::new().await;
    let name = on.build_of("web", 1, "FROM scratch\n").name;
    let options = BuildImageOptionsBuilder::default().t(name.as_str()).rm(true).build();
    let dockerfile = format!("FROM scratch\nLABEL {TEST}={}\nCOPY app /mine\n", on.instance());
    let body = bollard::body_try_stream(app::context(&dockerfile));
    on.docker.build_image(options, None, Some(body)).try_collect::<Vec<_>>().await.unwrap();
    let stranger = on.docker.inspect_image(name.as_str()).await.unwrap().id.unwrap();
    on.build("web", 1, App::Serves).await;
    on.docker.inspect_image(&stranger).await.expect("the stranger's image is there");
}

/// Built by hand on an image of ours, it has our labels.
#[tokio::test]
async fn a_stranger_s_leftover_is_not_taken_for_ours() {
    let on = InDocker::new().await;
    let ours = on.build("web", 1, App::Serves).await;
    let options = BuildImageOptionsBuilder::default().rm(true).build();
    let body = bollard::body_try_stream(app::context(&format!("FROM {ours}\nCOPY app /mine\n")));
    on.docker.build_image(options, None, Some(body)).try_collect::<Vec<_>>().await.unwrap();
    let storage = on.engine().storage().await.unwrap();
    assert!(storage.images.iter().all(|image| image.whose != Whose::Leftover), "{storage:?}");
}

/// An image of ours whose name another one took, as when the server is killed before it could remove it.
async fn nameless(on: &InDocker) -> String {
    let name = on.build("web", 1, App::Serves).await;
    let image = on.engine().image(&name).await.unwrap().unwrap();
    let options = BuildImageOptionsBuilder::default().t(name.as_str()).rm(true).build();
    let dockerfile = format!("FROM scratch\nLABEL {TEST}={}\n", on.instance());
    let body = bollard::body_try_stream(app::context(&dockerfile));
    on.docker.build_image(options, None, Some(body)).try_collect::<Vec<_>>().await.unwrap();
    image.id
}

async fn whose(on: &InDocker, id: &str) -> Option<Whose> {
    let images = on.engine().storage().await.unwrap().images;
    images.into_iter().find(|found| found.id == id).map(|found| found.whose)
}

#[tokio::test]
async fn an_image_of_ours_that_lost_its_name_is_a_leftover() {
    let on = InDocker::new().await;
    let id = nameless(&on).await;
    assert_eq!(whose(&on, &id).await, Some(Whose::Leftover));
    on.engine().remove_leftover(&id).await.unwrap();
    assert_eq!(whose(&on, &id).await, None);
}

#[tokio::test]
async fn an_image_of_ours_that_has_no_name_is_found_by_its_service() {
    let on = InDocker::new().await;
    let id = nameless(&on).await;
    let remove = async |service: &str| on.engine().remove_nameless(&service.parse().unwrap()).await.unwrap();
    remove("other").await;
    assert_eq!(whose(&on, &id).await, Some(Whose::Leftover), "that was another service's");
    remove("web").await;
    assert_eq!(whose(&on, &id).await, None);
    remove("web").await;
}

#[tokio::test]
async fn an_image_of_ours_that_lost_its_name_goes_with_the_next_build_of_its_service() {
    let on = InDocker::new().await;
    let id = nameless(&on).await;
    on.build("other", 1, App::Serves).await;
    assert_eq!(whose(&on, &id).await, Some(Whose::Leftover), "that was another service's");
    let other = format!("{}\nENV EDITION=2\n", on.dockerfile(App::Serves));
    on.engine().build(on.build_of("web", 2, &other), &mut |_| {}).await.unwrap();
    assert_eq!(whose(&on, &id).await, None);
}

async fn build(on: &InDocker, dockerfile: &str) -> Result<(), EngineError> {
    on.engine().build(on.build_of("web", 1, dockerfile), &mut |_| {}).await.map(|_| ())
}

#[tokio::test]
async fn two_instances_have_networks_of_their_own() {
    let (one, two) = tokio::join!(InDocker::new(), InDocker::new());
    let (first, second) = tokio::join!(one.engine().ensure_network(), two.engine().ensure_network());
    let (first, second) = (first.unwrap(), second.unwrap());
    assert!(!first.subnet.overlaps(&second.subnet), "{first:?} {second:?}");
    assert_eq!(one.engine().ensure_network().await.unwrap(), first, "asking again changes nothing");
}

#[tokio::test]
async fn asking_for_the_network_many_times_at_once_makes_one() {
    let on = InDocker::new().await;
    on.docker.remove_network(&format!("{}-net", on.instance())).await.unwrap();
    let asked = futures_util::future::try_join_all((0..4).map(|_| on.engine().ensure_network())).await.unwrap();
    assert!(asked.windows(2).all(|pair| pair[0] == pair[1]), "{asked:?}");
}

#[tokio::test]
async fn a_container_whose_network_was_removed_is_made_anew() {
    let on = InDocker::new().await;
    let spec = on.spec("web", App::Serves).await;
    on.engine().create(&spec).await.unwrap();
    on.engine().start(&spec.name).await.unwrap();
    on.engine().stop(&spec.name, Duration::from_secs(10)).await.unwrap();
    on.docker.remove_network(&format!("{}-net", on.instance())).await.unwrap();
    let network = on.engine().ensure_network().await.unwrap();
    let again = ContainerSpec { address: network.subnet.hosts().nth(1).unwrap(), ..spec };
    on.engine().create(&again).await.unwrap();
    on.engine().start(&again.name).await.unwrap();
    assert!(on.engine().inspect(&again.name).await.unwrap().is_running());
}

#[tokio::test]
async fn a_stranger_s_network_of_our_name_is_refused() {
    let on = InDocker::new().await;
    let instance = format!("{}-x", on.instance());
    let name = format!("{instance}-net");
    let label = [("mypaas.instance".to_owned(), on.instance().to_string())].into();
    let request = NetworkCreateRequest { name: name.clone(), labels: Some(label), ..Default::default() };
    on.docker.create_network(request).await.unwrap();
    let other = DockerEngine::connect(DockerSettings::local(instance.parse().unwrap())).unwrap();
    let error = other.ensure_network().await.unwrap_err();
    assert!(matches!(&error, EngineError::NotOurs { what: "network", name: told } if *told == name), "{error:?}");
}

#[tokio::test]
async fn an_engine_that_is_not_there_is_told_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("docker.sock");
    let settings = |endpoint: String| DockerSettings { endpoint, ..DockerSettings::local(Default::default()) };
    for endpoint in [format!("unix://{}", missing.display()), "tcp://127.0.0.1:1".to_owned()] {
        let error = DockerEngine::connect(settings(endpoint.clone())).unwrap_err();
        assert!(matches!(&error, EngineError::Unreachable { endpoint: told, .. } if *told == endpoint), "{error:?}");
    }
    // A socket without anybody behind it.
    drop(std::os::unix::net::UnixListener::bind(&missing).unwrap());
    let error = DockerEngine::connect(settings(missing.display().to_string())).unwrap().info().await.unwrap_err();
    assert!(matches!(error, EngineError::Unreachable { .. }), "{error:?}");
}

#[tokio::test]
async fn the_engine_says_what_it_is() {
    let on = InDocker::new().await;
    let info = on.engine().info().await.unwrap();
    assert_eq!(info.name, "Docker");
    assert!(info.version.starts_with(|first: char| first.is_ascii_digit()), "{}", info.version);
    assert!(info.cpus > 0 && info.memory_bytes > 0);
}
