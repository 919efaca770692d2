//! Texts of other formats: JSON, YAML, base64, digests ([source](https://masterminds.github.io/sprig/encoding.html)).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256, Sha512};

use super::super::fault::Fault;
use super::super::json_text::{self, Style};
use super::super::value::Value;
use super::super::yaml_text;
use super::{Function, function, text};
use crate::yaml;

pub(super) const TABLE: &[Function] = &[
    function("adler32sum", "s", |values| {
        Ok(Value::Text(adler32(text(&values[0])).to_string()))
    }),
    function("b64dec", "s", |values| {
        let decoded = STANDARD.decode(text(&values[0]));
        let decoded = decoded.map_err(|_| Fault::unsupported("a text that is not base64"))?;
        let text = String::from_utf8(decoded);
        text.map(Value::Text)
            .map_err(|_| Fault::unsupported("a text that is not UTF-8"))
    }),
    function("b64enc", "s", |values| {
        Ok(Value::Text(STANDARD.encode(text(&values[0]))))
    }),
    function("fromJson", "s", |values| {
        Ok(from_json(text(&values[0])).unwrap_or(Value::Nil))
    }),
    function("fromYaml", "s", |values| match from_yaml(text(&values[0]))? {
        Value::Nil => Ok(Value::map([])),
        map @ Value::Map(..) => Ok(map),
        _ => Err(Fault::invalid("the text is not a map")),
    }),
    function("fromYamlArray", "s", |values| match from_yaml(text(&values[0]))? {
        Value::Nil => Ok(Value::list(Vec::new())),
        list @ Value::List(..) => Ok(list),
        _ => Err(Fault::invalid("the text is not a list")),
    }),
    function("mustFromJson", "s", |values| {
        from_json(text(&values[0])).ok_or_else(|| Fault::invalid("the text is not JSON"))
    }),
    function("mustToJson", "a", |values| to_json(values, Style::Escaped)),
    function("mustToPrettyJson", "a", |values| to_json(values, Style::Pretty)),
    function("mustToRawJson", "a", |values| to_json(values, Style::Raw)),
    function("sha256sum", "s", |values| Ok(hex(&Sha256::digest(text(&values[0]))))),
    function("sha512sum", "s", |values| Ok(hex(&Sha512::digest(text(&values[0]))))),
    function("toJson", "a", |values| to_json(values, Style::Escaped)),
    function("toPrettyJson", "a", |values| to_json(values, Style::Pretty)),
    function("toRawJson", "a", |values| to_json(values, Style::Raw)),
    function("toYaml", "a", |values| {
        yaml_text::yaml_text(&values[0]).map(Value::Text)
    }),
];

fn hex(digest: &[u8]) -> Value {
    Value::Text(base16ct::lower::encode_string(digest))
}

fn adler32(text: &str) -> u32 {
    const PRIME: u32 = 65_521;
    let sums = text.bytes().fold((1, 0), |(a, b), byte| {
        let a = (a + u32::from(byte)) % PRIME;
        (a, (b + a) % PRIME)
    });
    sums.1 << 16 | sums.0
}

fn from_json(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok().map(|json| Value::of_json(&json))
}

fn from_yaml(text: &str) -> Result<Value, Fault> {
    let value = yaml::raw_value(text).map_err(|error| Fault::invalid(format!("the text is not YAML: {error}")))?;
    Ok(value.map_or(Value::Nil, |json| Value::of_json(&json)))
}

fn to_json(values: &[Value], style: Style) -> Result<Value, Fault> {
    let json = values[0]
        .to_json()
        .ok_or_else(|| Fault::unsupported("a number that JSON lacks"))?;
    Ok(Value::Text(json_text::json_text(&json, style)))
}
