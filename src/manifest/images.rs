//! Which images a build takes something from, for whoever may not take from all. Versions of Docker differ in how they
//! read a line; here counts whatever one of them might read, and what cannot be told from the text is told to be unclear.

use std::collections::{BTreeMap, BTreeSet};

use super::text::Line;

/// What `FROM` and `COPY --from=` name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Images {
    /// Names and ids, in lower case, without the stages of the Dockerfile itself.
    pub named: BTreeSet<String>,
    /// As written; only the build would tell what is meant.
    pub unclear: BTreeSet<String>,
}

/// One way to read the lines.
#[derive(Debug, Clone, Copy)]
struct Reading {
    escape: char,
    /// Whether a line goes on that ends in two of them.
    doubled: bool,
}

const READINGS: [Reading; 4] = [
    Reading { escape: '\\', doubled: false },
    Reading { escape: '\\', doubled: true },
    Reading { escape: '`', doubled: false },
    Reading { escape: '`', doubled: true },
];

impl Images {
    pub(super) fn of(dockerfile: &[u8], lines: &[Line<'_>]) -> Self {
        let mut images = Self::default();
        if has_odd_return(dockerfile) {
            images.unclear.insert("\r".to_owned());
        }
        for reading in READINGS {
            let mut scope = Scope::default();
            for instruction in reading.instructions(lines) {
                scope.pass(&mut images, &instruction);
            }
        }
        images
    }
}

/// Not all versions take it for the end of a line, nor for a blank behind the sign that a line goes on.
fn has_odd_return(dockerfile: &[u8]) -> bool {
    let mut after = dockerfile.iter().skip(1).chain([&0]);
    dockerfile.iter().any(|byte| after.next().is_some_and(|next| *byte == b'\r' && *next != b'\n'))
}

impl Reading {
    fn instructions(self, lines: &[Line<'_>]) -> Vec<String> {
        let (mut all, mut current) = (Vec::new(), String::new());
        for text in lines.iter().map(|line| line.text) {
            let trimmed = text.trim_start();
            if trimmed.starts_with('#') || trimmed.is_empty() {
                continue;
            }
            match self.continued(text) {
                Some(part) => current.push_str(part),
                None => {
                    current.push_str(text);
                    all.push(std::mem::take(&mut current));
                }
            }
        }
        all.push(current);
        all
    }

    fn continued(self, text: &str) -> Option<&str> {
        let part = text.trim_end_matches([' ', '\t']).strip_suffix(self.escape)?;
        (self.doubled || !part.ends_with(self.escape)).then_some(part)
    }
}

/// What is known at an instruction from those before it.
#[derive(Debug, Default)]
struct Scope {
    /// The stages so far, in lower case.
    stages: BTreeSet<String>,
    /// The arguments before the first FROM; none where it cannot be told what they are.
    arguments: BTreeMap<String, Option<String>>,
    has_from: bool,
}

impl Scope {
    fn pass(&mut self, images: &mut Images, instruction: &str) {
        // Quotes and escapes within a name mean nothing, and no name has one.
        let bare: String = instruction.chars().filter(|c| !matches!(c, '"' | '\'' | '\\' | '`')).collect();
        let mut words: Vec<&str> = bare.split_whitespace().collect();
        while words.first().is_some_and(|word| word.eq_ignore_ascii_case("onbuild")) {
            words.remove(0);
        }
        let Some((name, rest)) = words.split_first() else { return };
        match name.to_ascii_lowercase().as_str() {
            "arg" if !self.has_from => rest.iter().for_each(|word| self.define(word)),
            "from" => self.begin_stage(images, rest),
            "copy" => {
                let sources = rest.iter().filter_map(|word| word.strip_prefix("--from="));
                sources.for_each(|source| self.take(images, source, is_index));
            }
            _ => {}
        }
    }

    fn begin_stage(&mut self, images: &mut Images, words: &[&str]) {
        self.has_from = true;
        let words: Vec<&str> = words.iter().copied().filter(|word| !word.starts_with("--")).collect();
        let Some(image) = words.first() else { return };
        self.take(images, image, |_| false);
        if let [_, keyword, stage] = words.as_slice()
            && keyword.eq_ignore_ascii_case("as")
        {
            self.stages.insert(stage.to_lowercase());
        }
    }

