//! Pipelines of a template, and what they consist of.

use super::fault::Fault;
use super::functions;
use super::lex::Token;
use super::literal::{self, Number};
use super::parse::{Parser, is_keyword};
use super::tree::{Pipeline, Term};

impl Parser {
    /// Reads a pipeline up to the token that ends it.
    pub(super) fn pipeline(&mut self, context: &str, end: &Token) -> Result<Pipeline, Fault> {
        self.deeper()?;
        let mut pipeline = Pipeline::default();
        self.declarations(&mut pipeline, context)?;
        loop {
            match self.peek() {
                Some(token) if token == end => {
                    self.next();
                    break;
                }
                Some(
                    Token::Close | Token::RightParen | Token::Pipe | Token::Comma | Token::Assign | Token::Declare,
                )
                | None => return Err(Fault::invalid(format!("something unexpected stands in a {context}"))),
                Some(_) => {
                    let command = self.command()?;
                    pipeline.commands.push(command);
                }
            }
        }
        self.depth -= 1;
        if pipeline.commands.is_empty() {
            return Err(Fault::invalid(format!("a {context} has no value")));
        }
        let is_constant = |command: &Vec<Term>| {
            matches!(
                command[0],
                Term::Bool(_) | Term::Dot | Term::Nil | Term::Number(_) | Term::Text(_)
            )
        };
        match pipeline.commands[1..].iter().any(is_constant) {
            true => Err(Fault::invalid("a pipeline leads into a constant")),
            false => Ok(pipeline),
        }
    }

    /// Reads the variables that a pipeline sets.
    fn declarations(&mut self, pipeline: &mut Pipeline, context: &str) -> Result<(), Fault> {
        loop {
            let mut ahead = self.tokens[self.at..].iter().filter(|token| **token != Token::Space);
            let (Some(Token::Variable(name)), Some(next)) = (ahead.next(), ahead.next()) else {
                return Ok(());
            };
            let (name, next) = (name.clone(), next.clone());
            if !matches!(next, Token::Assign | Token::Declare | Token::Comma) {
                return Ok(());
            }
            self.next();
            self.next();
            pipeline.variables.push(name.clone());
            if next == Token::Assign && !self.variables.contains(&name) {
                return Err(Fault::invalid(format!("the variable `{name}` is not defined")));
            }
            self.variables.push(name);
            match next {
                Token::Comma if context == "range" && pipeline.variables.len() < 2 => {
                    if !matches!(self.peek(), Some(Token::Variable(_))) {
                        return Err(Fault::invalid("`range` can only set variables"));
                    }
                }
                Token::Comma => return Err(Fault::invalid(format!("a {context} sets too many variables"))),
                _ => {
                    pipeline.assigns = next == Token::Assign;
                    return Ok(());
                }
            }
        }
    }

    fn command(&mut self) -> Result<Vec<Term>, Fault> {
        let mut terms = Vec::new();
        loop {
            self.peek();
            if let Some(term) = self.operand()? {
                terms.push(term);
            }
            match self.tokens.get(self.at) {
                Some(Token::Space) => self.at += 1,
                Some(Token::Close | Token::RightParen) => break,
                // Nothing has to follow.
                Some(Token::Pipe) => {
                    self.at += 1;
                    break;
                }
                _ => return Err(Fault::invalid("something unexpected stands in a command")),
            }
        }
        match terms.is_empty() {
            true => Err(Fault::invalid("a command is empty")),
            false => Ok(terms),
        }
    }

    fn operand(&mut self) -> Result<Option<Term>, Fault> {
        let Some(term) = self.term()? else { return Ok(None) };
        let mut fields = Vec::new();
        while let Some(Token::Field(name)) = self.tokens.get(self.at) {
            fields.push(name.clone());
            self.at += 1;
        }
        if fields.is_empty() {
            return Ok(Some(term));
        }
        Ok(Some(match term {
            Term::Field(mut names) => {
                names.extend(fields);
                Term::Field(names)
            }
            Term::Variable(name, mut names) => {
                names.extend(fields);
                Term::Variable(name, names)
            }
            Term::Bool(_) | Term::Text(_) | Term::Number(_) | Term::Nil | Term::Dot => {
                return Err(Fault::invalid("a field follows a constant"));
            }
            other => Term::Chain(Box::new(other), fields),
        }))
    }

    fn term(&mut self) -> Result<Option<Term>, Fault> {
        let is_term = !matches!(
            self.peek(),
            None | Some(Token::Close | Token::RightParen | Token::Pipe | Token::Comma | Token::Assign | Token::Declare)
        );
        if !is_term {
            return Ok(None);
        }
        self.next().map(|token| self.term_of(token)).transpose()
    }

    fn term_of(&mut self, token: Token) -> Result<Term, Fault> {
        Ok(match token {
            Token::Dot => Term::Dot,
            Token::Field(name) => Term::Field(vec![name]),
            Token::Number(text) => Term::Number(Number::parse(&text)?),
            Token::Character(text) => Term::Number(Number::character(&text)?),
            Token::Quoted(text) => Term::Text(literal::quoted(&text)?),
            Token::Raw(text) => Term::Text(text),
            Token::Variable(name) if self.variables.contains(&name) => Term::Variable(name, Vec::new()),
            Token::Variable(name) => return Err(Fault::invalid(format!("the variable `{name}` is not defined"))),
            Token::LeftParen => Term::Pipeline(self.pipeline("parenthesized pipeline", &Token::RightParen)?),
            Token::Word(word) => match word.as_str() {
                "true" | "false" => Term::Bool(word == "true"),
                "nil" => Term::Nil,
                keyword if is_keyword(keyword) => {
                    return Err(Fault::invalid(format!("`{keyword}` is not allowed here")));
                }
                name if functions::is_known(name) => Term::Function(word),
                name => return Err(Fault::invalid(format!("there is no function `{name}`"))),
            },
            _ => return Err(Fault::invalid("something unexpected stands in a command")),
        })
    }
}
