//! What every command has: the terminal, the repository, and the one funnel through which changes are made.

mod begun;

use std::cell::{Cell, LazyCell, OnceCell};
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};

use super::changed_files::{printed, summary};
use super::edit_args::{EditArgs, WriteArgs};
use super::helm::HelmArgs;
use super::output::EditOutput;
use super::outside::OutsideArgs;
use super::source_dirs::SourceDirArgs;
use crate::disk::{self, Checkout, Lock};
use crate::edit::gate::Verdict;
use crate::edit::{Edit, Gate};
use crate::failure::{Exit, Failure, HintExt, bug, find};
use crate::git::WorkingTree;
use crate::model::AppRenders;
use crate::repo::change::FileChange;
use crate::repo::{Manifest, Repo, RepoPath};
use crate::report;
use crate::rules::root_application_exists::init_command;
use crate::settings;
use crate::sources::{ChartRenders, Opened, Options, SourceDirs, Sources, complete};
use crate::terminal::Terminal;

pub(super) use begun::Completed;
use begun::tree_to_commit_in;

/// One run of the program.
#[derive(Debug)]
pub struct Session {
    /// The terminal.
    pub terminal: Terminal,
    repo_dir: Option<PathBuf>,
    /// The words of the command.
    command: Vec<String>,
    /// How charts of Applications are rendered, and where they come from.
    parents: (SourceDirArgs, HelmArgs),
    charts: ChartRenders,
    opened: OnceCell<(Checkout, Repo)>,
    /// What was said of its ApplicationSets.
    outside: OutsideArgs,
    /// Set when it was said which files are skipped.
    skips_are_said: Cell<bool>,
    /// The right to write; it is taken before the repository is read.
    lock: Option<Lock>,
}

impl Session {
    /// Starts a run; nothing is opened yet.
    pub fn new(repo_dir: Option<PathBuf>, command: Vec<String>) -> Self {
        Self {
            terminal: Terminal,
            repo_dir,
            command,
            parents: Default::default(),
            charts: ChartRenders::Kept,
            opened: OnceCell::new(),
            outside: OutsideArgs::default(),
            skips_are_said: Cell::default(),
            lock: None,
        }
    }

    /// Says how charts of Applications are rendered when the repository is read; without that, with what is available locally.
    pub(super) fn reads_with(&mut self, sources: &SourceDirArgs, helm: &HelmArgs) {
        self.parents = (sources.clone(), helm.clone());
    }

    /// Takes what the user says of ApplicationSets, before the repository is read.
    pub(super) fn take_outside(&mut self, outside: &OutsideArgs) {
        self.outside = outside.clone();
        self.forget();
    }

    /// Says whether their renders are taken from the user's cache; without that, they are.
    pub(super) fn takes_charts(&mut self, charts: ChartRenders) {
        self.charts = charts;
    }

    /// Returns the folder to start from.
    pub fn start(&self) -> &Path {
        self.repo_dir.as_deref().unwrap_or(Path::new("."))
    }

    fn opened(&self) -> Result<&(Checkout, Repo)> {
        if let Some(opened) = self.opened.get() {
            return Ok(opened);
        }
        let opened = self.read(self.find()?)?;
        Ok(self.opened.get_or_init(|| opened))
    }

    /// Finds the repository's files.
    fn find(&self) -> Result<Checkout> {
        // A folder that the user names is used as it is; the working directory may be anywhere below.
        match &self.repo_dir {
            Some(folder) if disk::is_repository(folder) => Checkout::open(folder),
            _ => Checkout::find(self.start()),
        }
    }

    /// Opens a folder as the repository, whatever is in it.
    ///
    /// # Errors
    /// When it is no folder, or it cannot be read.
    pub fn open(&mut self, folder: &Path) -> Result<()> {
        self.opened = OnceCell::from(self.read(Checkout::open(folder)?)?);
        Ok(())
    }

    /// Starts a command that edits, before it reads the repository: where it will write, no other command does until
    /// [`Session::finish`] has written, what killed ones left is removed, and what the same command has begun is completed.
    ///
    /// # Errors
    /// When there is no repository, another command keeps writing or was stopped while it wrote, or git has no working tree here; and
    /// `Completed`, when that was all that was to do.
    pub fn edit(&mut self, args: &WriteArgs) -> Result<()> {
        self.start_to_edit(&self.find()?, args)
    }

    /// As [`Session::edit`], for a command that has more to do where it has completed what was begun.
    ///
    /// # Errors
    /// Those of [`Session::edit`], without [`Completed`].
    pub(super) fn edit_on(&mut self, args: &WriteArgs) -> Result<()> {
        match self.edit(args) {
            Err(error) if find::<Completed>(&error).is_some() => self.edit(args),
            started => started,
        }
    }

