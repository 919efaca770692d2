//! Go's `text/template` with the functions that Argo CD gives to ApplicationSets.
//!
//! ```text
//! lex  text → tokens      parse, terms  tokens → tree      eval  tree and parameters → text
//! value  the values, with Go's types      print  how they are printed      functions  what templates may call
//! merging, json_text, yaml_text  maps and texts as Go's libraries make them
//! ```

mod eval;
mod fault;
mod functions;
mod json_text;
mod lex;
mod literal;
mod merging;
mod parse;
mod print;
mod terms;
mod tree;
mod value;
mod yaml_text;

pub(super) use fault::Fault;
pub(super) use functions::sanitized;
pub(super) use json_text::{Style, json_text};
pub(super) use merging::merge;
pub(super) use print::printed;
pub(super) use value::{Items, Value};

/// What a missing key of a map gives: the option `missingkey`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum MissingKey {
    /// No value, printed as `<no value>`.
    #[default]
    Invalid,
    /// The zero value of the map's items.
    Zero,
    Error,
    /// There is an option that Go lacks, which fails when a text is rendered.
    Unknown,
}

impl MissingKey {
    /// Reads `goTemplateOptions`; the last one counts.
    pub(super) fn of_options(options: &[String]) -> Self {
        let mut missing = Self::default();
        for option in options {
            missing = match option.as_str() {
                "missingkey=default" | "missingkey=invalid" => Self::Invalid,
                "missingkey=zero" => Self::Zero,
                "missingkey=error" => Self::Error,
                _ => return Self::Unknown,
            };
        }
        missing
    }
}

/// Renders a template.
pub(super) fn render(text: &str, parameters: &Value, missing: MissingKey) -> Result<String, Fault> {
    if missing == MissingKey::Unknown {
        return Err(Fault::invalid("there is an unknown one among the `goTemplateOptions`"));
    }
    if !text.contains("{{") {
        return Ok(text.to_owned());
    }
    let before = functions::may_change_maps(text).then(|| parameters.deep_copy());
    let rendered = eval::run(&parse::parse(text)?, parameters, missing)?;
    // Argo CD renders the fields of an Application in an order that is not defined.
    match before.is_none_or(|before| before == *parameters) || has_nan(parameters) {
        true => Ok(rendered),
        false => Err(Fault::unsupported("a template that changes the parameters for others")),
    }
}

/// Reports whether a value is unequal to itself.
fn has_nan(value: &Value) -> bool {
    match value {
        Value::Float(number) => number.is_nan(),
        Value::List(_, items) => items.iter().any(has_nan),
        Value::Map(_, entries) => entries.borrow().values().any(has_nan),
        _ => false,
    }
}
