//! The oracle of a target: one process, asked in batches.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::case::{Answer, Ran, Target};
use crate::tools;

/// The running oracle.
pub(super) struct Oracle {
    process: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Oracle {
    /// Builds a target's oracle if it is missing, and starts it.
    pub(super) fn start(target: &Target) -> Result<Self> {
        let program = tools::get(target.oracle)?;
        let mut process = Command::new(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the oracle")?;
        let input = process.stdin.take();
        let output = process.stdout.take().context("the oracle has no output")?;
        Ok(Self {
            process,
            input,
            output: BufReader::new(output),
        })
    }

    /// Asks about a batch; its answers have to be read before the next one is asked.
    pub(super) fn ask(&mut self, target: &str, ran: &[Ran]) -> Result<()> {
        let cases: Vec<&Value> = ran.iter().filter_map(|ran| ran.request.as_ref()).collect();
        let mut line = json!({"target": target, "cases": cases}).to_string();
        if cases.is_empty() {
            return Ok(());
        }
        line.push('\n');
        let input = self.input.as_mut().context("the oracle has no input")?;
        input.write_all(line.as_bytes()).context("the oracle has ended")?;
        Ok(input.flush()?)
    }

    /// Reads the answers to the batch that was asked last: one for each case that has a request.
    pub(super) fn answers(&mut self, ran: &[Ran]) -> Result<Vec<Option<Answer>>> {
        let asked = ran.iter().filter(|ran| ran.request.is_some()).count();
        let mut answers = Vec::new();
        if asked > 0 {
            let mut line = String::new();
            self.output.read_line(&mut line)?;
            answers = serde_json::from_str(&line).context("the oracle has ended")?;
        }
        if answers.len() != asked {
            bail!("the oracle gave {} answers to {asked} cases", answers.len());
        }
        let mut answers = answers.iter().map(answer);
        let of = |ran: &Ran| ran.request.as_ref().and_then(|_| answers.next());
        Ok(ran.iter().map(of).collect())
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        // It ends with its input.
        drop(self.input.take());
        if self.process.wait().is_err() {
            eprintln!("the oracle did not end");
        }
    }
}

fn answer(value: &Value) -> Answer {
    let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    Answer {
        readable: value["readable"] == true,
        must_refuse: text("mustRefuse"),
        may_refuse: text("mayRefuse"),
        wrong: text("wrong"),
    }
}
