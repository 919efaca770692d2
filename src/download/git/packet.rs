//! The lines of git's protocol, each behind its length in four hexadecimal digits
//! ([source](https://git-scm.com/docs/protocol-common#_pkt_line_format)).

use anyhow::{Context, Result, bail};

/// A line, or what stands between lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packet<'b> {
    /// The end of a message.
    Flush,
    /// The end of a section.
    Delimiter,
    /// A line.
    Line(&'b [u8]),
}

/// Takes packets apart.
pub(super) struct Packets<'b>(pub(super) &'b [u8]);

impl<'b> Packets<'b> {
    /// Returns the next packet; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Packet<'b>>> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let broken = "git's server sends something that is not its protocol";
        let length = self.0.get(..4).and_then(|digits| std::str::from_utf8(digits).ok());
        let length = length
            .and_then(|digits| usize::from_str_radix(digits, 16).ok())
            .context(broken)?;
        let (packet, end) = match length {
            0 => (Packet::Flush, 4),
            1 | 2 => (Packet::Delimiter, 4),
            3 => bail!(broken),
            _ => (Packet::Line(self.0.get(4..length).context(broken)?), length),
        };
        self.0 = &self.0[end..];
        Ok(Some(packet))
    }

    /// Returns the next line without its end, `None` at the end of a section; an error of the server is one.
    pub(super) fn line(&mut self) -> Result<Option<&'b str>> {
        let Some(Packet::Line(line)) = self.next()? else {
            return Ok(None);
        };
        let line = std::str::from_utf8(line).context("git's server sends something that is not UTF-8")?;
        let line = line.trim_end_matches('\n');
        match line.strip_prefix("ERR ") {
            Some(message) => bail!("git's server says: {message}"),
            None => Ok(Some(line)),
        }
    }
}

/// Returns a line as it is sent.
pub(super) fn line(text: &str) -> String {
    format!("{:04x}{text}\n", text.len() + 5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_written_and_read() {
        assert_eq!(line("want a"), "000bwant a\n");
        let mut packets = Packets(b"000bwant a\n00010006ab0000");
        assert_eq!(packets.next().unwrap(), Some(Packet::Line(b"want a\n")));
        assert_eq!(packets.next().unwrap(), Some(Packet::Delimiter));
        assert_eq!(packets.next().unwrap(), Some(Packet::Line(b"ab")));
        assert_eq!(packets.next().unwrap(), Some(Packet::Flush));
        assert_eq!(packets.next().unwrap(), None);
        for broken in ["<html>", "00", "0003", "0010ab", "-001"] {
            assert!(Packets(broken.as_bytes()).next().is_err(), "{broken}");
        }
        let refused = Packets(b"000eERR no one").line().unwrap_err();
        assert!(refused.to_string().ends_with("no one"));
    }
}
