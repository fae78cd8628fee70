//! Plays what the pages do, over real sockets, and compares it with what the protocol demands.

mod browser;
mod contract;
mod page;
mod scenarios;
mod table;

use std::process::ExitCode;

use self::table::Table;
use crate::{Error, running::Running};

/// Fails unless every step comes out as it must.
pub(crate) async fn run(running: &Running) -> Result<ExitCode, Error> {
    let mut table = Table::new();
    contract::play(running, &mut table).await?;
    scenarios::play(running, &mut table).await?;
    println!("{table}");
    Ok(match table.failures() {
        0 => {
            println!("all {} steps are as the protocol demands", table.len());
            ExitCode::SUCCESS
        }
        failures => {
            println!(
                "{failures} of {} steps are not as the protocol demands",
                table.len()
            );
            ExitCode::FAILURE
        }
    })
}