    /// As [`Session::edit`], for a folder that need not be a repository yet.
    ///
    /// # Errors
    /// Those of [`Session::edit`].
    pub fn edit_folder(&mut self, args: &WriteArgs, folder: &Path) -> Result<()> {
        match disk::exists(folder) {
            true => self.start_to_edit(&Checkout::open(folder)?, args),
            // A dry run makes no folder.
            false => Ok(()),
        }
    }

    fn start_to_edit(&mut self, checkout: &Checkout, args: &WriteArgs) -> Result<()> {
        if args.is_written() {
            self.lock(checkout)?;
        }
        self.settle(checkout, args)
    }

    fn lock(&mut self, checkout: &Checkout) -> Result<()> {
        let waiting = "waiting for another command that is editing the repository";
        let progress = self.terminal.progress_later(waiting);
        let lock = Lock::take(checkout.root(), &mut || progress.now(waiting))?;
        drop(progress);
        if WorkingTree::at(checkout.root()).is_some_and(|tree| tree.is_bare()) {
            return Err(anyhow!(
                "`{}` is a bare repository, without a working tree",
                checkout.root().display()
            )
            .hint("change into a working tree, or make one with `git worktree add DIR`"));
        }
        let removed = checkout.remove_leftovers(&lock);
        if removed > 0 {
            let files = if removed == 1 { "file" } else { "files" };
            self.terminal.say(&format!(
                "removed {removed} temporary {files} of a command that was killed"
            ));
        }
        self.forget();
        self.lock = Some(lock);
        Ok(())
    }

    /// Ends the right to write. The session itself is never dropped.
    pub(super) fn end(&mut self) {
        self.lock = None;
    }

    fn read(&self, checkout: Checkout) -> Result<(Checkout, Repo)> {
        let Opened {
            checkout,
            remotes,
            unlisted,
        } = Opened::of(checkout);
        if let Some(error) = unlisted.filter(|_| !self.skips_are_said.get()) {
            let why = Failure::from(error).one_line();
            self.terminal.warn(&format!(
                "files that git ignores count, too, since git does not list them: {why}"
            ));
        }
        let mut settings = settings::read(&checkout)?;
        self.outside.add_to(&mut settings)?;
        let mut repo = Repo::read_with(&checkout, &remotes, settings)?;
        let progress = self.terminal.progress("rendering charts of Applications");
        let (sources, helm) = &self.parents;
        let dirs = sources.clone().into_dirs();
        let options = Options {
            charts: self.charts,
            ..sources.options(helm, &repo.settings)
        };
        complete(&mut repo, &checkout, (&dirs, &options), &mut |name| {
            progress.now(&format!("rendering {name}"));
        })?;
        drop(progress);
        if !self.skips_are_said.replace(true) {
            let skipped = repo.skipped.iter();
            skipped.for_each(|skipped| self.terminal.warn(&format!("{skipped}: it is skipped")));
        }
        Ok((checkout, repo))
    }

    /// Returns the repository's files.
    ///
    /// # Errors
    /// When there is no repository, or it cannot be read.
    pub fn checkout(&self) -> Result<&Checkout> {
        Ok(&self.opened()?.0)
    }

