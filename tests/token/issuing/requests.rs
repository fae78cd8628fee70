//! What may be asked for in a request for a token.

use super::*;

#[test]
fn a_list_becomes_canonical_in_the_order_asked_for_each_once() {
    for (text, expected) in [
        (
            "https://contoso.com;https://litware.com",
            &[PAGE, OTHER][..],
        ),
        ("https://litware.com;https://contoso.com", &[OTHER, PAGE]),
        (
            " https://contoso.com ;\thttps://litware.com",
            &[PAGE, OTHER],
        ),
        (
            "https://contoso.com;HTTPS://CONTOSO.com:443;https://contoso.com",
            &[PAGE],
        ),
        (
            "https://xn--bcher-kva.example",
            &["https://xn--bcher-kva.example"],
        ),
        (
            "https://[2001:DB8::1]:8443",
            &["https://[2001:db8::1]:8443"],
        ),
    ] {
        assert_eq!(texts(&parse(text).unwrap()), expected, "{text}");
    }
}

#[test]
fn each_wrong_entry_is_reported() {
    use EntryErrorKind as E;

    for (text, expected) in [
        ("", &[(0, Kind::Entry(E::Empty))][..]),
        (
            ";",
            &[(0, Kind::Entry(E::Empty)), (1, Kind::Entry(E::Empty))],
        ),
        (
            "https://a.example;;https://b.example;",
            &[(1, Kind::Entry(E::Empty)), (3, Kind::Entry(E::Empty))],
        ),
        (
            "https://a.example;javascript:1;null;*",
            &[
                (1, Kind::Entry(E::Syntax)),
                (2, Kind::Entry(E::Null)),
                (3, Kind::Entry(E::Special)),
            ],
        ),
        (
            "https://*.a.example;https://a.example:*",
            &[(0, Kind::Entry(E::Wildcard)), (1, Kind::Entry(E::Wildcard))],
        ),
        ("contoso.com", &[(0, Kind::Entry(E::NoScheme))]),
        (
            "https://contoso.com/",
            &[(0, Kind::Entry(E::TrailingSlash))],
        ),
        ("capacitor://localhost", &[(0, Kind::Entry(E::Scheme))]),
    ] {
        assert_eq!(mistakes(text), expected, "{text:?}");
    }
    assert_eq!(
        parse("https://a.example;http://b.example;https://bücher.example")
            .unwrap_err()
            .to_string(),
        "entry 2: plain http is not allowed: use https\n\
         entry 3: write internationalised names in their ASCII form, which begins with xn--"
    );
}

