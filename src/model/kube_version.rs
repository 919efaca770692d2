//! Versions of Kubernetes, as clusters report them.

/// Reports whether a text is a version of Kubernetes: `1.34`, `v1.34.1`, `1.34.1+k3s1`.
pub fn is_kube_version(text: &str) -> bool {
    let number = text.strip_prefix('v').unwrap_or(text);
    let number = number.split(['-', '+']).next().unwrap_or_default();
    let parts: Vec<&str> = number.split('.').collect();
    let is_number = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    (2..=3).contains(&parts.len()) && parts.iter().all(is_number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_those_of_clusters() {
        for version in ["1.34", "v1.34.1", "1.34.1+k3s1", "v1.30.5-gke.100"] {
            assert!(is_kube_version(version), "{version}");
        }
        for text in ["", "v", "1", "1.", "one.two", "1.2.3.4", "latest"] {
            assert!(!is_kube_version(text), "{text}");
        }
    }
}
