//! The same by hand: `docker build` with one changed file, `docker run`, and the first answer through a Traefik that
//! knows the way already. Nothing can be quicker that uses these.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use mypaas::engine::Subnet;
use tokio::time::{sleep, timeout};

use crate::project::Project;
use crate::server::Server;
use crate::{docker, edition, median};

const HOST: &str = "floor.test";

/// Until what was run answers.
const LIMIT: Duration = Duration::from_secs(60);

const LOOK_AGAIN: Duration = Duration::from_millis(5);

pub(crate) struct Floor {
    instance: String,
    web: SocketAddr,
    addresses: Vec<Ipv4Addr>,
    project: Project,
}

/// Medians.
pub(crate) struct Floors {
    pub(crate) build: Duration,
    pub(crate) run: Duration,
    pub(crate) answer: Duration,
    /// To stop and remove what ran before, which is no part of the floor.
    pub(crate) retire: Duration,
}

impl Floors {
    pub(crate) fn sum(&self) -> Duration {
        self.build + self.run + self.answer
    }
}

impl Floor {
    /// Tells Traefik where the containers will be.
    pub(crate) async fn prepare(server: &Server, web: SocketAddr, containers: usize) -> Self {
        let instance = server.instance().to_string();
        let format = "{{(index .IPAM.Config 0).Subnet}}{{range .Containers}} {{.IPv4Address}}{{end}}";
        let network = docker(&["network", "inspect", "-f", format, &format!("{instance}-net")]).await;
        let (subnet, used) = network.split_once(' ').unwrap();
        let is_free = |host: &Ipv4Addr| !used.split(' ').any(|used| used.starts_with(&format!("{host}/")));
        let free: Vec<_> = subnet.parse::<Subnet>().unwrap().hosts().filter(is_free).collect();
        // Far from those that the server gives away first.
        let addresses = free[free.len() - containers..].to_vec();
        let servers: String = addresses.iter().map(|address| format!("{{ url = \"http://{address}\" }},")).collect();
        let route = format!(
            "[http.routers.by-hand]\nentryPoints = [\"web\"]\nrule = \"Host(`{HOST}`)\"\nservice = \"by-hand\"\n\
             [http.services.by-hand.loadBalancer]\nserversTransport = \"_quick@file\"\nservers = [{servers}]\n"
        );
        fs::write(server.home().join("traefik/config/routes/by-hand.toml"), route).unwrap();
        Self { project: Project::new(&instance), web, instance, addresses }
    }

    pub(crate) async fn measure(&self, times: usize) -> Floors {
        let (mut build, mut run, mut answer, mut retire) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        // The first one fills the cache.
        for number in 0..=times {
            let folder = self.project.write(edition(), &[], &["ENV ON_SIGTERM=graceful"]);
            let image = format!("{}/by-hand:{number}", self.instance);
            let label = format!("mypaas.instance={}", self.instance);
            let begin = Instant::now();
            docker(&["build", "-q", "-t", &image, "--label", &label, folder.to_str().unwrap()]).await;
            let built = Instant::now();
            join_all(self.addresses.iter().map(|address| self.run(&image, &label, *address))).await;
            let ran = Instant::now();
            timeout(LIMIT, self.first_answer()).await.expect("what was run by hand does not answer");
            let answered = Instant::now();
            join_all(self.addresses.iter().map(|address| self.remove(*address))).await;
            if number > 0 {
                build.push(built - begin);
                run.push(ran - built);
                answer.push(answered - ran);
                retire.push(answered.elapsed());
            }
        }
        Floors { build: median(build), run: median(run), answer: median(answer), retire: median(retire) }
    }

    async fn run(&self, image: &str, label: &str, address: Ipv4Addr) {
        let (name, network) = (self.name(address), format!("{}-net", self.instance));
        let ip = address.to_string();
        docker(&["run", "-d", "--name", &name, "--label", label, "--network", &network, "--ip", &ip, image]).await;
    }

    async fn remove(&self, address: Ipv4Addr) {
        docker(&["stop", &self.name(address)]).await;
        docker(&["rm", &self.name(address)]).await;
    }

    fn name(&self, address: Ipv4Addr) -> String {
        format!("{}-by-hand-{address}", self.instance)
    }

    async fn first_answer(&self) {
        let client = mypaas::http::plain().timeout(Duration::from_secs(10)).build().unwrap();
        loop {
            let asked = client.get(format!("http://{}/", self.web)).header("Host", HOST).send().await;
            if asked.is_ok_and(|answer| answer.status().is_success()) {
                return;
            }
            sleep(LOOK_AGAIN).await;
        }
    }
}
