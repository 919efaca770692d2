//! Tokens as a tree ([source](https://pkg.go.dev/text/template/parse)).

use std::collections::BTreeMap;

use super::fault::Fault;
use super::lex::{self, Token};
use super::literal;
use super::tree::{Control, Node, Template};

/// What ended a list of nodes.
enum Terminator {
    Input,
    End,
    /// `else`, without the end of its action: `if` or `with` may follow.
    Else,
}

/// Parses a template.
pub(super) fn parse(text: &str) -> Result<Template, Fault> {
    let mut parser = Parser {
        tokens: lex::tokens(text)?,
        at: 0,
        defined: BTreeMap::new(),
        variables: vec!["$".to_owned()],
        ranges: 0,
        depth: 0,
    };
    let mut body = Vec::new();
    match parser.nodes(&mut body, true)? {
        Terminator::Input => {}
        Terminator::End => return Err(Fault::invalid("`end` ends nothing")),
        Terminator::Else => return Err(Fault::invalid("`else` belongs to nothing")),
    }
    Ok(Template {
        body,
        defined: parser.defined,
    })
}

/// A parser with its place in the tokens.
pub(super) struct Parser {
    pub(super) tokens: Vec<Token>,
    pub(super) at: usize,
    defined: BTreeMap<String, Vec<Node>>,
    /// The variables that are known here.
    pub(super) variables: Vec<String>,
    /// How many ranges are open.
    ranges: usize,
    pub(super) depth: usize,
}

/// The maximum depth of blocks and parentheses; a deeper template is refused before the stack ends.
const DEEPEST: usize = 100;

impl Parser {
    /// Takes the next token that is no blank.
    pub(super) fn next(&mut self) -> Option<Token> {
        let token = self.peek().cloned();
        self.at += usize::from(token.is_some());
        token
    }

    /// Returns the next token that is no blank.
    pub(super) fn peek(&mut self) -> Option<&Token> {
        while self.tokens.get(self.at) == Some(&Token::Space) {
            self.at += 1;
        }
        self.tokens.get(self.at)
    }

    fn expect(&mut self, token: &Token, what: &str) -> Result<(), Fault> {
        match self.next() {
            Some(found) if found == *token => Ok(()),
            _ => Err(Fault::invalid(format!("something unexpected follows `{what}`"))),
        }
    }

    /// Counts a level, and refuses too many.
    pub(super) fn deeper(&mut self) -> Result<(), Fault> {
        self.depth += 1;
        match self.depth > DEEPEST {
            true => Err(Fault::unsupported(format!("a template of more than {DEEPEST} levels"))),
            false => Ok(()),
        }
    }

    /// Reads nodes up to what ends them; only at the top templates can be defined.
    fn nodes(&mut self, nodes: &mut Vec<Node>, is_top: bool) -> Result<Terminator, Fault> {
        while let Some(token) = self.next() {
            match token {
                Token::Text(text) => {
                    nodes.push(Node::Text(text));
                    continue;
                }
                Token::Open => {}
                _ => return Err(Fault::invalid("an action is not complete")),
            }
            let keyword = match self.peek() {
                Some(Token::Word(word)) if is_keyword(word) && word != "nil" => word.clone(),
                _ => {
                    nodes.push(Node::Action(self.pipeline("command", &Token::Close)?));
                    continue;
                }
            };
            self.next();
            let node = match keyword.as_str() {
                "end" => {
                    self.expect(&Token::Close, "end")?;
                    return Ok(Terminator::End);
                }
                "else" => return Ok(Terminator::Else),
                "if" => Node::If(self.control("if")?),
                "with" => Node::With(self.control("with")?),
                "range" => Node::Range(self.control("range")?),
                "break" => self.jump("break", Node::Break)?,
                "continue" => self.jump("continue", Node::Continue)?,
                "template" => self.template()?,
                "block" => self.block()?,
                "define" if is_top => {
                    let name = self.name("define")?;
                    self.expect(&Token::Close, "define")?;
                    self.define(name)?;
                    continue;
                }
                _ => return Err(Fault::invalid(format!("`{keyword}` is not allowed here"))),
            };
            nodes.push(node);
        }
        Ok(Terminator::Input)
    }

