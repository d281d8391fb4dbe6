//! CPU time and memory of a process's control group, read from the kernel's files: version 1 and version 2.
//!
//! It is done each second for each container, so the files stay open. Only the statistics of memory are read seldom: for
//! them the kernel has to add up what all CPUs did, which takes longer than all the rest.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use super::Usage;

/// Where this machine shows its control groups.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Hierarchies {
    /// Version 1 has a tree for each kind of resource.
    cpuacct: Option<Tree>,
    memory: Option<Tree>,
    /// Version 2 has one for all; beside version 1 it may be there without resources.
    unified: Option<Tree>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Tree {
    mounted_at: PathBuf,
    /// Which group of the tree is seen there; `/` unless we run in a container.
    root: String,
}

/// Every so many readings the page cache is looked at.
const CACHE_PERIOD: u32 = 10;

/// The statistics of memory are some 2 KiB.
const STATISTICS_BYTES: usize = 16 * 1024;

/// The files of one control group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Gauge {
    Split { cpuacct: PathBuf, memory: PathBuf },
    Unified { group: PathBuf },
}

impl Hierarchies {
    pub(super) fn of_this_machine() -> io::Result<Self> {
        Ok(Self::parse(&fs::read_to_string("/proc/self/mountinfo")?))
    }

    /// As in `35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory`.
    fn parse(mountinfo: &str) -> Self {
        let mut found = Self::default();
        for line in mountinfo.lines() {
            let Some((mount, kind)) = line.split_once(" - ") else { continue };
            let mut mount = mount.split(' ').skip(3);
            let (Some(root), Some(mounted_at)) = (mount.next(), mount.next()) else { continue };
            let tree = || Some(Tree { mounted_at: mounted_at.into(), root: root.to_owned() });
            let mut kind = kind.split(' ');
            match (kind.next(), kind.nth(1).unwrap_or_default()) {
                (Some("cgroup2"), _) => found.unified = found.unified.or_else(tree),
                (Some("cgroup"), options) if has(options, "cpuacct") => found.cpuacct = found.cpuacct.or_else(tree),
                (Some("cgroup"), options) if has(options, "memory") => found.memory = found.memory.or_else(tree),
                _ => {}
            }
        }
        found
    }

    /// The gauge of a running process.
    pub(super) fn gauge(&self, pid: i64) -> io::Result<Gauge> {
        let groups = fs::read_to_string(format!("/proc/{pid}/cgroup"))?;
        self.gauge_of(&groups).ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }

    /// As in `4:memory:/docker/1c10…`, or `0::/system.slice/docker-1c10….scope`.
    fn gauge_of(&self, groups: &str) -> Option<Gauge> {
        let path_of = |tree: &Option<Tree>, controller: &str| {
            let group = groups.lines().find_map(|line| {
                let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
                has(controllers, controller).then_some(path)
            });
            Some(tree.as_ref()?.path(group?))
        };
        match (path_of(&self.cpuacct, "cpuacct"), path_of(&self.memory, "memory")) {
            (Some(cpuacct), Some(memory)) => Some(Gauge::Split { cpuacct, memory }),
            _ => Some(Gauge::Unified { group: path_of(&self.unified, "")? }),
        }
    }
}

impl Tree {
    fn path(&self, group: &str) -> PathBuf {
        let below = if self.root == "/" { group } else { group.strip_prefix(&self.root).unwrap_or(group) };
        self.mounted_at.join(below.trim_start_matches('/'))
    }
}

impl Gauge {
    /// Fails when the group is gone, as it is once its container stopped.
    pub(super) fn open(&self) -> io::Result<OpenGauge> {
        let (cpu, memory) = match self {
            Gauge::Split { cpuacct, memory } => (cpuacct.join("cpuacct.usage"), memory.join("memory.usage_in_bytes")),
            Gauge::Unified { group } => (group.join("cpu.stat"), group.join("memory.current")),
        };
        Ok(OpenGauge {
            gauge: self.clone(),
            cpu: File::open(cpu)?,
            memory: File::open(memory)?,
            cache_bytes: AtomicU64::new(0),
            readings: AtomicU32::new(0),
        })
    }

