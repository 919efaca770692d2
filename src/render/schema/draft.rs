//! The drafts of JSON Schema: where they have subschemas, URLs, anchors and references
//! ([source](https://pkg.go.dev/github.com/santhosh-tekuri/jsonschema/v6#Draft)).

use serde_json::{Map, Value};

use crate::model::{Pointer, PointerBuf, PointerExt};

/// A version of JSON Schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Draft {
    D4,
    D6,
    D7,
    D2019,
    D2020,
}

/// The shape of a keyword's value.
#[derive(Clone, Copy)]
enum Shape {
    /// One subschema.
    One,
    /// A list of them.
    List,
    /// A map of them.
    Map,
}

/// The keywords with subschemas, and the first draft that has them.
const KEYWORDS: [(&str, Shape, Draft); 23] = [
    ("definitions", Shape::Map, Draft::D4),
    ("not", Shape::One, Draft::D4),
    ("allOf", Shape::List, Draft::D4),
    ("anyOf", Shape::List, Draft::D4),
    ("oneOf", Shape::List, Draft::D4),
    ("properties", Shape::Map, Draft::D4),
    ("additionalProperties", Shape::One, Draft::D4),
    ("patternProperties", Shape::Map, Draft::D4),
    ("items", Shape::One, Draft::D4),
    ("items", Shape::List, Draft::D4),
    ("additionalItems", Shape::One, Draft::D4),
    ("dependencies", Shape::Map, Draft::D4),
    ("propertyNames", Shape::One, Draft::D6),
    ("contains", Shape::One, Draft::D6),
    ("if", Shape::One, Draft::D7),
    ("then", Shape::One, Draft::D7),
    ("else", Shape::One, Draft::D7),
    ("$defs", Shape::Map, Draft::D2019),
    ("dependentSchemas", Shape::Map, Draft::D2019),
    ("unevaluatedProperties", Shape::One, Draft::D2019),
    ("unevaluatedItems", Shape::One, Draft::D2019),
    ("contentSchema", Shape::One, Draft::D2019),
    ("prefixItems", Shape::List, Draft::D2020),
];

/// The keywords whose subschemas are compiled only where a reference leads to them.
const ON_DEMAND: [&str; 3] = ["definitions", "$defs", "contentSchema"];

impl Draft {
    /// Returns the draft of a schema that names none.
    pub(super) fn latest() -> Self {
        Self::D2020
    }

    /// Returns a draft by its URL.
    pub(super) fn named(url: &str) -> Option<Self> {
        let (url, fragment) = url.split_once('#').unwrap_or((url, ""));
        let url = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
        let draft = match url.unwrap_or_default() {
            "json-schema.org/schema" => Self::latest(),
            "json-schema.org/draft/2020-12/schema" => Self::D2020,
            "json-schema.org/draft/2019-09/schema" => Self::D2019,
            "json-schema.org/draft-07/schema" => Self::D7,
            "json-schema.org/draft-06/schema" => Self::D6,
            "json-schema.org/draft-04/schema" => Self::D4,
            _ => return None,
        };
        fragment.is_empty().then_some(draft)
    }

    /// Reports whether the library has a document of a path at `json-schema.org`.
    pub(super) fn is_built_in(path: &str) -> bool {
        let of = |draft: &str, parts: &[&str]| {
            path.strip_prefix("/draft/")
                .and_then(|rest| rest.strip_prefix(draft))
                .is_some_and(|rest| {
                    rest == "/schema" || rest.strip_prefix("/meta/").is_some_and(|part| parts.contains(&part))
                })
        };
        let parts = ["applicator", "content", "core", "meta-data", "validation"];
        let newer = ["format-annotation", "format-assertion", "unevaluated"];
        let old = ["/schema", "/draft-04/schema", "/draft-06/schema", "/draft-07/schema"];
        old.contains(&path)
            || of("2019-09", &[&parts[..], &["format"]].concat())
            || of("2020-12", &[parts.as_slice(), newer.as_slice()].concat())
    }

    /// Returns the URL that a subschema gives itself, without a fragment; empty without one.
    pub(super) fn id(self, fields: &Map<String, Value>) -> &str {
        if self.ignores_beside_reference() && fields.contains_key("$ref") {
            return "";
        }
        let id = self.id_field(fields);
        id.split('#').next().unwrap_or_default()
    }

