//! `mypaas.release=COMMAND`, ours alone: what runs once in a new image before it goes live. Written as a Dockerfile's
//! CMD is: a JSON list is the command itself, anything else is for the shell.

use super::Fault;

pub(in crate::manifest) fn release(value: &str) -> Result<Vec<String>, Fault> {
    if !value.starts_with('[') {
        return Ok(vec!["/bin/sh".to_owned(), "-c".to_owned(), value.to_owned()]);
    }
    let words: Vec<String> = serde_json::from_str(value).map_err(|_| {
        Fault::new("this is not a list of words").hint("write it as in [\"/app\", \"migrate\"], or as a shell command")
    })?;
    match words.first() {
        Some(program) if !program.is_empty() => Ok(words),
        _ => Err(Fault::new("the list names no program").hint("write it as in [\"/app\", \"migrate\"]")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::told;
    use super::*;

    #[test]
    fn a_list_is_the_command_and_a_text_is_for_the_shell() {
        assert_eq!(release("[\"/app\", \"migrate\"]").unwrap(), ["/app", "migrate"]);
        assert_eq!(release("./manage.py migrate").unwrap(), ["/bin/sh", "-c", "./manage.py migrate"]);
        assert_eq!(told("[/app]", release("[/app]")).1, "this is not a list of words");
        assert_eq!(told("[]", release("[]")).1, "the list names no program");
    }
}
