//! What goes wrong between here and the API server, in one line and with the next step.

use anyhow::{Error, anyhow};
use kube::config::{Kubeconfig, KubeconfigError};

use crate::failure::HintExt;
use crate::model::live::one_line;

/// Whether it may go away by itself: a connection that broke, a server that is busy or starts, a watch that is too old.
pub(super) fn is_passing(error: &kube::Error) -> bool {
    match error {
        kube::Error::Api(status) => matches!(status.code, 410 | 429) || status.code >= 500,
        kube::Error::HyperError(_) | kube::Error::Service(_) | kube::Error::ReadEvents(_) => true,
        _ => false,
    }
}

/// The error as a person needs it.
pub(super) fn explained(error: kube::Error, server: &str) -> Error {
    let status = match error {
        kube::Error::Api(status) => status,
        kube::Error::Auth(error) => {
            return anyhow!(
                "cannot log in to the cluster at `{server}`: {}",
                one_line(&error.to_string())
            )
            .hint("check the user of your kubeconfig with `kubectl auth whoami`");
        }
        error => {
            return anyhow!("the cluster at `{server}` cannot be reached: {}", innermost(&error))
                .hint("start it, or choose another one with --context or --kubeconfig");
        }
    };
    let message = one_line(&status.message);
    match status.code {
        401 => anyhow!("the cluster at `{server}` does not accept your credentials")
            .hint("check the user of your kubeconfig with `kubectl auth whoami`"),
        403 => anyhow!("the cluster does not allow it: {message}")
            .hint("use a kubeconfig whose user may get, list, watch and patch Applications"),
        404 => anyhow!("the cluster at `{server}` knows no Applications of Argo CD")
            .hint("install Argo CD, or choose another cluster with --context"),
        _ => anyhow!("the cluster refuses: {message}"),
    }
}

/// The last cause; those before it only say that there is one.
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

/// A kubeconfig has no such user.
pub(super) fn no_user(name: &str, config: &Kubeconfig) -> Error {
    let users: Vec<&str> = config.auth_infos.iter().map(|user| user.name.as_str()).collect();
    anyhow!("the kubeconfig has no user `{name}`").hint(choice(&users))
}

/// What is wrong with a kubeconfig.
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
        // What the YAML reader says may quote the text, which has credentials in it.
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
    fn the_status_decides_what_is_said() {
        for (code, said) in [
            (401, "the cluster at `https://h` does not accept your credentials"),
            (403, "the cluster does not allow it: User a may not"),
            (404, "the cluster at `https://h` knows no Applications of Argo CD"),
            (422, "the cluster refuses: User a may not"),
        ] {
            let failure = Failure::from(explained(status(code, "User a\nmay not"), "https://h"));
            assert_eq!(failure.one_line(), said);
            assert_eq!(failure.hints.len(), usize::from(code != 422));
        }
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        for (code, passes) in [
            (410, true),
            (429, true),
            (500, true),
            (503, true),
            (403, false),
            (404, false),
        ] {
            assert_eq!(is_passing(&status(code, "")), passes, "{code}");
        }
    }

    #[test]
    fn a_kubeconfig_is_never_quoted() {
        let error = Kubeconfig::from_yaml("users: [{name: a, user: {token: s3cret").unwrap_err();
        let failure = Failure::from(of_kubeconfig(&error, None));
        assert!(!failure.one_line().contains("s3cret"), "{}", failure.one_line());
    }
}
