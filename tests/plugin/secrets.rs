//! No message of the real helm shows a value, in whatever way a chart, a schema or helm itself quotes it.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::sent::{Sent, text};

/// The ways in which a template quotes a value.
const TEMPLATE: &str = r#"{{- $v := .Values.auth.password -}}
{{- $how := .Values.how -}}
{{- if eq $how "plain" }}{{ fail (printf "the password is %s" $v) }}{{ end }}
{{- if eq $how "quoted" }}{{ fail (printf "%q and %s" $v (squote $v)) }}{{ end }}
{{- if eq $how "ascii" }}{{ fail (printf "%+q" $v) }}{{ end }}
{{- if eq $how "map" }}{{ fail (printf "%v, %#v" .Values.auth .Values.auth) }}{{ end }}
{{- if eq $how "json" }}{{ fail (toJson .Values | toJson) }}{{ end }}
{{- if eq $how "raw json" }}{{ fail (toRawJson .Values) }}{{ end }}
{{- if eq $how "yaml" }}{{ fail (toYaml .Values) }}{{ end }}
{{- if eq $how "base64" }}{{ fail (b64enc $v) }}{{ end }}
{{- if eq $how "url" }}{{ fail (urlquery $v) }}{{ end }}
{{- if eq $how "indented" }}{{ fail (indent 4 $v) }}{{ end }}
{{- if eq $how "required" }}{{ required (printf "set %v" (list $v)) .Values.none }}{{ end }}
{{- if eq $how "range" }}{{ range $v }}{{ . }}{{ end }}{{ end }}
{{- if eq $how "field" }}{{ $v.name.first }}{{ end }}
{{- if eq $how "index" }}{{ index .Values.auth $v "x" }}{{ end }}
{{- if eq $how "include" }}{{ include $v . }}{{ end }}
{{- if eq $how "tpl" }}{{ tpl (printf "{{ %s }" $v) . }}{{ end }}
{{- if eq $how "regex" }}{{ mustRegexMatch (printf "(%s" $v) "a" }}{{ end }}
{{- if eq $how "version" }}{{ semver $v }}{{ end }}
{{- if eq $how "date" }}{{ mustToDate $v $v }}{{ end }}
{{- if eq $how "from yaml" }}{{ fail (fromYaml (printf "- %s" (toJson $v))).Error }}{{ end }}
{{- if eq $how "from json" }}{{ mustFromJson $v }}{{ end }}
{{- if eq $how "manifest" }}
apiVersion: v1
kind: Secret
metadata: {name: a}
stringData:
  a: b: {{ $v }}
{{- end }}
"#;

const WAYS: [&str; 22] = [
    "plain",
    "quoted",
    "ascii",
    "map",
    "json",
    "raw json",
    "yaml",
    "base64",
    "url",
    "indented",
    "required",
    "range",
    "field",
    "index",
    "include",
    "tpl",
    "regex",
    "version",
    "date",
    "from yaml",
    "from json",
    "manifest",
];

/// What schemas refuse.
fn schemas(secret: &str) -> Vec<Value> {
    [
        json!({"type": "integer"}),
        json!({"pattern": "^never$"}),
        json!({"enum": ["a", "b"]}),
        json!({"const": "a"}),
        json!({"maxLength": 1}),
        json!({"not": {"const": secret}}),
        json!({"type": "object", "additionalProperties": false}),
    ]
    .into()
}

/// How a value gets to the chart.
#[derive(Clone, Copy, Debug)]
enum Way {
    Values,
    File,
    Parameter,
    StringParameter,
    FileParameter,
}

const CHANNELS: [Way; 5] = [
    Way::Values,
    Way::File,
    Way::Parameter,
    Way::StringParameter,
    Way::FileParameter,
];

/// Returns secrets of all kinds of signs; the same ones every time.
fn secrets() -> Vec<String> {
    let mut secrets: Vec<String> = [
        "hunter2",
        "p\"q'r\\s",
        "two\nlines of it\n",
        "a,b{c}=d",
        "ä😀ß→",
        "C:\\new\\u0041",
        "100%25 $HOME `x`",
        "ab1",
        "<&>:#-",
        "12345678",
        "- {a: [b",
        "  blanks  inside  ",
        "x]y",
    ]
    .map(str::to_owned)
    .into();
    let signs: Vec<char> = "abcXYZ019 \"'\\\n\t,{}[]=:#%&$`<>|!äß→😀".chars().collect();
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    for length in 7..12 {
        let mut secret = String::new();
        for _ in 0..length {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            secret.push(signs[(state % signs.len() as u64) as usize]);
        }
        secrets.push(format!("k{secret}"));
    }
    secrets
}

/// Escapes what Argo CD leaves to the user in a value of `--set`.
fn set(value: &str) -> String {
    let mut out = String::new();
    for sign in value.chars() {
        if "\\{}[]".contains(sign) {
            out.push('\\');
        }
        out.push(sign);
    }
    out
}

