//! The verbs: every command that writes to the repository, and each of its steps.

/// A step of a verb in both repositories.
pub(crate) struct Row {
    /// Its name, which is that of its snapshot.
    pub(crate) name: &'static str,
    /// The commands before, each of them committed.
    pub(crate) before: &'static [&'static str],
    /// The command.
    pub(crate) command: &'static str,
}

const fn row(name: &'static str, before: &'static [&'static str], command: &'static str) -> Row {
    Row { name, before, command }
}

/// Before a row: a kustomization lists the Applications. The one that is made by hand has them in files and lists of its own.
pub(crate) const LIST: &str = "list";

const MOVE: &str = "move-owner films --to player";
const BACK: &str = "move-owner films --to films";
const REPLACE: &str = "replace-app films cinema -n media --repo https://git.example.org/me/home --path manifests/cinema --revision main --dir APPS";
const ON: &str = "replace-app player cinema -n media --repo https://git.example.org/me/home --path manifests/cinema --revision main --dir APPS";
const FROM_SET: &str = "replace-app wiki player";
const REMOVE_NEXT: &str = "remove-app player --orphan-consumers";
const LOCK: &str = "lock enable deletions --dir APPS";
const FIX: &str = "validate --fix --unsafe-fixes --no-baseline";
const RENAME: &str = "rename-app films movies";
const RENAME_FIRST: &str = "rename-app films movies --phase 1";
const RENAME_FOLDER: &str = "rename-app wiki manual";
const REMOVE: &str = "remove-app films --orphan-consumers";
const DELETE: &str = "remove-app films --delete-data films --confirm films";

/// All of them, in the order of the help.
pub(crate) const ROWS: &[Row] = &[
    row("init-new", &["rm ."], "init --repo-url https://git.example.org/me/home"),
    row("init", &["rm namespaces"], "init --dir APPS"),
    row(
        "add-app",
        &[],
        "add-app cinema --repo https://git.example.org/me/home --path manifests/cinema --revision main -n media --dir APPS",
    ),
    row("add-namespace", &[], "add-namespace radio --pod-security baseline"),
    row("add-volume", &[], "add-volume posters --owner films --size 5Gi"),
    row("add-volume-generated", &[], "add-volume scans --owner wiki --size 5Gi"),
    row("mount", &[], "mount films --into player --at /films"),
    row("mount-generated", &[], "mount films --into wiki --at /films"),
    row(
        "unmount",
        &["mount films --into player --at /films"],
        "unmount films --from player",
    ),
    row(
        "unmount-generated",
        &["mount films --into wiki --at /films"],
        "unmount films --from wiki",
    ),
    row("grant", &[], "grant films --to player"),
    row("grant-generated", &[], "grant films --to wiki"),
    row("revoke", &["grant films --to player"], "revoke films --from player"),
    row(
        "revoke-generated",
        &["grant films --to wiki"],
        "revoke films --from wiki",
    ),
    row("pause", &[], "pause films --reason test --until 2999-12-31"),
    row("pause-generated", &[], "pause wiki --reason test"),
    row(
        "resume",
        &["pause films --reason test --until 2999-12-31"],
        "resume films",
    ),
    row("resume-generated", &["pause wiki --reason test"], "resume wiki"),
    row("remove-app", &["mount films --into player --at /films"], REMOVE),
    row("remove-app-listed", &[LIST], REMOVE),
    row("remove-app-generated", &[], "remove-app wiki"),
    row("delete-data-1", &[], DELETE),
    row("delete-data-2", &[DELETE], DELETE),
    row("remove-namespace", &["add-namespace radio"], "remove-namespace radio"),
    row("restore", &[REMOVE], "restore films --to player"),
    row("restore-generated", &[REMOVE], "restore films --to wiki"),
    row("rename-app-1", &[], RENAME_FIRST),
    row("rename-app-2", &[RENAME_FIRST], RENAME),
    row("rename-app-2-listed", &[LIST, RENAME_FIRST], RENAME),
    row("rename-folder-1", &[], RENAME_FOLDER),
    row("rename-folder-2", &[RENAME_FOLDER], RENAME_FOLDER),
    row("rename-folder-3", &[RENAME_FOLDER, RENAME_FOLDER], RENAME_FOLDER),
    row("move-owner-1", &[], MOVE),
    row("move-owner-2", &[MOVE], MOVE),
    row("move-owner-3", &[MOVE, MOVE], MOVE),
    row("move-owner-back", &[MOVE, MOVE, MOVE], BACK),
    row("move-owner-on", &[MOVE, MOVE, MOVE], ON),
    row("remove-app-moved", &[MOVE, MOVE, MOVE], REMOVE_NEXT),
    row(
        "restore-moved",
        &[MOVE, MOVE, MOVE, REMOVE_NEXT],
        "restore films --to films",
    ),
    row("replace-app-1", &[], REPLACE),
    row("replace-app-2", &[REPLACE], REPLACE),
    row("replace-app-3", &[REPLACE, REPLACE], "replace-app films cinema"),
    row(
        "replace-app-3-generated",
        &["add-volume scans --owner wiki --size 5Gi", FROM_SET, FROM_SET],
        FROM_SET,
    ),
    row("convert", &[], "convert notes"),
    row("convert-guard-first", &[], "convert notes --guard-first"),
    row(
        "convert-to-native",
        &["convert notes"],
        "convert notes --to native --drop-owns",
    ),
    row("adopt", &[], "adopt -y"),
    row("lock-enable", &[], LOCK),
    row("lock-disable", &[LOCK], "lock disable"),
    row("lock-disable-listed", &[LIST, LOCK], "lock disable"),
    row("baseline", &[], "baseline"),
    row("baseline-update", &["baseline", FIX], "baseline --update"),
    row("validate", &[], FIX),
];
