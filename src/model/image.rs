//! Names of container images: `nas.lan:5000/player:1.2@sha256:…`.

/// The parts of an image's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Image<'i> {
    /// Registry and repository.
    pub name: &'i str,
    /// The tag.
    pub tag: Option<&'i str>,
    /// The digest.
    pub digest: Option<&'i str>,
}

impl<'i> Image<'i> {
    /// Splits the name of an image. A colon before a slash is that of a port.
    pub fn new(text: &'i str) -> Self {
        let (text, digest) = match text.split_once('@') {
            Some((text, digest)) => (text, Some(digest)),
            None => (text, None),
        };
        let tagged = text.rsplit_once(':').filter(|(_, tag)| !tag.contains('/'));
        let (name, tag) = match tagged {
            Some((name, tag)) => (name, Some(tag)),
            None => (text, None),
        };
        Self { name, tag, digest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_no_tag() {
        for (text, name, tag, digest) in [
            ("player", "player", None, None),
            ("ghcr.io/me/player:1.2", "ghcr.io/me/player", Some("1.2"), None),
            ("nas.lan:5000/player", "nas.lan:5000/player", None, None),
            ("nas.lan:5000/player:2", "nas.lan:5000/player", Some("2"), None),
            ("player:2@sha256:01", "player", Some("2"), Some("sha256:01")),
            ("player@sha256:01", "player", None, Some("sha256:01")),
        ] {
            assert_eq!(Image::new(text), Image { name, tag, digest }, "{text}");
        }
    }
}
