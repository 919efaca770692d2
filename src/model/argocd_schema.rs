//! The fields of Argo CD's kinds, as the API server checks them: a table that `cargo xtask schema` writes from Argo CD's
//! custom resource definitions.
//!
//! A field that the table lacks is dropped by the API server, or refused where it is asked to be strict; a wrong type and
//! a missing required field are refused. A null counts as absent, except in a list
//! ([source](https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/)).

mod decoding;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::LazyLock;

use serde_json::{Map, Value};

use super::pointer::{Pointer, PointerBuf, PointerExt};
use super::spelling::nearest;

pub use decoding::{SourceDecoder, Undecodable, Why};

/// The kinds in the table.
pub const KINDS: [&str; 3] = ["Application", "ApplicationSet", "AppProject"];
/// Their `apiVersion`.
pub const API_VERSION: &str = "argoproj.io/v1alpha1";

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| Schema::parse(include_str!("argocd_schema.txt")));

/// The table.
struct Schema {
    version: &'static str,
    /// The fields of each type by its name.
    types: BTreeMap<&'static str, Vec<Field>>,
}

struct Field {
    name: &'static str,
    is_required: bool,
    of: Type,
}

/// The type of a field.
#[derive(Debug, PartialEq, Eq)]
enum Type {
    Boolean,
    Integer,
    IntegerOrText,
    Text,
    /// A text of at most so many letters.
    TextUpTo(usize),
    /// A text that leads somewhere: not empty, not a dot or a slash alone.
    Path,
    OneOf(Vec<&'static str>),
    /// Anything.
    Any,
    /// A map of anything.
    Object,
    List(Box<Type>),
    Map(Box<Type>),
    Fields(&'static str),
}

/// What is wrong in a manifest, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// JSON Pointer of the field, or of the map that lacks one.
    pub pointer: PointerBuf,
    /// What is wrong.
    pub what: What,
}

/// What is wrong with a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// There is no such field in its map.
    Unknown {
        /// The field of the map that is spelled nearly so, and whether the value is right for it.
        nearest: Option<(&'static str, bool)>,
    },
    /// The value has another type, or is not one of those that are possible.
    WrongType {
        /// What it has to be, with an article.
        expected: String,
        /// The value that is meant, where it only has the quotes too many.
        meant: Option<Value>,
    },
    /// A required field is missing.
    Missing {
        /// Its name.
        field: &'static str,
    },
}

/// Returns the version of Argo CD whose fields these are.
pub fn version() -> &'static str {
    SCHEMA.version
}

/// Checks an object of one of [`KINDS`]; an object of another kind has no faults.
pub fn faults(kind: &str, tree: &Value) -> Vec<Fault> {
    let mut faults = Vec::new();
    if let Some((name, _)) = SCHEMA.types.get_key_value(kind).filter(|_| KINDS.contains(&kind)) {
        SCHEMA.check(&Type::Fields(name), tree, Pointer::root(), &mut faults);
    }
    faults
}

/// Returns the fields of parts of a source that no source has; one that Argo CD's code reads under another spelling is known.
pub fn unknown_in_source(tree: &Value) -> Vec<Fault> {
    let mut faults = Vec::new();
    SCHEMA.check(&Type::Fields("Source"), tree, Pointer::root(), &mut faults);
    let is_unknown = |fault: &Fault| match (&fault.what, fault.pointer.back()) {
        (What::Unknown { nearest }, Some(key)) => {
            !nearest.is_some_and(|(field, _)| decoding::is_folded(&key.decoded(), field))
        }
        _ => false,
    };
    faults.retain(is_unknown);
    faults
}

