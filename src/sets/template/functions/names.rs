//! Names of objects: Argo CD's own functions
//! ([source](https://argo-cd.readthedocs.io/en/stable/operator-manual/applicationset/GoTemplate/)).

use super::super::fault::Fault;
use super::super::value::{Integer, Value};
use super::{Function, function, strings, text};

pub(super) const TABLE: &[Function] = &[
    function("normalize", "s", |values| Ok(Value::Text(sanitized(text(&values[0]))))),
    function("slugify", "a*", slugify),
];

/// Returns a name that Kubernetes accepts.
pub(in crate::sets) fn sanitized(name: &str) -> String {
    const LONGEST: usize = 253;
    let lower = strings::lower(name);
    let mut name: String = lower
        .chars()
        .map(|character| match character {
            '-' | '.' | 'a'..='z' | '0'..='9' => character,
            _ => '-',
        })
        .collect();
    name.truncate(LONGEST);
    name.trim_matches(['-', '.']).to_owned()
}

fn slugify(values: &[Value]) -> Result<Value, Fault> {
    let wrong = || Fault::invalid("it takes a length, a bool and a name");
    let (most, is_smart, name) = match values {
        [] => (50, true, ""),
        [Value::Text(name)] => (50, true, name.as_str()),
        [Value::Int(Integer::Int, most), Value::Text(name)] => (*most, true, name.as_str()),
        [Value::Int(Integer::Int, most), Value::Bool(is_smart), Value::Text(name)] => (*most, *is_smart, name.as_str()),
        [_, _, _, _, ..] => return Err(Fault::unsupported("more than three arguments")),
        _ => return Err(wrong()),
    };
    let mut name = sanitized(name);
    if !is_smart && name.len() as i64 >= most {
        name.truncate(usize::try_from(most).map_err(|_| wrong())?);
    }
    let words: Vec<&str> = name.split(['-', '.']).filter(|word| !word.is_empty()).collect();
    let mut slug = words.join("-");
    let most = usize::try_from(most).unwrap_or_default();
    if most > 0 && is_smart && slug.len() > most {
        let end = slug[..=most].rfind('-').unwrap_or(most);
        slug.truncate(end);
    }
    Ok(Value::Text(slug))
}
