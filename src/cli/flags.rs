//! Flags as kubectl reads them: a boolean flag stands bare or with a value, and the last one wins; the value of another flag
//! that can stand bare comes after `=`.

use std::collections::BTreeMap;
use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{Arg, ArgAction, Command, Error};

/// The values of a boolean flag, as Go's [`ParseBool`](https://pkg.go.dev/strconv#ParseBool) reads them for kubectl.
const TRUE: [&str; 6] = ["1", "t", "T", "TRUE", "true", "True"];
const FALSE: [&str; 6] = ["0", "f", "F", "FALSE", "false", "False"];

/// Returns the arguments with each boolean flag at most once, in the form that clap reads.
///
/// # Errors
/// When the value of a flag is no boolean, or stands after a blank where it has to stand after `=`.
pub(super) fn normalized(program: &Command, arguments: &[OsString]) -> Result<Vec<OsString>, Error> {
    let mut path = vec![program];
    let mut kept = Kept::default();
    let mut words = arguments.iter().peekable();
    words.next().into_iter().for_each(|program| kept.push(program));
    while let Some(word) = words.next() {
        let (text, command) = (word.to_str().unwrap_or_default(), path[path.len() - 1]);
        if text == "--" || command.get_positionals().any(Arg::is_trailing_var_arg_set) {
            kept.push(word);
            words.by_ref().for_each(|word| kept.push(word));
            break;
        }
        let Some(flag) = Flag::parse(&path, text) else {
            kept.push(word);
            path.extend(command.find_subcommand(text));
            continue;
        };
        let next = words.peek().and_then(|next| next.to_str());
        match flag.form() {
            Form::Boolean => {
                let apart = next.filter(|next| flag.value.is_none() && ["true", "false"].contains(next));
                let value = flag.boolean(apart);
                kept.boolean(&flag, value.map_err(|why| error(&path, ErrorKind::InvalidValue, why))?);
                apart.and_then(|_| words.next());
            }
            Form::Optional => {
                if let Some(why) = next.and_then(|next| flag.misplaced(next)) {
                    return Err(error(&path, ErrorKind::UnknownArgument, why));
                }
                kept.push(word);
            }
            Form::Valued => {
                kept.push(word);
                if flag.value.is_none() {
                    words.next().into_iter().for_each(|value| kept.push(value));
                }
            }
            Form::Other => kept.push(word),
        }
    }
    Ok(kept.words.into_iter().flatten().collect())
}

/// Returns an error of the last command of a path. Only then the whole tree of commands is completed, which takes longer than most
/// commands run.
fn error(path: &[&Command], kind: ErrorKind, why: String) -> Error {
    let mut program = path[0].clone();
    program.build();
    let below = path[1..].iter();
    let command = below.fold(&program, |command, below| {
        command.find_subcommand(below.get_name()).unwrap_or(command)
    });
    command.clone().error(kind, why)
}

/// How a flag takes its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// It is on or off.
    Boolean,
    /// It may stand bare.
    Optional,
    /// It needs a value.
    Valued,
    /// It takes none, as `--help`.
    Other,
}

/// A flag as it is typed.
#[derive(Debug)]
struct Flag<'w> {
    arg: Arg,
    /// With its hyphens.
    name: &'w str,
    /// What stands after `=`.
    value: Option<&'w str>,
}

impl<'w> Flag<'w> {
    /// Returns the flag of the last command of a path, or the global one of those above, that a word is, if it is one. Several
    /// short ones in one word are left to clap.
    fn parse(path: &[&Command], word: &'w str) -> Option<Self> {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (word, None),
        };
        let is_named = |arg: &&Arg| match name.strip_prefix("--") {
            Some(long) => arg
                .get_long_and_visible_aliases()
                .into_iter()
                .flatten()
                .chain(arg.get_all_aliases().into_iter().flatten())
                .any(|known| known == long),
            None => {
                let short = arg.get_short().map(|short| format!("-{short}"));
                short.is_some_and(|short| short == name)
            }
        };
        let (command, above) = path.split_last()?;
        let globals = above.iter().flat_map(|command| command.get_arguments());
        let arg = command
            .get_arguments()
            .chain(globals.filter(|arg| arg.is_global_set()))
            .filter(|arg| !arg.is_positional())
            .find(is_named)?;
        Some(Self {
            arg: arg.clone(),
            name,
            value,
        })
    }

    fn form(&self) -> Form {
        match self.arg.get_action() {
            ArgAction::SetTrue => Form::Boolean,
            ArgAction::Set | ArgAction::Append => match self.arg.get_num_args() {
                Some(range) if range.min_values() == 0 && self.has_value("true") => Form::Boolean,
                Some(range) if range.min_values() == 0 => Form::Optional,
                _ => Form::Valued,
            },
            _ => Form::Other,
        }
    }

    /// Reports whether a word is one of the values that the flag is known to have.
    fn has_value(&self, word: &str) -> bool {
        let known = self.arg.get_possible_values();
        known.iter().any(|value| value.matches(word, false))
    }

    /// Returns the value of a boolean flag, or why it has none; `apart` is the one that stands after a blank.
    fn boolean(&self, apart: Option<&str>) -> Result<bool, String> {
        match self.value.or(apart) {
            None => Ok(true),
            Some(value) if TRUE.contains(&value) => Ok(true),
            Some(value) if FALSE.contains(&value) => Ok(false),
            Some(value) => Err(format!(
                "invalid value '{value}' for '{}'\n  [possible values: true, false]",
                self.name
            )),
        }
    }

    /// Returns why the next word is taken for the value of this flag that stands bare: a text could be any word, and of a few
    /// values it has to be one.
    fn misplaced(&self, next: &str) -> Option<String> {
        let is_text = self.arg.get_possible_values().is_empty();
        let is_meant = self.value.is_none() && !next.starts_with('-') && (is_text || self.has_value(next));
        let name = self.name;
        is_meant.then(|| match is_text {
            true => {
                let value = self.arg.get_value_names().and_then(<[_]>::first);
                let value = value.map_or("VALUE", |value| value.as_str());
                format!(
                    "unexpected word '{next}' after '{name}'\n\n  tip: to pass it as the value, use '{name}={value}'; else move '{name}' behind it"
                )
            }
            false => format!(
                "unexpected word '{next}' after '{name}'\n\n  tip: to pass it as the value, use '{name}={next}'"
            ),
        })
    }
}

