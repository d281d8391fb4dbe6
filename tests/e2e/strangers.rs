//! What is not ours stays as it is, also where it looks like ours.

use crate::stage::{Stage, docker};
use crate::sweep::TEST;

/// A container and an image of somebody else's, as they are.
async fn look(container: &str, image: &str) -> [String; 2] {
    let format = "{{.Id}} {{.State.Status}} {{.State.StartedAt}} {{.RestartCount}}";
    [
        docker(&["inspect", "-f", format, container]).await,
        docker(&["image", "inspect", "-f", "{{.Id}} {{.Created}}", image]).await,
    ]
}

/// Everything that can be done with a service.
async fn live_a_whole_life(stage: &Stage) {
    let folder = stage.project("web", &["url=http://web.test", "scale=2"], &["ENV VERSION=two"]);
    stage.push(&folder).await.done();
    for deed in [&["scale", "local", "web", "3"][..], &["restart", "local", "web"], &["rollback", "local", "web"]] {
        stage.mypaas(deed).await.done();
    }
    stage.project("web", &["url=http://web.test", "scale=2"], &["ENV LISTEN=no EXIT_AFTER_MS=100"]);
    stage.push(&folder).await.failed();
    for deed in [&["stop", "local", "web"][..], &["start", "local", "web"], &["remove", "local", "web", "--yes"]] {
        stage.mypaas(deed).await.done();
    }
}

#[tokio::test]
async fn a_stranger_that_looks_like_ours_is_left_alone_through_a_whole_life() {
    let mut stage = Stage::new().await;
    let folder = stage.project("web", &["url=http://web.test", "scale=2"], &["ENV VERSION=one"]);
    stage.push(&folder).await.done();

    // By hand from our image, so that it has our labels, under a name like ours.
    let container = format!("{}_web.r1.1-mine", stage.instance());
    let image = format!("{}/web-mine:r1", stage.instance());
    docker(&["tag", &format!("{}/web:r1", stage.instance()), &image]).await;
    docker(&["run", "-d", "--name", &container, &image]).await;
    let before = look(&container, &image).await;

    live_a_whole_life(&stage).await;
    stage.kill().await;
    stage.start().await;
    assert_eq!(look(&container, &image).await, before);
    assert!(stage.containers().await.is_empty());
    assert_eq!(stage.images().await, ["web-mine:r1"]);
}

#[tokio::test]
async fn a_stranger_under_the_very_name_that_is_needed_stays_and_is_told() {
    let stage = Stage::new().await;
    let folder = stage.project("web", &["url=http://web.test"], &[]);
    stage.push(&folder).await.done();
    let container = format!("{}_web.r2.1", stage.instance());
    let image = format!("{}/stranger:1", stage.instance());
    docker(&["build", "-q", "-t", &image, &folder]).await;
    let label = format!("{TEST}={}", stage.instance());
    docker(&["run", "-d", "--name", &container, "--label", &label, &image]).await;
    let before = look(&container, &image).await;

    let told = stage.push(&folder).await.failed();
    assert!(told.contains(&container) && told.contains("was not made by this server"), "{told}");
    assert!(!told.contains("wrote nothing"), "{told}");
    assert!(stage.hello("web.test").await.contains("release r1"));
    assert_eq!(look(&container, &image).await, before);
    stage.push(&folder).await.done();
    assert!(stage.hello("web.test").await.contains("release r3"));
}
