//! The list of hosts: which requests it refuses, with which answer, and which lists it takes.

use http::{Request, header::HOST};
use tower_cors::host::{HostDenial, HostDenialKind as Kind, HostErrors, HostLayer};

use crate::support::beside::{forwarded, play, refused};

fn layer(hosts: &[&str]) -> HostLayer {
    HostLayer::builder().allow_hosts(hosts).build().unwrap()
}

fn request(target: &str, hosts: &[&[u8]]) -> Request<()> {
    let mut request = Request::get(target);
    for host in hosts {
        request = request.header(HOST, *host);
    }
    request.body(()).unwrap()
}

/// The whole answer is held against the denial: nothing but the status tells the client.
#[track_caller]
fn judged(layer: &HostLayer, request: &Request<()>) -> Option<Kind> {
    let inner = [("x-inner", "called"), ("vary", "accept-encoding")];
    let (answer, denial) = play::<_, HostDenial>(layer, request, &inner);
    let expected = match &denial {
        None => forwarded(&["vary: accept-encoding", "x-inner: called"]),
        Some(denial) => {
            let status = if denial.kind() == Kind::HostNotAllowed {
                421
            } else {
                400
            };
            assert_eq!(denial.status(), status);
            refused(status, &["cache-control: no-store"])
        }
    };
    assert_eq!(answer, expected);
    denial.map(|denial| denial.kind())
}

#[test]
fn a_name_that_was_rebound_is_refused() {
    let layer = layer(&[
        "localhost:3000",
        "api.example.com",
        "[::1]:3000",
        "10.1.2.3",
    ]);
    for (host, expected) in [
        ("localhost:3000", None),
        ("LOCALHOST:3000", None),
        ("localhost.:3000", None),
        ("api.example.com", None),
        ("Api.Example.Com.", None),
        ("api.example.com:443", None),
        ("api.example.com:80", None),
        ("[::1]:3000", None),
        ("10.1.2.3", None),
        ("evil.example", Some(Kind::HostNotAllowed)),
        ("evil.example:3000", Some(Kind::HostNotAllowed)),
        ("localhost", Some(Kind::HostNotAllowed)),
        ("localhost:3001", Some(Kind::HostNotAllowed)),
        ("localhost:30000", Some(Kind::HostNotAllowed)),
        ("localhost.evil.example:3000", Some(Kind::HostNotAllowed)),
        ("api.example.com.evil.example", Some(Kind::HostNotAllowed)),
        ("evilapi.example.com", Some(Kind::HostNotAllowed)),
        ("x.api.example.com", Some(Kind::HostNotAllowed)),
        ("example.com", Some(Kind::HostNotAllowed)),
        ("api.example.com:8443", Some(Kind::HostNotAllowed)),
        ("[::1]", Some(Kind::HostNotAllowed)),
        ("[::2]:3000", Some(Kind::HostNotAllowed)),
        ("10.1.2.4", Some(Kind::HostNotAllowed)),
        ("127.0.0.1:3000", Some(Kind::HostNotAllowed)),
        ("null", Some(Kind::HostNotAllowed)),
        ("", Some(Kind::MalformedHost)),
        (".", Some(Kind::MalformedHost)),
        ("api.example.com..", Some(Kind::HostNotAllowed)),
        (":3000", Some(Kind::MalformedHost)),
        ("localhost:", Some(Kind::MalformedHost)),
        ("localhost:03000", Some(Kind::MalformedHost)),
        ("localhost:3000:3000", Some(Kind::MalformedHost)),
        ("localhost:65536", Some(Kind::MalformedHost)),
        ("user@localhost:3000", Some(Kind::MalformedHost)),
        ("api.example.com/", Some(Kind::MalformedHost)),
        ("api.example.com?x", Some(Kind::MalformedHost)),
        ("api.example.com#", Some(Kind::MalformedHost)),
        ("evil.example\\@api.example.com", Some(Kind::MalformedHost)),
        ("http://api.example.com", Some(Kind::MalformedHost)),
        ("api.example.com,evil.example", Some(Kind::HostNotAllowed)),
        ("api.example.com evil.example", Some(Kind::MalformedHost)),
        ("api%2eexample.com", Some(Kind::MalformedHost)),
        ("::1:3000", Some(Kind::MalformedHost)),
        ("[::1", Some(Kind::MalformedHost)),
        ("[:.:1]", Some(Kind::MalformedHost)),
        ("[0:0:0:0:0:0:0:1]:3000", Some(Kind::MalformedHost)),
        ("0x0a.1.2.3", Some(Kind::MalformedHost)),
        ("012.1.2.3", Some(Kind::MalformedHost)),
    ] {
        let request = request("/", &[host.as_bytes()]);
        assert_eq!(judged(&layer, &request), expected, "{host:?}");
    }
    let long = "a.".repeat(4000);
    for host in [long.as_bytes(), b"caf\xe9.example", b"caf\xc3\xa9.example"] {
        let sent = request("/", &[host]);
        assert_eq!(judged(&layer, &sent), Some(Kind::MalformedHost));
    }
}