/// Returns where else in a manifest of a kind a field of this name stands, nearest to the top: `spec.syncPolicy`. `None`
/// where it stands in several maps of the same height.
pub fn home_of(kind: &str, field: &str) -> Option<String> {
    let (root, _) = SCHEMA.types.get_key_value(kind)?;
    let (mut queue, mut seen) = (VecDeque::from([(*root, Vec::new())]), BTreeSet::new());
    let mut found: Vec<Vec<&str>> = Vec::new();
    while let Some((name, path)) = queue.pop_front() {
        if found.first().is_some_and(|shorter| shorter.len() < path.len()) {
            break;
        }
        for entry in SCHEMA.types.get(name).into_iter().flatten() {
            if entry.name == field && !path.is_empty() {
                found.push(path.clone());
            }
            // Argo CD writes these by itself.
            let is_written = path.is_empty() && matches!(entry.name, "status" | "operation");
            if let Some(below) = entry.of.fields().filter(|below| !is_written && seen.insert(*below)) {
                queue.push_back((below, [&path[..], &[entry.name]].concat()));
            }
        }
    }
    match &found[..] {
        [path] => Some(path.join(".")),
        _ => None,
    }
}

impl Schema {
    fn parse(table: &'static str) -> Self {
        let (mut version, mut types, mut current) = ("", BTreeMap::<_, Vec<Field>>::new(), "");
        for line in table.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            match (line.strip_prefix("  "), line.strip_prefix("version ")) {
                (Some(field), _) => types.entry(current).or_default().extend(Field::parse(field)),
                (None, Some(number)) => version = number,
                (None, None) => current = line,
            }
        }
        Self { version, types }
    }

    fn check(&self, of: &Type, value: &Value, at: &Pointer, faults: &mut Vec<Fault>) {
        match (of, value) {
            (Type::Fields(name), Value::Object(map)) => self.check_map(name, map, at, faults),
            (Type::List(items), Value::Array(list)) => {
                for (index, item) in list.iter().enumerate() {
                    self.check(items, item, &at.child(index), faults);
                }
            }
            (Type::Map(entries), Value::Object(map)) => {
                for (key, entry) in map.iter().filter(|(_, entry)| !entry.is_null()) {
                    self.check(entries, entry, &at.child(key), faults);
                }
            }
            (of, value) if of.is_of(value) => {}
            (of, value) => faults.push(Fault {
                pointer: at.to_buf(),
                what: What::WrongType {
                    expected: of.described(),
                    meant: of.without_quotes(value),
                },
            }),
        }
    }

    fn check_map(&self, name: &str, map: &Map<String, Value>, at: &Pointer, faults: &mut Vec<Fault>) {
        let fields = self.types.get(name).map_or(&[][..], Vec::as_slice);
        for (key, value) in map {
            let pointer = at.child(key);
            match fields.iter().find(|field| field.name == key) {
                Some(_) if value.is_null() => {}
                Some(field) => self.check(&field.of, value, &pointer, faults),
                None => {
                    let meant = nearest(key, fields.iter().map(|field| field.name));
                    let meant = fields.iter().find(|field| Some(field.name) == meant);
                    let is_right = |field: &Field| {
                        let mut faults = Vec::new();
                        self.check(&field.of, value, &pointer, &mut faults);
                        faults.is_empty() && !map.contains_key(field.name)
                    };
                    let nearest = meant.map(|field| (field.name, is_right(field)));
                    let what = What::Unknown { nearest };
                    faults.push(Fault { pointer, what });
                }
            }
        }
        let is_absent = |field: &&Field| map.get(field.name).is_none_or(Value::is_null);
        for field in fields.iter().filter(|field| field.is_required).filter(is_absent) {
            let (pointer, field) = (at.to_buf(), field.name);
            let what = What::Missing { field };
            faults.push(Fault { pointer, what });
        }
    }
}

impl Field {
    fn parse(line: &'static str) -> Option<Self> {
        let (name, of) = line.split_once(' ')?;
        Some(Self {
            name: name.trim_end_matches('!'),
            is_required: name.ends_with('!'),
            of: Type::parse(of),
        })
    }
}

impl Type {
    fn parse(text: &'static str) -> Self {
        let inside = |open, close| text.strip_prefix(open)?.strip_suffix(close);
        let most = || text.strip_prefix("string..")?.parse().ok();
        match text {
            "boolean" => Self::Boolean,
            "integer" => Self::Integer,
            "int-or-string" => Self::IntegerOrText,
            // An API server checks times, too; nobody writes one by hand.
            "string" | "date-time" => Self::Text,
            "path" => Self::Path,
            "any" => Self::Any,
            "object" => Self::Object,
            _ if text.contains('|') => Self::OneOf(text.split('|').collect()),
            _ => match (inside('[', ']'), inside('{', '}'), most()) {
                (Some(items), ..) => Self::List(Box::new(Self::parse(items))),
                (_, Some(entries), _) => Self::Map(Box::new(Self::parse(entries))),
                (.., Some(most)) => Self::TextUpTo(most),
                _ => Self::Fields(text),
            },
        }
    }

