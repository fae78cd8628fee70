//! The bounds of the settings.

use super::*;

#[test]
fn settings_have_bounds() {
    use IntrospectionConfigError::*;
    let builder = || IntrospectionVerifier::builder(Played::default());
    let seconds = Duration::from_secs;
    let longest = builder()
        .refusal_ttl(seconds(10))
        .cache_ttl(seconds(3600))
        .stale_if_error(seconds(3600));
    assert!(longest.build().is_ok());
    for (builder, error, text) in [
        (
            builder().refusal_ttl(seconds(11)),
            RefusalTtl(seconds(11)),
            "refusal_ttl: 11s: at most 10s, so that a token that becomes good is soon accepted",
        ),
        (
            builder().cache_ttl(seconds(3601)),
            CacheTtl(seconds(3601)),
            "cache_ttl: 3601s: at most 1h, because a revocation is noticed as late as this",
        ),
        (
            builder().stale_if_error(seconds(3601)),
            StaleIfError(seconds(3601)),
            "stale_if_error: 3601s: at most 1h, because no revocation is noticed meanwhile",
        ),
        (
            builder().leeway(seconds(301)),
            Rules(ClaimRuleError::Leeway(seconds(301))),
            "leeway: 301s: at most 5min; set the clocks by NTP",
        ),
        (
            builder().max_outstanding(0),
            MaxOutstanding,
            "max_outstanding: 0: at least 1, or no token can be verified",
        ),
        (
            builder().max_refused_per_second(0),
            MaxRefusedPerSecond,
            "max_refused_per_second: 0: at least 1, or a few bad tokens stop all others",
        ),
    ] {
        let refused = builder.build().unwrap_err();
        assert_eq!(refused.iter().collect::<Vec<_>>(), [&error]);
        assert_eq!(refused.to_string(), text);
    }
}

#[test]
fn all_mistakes_are_told_at_once() {
    let errors = IntrospectionVerifier::builder(Played::default())
        .cache_ttl(Duration::from_secs(3601))
        .leeway(Duration::from_secs(301))
        .max_outstanding(0)
        .build()
        .unwrap_err();
    assert_eq!(errors.len(), 3);
    let lines = "leeway: 301s: at most 5min; set the clocks by NTP\n\
                 cache_ttl: 3601s: at most 1h, because a revocation is noticed as late as this\n\
                 max_outstanding: 0: at least 1, or no token can be verified";
    assert_eq!(errors.to_string(), lines);
}