    /// What the kernel keeps of files, and gives back when others need room.
    fn cache_bytes(&self) -> io::Result<u64> {
        match self {
            Gauge::Split { memory, .. } => statistic(memory, "total_inactive_file"),
            Gauge::Unified { group } => statistic(group, "inactive_file"),
        }
    }
}

/// The same files, open.
#[derive(Debug)]
pub(super) struct OpenGauge {
    gauge: Gauge,
    cpu: File,
    memory: File,
    /// As it was when it was last looked at.
    cache_bytes: AtomicU64,
    readings: AtomicU32,
}

impl OpenGauge {
    /// Fails when the group is gone.
    pub(super) fn read(&self) -> io::Result<Usage> {
        let mut buffer = [0; 512];
        let cpu = beginning(&self.cpu, &mut buffer)?;
        let cpu_time = match self.gauge {
            Gauge::Split { .. } => Duration::from_nanos(number(cpu)?),
            Gauge::Unified { .. } => Duration::from_micros(field(cpu, "usage_usec")?),
        };
        let memory = number(beginning(&self.memory, &mut buffer)?)?;
        if self.readings.fetch_add(1, Ordering::Relaxed).is_multiple_of(CACHE_PERIOD) {
            self.cache_bytes.store(self.gauge.cache_bytes()?, Ordering::Relaxed);
        }
        Ok(Usage { cpu_time, memory_bytes: memory.saturating_sub(self.cache_bytes.load(Ordering::Relaxed)) })
    }
}

/// Read at once: in small parts it takes several times as long.
fn statistic(group: &Path, name: &str) -> io::Result<u64> {
    let mut buffer = [0; STATISTICS_BYTES];
    field(beginning(&File::open(group.join("memory.stat"))?, &mut buffer)?, name)
}

/// As much of the file as fits.
fn beginning<'b>(file: &File, buffer: &'b mut [u8]) -> io::Result<&'b str> {
    let length = file.read_at(buffer, 0)?;
    let text = &buffer[..length];
    std::str::from_utf8(text).map_err(|_| io::Error::from(io::ErrorKind::InvalidData))
}

/// Whether a list as in `cpu,cpuacct` names it.
fn has(list: &str, name: &str) -> bool {
    list.split(',').any(|item| item == name)
}

fn number(text: &str) -> io::Result<u64> {
    text.trim().parse().map_err(|_| io::Error::from(io::ErrorKind::InvalidData))
}

