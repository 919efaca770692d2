//! The parameters of a chart that is pulled for a folder with its values, and what cannot be beside them.

use super::spec::{Shape, Spec, spec};
use super::{Parameter, ParameterError, Parameters};
use crate::model::chart_reference::{self, ChartReference};

pub(super) const CHART: Spec = spec(
    "chart",
    Shape::String,
    "Chart",
    "The chart to render where the source is a folder with its value files: its name, in `chart-repo`. Value files are relative to the folder of the source then; `chart:values.yaml` is one of the chart's own.",
    |parameters, given| set(parameters, given, chart_reference::read_name, |chart| &mut chart.name),
);
pub(super) const REPOSITORY: Spec = spec(
    "chart-repo",
    Shape::String,
    "Chart repository",
    "Where `chart` is: the http(s) URL of a Helm repository, or `oci://HOST/FOLDER`.",
    |parameters, given| {
        set(parameters, given, chart_reference::read_repository, |chart| {
            &mut chart.repository
        })
    },
);
pub(super) const VERSION: Spec = spec(
    "chart-version",
    Shape::String,
    "Chart version",
    "The one version of `chart`, as `1.2.3`; a range is an error, which names the newest version that fits.",
    |parameters, given| {
        set(
            parameters,
            given,
            |text| Ok(text.to_owned()),
            |chart| &mut chart.version,
        )
    },
);
pub(super) const DIGEST: Spec = spec(
    "chart-digest",
    Shape::String,
    "Chart digest",
    "The `sha256:…` that `chart` has to have: that of the packed chart, as in the index of a Helm repository, or that of the manifest in a registry, which `helm pull` prints.",
    |parameters, given| {
        let digest = given.text().map(|text| chart_reference::read_digest(&text)).transpose();
        if let Some(digest) = digest.map_err(|error| vec![error])? {
            parameters.chart.get_or_insert_default().digest = Some(digest);
        }
        Ok(())
    },
);

/// Sets a field of the chart, where the parameter says something.
fn set(
    parameters: &mut Parameters,
    given: &Parameter,
    read: impl Fn(&str) -> Result<String, String>,
    field: impl Fn(&mut ChartReference) -> &mut String,
) -> Result<(), Vec<String>> {
    if let Some(text) = given.text() {
        let value = read(&text).map_err(|error| vec![error])?;
        *field(parameters.chart.get_or_insert_default()) = value;
    }
    Ok(())
}

/// The parameters of a folder of manifests, which a source with `chart` is not.
const OF_A_FOLDER: [&str; 3] = ["recurse", "include", "exclude"];
/// The parameters of the chart.
const OF_THE_CHART: [&str; 4] = ["chart", "chart-repo", "chart-version", "chart-digest"];

/// Returns what is wrong with the parameters of a chart taken together.
pub(super) fn errors(parameters: &Parameters, list: &[Parameter]) -> Vec<ParameterError> {
    let Some(chart) = &parameters.chart else {
        return Vec::new();
    };
    let position = |name: &str| list.iter().position(|parameter| parameter.name == name);
    let is_given = |name: &str| position(name).is_some_and(|index| !is_empty(&list[index]));
    let error = |name: &str, message: String| ParameterError {
        index: position(name),
        message,
    };
    if chart.name.is_empty() {
        let given = OF_THE_CHART.into_iter().find(|name| is_given(name));
        // A name that cannot be read has its own error.
        let lone = given.filter(|name| *name != "chart" && !is_given("chart"));
        let message = |name: &str| {
            format!(
                "parameter `{name}` says something of a chart, and there is no parameter `chart`: add its name, or take `{name}` out"
            )
        };
        return lone.map(|name| error(name, message(name))).into_iter().collect();
    }
    let needed = [
        ("chart-repo", "as `https://charts.example.org` or `oci://HOST/FOLDER`"),
        ("chart-version", "as `1.2.3`"),
    ];
    let missing = needed.into_iter().filter(|(name, _)| !is_given(name));
    let missing = missing.map(|(name, form)| {
        error(
            "chart",
            format!("parameter `chart` needs `{name}` beside it: add it, {form}"),
        )
    });
    let folder = OF_A_FOLDER.into_iter().filter(|name| is_given(name));
    let folder = folder.map(|name| {
        error(name, format!("parameter `{name}` is for a folder of manifests, and `chart` beside it renders a chart: take one of them out"))
    });
    missing.chain(folder).collect()
}

/// Reports whether a parameter says nothing: Argo CD's form writes it so.
fn is_empty(parameter: &Parameter) -> bool {
    let text = parameter.string.as_deref();
    text.is_none_or(|text| matches!(text, "" | "false"))
        && parameter.list().is_empty()
        && parameter.entries().is_empty()
}

#[cfg(test)]
mod tests {
    use super::super::read;
    use super::*;
    use serde_json::json;

    fn messages(given: &[(&str, &str)]) -> Vec<String> {
        let list: Vec<_> = given
            .iter()
            .map(|(name, text)| json!({"name": name, "string": text}))
            .collect();
        let list = read(&json!(list)).unwrap();
        let errors = Parameters::parse(&list).err().unwrap_or_default();
        errors.iter().map(ToString::to_string).collect()
    }

    const WHOLE: [(&str, &str); 3] = [
        ("chart", "web"),
        ("chart-repo", "https://c.example"),
        ("chart-version", "1.2.3"),
    ];

    #[test]
    fn a_whole_chart_is_read() {
        assert!(messages(&WHOLE).is_empty());
        let empty = [
            ("chart", ""),
            ("chart-repo", ""),
            ("chart-version", ""),
            ("chart-digest", ""),
        ];
        assert!(messages(&empty).is_empty(), "Argo CD's form writes empty texts");
        assert!(messages(&[&WHOLE[..], &[("recurse", "false"), ("include", "")]].concat()).is_empty());
    }

    #[test]
    fn what_is_missing_or_cannot_be_beside_it_is_named() {
        for (given, parts) in [
            (
                &WHOLE[..1],
                &["`chart` needs `chart-repo`", "`chart` needs `chart-version`"][..],
            ),
            (&WHOLE[1..], &["`chart-repo` says something of a chart"]),
            (
                &[("chart-digest", &"0".repeat(64))],
                &["`chart-digest` says something of a chart"],
            ),
            (
                &[("chart", "a/b")],
                &["the folders of a registry belong to `chart-repo`"],
            ),
            (
                &[&WHOLE[..2], &[("chart-version", "")]].concat(),
                &["`chart` needs `chart-version`"],
            ),
            (
                &[&WHOLE[..], &[("recurse", "true"), ("include", "*.yaml")]].concat(),
                &["`recurse` is for a folder", "`include` is for a folder"],
            ),
        ] {
            let messages = messages(given);
            assert_eq!(messages.len(), parts.len(), "{messages:?}");
            for (message, part) in messages.iter().zip(parts) {
                assert!(message.contains(part), "{part} in {message}");
            }
        }
    }
}
