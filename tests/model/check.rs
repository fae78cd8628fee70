//! Compares the layer with the model, and makes failures small.

use std::{
    fmt::Write,
    panic::{AssertUnwindSafe, catch_unwind},
};

use super::{
    choices::{Choices, shrink},
    config::{Answer, Case, Config, Exchange},
    generate, layer, mistakes, play,
};

/// What was compared.
#[derive(Clone, Copy, Debug, Default)]
pub struct Count {
    pub cases: u64,
    pub exchanges: u64,
    /// Configurations that have a mistake.
    pub refused: u64,
}

/// The difference between the layer and the model, as a text.
pub fn check(case: &Case, count: &mut Count) -> Result<(), String> {
    count.cases += 1;
    let built = play::build(&case.config);
    match (mistakes::builds(&case.config), &built) {
        (Some(true), Err(mistakes)) => {
            return Err(differs(
                &case.config,
                &format!("it must build, and: {mistakes}"),
            ));
        }
        (Some(false), Ok(_)) => return Err(differs(&case.config, "it must not build")),
        _ => {}
    }
    let Ok(built) = built else {
        count.refused += 1;
        return Ok(());
    };
    for exchange in &case.exchanges {
        let answer = check_exchange(&case.config, &built, exchange)?;
        count.exchanges += u64::from(answer.is_some());
    }
    Ok(())
}

/// Returns the answer that both give; `None` for an exchange that cannot exist.
pub fn check_exchange(
    config: &Config,
    built: &tower_cors::CorsLayer,
    exchange: &Exchange,
) -> Result<Option<Answer>, String> {
    let Some(real) = play::answer(built, exchange) else {
        return Ok(None);
    };
    let model = layer::answer(config, exchange);
    if real == model {
        Ok(Some(real))
    } else {
        let answers = format!("{exchange:?}\nthe model: {model:?}\nthe layer: {real:?}");
        Err(differs(config, &answers))
    }
}

fn differs(config: &Config, what: &str) -> String {
    format!("{config:?}\n{what}")
}

/// Checks the case that the choices make. A panic of the layer is a difference, too.
pub fn check_choices(choices: &mut Choices, count: &mut Count) -> Result<(), String> {
    let case = generate::case(choices);
    let checked = catch_unwind(AssertUnwindSafe(|| {
        let mut own = Count::default();
        check(&case, &mut own).map(|()| own)
    }));
    match checked {
        Ok(checked) => {
            let own = checked?;
            count.cases += own.cases;
            count.exchanges += own.exchanges;
            count.refused += own.refused;
            Ok(())
        }
        Err(_) => Err(format!("a panic\n{case:?}")),
    }
}

/// Checks the case with this seed.
///
/// # Panics
///
/// With the smallest case that fails in the same way.
pub fn check_seed(seed: u64, count: &mut Count) {
    let mut choices = Choices::random(seed);
    if check_choices(&mut choices, count).is_ok() {
        return;
    }
    let fails =
        |bytes: &[u8]| check_choices(&mut Choices::of(bytes), &mut Count::default()).is_err();
    let smallest = shrink(choices.into_taken(), fails);
    let difference = check_choices(&mut Choices::of(&smallest), &mut Count::default());
    let mut text = format!("seed {seed}, choices {smallest:?}\n");
    let _ = write!(text, "{}", difference.err().unwrap_or_default());
    panic!("{text}");
}
