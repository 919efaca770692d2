//! Names that nearly spell other names.

use strsim::osa_distance;

/// Returns the candidate that a name most likely means: the only one that is spelled nearly so. `None` where no one is, or
/// several are equally near; a name that is one of them means nothing else.
pub fn nearest<'c>(name: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let mut near: Vec<(usize, &str)> = Vec::new();
    for candidate in candidates {
        if candidate == name {
            return None;
        }
        near.extend(distance(name, candidate).map(|distance| (distance, candidate)));
    }
    near.sort_unstable();
    near.dedup();
    match near[..] {
        [(_, only)] => Some(only),
        [(first, nearest), (second, _), ..] if first < second => Some(nearest),
        _ => None,
    }
}

/// Returns how many letters are wrong, missing, too many or swapped, where they are few for a name of this length. Case
/// and the signs between words do not count.
fn distance(name: &str, candidate: &str) -> Option<usize> {
    let (name, candidate) = (plain(name), plain(candidate));
    let most = match candidate.len().min(name.len()) {
        0..3 => 0,
        3..7 => 1,
        _ => 2,
    };
    // A pair of long names is not compared when their lengths tell already.
    let is_possible = name.len().abs_diff(candidate.len()) <= most;
    let distance = is_possible.then(|| osa_distance(&name, &candidate));
    distance.filter(|distance| *distance <= most)
}

fn plain(name: &str) -> String {
    let letters = name.chars().filter(|letter| !matches!(letter, '-' | '_'));
    letters.flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_meant() {
        let fields = [
            "targetRevision",
            "path",
            "plugin",
            "ref",
            "repoURL",
            "prune",
            "selfHeal",
        ];
        for (name, meant) in [
            ("targetRevison", Some("targetRevision")),
            ("target_revision", Some("targetRevision")),
            ("repoUrl", Some("repoURL")),
            ("selfheal", Some("selfHeal")),
            ("pahts", None),
            ("paht", Some("path")),
            ("red", Some("ref")),
            ("re", None),
            ("prune", None),
            ("revision", None),
        ] {
            assert_eq!(nearest(name, fields), meant, "{name}");
        }
    }

    #[test]
    fn of_two_equally_near_names_none_is_meant() {
        assert_eq!(nearest("sources", ["source1", "source2"]), None);
        assert_eq!(nearest("soruce", ["source", "sources"]), Some("source"));
    }
}
