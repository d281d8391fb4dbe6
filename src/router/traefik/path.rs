//! A URL's path in the form that Traefik compares: percent-encoded bytes decoded, except where the byte itself would
//! mean something else in a path.

/// These stay encoded (RFC 3986's reserved characters and the percent sign); so do the backtick, which would end the
/// rule's text, and control characters.
const KEPT: &[u8] = b":/?#[]@!$&'()*+,;=%`";

/// `/caf%C3%A9/a%2Fb` → `/café/a%2Fb`. A path that is not UTF-8 when decoded stays as it is.
pub(super) fn routing_path(path: &str) -> String {
    let mut decoded = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        match escaped(rest) {
            Some(byte) if !KEPT.contains(&byte) && !byte.is_ascii_control() => {
                decoded.push(byte);
                rest = &rest[3..];
            }
            _ => {
                decoded.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8(decoded).unwrap_or_else(|_| path.to_owned()).replace('`', "%60")
}

/// The byte that `%41…` stands for.
fn escaped(text: &[u8]) -> Option<u8> {
    let [b'%', high, low, ..] = text else { return None };
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_decoded_and_what_has_a_meaning_is_not() {
        for (path, compared) in [
            ("/plain", "/plain"),
            ("/caf%C3%A9/x", "/café/x"),
            ("/café", "/café"),
            ("/a%20b", "/a b"),
            ("/a%2Fb%2fc", "/a%2Fb%2fc"),
            ("/100%25", "/100%25"),
            ("/odd%", "/odd%"),
            ("/odd%4", "/odd%4"),
            ("/odd%zz", "/odd%zz"),
            ("/latin%E9", "/latin%E9"),
            ("/a%60b`c", "/a%60b%60c"),
            ("/a%0Ab", "/a%0Ab"),
        ] {
            assert_eq!(routing_path(path), compared);
        }
    }
}
