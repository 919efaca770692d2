//! The text of a template as tokens ([source](https://pkg.go.dev/text/template)).

use super::fault::Fault;

/// A token.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Text(String),
    /// `{{`.
    Open,
    /// `}}`.
    Close,
    Space,
    Assign,
    Declare,
    Pipe,
    Comma,
    LeftParen,
    RightParen,
    /// A dot alone.
    Dot,
    /// `.name`, without the dot.
    Field(String),
    /// `$name`, with the dollar.
    Variable(String),
    /// A name, a keyword, `true`, `false` or `nil`.
    Word(String),
    Number(String),
    /// A character constant with its quotes.
    Character(String),
    /// A quoted text, as it stands, with its quotes.
    Quoted(String),
    /// A text in backticks, without them.
    Raw(String),
}

const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];

/// Splits a template into tokens.
pub(super) fn tokens(template: &str) -> Result<Vec<Token>, Fault> {
    let (mut tokens, mut rest) = (Vec::new(), template);
    loop {
        let Some(open) = rest.find("{{") else {
            push_text(&mut tokens, rest);
            return Ok(tokens);
        };
        let (mut text, mut action) = (&rest[..open], &rest[open + 2..]);
        let is_trimmed = action.starts_with('-') && action[1..].starts_with(BLANKS);
        if is_trimmed {
            text = text.trim_end_matches(BLANKS);
        }
        push_text(&mut tokens, text);
        let marker = if is_trimmed { 2 } else { 0 };
        if let Some(comment) = action[marker..].strip_prefix("/*") {
            let end = comment
                .find("*/")
                .ok_or_else(|| Fault::invalid("a comment is not closed"))?;
            rest = close(&comment[end + 2..]).ok_or_else(|| Fault::invalid("a comment ends before its action does"))?;
            continue;
        }
        action = &action[marker..];
        tokens.push(Token::Open);
        rest = Action { rest: action, depth: 0 }.read(&mut tokens)?;
    }
}

fn push_text(tokens: &mut Vec<Token>, text: &str) {
    if !text.is_empty() {
        tokens.push(Token::Text(text.to_owned()));
    }
}

/// Returns what follows the end of an action, if there is one here.
fn close(rest: &str) -> Option<&str> {
    if let Some(after) = rest.strip_prefix(BLANKS).and_then(|rest| rest.strip_prefix("-}}")) {
        return Some(after.trim_start_matches(BLANKS));
    }
    rest.strip_prefix("}}")
}

/// An action being read.
struct Action<'t> {
    rest: &'t str,
    /// How many parentheses are open.
    depth: usize,
}

