//! What a run that was killed has begun: the same command completes it, and no other one writes between its files.

use std::fmt;

use anyhow::{Error, Result, anyhow, bail};

use super::Session;
use crate::cli::changed_files::summary;
use crate::cli::edit_args::WriteArgs;
use crate::disk::{Begun, Checkout, Intent, Lock, Record, Rest};
use crate::edit::Edit;
use crate::failure::{Failure, HintExt, bug};
use crate::git::WorkingTree;
use crate::repo::RepoPath;
use crate::repo::change::FileChange;

/// Ends a run that has completed what a stopped one had begun.
#[derive(Debug)]
pub(in crate::cli) struct Completed;

impl fmt::Display for Completed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("what a stopped run had begun is completed")
    }
}

impl std::error::Error for Completed {}

impl Session {
    /// Looks for a change that a stopped run has begun. The same command completes it and ends with [`Completed`]; a change of which
    /// nothing or everything is written is forgotten. What only prints says it, and goes on.
    ///
    /// # Errors
    /// When another command has begun one, or it cannot be completed.
    pub(super) fn settle(&mut self, checkout: &Checkout, args: &WriteArgs) -> Result<()> {
        let begun = match checkout.begun() {
            Ok(Some(begun)) => begun,
            Ok(None) => return Ok(()),
            Err(error) => {
                self.unreadable(checkout, error);
                return Ok(());
            }
        };
        let rest = begun.rest(checkout);
        let Some(lock) = &self.lock else {
            if let Rest::Files(rest) = rest {
                self.terminal.warn(&is_stopped(&begun));
                ways_out(&begun, &rest, checkout)
                    .iter()
                    .for_each(|hint| self.terminal.hint(hint));
            }
            return Ok(());
        };
        let is_same = begun.intent.command == self.command;
        match rest {
            Rest::Files(rest) if is_same => self.complete(checkout, begun, &rest, args),
            Rest::Files(rest) => {
                let hints = ways_out(&begun, &rest, checkout);
                let error = anyhow!("{}; no files were changed", is_stopped(&begun));
                Err(hints.into_iter().fold(error, HintExt::hint))
            }
            Rest::Nothing if is_same && is_uncommitted(checkout, &begun, args)? => {
                self.complete(checkout, begun, &[], args)
            }
            Rest::All | Rest::Nothing => {
                checkout.forget_begun(lock);
                Ok(())
            }
            Rest::Unknown(path) => {
                self.terminal.say(&format!(
                    "`{path}` was changed after `{}` was stopped, so that what is left of that run is not written",
                    shown(&begun)
                ));
                checkout.forget_begun(lock);
                Ok(())
            }
        }
    }

    /// Says that there is a record that cannot be read; a command that writes forgets it.
    fn unreadable(&self, checkout: &Checkout, error: Error) {
        self.terminal.warn(&format!(
            "what a stopped run has begun is not known: {}",
            Failure::from(error).one_line()
        ));
        if let Some(lock) = &self.lock {
            checkout.forget_begun(lock);
        }
    }

    /// Writes what is left of a change, and commits the whole of it.
    fn complete(&mut self, checkout: &Checkout, begun: Begun, rest: &[FileChange], args: &WriteArgs) -> Result<()> {
        let tree = tree_to_commit_in(args, checkout)?;
        if tree.is_some() && !begun.intent.is_clean {
            return Err(anyhow!(
                "the stopped run found uncommitted changes in its files, which the commit would take along"
            )
            .hint("leave out --commit, and commit with git"));
        }
        let lock = self.lock.take().ok_or_else(|| bug("a command edits without a lock"))?;
        checkout.write(&lock, rest)?;
        self.terminal.data(&summary(rest))?;
        self.terminal.say("completed what a stopped run had begun");
        let (intent, paths) = (begun.intent.clone(), begun.paths().cloned().collect::<Vec<_>>());
        let record = begun.into_record()?;
        self.commit(
            (args, tree),
            (&paths.iter().collect::<Vec<_>>(), &intent),
            Some(record),
            lock,
        )?;
        self.forget();
        Err(Completed.into())
    }

    /// Returns what the command is about to do.
    pub(super) fn intent(&self, edit: &Edit) -> Intent {
        Intent {
            command: self.command.clone(),
            message: edit.message.clone(),
            next: edit.next.clone(),
            is_clean: false,
        }
    }