#[test]
fn wildcards_and_any_port() {
    let layer = layer(&["*.tools.example", "localhost:*", "pr-*.preview.example"]);
    for host in [
        "a.tools.example",
        "a.b.tools.example:443",
        "localhost",
        "localhost:1",
        "pr-7.preview.example",
    ] {
        assert_eq!(judged(&layer, &request("/", &[host.as_bytes()])), None);
    }
    for host in [
        "tools.example",
        "eviltools.example",
        "a.tools.example:8080",
        "a.localhost",
        "pr-.preview.example",
        "pr-7.x.preview.example",
    ] {
        let judged = judged(&layer, &request("/", &[host.as_bytes()]));
        assert_eq!(judged, Some(Kind::HostNotAllowed), "{host}");
    }
}

/// RFC 9110, section 7.2, and RFC 9112, section 3.2.
#[test]
fn there_is_exactly_one_host() {
    let layer = layer(&["api.example.com", "api.example.org"]);
    let own: &[u8] = b"api.example.com";
    for (target, hosts, expected) in [
        ("/", &[][..], Some(Kind::MissingHost)),
        ("*", &[own], None),
        ("/", &[own, own], Some(Kind::SeveralHosts)),
        ("/", &[own, b"evil.example"], Some(Kind::SeveralHosts)),
        ("http://api.example.com/", &[], None),
        ("https://api.example.com/", &[own], None),
        ("http://API.example.com:80/", &[own], None),
        ("http://evil.example/", &[], Some(Kind::HostNotAllowed)),
        ("http://evil.example/", &[own], Some(Kind::HostNotAllowed)),
        (
            "http://api.example.com/",
            &[b"evil.example"],
            Some(Kind::Contradiction),
        ),
        // Both are listed, and yet it is not one host.
        (
            "http://api.example.com/",
            &[b"api.example.org"],
            Some(Kind::Contradiction),
        ),
        (
            "http://api.example.com/",
            &[b"api.example.com:8080"],
            Some(Kind::Contradiction),
        ),
        (
            "http://api.example.com/",
            &[own, own],
            Some(Kind::SeveralHosts),
        ),
        (
            "http://user@api.example.com/",
            &[],
            Some(Kind::MalformedHost),
        ),
    ] {
        let request = request(target, hosts);
        assert_eq!(judged(&layer, &request), expected, "{target} {hosts:?}");
    }
}

#[test]
fn what_a_client_says_of_its_host_elsewhere_does_not_count() {
    let layer = layer(&["api.example.com"]);
    let mut sent = request("/", &[b"evil.example"]);
    for name in ["x-forwarded-host", "x-host", "x-original-host"] {
        sent.headers_mut()
            .insert(name, "api.example.com".parse().unwrap());
    }
    let forwarded = "host=api.example.com".parse().unwrap();
    sent.headers_mut().insert("forwarded", forwarded);
    assert_eq!(judged(&layer, &sent), Some(Kind::HostNotAllowed));
}

#[test]
fn addresses_only_if_asked_for() {
    let addresses = HostLayer::builder().allow_addresses(true).build().unwrap();
    let none = layer(&["api.example.com"]);
    for host in ["10.1.2.3", "127.0.0.1:8080", "[::1]", "[2001:db8::1]:443"] {
        let request = request("/", &[host.as_bytes()]);
        assert_eq!(judged(&addresses, &request), None, "{host}");
        assert_eq!(judged(&none, &request), Some(Kind::HostNotAllowed));
    }
    for host in ["localhost", "1.2.3.4.evil.example", "127.0.0.1.nip.io"] {
        let request = request("/", &[host.as_bytes()]);
        let judged = judged(&addresses, &request);
        assert_eq!(judged, Some(Kind::HostNotAllowed), "{host}");
    }
}

