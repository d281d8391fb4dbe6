//! What a push is signed with, as it stands in the query.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use url::form_urlencoded;

use super::Token;

/// Four times what the longest signatures take.
const LONGEST_QUERY: usize = 16 * 1024;

/// With or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The end of the public key's line.
    pub id: String,
    pub token: Token,
    pub over_token: Vec<u8>,
    pub over_body: Vec<u8>,
}

impl Signed {
    /// None unless each parameter is there once, and makes sense; others do not matter.
    pub fn read(query: &str) -> Option<Self> {
        if query.len() > LONGEST_QUERY {
            return None;
        }
        let only = |wanted: &str| {
            let mut values = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == wanted);
            let value = values.next()?.1;
            values.next().is_none().then_some(value)
        };
        let signature = |name| bytes(&only(name)?).filter(|bytes| !bytes.is_empty());
        Some(Self {
            id: only("id")?.into_owned(),
            token: Token::read(&only("token")?)?,
            over_token: signature("sig1")?,
            over_body: signature("sig2")?,
        })
    }

    pub fn query(&self) -> String {
        form_urlencoded::Serializer::new(String::new())
            .append_pair("id", &self.id)
            .append_pair("token", self.token.as_str())
            .append_pair("sig1", &BASE64.encode(&self.over_token))
            .append_pair("sig2", &BASE64.encode(&self.over_body))
            .finish()
    }
}

/// The original breaks the lines of its base64.
fn bytes(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    BASE64.decode(digits).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const QUERY: &str = "id=abcdefghi%3D&token=1700000000-QwErTyUi&sig1=%2B/8%3D%0A&sig2=AAA%0AAAA%3D%0A";

    #[test]
    fn the_original_s_query_is_read() {
        let signed = Signed::read(QUERY).unwrap();
        assert_eq!((signed.id.as_str(), signed.token.time()), ("abcdefghi=", 1_700_000_000));
        assert_eq!((signed.over_token, signed.over_body), (vec![0xfb, 0xff], vec![0; 4]));
    }

    #[test]
    fn what_is_missing_double_or_no_base64_is_refused() {
        let long = format!("{QUERY}&x={}", "x".repeat(LONGEST_QUERY));
        for wrong in [
            "",
            &QUERY.replace("id=", "ID="),
            &QUERY.replace("sig1=%2B/8%3D%0A", "sig1="),
            &QUERY.replace("sig2=", "sig3="),
            &QUERY.replace("token=1", "token=x"),
            &QUERY.replace("%2B/8%3D", "%2B/8%3D!"),
            &format!("{QUERY}&token=1700000000-QwErTyUi"),
            &long,
        ] {
            assert_eq!(Signed::read(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            id in "[A-Za-z0-9_=-]{10}",
            time in 0..i64::MAX,
            over_token in proptest::collection::vec(any::<u8>(), 1..600),
            over_body in proptest::collection::vec(any::<u8>(), 1..600),
        ) {
            let signed = Signed { id, token: Token::new(time).unwrap(), over_token, over_body };
            prop_assert_eq!(Signed::read(&signed.query()), Some(signed));
        }
    }
}
