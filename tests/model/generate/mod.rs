//! Configurations and requests, out of choices.

mod policies;
mod requests;

use self::policies::{entries, policy};
pub use self::requests::exchange;
use super::{
    choices::Choices,
    config::{Case, Config, Dangerously, Form, Layer, MethodRule, Settings, Wait, Who},
    lists::Names,
    policy::Policy,
};

pub fn case(choices: &mut Choices) -> Case {
    let config = config(choices);
    let n = 1 + choices.below(48);
    let exchanges = (0..n).map(|_| exchange(choices)).collect();
    Case { config, exchanges }
}

fn config(choices: &mut Choices) -> Config {
    let form = if choices.once_in(5) {
        let n = choices.below(4);
        Form::ByMethod((0..n).map(|_| rule(choices)).collect())
    } else {
        Form::Layer(Box::new(layer(choices)))
    };
    Config {
        form,
        reloaded: choices.once_in(6),
    }
}

fn layer(choices: &mut Choices) -> Layer {
    let policy = match choices.below(8) {
        0 | 1 => {
            let mut entries = entries(choices);
            if choices.once_in(5) {
                entries.push(choices.pick(&["null", "*", "file://"]).to_owned());
            }
            let entries: Vec<&str> = entries.iter().map(String::as_str).collect();
            Policy::List(Names::of(&entries))
        }
        2 if choices.once_in(2) => Policy::Constant(
            choices
                .pick(&["https://a.example", "app://-", "https://*.a.example"])
                .to_owned(),
        ),
        2 => Policy::List(Names::of(&["*"])),
        _ => policy(choices, 2),
    };
    let mut settings = settings(choices);
    // Otherwise nearly every configuration with such a policy would be a mistake.
    if policy.facts().is_broad && !choices.once_in(8) {
        settings.credentials = false;
        settings.refuse = None;
        settings.max_age = settings.max_age.map(|seconds| seconds.min(60));
        (settings.methods.any, settings.headers.any) = (false, false);
    }
    Layer {
        policy,
        settings,
        wait: [Wait::Ready, Wait::Ready, Wait::Yields, Wait::Never][choices.below(4)],
    }
}

fn settings(choices: &mut Choices) -> Settings {
    let credentials = choices.once_in(2);
    Settings {
        credentials,
        methods: methods(choices),
        headers: headers(choices),
        expose: expose(choices, credentials),
        max_age: max_age(choices),
        refuse: [None, None, Some(false), Some(true)][choices.below(4)],
        preflight_status: if choices.once_in(8) { 200 } else { 204 },
        record: [None, None, Some(true), Some(false)][choices.below(4)],
        dangerously: Dangerously {
            null: choices.once_in(2),
            file: choices.once_in(4),
            insecure: choices.once_in(3),
            suffixes: choices.once_in(3),
        },
    }
}

fn max_age(choices: &mut Choices) -> Option<u64> {
    [
        None,
        None,
        Some(0),
        Some(30),
        Some(60),
        Some(600),
        Some(86_400),
    ][choices.below(7)]
}

fn methods(choices: &mut Choices) -> Names {
    let all = ["PUT", "DELETE", "PATCH", "GET", "CHICKEN", "getaway"];
    names(choices, &all, 3)
}

fn headers(choices: &mut Choices) -> Names {
    let all = ["content-type", "authorization", "x-a", "X-B", "x-c", "x_d~"];
    names(choices, &all, 4)
}

fn expose(choices: &mut Choices, credentials: bool) -> Names {
    let all = ["etag", "X-B", "x-a", "location", "grpc-status"];
    let mut names = names(choices, &all, 3);
    names.any &= !credentials || choices.once_in(8);
    names
}

/// Some of these, seldom with a mistake, and any of them now and then.
fn names(choices: &mut Choices, all: &[&str], most: usize) -> Names {
    let mut listed = choices.some(all, most);
    if choices.once_in(60) {
        listed.push(choices.pick(&WRONG).to_owned());
    }
    Names {
        any: choices.once_in(3),
        listed,
    }
}

/// Mistakes in a list of methods, of header names, or in all of them.
const WRONG: [&str; 13] = [
    "patch",
    "Cookie",
    "a b",
    "",
    "x-*",
    "P*T",
    "a|b",
    "x-a|",
    "'PUT",
    "x-a`",
    "\"x-a\"",
    "CONNECT",
    "access-control-max-age",
];

fn rule(choices: &mut Choices) -> MethodRule {
    let who = match choices.below(6) {
        0 => Who::Nobody,
        1 => Who::Anybody,
        2 => Who::Bearers,
        3 | 4 => Who::Trusted(policy(choices, 1)),
        _ => Who::TrustedOrBearers(policy(choices, 1)),
    };
    let credentials = !matches!(who, Who::Anybody) && choices.once_in(3);
    MethodRule {
        methods: choices.some(&["GET", "PUT", "POST", "DELETE", "OPTIONS", "PATCH"], 3),
        who,
        credentials,
        headers: headers(choices),
        expose: expose(choices, credentials),
        max_age: max_age(choices),
        refuse: [None, None, Some(false), Some(true)][choices.below(4)],
    }
}
