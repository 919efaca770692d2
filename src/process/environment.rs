//! The environment that a program gets.
#![expect(clippy::disallowed_methods, reason = "the adapter to programs")]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

/// The variables that name the folders of the user's files and of temporary ones, and those folders in a home of its own: what
/// a program leaves in them goes with the home.
const FOLDERS: [(&str, &str); 7] = [
    ("HOME", ""),
    ("TMPDIR", ""),
    ("TEMP", ""),
    ("TMP", ""),
    ("XDG_CACHE_HOME", "cache"),
    ("XDG_CONFIG_HOME", "config"),
    ("XDG_DATA_HOME", "data"),
];

/// The growth of the heap after which a program in Go collects garbage, in percent: a run is short, and a fifth of helm's and a
/// seventh of kustomize's goes into collecting at Go's default of 100. An environment that sets `GOGC` is asked first
/// ([source](https://go.dev/doc/gc-guide#GOGC)).
const GARBAGE_PERCENT: &str = "400";

/// Variables by their names.
#[derive(Clone, Debug)]
pub struct Environment(BTreeMap<OsString, OsString>);

impl Environment {
    /// Returns the environment of this process.
    pub fn inherited() -> Self {
        Self(std::env::vars_os().collect())
    }

    /// Returns the environment of this process with the user's and the temporary folders in a home of its own, and without
    /// the user's cluster; it is for a short run of a program in Go.
    pub fn at_home(home: &Path) -> Self {
        let folders = FOLDERS.map(|(name, folder)| (name, home.join(folder)));
        Self::inherited()
            .without(&["XDG_", "KUBE"])
            .with_default("GOGC", GARBAGE_PERCENT)
            .with(folders)
    }

    /// Leaves out the variables whose names start so.
    #[must_use]
    pub fn without(mut self, starts: &[&str]) -> Self {
        self.0.retain(|name, _| {
            let name = name.to_string_lossy();
            !starts.iter().any(|start| name.starts_with(start))
        });
        self
    }

    /// Leaves out the variables of these names.
    #[must_use]
    pub fn without_names(mut self, names: &[&str]) -> Self {
        self.0.retain(|name, _| !names.iter().any(|other| name == other));
        self
    }

    /// Keeps the variables of these names, and those that name folders in a home of its own.
    #[must_use]
    pub fn only(mut self, names: &[&str], home: &Path) -> Self {
        self.0.retain(|name, value| {
            let is_folder = FOLDERS.iter().any(|(folder, _)| name == folder) && Path::new(value).starts_with(home);
            is_folder || names.iter().any(|other| name == other)
        });
        self
    }

    /// Lets git's ssh ask nothing, unless the user has named an ssh.
    #[must_use]
    pub fn with_ssh_in_batch_mode(self) -> Self {
        if self.0.contains_key(&OsString::from("GIT_SSH")) {
            return self;
        }
        self.with_default("GIT_SSH_COMMAND", "ssh -o BatchMode=yes")
    }

    /// Sets variables.
    #[must_use]
    pub fn with<N: Into<OsString>, V: Into<OsString>>(mut self, variables: impl IntoIterator<Item = (N, V)>) -> Self {
        let variables = variables.into_iter().map(|(name, value)| (name.into(), value.into()));
        self.0.extend(variables);
        self
    }

    /// Sets a variable where it is not set.
    #[must_use]
    pub fn with_default(mut self, name: &str, value: &str) -> Self {
        self.0.entry(name.into()).or_insert_with(|| value.into());
        self
    }

    pub(super) fn into_variables(self) -> BTreeMap<OsString, OsString> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Environment {
        Environment(BTreeMap::new()).with(variables.iter().copied())
    }

    #[test]
    fn variables_are_left_out_by_their_start_and_set_over_others() {
        let environment = of(&[("KUBECONFIG", "a"), ("HOME", "b"), ("PATH", "c")])
            .without(&["KUBE"])
            .with([("HOME", "d")])
            .with_default("PATH", "e")
            .with_default("GOGC", "f");
        assert_eq!(environment.0, of(&[("GOGC", "f"), ("HOME", "d"), ("PATH", "c")]).0);
    }
}
