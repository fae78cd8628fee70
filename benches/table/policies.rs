//! What a policy costs that knows a token, an index or a registry, beside the least that could be done
//! by hand: `--policies`.

use http::header::ACCESS_CONTROL_ALLOW_ORIGIN;

use super::{
    common::{KNOWN, known},
    instructions::{counted_region, under_callgrind},
    markdown::thousands,
};

/// So many requests are served before anything is counted, and so many are counted.
const WARM_UP: usize = 4;
const REQUESTS: usize = 10;

/// This is the process that callgrind looks at.
pub(crate) fn run(name: &str) {
    let mut known = known(name);
    for (i, subject) in known.subjects.iter_mut().enumerate() {
        // What is measured is an origin that is allowed.
        let (status, headers) = subject.answer(&known.head);
        assert!(status.is_success(), "{name}: {status}");
        assert_eq!(
            headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN),
            i > 0,
            "{name}"
        );
        subject.prepare(&known.head, WARM_UP);
        subject.run();
        subject.prepare(&known.head, REQUESTS);
        counted_region(&mut || subject.run());
    }
}

pub(crate) fn print() {
    println!("| policy | by hand | this crate | beyond the list of ten |\n|---|---:|---:|---:|");
    // What a list costs, for requests and for preflights.
    let mut list = [0.0; 2];
    for (name, what) in KNOWN {
        let dumps = under_callgrind(&["--measure-policy", name]);
        let [none, minimum, ours] = &dumps[..] else {
            panic!("unexpected dumps");
        };
        let [none, minimum, ours] =
            [none, minimum, ours].map(|dump| dump.values().sum::<u64>() as f64 / REQUESTS as f64);
        let compared = &mut list[usize::from(what.starts_with("preflight"))];
        if name.starts_with("list") {
            *compared = ours - none;
        }
        println!(
            "| {what} | {} | {} | {} |",
            thousands(minimum - none),
            thousands(ours - none),
            thousands(ours - none - *compared),
        );
    }
}