    fn take(&self, images: &mut Images, written: &str, is_stage: impl Fn(&str) -> bool) {
        match self.expanded(written).map(|name| name.to_lowercase()) {
            None => drop(images.unclear.insert(written.to_owned())),
            // No stage's name has one of these, so what has one is an image whatever the stages are called.
            Some(name) if !name.contains(['/', ':', '@']) && (is_stage(&name) || self.stages.contains(&name)) => {}
            Some(name) => drop(images.named.insert(name)),
        }
    }

    /// Which of two definitions holds, versions of Docker might see differently.
    fn define(&mut self, word: &str) {
        let (name, value) = word.split_once('=').map_or((word, None), |(name, value)| (name, self.expanded(value)));
        let value = value.filter(|_| !self.arguments.contains_key(name));
        self.arguments.insert(name.to_owned(), value);
    }

    /// None where an argument is not known, or is written in more than the two plain ways.
    fn expanded(&self, text: &str) -> Option<String> {
        let mut parts = text.split('$');
        let mut whole = parts.next()?.to_owned();
        for part in parts {
            let (name, behind) = match part.strip_prefix('{') {
                Some(braced) => braced.split_once('}')?,
                None => {
                    part.split_at(part.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(part.len()))
                }
            };
            whole.push_str(self.arguments.get(name)?.as_ref()?);
            whole.push_str(behind);
        }
        Some(whole)
    }
}

/// Stages are counted too; no number that Docker can count to is longer.
fn is_index(name: &str) -> bool {
    name.len() < 10 && name.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::images;

    fn read(text: &str) -> Images {
        images(text.as_bytes())
    }

    fn named(text: &str) -> Vec<String> {
        let found = read(text);
        assert_eq!(found.unclear, BTreeSet::new(), "{text}");
        found.named.into_iter().collect()
    }

    #[test]
    fn images_are_found_and_stages_are_none() {
        let text = "ARG V=1.2\nFROM --platform=x rust:$V AS Build\nRUN x\nFROM scratch\nCOPY --from=build /a /\n\
                    COPY --chown=1 --from=0 /a /\nCOPY --from=team/tool:${V}-x /a /\nCOPY --from=lib /a /\nCOPY a b\n";
        assert_eq!(named(text), ["lib", "rust:1.2", "scratch", "team/tool:1.2-x"]);
        assert_eq!(named("FROM a AS x\nFROM X\nFROM 0\nCOPY --from=12345678901 /a /"), ["0", "12345678901", "a"]);
    }

    #[test]
    fn no_way_to_write_a_name_hides_it() {
        for text in [
            "FROM p/hidden:r3",
            "from P/hidden:r3 AS p",
            "FROM p/hi\\\n# c\n\ndden:r3",
            "# mypaas.x=1\n# escape=`\nFROM p/hid`\nden:r3",
            "FROM x\nCOPY --from=\\\\\np/hidden:r3 / /x",
            "FROM x\nCOPY --f\"ro\"m=p/hid'den:r3' / /x",
            "FROM x\nCOPY --fr\\om=p/hidden:r3 [\"/\", \"/x\"]",
            "FROM x\nONBUILD COPY --from=p/hidden:r3 / /x",
            "FROM x\nRUN <<\"#\"\nCOPY --from=p/hidden:r3 / /x\n#\n",
            "ARG A=p\nARG B=$A/hidden C=:r3\nFROM ${B}$C",
            "ARG \"A=p/hidden:r3\"\nFROM $A",
            "FROM a AS b\nFROM p/hidden:r3 AS p\nCOPY --from=p/hidden:r3 / /x",
        ] {
            assert!(read(text).named.contains("p/hidden:r3"), "{text}: {:?}", read(text));
        }
    }

    #[test]
    fn what_only_the_build_would_tell_is_unclear() {
        for text in [
            "FROM ${A:-p/hidden:r3}",
            "FROM $A",
            "ARG A\nFROM $A",
            "ARG A=p/hidden:r3\nARG B=\"x A=python\"\nFROM $A",
            "FROM x\nARG A=y\nFROM $A",
            "FROM x\nCOPY --from=$A / /x",
            "FROM x\\\r\r\nCOPY --from=\\\np/hidden:r3 / /x",
        ] {
            assert!(!read(text).unclear.is_empty(), "{text}: {:?}", read(text));
        }
    }
}
