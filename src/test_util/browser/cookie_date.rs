use std::time::{Duration, SystemTime};

/// A date as cookies write it (RFC 6265, section 5.1.1), from 1970 on; earlier ones are 1970.
pub(super) fn parse_date(text: &str) -> Option<SystemTime> {
    const MONTHS: [&str; 12] = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ];
    let is_delimiter = |c: char| !(c.is_ascii_alphanumeric() || c == ':');
    let (mut time, mut day, mut month, mut year) = (None, None, None, None);
    for token in text.split(is_delimiter).filter(|token| !token.is_empty()) {
        let lower = token.to_ascii_lowercase();
        let number = token.parse::<u64>().ok();
        if time.is_none() && token.contains(':') {
            time = Some(time_of_day(token)?);
        } else if month.is_none()
            && let Some(found) = lower
                .get(..3)
                .and_then(|m| MONTHS.iter().position(|known| *known == m))
        {
            month = Some(found);
        } else if day.is_none() && token.len() <= 2 {
            day = number;
        } else if year.is_none() && number.is_some() {
            year = number;
        }
    }
    let year = match year? {
        short @ 0..70 => short + 2000,
        short @ 70..100 => short + 1900,
        year => year,
    };
    let day = day.filter(|day| (1..=31).contains(day))?;
    if year < 1970 {
        return Some(SystemTime::UNIX_EPOCH);
    }
    let days = days_before(year.min(9999), month?) + day - 1;
    let since = Duration::from_secs(days * 86_400 + time?);
    SystemTime::UNIX_EPOCH.checked_add(since)
}

/// Seconds since midnight.
fn time_of_day(token: &str) -> Option<u64> {
    let mut parts = token.split(':').map(|part| part.parse::<u64>().ok());
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
    (parts.next().is_none() && hour < 24 && minute < 60 && second < 60)
        .then_some(hour * 3_600 + minute * 60 + second)
}

/// The days from 1970 to the first of this month, which is counted from 0.
fn days_before(year: u64, month: usize) -> u64 {
    const BEFORE: [u64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let leap_years = |year: u64| year / 4 - year / 100 + year / 400;
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let leap_day = u64::from(is_leap && month > 1);
    (year - 1970) * 365 + leap_years(year - 1) - leap_years(1969) + BEFORE[month] + leap_day
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        for (text, expected) in [
            ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
            ("Fri, 27 Nov 2026 12:34:56 GMT", Some(1_795_782_896)),
            ("Thursday, 29-Feb-24 00:00:01 GMT", Some(1_709_164_801)),
            ("Thu Mar  1 00:00:00 2000", Some(951_868_800)),
            ("Wed, 31 Dec 1969 23:59:59 GMT", Some(0)),
            ("27 Nov 2026", None),
            ("27 Nov 2026 25:00:00", None),
            ("soon", None),
        ] {
            let since = |time: SystemTime| time.duration_since(SystemTime::UNIX_EPOCH).unwrap();
            let seconds = parse_date(text).map(|time| since(time).as_secs());
            assert_eq!(seconds, expected, "{text}");
        }
    }
}
