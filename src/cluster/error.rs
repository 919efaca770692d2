//! Turns errors of the connection into messages of one line, with the next step.

use anyhow::{Error, anyhow};
use kube::config::{Kubeconfig, KubeconfigError};

use super::answer::Foreign;
use super::kind::Kind;
use crate::failure::HintExt;
use crate::model::live::one_line;

/// Why a request failed.
#[derive(Debug)]
pub(super) enum RequestError {
    /// It may succeed when it is sent again.
    Transient(kube::Error),
    /// It will not.
    Permanent(kube::Error),
    /// It took too long.
    TimedOut,
}

impl RequestError {
    /// Sorts an error of kube's.
    pub(super) fn of(error: kube::Error) -> Self {
        if is_transient(&error) {
            Self::Transient(error)
        } else {
            Self::Permanent(error)
        }
    }
}

/// Reports whether an error may go away by itself: a connection that broke, a server that is busy or starts, a watch that is
/// too old.
pub(super) fn is_transient(error: &kube::Error) -> bool {
    match error {
        kube::Error::Api(status) => matches!(status.code, 410 | 429) || status.code >= 500,
        kube::Error::HyperError(_) | kube::Error::Service(_) | kube::Error::ReadEvents(_) => {
            foreign(error).is_none_or(Foreign::is_transient)
        }
        _ => false,
    }
}

/// Returns the code of an answer of the API server.
pub(super) fn code(error: &kube::Error) -> Option<u16> {
    match error {
        kube::Error::Api(status) => Some(status.code),
        _ => None,
    }
}

/// Returns the answer that is none of the API server, if that is the cause.
fn foreign(error: &kube::Error) -> Option<&Foreign> {
    let mut next: Option<&(dyn std::error::Error + 'static)> = match error {
        kube::Error::Service(error) => Some(&**error),
        _ => None,
    };
    while let Some(error) = next {
        if let Some(foreign) = error.downcast_ref() {
            return Some(foreign);
        }
        next = error.source();
    }
    None
}

/// Returns what an answer is that is none of the API server.
fn no_answer(error: &kube::Error) -> Option<String> {
    use serde_json::error::Category;
    Some(match error {
        kube::Error::SerdeError(error) => match error.classify() {
            Category::Data => "the answer is JSON of another kind".to_owned(),
            Category::Eof => "the answer breaks off".to_owned(),
            Category::Syntax | Category::Io => "the answer is text that is not JSON".to_owned(),
        },
        kube::Error::FromUtf8(_) => "the answer is not text".to_owned(),
        error => foreign(error)?.to_string(),
    })
}

/// Returns the error of a cluster that gave no answer at all, or none of the Kubernetes API.
pub(super) fn unreachable(error: &kube::Error, server: &str) -> Error {
    if let Some(answer) = no_answer(error) {
        return anyhow!("what answers at `{server}` is no Kubernetes API server: {answer}").hint(
            "check the address of the cluster in your kubeconfig, and whether a login or a proxy answers in its place",
        );
    }
    match error {
        kube::Error::Auth(error) => anyhow!(
            "cannot log in to the cluster at `{server}`: {}",
            one_line(&error.to_string())
        )
        .hint("check the user of your kubeconfig with `kubectl auth whoami`"),
        error => {
            let cause = innermost(error);
            let hint = if cause.contains("invalid peer certificate") {
                "name the certificate authority of the cluster with --certificate-authority or in the kubeconfig"
            } else {
                "start it, or choose another one with --context or --kubeconfig"
            };
            anyhow!("the cluster at `{server}` cannot be reached: {cause}").hint(hint)
        }
    }
}

/// Returns the error of a cluster whose answer did not come in time.
pub(super) fn timed_out(server: &str) -> Error {
    anyhow!("the cluster at `{server}` does not answer in time")
        .hint("start it, choose another one with --context, or wait longer with --request-timeout or --timeout")
}

