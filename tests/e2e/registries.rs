//! Images of a registry that wants to know who asks: what the server's user has logged in to, its pushes may use.

use std::fs;

use crate::registry::{PASSWORD, PrivateRegistry};
use crate::stage::Stage;

#[tokio::test]
async fn a_login_on_the_server_holds_from_the_next_push_on() {
    let mut stage = Stage::new().await;
    let registry = PrivateRegistry::start(stage.instance()).await;
    let dockerfile = format!(
        "# mypaas.service=web\n# mypaas.url=http://web.test\nFROM {}\nCOPY app /app\nCMD [\"/app\"]\n",
        registry.image()
    );
    let folder = stage.folder("web", &dockerfile);

    let told = stage.push(&folder).await.failed();
    let refused = format!("the registry {} refused an image", registry.host());
    let advice = format!("run `docker login {}` on the server", registry.host());
    for part in [refused.as_str(), &advice] {
        assert!(told.contains(part), "{part}: {told}");
    }

    let logins = stage.user_home().join(".docker");
    fs::create_dir_all(&logins).unwrap();
    fs::write(logins.join("config.json"), registry.login(PASSWORD)).unwrap();
    let out = stage.push(&folder).await.done();
    assert!(stage.hello("web.test").await.contains("release r"), "{out}");
    let releases = stage.mypaas(&["releases", "local", "web", "--json"]).await.done();
    assert!(releases.contains(&format!("{}/team/base", registry.host())), "{releases}");
    let everything = [told, out, releases, stage.process().log()].join("\n");
    assert!(!everything.contains(PASSWORD), "{everything}");
}
