//! Paths with slashes ([source](https://pkg.go.dev/path)).

use super::super::value::Value;
use super::{Function, function, text};

pub(super) const TABLE: &[Function] = &[
    function("base", "s", |values| Ok(Value::text(base(text(&values[0]))))),
    function("clean", "s", |values| Ok(Value::Text(clean(text(&values[0]))))),
    function("dir", "s", |values| Ok(Value::Text(dir(text(&values[0]))))),
    function("ext", "s", |values| Ok(Value::text(ext(text(&values[0]))))),
    function("isAbs", "s", |values| {
        Ok(Value::Bool(text(&values[0]).starts_with('/')))
    }),
    function("osBase", "s", |values| Ok(Value::text(base(text(&values[0]))))),
    function("osClean", "s", |values| Ok(Value::Text(clean(text(&values[0]))))),
    function("osDir", "s", |values| Ok(Value::Text(dir(text(&values[0]))))),
    function("osExt", "s", |values| Ok(Value::text(ext(text(&values[0]))))),
    function("osIsAbs", "s", |values| {
        Ok(Value::Bool(text(&values[0]).starts_with('/')))
    }),
];

fn base(path: &str) -> &str {
    match path.trim_end_matches('/') {
        "" if path.is_empty() => ".",
        "" => "/",
        path => path.rsplit('/').next().unwrap_or(path),
    }
}

fn dir(path: &str) -> String {
    clean(path.rfind('/').map_or("", |slash| &path[..=slash]))
}

fn ext(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rfind('.').map_or("", |dot| &name[dot..])
}

fn clean(path: &str) -> String {
    let is_absolute = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if is_absolute => {}
            part => parts.push(part),
        }
    }
    match (is_absolute, parts.join("/")) {
        (true, path) => format!("/{path}"),
        (false, path) if path.is_empty() => ".".to_owned(),
        (false, path) => path,
    }
}