fn parameters(sent: &Sent, way: Way, how: &str, secret: &str) -> String {
    let values = |password: Value| json!({"how": how, "auth": {"password": password}}).to_string();
    let list = match way {
        Way::Values => json!([{"name": "values", "string": values(json!(secret))}]),
        Way::File => {
            sent.write("secret.yaml", &values(json!(secret)));
            json!([{"name": "values-files", "array": ["secret.yaml"]}])
        }
        Way::Parameter => json!([{"name": "helm-parameters", "map": {"how": how, "auth.password": set(secret)}}]),
        Way::StringParameter => {
            json!([{"name": "helm-string-parameters", "map": {"how": how, "auth.password": set(secret)}}])
        }
        Way::FileParameter => {
            sent.write("secret.txt", secret);
            json!([
                {"name": "helm-file-parameters", "map": {"auth.password": "secret.txt"}},
                {"name": "values", "string": values(Value::Null)},
            ])
        }
    };
    list.to_string()
}

/// Returns the texts by which a reader of a message knows the secret.
fn spelled(secret: &str) -> Vec<String> {
    let json = json!(secret).to_string();
    let mut texts = vec![secret.trim().to_owned(), json.trim_matches('"').trim().to_owned()];
    texts.extend(secret.lines().map(|line| line.trim().to_owned()));
    let mut ascii = String::new();
    for sign in secret.trim().chars() {
        match sign {
            '\u{80}'..='\u{ffff}' => write!(ascii, "\\u{:04x}", sign as u32).unwrap(),
            '\u{10000}'.. => write!(ascii, "\\U{:08x}", sign as u32).unwrap(),
            sign => ascii.push(sign),
        }
    }
    texts.push(ascii);
    texts.retain(|text| text.chars().filter(|sign| !sign.is_whitespace()).count() > 3);
    texts
}

/// Runs the plugin and asserts that its message does not show the secret.
fn check(sent: &Sent, parameters: &str, secret: &str, case: &str) {
    let output = sent.generate(&[("ARGOCD_APP_PARAMETERS", parameters)]);
    let message = text(&output.stderr);
    for spelled in spelled(secret) {
        assert!(
            !message.contains(&spelled),
            "{case}: {secret:?} as {spelled:?} in {message}"
        );
    }
    let words: Vec<&str> = message.split(|sign: char| !sign.is_alphanumeric()).collect();
    assert!(!words.contains(&secret), "{case}: {secret:?} in {message}");
    assert!(output.status.code() != Some(70), "{case}: {message}");
}

fn chart() -> Sent {
    let sent = Sent::new().real_helm();
    sent.write("values.yaml", "how: ''\nauth: {password: ''}\n");
    sent.write("templates/all.yaml", TEMPLATE);
    sent
}

/// Calls a function with every secret and its number, on a few threads.
fn each_secret(work: impl Fn(usize, &str) + Sync) {
    let secrets = secrets();
    std::thread::scope(|scope| {
        for part in 0..4 {
            let (work, secrets) = (&work, &secrets);
            scope.spawn(move || {
                let mine = secrets.iter().enumerate().skip(part).step_by(4);
                mine.for_each(|(number, secret)| work(number, secret));
            });
        }
    });
}

#[test]
fn no_message_of_a_chart_shows_a_value() {
    each_secret(|number, secret| {
        let sent = chart();
        for (turn, how) in WAYS.into_iter().enumerate() {
            let way = CHANNELS[(number + turn) % CHANNELS.len()];
            let parameters = parameters(&sent, way, how, secret);
            check(&sent, &parameters, secret, &format!("{how} by {way:?}"));
        }
    });
}

#[test]
fn no_message_of_a_schema_shows_a_value() {
    each_secret(|number, secret| {
        let sent = chart();
        for (turn, schema) in schemas(secret).into_iter().enumerate() {
            let schema = json!({"properties": {"auth": {"properties": {"password": schema}}}});
            sent.write("values.schema.json", &schema.to_string());
            let way = CHANNELS[(number + turn) % CHANNELS.len()];
            let parameters = parameters(&sent, way, "none", secret);
            check(&sent, &parameters, secret, &format!("{schema} by {way:?}"));
        }
    });
}

#[test]
fn no_message_about_values_that_cannot_be_read_shows_them() {
    each_secret(|_, secret| {
        let sent = chart();
        let quoted = json!(secret);
        for list in [
            json!([{"name": "values", "string": format!("auth: {{password: {quoted}")}]),
            json!([{"name": "values", "string": format!("auth: *{secret}")}]),
            json!([{"name": "values", "string": format!("auth:\n password: {secret}\n  x: y")}]),
            json!([{"name": "values", "string": format!("- {quoted}")}]),
            json!([{"name": "values", "string": format!("auth: {quoted}\nhow: plain")}]),
            json!([{"name": "helm-parameters", "map": {"auth.password": secret}}]),
            json!([{"name": "helm-parameters", "map": {"auth.password[x": secret}}]),
            json!([{"name": "helm-parameters", "map": {"auth.password[0].x": format!("{{{secret}")}}]),
            json!([{"name": "helm-string-parameters", "map": {"auth.password.": format!("{secret},{secret}")}}]),
        ] {
            check(&sent, &list.to_string(), secret, &list.to_string());
        }
    });
}
