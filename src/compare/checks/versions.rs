//! Versions of charts and images.

use crate::model::workload::{CONTAINER_LISTS, pod_templates};
use crate::model::{Image, Object, Source};

/// Returns the version of the chart that a source pulls.
pub(super) fn of_chart(source: &Source<'_>) -> Option<String> {
    if source.chart().is_some() {
        return source.revision().map(str::to_owned);
    }
    let chart = source.parameters().ok()?.chart?;
    Some(chart.version)
}

/// Returns the images of an object's pods: their names, and their tags.
pub(super) fn images(object: &Object) -> Vec<(String, String)> {
    let templates = pod_templates(object);
    let containers = templates
        .iter()
        .flat_map(|template| CONTAINER_LISTS.into_iter().flat_map(|list| template.containers(list)));
    let images = containers.filter_map(|container| container.get("image")?.as_str());
    let tagged = images.map(Image::new);
    let tagged = tagged.filter_map(|image| Some((image.name.to_owned(), image.tag?.to_owned())));
    tagged.collect()
}

/// Returns the major version: the number at the start of a text, behind a `v`.
pub(super) fn major(version: &str) -> Option<u64> {
    let version = version.trim().trim_start_matches(['v', 'V']);
    let end = version.find(|c: char| !c.is_ascii_digit()).unwrap_or(version.len());
    version[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_number_is_the_major_version() {
        for (text, expected) in [
            ("v1.2.3", Some(1)),
            ("16", Some(16)),
            ("16-alpine", Some(16)),
            ("latest", None),
            ("", None),
        ] {
            assert_eq!(major(text), expected, "{text}");
        }
    }
}