    /// Returns the repository.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    pub fn repo(&self) -> Result<&Repo> {
        Ok(&self.opened()?.1)
    }

    /// Returns the repository if there is one, for a command that does not need one.
    ///
    /// # Errors
    /// When one was named and there is none there, or it cannot be read.
    pub fn repo_if_any(&self) -> Result<Option<&Repo>> {
        if self.repo_dir.is_none() && Checkout::find(self.start()).is_err() {
            return Ok(None);
        }
        self.repo().map(Some)
    }

    /// Ends every command that edits, as [`Session::edit`] starts it: checks the repository that the changes would make, refuses what the gate refuses, and
    /// writes, prints or commits.
    ///
    /// # Errors
    /// When a change does not fit the repository, or the disk or git refuses.
    pub fn finish(&mut self, args: &EditArgs, edit: &Edit, gate: &dyn Gate) -> Result<Exit> {
        let lock = self.lock.take();
        let (checkout, repo) = self.opened()?;
        let files = repo.file_changes(&edit.changes)?;
        if files.is_empty() {
            self.terminal.say("nothing to change");
            return Ok(Exit::Done);
        }
        let after = repo.with(&edit.changes)?;
        let verdict = gate.check(repo, &after);
        if !edit.report_follows {
            self.count_older(&verdict);
        }
        if self.is_refused(&after, &verdict) {
            return Ok(Exit::Findings);
        }
        if verdict.lowered > 0 && !edit.report_follows {
            let findings = if verdict.lowered == 1 { "finding" } else { "findings" };
            self.terminal.say(&format!(
                "{} new {findings} would fail this command but for the levels in `.homelab.yaml`; `kubectl homelab validate` shows which",
                verdict.lowered
            ));
        }
        edit.notes.iter().for_each(|note| self.terminal.say(note));
        self.remark_on_namespaces(repo, &after);
        let output = |output| printed(&files, output, self.terminal.is_coloured());
        if !args.is_written() {
            self.terminal.data(&output(args.output.unwrap_or(EditOutput::Yaml)))?;
            return Ok(Exit::Done);
        }
        let tree = self.check_commit(&args.write, checkout, &files)?;
        let lock = lock.ok_or_else(|| bug("a command edits without a lock"))?;
        let intent = self.intent(edit);
        let record = self.remember((checkout, &lock), &files, &intent, &args.write);
        if let Err(error) = checkout.write(&lock, &files) {
            record
                .into_iter()
                .for_each(|record| record.remove_unless_half(checkout));
            return Err(error);
        }
        match args.output {
            Some(format) => {
                self.terminal.data(&output(format))?;
                self.terminal.say(summary(&files).trim_end());
            }
            None if edit.report_follows => self.terminal.say(summary(&files).trim_end()),
            None => self.terminal.data(&summary(&files))?,
        }
        let paths: Vec<&RepoPath> = files.iter().map(|file| &file.path).collect();
        self.commit((&args.write, tree), (&paths, &intent), record, lock)?;
        Ok(Exit::Done)
    }

    /// Forgets the repository as it was read, after it was changed.
    pub(super) fn forget(&mut self) {
        self.opened.take();
    }

    /// Renders all Applications of the repository, and returns the remarks that were made on the way.
    pub(super) fn render_all(&self, dirs: &SourceDirs, options: &Options) -> Result<(AppRenders, Vec<String>)> {
        self.render_all_of(&Sources::new(self.repo()?, self.checkout()?, dirs, options))
    }

    /// Renders all Applications, and shows which one it is at.
    ///
    /// # Errors
    /// Those of [`Sources::render_all`].
    pub(super) fn render_all_of(&self, sources: &Sources<'_>) -> Result<(AppRenders, Vec<String>)> {
        let progress = self.terminal.progress("rendering");
        sources.render_all(|name| progress.now(&format!("rendering {name}")))
    }

    /// Names the new Namespaces that no Application syncs.
    fn remark_on_namespaces(&self, repo: &Repo, after: &Repo) {
        let folders = LazyCell::new(|| after.synced_folders());
        let is_new = |manifest: &&Manifest| !repo.files.contains_key(&manifest.file);
        for manifest in after.namespaces().filter(is_new) {
            if !folders.reads(&manifest.file) {
                self.terminal.say(&format!(
                    "no Application syncs `{}`: `{}` adds the one for Namespaces",
                    manifest.file,
                    init_command(after)
                ));
            }
        }
    }

    /// Prints how many errors existed before the changes.
    fn count_older(&self, verdict: &Verdict) {
        if verdict.older > 0 {
            let errors = if verdict.older == 1 { "error was" } else { "errors were" };
            self.terminal.say(&format!(
                "{} {errors} there before; `kubectl homelab validate` shows them",
                verdict.older
            ));
        }
    }

    /// Reports the errors that the changes introduce, and returns whether there are any.
    fn is_refused(&self, after: &Repo, verdict: &Verdict) -> bool {
        if verdict.introduced.is_empty() {
            return false;
        }
        self.terminal.say(&report::findings::text(after, &verdict.introduced));
        self.terminal
            .say("no files were changed: this would introduce the errors above");
        true
    }

    /// Returns the working tree to commit in, when a commit is asked for and possible.
    fn check_commit(&self, args: &WriteArgs, checkout: &Checkout, files: &[FileChange]) -> Result<Option<WorkingTree>> {
        let Some(tree) = tree_to_commit_in(args, checkout)? else {
            return Ok(None);
        };
        let paths: Vec<&RepoPath> = files.iter().map(|file| &file.path).collect();
        let dirty = tree.dirty(&paths)?;
        if !dirty.is_empty() {
            return Err(
                anyhow!("uncommitted changes in {}", dirty.join(", ")).hint("commit them first, or leave out --commit")
            );
        }
        Ok(Some(tree))
    }
}
