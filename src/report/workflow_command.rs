//! Texts in the workflow commands of GitHub, which the runners of Forgejo and Gitea read, too
//! ([source](https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands)).

/// Returns a text that can be a message: the runner ends a command at the end of a line.
pub(super) fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Returns a text that can be the value of a property, which a comma or a colon would end.
pub(super) fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
