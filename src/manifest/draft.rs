//! Values → manifest, one option after the other: what is given twice, what cannot be given together, what is missing.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::num::NonZeroU16;

use super::diagnostic::{Diagnostic, Problem, Severity, quoted};
use super::option::{Found, Key};
use super::value::{self, Fault};
use super::{
    CpuLimit, EnvVar, HealthCheck, Manifest, MemoryLimit, OptionLine, Publish, Scale, Scheme, ServiceUrl, Volume,
};
use crate::name::ServiceName;

const DEFAULT_PORT: NonZeroU16 = NonZeroU16::new(80).expect("80 is not 0");

/// The variables that every container gets anyway.
const OWN_VARIABLES: [&str; 4] = ["MYPAAS_SERVICE", "MYPAAS_SCALE", "MYPAAS_PORT", "MYPAAS_CONTAINER"];

/// A good value and the option that it comes from.
#[derive(Debug, Clone)]
pub(super) struct Given<'t, T> {
    pub(super) option: Found<'t>,
    pub(super) value: T,
}

/// A manifest in the making.
#[derive(Debug, Default)]
pub(super) struct Draft<'t> {
    service: Option<ServiceName>,
    pub(super) urls: Vec<Given<'t, ServiceUrl>>,
    pub(super) volumes: Vec<Given<'t, Volume>>,
    env: Vec<Given<'t, EnvVar>>,
    port: Option<NonZeroU16>,
    /// The entries of a range together.
    pub(super) publish: Vec<Given<'t, Vec<Publish>>>,
    pub(super) scale: Option<Given<'t, Scale>>,
    pub(super) healthcheck: Option<Given<'t, HealthCheck>>,
    max_cpu: Option<CpuLimit>,
    max_mem: Option<MemoryLimit>,
    release_command: Option<Vec<String>>,
    /// The line where each key is given first, whether or not its value is good.
    first_lines: BTreeMap<Key, u32>,
}

/// What an option turned out to be; a diagnostic where there is something to say though its value is good.
type Taken = Result<Option<Diagnostic>, Fault>;

