//! Objects of git as a server sends them: compressed, and as differences from each other
//! ([source](https://git-scm.com/docs/gitformat-pack)).

use std::collections::HashMap;
use std::io::Read;

use anyhow::{Context, Result, bail, ensure};
use base16ct::lower;
use flate2::bufread::ZlibDecoder;
use sha1::{Digest, Sha1};

/// The most bytes of all objects.
const LARGEST: usize = 512 << 20;
const BROKEN: &str = "git's server sends objects that cannot be read";
/// The length of a digest.
const DIGEST: usize = 20;

/// The kind of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Commit,
    Tree,
    Blob,
    Tag,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Commit => "commit",
            Self::Tree => "tree",
            Self::Blob => "blob",
            Self::Tag => "tag",
        }
    }
}

/// An object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Object {
    pub(super) kind: Kind,
    pub(super) bytes: Vec<u8>,
}

/// What a difference is from.
enum From {
    Offset(usize),
    Id(String),
}

/// The objects of a pack, by their names.
pub(super) struct Objects(HashMap<String, Object>);

impl Objects {
    /// Reads a pack. Each object gets the name that its content has, and nothing in it is taken for what it is not.
    ///
    /// # Errors
    /// When it is damaged, or too large.
    pub(super) fn read(pack: &[u8]) -> Result<Self> {
        let end = pack.len().checked_sub(DIGEST).context(BROKEN)?;
        let (body, digest) = pack.split_at(end);
        ensure!(Sha1::digest(body)[..] == *digest && body.starts_with(b"PACK"), BROKEN);
        let number = |at: usize| -> Result<u32> {
            let bytes = body.get(at..at + 4).context(BROKEN)?;
            Ok(u32::from_be_bytes(bytes.try_into()?))
        };
        ensure!(matches!(number(4)?, 2 | 3), BROKEN);
        let mut reading = Reading {
            body,
            at: 12,
            left: LARGEST,
            by_offset: HashMap::new(),
            objects: HashMap::new(),
        };
        for _ in 0..number(8)? {
            reading.object()?;
        }
        Ok(Self(reading.objects))
    }

    /// Returns an object of a kind.
    pub(super) fn get(&self, id: &str, kind: Kind) -> Result<&[u8]> {
        let object = self.0.get(id).filter(|object| object.kind == kind);
        Ok(&object
            .with_context(|| format!("git's server does not send the {} `{id}`", kind.name()))?
            .bytes)
    }

    /// Returns the name of the commit that an object is, or that a tag is of.
    pub(super) fn commit(&self, id: &str) -> Result<String> {
        let mut id = id.to_owned();
        // A tag may be of a tag.
        for _ in 0..10 {
            let Some(Object { kind: Kind::Tag, bytes }) = self.0.get(&id) else {
                return Ok(id);
            };
            id = field(bytes, "object")?.to_owned();
        }
        bail!(BROKEN)
    }

    /// Returns the name of a commit's tree.
    pub(super) fn tree(&self, commit: &str) -> Result<&str> {
        field(self.get(commit, Kind::Commit)?, "tree")
    }
}

/// Returns the object that the first line of a commit or a tag names.
fn field<'b>(bytes: &'b [u8], name: &str) -> Result<&'b str> {
    let line = bytes
        .split(|byte| *byte == b'\n')
        .next()
        .and_then(|line| std::str::from_utf8(line).ok());
    let id = line
        .and_then(|line| line.strip_prefix(name)?.strip_prefix(' '))
        .context(BROKEN)?;
    super::checked_id(id)
}

struct Reading<'p> {
    body: &'p [u8],
    at: usize,
    left: usize,
    by_offset: HashMap<usize, String>,
    objects: HashMap<String, Object>,
}

