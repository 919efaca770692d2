//! A sound installation, and what is done to it, for the tests of the rules.

use super::{Installation, InstallationRule};
use crate::lock::Fault;
use crate::repo::{Memory, Repo, RepoPath};
use crate::rules::Finding;

/// A sound installation, the least that the rules need.
const SOUND: &str = include_str!("sound.yaml");

/// What a rule is shown.
pub(crate) struct Case {
    rendered: String,
    home: Vec<(String, String)>,
    lock: Vec<Fault>,
}

impl Case {
    /// Returns the sound installation.
    pub(crate) fn sound() -> Self {
        Self {
            rendered: SOUND.to_owned(),
            home: Vec::new(),
            lock: Vec::new(),
        }
    }

    /// Replaces a text of the installation, which must be there.
    pub(crate) fn with(mut self, old: &str, new: &str) -> Self {
        assert!(self.rendered.contains(old), "{old} is not in the installation");
        self.rendered = self.rendered.replace(old, new);
        self
    }

    /// Removes all lines that hold a text, which must be there.
    pub(crate) fn without(mut self, text: &str) -> Self {
        assert!(self.rendered.contains(text), "{text} is not in the installation");
        let lines = self.rendered.lines().filter(|line| !line.contains(text));
        self.rendered = lines.map(|line| format!("{line}\n")).collect();
        self
    }

    /// Adds an Application of the GitOps repository that names a plugin.
    pub(crate) fn app(mut self, name: &str, plugin: &str) -> Self {
        let text = format!(
            "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: {name}\nspec:\n  source:\n    \
             repoURL: https://git.example.org/charts\n    path: {name}\n    plugin:\n      name: {plugin}\n"
        );
        self.home.push((format!("applications/{name}.yaml"), text));
        self
    }

    /// Adds what is wrong with the lock.
    pub(crate) fn lock<const N: usize>(mut self, faults: [Fault; N]) -> Self {
        self.lock.extend(faults);
        self
    }

    /// Returns the findings of a rule.
    pub(crate) fn findings(&self, rule: &InstallationRule) -> Vec<Finding> {
        let rendered = Repo::of_text(RepoPath::new("argocd.yaml").unwrap(), self.rendered.clone());
        assert!(rendered.malformed.is_empty(), "{:?}", rendered.malformed);
        let files = self.home.iter().map(|(path, text)| (path.as_str(), text.as_str()));
        let home = Repo::read(&Memory::new(files).unwrap(), &[]).unwrap();
        let mut installation = Installation::new(&rendered, Some(&home)).unwrap();
        installation.take_lock(self.lock.clone());
        (rule.check)(&installation)
    }

    /// Returns the messages of a rule's findings.
    pub(crate) fn messages(&self, rule: &InstallationRule) -> Vec<String> {
        self.findings(rule).into_iter().map(|finding| finding.message).collect()
    }

    /// Returns the next step that the first finding names.
    pub(crate) fn way_out(&self, rule: &InstallationRule) -> String {
        self.findings(rule)[0].hint.clone().unwrap()
    }

    /// Returns the place of the first finding, as a JSON Pointer.
    pub(crate) fn place(&self, rule: &InstallationRule) -> String {
        self.findings(rule)[0].location.clone().unwrap().pointer.to_string()
    }
}

#[test]
fn a_sound_installation_has_no_findings() {
    for rule in super::ALL {
        assert_eq!(Case::sound().messages(rule), Vec::<String>::new(), "{}", rule.meta.id);
    }
}
