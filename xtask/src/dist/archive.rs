//! Reproducible archives: they depend on nothing but their contents.

use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;

use anyhow::{Context, Result};
use flate2::{Compression, GzBuilder};

/// One file of an archive.
pub(super) struct Entry {
    path: String,
    bytes: Vec<u8>,
    mode: u32,
}

impl Entry {
    /// Returns an executable file.
    pub(super) fn program(path: &str, bytes: Vec<u8>) -> Self {
        Self {
            path: path.to_owned(),
            bytes,
            mode: 0o755,
        }
    }

    /// Returns a file that is not executable.
    pub(super) fn text(path: impl Into<String>, bytes: Vec<u8>) -> Self {
        Self {
            path: path.into(),
            bytes,
            mode: 0o644,
        }
    }
}

/// Returns a `.tar.gz` of the entries in their order, all owned by root and with one time.
pub(super) fn tar_gz(entries: &[Entry], time: u64) -> Result<Vec<u8>> {
    let mut builder = tar::Builder::new(GzBuilder::new().write(Vec::new(), Compression::default()));
    for entry in entries {
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(tar::EntryType::Regular);
        header.set_size(entry.bytes.len() as u64);
        header.set_mode(entry.mode);
        header.set_mtime(time);
        header.set_uid(0);
        header.set_gid(0);
        builder
            .append_data(&mut header, &entry.path, entry.bytes.as_slice())
            .with_context(|| format!("cannot pack {}", entry.path))?;
    }
    Ok(builder.into_inner()?.finish()?)
}

/// Returns a `.zip` of the entries in their order, all with one time.
pub(super) fn zip(entries: &[Entry], time: u64) -> Result<Vec<u8>> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for entry in entries {
        let options = zip::write::SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Deflated)
            .last_modified_time(date(time)?)
            .unix_permissions(entry.mode);
        writer
            .start_file(entry.path.as_str(), options)
            .with_context(|| format!("cannot pack {}", entry.path))?;
        writer.write_all(&entry.bytes)?;
    }
    Ok(writer.finish()?.into_inner())
}

/// Converts seconds since 1970 to a date in UTC, as zip stores it.
fn date(time: u64) -> Result<zip::DateTime> {
    let (days, seconds) = (time / 86_400, time % 86_400);
    // Days since 0000-03-01 of the Gregorian calendar, in which February is the last month.
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let small = |number: u64| u8::try_from(number).context("a part of a date is small");
    zip::DateTime::from_date_and_time(
        u16::try_from(year)?,
        small(month)?,
        small(day)?,
        small(seconds / 3_600)?,
        small(seconds / 60 % 60)?,
        small(seconds % 60)?,
    )
    .with_context(|| format!("zip cannot store the time {time}: its times start in 1980"))
}

/// Writes an executable file.
pub(super) fn write_program(path: &Path, bytes: &[u8]) -> Result<()> {
    // A running program cannot be written to.
    let _ = fs::remove_file(path);
    fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_become_dates() {
        for (time, wanted) in [
            (315_532_800, (1980, 1, 1, 0, 0, 0)),
            (951_782_400, (2000, 2, 29, 0, 0, 0)),
            (1_767_225_598, (2025, 12, 31, 23, 59, 58)),
        ] {
            let date = date(time).unwrap();
            let found = (
                date.year(),
                date.month(),
                date.day(),
                date.hour(),
                date.minute(),
                date.second(),
            );
            assert_eq!(found, wanted);
        }
        assert!(date(0).unwrap_err().to_string().contains("1980"));
    }

    #[test]
    fn a_tar_has_plain_files_of_root() {
        let entries = [
            Entry::program("p", b"run".to_vec()),
            Entry::text("a/b", b"read".to_vec()),
        ];
        let bytes = tar_gz(&entries, 1_000_000_000).unwrap();
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(bytes.as_slice()));
        let found: Vec<_> = archive
            .entries()
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                let header = entry.header();
                (
                    entry.path().unwrap().into_owned(),
                    header.mode().unwrap(),
                    header.mtime().unwrap(),
                    header.uid().unwrap(),
                )
            })
            .collect();
        assert_eq!(
            found,
            [
                ("p".into(), 0o755, 1_000_000_000, 0),
                ("a/b".into(), 0o644, 1_000_000_000, 0)
            ]
        );
    }
}