#[test]
fn t10_nothing_slips_into_a_list() {
    for text in [
        "https://a.example,https://evil.example",
        "https://a.example https://evil.example",
        "https://a.example%3bhttps://evil.example",
        "https://a.example%3Bhttps://evil.example",
        "https://a.example；https://evil.example",
        "https://a.example\u{37e}https://evil.example",
        "https://a.example\r\nhttps://evil.example",
        "https://a.example\nhttps://evil.example",
        "https://a.example\0",
        "https://a.example\u{202e}",
        "https://a.example\u{200b}",
        "https://cont\u{43e}so.com",
        "https://contoso。com",
        "https://a.example/;p=1",
        "https://a.example\\@evil.example",
        "https://user@evil.example",
        "https://a.example#;https://b.example",
        "\u{feff}https://a.example",
    ] {
        assert!(!mistakes(text).is_empty(), "{text:?}");
    }
    // In the array no element is split.
    let array =
        |text| AllowedOrigins::parse_request(text, OriginsFormat::Array, &IssueRules::new());
    assert!(array(r#"["https://a.example;https://evil.example"]"#).is_err());
    assert_eq!(texts(&array(r#"["https://contoso.com"]"#).unwrap()), [PAGE]);
    for text in [
        "",
        "{}",
        "null",
        "[1]",
        "[null]",
        "[[\"https://a.example\"]]",
        "[",
        "\"x\"",
        "[] x",
    ] {
        assert_eq!(array(text), Err(RequestedOriginsError::Shape), "{text}");
    }
    assert_eq!(
        array("[]").unwrap_err().to_string(),
        "entry 1: the entry is empty: name an origin, or remove the delimiter beside it"
    );
}

#[test]
fn t10_a_registry_caps_what_may_be_asked_for() {
    let registered = OriginSet::parse([PAGE, "https://*.contoso.com"]).unwrap();
    let rules = IssueRules::new().only(registered);
    let parse = |text| AllowedOrigins::parse_request(text, SEMICOLONS, &rules);
    assert!(parse("https://contoso.com:443;https://a.contoso.com").is_ok());
    assert_eq!(
        parse("https://contoso.com;https://litware.com")
            .unwrap_err()
            .to_string(),
        "entry 2: the origin is not registered: register it, or leave it out"
    );
    let wild = IssueRules::new()
        .entries(ListRules::new().wildcards())
        .only_if(|_| true);
    assert!(
        AllowedOrigins::parse_request("https://*.contoso.com", SEMICOLONS, &wild).is_err(),
        "the registry may have less than a wildcard matches"
    );
}

#[test]
fn t14_lists_are_bounded() {
    let list = |n: usize| {
        let entries: Vec<String> = (0..n).map(|i| format!("https://a{i}.example")).collect();
        entries.join(";")
    };
    assert_eq!(parse(&list(64)).unwrap().iter().len(), 64);
    let error = parse(&list(65)).unwrap_err();
    assert_eq!(error, RequestedOriginsError::TooMany { limit: 64 });
    assert_eq!(error.to_string(), "the list has at most 64 entries");
    let few = IssueRules::new().max_entries(1);
    assert_eq!(
        AllowedOrigins::parse_request(&list(2), SEMICOLONS, &few),
        Err(RequestedOriginsError::TooMany { limit: 1 })
    );
    let many = IssueRules::new().max_entries(1000);
    assert!(AllowedOrigins::parse_request(&list(65), SEMICOLONS, &many).is_err());
    // A list of this length is still looked at.
    let longest = "x".repeat(IssueRules::MAX_LIST_LEN);
    assert_eq!(mistakes(&longest).len(), 1);
    let error = parse(&format!("{longest}x")).unwrap_err();
    assert_eq!(error.to_string(), "the list is at most 8192 bytes long");
    let endless = std::iter::repeat(PAGE);
    assert!(AllowedOrigins::from_entries(endless, &IssueRules::new()).is_err());
}

#[test]
fn t16_plain_http_needs_a_door() {
    let insecure = [(0, Kind::Entry(EntryErrorKind::Insecure))];
    assert_eq!(mistakes("http://contoso.com"), insecure);
    assert_eq!(mistakes("http://localhost:3000"), insecure);
    let loopback = IssueRules::new().entries(ListRules::new().http_loopback());
    let parse = |text| AllowedOrigins::parse_request(text, SEMICOLONS, &loopback);
    assert!(parse("http://localhost:3000;http://127.0.0.1").is_ok());
    assert!(parse("http://contoso.com").is_err());
}

/// In the format whose readers take either.
#[test]
fn a_single_origin_or_an_array_may_be_asked_for() {
    let list = |text: &str| {
        AllowedOrigins::parse_request(text, OriginsFormat::SingleOrArray, &IssueRules::new())
    };
    for (text, expected) in [
        ("https://contoso.com", &[PAGE][..]),
        (r#"["https://contoso.com"]"#, &[PAGE]),
        (
            r#" ["https://contoso.com", "https://litware.com"]"#,
            &[PAGE, OTHER],
        ),
    ] {
        assert_eq!(texts(&list(text).unwrap()), expected, "{text}");
    }
    for text in ["[https://contoso.com]", r#""https://contoso.com""#, "[]"] {
        assert!(list(text).is_err(), "{text}");
    }
}

#[test]
fn a_format_has_room_or_says_so() {
    let two = parse("https://contoso.com;https://litware.com").unwrap();
    assert_eq!(
        two.to_claim(SEMICOLONS),
        Ok(json!("https://contoso.com;https://litware.com"))
    );
    assert_eq!(two.to_claim(OriginsFormat::Array), Ok(json!([PAGE, OTHER])));
    assert_eq!(
        two.to_claim(OriginsFormat::Single),
        Err(FormatError::Several(2))
    );
    assert_eq!(
        parse(PAGE).unwrap().to_claim(OriginsFormat::Single),
        Ok(json!(PAGE))
    );
    for delimiter in [
        '|', '\t', '\n', '.', ':', '/', '-', 'a', '0', '%', '*', '[', 'é',
    ] {
        let format = OriginsFormat::Delimited(delimiter);
        assert_eq!(two.to_claim(format), Err(FormatError::Delimiter(delimiter)));
        assert_eq!(
            AllowedOrigins::parse_request(PAGE, format, &IssueRules::new()),
            Err(RequestedOriginsError::Format(FormatError::Delimiter(
                delimiter
            )))
        );
    }
}

/// Entries in all spellings that are let in, and some that are not.
fn entry() -> impl Strategy<Value = String> {
    let host = prop_oneof![
        "[a-wyzA-WYZ][a-z0-9-]{0,8}[a-z]\\.(example|com)\\.?",
        Just("[2001:DB8:0:0::1]".to_owned()),
        Just("192.0.2.1".to_owned()),
        Just("localhost".to_owned()),
        Just(String::new()),
        Just("Pr-*.Contoso.com".to_owned()),
        "[a-zA-Z;=%*2-4]{0,4}",
    ];
    let scheme = prop_oneof![
        Just("https"),
        Just("HTTPS"),
        Just("http"),
        Just("capacitor"),
        Just("App")
    ];
    let port = prop_oneof![Just(""), Just(":443"), Just(":8443"), Just(":80")];
    let star = prop_oneof![4 => Just(""), 1 => Just("*.")];
    (scheme, star, host, port)
        .prop_map(|(scheme, star, host, port)| format!("{scheme}://{star}{host}{port}"))
}

/// What is asked for, written and read again is what a browser sends.
#[test]
fn origins_of_applications_and_parts_of_labels_may_be_asked_for() {
    let entries = ListRules::new().scheme("app").wildcards();
    let rules = IssueRules::new().entries(entries);
    let asked = "app://MyApp;App://;https://PR-*.Contoso.com;app://*";
    let list = AllowedOrigins::parse_request(asked, SEMICOLONS, &rules).unwrap();
    let expected = "app://MyApp;app://;https://pr-*.contoso.com;app://*";
    assert_eq!(list.to_claim(SEMICOLONS).unwrap(), expected);
    // In an array as well, where no delimiter would keep it apart.
    let other = AllowedOrigins::from_entries(["app://a;b"], &rules);
    assert!(other.is_err());
}

fn generous() -> IssueRules {
    let entries = ListRules::new()
        .dangerously_allow_http()
        .scheme("capacitor")
        .scheme("app")
        .wildcards();
    IssueRules::new().entries(entries)
}

fn formats() -> impl Strategy<Value = OriginsFormat> {
    prop_oneof![
        proptest::sample::select(vec![';', ',', ' ']).prop_map(OriginsFormat::Delimited),
        Just(OriginsFormat::Array),
    ]
}

/// A claim as a request would have it.
fn as_request(claim: &Value) -> String {
    match claim {
        Value::String(text) => text.clone(),
        array => array.to_string(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(1000)
    })]

    #[test]
    fn parse_undoes_format(
        entries in proptest::collection::vec(entry(), 1..8),
        format in formats(),
    ) {
        let rules = generous();
        if let Ok(list) = AllowedOrigins::from_entries(entries.iter().map(String::as_str), &rules) {
            let claim = list.to_claim(format).unwrap();
            let again = AllowedOrigins::parse_request(&as_request(&claim), format, &rules);
            prop_assert_eq!(again, Ok(list));
        }
    }

    #[test]
    fn no_text_panics_and_what_is_taken_is_canonical(text in "\\PC*", format in formats()) {
        if let Ok(list) = AllowedOrigins::parse_request(&text, format, &generous()) {
            for pattern in list.iter() {
                prop_assert!(pattern.as_str().parse::<OriginPattern>().is_ok());
            }
        }
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), format in formats()) {
        let text = String::from_utf8_lossy(&bytes);
        let _ = AllowedOrigins::parse_request(&text, format, &generous());
        let near = format!("https://contoso.com{text}");
        let _ = AllowedOrigins::parse_request(&near, format, &generous());
    }
}
