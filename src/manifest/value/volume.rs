//! `mypaas.volume=~/dir:/dir_in_container`. Only what can be seen in the text is checked: the server resolves links.

use super::{Fault, quoted};
use crate::manifest::Volume;

/// Folders under the home directory that no container may see.
const FORBIDDEN: [&str; 2] = [".ssh", "_mypaas"];

pub(in crate::manifest) fn volume(value: &str) -> Result<Volume, Fault> {
    let parts: Vec<&str> = value.split(':').map(str::trim).collect();
    let (server_dir, container_dir, mode) = match parts[..] {
        [_] | [_, ""] | [_, "", _] => return Err(Fault::new("the folder in the container is missing")),
        ["", _] | ["", _, _] => return Err(Fault::new("the folder of the server is missing")),
        [server_dir, container_dir] => (server_dir, container_dir, None),
        [server_dir, container_dir, mode] => (server_dir, container_dir, Some(mode)),
        _ => return Err(Fault::new("there are more than two `:`")),
    };
    check_server_dir(server_dir).map_err(|fault| fault.at(value, server_dir))?;
    let container_dir = container_dir_of(container_dir).map_err(|fault| fault.at(value, container_dir))?;
    let read_only = match mode {
        None | Some("rw") => false,
        Some("ro") => true,
        Some(other) => return Err(unknown_mode(other).at(value, other)),
    };
    Ok(Volume { server_dir: server_dir.to_owned(), container_dir, read_only })
}

fn unknown_mode(mode: &str) -> Fault {
    Fault::new(format!("{} is not a mode of a volume", quoted(mode))).hint("use ro (read only), rw, or nothing")
}

fn check_server_dir(text: &str) -> Result<(), Fault> {
    const UNDER_HOME: &str = "the server's folder must lie under the home directory, as in ~/data";
    let home = text.strip_prefix('~').filter(|rest| rest.is_empty() || rest.starts_with('/'));
    let Some(path) = home.or(text.strip_prefix('/')) else {
        let named = !text.starts_with(['~', '.']);
        return Err(Fault::new(UNDER_HOME).hint(if named {
            format!("did you mean `~/{text}`?")
        } else {
            "start it with ~/".to_owned()
        }));
    };
    let folders = folders(path)?;
    match folders.first() {
        None => {
            Err(Fault::new("a folder within the home directory is needed, not all of it")
                .hint("name one, as in ~/data"))
        }
        Some(first) if home.is_some() && FORBIDDEN.contains(first) => {
            Err(Fault::new(format!("~/{first} may not be seen by a container")).hint("use another folder"))
        }
        Some(_) => Ok(()),
    }
}

/// Without what does not change its meaning.
fn container_dir_of(text: &str) -> Result<String, Fault> {
    let Some(path) = text.strip_prefix('/') else {
        return Err(Fault::new(format!("the container's folder {} is not absolute", quoted(text)))
            .hint(format!("did you mean `/{text}`?")));
    };
    let folders = folders(path)?;
    if folders.is_empty() {
        return Err(Fault::new("the container's / itself cannot be a volume").hint("name a folder in it, as in /data"));
    }
    Ok(format!("/{}", folders.join("/")))
}

fn folders(path: &str) -> Result<Vec<&str>, Fault> {
    let folders: Vec<&str> = path.split('/').filter(|folder| !matches!(*folder, "" | ".")).collect();
    if folders.contains(&"..") {
        return Err(Fault::new("`..` is not allowed in a volume").hint("write the folder without it"));
    }
    Ok(folders)
}

#[cfg(test)]
mod tests {
    use super::super::tests::told;
    use super::*;

    #[test]
    fn volumes_are_two_folders() {
        let expected = |server_dir: &str, container_dir: &str, read_only| Volume {
            server_dir: server_dir.into(),
            container_dir: container_dir.into(),
            read_only,
        };
        assert_eq!(volume("~/data:/data"), Ok(expected("~/data", "/data", false)));
        assert_eq!(volume("~/a b/ : //data/./x/:ro"), Ok(expected("~/a b/", "/data/x", true)));
        assert_eq!(volume("/home/ada/data:/data:rw"), Ok(expected("/home/ada/data", "/data", false)));
        assert_eq!(volume("~/.sshd:/x").unwrap().server_dir, "~/.sshd");
        assert_eq!(volume("~/x/.ssh:/x").unwrap().server_dir, "~/x/.ssh");
    }

    #[test]
    fn the_part_that_is_wrong_is_marked() {
        for (written, marked) in [
            ("~/data", "~/data"),
            ("data:/data", "data"),
            ("./data:/data", "./data"),
            ("~ada/data:/data", "~ada/data"),
            (":/data", ":/data"),
            ("~:/data", "~"),
            ("~/./:/data", "~/./"),
            ("/:/data", "/"),
            ("~/.ssh:/x", "~/.ssh"),
            ("~//.ssh/keys:/x", "~//.ssh/keys"),
            ("~/./_mypaas:/x", "~/./_mypaas"),
            ("~/a/../.ssh:/x", "~/a/../.ssh"),
            ("~/data:data", "data"),
            ("~/data:", "~/data:"),
            ("~/data:/", "/"),
            ("~/data:/a/../..", "/a/../.."),
            ("~/data:/data:z", "z"),
            ("~/data:/data:ro:", "~/data:/data:ro:"),
        ] {
            assert_eq!(told(written, volume(written)).0, marked, "{written}");
        }
    }
}