/// The arguments that clap reads.
#[derive(Default)]
struct Kept {
    words: Vec<Option<OsString>>,
    /// Where the last one of each boolean flag is.
    booleans: BTreeMap<String, usize>,
}

impl Kept {
    fn push(&mut self, word: &OsString) {
        self.words.push(Some(word.clone()));
    }

    /// Adds a boolean flag, in place of an earlier one.
    fn boolean(&mut self, flag: &Flag<'_>, value: bool) {
        let earlier = self.booleans.insert(flag.arg.get_id().to_string(), self.words.len());
        if let Some(earlier) = earlier {
            self.words[earlier] = None;
        }
        self.words.push(match flag.arg.get_action() {
            ArgAction::SetTrue => value.then(|| flag.name.into()),
            _ => Some(format!("{}={value}", flag.name).into()),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<String, String> {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        match normalized(&crate::cli::command(), &words) {
            Ok(words) => Ok(words.join(&OsString::from(" ")).into_string().unwrap()),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn boolean_flags_stand_bare_or_with_a_value() {
        for (typed, read_as) in [
            ("k validate --fix", "k validate --fix"),
            ("k validate --fix=true", "k validate --fix"),
            ("k validate --fix=false x", "k validate x"),
            ("k validate --fix --fix=F", "k validate"),
            ("k validate --fix=0 --fix", "k validate --fix"),
            ("k list -A=true", "k list -A"),
            ("k list -A=false", "k list"),
            ("k refresh --all --wait", "k refresh --all --wait=true"),
            ("k refresh --all --wait=f", "k refresh --all --wait=false"),
            ("k refresh --all --wait false", "k refresh --all --wait=false"),
            ("k sync a --prune --prune=false", "k sync a --prune=false"),
            ("k --repo-dir --fix validate --fix=false", "k --repo-dir --fix validate"),
            ("k validate --rules -HL1 --strict=1", "k validate --rules -HL1 --strict"),
            ("k validate -- --fix=false", "k validate -- --fix=false"),
            ("k __complete validate --fix=f", "k __complete validate --fix=f"),
            ("k render --no-such=1", "k render --no-such=1"),
        ] {
            assert_eq!(read(typed).as_deref(), Ok(read_as), "{typed}");
        }
        let error = read("k validate --fix=maybe").unwrap_err();
        assert!(error.contains("invalid value 'maybe' for '--fix'"), "{error}");
        assert!(error.contains("Usage: kubectl homelab validate"), "{error}");
    }

    #[test]
    fn the_value_of_a_flag_that_can_stand_bare_is_not_taken_for_another_argument() {
        for (typed, tip) in [
            ("k add-namespace radio --commit message", "'--commit=MESSAGE'"),
            ("k init --commit message", "'--commit=MESSAGE'"),
            ("k convert a --dry-run client", "'--dry-run=client'"),
        ] {
            let error = read(typed).unwrap_err();
            assert!(error.contains(tip), "{error}");
        }
        for typed in [
            "k add-namespace --commit=message radio",
            "k add-namespace radio --commit",
            "k convert --all --commit --fetch",
            "k convert --dry-run player",
        ] {
            assert_eq!(read(typed).as_deref(), Ok(typed));
        }
    }

    /// A flag that is none of the forms would be taken for one with a value.
    #[test]
    fn every_flag_with_true_or_false_is_boolean() {
        let mut command = crate::cli::command();
        command.build();
        let mut below = vec![&command];
        while let Some(command) = below.pop() {
            below.extend(command.get_subcommands());
            for arg in command.get_arguments().filter(|arg| !arg.is_positional()) {
                let flag = Flag {
                    arg: arg.clone(),
                    name: "",
                    value: None,
                };
                assert!(
                    flag.form() == Form::Boolean || !flag.has_value("true"),
                    "{} {arg}: give it `num_args = 0..=1`",
                    command.get_name()
                );
            }
        }
    }
}
