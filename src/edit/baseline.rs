//! `baseline`: accepts the findings of today, or takes out of the file what no finding needs any more.

use json_patch::Patch;

use super::gate::{Gate, Verdict};
use crate::model::{Pointer, PointerExt};
use crate::repo::{Change, ChangeSet, Repo, RepoPath, SourceFile};
use crate::rules::baseline::Accepted;
use crate::rules::{Baseline, CheckReport, fixes, is_locked};
use crate::yaml::Document;

/// Lets every change pass: the file is no manifest, so that nothing in it can introduce an error.
#[derive(Debug)]
pub struct NoManifest;

impl Gate for NoManifest {
    fn check(&self, _: &Repo, _: &Repo) -> Verdict {
        Verdict::default()
    }
}

/// Returns the baseline that accepts the findings of a report.
pub fn accepting(repo: &Repo, report: &CheckReport) -> Baseline {
    let findings = report.findings.iter().filter(|finding| !is_locked(finding.rule.id));
    let mut accepted: Vec<Accepted> = findings.map(|finding| Accepted::of(repo, finding)).collect();
    accepted.sort();
    Baseline { accepted }
}

/// Returns the changes that write a baseline where there is none.
pub fn written(path: RepoPath, text: String) -> ChangeSet {
    ChangeSet {
        changes: vec![Change::Create { path, text }],
    }
}

/// Returns the changes that take entries out, and the file with its last one. `list` is where they are.
pub fn shrunk(baseline: &Baseline, file: &SourceFile, unneeded: &[usize], list: &Pointer) -> ChangeSet {
    if unneeded.is_empty() {
        return ChangeSet::default();
    }
    if unneeded.len() == baseline.accepted.len() {
        return ChangeSet {
            changes: vec![Change::RemoveFile { file: file.clone() }],
        };
    }
    // From the last one on: those before it keep their places.
    let operations = unneeded.iter().rev().map(|index| fixes::remove(list.child(*index)));
    let is_empty = |document: &Document| file.text[document.range.clone()].trim().is_empty();
    let document = file.documents.iter().position(|document| !is_empty(document));
    ChangeSet {
        changes: vec![Change::PatchFile {
            document: document.unwrap_or_default(),
            file: file.clone(),
            patch: Patch(operations.collect()),
        }],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::AsPointer;
    use crate::repo::Memory;

    const FILE: &str = "# why\naccepted:\n- rule: HL101\n  object: a # first\n- rule: HL102\n  object: b\n- rule: HL103\n  object: c\n";

    fn file() -> SourceFile {
        SourceFile {
            path: RepoPath::new(".homelab-baseline.yaml").unwrap(),
            text: FILE.to_owned(),
            documents: crate::yaml::documents(FILE).unwrap(),
        }
    }

    fn after(unneeded: &[usize]) -> Option<String> {
        let baseline = Baseline {
            accepted: vec![Accepted::default(); 3],
        };
        let file = file();
        let changes = shrunk(&baseline, &file, unneeded, "/accepted".as_pointer());
        let repo = Repo::read(&Memory::new([]).unwrap(), &[]).unwrap();
        let mut changed = repo.file_changes(&changes).unwrap();
        changed.pop().map_or(Some(FILE.to_owned()), |change| change.after)
    }

    #[test]
    fn entries_go_and_comments_stay() {
        let left = "# why\naccepted:\n- rule: HL101\n  object: a # first\n";
        assert_eq!(after(&[1, 2]).as_deref(), Some(left));
        assert_eq!(after(&[]).as_deref(), Some(FILE));
        assert_eq!(after(&[0, 1, 2]), None, "the file goes with its last entry");
    }
}
