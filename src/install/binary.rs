//! A program file, before it goes to another machine.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use sha2::{Digest, Sha256};

/// Where an ELF file says what processor it is for, and how many bytes that takes.
const MACHINE: usize = 18;
const HEADER: usize = 20;

/// What the program is to the byte, in hexadecimal.
pub fn sha256(path: &Path) -> io::Result<String> {
    let mut hash = Sha256::new();
    let (mut file, mut chunk) = (File::open(path)?, vec![0; 1 << 16]);
    loop {
        match file.read(&mut chunk)? {
            0 => break,
            count => hash.update(&chunk[..count]),
        }
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The processor that a program is for, as `uname -m` says it; none when that is not known, as for a script.
pub fn architecture(path: &Path) -> io::Result<Option<&'static str>> {
    let mut header = Vec::new();
    File::open(path)?.take(HEADER as u64).read_to_end(&mut header)?;
    if header.len() < HEADER || !header.starts_with(b"\x7fELF") {
        return Ok(None);
    }
    Ok(match u16::from_le_bytes([header[MACHINE], header[MACHINE + 1]]) {
        0x3e => Some("x86_64"),
        0xb7 => Some("aarch64"),
        0xf3 => Some("riscv64"),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_tells_what_it_is() {
        let own = std::env::current_exe().unwrap();
        assert_eq!(architecture(&own).unwrap(), Some(std::env::consts::ARCH));
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("script");
        std::fs::write(&script, "#!/bin/sh\n").unwrap();
        assert_eq!(architecture(&script).unwrap(), None);
        assert_eq!(sha256(&script).unwrap(), "a8076d3d28d21e02012b20eaf7dbf75409a6277134439025f282e368e3305abf");
        assert!(sha256(&folder.path().join("nowhere")).is_err());
    }
}
