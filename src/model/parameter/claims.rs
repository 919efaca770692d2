//! The parameter `claims`: claims that no chart renders, each with its spec, or with its size alone.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::spec::{Shape, Spec, spec};
use crate::model::claim_path::ClaimPath;
use crate::model::object::Object;
use crate::model::spelling;

pub(super) const CLAIMS: Spec = spec(
    "claims",
    Shape::Map,
    "Claims",
    "Claims that no chart renders: key `[NAMESPACE/]CLAIM`, value the claim's spec as JSON, or its size alone, as `5Gi`, for one with the access mode ReadWriteOnce and the default storage class. They are rendered with everything else, guarded, and owned like those in `owns`.",
    |parameters, given| {
        parameters.claims = read(given.map.as_ref())?;
        Ok(())
    },
);

/// The access modes of a claim
/// ([source](https://kubernetes.io/docs/concepts/storage/persistent-volumes/#access-modes)).
pub const ACCESS_MODES: [&str; 4] = ["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"];

/// The fields of a claim's spec
/// ([source](https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/persistent-volume-claim-v1/)).
const FIELDS: [&str; 9] = [
    "accessModes",
    "dataSource",
    "dataSourceRef",
    "resources",
    "selector",
    "storageClassName",
    "volumeAttributesClassName",
    "volumeMode",
    "volumeName",
];

/// Returns the object of a claim in the parameter.
pub fn object(path: &ClaimPath, spec: &Value) -> Object {
    let mut metadata = Map::from_iter([("name".to_owned(), json!(path.name.as_str()))]);
    if let Some(namespace) = &path.namespace {
        metadata.insert("namespace".to_owned(), json!(namespace.as_str()));
    }
    Object::new(json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec}))
}

/// Returns the spec of a claim that has only a size.
pub fn of_size(size: &str) -> Value {
    json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}})
}

/// Reports whether a text is a size greater than zero, as Kubernetes reads quantities
/// ([source](https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/)).
pub fn is_size(text: &str) -> bool {
    let number = text.trim_end_matches(|sign: char| sign.is_ascii_alphabetic());
    let suffix = &text[number.len()..];
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    // An exponent is a suffix that ends in a number.
    if let Some((number, exponent)) = text
        .split_once(['e', 'E'])
        .filter(|(_, exponent)| !exponent.is_empty() && *exponent != "i")
    {
        let digits = exponent.trim_start_matches(['+', '-']);
        return is_decimal(number) && !digits.is_empty() && exponent.len() - digits.len() < 2 && is_digits(digits);
    }
    let suffixes = [
        "", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei",
    ];
    suffixes.contains(&suffix) && is_decimal(number)
}

/// Reports whether a text is a number greater than zero.
fn is_decimal(text: &str) -> bool {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = || whole.bytes().chain(fraction.bytes());
    digits().all(|byte| byte.is_ascii_digit()) && digits().any(|byte| byte != b'0')
}

/// Reads the spec of each claim; the error lists everything that is wrong with them.
fn read(map: Option<&BTreeMap<String, String>>) -> Result<BTreeMap<ClaimPath, Value>, Vec<String>> {
    let (mut claims, mut errors) = (BTreeMap::new(), Vec::new());
    for (key, text) in map.into_iter().flatten() {
        let path = key.parse::<ClaimPath>().map_err(|error| format!("{error:#}"));
        match path.and_then(|path| Ok((path, read_spec(key, text)?))) {
            Ok((path, spec)) => drop(claims.insert(path, spec)),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(claims) } else { Err(errors) }
}

/// Reads the spec of one claim. What the API server would refuse is an error here, where its place is known.
///
/// # Errors
/// Says what is wrong with it.
pub fn read_spec(claim: &str, text: &str) -> Result<Value, String> {
    if is_size(text.trim()) {
        return Ok(of_size(text.trim()));
    }
    let spec = match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(spec)) => spec,
        Ok(_) => {
            return Err(format!(
                "the spec of claim `{claim}` is neither a JSON map nor a size, as `5Gi`"
            ));
        }
        Err(error) => {
            return Err(format!(
                "the spec of claim `{claim}` is neither JSON nor a size, as `5Gi`: line {}, column {}",
                error.line(),
                error.column()
            ));
        }
    };
    if let Some(field) = spec.keys().find(|field| !FIELDS.contains(&field.as_str())) {
        let nearest = spelling::nearest(field, FIELDS.iter().copied());
        let known = nearest.map_or_else(|| FIELDS.join(", "), |nearest| format!("`{nearest}`"));
        return Err(format!(
            "the spec of claim `{claim}` has the unknown field `{field}`; known is {known}"
        ));
    }
    let modes = spec
        .get("accessModes")
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    let is_mode = |mode: &Value| mode.as_str().is_some_and(|mode| ACCESS_MODES.contains(&mode));
    if modes.is_empty() || !modes.iter().all(is_mode) {
        return Err(format!(
            "the spec of claim `{claim}` needs `accessModes`, a list of {}",
            ACCESS_MODES.join(", ")
        ));
    }
    let size = spec
        .get("resources")
        .and_then(|resources| resources.get("requests")?.get("storage"));
    let is_size = match size {
        Some(Value::String(size)) => is_size(size),
        Some(Value::Number(size)) => is_size(&size.to_string()),
        _ => false,
    };
    if !is_size {
        return Err(format!(
            "the spec of claim `{claim}` needs `resources.requests.storage`, a size as `5Gi`"
        ));
    }
    Ok(Value::Object(spec))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_a_quantity_greater_than_zero() {
        for size in [
            "5Gi", "1", "0.5Ti", "1.5G", "100M", "1e3", "1E9", "2E", "2Ei", "1e+3", "12e-1", "500m", ".5Gi", "5.",
        ] {
            assert!(is_size(size), "{size}");
        }
        for other in [
            "", "0", "0Gi", "5gi", "5 Gi", "5GB", "Gi", "-5Gi", "+5Gi", "5Gi5", "1e", "1e+", "e3", "1.2.3", ".",
            "1e--3", "five",
        ] {
            assert!(!is_size(other), "{other}");
        }
    }

    #[test]
    fn a_spec_is_what_the_api_server_takes() {
        assert_eq!(read_spec("a", "5Gi"), Ok(of_size("5Gi")));
        let whole = json!({"accessModes": ["ReadWriteMany"], "storageClassName": "", "volumeName": "nfs", "resources": {"requests": {"storage": 1024}}});
        assert_eq!(read_spec("a", &whole.to_string()), Ok(whole));
        for (text, part) in [
            ("five", "neither JSON nor a size, as `5Gi`: line 1"),
            ("[]", "neither a JSON map nor a size"),
            (
                r#"{"storageclassName": "x"}"#,
                "unknown field `storageclassName`; known is `storageClassName`",
            ),
            (r#"{"resources": {}}"#, "needs `accessModes`, a list of ReadWriteOnce,"),
            (r#"{"accessModes": ["RWO"]}"#, "needs `accessModes`"),
            (r#"{"accessModes": "ReadWriteOnce"}"#, "needs `accessModes`"),
            (
                r#"{"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "big"}}}"#,
                "needs `resources.requests.storage`",
            ),
        ] {
            let error = read_spec("a", text).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn a_claim_of_another_namespace_says_so() {
        let path: ClaimPath = "tv/films".parse().unwrap();
        let object = object(&path, &of_size("5Gi"));
        assert_eq!((object.namespace(), object.name()), (Some("tv"), "films"));
    }
}