#[test]
fn a_denial_is_for_the_operator() {
    let layer = layer(&["api.example.com"]);
    let sent = request("/?token=secret", &[b"evil\xff.example"]);
    let (_, denial) = play::<_, HostDenial>(&layer, &sent, &[]);
    let denial = denial.unwrap();
    assert_eq!(denial.host().unwrap().as_bytes(), b"evil\xff.example");
    assert_eq!(
        format!("{denial:?}"),
        "HostDenial(MalformedHost: the host is neither a name nor an address as browsers send them: \
         look for a client or a proxy that writes it (host: \"evil\\xff.example\"))"
    );
    let sent = request("/", &["a".repeat(5000).as_bytes()]);
    let (_, denial) = play::<_, HostDenial>(&layer, &sent, &[]);
    assert!(denial.unwrap().to_string().len() < 600);
    let (_, denial) = play::<_, HostDenial>(&layer, &request("/", &[]), &[]);
    let denial = denial.unwrap();
    assert!(denial.host().is_none());
    assert_eq!(
        denial.to_string(),
        "the request names no host: look for a client or a proxy that leaves out Host"
    );
}

fn mistakes(hosts: &[&str]) -> HostErrors {
    HostLayer::builder().allow_hosts(hosts).build().unwrap_err()
}

#[test]
fn every_mistake_is_told_at_once() {
    let errors = mistakes(&[
        "api.example.com",
        "https://api.example.com/x",
        "api.example.com/",
        "user@api.example.com",
        "*",
        "*.com",
        "*.github.io",
        "x-*.github.io",
        "10.0.0.0/8",
        "192.168.*",
        "[0::1]",
        "localhost:0",
        "a b",
        "bücher.example",
        "-a.example",
        "a.*.example",
        "",
    ]);
    // The right spelling is known with the feature `idna`.
    let buecher =
        "\"bücher.example\": browsers send the ASCII form of a host, whose labels begin with xn--";
    let buecher = if cfg!(feature = "idna") {
        format!("{buecher}: write \"xn--bcher-kva.example\"")
    } else {
        buecher.to_owned()
    };
    let expected = [
        "\"*\": every host would match, and nothing would be checked: list names, as in \
         \"*.example.com\", or leave the layer out",
        "\"https://api.example.com/x\": a host has no scheme: write \"api.example.com\"",
        "\"api.example.com/\": a host is a name or an address, and perhaps a port: no path, query or \
         user name: write \"api.example.com\"",
        "\"user@api.example.com\": a host is a name or an address, and perhaps a port: no path, \
         query or user name: write \"api.example.com\"",
        "\"*.com\": anyone can register a name below \"com\" and have it point at the service: list \
         the names that are yours",
        "\"*.github.io\": anyone can register a name below \"github.io\" and have it point at the \
         service: list the names that are yours",
        "\"x-*.github.io\": anyone can register a name below \"github.io\" and have it point at the \
         service: list the names that are yours",
        "\"10.0.0.0/8\": addresses are listed one by one: or call `allow_addresses`, which takes \
         every address",
        "\"192.168.*\": addresses are listed one by one: or call `allow_addresses`, which takes every \
         address",
        "\"[0::1]\": an IPv6 address is written in its one canonical form: write \"[::1]\"",
        "\"localhost:0\": a port is a number from 1 to 65535 without leading zeros: write \"localhost\"",
        "\"a b\": a host has no white space or control character",
        &buecher,
        "\"-a.example\": a label of a host has 1 to 63 characters and neither begins nor ends with '-'",
        "\"a.*.example\": a wildcard stands for whole labels before the host (*.), for a part of the \
         first label (pr-*), or for the port (:*)",
        "\"\": there is no host",
    ];
    let told: Vec<String> = errors.iter().map(ToString::to_string).collect();
    let expected: Vec<String> = expected
        .iter()
        .map(|line| format!("allow_hosts: {line}"))
        .collect();
    assert_eq!(told, expected);
    assert_eq!(errors.len(), expected.len());
    assert_eq!((&errors).into_iter().count(), expected.len());
    assert!(errors.iter().cloned().eq(errors.clone()));
}

#[test]
fn nothing_listed_is_a_mistake() {
    for builder in [
        HostLayer::builder(),
        HostLayer::builder().allow_hosts([""; 0]),
    ] {
        assert_eq!(
            builder.build().unwrap_err().to_string(),
            "allow_hosts: nothing says which hosts the service answers for: list its names, as in \
             \"api.example.com\" or \"localhost:3000\""
        );
    }
    let variable = tower_cors::lists::ConfigList::from_env("TOWER_CORS_NO_SUCH_VARIABLE");
    assert_eq!(
        HostLayer::builder()
            .allow_hosts(variable)
            .build()
            .unwrap_err()
            .to_string(),
        "allow_hosts: the environment variable TOWER_CORS_NO_SUCH_VARIABLE is not set: set it to the \
         service's names"
    );
}
