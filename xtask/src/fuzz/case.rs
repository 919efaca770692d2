//! A target, a case of it, and what the program did with the case.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};

use serde_json::Value;

use super::numbers::Numbers;

/// What is fuzzed. A case is a JSON value, so that one shrinker serves all targets.
pub(super) struct Target {
    /// Its name on the command line.
    pub(super) name: &'static str,
    /// The program that is asked about its cases.
    pub(super) oracle: &'static str,
    /// Makes a case.
    pub(super) make: fn(&mut Numbers) -> Value,
    /// Runs the program on a case.
    pub(super) run: fn(&Value) -> Ran,
    /// Returns what became of a case that the oracle finds nothing wrong with, or what is wrong all the same.
    pub(super) verdict: fn(&Ran, &Answer) -> Result<String, String>,
}

/// What the program did with a case.
#[derive(Clone, Debug, Default)]
pub(super) struct Ran {
    /// A word for what became of it.
    pub(super) class: String,
    /// Why the program refuses the case.
    pub(super) refused: Option<String>,
    /// What is wrong, as far as no oracle is needed to know it.
    pub(super) wrong: Option<String>,
    /// What the oracle is asked.
    pub(super) request: Option<Value>,
}

/// What the oracle says of a case.
#[derive(Clone, Debug, Default)]
pub(super) struct Answer {
    /// Whether Argo CD's own code takes the input.
    pub(super) readable: bool,
    /// Why the program has to refuse the input, if it has to.
    pub(super) must_refuse: Option<String>,
    /// Why the program may refuse the input as well.
    pub(super) may_refuse: Option<String>,
    /// What is wrong with what the program did.
    pub(super) wrong: Option<String>,
}

impl Ran {
    /// Returns a case that is fine in itself.
    pub(super) fn fine(class: impl Into<String>) -> Self {
        Self {
            class: class.into(),
            ..Self::default()
        }
    }

    /// Returns a find.
    pub(super) fn wrong(why: impl Into<String>) -> Self {
        Self {
            wrong: Some(why.into()),
            ..Self::default()
        }
    }
}

thread_local! {
    static IN_CASE: Cell<bool> = const { Cell::new(false) };
}

/// Keeps panics of the program out of the output: a panic in a case is a find like others, and said as one.
pub(super) fn hide_panics() {
    let said = take_hook();
    set_hook(Box::new(move |panic| {
        if !IN_CASE.get() {
            said(panic);
        }
    }));
}

/// Runs a case; a panic is a find.
pub(super) fn run(target: &Target, case: &Value) -> Ran {
    IN_CASE.set(true);
    let ran = catch_unwind(AssertUnwindSafe(|| (target.run)(case)));
    IN_CASE.set(false);
    ran.unwrap_or_else(|cause| {
        let text = cause.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| cause.downcast_ref::<&str>().copied());
        Ran::wrong(format!("a panic: {}", text.unwrap_or_default()))
    })
}

/// Prints a case: as JSON, and its texts of several lines as they are.
pub(super) fn show(case: &Value) {
    println!("{case}");
    for (key, value) in case.as_object().into_iter().flatten() {
        if let Some(text) = value.as_str().filter(|text| text.contains('\n')) {
            println!("--- {key}, with its special characters escaped:");
            text.split_inclusive('\n')
                .for_each(|line| println!("{}", line.escape_debug()));
        }
    }
}

/// Returns a text of a case.
pub(super) fn text<'c>(case: &'c Value, key: &str) -> &'c str {
    case.get(key).and_then(Value::as_str).unwrap_or_default()
}
