//! Which setting the text of a mistake is about.

use tower_cors::{
    Any, CorsLayer, CorsLayerBuilder, OriginSet, config::CorsConfig,
    fetch_metadata::FetchMetadataLayer, lists::ConfigList, origin::Origin,
};

use crate::support::service::LISTED;

/// What stands before the first colon of each mistake.
#[track_caller]
fn settings(errors: Option<impl IntoIterator<Item: std::fmt::Display>>) -> Vec<String> {
    let errors = errors.expect("it has mistakes").into_iter();
    let setting = |text: String| text.split(": ").next().unwrap().to_owned();
    errors.map(|error| setting(error.to_string())).collect()
}

#[track_caller]
fn of(builder: CorsLayerBuilder) -> Vec<String> {
    settings(builder.build().err())
}

/// Entries that each are a mistake beside credentials.
const MISTAKES: [&str; 5] = [
    "https://a.example/",
    "null",
    "file://",
    "https://*.github.io",
    "moz-extension://*",
];

#[test]
fn a_mistake_begins_with_the_setting_that_has_the_entry() {
    let builder = || CorsLayer::builder().allow_credentials(true);
    let list = || builder().allow_origins([LISTED]);
    for entry in MISTAKES {
        assert_eq!(of(builder().allow_origins([entry])), ["allow_origins"]);
        let constant = of(builder().always_allow_origin([entry]));
        assert!(
            constant.iter().all(|it| it == "always_allow_origin"),
            "{entry}: {constant:?}"
        );
        let insecure = of(list().dangerously_allow_insecure_origin([entry]));
        assert_eq!(insecure, ["dangerously_allow_insecure_origin"], "{entry}");
    }
    assert_eq!(
        of(builder().always_allow_origin("http://a.example")),
        ["always_allow_origin"]
    );
    assert_eq!(
        of(builder().always_allow_origin(Any)),
        ["always_allow_origin"]
    );
    assert_eq!(
        of(builder().always_allow_origin(["*", LISTED])),
        ["always_allow_origin"]
    );
    let missing = ConfigList::from_env("NO_SUCH_VARIABLE_HERE");
    assert_eq!(
        of(builder().always_allow_origin(missing)),
        ["always_allow_origin"]
    );
}

#[test]
fn the_position_counts_within_the_setting() {
    let builder = CorsLayer::builder()
        .allow_origins("https://a.example/ https://b.example")
        .dangerously_allow_insecure_origin("http://10.0.0.1 http://10.0.0.2/");
    assert_eq!(
        of(builder),
        [
            "allow_origins (entry 1)",
            "dangerously_allow_insecure_origin (entry 2)"
        ]
    );
    let builder = CorsLayer::builder().always_allow_origin("https://a.example/");
    assert_eq!(of(builder), ["always_allow_origin (entry 1)"]);
}

#[test]
fn a_set_and_a_policy_have_their_own_settings() {
    let builder = || CorsLayer::builder().allow_credentials(true);
    let files: OriginSet = ["file://".parse::<Origin>().unwrap()].into_iter().collect();
    for set in [
        OriginSet::parse(["http://a.example"]).unwrap(),
        OriginSet::parse(["https://*.github.io"]).unwrap(),
        files,
    ] {
        assert_eq!(of(builder().allow_origins(set.clone())), ["allow_origins"]);
        assert_eq!(of(builder().origin_policy(set)), ["origin_policy"]);
    }
    assert_eq!(of(builder().allow_origins(Any)), ["allow_origins"]);
    assert_eq!(of(builder().origin_policy(Any)), ["origin_policy"]);
}

#[test]
fn the_mistakes_of_a_file_begin_with_its_keys() {
    let of_file = |insecure: &str| {
        let text = format!(
            r#"{{"allow_origins": "https://a.example/", "allow_credentials": true,
                 "dangerously_allow_insecure_origins": {insecure}}}"#
        );
        let config: CorsConfig = serde_json::from_str(&text).unwrap();
        settings(CorsLayer::try_from(config).err())
    };
    for entry in MISTAKES {
        assert_eq!(
            of_file(&format!("[{entry:?}]")),
            [
                "allow_origins (entry 1)",
                "dangerously_allow_insecure_origins"
            ]
        );
    }
    assert_eq!(
        of_file(r#""http://10.0.0.1, http://10.0.0.2/""#),
        [
            "allow_origins (entry 1)",
            "dangerously_allow_insecure_origins (entry 2)"
        ]
    );
    let any = of_file(r#""*""#);
    assert!(
        any.contains(&"dangerously_allow_insecure_origins".to_owned()),
        "{any:?}"
    );
}

#[test]
fn a_check_of_where_requests_come_from_names_its_settings() {
    let builder = FetchMetadataLayer::builder;
    for entry in MISTAKES {
        let listed = builder().allow_origins([entry]).build();
        assert_eq!(settings(listed.err()), ["allow_origins"]);
        let insecure = builder().dangerously_allow_insecure_origin([entry]).build();
        assert_eq!(
            settings(insecure.err()),
            ["dangerously_allow_insecure_origin"]
        );
    }
    let any = builder().origin_policy(Any).build();
    assert_eq!(settings(any.err()), ["origin_policy"]);
    // The text proposes no method that this builder lacks.
    let files = builder().allow_origins(["file://"]).build().unwrap_err();
    assert!(
        !files.to_string().contains("dangerously_allow_file_origin"),
        "{files}"
    );
}