impl<'t> Draft<'t> {
    pub(super) fn of(options: &[Found<'t>], diagnostics: &mut Vec<Diagnostic>) -> Self {
        let mut draft = Self::default();
        for option in options {
            let duplicate = draft.duplicate(option);
            // The value of a duplicate is read too, so that what is wrong with it is told at once.
            match draft.take(*option) {
                Ok(told) => diagnostics.extend(told),
                Err(fault) => diagnostics.push(option.fault(fault)),
            }
            diagnostics.extend(duplicate);
        }
        draft
    }

    /// The option was written, with whatever value.
    pub(super) fn is_given(&self, key: Key) -> bool {
        self.first_lines.contains_key(&key)
    }

    fn duplicate(&mut self, option: &Found<'t>) -> Option<Diagnostic> {
        let line = option.line.number;
        let first = *self.first_lines.entry(option.key).or_insert(line);
        if option.key.is_repeatable() || first == line {
            return None;
        }
        let problem = Problem::new(format!("mypaas.{} is already given in line {first}", option.key.name()));
        Some(option.about_key(Severity::Error, problem.hint("keep one of the two lines")))
    }

    fn take(&mut self, option: Found<'t>) -> Taken {
        let text = option.value;
        value::check_characters(text)?;
        if option.key != Key::Env {
            value::check_quotes(text)?;
        }
        match option.key {
            Key::Service => self.service = Some(value::service(text)?),
            Key::Url => return Ok(self.add_url(option, value::url(text)?)),
            Key::Volume => self.add_volume(option, value::volume(text)?)?,
            Key::Env => return Ok(self.add_env(option, value::env(text)?)),
            Key::Port => self.port = Some(value::port(text)?),
            Key::Publish => self.add_publish(option, value::publish(text)?)?,
            Key::Scale => self.scale = Some(Given { option, value: value::scale(text)? }),
            Key::Healthcheck => self.healthcheck = Some(Given { option, value: value::healthcheck(text)? }),
            Key::MaxCpu => self.max_cpu = Some(value::maxcpu(text)?),
            Key::MaxMem => self.max_mem = Some(value::maxmem(text)?),
            Key::Release => self.release_command = Some(value::release(text)?),
        }
        Ok(None)
    }

    fn add_url(&mut self, option: Found<'t>, value: ServiceUrl) -> Option<Diagnostic> {
        let same = self.urls.iter().find(|given| given.value == value).map(|given| given.option.line.number);
        if let Some(line) = same {
            let problem =
                Problem::new(format!("the URL is already given in line {line}")).hint("remove one of the two");
            return Some(option.warning(problem));
        }
        self.urls.push(Given { option, value });
        None
    }

    fn add_volume(&mut self, option: Found<'t>, value: Volume) -> Result<(), Fault> {
        match self.volumes.iter().find(|given| given.value.container_dir == value.container_dir) {
            None => self.volumes.push(Given { option, value }),
            Some(first) => {
                let line = first.option.line.number;
                let folder = quoted(&value.container_dir);
                let fault = Fault::new(format!("the container's folder {folder} is already a volume in line {line}"));
                return Err(fault.hint("choose another folder, or remove one of the two"));
            }
        }
        Ok(())
    }

    /// As in the original, the last value of a variable wins.
    fn add_env(&mut self, option: Found<'t>, value: EnvVar) -> Option<Diagnostic> {
        if OWN_VARIABLES.contains(&value.name()) {
            let problem = Problem::new(format!("{} is set by mypaas itself, so the line means nothing", value.name()));
            return Some(option.warning(problem.hint("remove the line")));
        }
        let first = self.env.iter().position(|given| given.value.name() == value.name());
        let told = match first.map(|index| self.env.remove(index)) {
            Some(earlier) => {
                let line = earlier.option.line.number;
                let problem = Problem::new(format!("{} is already given in line {line}; this line wins", value.name()));
                Some(option.warning(problem.hint("keep one of the two lines")))
            }
            None => value::quote_without_partner(option.value).map(|problem| option.warning(problem)),
        };
        self.env.push(Given { option, value });
        told
    }

    fn add_publish(&mut self, option: Found<'t>, value: Vec<Publish>) -> Result<(), Fault> {
        let clash = self.publish.iter().find_map(|given| {
            let taken = value.iter().find(|new| given.value.iter().any(|old| clash(new, old)))?;
            Some((given.option.line.number, taken))
        });
        if let Some((line, Publish { host_port: Some(port), protocol, .. })) = clash {
            let fault = Fault::new(format!("port {port}/{protocol} of the server is already published in line {line}"));
            return Err(fault.hint("choose another port of the server, or remove one of the two"));
        }
        let count = value.len() + self.publish.iter().map(|given| given.value.len()).sum::<usize>();
        if count > value::LARGEST_RANGE {
            let most = value::LARGEST_RANGE;
            return Err(Fault::new(format!("{count} ports are published by now; at most {most} can be")));
        }
        self.publish.push(Given { option, value });
        Ok(())
    }

    /// None where the name of the service is missing or bad.
    pub(super) fn finish(
        mut self,
        options: &[Found<'_>],
        pulls_latest: bool,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Option<Manifest> {
        if !self.is_given(Key::Service) {
            let problem = Problem::new("the name of the service is missing");
            let problem = problem.hint(format!("add a line with mypaas.service, {}", Key::Service.example()));
            diagnostics.push(Diagnostic::of_file(Severity::Error, problem));
        }
        self.drop_redirected();
        let scale = self.scale.map_or(Scale::Single, |given| given.value);
        Some(Manifest {
            service: self.service?,
            urls: values(self.urls),
            volumes: values(self.volumes),
            env: values(self.env),
            port: self.port.unwrap_or(DEFAULT_PORT),
            publish: values(self.publish).into_iter().flatten().collect(),
            scale,
            healthcheck: self.healthcheck.map(|given| given.value).filter(|_| scale.declared() > 0),
            max_cpu: self.max_cpu,
            max_mem: self.max_mem,
            release_command: self.release_command,
            pulls_latest,
            options: options.iter().map(written).collect(),
        })
    }

    /// An http URL whose requests are redirected to https leads nowhere.
    fn drop_redirected(&mut self) {
        let redirected: Vec<bool> = self.urls.iter().map(|given| self.redirecting(&given.value).is_some()).collect();
        let mut redirected = redirected.into_iter();
        self.urls.retain(|_| !redirected.next().unwrap_or_default());
    }

    /// The https URL that takes the requests of this http URL.
    pub(super) fn redirecting(&self, url: &ServiceUrl) -> Option<&Given<'t, ServiceUrl>> {
        let same_place = |other: &&Given<'t, ServiceUrl>| {
            other.value.scheme == Scheme::Https && (&other.value.host, &other.value.path) == (&url.host, &url.path)
        };
        self.urls.iter().find(same_place).filter(|_| url.scheme == Scheme::Http)
    }
}

fn values<T>(given: Vec<Given<'_, T>>) -> Vec<T> {
    given.into_iter().map(|given| given.value).collect()
}

fn written(option: &Found<'_>) -> OptionLine {
    OptionLine { line: option.line.number, key: option.key.name().to_owned(), value: option.value.to_owned() }
}

/// Whether both need the same port of the server.
fn clash(a: &Publish, b: &Publish) -> bool {
    let overlap = |one: Option<IpAddr>, other: Option<IpAddr>| match (one, other) {
        (Some(one), Some(other)) => {
            one == other || (one.is_ipv4() == other.is_ipv4() && (one.is_unspecified() || other.is_unspecified()))
        }
        _ => true,
    };
    a.host_port.is_some() && a.host_port == b.host_port && a.protocol == b.protocol && overlap(a.address, b.address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_clash_where_the_same_address_would_be_taken() {
        for (one, other, expected) in [
            ("80:80", "80:81", true),
            ("80:80", "80:80/udp", false),
            ("80", "80", false),
            ("80:80", "127.0.0.1:80:80", true),
            ("127.0.0.1:80:80", "127.0.0.2:80:80", false),
            ("0.0.0.0:80:80", "127.0.0.2:80:80", true),
            ("0.0.0.0:80:80", "[::]:80:80", false),
            ("[::]:80:80", "[::1]:80:80", true),
        ] {
            let entry = |text| value::publish(text).unwrap()[0].clone();
            assert_eq!(clash(&entry(one), &entry(other)), expected, "{one} {other}");
            assert_eq!(clash(&entry(other), &entry(one)), expected, "{other} {one}");
        }
    }
}
