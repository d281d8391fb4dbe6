//! Any bytes as a line of the router's log, and as a certificate that it got: no panic, and what is taken for a domain
//! looks like one.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mypaas::router::certificate::Certificate;
use mypaas::router::traefik::refused_domains;

fuzz_target!(|bytes: &[u8]| {
    for domain in refused_domains(&String::from_utf8_lossy(bytes)) {
        assert!(domain.contains('.') && !domain.contains([' ', '"', '\\', '/', '\n']), "{domain}");
    }
    drop(Certificate::read(bytes));
});