    fn id_field(self, fields: &Map<String, Value>) -> &str {
        let key = if self == Self::D4 { "id" } else { "$id" };
        fields.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// Returns the anchors of a subschema, and whether each is a dynamic one.
    pub(super) fn anchors(self, fields: &Map<String, Value>) -> Vec<(String, bool)> {
        let of = |key: &str| fields.get(key).and_then(Value::as_str).map(str::to_owned);
        if self < Self::D2019 {
            if fields.contains_key("$ref") {
                return Vec::new();
            }
            let fragment = self.id_field(fields).split_once('#').map(|(_, fragment)| fragment);
            let fragment = fragment.and_then(super::url::decoded);
            let anchor = fragment.filter(|fragment| !fragment.is_empty() && !fragment.starts_with('/'));
            return anchor.map(|anchor| (anchor, false)).into_iter().collect();
        }
        let dynamic = of("$dynamicAnchor").filter(|_| self.has_dynamic_anchors());
        let anchor = of("$anchor").map(|anchor| (anchor, false));
        anchor.into_iter().chain(dynamic.map(|anchor| (anchor, true))).collect()
    }

    /// Reports whether all anchors of a document are compiled with it.
    pub(super) fn has_dynamic_anchors(self) -> bool {
        self >= Self::D2020
    }

    /// Reports whether keywords beside `$ref` have no effect.
    pub(super) fn ignores_beside_reference(self) -> bool {
        self < Self::D2019
    }

    /// Returns the keywords of references.
    pub(super) fn references(self) -> &'static [&'static str] {
        match self {
            Self::D4 | Self::D6 | Self::D7 => &["$ref"],
            Self::D2019 => &["$ref", "$recursiveRef"],
            Self::D2020 => &["$ref", "$recursiveRef", "$dynamicRef"],
        }
    }

    /// Returns the subschemas of a subschema, with their places.
    pub(super) fn subschemas<'s>(
        self,
        place: &Pointer,
        fields: &'s Map<String, Value>,
    ) -> Vec<(PointerBuf, &'s Value)> {
        let keywords = KEYWORDS.iter().filter(|(_, _, first)| *first <= self);
        keywords
            .flat_map(|(keyword, shape, _)| below(place, fields, keyword, *shape))
            .collect()
    }

    /// Returns the places of the subschemas that are compiled together with a subschema.
    pub(super) fn compiled(self, place: &Pointer, fields: &Map<String, Value>) -> Vec<PointerBuf> {
        let condition = fields.get("if");
        let is_compiled = |keyword: &str, shape: Shape| match keyword {
            // Helm compiles the branches that the condition leaves.
            "then" => condition.is_some_and(|condition| condition.as_bool() != Some(false)),
            "else" => condition.is_some_and(|condition| condition.as_bool() != Some(true)),
            "items" => !matches!(shape, Shape::List) || self < Self::D2020,
            "additionalItems" => self < Self::D2020 && fields.get("items").is_some_and(Value::is_array),
            _ => !ON_DEMAND.contains(&keyword),
        };
        let keywords = KEYWORDS
            .iter()
            .filter(|(keyword, shape, first)| *first <= self && is_compiled(keyword, *shape));
        keywords
            .flat_map(|(keyword, shape, _)| below(place, fields, keyword, *shape))
            .map(|(place, _)| place)
            .collect()
    }
}

/// Returns the subschemas of one keyword.
fn below<'s>(
    place: &Pointer,
    fields: &'s Map<String, Value>,
    keyword: &str,
    shape: Shape,
) -> Vec<(PointerBuf, &'s Value)> {
    let place = place.child(keyword);
    match (fields.get(keyword), shape) {
        (Some(value), Shape::One) => vec![(place, value)],
        (Some(Value::Array(list)), Shape::List) => (0_usize..)
            .zip(list)
            .map(|(index, value)| (place.child(index), value))
            .collect::<Vec<(PointerBuf, &Value)>>(),
        (Some(Value::Object(map)), Shape::Map) => map.iter().map(|(key, value)| (place.child(key), value)).collect(),
        _ => Vec::new(),
    }
}
