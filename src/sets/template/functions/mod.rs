//! What templates may call: Go's own functions, sprig's, and Argo CD's, in tables by family.
//!
//! A function that is not in a table is refused by its name: one that Argo CD lacks as an error of the template, one that
//! it has as not supported.

mod builtin;
mod dicts;
mod encoding;
mod lists;
mod names;
mod numbers;
mod paths;
mod regexes;
mod strings;
mod values;

use super::fault::Fault;
use super::value::Value;

pub(in crate::sets) use names::sanitized;

/// A function.
pub(in crate::sets::template) struct Function {
    name: &'static str,
    /// The kinds of its parameters, a letter each; a star after the last one repeats it.
    kinds: &'static str,
    /// Computes the result of arguments of these kinds.
    pub(in crate::sets::template) run: Run,
}

type Run = fn(&[Value]) -> Result<Value, Fault>;

/// The type of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sets::template) enum Kind {
    Text,
    Int,
    Float,
    Bool,
    Any,
    /// A map of anything.
    Map,
    /// Anything, and nothing.
    Reflected,
}

const TABLES: &[&[Function]] = &[
    builtin::TABLE,
    strings::TABLE,
    names::TABLE,
    numbers::TABLE,
    lists::TABLE,
    dicts::TABLE,
    values::TABLE,
    encoding::TABLE,
    paths::TABLE,
    regexes::TABLE,
];

/// What Argo CD has and this program has not: what depends on the time or on chance, makes keys or certificates, or is not
/// worth its code.
const MISSING: &[&str] = &[
    "abbrevboth",
    "add1f",
    "addf",
    "ago",
    "b32dec",
    "b32enc",
    "bcrypt",
    "buildCustomCert",
    "call",
    "camelcase",
    "date",
    "dateInZone",
    "dateModify",
    "date_in_zone",
    "date_modify",
    "decryptAES",
    "derivePassword",
    "divf",
    "duration",
    "durationRound",
    "encryptAES",
    "genCA",
    "genCAWithKey",
    "genPrivateKey",
    "genSelfSignedCert",
    "genSelfSignedCertWithKey",
    "genSignedCert",
    "genSignedCertWithKey",
    "htmlDate",
    "htmlDateInZone",
    "htpasswd",
    "initials",
    "kebabcase",
    "mulf",
    "mustDateModify",
    "mustToDate",
    "must_date_modify",
    "now",
    "randAlpha",
    "randAlphaNum",
    "randAscii",
    "randBytes",
    "randInt",
    "randNumeric",
    "semver",
    "semverCompare",
    "sha1sum",
    "shuffle",
    "snakecase",
    "subf",
    "swapcase",
    "toDate",
    "unixEpoch",
    "urlJoin",
    "urlParse",
    "uuidv4",
    "wrap",
    "wrapWith",
];

/// Parts of the names of those functions that change a map that they get.
const CHANGING: [&str; 2] = ["erge", "set"];

/// Reports whether a template may call a function that changes a map.
pub(in crate::sets::template) fn may_change_maps(template: &str) -> bool {
    CHANGING.iter().any(|part| template.contains(part))
}

/// Reports whether Argo CD has a function of this name.
pub(in crate::sets::template) fn is_known(name: &str) -> bool {
    matches!(name, "and" | "or") || MISSING.contains(&name) || find(name).is_ok()
}

/// Returns the function of a name.
pub(in crate::sets::template) fn find(name: &str) -> Result<&'static Function, Fault> {
    let found = TABLES
        .iter()
        .flat_map(|table| table.iter())
        .find(|function| function.name == name);
    found.ok_or_else(|| Fault::unsupported(format!("the template function `{name}`")))
}

/// Makes a row of a table.
const fn function(name: &'static str, kinds: &'static str, run: Run) -> Function {
    Function { name, kinds, run }
}

impl Function {
    /// Checks the number of arguments.
    pub(in crate::sets::template) fn check_count(&self, name: &str, count: usize) -> Result<(), Fault> {
        let fits = match self.kinds.strip_suffix('*') {
            Some(kinds) => count + 1 >= kinds.len(),
            None => count == self.kinds.len(),
        };
        match fits {
            true => Ok(()),
            false => Err(Fault::invalid(format!(
                "`{name}` gets {count} arguments, which is a wrong number"
            ))),
        }
    }

    /// Returns the kind of a parameter.
    pub(in crate::sets::template) fn kind(&self, index: usize) -> Kind {
        let kinds = self.kinds.trim_end_matches('*').as_bytes();
        match kinds.get(index.min(kinds.len().saturating_sub(1))) {
            Some(b's') => Kind::Text,
            Some(b'i') => Kind::Int,
            Some(b'f') => Kind::Float,
            Some(b'b') => Kind::Bool,
            Some(b'm') => Kind::Map,
            Some(b'r') => Kind::Reflected,
            _ => Kind::Any,
        }
    }
}

impl Kind {
    /// Returns the kind with an article.
    pub(in crate::sets::template) fn described(self) -> &'static str {
        match self {
            Self::Text => "a string",
            Self::Int => "an int",
            Self::Float => "a float64",
            Self::Bool => "a bool",
            Self::Any | Self::Reflected => "a value",
            Self::Map => "a map[string]interface {}",
        }
    }
}

/// Returns the text of an argument that is one.
fn text(value: &Value) -> &str {
    match value {
        Value::Text(text) => text,
        _ => "",
    }
}

/// Returns the number of an argument that is one.
fn int(value: &Value) -> i64 {
    match value {
        Value::Int(_, number) => *number,
        _ => 0,
    }
}

/// Returns a length as a value.
fn length(length: usize) -> Value {
    Value::int(length as i64)
}

/// Cuts a text by bytes, as Go does.
fn cut(text: &str, from: i64, to: i64) -> Result<Value, Fault> {
    let place = |at: i64| usize::try_from(at).ok().filter(|at| *at <= text.len());
    let (Some(from), Some(to)) = (place(from), place(to)) else {
        return Err(Fault::invalid("the text is too short"));
    };
    if from > to {
        return Err(Fault::invalid("the end is before the start"));
    }
    let part = text.get(from..to);
    part.map(Value::text)
        .ok_or_else(|| Fault::unsupported("a cut inside a character"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_other_function_changes_a_map() {
        let mut changing = Vec::new();
        for function in TABLES.iter().flat_map(|table| table.iter()) {
            let map = || Value::map([("a".to_owned(), Value::map([("b".to_owned(), Value::text("c"))]))]);
            let of = |index: usize| match function.kind(index) {
                Kind::Text => Value::text("a"),
                Kind::Int => Value::Int(super::super::value::Integer::Int, 1),
                Kind::Float => Value::Float(1.0),
                Kind::Bool => Value::Bool(true),
                Kind::Any | Kind::Map | Kind::Reflected => map(),
            };
            let arguments: Vec<Value> = (0..function.kinds.trim_end_matches('*').len()).map(of).collect();
            let before: Vec<Value> = arguments.iter().map(Value::deep_copy).collect();
            let _ = (function.run)(&arguments);
            if arguments != before {
                changing.push(function.name);
            }
        }
        assert_eq!(changing, ["set", "unset"], "`merge` puts only what is not there");
        assert!(changing.iter().all(|name| may_change_maps(name)));
        assert!(["merge", "mustMergeOverwrite"].iter().all(|name| may_change_maps(name)));
    }
}