impl<'t> Action<'t> {
    /// Reads to the end of the action, and returns the text behind it.
    fn read(&mut self, tokens: &mut Vec<Token>) -> Result<&'t str, Fault> {
        loop {
            if let Some(after) = close(self.rest) {
                if self.depth > 0 {
                    return Err(Fault::invalid("a parenthesis is not closed"));
                }
                tokens.push(Token::Close);
                return Ok(after);
            }
            let token = self.token()?;
            tokens.push(token);
        }
    }

    fn token(&mut self) -> Result<Token, Fault> {
        let first = self
            .rest
            .chars()
            .next()
            .ok_or_else(|| Fault::invalid("an action is not closed"))?;
        Ok(match first {
            blank if BLANKS.contains(&blank) => {
                let blanks = self.rest.len() - self.rest.trim_start_matches(BLANKS).len();
                // The last blank may belong to the mark that trims.
                let before_mark = self.rest[blanks..].starts_with("-}}") && blanks > 1;
                self.take(if before_mark { blanks - 1 } else { blanks });
                Token::Space
            }
            '=' => self.single(Token::Assign),
            '|' => self.single(Token::Pipe),
            ',' => self.single(Token::Comma),
            ':' if self.rest.starts_with(":=") => {
                self.take(2);
                Token::Declare
            }
            '(' => {
                self.depth += 1;
                self.single(Token::LeftParen)
            }
            ')' => {
                let left = self.depth.checked_sub(1);
                self.depth = left.ok_or_else(|| Fault::invalid("a right parenthesis closes nothing"))?;
                self.single(Token::RightParen)
            }
            '"' => Token::Quoted(self.quoted('"')?),
            '\'' => Token::Character(self.quoted('\'')?),
            '`' => {
                let end = self.rest[1..]
                    .find('`')
                    .ok_or_else(|| Fault::invalid("a text is not closed"))?;
                let text = self.take(end + 2);
                Token::Raw(text[1..text.len() - 1].to_owned())
            }
            '$' => Token::Variable(self.named()?),
            '.' if !self.rest[1..].starts_with(|next: char| next.is_ascii_digit()) => {
                let name = self.named()?;
                match &name[1..] {
                    "" => Token::Dot,
                    name => Token::Field(name.to_owned()),
                }
            }
            '.' | '+' | '-' | '0'..='9' => self.number()?,
            letter if is_word(letter) => {
                let end = self.word_end(0);
                let word = self.take(end).to_owned();
                self.check_end()?;
                Token::Word(word)
            }
            other => return Err(Fault::invalid(format!("unexpected {other:?} in an action"))),
        })
    }

    fn take(&mut self, length: usize) -> &'t str {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    fn single(&mut self, token: Token) -> Token {
        self.take(1);
        token
    }

    /// Takes a mark of one byte and the name behind it.
    fn named(&mut self) -> Result<String, Fault> {
        let end = self.word_end(1);
        let name = self.take(end).to_owned();
        self.check_end()?;
        Ok(name)
    }

    fn word_end(&self, from: usize) -> usize {
        let end = self.rest[from..].find(|next: char| !is_word(next));
        end.map_or(self.rest.len(), |end| from + end)
    }

    /// Refuses a name that something else follows at once.
    fn check_end(&self) -> Result<(), Fault> {
        let next = self.rest.chars().next();
        let ends = next.is_none_or(|next| BLANKS.contains(&next) || ".,|:)(".contains(next));
        if ends || self.rest.starts_with("}}") {
            return Ok(());
        }
        Err(Fault::invalid(format!(
            "unexpected {:?} after a name",
            next.unwrap_or_default()
        )))
    }

    fn quoted(&mut self, quote: char) -> Result<String, Fault> {
        let mut is_escaped = false;
        for (at, next) in self.rest.char_indices().skip(1) {
            match next {
                '\n' => break,
                _ if is_escaped => is_escaped = false,
                '\\' => is_escaped = true,
                _ if next == quote => return Ok(self.take(at + 1).to_owned()),
                _ => {}
            }
        }
        Err(Fault::invalid("a text is not closed"))
    }

    fn number(&mut self) -> Result<Token, Fault> {
        let bytes = self.rest.as_bytes();
        let mut end = usize::from(matches!(bytes[0], b'+' | b'-'));
        let hexadecimal = self.rest[end..].starts_with("0x") || self.rest[end..].starts_with("0X");
        while let Some(next) = bytes.get(end) {
            let is_sign = matches!(next, b'+' | b'-');
            let exponents: &[u8] = if hexadecimal { b"pP" } else { b"eE" };
            if is_sign && !exponents.contains(&bytes[end.saturating_sub(1)]) {
                break;
            }
            if !is_sign && !next.is_ascii_alphanumeric() && !matches!(next, b'.' | b'_') {
                break;
            }
            end += 1;
        }
        let number = self.take(end).to_owned();
        let is_word_next = self.rest.chars().next().is_some_and(is_word);
        if is_word_next || self.rest.starts_with(['+', '-']) {
            return Err(Fault::invalid(format!("`{number}` is not a number")));
        }
        Ok(Token::Number(number))
    }
}

/// Reports whether a character belongs to a name.
fn is_word(character: char) -> bool {
    character == '_' || character.is_alphabetic() || character.is_numeric()
}
