//! What the command `wasm-bindgen --target nodejs` does, at the version of the module's `wasm-bindgen`:
//! the lock file holds both at one.

use std::{env, error::Error};

use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args_os().skip(1);
    let (Some(module), Some(folder)) = (arguments.next(), arguments.next()) else {
        return Err("usage: glue MODULE.wasm FOLDER".into());
    };
    Bindgen::new()
        .nodejs(true)?
        .typescript(false)
        .input_path(module)
        .generate(folder)?;
    Ok(())
}
