//! Keys and values of labels, and keys of annotations
//! ([source](https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set)).

use anyhow::{Result, bail};

use super::name::{LABEL_VALUE_MAX, check_subdomain};

/// Checks the key of a label or an annotation: a name, with the prefix of a domain where it has one.
///
/// # Errors
/// When the API server would refuse it.
pub fn check_key(key: &str) -> Result<()> {
    let name = match key.split_once('/') {
        Some((prefix, name)) => {
            check_subdomain("the prefix of a key", prefix)?;
            name
        }
        None => key,
    };
    if name.is_empty() {
        bail!("the key `{key}` has no name");
    }
    check("key", name)
}

/// Checks the value of a label, which may be empty.
///
/// # Errors
/// When the API server would refuse it.
pub fn check_value(value: &str) -> Result<()> {
    if value.is_empty() {
        Ok(())
    } else {
        check("value", value)
    }
}

fn check(what: &str, text: &str) -> Result<()> {
    if text.len() > LABEL_VALUE_MAX {
        bail!(
            "the {what} `{text}` has {} characters, at most {LABEL_VALUE_MAX} are allowed",
            text.len()
        );
    }
    let ends = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    let inside = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if !ends(text.bytes().next()) || !ends(text.bytes().last()) || !text.bytes().all(inside) {
        bail!("the {what} `{text}` may hold letters, digits, `-`, `_` and `.`, a letter or digit at both ends");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_and_refuses_as_kubernetes_does() {
        for good in ["a", "app.kubernetes.io/name", "A_b.c-D", "1"] {
            assert!(check_key(good).is_ok(), "{good}");
        }
        for bad in ["", "bad key", "/a", "a/", "A.b/c", "a/b/c", "-a", "ä", &"a".repeat(64)] {
            assert!(check_key(bad).is_err(), "{bad}");
        }
        for good in ["", "v1.2", "A"] {
            assert!(check_value(good).is_ok(), "{good}");
        }
        for bad in ["bad value!", "a=b", "a-", &"a".repeat(64)] {
            assert!(check_value(bad).is_err(), "{bad}");
        }
    }
}