/// Returns the error of a request about objects of a kind.
pub(super) fn explained(error: kube::Error, server: &str, kind: &Kind) -> Error {
    let status = match error {
        kube::Error::Api(status) => status,
        error => return unreachable(&error, server),
    };
    let message = match (one_line(&status.message), one_line(&status.reason)) {
        (message, _) if !message.is_empty() => message,
        (_, reason) if !reason.is_empty() => reason,
        _ => format!("it answers {} without a reason", status.code),
    };
    match status.code {
        401 => anyhow!("the cluster at `{server}` does not accept your credentials")
            .hint("check the user of your kubeconfig with `kubectl auth whoami`"),
        403 => anyhow!("the cluster does not allow it: {message}").hint(kind.permission_hint),
        404 => anyhow!("the cluster at `{server}` has no {}", kind.title).hint(kind.install_hint),
        code @ (429 | 502 | 503 | 504) => anyhow!("the cluster refuses for now, with the code {code}: {message}")
            .hint("run the command again when the cluster is less busy, or has started"),
        _ => anyhow!("the cluster refuses: {message}"),
    }
}

/// Returns the last cause; those before it only announce it.
fn innermost(error: &kube::Error) -> String {
    let mut last: &dyn std::error::Error = error;
    while let Some(source) = last.source() {
        last = source;
    }
    one_line(&last.to_string())
}

fn choice(names: &[&str]) -> String {
    match names {
        [] => "see `kubectl config view`; it has none".to_owned(),
        some => format!("choose one of {}", some.join(", ")),
    }
}

/// Returns the error of a kubeconfig that lacks a user.
pub(super) fn no_user(name: &str, config: &Kubeconfig) -> Error {
    let users: Vec<&str> = config.auth_infos.iter().map(|user| user.name.as_str()).collect();
    anyhow!("the kubeconfig has no user `{name}`").hint(choice(&users))
}

/// Returns the error of a kubeconfig that cannot be used.
pub(super) fn of_kubeconfig(error: &KubeconfigError, config: Option<&Kubeconfig>) -> Error {
    let contexts = || {
        config.map_or_else(Vec::new, |config| {
            config.contexts.iter().map(|c| c.name.as_str()).collect()
        })
    };
    let clusters = || {
        config.map_or_else(Vec::new, |config| {
            config.clusters.iter().map(|c| c.name.as_str()).collect()
        })
    };
    match error {
        KubeconfigError::CurrentContextNotSet => {
            anyhow!("the kubeconfig has no current context").hint("name one with --context")
        }
        KubeconfigError::LoadContext(name) => {
            anyhow!("the kubeconfig has no context `{name}`").hint(choice(&contexts()))
        }
        KubeconfigError::LoadClusterOfContext(name) => {
            anyhow!("the kubeconfig has no cluster `{name}`").hint(choice(&clusters()))
        }
        // The message of the YAML reader may quote the text, which has credentials in it.
        KubeconfigError::Parse(_) => anyhow!("the kubeconfig cannot be read: it is not the YAML of a kubeconfig")
            .hint("see `kubectl config view`"),
        KubeconfigError::ReadConfig(error, path) => anyhow!("cannot read the kubeconfig `{}`: {error}", path.display())
            .hint("name another one with --kubeconfig"),
        error => {
            anyhow!("the kubeconfig cannot be used: {}", one_line(&error.to_string())).hint("see `kubectl config view`")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::applications::APPLICATIONS;
    use crate::failure::Failure;
    use kube::core::Status;

    fn status(code: u16, message: &str) -> kube::Error {
        kube::Error::Api(Box::new(Status {
            code,
            message: message.to_owned(),
            ..Status::default()
        }))
    }

    #[test]
    fn the_status_decides_the_message() {
        for (code, message) in [
            (401, "the cluster at `https://h` does not accept your credentials"),
            (403, "the cluster does not allow it: User a may not"),
            (404, "the cluster at `https://h` has no Applications of Argo CD"),
            (422, "the cluster refuses: User a may not"),
        ] {
            let failure = Failure::from(explained(status(code, "User a\nmay not"), "https://h", &APPLICATIONS));
            assert_eq!(failure.one_line(), message);
            assert_eq!(failure.hints.len(), usize::from(code != 422));
        }
    }

    #[test]
    fn transient_errors_may_be_tried_again() {
        for (code, expected) in [
            (410, true),
            (429, true),
            (500, true),
            (503, true),
            (403, false),
            (404, false),
        ] {
            assert_eq!(is_transient(&status(code, "")), expected, "{code}");
        }
    }

    #[test]
    fn a_kubeconfig_is_never_quoted() {
        let error = Kubeconfig::from_yaml("users: [{name: a, user: {token: s3cret").unwrap_err();
        let failure = Failure::from(of_kubeconfig(&error, None));
        assert!(!failure.one_line().contains("s3cret"), "{}", failure.one_line());
    }
}
