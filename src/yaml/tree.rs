//! One document as a flat list of nodes with byte spans: the parser's events, nothing lost, nothing copied.
//!
//! Children stand behind their container; `next` jumps over a subtree. Scalars borrow the text where their value stands
//! in it as it is. The values, the spans of the splice and the splice's proof come from one tree.

mod strict;

use super::error::YamlError;
use super::node::{Kind, Node, Style, Tag};
use super::trivia::skip_trivia;
use granit_parser::{ErrorKind, Event, Options, Parser, ScalarStyle, ScanError, StructureStyle, Tag as ParsedTag};
use std::borrow::Cow;
use strict::Strict;

/// One parsed document.
#[derive(Clone, Debug)]
pub struct Tree<'t> {
    pub(super) text: &'t str,
    pub(super) nodes: Vec<Node<'t>>,
}

/// How deep collections may nest; more is an error, so that nothing that walks a value can run out of stack.
pub(super) const MAX_DEPTH: usize = 200;

impl<'t> Tree<'t> {
    /// Parses the first document of one chunk, as [`super::documents`] returns them; Go ignores what follows `...`.
    pub fn parse(text: &'t str) -> Result<Tree<'t>, YamlError> {
        if u32::try_from(text.len()).is_err() {
            return Err(YamlError::at(text, 0, "the document is larger than 4 GiB"));
        }
        strict::characters(text)?;
        let mut options = Options::default();
        options.set_emit_comments(false);
        options.disallow_directives = true;
        let mut parser = Parser::new_from_str_with_options(text, options);
        let mut builder = Builder {
            text,
            strict: Strict::new(text),
            nodes: Vec::with_capacity(text.len() / 24 + 4),
            open: Vec::new(),
            anchors: Vec::new(),
            last_end: 0,
        };
        while let Some(event) = parser.next_event() {
            let (event, span) = event.map_err(|error| scan_error(text, &error))?;
            if matches!(event, Event::DocumentEnd | Event::StreamEnd) {
                break;
            }
            let range = span.byte_range().unwrap_or_default();
            builder.take(event, range.start, range.end)?;
        }
        Ok(Tree {
            text,
            nodes: builder.nodes,
        })
    }

    /// Returns the offset of text that Go's readers drop: behind the document's last value, or behind `...`.
    pub fn dropped(&self) -> Option<usize> {
        let text = self.text;
        let mut tail = skip_trivia(text, self.nodes.first()?.end as usize);
        if text[tail..].starts_with("...") && text[..tail].ends_with('\n') {
            tail = skip_trivia(text, tail + 3);
        }
        (tail < text.len()).then_some(tail)
    }

    /// Returns the node at an index.
    pub(super) fn node(&self, index: u32) -> &Node<'t> {
        &self.nodes[index as usize]
    }

    /// Returns the children of a container, by index.
    pub(super) fn children(&self, container: u32) -> impl Iterator<Item = u32> + '_ {
        let end = self.node(container).next;
        let mut at = container + 1;
        std::iter::from_fn(move || {
            let child = at;
            (child < end).then(|| {
                at = self.node(child).next;
                child
            })
        })
    }

    /// Returns the keys and values of a mapping, by index.
    pub(super) fn pairs(&self, map: u32) -> impl Iterator<Item = (u32, u32)> + '_ {
        let mut children = self.children(map);
        std::iter::from_fn(move || Some((children.next()?, children.next()?)))
    }

    /// Returns an error at a node.
    pub(super) fn error(&self, index: u32, message: impl Into<String>) -> YamlError {
        YamlError::at(self.text, self.node(index).start as usize, message)
    }
}

struct Builder<'t> {
    text: &'t str,
    strict: Strict<'t>,
    nodes: Vec<Node<'t>>,
    open: Vec<u32>,
    /// Node of each anchor id; ids count from 1.
    anchors: Vec<u32>,
    /// The end of the last node that is complete.
    last_end: u32,
}

impl<'t> Builder<'t> {
    fn take(&mut self, event: Event<'t>, start: usize, end: usize) -> Result<(), YamlError> {
        match event {
            Event::MappingStart(style, anchor, tag) => {
                let kind = (Kind::Map, structure(style, start, end));
                self.push(kind, Cow::Borrowed(""), (start, start), (anchor, tag.as_deref()));
                self.enter()?;
            }
            Event::SequenceStart(style, anchor, tag) => {
                let kind = (Kind::Seq, structure(style, start, end));
                self.push(kind, Cow::Borrowed(""), (start, start), (anchor, tag.as_deref()));
                self.enter()?;
            }
            Event::MappingEnd | Event::SequenceEnd => self.leave(end),
            Event::Scalar(value, style, anchor, tag) => {
                self.strict.scalar(&value, style, start..end, self.in_brackets())?;
                let (kind, value, span) = self.scalar(value, style, start, end);
                self.push((kind, Style::Block), value, span, (anchor, tag.as_deref()));
            }
            Event::Alias(id) => {
                let index = self.push((Kind::Alias, Style::Block), Cow::Borrowed(""), (start, end), (0, None));
                self.nodes[index as usize].target = self.anchors.get(id).copied().unwrap_or(index);
            }
            _ => {}
        }
        Ok(())
    }

