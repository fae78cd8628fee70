//! A model of the whole layer: slow, naive, and short enough to be read beside the [Fetch standard].
//!
//! It shares no code with the crate. It keeps texts and vectors, and parses origins, entries and
//! lists of headers by itself, the obvious way. [`answer`](layer::answer) says what a configuration
//! has to answer to a request, and [`play`] asks the real layer. Both are compared header by header.
//!
//! | file | what it models |
//! |---|---|
//! | `origin` | the `Origin` header: RFC 6454, and the URL standard for hosts |
//! | `entry` | one entry of a list of origins, and what it matches |
//! | `lists` | methods and header names, and the lists in requests |
//! | `policy`, `token`, `registry` | who may use the service |
//! | `layer`, `merge` | what a request gets |
//! | `mistakes`, `file` | what must not build, and what files say |
//! | `browser` | what a page can read in the end |
//!
//! `generate` makes configurations and requests out of [`choices`], which are random numbers in tests
//! and the input of the fuzzer in `fuzz`. `play` and `check` are the only files that use the crate.
//!
//! [Fetch standard]: https://fetch.spec.whatwg.org/#http-cors-protocol
#![allow(
    dead_code,
    reason = "the test needs a part of it, and the fuzz targets need all"
)]
#![allow(
    unreachable_pub,
    missing_docs,
    missing_debug_implementations,
    reason = "a part of the crate of fuzz targets, too, where its items are public"
)]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a difference is reported by a panic, by which tests and fuzzers know it"
)]

pub mod browser;
pub mod check;
pub mod choices;
pub mod config;
pub mod entry;
pub mod file;
pub mod generate;
pub mod layer;
pub mod lists;
pub mod merge;
pub mod mistakes;
pub mod origin;
pub mod play;
pub mod policies;
pub mod policy;
pub mod registry;
pub mod token;
