//! The bounds of the settings.

use super::*;

#[test]
fn settings_have_bounds() {
    let builder = || JwksVerifier::builder(Played::default()).dangerously_any_audience();
    let seconds = Duration::from_secs;
    let day = seconds(86_400);
    let longest = builder().keys_ttl(day).stale_if_error(day);
    assert!(longest.min_refresh_interval(seconds(60)).build().is_ok());
    for (builder, error) in [
        (
            builder().keys_ttl(seconds(59)),
            JwksConfigError::KeysTtl(seconds(59)),
        ),
        (
            builder().keys_ttl(seconds(86_401)),
            JwksConfigError::KeysTtl(seconds(86_401)),
        ),
        (
            builder().stale_if_error(seconds(86_401)),
            JwksConfigError::StaleIfError(seconds(86_401)),
        ),
        (
            builder().min_refresh_interval(seconds(9)),
            JwksConfigError::MinRefreshInterval(seconds(9)),
        ),
        (
            builder().min_refresh_interval(seconds(61)),
            JwksConfigError::MinRefreshInterval(seconds(61)),
        ),
        (
            builder().leeway(seconds(301)),
            JwksConfigError::Rules(ClaimRuleError::Leeway(seconds(301))),
        ),
    ] {
        let errors = builder.build().unwrap_err();
        assert_eq!(errors.into_iter().collect::<Vec<_>>(), [error]);
    }
    // All mistakes at once.
    let errors = JwksVerifier::builder(Played::default())
        .keys_ttl(seconds(1))
        .issuer("https://a.example")
        .issuer("https://b.example")
        .build()
        .unwrap_err();
    let errors: Vec<_> = errors.into_iter().collect();
    assert_eq!(
        errors,
        [
            JwksConfigError::Rules(ClaimRuleError::MissingAudience),
            JwksConfigError::SeveralIssuers(2),
            JwksConfigError::KeysTtl(seconds(1)),
        ]
    );
    assert_eq!(
        JwksConfigError::MinRefreshInterval(seconds(1)).to_string(),
        "min_refresh_interval: 1s: 10s to 60s, because anybody can name unknown keys",
    );
}
