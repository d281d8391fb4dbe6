//! Images: building, finding, removing.

use futures_util::stream::{self, StreamExt};
use mypaas::engine::{Build, BuildLimits, EngineError, Sources, StoredImage, Whose};
use mypaas::name::{ImageName, ReleaseId};

use crate::fixture::{App, Fixture};

pub(crate) async fn a_built_image_is_found_and_listed(on: &impl Fixture) {
    let second = on.build("web", 2, App::Serves).await;
    let first = on.build("web", 1, App::Serves).await;
    let image = on.engine().image(&first).await.unwrap().unwrap();
    assert_eq!(image.name, first);
    assert!(image.id.starts_with("sha256:") && image.bytes > 0, "{image:?}");
    let listed = on.engine().images().await.unwrap();
    assert_eq!(listed.iter().map(|image| &image.name).collect::<Vec<_>>(), [&first, &second]);
    assert_eq!(listed[0], image);
    assert_eq!(on.engine().ensure_image(&first).await.unwrap(), image);
    assert_eq!(on.engine().image(&ImageName::foreign("none/such:r1")).await.unwrap(), None);
}

pub(crate) async fn a_failed_build_tells_why_and_leaves_nothing(on: &impl Fixture) {
    let (error, lines) = on.build_that_fails("web").await;
    let EngineError::Build { message } = &error else { panic!("{error:?}") };
    assert!(message.contains("nowhere"), "{message}");
    assert!(lines.iter().any(|line| line.contains("FROM scratch")), "{lines:?}");
    assert!(lines.iter().all(|line| !line.contains(['\n', '\r', '\x1b'])), "{lines:?}");
    assert!(on.engine().images().await.unwrap().is_empty());
}

pub(crate) async fn a_context_that_breaks_off_fails_the_build(on: &impl Fixture) {
    let broken = std::io::Error::new(std::io::ErrorKind::UnexpectedEof, "the disk is gone");
    let service = "web".parse().unwrap();
    let release = ReleaseId::new(1);
    let build = Build {
        name: ImageName::of(on.instance(), &service, release),
        service,
        release,
        context: stream::iter([Ok(bytes::Bytes::from_static(&[0; 512])), Err(broken)]).boxed(),
        pull: false,
        sources: Sources::default(),
        limits: BuildLimits::default(),
    };
    let error = on.engine().build(build, &mut |_| {}).await.unwrap_err();
    assert!(error.to_string().starts_with("could not read the context of the image"), "{error}");
    let source = std::error::Error::source(&error).unwrap();
    assert_eq!(source.to_string(), "the disk is gone");
}

pub(crate) async fn a_build_that_is_killed_for_its_memory_says_so(on: &impl Fixture) {
    let error = on.build_that_eats_memory("web").await;
    assert_eq!(error.to_string(), "the build was killed: it used more memory than the 24 MiB that it may use");
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("code"), "{source}");
    assert!(on.engine().images().await.unwrap().is_empty());
}

pub(crate) async fn building_a_name_again_replaces_the_image(on: &impl Fixture) {
    let name = on.build("web", 1, App::Serves).await;
    let old = on.engine().image(&name).await.unwrap().unwrap();
    on.build("web", 1, App::ChecksItself).await;
    let new = on.engine().image(&name).await.unwrap().unwrap();
    assert_ne!(new.id, old.id);
    assert_eq!(on.engine().images().await.unwrap(), [new]);
    assert_eq!(on.engine().image(&ImageName::foreign(&old.id)).await.unwrap(), None, "the old one fills no disk");
}

pub(crate) async fn a_health_check_of_the_image_is_seen(on: &impl Fixture) {
    for (service, app, expected) in [("with", App::ChecksItself, true), ("without", App::Serves, false)] {
        let name = on.build(service, 1, app).await;
        assert_eq!(on.engine().image(&name).await.unwrap().unwrap().has_healthcheck, expected, "{service}");
    }
}

pub(crate) async fn an_image_is_removed_once_no_container_needs_it(on: &impl Fixture) {
    let container = on.create("web", App::Serves).await;
    let error = on.engine().remove_image(&container.image).await.unwrap_err();
    assert!(matches!(error, EngineError::Refused { .. }), "{error:?}");
    on.engine().remove(&container.name).await.unwrap();
    on.engine().remove_image(&container.image).await.unwrap();
    on.engine().remove_image(&container.image).await.unwrap();
    assert_eq!(on.engine().image(&container.image).await.unwrap(), None);
}

pub(crate) async fn a_stranger_s_image_is_left_alone(on: &impl Fixture) {
    let foreign = on.foreign_image().await;
    let error = on.engine().remove_image(&foreign).await.unwrap_err();
    assert!(matches!(error, EngineError::NotOurs { what: "image", .. }), "{error:?}");
    assert!(on.engine().image(&foreign).await.unwrap().is_some());
    assert!(on.engine().images().await.unwrap().iter().all(|image| image.name != foreign));
}

pub(crate) async fn an_image_that_nobody_has_cannot_be_pulled(on: &impl Fixture) {
    // Nobody listens on this port.
    let name = ImageName::foreign("127.0.0.1:1/none/such:v1");
    let error = on.engine().ensure_image(&name).await.unwrap_err();
    assert!(matches!(&error, EngineError::Pull { image, .. } if *image == name), "{error:?}");
}

pub(crate) async fn what_a_build_leaves_is_known_and_can_be_removed(on: &impl Fixture) {
    let name = on.build_in_stages("web", 1).await;
    let storage = on.engine().storage().await.unwrap();
    let own = storage.images.iter().find(|image| is_named(image, &name)).unwrap();
    let sum = |image: &StoredImage| image.layers.iter().map(|layer| storage.layers[layer]).sum::<u64>();
    assert_eq!(sum(own), on.engine().image(&name).await.unwrap().unwrap().bytes);

    let left: Vec<_> = storage.images.iter().filter(|image| image.whose == Whose::Leftover).collect();
    let [stage] = left.as_slice() else { panic!("{left:?}") };
    assert!(sum(stage) > 0);
    on.engine().remove_leftover(&stage.id).await.unwrap();
    on.engine().remove_leftover(&stage.id).await.unwrap();
    let after = on.engine().storage().await.unwrap();
    assert!(after.images.iter().all(|image| image.whose != Whose::Leftover), "{after:?}");
    assert!(after.images.iter().any(|image| is_named(image, &name)));
    assert!(on.engine().images().await.unwrap().iter().any(|image| image.name == name));
}

pub(crate) async fn only_leftovers_are_removed_as_such(on: &impl Fixture) {
    let name = on.build("web", 1, App::Serves).await;
    let foreign = on.foreign_image().await;
    for name in [&name, &foreign] {
        let image = on.engine().image(name).await.unwrap().unwrap();
        let error = on.engine().remove_leftover(&image.id).await.unwrap_err();
        assert!(matches!(error, EngineError::NotOurs { what: "image", .. }), "{error:?}");
        assert!(on.engine().image(name).await.unwrap().is_some());
    }
}

fn is_named(image: &StoredImage, name: &ImageName) -> bool {
    matches!(&image.whose, Whose::Ours { names, .. } if names.contains(name))
}