    fn push(
        &mut self,
        (kind, style): (Kind, Style),
        text: Cow<'t, str>,
        (start, end): (usize, usize),
        (anchor, tag): (usize, Option<&ParsedTag>),
    ) -> u32 {
        let index = self.nodes.len() as u32;
        if anchor != 0 {
            if self.anchors.len() <= anchor {
                self.anchors.resize(anchor + 1, index);
            }
            self.anchors[anchor] = index;
        }
        self.last_end = end as u32;
        self.nodes.push(Node {
            text,
            start: start as u32,
            end: end as u32,
            next: index + 1,
            target: 0,
            kind,
            style,
            tag: tag.map_or(Tag::None, go_tag),
            anchored: anchor != 0,
        });
        index
    }

    fn enter(&mut self) -> Result<(), YamlError> {
        self.open.push(self.nodes.len() as u32 - 1);
        if self.open.len() <= MAX_DEPTH {
            return Ok(());
        }
        let start = self.nodes[self.nodes.len() - 1].start as usize;
        Err(YamlError::at(
            self.text,
            start,
            format!("collections nest deeper than {MAX_DEPTH} levels"),
        ))
    }

    fn in_brackets(&self) -> bool {
        self.open
            .last()
            .is_some_and(|open| self.nodes[*open as usize].style != Style::Block)
    }

    fn leave(&mut self, end: usize) {
        let Some(index) = self.open.pop() else { return };
        let next = self.nodes.len() as u32;
        let node = &mut self.nodes[index as usize];
        node.next = next;
        node.end = if node.style == Style::Flow {
            end as u32
        } else {
            self.last_end
        };
        self.last_end = node.end;
    }

    fn scalar(
        &self,
        value: Cow<'t, str>,
        style: ScalarStyle,
        start: usize,
        end: usize,
    ) -> (Kind, Cow<'t, str>, (usize, usize)) {
        match style {
            ScalarStyle::Plain if start == end => {
                // An absent value is reported on its colon.
                let at = start + usize::from(self.text.as_bytes().get(start) == Some(&b':'));
                (Kind::Plain, Cow::Borrowed(""), (at, at))
            }
            ScalarStyle::Plain => (Kind::Plain, value, (start, end)),
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => (Kind::Quoted, value, (start, end)),
            ScalarStyle::Literal | ScalarStyle::Folded => {
                let end = block_scalar_end(self.text, &value, end);
                (Kind::Block, value, (start.min(end), end))
            }
        }
    }
}

fn structure(style: StructureStyle, start: usize, end: usize) -> Style {
    match style {
        StructureStyle::Block => Style::Block,
        StructureStyle::Flow if start == end => Style::Pair,
        StructureStyle::Flow => Style::Flow,
    }
}

/// Returns the end of a block scalar's last line of content; the parser's span runs up to the next token. Blank lines
/// at the end belong to it only if its value keeps them (`|+`), or has blanks beyond the indentation in its last one.
fn block_scalar_end(text: &str, value: &str, end: usize) -> usize {
    let bytes = text.as_bytes();
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let cut = end - bytes[..end].iter().rev().take_while(|byte| blank(byte)).count();
    if cut == 0 || bytes[cut - 1] != b'\n' {
        return end;
    }
    let keeps = value.ends_with("\n\n") || (!value.is_empty() && value.bytes().all(|byte| byte == b'\n'));
    if keeps {
        return cut;
    }
    let last = value.strip_suffix('\n').unwrap_or(value).rsplit('\n').next();
    if last.is_some_and(|line| !line.is_empty() && line.bytes().all(|byte| blank(&byte))) {
        return if end == bytes.len() { end } else { cut };
    }
    let content = text[..cut].trim_end_matches([' ', '\t', '\n', '\r']).len();
    memchr::memchr(b'\n', &bytes[content..cut]).map_or(cut, |newline| content + newline + 1)
}

fn go_tag(tag: &ParsedTag) -> Tag {
    match tag.suffix_in_namespace("tag:yaml.org,2002:").as_deref() {
        Some("str") => Tag::Str,
        Some("bool") => Tag::Bool,
        Some("int") => Tag::Int,
        Some("float") => Tag::Float,
        Some("null") => Tag::Null,
        Some("timestamp") => Tag::Timestamp,
        Some("binary") => Tag::Binary,
        Some("merge") => Tag::Merge,
        _ if tag.original() == "!" => Tag::NonSpecific,
        _ => Tag::Other,
    }
}

fn scan_error(text: &str, error: &ScanError) -> YamlError {
    let message = match error.kind() {
        // The parser's words would have the character in them.
        ErrorKind::UnexpectedCharacter { .. } => "unexpected character".to_owned(),
        kind => kind.to_string(),
    };
    YamlError::at(text, error.marker().byte_offset().unwrap_or(text.len()), message)
}
