//! Writes a value as YAML in one of very many ways; not all of them keep the value, and not all can be read.

mod scalar;

use serde_json::{Map, Value};

use super::numbers::Numbers;

/// A way to spell, for one document.
pub(super) struct Speller<'n> {
    pub(super) numbers: &'n mut Numbers,
    out: String,
    /// Once in how many nodes something odd is written; 0 is never.
    odd: usize,
    /// Once in how many maps and lists brackets are used.
    brackets: usize,
    /// How far maps are indented.
    step: usize,
    /// How far lists are indented behind their key.
    list_step: usize,
    /// Once in how many entries a comment is written.
    comments: usize,
    /// Numbers the comments, so that each is one of its kind.
    number_of_comments: usize,
    /// The anchors that are written already.
    anchors: usize,
    /// Whether comments may hold line ends that not all readers know.
    pub(super) is_calm: bool,
}

impl<'n> Speller<'n> {
    /// Decides how to spell a document.
    pub(super) fn new(numbers: &'n mut Numbers) -> Self {
        Self {
            odd: numbers.pick(&[0, 0, 60, 60, 25, 8]),
            brackets: numbers.pick(&[0, 20, 20, 5, 1]),
            step: numbers.pick(&[2, 2, 2, 4, 1, 3]),
            list_step: numbers.pick(&[0, 0, 2, 2, 4]),
            comments: numbers.pick(&[0, 12, 12, 4]),
            numbers,
            out: String::new(),
            number_of_comments: 0,
            anchors: 0,
            is_calm: false,
        }
    }

    /// Writes a document.
    pub(super) fn document(mut self, value: &Value) -> String {
        match value {
            Value::Object(map) if !map.is_empty() && !self.in_brackets() => self.map(map, 0, false),
            _ => {
                self.flow(value, 0);
                self.end_line();
            }
        }
        self.out
    }

    fn is_odd(&mut self) -> bool {
        self.numbers.one_in(self.odd)
    }

    fn in_brackets(&mut self) -> bool {
        self.numbers.one_in(self.brackets)
    }

    fn indent(&mut self, column: usize) {
        self.out.extend(std::iter::repeat_n(' ', column));
    }

    fn comment(&mut self) {
        self.number_of_comments += 1;
        self.out.push_str(&format!("# comment {:03}.", self.number_of_comments));
        if !self.is_calm && self.is_odd() {
            let what = [
                "\rkind: Deployment",
                "\u{85}kind: Deployment",
                "\u{2028}items: []",
                " kind: Pod",
                ": {",
                "\" '",
                "\t",
            ];
            let what = self.numbers.pick(&what);
            self.out.push_str(what);
        }
    }

    /// Writes comments and blank lines before an entry.
    fn before_entry(&mut self, column: usize) {
        if self.numbers.one_in(self.comments) {
            let off = if self.numbers.one_in(4) {
                self.numbers.below(6)
            } else {
                column
            };
            self.indent(off);
            self.comment();
            self.out.push('\n');
        }
        if self.numbers.one_in(self.comments) {
            let blanks = self.numbers.pick(&["", "", "  "]);
            self.out.push_str(blanks);
            self.out.push('\n');
        }
    }

    fn end_line(&mut self) {
        if self.out.ends_with('\n') {
            return;
        }
        if self.numbers.one_in(self.comments) {
            let blanks = self.numbers.pick(&[" ", "  ", "\t"]);
            self.out.push_str(blanks);
            self.comment();
        }
        self.out.push('\n');
    }

    fn map(&mut self, map: &Map<String, Value>, column: usize, mut on_line: bool) {
        for (key, value) in map {
            if self.is_odd() {
                let decoy = self.decoy(key);
                self.separate(column, &mut on_line);
                self.out.push_str(&decoy);
                self.out.push('\n');
            }
            self.separate(column, &mut on_line);
            if self.is_odd() && self.numbers.one_in(4) {
                self.out.push_str("? ");
                self.key(key);
                self.out.push('\n');
                self.indent(column);
                self.out.push(':');
            } else {
                self.key(key);
                let colon = if self.is_odd() {
                    self.numbers.pick(&[" :", "\t:", ":\t"])
                } else {
                    ":"
                };
                self.out.push_str(colon);
            }
            self.behind_key(value, column);
        }
    }

    /// Writes what stands before an entry that has its own line.
    fn separate(&mut self, column: usize, on_line: &mut bool) {
        if !std::mem::replace(on_line, false) {
            self.before_entry(column);
            self.indent(column);
        }
    }

    /// Returns an entry that overrides or is overridden: the key a second time, or a merge.
    fn decoy(&mut self, key: &str) -> String {
        let value = self
            .numbers
            .pick(&["Deployment", "ConfigMap", "[]", "{}", "null", "x", "v1"]);
        let anchor = self.numbers.below(self.anchors + 1);
        match self.numbers.below(6) {
            0 => format!("<<: {{{key}: {value}}}"),
            1 => format!("<<: [{{{key}: {value}}}, {{kind: Pod}}]"),
            2 if self.anchors > 0 => format!("<<: *a{anchor}"),
            3 => format!("\"{key}\": {value}"),
            4 => format!("'{key}': {value} # again"),
            _ => format!("{key}: {value}"),
        }
    }

