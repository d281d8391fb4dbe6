//! A log file that does not grow for ever.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The file is put aside at this size; one old file is kept.
const LARGEST: u64 = 4 * 1024 * 1024;

/// So much of its end is looked at for its last lines.
const TAIL: u64 = 16 * 1024;

#[derive(Debug)]
pub struct LogFile {
    path: PathBuf,
    file: File,
    size: u64,
}

impl LogFile {
    /// Goes on where the file ended; it is made when it is missing, for its user alone.
    pub fn open(path: PathBuf) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(&path)?;
        let size = file.metadata()?.len();
        Ok(Self { path, file, size })
    }

    /// Writes a piece whole, into one file.
    pub fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        if self.size >= LARGEST {
            fs::rename(&self.path, self.path.with_extension("log.1"))?;
            *self = Self::open(self.path.clone())?;
        }
        self.file.write_all(piece)?;
        self.size += piece.len() as u64;
        Ok(piece.len())
    }
}

/// The end of a file, from the beginning of a line.
pub(super) fn tail(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Ok(if length > TAIL { text.split_once('\n').map_or(text.clone(), |(_, whole)| whole.to_owned()) } else { text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_put_aside_before_it_grows_too_large() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.log");
        let mut log = LogFile::open(path.clone()).unwrap();
        let line = vec![b'x'; 1024 * 1024];
        for _ in 0..11 {
            log.write(&line).unwrap();
        }
        assert_eq!(fs::metadata(&path).unwrap().len(), 3 * 1024 * 1024);
        assert_eq!(fs::metadata(folder.path().join("server.log.1")).unwrap().len(), LARGEST);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_file_goes_on_where_it_ended() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.log");
        for line in ["one\n", "two\n"] {
            LogFile::open(path.clone()).unwrap().write(line.as_bytes()).unwrap();
        }
        assert_eq!(tail(&path).unwrap(), "one\ntwo\n");
        let lines: String = (0..10_000).map(|number| format!("line {number}\n")).collect();
        fs::write(&path, &lines).unwrap();
        let end = tail(&path).unwrap();
        assert!(end.starts_with("line ") && lines.ends_with(&end) && end.len() as u64 <= TAIL, "{}", &end[..40]);
    }
}
