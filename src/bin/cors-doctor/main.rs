//! `cors-doctor`: talks to a live server as the browser of a page would, and names the cause of a
//! failure and its fix.
//!
//! From above to below: the command line ([`args`]), one examination ([`examine`]) of what the
//! browser does ([`browse`]), why that failed ([`cause`]) and what else will ([`warn`]), the words
//! for it ([`explain`], [`report`]); all of it over what a page is ([`page`]), what it may send
//! ([`fetch`]), what a browser makes of answers ([`judge`]), and the wire ([`net`]).

mod args;
mod browse;
mod case;
mod cause;
mod examine;
mod exchange;
mod explain;
mod failure;
mod fetch;
mod judge;
mod lab;
mod net;
mod page;
mod report;
mod run;
mod secrets;
mod warn;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use crate::args::Asked;

fn main() -> ExitCode {
    let command = match args::parse(std::env::args_os().skip(1)) {
        Ok(Asked::Examine(command)) => command,
        Ok(Asked::Print(text)) => {
            let _ = io::stdout().lock().write_all(text.as_bytes());
            return ExitCode::SUCCESS;
        }
        Err(mistake) => {
            run::complain(&mistake);
            return ExitCode::from(2);
        }
    };
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            run::complain(&format!("no runtime: {error}"));
            return ExitCode::from(2);
        }
    };
    let code = runtime.block_on(run::run(&command));
    // A name that is still being resolved is not waited for.
    runtime.shutdown_background();
    ExitCode::from(code)
}