    fn jump(&mut self, keyword: &str, node: Node) -> Result<Node, Fault> {
        self.expect(&Token::Close, keyword)?;
        match self.ranges {
            0 => Err(Fault::invalid(format!("`{keyword}` stands outside of `range`"))),
            _ => Ok(node),
        }
    }

    fn control(&mut self, keyword: &str) -> Result<Control, Fault> {
        self.deeper()?;
        let known = self.variables.len();
        let pipeline = self.pipeline(keyword, &Token::Close)?;
        self.ranges += usize::from(keyword == "range");
        let mut body = Vec::new();
        let end = self.nodes(&mut body, false)?;
        self.ranges -= usize::from(keyword == "range");
        let mut otherwise = Vec::new();
        match end {
            Terminator::End => {}
            Terminator::Input => return Err(Fault::invalid(format!("`{keyword}` has no `end`"))),
            Terminator::Else => self.otherwise(keyword, &mut otherwise)?,
        }
        self.variables.truncate(known);
        self.depth -= 1;
        Ok(Control {
            pipeline,
            body,
            otherwise,
        })
    }

    fn otherwise(&mut self, keyword: &str, nodes: &mut Vec<Node>) -> Result<(), Fault> {
        let again = Token::Word(keyword.to_owned());
        if matches!(keyword, "if" | "with") && self.peek() == Some(&again) {
            self.next();
            let control = self.control(keyword)?;
            nodes.push(if keyword == "if" {
                Node::If(control)
            } else {
                Node::With(control)
            });
            return Ok(());
        }
        self.expect(&Token::Close, "else")?;
        match self.nodes(nodes, false)? {
            Terminator::End => Ok(()),
            _ => Err(Fault::invalid(format!("`{keyword}` has no `end`"))),
        }
    }

    fn name(&mut self, keyword: &str) -> Result<String, Fault> {
        match self.next() {
            Some(Token::Quoted(text)) => literal::quoted(&text),
            Some(Token::Raw(text)) => Ok(text),
            _ => Err(Fault::invalid(format!("`{keyword}` needs a name"))),
        }
    }

    fn template(&mut self) -> Result<Node, Fault> {
        let name = self.name("template")?;
        if self.peek() == Some(&Token::Close) {
            self.next();
            return Ok(Node::Template(name, None));
        }
        Ok(Node::Template(
            name,
            Some(self.pipeline("template clause", &Token::Close)?),
        ))
    }

    fn block(&mut self) -> Result<Node, Fault> {
        let name = self.name("block")?;
        let pipeline = self.pipeline("block clause", &Token::Close)?;
        self.define(name.clone())?;
        Ok(Node::Template(name, Some(pipeline)))
    }

    /// Reads a template of its own, with its own variables.
    fn define(&mut self, name: String) -> Result<(), Fault> {
        self.deeper()?;
        let outer = std::mem::replace(&mut self.variables, vec!["$".to_owned()]);
        let ranges = std::mem::take(&mut self.ranges);
        let mut body = Vec::new();
        if !matches!(self.nodes(&mut body, false)?, Terminator::End) {
            return Err(Fault::invalid(format!("the template `{name}` has no `end`")));
        }
        (self.variables, self.ranges) = (outer, ranges);
        self.depth -= 1;
        let is_blank = |nodes: &[Node]| {
            let blank = |node: &Node| matches!(node, Node::Text(text) if text.trim().is_empty());
            nodes.iter().all(blank)
        };
        match self.defined.get(&name) {
            Some(earlier) if !is_blank(earlier) && !is_blank(&body) => {
                Err(Fault::invalid(format!("the template `{name}` is defined twice")))
            }
            Some(earlier) if !is_blank(earlier) => Ok(()),
            _ => {
                self.defined.insert(name, body);
                Ok(())
            }
        }
    }
}

/// Reports whether a word is a keyword.
pub(super) fn is_keyword(word: &str) -> bool {
    matches!(
        word,
        "block" | "break" | "continue" | "define" | "else" | "end" | "if" | "range" | "nil" | "template" | "with"
    )
}
