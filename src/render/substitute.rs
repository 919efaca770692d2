//! `$NAME` and `${NAME}` in parameters and value file names, as Argo CD substitutes them for native Helm: Go's
//! `os.Expand` with `$$` for a dollar
//! ([source](https://github.com/argoproj/argo-cd/blob/master/pkg/apis/application/v1alpha1/types.go), `Envsubst`).

use std::collections::BTreeMap;

/// Substitutes the variables in a text; an unknown one is empty.
pub fn substitute(text: &str, variables: &BTreeMap<String, String>) -> String {
    expand(text, |name| match name {
        "$" => "$".to_owned(),
        _ => variables.get(name).cloned().unwrap_or_default(),
    })
}

/// Reports whether a text names a variable that is none, so that a part of it gets lost.
pub fn is_lossy(text: &str, variables: &BTreeMap<String, String>) -> bool {
    let mut is_lossy = false;
    expand(text, |name| {
        is_lossy |= name != "$" && !variables.contains_key(name);
        String::new()
    });
    is_lossy
}

fn expand(text: &str, mut value: impl FnMut(&str) -> String) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(dollar) = rest.find('$') {
        out.push_str(&rest[..dollar]);
        rest = &rest[dollar + 1..];
        let (name, width) = shell_name(rest);
        if name.is_empty() && width == 0 {
            out.push('$');
        } else if !name.is_empty() {
            out.push_str(&value(name));
        }
        rest = &rest[width..];
    }
    out.push_str(rest);
    out
}

/// Returns the name after a dollar and its length in bytes, as Go reads it: an invalid `${` consumes the bytes that
/// were read.
fn shell_name(text: &str) -> (&str, usize) {
    let is_special = |byte: u8| b"*#$@!?-".contains(&byte) || byte.is_ascii_digit();
    let is_name = |byte: u8| byte == b'_' || byte.is_ascii_alphanumeric();
    let bytes = text.as_bytes();
    match bytes.first() {
        Some(b'{') => {
            if bytes.len() > 2 && is_special(bytes[1]) && bytes[2] == b'}' {
                return (&text[1..2], 3);
            }
            match text[1..].find('}') {
                Some(0) => ("", 2),
                Some(end) => (&text[1..=end], end + 2),
                None => ("", 1),
            }
        }
        Some(&byte) if is_special(byte) => (&text[..1], 1),
        _ => {
            let width = bytes.iter().take_while(|byte| is_name(**byte)).count();
            (&text[..width], width)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn substitutes_as_go_does() {
        let variables = BTreeMap::from([("A".to_owned(), "1".to_owned()), ("A_B".to_owned(), "2".to_owned())]);
        for (text, expected) in [
            ("x-$A-${A_B}y", "x-1-2y"),
            ("$A_B", "2"),
            ("$NOPE|${NOPE}", "|"),
            ("$$A", "$A"),
            ("$1 $@ $* $-", "   "),
            ("a$", "a$"),
            ("$.x", "$.x"),
            ("${}x", "x"),
            ("${A", "A"),
            ("ä$Aö", "ä1ö"),
        ] {
            assert_eq!(substitute(text, &variables), expected, "{text}");
        }
    }

    #[test]
    fn a_variable_that_is_none_is_noticed() {
        let variables = BTreeMap::from([("ARGOCD_APP_NAME".to_owned(), "player".to_owned())]);
        for (text, expected) in [
            ("reg/$HOME", true),
            ("pas$word", true),
            ("${HOME}", true),
            ("pa$$word", false),
            ("x-$ARGOCD_APP_NAME", false),
            ("5 $ or so", false),
            ("plain", false),
        ] {
            assert_eq!(is_lossy(text, &variables), expected, "{text}");
        }
    }
}