    /// Returns the name of the set of fields in a type, through lists and maps.
    fn fields(&self) -> Option<&'static str> {
        match self {
            Self::Fields(name) => Some(name),
            Self::List(of) => of.fields(),
            _ => None,
        }
    }

    fn is_of(&self, value: &Value) -> bool {
        let is_integer = || value.as_f64().is_some_and(|number| number.fract() == 0.0);
        match self {
            Self::Any => true,
            Self::Boolean => value.is_boolean(),
            Self::Integer => is_integer(),
            Self::IntegerOrText => is_integer() || value.is_string(),
            Self::Text => value.is_string(),
            Self::TextUpTo(most) => value.as_str().is_some_and(|text| text.chars().count() <= *most),
            Self::Path => value.as_str().is_some_and(|text| !matches!(text, "" | "." | "/")),
            Self::OneOf(values) => value.as_str().is_some_and(|text| values.contains(&text)),
            Self::Object | Self::Map(_) | Self::Fields(_) => value.is_object(),
            Self::List(_) => value.is_array(),
        }
    }

    fn described(&self) -> String {
        match self {
            Self::Any => "anything".to_owned(),
            Self::Boolean => "a boolean".to_owned(),
            Self::Integer => "an integer".to_owned(),
            Self::IntegerOrText => "an integer or a string".to_owned(),
            Self::Text => "a string".to_owned(),
            Self::TextUpTo(most) => format!("a string of at most {most} characters"),
            Self::Path => "a path below the repository's root".to_owned(),
            Self::OneOf(values) => format!("one of `{}`", values.join("`, `")),
            Self::Object | Self::Map(_) | Self::Fields(_) => "a map".to_owned(),
            Self::List(_) => "a list".to_owned(),
        }
    }

    /// Returns the boolean or the integer that a string is the text of, if that would be right.
    fn without_quotes(&self, value: &Value) -> Option<Value> {
        let text = value.as_str()?;
        match self {
            Self::Boolean => text.parse().ok().map(Value::Bool),
            Self::Integer => {
                let number: i64 = text.parse().ok()?;
                (number.to_string() == text).then(|| Value::from(number))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn app(spec: Value) -> Vec<(String, What)> {
        let tree = json!({"apiVersion": API_VERSION, "kind": "Application", "metadata": {"name": "a"}, "spec": spec});
        let faults = faults("Application", &tree).into_iter();
        faults.map(|fault| (fault.pointer.to_string(), fault.what)).collect()
    }

    fn unknown(pointer: &str, nearest: Option<(&'static str, bool)>) -> (String, What) {
        (pointer.to_owned(), What::Unknown { nearest })
    }

    fn wrong(pointer: &str, expected: &str, meant: Option<Value>) -> (String, What) {
        let expected = expected.to_owned();
        (pointer.to_owned(), What::WrongType { expected, meant })
    }

    fn missing(pointer: &str, field: &'static str) -> (String, What) {
        (pointer.to_owned(), What::Missing { field })
    }

    #[test]
    fn every_type_of_the_table_is_described_in_it() {
        assert!(
            version().starts_with(|first: char| first.is_ascii_digit()),
            "{}",
            version()
        );
        for kind in KINDS {
            assert!(SCHEMA.types.contains_key(kind), "{kind}");
        }
        fn named(of: &Type) -> Option<&'static str> {
            match of {
                Type::Map(of) | Type::List(of) => named(of),
                Type::Fields(name) => Some(name),
                _ => None,
            }
        }
        for (name, fields) in &SCHEMA.types {
            assert!(!fields.is_empty(), "{name}");
            for of in fields.iter().filter_map(|field| named(&field.of)) {
                assert!(SCHEMA.types.contains_key(of), "{name}: {of}");
            }
        }
    }

    #[test]
    fn unknown_fields_and_what_they_mean() {
        let spec = json!({"project": "default", "destination": {"server": "s", "Namespace": "media"},
            "source": {"repoURL": "u", "targetRevison": "v1", "path": "p", "paths": "q"},
            "syncPolicy": {"automated": {"selfheal": true, "prun": "no"}}, "syncOptions": []});
        assert_eq!(
            app(spec),
            [
                unknown("/spec/destination/Namespace", Some(("namespace", true))),
                unknown("/spec/source/targetRevison", Some(("targetRevision", true))),
                unknown("/spec/source/paths", Some(("path", false))),
                unknown("/spec/syncPolicy/automated/selfheal", Some(("selfHeal", true))),
                unknown("/spec/syncPolicy/automated/prun", Some(("prune", false))),
                unknown("/spec/syncOptions", None),
            ]
        );
        assert_eq!(
            home_of("Application", "syncOptions").as_deref(),
            Some("spec.syncPolicy")
        );
        assert_eq!(
            home_of("Application", "valueFiles").as_deref(),
            Some("spec.source.helm")
        );
        assert_eq!(home_of("Application", "whatever"), None);
        assert_eq!(home_of("Application", "project"), Some("spec".to_owned()));
    }

    #[test]
    fn types_as_the_api_server_checks_them() {
        let spec = json!({"project": 1, "destination": {"server": null}, "revisionHistoryLimit": "3",
            "source": {"repoURL": "u", "helm": {"valuesObject": "a: b", "parameters": [{"name": "a", "value": 8080, "forceString": "yes"}]},
                "kustomize": {"replicas": [{"name": "a", "count": "2"}, {"name": "b", "count": 1.5}]}},
            "sources": [null], "syncPolicy": {"automated": {"prune": "true"}, "syncOptions": "CreateNamespace=true"}});
        assert_eq!(
            app(spec),
            [
                wrong("/spec/project", "a string", None),
                wrong("/spec/revisionHistoryLimit", "an integer", Some(json!(3))),
                wrong("/spec/source/helm/valuesObject", "a map", None),
                wrong("/spec/source/helm/parameters/0/value", "a string", None),
                wrong("/spec/source/helm/parameters/0/forceString", "a boolean", None),
                wrong(
                    "/spec/source/kustomize/replicas/1/count",
                    "an integer or a string",
                    None
                ),
                wrong("/spec/sources/0", "a map", None),
                wrong("/spec/syncPolicy/automated/prune", "a boolean", Some(json!(true))),
                wrong("/spec/syncPolicy/syncOptions", "a list", None),
            ]
        );
    }

    #[test]
    fn required_fields_and_nulls() {
        let spec = json!({"project": null, "source": {"path": "p"}, "info": [{"name": "n"}], "syncPolicy": null});
        assert_eq!(
            app(spec),
            [
                missing("/spec/source", "repoURL"),
                missing("/spec/info/0", "value"),
                missing("/spec", "destination"),
                missing("/spec", "project"),
            ]
        );
        assert_eq!(faults("Workflow", &json!({"spec": 1})), []);
    }

    #[test]
    fn templates_are_texts_where_texts_belong() {
        let set = |spec: Value| {
            let tree =
                json!({"apiVersion": API_VERSION, "kind": "ApplicationSet", "metadata": {"name": "a"}, "spec": spec});
            faults("ApplicationSet", &tree)
        };
        let right = json!({"goTemplate": true, "generators": [{"list": {"elements": [{"any": {"thing": 1}}]}},
            {"matrix": {"generators": [{"git": {"repoURL": "u", "revision": "HEAD", "directories": [{"path": "apps/*"}]}},
                {"matrix": {"anything": 1}}]}}],
            "template": {"metadata": {"name": "{{.name}}"}, "spec": {"project": "{{.project}}",
                "source": {"repoURL": "{{.url}}", "path": "{{.path}}"}, "destination": {"namespace": "{{.ns}}"}}}});
        assert_eq!(set(right), []);
        let wrong = set(json!({"generators": [{"lists": {}}], "syncPolicy": {"applicationsSync": "never"}}));
        let pointers: Vec<_> = wrong.iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(
            pointers,
            ["/spec/generators/0/lists", "/spec/syncPolicy/applicationsSync", "/spec"]
        );
    }
}