/// The number behind a name, as in `inactive_file 4096`.
fn field(text: &str, name: &str) -> io::Result<u64> {
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.and_then(|value| value.parse().ok()).ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPLIT: &str = "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n\
        33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:7 - cgroup cgroup rw,cpu,cpuacct\n\
        35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n\
        41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";
    const SPLIT_GROUPS: &str = "4:memory:/docker/1c10\n2:cpu,cpuacct:/docker/1c10\n0::/docker/1c10\n";
    const UNIFIED: &str = "26 22 0:23 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";

    /// A group's folder with these files.
    fn group(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    #[test]
    fn version_1_goes_before_an_empty_version_2() {
        let gauge = Hierarchies::parse(SPLIT).gauge_of(SPLIT_GROUPS).unwrap();
        let expected = Gauge::Split {
            cpuacct: "/sys/fs/cgroup/cpu,cpuacct/docker/1c10".into(),
            memory: "/sys/fs/cgroup/memory/docker/1c10".into(),
        };
        assert_eq!(gauge, expected);
    }

    #[test]
    fn version_2_has_one_folder_for_all() {
        let gauge = Hierarchies::parse(UNIFIED).gauge_of("0::/system.slice/docker-1c10.scope\n").unwrap();
        assert_eq!(gauge, Gauge::Unified { group: "/sys/fs/cgroup/system.slice/docker-1c10.scope".into() });
    }

    #[test]
    fn a_tree_that_is_mounted_in_part_is_entered_at_its_root() {
        let mounts = UNIFIED.replace("0:23 / ", "0:23 /docker/me ");
        let gauge = Hierarchies::parse(&mounts).gauge_of("0::/docker/me/child\n").unwrap();
        assert_eq!(gauge, Gauge::Unified { group: "/sys/fs/cgroup/child".into() });
    }

    #[test]
    fn nothing_is_found_where_nothing_is_mounted() {
        assert_eq!(Hierarchies::parse("").gauge_of(SPLIT_GROUPS), None);
        assert_eq!(Hierarchies::parse(SPLIT).gauge_of("").map(|_| ()), None);
        assert_eq!(Hierarchies::parse("garbage\n1 2 3 - \n"), Hierarchies::default());
    }

    #[test]
    fn version_1_is_read_without_the_page_cache() {
        let folder = group(&[
            ("cpuacct.usage", "2500000000\n"),
            ("memory.usage_in_bytes", "10000\n"),
            ("memory.stat", "inactive_file 1\ntotal_cache 5\ntotal_inactive_file 4000\n"),
        ]);
        let gauge = Gauge::Split { cpuacct: folder.path().into(), memory: folder.path().into() };
        let expected = Usage { cpu_time: Duration::from_millis(2500), memory_bytes: 6000 };
        let open = gauge.open().unwrap();
        assert_eq!(open.read().unwrap(), expected);
        fs::write(folder.path().join("cpuacct.usage"), "3500000000\n").unwrap();
        fs::write(folder.path().join("memory.usage_in_bytes"), "12000\n").unwrap();
        let expected = Usage { cpu_time: Duration::from_millis(3500), memory_bytes: 8000 };
        assert_eq!(open.read().unwrap(), expected, "the same files are read again");
    }

    #[test]
    fn the_page_cache_is_looked_at_now_and_then() {
        let folder = group(&[
            ("cpu.stat", "usage_usec 1\n"),
            ("memory.current", "10000\n"),
            ("memory.stat", "inactive_file 1\n"),
        ]);
        let open = Gauge::Unified { group: folder.path().into() }.open().unwrap();
        assert_eq!(open.read().unwrap().memory_bytes, 9999);
        fs::write(folder.path().join("memory.stat"), "inactive_file 5000\n").unwrap();
        let seen: Vec<u64> = (0..CACHE_PERIOD).map(|_| open.read().unwrap().memory_bytes).collect();
        assert_eq!((seen[0], seen.last().copied()), (9999, Some(5000)));
    }

    #[test]
    fn version_2_is_read_without_the_page_cache() {
        let folder = group(&[
            ("cpu.stat", "usage_usec 1500000\nuser_usec 1\n"),
            ("memory.current", "10000\n"),
            ("memory.stat", "anon 5\ninactive_file 12000\n"),
        ]);
        let expected = Usage { cpu_time: Duration::from_millis(1500), memory_bytes: 0 };
        assert_eq!(Gauge::Unified { group: folder.path().into() }.open().unwrap().read().unwrap(), expected);
    }

    #[test]
    fn a_group_that_is_gone_or_unreadable_is_an_error() {
        let folder = group(&[("cpu.stat", "user_usec 1\n"), ("memory.current", "x"), ("memory.stat", "")]);
        let read = |path: &Path| {
            let open = Gauge::Unified { group: path.into() }.open();
            open.and_then(|open| open.read()).map_err(|error| error.kind())
        };
        assert_eq!(read(folder.path()), Err(io::ErrorKind::InvalidData));
        assert_eq!(read(&folder.path().join("gone")), Err(io::ErrorKind::NotFound));
    }

    #[test]
    fn this_machine_s_own_trees_are_found() {
        assert_ne!(Hierarchies::of_this_machine().unwrap(), Hierarchies::default());
    }
}