impl Reading<'_> {
    fn byte(&mut self) -> Result<u8> {
        let byte = *self.body.get(self.at).context(BROKEN)?;
        self.at += 1;
        Ok(byte)
    }

    fn object(&mut self) -> Result<()> {
        let start = self.at;
        let mut byte = self.byte()?;
        let kind = byte >> 4 & 7;
        let (mut size, mut shift) = (usize::from(byte & 15), 4);
        while byte & 0x80 != 0 {
            byte = self.byte()?;
            ensure!(shift < 40, BROKEN);
            size |= usize::from(byte & 0x7f) << shift;
            shift += 7;
        }
        let plain = match kind {
            1 => Ok(Kind::Commit),
            2 => Ok(Kind::Tree),
            3 => Ok(Kind::Blob),
            4 => Ok(Kind::Tag),
            6 => Err(From::Offset(start.checked_sub(self.distance()?).context(BROKEN)?)),
            7 => Err(From::Id(self.id()?)),
            _ => bail!(BROKEN),
        };
        let bytes = self.inflated(size)?;
        let object = match plain {
            Ok(kind) => Object { kind, bytes },
            Err(from) => self.applied(&from, &bytes)?,
        };
        let mut digest = Sha1::new();
        digest.update(format!("{} {}\0", object.kind.name(), object.bytes.len()));
        digest.update(&object.bytes);
        let id = lower::encode_string(&digest.finalize());
        self.by_offset.insert(start, id.clone());
        self.objects.insert(id, object);
        Ok(())
    }

    /// Reads how far back the object is that a difference is from.
    fn distance(&mut self) -> Result<usize> {
        let mut byte = self.byte()?;
        let mut distance = usize::from(byte & 0x7f);
        while byte & 0x80 != 0 {
            byte = self.byte()?;
            ensure!(distance < self.body.len(), BROKEN);
            distance = (distance + 1) << 7 | usize::from(byte & 0x7f);
        }
        Ok(distance)
    }

    fn id(&mut self) -> Result<String> {
        let bytes = self.body.get(self.at..self.at + DIGEST).context(BROKEN)?;
        self.at += DIGEST;
        Ok(lower::encode_string(bytes))
    }

    fn inflated(&mut self, size: usize) -> Result<Vec<u8>> {
        self.take(size)?;
        let mut decoder = ZlibDecoder::new(self.body.get(self.at..).context(BROKEN)?);
        let mut bytes = Vec::new();
        decoder
            .by_ref()
            .take(size as u64 + 1)
            .read_to_end(&mut bytes)
            .context(BROKEN)?;
        ensure!(bytes.len() == size, BROKEN);
        self.at += usize::try_from(decoder.total_in())?;
        Ok(bytes)
    }

    fn take(&mut self, size: usize) -> Result<()> {
        let left = self.left.checked_sub(size);
        self.left = left.with_context(|| format!("the repository holds more than {LARGEST} bytes"))?;
        Ok(())
    }

    fn applied(&mut self, from: &From, delta: &[u8]) -> Result<Object> {
        let id = match from {
            From::Offset(at) => self.by_offset.get(at),
            From::Id(id) => Some(id),
        };
        // A server sends an object before what differs from it, as no object is here already.
        let base = id.and_then(|id| self.objects.get(id)).context(BROKEN)?;
        let (kind, bytes) = (base.kind, applied(&base.bytes, delta, self.left)?);
        self.take(bytes.len())?;
        Ok(Object { kind, bytes })
    }
}

/// Applies a difference.
fn applied(base: &[u8], delta: &[u8], most: usize) -> Result<Vec<u8>> {
    let mut rest = delta;
    let mut byte = || -> Result<u8> {
        let (first, behind) = rest.split_first().context(BROKEN)?;
        rest = behind;
        Ok(*first)
    };
    let mut size = || -> Result<usize> {
        let (mut size, mut shift) = (0, 0);
        loop {
            let next = byte()?;
            ensure!(shift < 40, BROKEN);
            size |= usize::from(next & 0x7f) << shift;
            shift += 7;
            if next & 0x80 == 0 {
                return Ok(size);
            }
        }
    };
    let (before, after) = (size()?, size()?);
    ensure!(before == base.len() && after <= most, BROKEN);
    let mut bytes = Vec::new();
    while let Some((command, behind)) = rest.split_first() {
        rest = behind;
        let piece = match command {
            0 => bail!(BROKEN),
            length if length & 0x80 == 0 => {
                let (piece, behind) = rest.split_at_checked(usize::from(*length)).context(BROKEN)?;
                rest = behind;
                piece
            }
            _ => {
                let mut number = |bits: std::ops::Range<u32>| -> Result<usize> {
                    let mut value = 0;
                    for (place, bit) in bits.enumerate() {
                        if command >> bit & 1 == 1 {
                            let (byte, behind) = rest.split_first().context(BROKEN)?;
                            rest = behind;
                            value |= usize::from(*byte) << (8 * place);
                        }
                    }
                    Ok(value)
                };
                let (offset, length) = (number(0..4)?, number(4..7)?);
                let length = if length == 0 { 0x10000 } else { length };
                base.get(offset..offset + length).context(BROKEN)?
            }
        };
        ensure!(bytes.len() + piece.len() <= after, BROKEN);
        bytes.extend_from_slice(piece);
    }
    ensure!(bytes.len() == after, BROKEN);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_copy_and_insert() {
        let base = b"hello world";
        // Eleven bytes become ten: six of them copied from the start, and four new ones.
        let delta = [11, 10, 0b1001_0000, 6, 4, b'g', b'i', b't', b'!'];
        assert_eq!(applied(base, &delta, 100).unwrap(), b"hello git!");
        for broken in [
            &delta[..8],
            &[11, 10],
            &[10, 10, 0x90, 6],
            &[11, 4, 0x90, 200],
            &[11, 1, 0],
            &[11, 200, 0x90, 6],
        ] {
            assert!(applied(base, broken, 100).is_err(), "{broken:?}");
        }
        assert!(applied(base, &delta, 9).is_err(), "it is too large");
    }

    #[test]
    fn what_is_damaged_is_refused() {
        let mut pack = b"PACK\0\0\0\x02\0\0\0\0".to_vec();
        let digest = Sha1::digest(&pack);
        pack.extend_from_slice(&digest);
        assert!(Objects::read(&pack).is_ok());
        pack[4] = 1;
        assert!(Objects::read(&pack).is_err());
        assert!(Objects::read(b"").is_err());
    }
}
