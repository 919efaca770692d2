//! The finalizers by which Argo CD deletes the objects of an Application with it.

use super::application::{Application, FINALIZER};

/// The ways of deletion that one can name; without one it is the foreground.
const WAYS: [&str; 3] = ["", "/foreground", "/background"];

/// Reports whether Argo CD deletes the objects of an Application that has this finalizer: it compares the whole name
/// ([source](https://github.com/argoproj/argo-cd/blob/v3.5.7/pkg/apis/application/v1alpha1/types.go)).
pub fn deletes(finalizer: &str) -> bool {
    let rest = finalizer.strip_prefix(FINALIZER);
    rest.is_some_and(|rest| WAYS.contains(&rest))
}

/// Returns the finalizers that delete an Application's objects, in the foreground or the background
/// ([source](https://argo-cd.readthedocs.io/en/stable/user-guide/app_deletion/)).
pub fn deleting<'o>(app: &Application<'o>) -> Vec<&'o str> {
    let mut all = app.finalizers();
    all.retain(|finalizer| deletes(finalizer));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_names_that_argo_cd_knows_delete_objects() {
        for (finalizer, expected) in [
            ("resources-finalizer.argocd.argoproj.io", true),
            ("resources-finalizer.argocd.argoproj.io/foreground", true),
            ("resources-finalizer.argocd.argoproj.io/background", true),
            ("resources-finalizer.argocd.argoproj.io/orphan", false),
            ("resources-finalizer.argocd.argoproj.io/", false),
            ("resources-finalizer.argocd.argoproj.io.example.org", false),
            ("resources-finalizer.argocd.argoproj.iox/background", false),
            ("post-delete-finalizer.argocd.argoproj.io", false),
            ("", false),
        ] {
            assert_eq!(deletes(finalizer), expected, "{finalizer}");
        }
    }
}