    /// Remembers a change that is about to be written, if a run could be stopped within it.
    pub(super) fn remember(
        &self,
        (checkout, lock): (&Checkout, &Lock),
        files: &[FileChange],
        intent: &Intent,
        args: &WriteArgs,
    ) -> Option<Record> {
        if files.len() < 2 && args.commit.is_none() {
            return None;
        }
        let paths: Vec<&RepoPath> = files.iter().map(|file| &file.path).collect();
        // With `--commit`, that was checked.
        let is_clean = || {
            WorkingTree::at(checkout.root()).is_some_and(|tree| tree.dirty(&paths).is_ok_and(|dirty| dirty.is_empty()))
        };
        let intent = Intent {
            is_clean: args.commit.is_some() || is_clean(),
            ..intent.clone()
        };
        match checkout.remember(lock, files, &intent) {
            Ok(record) => Some(record),
            Err(error) => {
                self.terminal.warn(&format!(
                    "if this run is stopped while it writes, no other one completes it: {}",
                    Failure::from(error).one_line()
                ));
                None
            }
        }
    }

    /// Commits files where that is asked for, forgets that they were to be written, and says the next step.
    pub(super) fn commit(
        &self,
        (args, tree): (&WriteArgs, Option<WorkingTree>),
        (paths, intent): (&[&RepoPath], &Intent),
        record: Option<Record>,
        lock: Lock,
    ) -> Result<()> {
        let (Some(message), Some(tree)) = (&args.commit, tree) else {
            record.into_iter().for_each(Record::remove);
            self.say_next(intent);
            return Ok(());
        };
        // A hook of the commit may edit, too.
        drop(lock);
        let message = if message.is_empty() { &intent.message } else { message };
        let commit = tree.commit(paths, message);
        record.into_iter().for_each(Record::remove);
        self.terminal.say(&format!("committed as {}: {message}", commit?));
        self.say_next(intent);
        Ok(())
    }

    fn say_next(&self, intent: &Intent) {
        intent.next.iter().for_each(|next| self.terminal.hint(next));
    }
}

/// Returns the working tree to commit in, when a commit is asked for.
pub(super) fn tree_to_commit_in(args: &WriteArgs, checkout: &Checkout) -> Result<Option<WorkingTree>> {
    if args.commit.is_none() {
        return Ok(None);
    }
    let Some(tree) = WorkingTree::at(checkout.root()) else {
        bail!(
            "`{}` is not a git working tree; leave out --commit",
            checkout.root().display()
        );
    };
    Ok(Some(tree))
}

/// Reports whether a commit is asked for, and the files of a change that is written wait for it.
fn is_uncommitted(checkout: &Checkout, begun: &Begun, args: &WriteArgs) -> Result<bool> {
    let tree = WorkingTree::at(checkout.root()).filter(|_| args.commit.is_some() && begun.intent.is_clean);
    match tree {
        Some(tree) => Ok(!tree.dirty(&begun.paths().collect::<Vec<_>>())?.is_empty()),
        None => Ok(false),
    }
}

fn is_stopped(begun: &Begun) -> String {
    format!("`{}` was stopped before all its files were written", shown(begun))
}

/// Returns what the user can do about a change of which these files are left.
fn ways_out(begun: &Begun, rest: &[FileChange], checkout: &Checkout) -> Vec<String> {
    let mut hints = vec![format!("run it again to complete it: `{}`", shown(begun))];
    let is_made = |path: &&RepoPath| rest.iter().all(|left| left.path != **path);
    let (new, old): (Vec<_>, Vec<_>) = begun.paths().filter(is_made).partition(|path| begun.is_new(path));
    if WorkingTree::at(checkout.root()).is_some() {
        let call = |words: &str, paths: &[&RepoPath]| {
            let paths = paths.iter().map(|path| quoted(path.as_str()));
            (paths.len() > 0).then(|| format!("{words} {}", paths.collect::<Vec<_>>().join(" ")))
        };
        let calls = [call("git restore --", &old), call("git clean -f --", &new)];
        let calls: Vec<String> = calls.into_iter().flatten().collect();
        let taken_along = match begun.intent.is_clean {
            true => "",
            false => "; your own uncommitted changes in these files go, too",
        };
        hints.push(format!("or undo it with `{}`{taken_along}", calls.join(" && ")));
    }
    hints
}

/// Returns the command of a stopped run as it is typed.
fn shown(begun: &Begun) -> String {
    let words = begun.intent.command.iter().map(|word| quoted(word));
    format!("kubectl homelab {}", words.collect::<Vec<_>>().join(" "))
}

/// Returns a word as a shell reads it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@,+%".contains(c);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}