    /// Writes an anchor or a tag, rarely; returns whether the value is written with it, as an alias.
    fn properties(&mut self, value: &Value) -> bool {
        if !self.is_odd() {
            return false;
        }
        match self.numbers.below(5) {
            0 | 1 => {
                self.anchors += 1;
                self.out.push_str(&format!("&a{} ", self.anchors));
            }
            2 if self.anchors > 0 => {
                let anchor = 1 + self.numbers.below(self.anchors);
                self.out.push_str(&format!("*a{anchor}"));
                return true;
            }
            3 => {
                let tag = match value {
                    Value::Object(_) => "!!map ",
                    Value::Array(_) => "!!seq ",
                    Value::String(_) => {
                        self.numbers
                            .pick(&["!!str ", "! ", "!x ", "!!binary ", "!<tag:yaml.org,2002:str> "])
                    }
                    Value::Bool(_) => "!!bool ",
                    Value::Number(_) => self.numbers.pick(&["!!int ", "!!float ", "!!str "]),
                    Value::Null => "!!null ",
                };
                self.out.push_str(tag);
            }
            _ => {}
        }
        false
    }

    fn behind_key(&mut self, value: &Value, column: usize) {
        let inner = column + self.step;
        match value {
            Value::Object(map) if !map.is_empty() && !self.in_brackets() => {
                if !self.own_properties(value) {
                    self.end_line();
                    self.map(map, inner, false);
                }
            }
            Value::Array(items) if !items.is_empty() && !self.in_brackets() => {
                if !self.own_properties(value) {
                    self.end_line();
                    self.list(items, column + self.list_step, false);
                }
            }
            Value::Object(_) | Value::Array(_) if self.numbers.one_in(8) => {
                // Charts print a map without entries below its key.
                self.end_line();
                self.indent(inner);
                self.flow(value, inner);
                self.end_line();
            }
            Value::Null if self.numbers.one_in(2) => self.end_line(),
            _ => {
                self.out.push(' ');
                if !self.properties(value) {
                    self.inline(value, inner);
                }
                self.end_line();
            }
        }
    }

    /// Writes the properties of a map or a list in lines; returns whether an alias stands for it.
    fn own_properties(&mut self, value: &Value) -> bool {
        self.out.push(' ');
        let is_alias = self.properties(value);
        while self.out.ends_with(' ') {
            self.out.pop();
        }
        if is_alias {
            self.end_line();
        }
        is_alias
    }

    fn list(&mut self, items: &[Value], column: usize, mut on_line: bool) {
        for item in items {
            self.separate(column, &mut on_line);
            self.out.push('-');
            let blanks = if self.is_odd() {
                self.numbers.pick(&["   ", "\t", "\n"])
            } else {
                " "
            };
            let inner = if blanks == "\n" {
                self.out.push('\n');
                self.indent(column + 2);
                column + 2
            } else {
                self.out.push_str(blanks);
                column + 1 + blanks.len()
            };
            match item {
                Value::Object(map) if !map.is_empty() && !self.in_brackets() => self.map(map, inner, true),
                Value::Array(items) if !items.is_empty() && !self.in_brackets() => self.list(items, inner, true),
                _ => {
                    if !self.properties(item) {
                        self.inline(item, inner);
                    }
                    self.end_line();
                }
            }
        }
    }

    /// Writes a scalar, or a map or a list in brackets.
    fn inline(&mut self, value: &Value, column: usize) {
        match value {
            Value::Object(_) | Value::Array(_) => self.flow(value, column),
            _ => self.scalar(value, column, false),
        }
    }

    fn flow(&mut self, value: &Value, column: usize) {
        match value {
            Value::Object(map) => {
                self.out.push('{');
                for (place, (key, value)) in map.iter().enumerate() {
                    self.flow_separate(place, column);
                    if self.is_odd() {
                        let decoy = self.decoy(key);
                        self.out.push_str(decoy.trim_end_matches(" # again"));
                        self.out.push_str(", ");
                    }
                    self.key(key);
                    let colon = if self.is_odd() {
                        self.numbers.pick(&[":", " : ", ":\n "])
                    } else {
                        ": "
                    };
                    self.out.push_str(colon);
                    if !self.properties(value) {
                        self.flow(value, column);
                    }
                }
                self.close('}');
            }
            Value::Array(items) => {
                self.out.push('[');
                for (place, item) in items.iter().enumerate() {
                    self.flow_separate(place, column);
                    if !self.properties(item) {
                        self.flow(item, column);
                    }
                }
                self.close(']');
            }
            _ => self.scalar(value, column, true),
        }
    }

    fn flow_separate(&mut self, place: usize, column: usize) {
        if place > 0 {
            let comma = if self.is_odd() {
                self.numbers.pick(&[",", " , ", ",,"])
            } else {
                ", "
            };
            self.out.push_str(comma);
        }
        if self.numbers.one_in(12) && !self.out.is_empty() {
            self.out.push('\n');
            let column = if self.is_odd() { 0 } else { column + 1 };
            self.indent(column);
            if self.numbers.one_in(self.comments) {
                self.comment();
                self.out.push('\n');
                self.indent(column);
            }
        }
    }

    fn close(&mut self, bracket: char) {
        if self.is_odd() {
            let end = self.numbers.pick(&[",", " ", "\n "]);
            self.out.push_str(end);
        }
        self.out.push(bracket);
    }
}
