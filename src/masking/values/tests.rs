use std::fmt::Write;

use proptest::prelude::*;

use super::*;

fn masked_secret(secret: &str, message: &str) -> String {
    let mut values = Values::default();
    values.add_secret(secret);
    values.mask(message)
}

/// Spells a value as Go's `%q` does; `is_ascii` as its `%+q`.
fn go(value: &str, is_ascii: bool) -> String {
    let mut out = "\"".to_owned();
    for sign in value.chars() {
        match sign {
            '"' | '\\' => out.extend(['\\', sign]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\0'..='\x1f' | '\x7f' => write!(out, "\\x{:02x}", sign as u32).unwrap(),
            '\u{80}'..='\u{ffff}' if is_ascii || sign.is_control() => write!(out, "\\u{:04x}", sign as u32).unwrap(),
            '\u{10000}'.. if is_ascii => write!(out, "\\U{:08x}", sign as u32).unwrap(),
            _ => out.push(sign),
        }
    }
    out + "\""
}

/// Spells a value as Go's JSON does, or as JSON in ASCII.
fn json(value: &str, is_ascii: bool) -> String {
    let text = serde_json::to_string(value).unwrap();
    let mut out = String::new();
    for sign in text.chars() {
        match sign {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => write!(out, "\\u{:04x}", sign as u32).unwrap(),
            sign if is_ascii && !sign.is_ascii() => {
                for unit in sign.encode_utf16(&mut [0; 2]) {
                    write!(out, "\\u{unit:04x}").unwrap();
                }
            }
            _ => out.push(sign),
        }
    }
    out
}

fn block(value: &str) -> String {
    let lines: Vec<String> = value.lines().map(|line| format!("    {line}")).collect();
    format!("|-\n{}", lines.join("\n"))
}

fn percent(value: &str) -> String {
    let mut out = String::new();
    for byte in value.bytes() {
        match byte {
            b' ' => out.push('+'),
            byte if byte.is_ascii_alphanumeric() => out.push(char::from(byte)),
            byte => write!(out, "%{byte:02X}").unwrap(),
        }
    }
    out
}

/// Escapes the signs that mean something to `--set`.
fn set(value: &str) -> String {
    let mut out = String::new();
    for sign in value.chars() {
        if ",\\{}[]=.".contains(sign) {
            out.push('\\');
        }
        out.push(sign);
    }
    out
}

/// Breaks a text at its blanks, as YAML breaks long lines.
fn folded(value: &str) -> String {
    value.replace(' ', "\n      ")
}

/// Returns a value in every spelling, and spellings of spellings.
fn spellings(value: &str) -> Vec<String> {
    let one = vec![
        value.to_owned(),
        go(value, false),
        go(value, true),
        json(value, false),
        json(value, true),
        format!("'{}'", value.replace('\'', "''")),
        format!("'{}'", value.replace('\'', "'\\''")),
        format!("'{}'", value.replace('\'', "'\"'\"'")),
        format!("\"{}\"", value.replace('"', "\"\"")),
        block(value),
        folded(value),
        percent(value),
        set(value),
        if value.contains(['\\', '%']) {
            // An escape in capitals is another one.
            value.to_owned()
        } else {
            value.to_ascii_uppercase()
        },
        STANDARD_NO_PAD.encode(value),
    ];
    let two = one
        .iter()
        .flat_map(|text| [go(text, false), json(text, true), percent(text)]);
    let two: Vec<String> = two.collect();
    [one, two].concat()
}

proptest! {
    #[test]
    fn a_secret_is_found_in_every_spelling(
        secret in prop_oneof!["\\PC{4,20}", "[a-z\"'\\\\\n ,{}=%$`ä😀<&]{4,30}", "(?s).{4,12}"],
    ) {
        prop_assume!(Skeleton::of(secret.trim(), true).bytes.len() >= FINDABLE);
        prop_assume!(Skeleton::of(secret.trim(), false).bytes.len() >= FINDABLE);
        for spelled in spellings(&secret) {
            // Behind it is nothing that a line of a secret may end with, as a comma.
            let shown = masked_secret(&secret, &format!("the password is {spelled} | so it is"));
            prop_assert!(!shown.contains(secret.trim()), "{spelled:?}: {shown:?}");
            prop_assert!(!shown.contains(spelled.trim_matches(['"', '\''])), "{spelled:?}: {shown:?}");
            prop_assert!(shown.starts_with("the password is ") && shown.ends_with(" | so it is"), "{spelled:?}: {shown:?}");
        }
    }

    #[test]
    fn nothing_is_masked_that_is_no_value(message in "[a-z ]{0,40}", secret in "[A-Z0-9]{4,9}9") {
        prop_assert_eq!(masked_secret(&secret, &message), message);
    }
}

#[test]
fn what_is_printed_is_masked() {
    for (secret, message, expected) in [
        ("hunter2", "password hunter2 is bad", "password … is bad"),
        ("hunter2", "hunter2hunter2", "…"),
        (
            "hunter22",
            "cannot unmarshal !!str `hunter2...` into int",
            "cannot unmarshal !!str `…...` into int",
        ),
        ("night", "HOME\\night and \\night", "HOME\\… and \\…"),
        ("a b c d", "map[x:a b c d y:1]", "map[x:… y:1]"),
        ("first line\nsecond line", "at second line: bad", "at …: bad"),
        ("12345678", "got 1.2345678e+07, 12,345,678 or 12345678", "got …, … or …"),
        ("0.25", "got 0.25", "got …"),
        ("''''", "it is ''''", "it is …"),
        // A short one only as a word of its own, and not where helm says where.
        ("abc", "abc is in abcd, 'abc'", "… is in abcd, '…'"),
        (
            "1",
            "error at (a/templates/b.yaml:1:11): 1 is bad",
            "error at (a/templates/b.yaml:1:11): … is bad",
        ),
        ("ä", "ä is no \\u00e4b, \\u00e4", "… is no \\u00e4b, …"),
        ("", "x", "x"),
        (
            "player",
            "at (player/templates/a.yaml:3:4): x",
            "at (…/templates/a.yaml:3:4): x",
        ),
    ] {
        assert_eq!(masked_secret(secret, message), expected, "{secret}");
    }
}

#[test]
fn a_value_that_is_no_secret_stays_where_it_says_where() {
    let mut values = Values::default();
    values.add("player");
    values.add("80");
    assert_eq!(
        values.mask("execution error at (player/templates/a.yaml:3:4): player has port 80"),
        "execution error at (player/templates/a.yaml:3:4): … has port 80"
    );
}

#[test]
fn a_long_message_is_cut_before_a_value_breaks_off() {
    let secret = "x".repeat(100);
    let message = format!("{}{secret}", "a ".repeat(READ / 2 - 10));
    let shown = masked_secret(&secret, &message);
    assert!(!shown.contains('x') && shown.ends_with(MASK));
}

#[test]
fn many_values_are_searched_for_at_once() {
    let mut values = Values::default();
    for number in 0..20_000 {
        values.add_secret(format!("secret-number-{number}"));
    }
    assert_eq!(values.mask("it is secret-number-19999"), "it is …");
}
