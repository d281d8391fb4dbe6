//! The labels by which we know our own objects again.
//!
//! An image hands its labels down to every container that anybody makes from it. So the instance's label alone does
//! not make a container ours: a role is needed too, and images never have one.
//!
//! An image is ours when it is named after the service in its label. The layers of a build have that label empty until
//! the last one, which does nothing but fill it. So an image without a name was left by a build of ours when it has the
//! label empty, or when filling it was the last that was done to it; somebody may have built on others.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::engine::{Build, ContainerSpec, Role, SpecDigest};
use crate::name::{InstanceName, ServiceName};

pub(super) const INSTANCE: &str = "mypaas.instance";
pub(super) const ROLE: &str = "mypaas.role";
pub(super) const SERVICE: &str = "mypaas.service";
const RELEASE: &str = "mypaas.release";
const SLOT: &str = "mypaas.slot";
const DEPLOY: &str = "mypaas.deploy";
const DIGEST: &str = "mypaas.digest";

const SERVICE_ROLE: &str = "service";
const ROUTER_ROLE: &str = "router";

pub(super) type Labels = HashMap<String, String>;

pub(super) fn of_network(instance: &InstanceName) -> Labels {
    Labels::from([(INSTANCE.into(), instance.to_string())])
}

/// For an instruction right behind each FROM, as in `LABEL a="b"`.
pub(super) fn of_layers(instance: &InstanceName) -> String {
    format!("LABEL {INSTANCE}=\"{instance}\" {SERVICE}=\"\"")
}

/// The same for each release, so that a build of unchanged files comes from the cache whole; the tag tells the release.
///
/// Docker makes a layer for each of them. So there is one only: the instance is known from the layers, and from the name.
pub(super) fn of_image(build: &Build) -> Labels {
    Labels::from([(SERVICE.into(), build.service.to_string())])
}

pub(super) fn of_container(instance: &InstanceName, spec: &ContainerSpec) -> Labels {
    let mut labels = of_role(instance, &spec.role);
    labels.insert(DIGEST.into(), spec.digest.0.clone());
    labels
}

/// All but the digest: what a container is for that was not made from a specification.
pub(super) fn of_role(instance: &InstanceName, role: &Role) -> Labels {
    let mut labels = Labels::from([(INSTANCE.into(), instance.to_string())]);
    match role {
        Role::Router => {
            labels.insert(ROLE.into(), ROUTER_ROLE.into());
        }
        Role::Service { service, release, slot, deploy } => labels.extend([
            (ROLE.into(), SERVICE_ROLE.into()),
            (SERVICE.into(), service.to_string()),
            (RELEASE.into(), release.to_string()),
            (SLOT.into(), slot.to_string()),
            (DEPLOY.into(), deploy.to_string()),
        ]),
    }
    labels
}

/// Docker leaves them out where there are none.
pub(super) fn present(labels: Option<&Labels>) -> &Labels {
    static NONE: LazyLock<Labels> = LazyLock::new(Labels::new);
    labels.unwrap_or(&NONE)
}

/// A filter for Docker's lists: the containers of services.
pub(super) fn service_filter() -> String {
    format!("{ROLE}={SERVICE_ROLE}")
}

/// A filter for Docker's lists: the images of a service.
pub(super) fn of_service(service: &ServiceName) -> String {
    format!("{SERVICE}={service}")
}

/// Whether an image of this name and these labels is one that this instance built. A Dockerfile may have put another
/// instance's label on it; its name may not be another's.
pub(super) fn is_our_image(instance: &InstanceName, name: &str, labels: &Labels) -> bool {
    let own = |service: &String| name.strip_prefix(&format!("{instance}/{service}:")).is_some();
    labels.get(SERVICE).is_some_and(own)
}

/// Whether an image of these labels, when it has no name, was left by a build of this instance. `last_step` made it.
pub(super) fn is_leftover(instance: &InstanceName, labels: &Labels, last_step: Option<&str>) -> bool {
    carries_instance(instance, labels)
        && labels
            .get(SERVICE)
            .is_some_and(|service| service.is_empty() || last_step.is_some_and(|step| fills(step, service)))
}

/// As in `/bin/sh -c #(nop)  LABEL mypaas.service=web`.
fn fills(step: &str, service: &str) -> bool {
    step.split_once("LABEL ").is_some_and(|(_, label)| label == format!("{SERVICE}={service}"))
}

