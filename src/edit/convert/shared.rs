//! The claims that all Applications of a set own alike: they stand in its template. What one of them has besides stands in a
//! file of its folder.

use std::collections::BTreeSet;

/// Returns what stands in the template: entries that all have, and those that are named after each Application, with the template
/// of its name in the place of the name. Each Application is its name and its entries.
pub(super) fn of(name_template: &str, apps: &[(&str, BTreeSet<String>)]) -> Vec<String> {
    let Some((first, entries)) = apps.first() else {
        return Vec::new();
    };
    let forms = |entry: &String| {
        let named = (name_template.contains("{{") && !first.is_empty() && entry.contains(first))
            .then(|| entry.replacen(first, name_template, 1));
        [Some(entry.clone()), named].into_iter().flatten()
    };
    let is_everywhere = |form: &String| {
        let has = |(name, entries): &(&str, BTreeSet<String>)| entries.contains(&instance(form, name_template, name));
        apps.iter().all(has)
    };
    let shared = entries.iter().filter_map(|entry| forms(entry).find(is_everywhere));
    shared.collect()
}

/// Returns what an entry of the template is for an Application.
pub(super) fn instance(form: &str, name_template: &str, name: &str) -> String {
    match name_template.contains("{{") {
        true => form.replace(name_template, name),
        false => form.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_all_have_and_what_is_named_after_each() {
        let set = |entries: &[&str]| entries.iter().map(|entry| (*entry).to_owned()).collect::<BTreeSet<_>>();
        let apps = [
            ("films", set(&["films-config", "data", "tv/films", "old"])),
            ("music", set(&["music-config", "data", "tv/music", "films"])),
        ];
        let shared = of("{{ .name }}", &apps);
        assert_eq!(shared, ["data", "{{ .name }}-config", "tv/{{ .name }}"]);
        assert_eq!(instance("{{ .name }}-config", "{{ .name }}", "films"), "films-config");
        assert_eq!(of("fixed", &apps), ["data"]);
    }
}
