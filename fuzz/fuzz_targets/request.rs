//! Any requests to any configurations, as in `tests/whole_layer`: the layer answers as the model says,
//! header by header.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tower_cors_fuzz::model::{
    check::{Count, check},
    choices::Choices,
    generate,
};

fuzz_target!(|bytes: &[u8]| {
    let case = generate::case(&mut Choices::beginning_with(bytes));
    if let Err(difference) = check(&case, &mut Count::default()) {
        panic!("{difference}");
    }
});