/// Whether a network or an image is this instance's.
pub(super) fn carries_instance(instance: &InstanceName, labels: &Labels) -> bool {
    labels.get(INSTANCE).is_some_and(|found| found == instance.as_str())
}

/// Whether a container is this instance's.
pub(super) fn is_our_container(instance: &InstanceName, labels: &Labels) -> bool {
    carries_instance(instance, labels) && labels.contains_key(ROLE)
}

pub(super) fn digest(labels: &Labels) -> SpecDigest {
    SpecDigest(labels.get(DIGEST).cloned().unwrap_or_default())
}

/// What a container of ours is for; none when its labels were tampered with.
pub(super) fn role(labels: &Labels) -> Option<Role> {
    match labels.get(ROLE)?.as_str() {
        ROUTER_ROLE => Some(Role::Router),
        SERVICE_ROLE => Some(Role::Service {
            service: labels.get(SERVICE)?.parse().ok()?,
            release: labels.get(RELEASE)?.parse().ok()?,
            slot: labels.get(SLOT)?.parse().ok()?,
            deploy: labels.get(DEPLOY)?.parse().ok()?,
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::spec::tests::{router, web};
    use super::*;

    #[test]
    fn the_role_of_a_container_is_read_back_from_its_labels() {
        let instance = InstanceName::default();
        for spec in [web(), router()] {
            let labels = of_container(&instance, &spec);
            assert_eq!(role(&labels), Some(spec.role));
            assert_eq!(digest(&labels), spec.digest);
            assert!(is_our_container(&instance, &labels));
        }
    }

    #[test]
    fn labels_that_an_image_hands_down_do_not_make_a_container_ours() {
        let instance = InstanceName::default();
        let mut labels = of_container(&instance, &web());
        labels.remove(ROLE);
        assert!(!is_our_container(&instance, &labels));
        assert!(carries_instance(&instance, &labels));
    }

    #[test]
    fn another_instance_s_containers_are_not_ours() {
        let labels = of_container(&"other".parse().unwrap(), &web());
        assert!(!is_our_container(&InstanceName::default(), &labels));
    }

    #[test]
    fn an_image_is_ours_under_the_name_of_its_service_only() {
        let instance = InstanceName::default();
        let labels = |service: &str| {
            let mut labels = of_network(&instance);
            labels.insert(SERVICE.into(), service.into());
            labels
        };
        assert!(is_our_image(&instance, "mypaas/web:r1", &labels("web")));
        assert!(is_our_image(&instance, "mypaas/team/app:r1", &labels("team/app")));
        for (name, service) in
            [("mypaas/web-mine:r1", "web"), ("backup:r1", "web"), ("other/web:r1", "web"), ("mypaas/web:r1", "")]
        {
            assert!(!is_our_image(&instance, name, &labels(service)), "{name} {service:?}");
        }
        assert!(!is_our_image(&instance, "mypaas/web:r1", &of_network(&instance)));
    }

    #[test]
    fn only_what_was_never_finished_is_a_leftover() {
        let instance = InstanceName::default();
        let mut labels = of_network(&instance);
        assert!(!is_leftover(&instance, &labels, None));
        labels.insert(SERVICE.into(), String::new());
        assert!(is_leftover(&instance, &labels, None));
        assert!(!is_leftover(&"other".parse().unwrap(), &labels, None));
        labels.insert(SERVICE.into(), "web".into());
        let last = |step| is_leftover(&instance, &labels, Some(step));
        assert!(last("/bin/sh -c #(nop)  LABEL mypaas.service=web"), "it did not come to its name");
        assert!(!last("/bin/sh -c #(nop) COPY file:1 in /app "), "somebody built on an image of ours");
        assert!(!last("/bin/sh -c #(nop)  LABEL mypaas.service=webs"));
        assert!(!is_leftover(&instance, &labels, None));
    }

    #[test]
    fn tampered_labels_give_no_role() {
        for (key, value) in [(RELEASE, "12"), (SLOT, "x"), (DEPLOY, ""), (SERVICE, "A B"), (ROLE, "boss")] {
            let mut labels = of_container(&InstanceName::default(), &web());
            labels.insert(key.into(), value.into());
            assert_eq!(role(&labels), None, "{key}={value}");
        }
    }
}
