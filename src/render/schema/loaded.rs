//! The schemas that helm loads with a chart: its own and those of its subcharts, unpacked or packed, and no others
//! ([source](https://github.com/helm/helm/blob/main/pkg/chart/v2/loader/load.go)).

use std::io::Read;

use anyhow::{Context, Result, anyhow, bail};
use flate2::read::MultiGzDecoder;
use tar::EntryType;

use super::ignore::Ignored;
use crate::repo::{Files, RepoPath};

pub(super) const SCHEMA: &str = "values.schema.json";
const CHARTS: &str = "charts/";
const PACKED: &str = ".tgz";
/// The first bytes of a packed chart.
const GZIP: &[u8] = b"\x1f\x8b";
/// The limit of helm for what is in a packed chart, in bytes. Here it is for the charts in it, too.
const LARGEST: u64 = 100 << 20;
/// The maximum number of folders that are searched: symbolic links can make a small repository endless.
const MOST_FOLDERS: usize = 10_000;

/// A schema that helm loads.
pub(super) struct Schema {
    /// The file, also where it is in a packed chart: `player/charts/lib-1.0.0.tgz/values.schema.json`.
    pub(super) place: String,
    pub(super) bytes: Vec<u8>,
}

/// Finds the schemas of a chart in a folder.
///
/// # Errors
/// When a file cannot be read, or a packed chart cannot be unpacked.
pub(super) fn schemas(files: &dyn Files, chart: &RepoPath) -> Result<Vec<Schema>> {
    let ignored = files.read(&chart.join(".helmignore")?)?.unwrap_or_default();
    let mut folder = Folder {
        files,
        chart,
        ignored: Ignored::read(&ignored),
        names: Vec::new(),
        folders: 0,
    };
    folder.search("")?;
    let mut found = Vec::new();
    for name in loaded(&folder.names) {
        let path = chart.join(name)?;
        let bytes = files.read(&path)?.unwrap_or_default();
        if name.ends_with(PACKED) {
            found.extend(in_packed(&path.to_string(), &bytes, &mut LARGEST.clone())?);
        } else {
            let place = path.to_string();
            found.push(Schema { place, bytes });
        }
    }
    Ok(found)
}

/// A chart's folder, in which files are searched as helm does.
struct Folder<'f> {
    files: &'f dyn Files,
    chart: &'f RepoPath,
    ignored: Ignored,
    /// The files that can be schemas or packed charts, by their paths in the folder.
    names: Vec<String>,
    folders: usize,
}

impl Folder<'_> {
    fn search(&mut self, folder: &str) -> Result<()> {
        self.folders += 1;
        if self.folders > MOST_FOLDERS {
            bail!("the chart has more than {MOST_FOLDERS} folders; do symbolic links lead in a circle?");
        }
        for entry in self.files.list(&self.chart.join(folder)?)?.unwrap_or_default() {
            let name = format!("{folder}{}", entry.name);
            if self.ignored.has(&name, entry.is_folder) {
                continue;
            }
            if entry.is_folder && format!("{name}/").starts_with(CHARTS) {
                self.search(&format!("{name}/"))?;
            } else if !entry.is_folder && (entry.name == SCHEMA || entry.name.ends_with(PACKED)) {
                self.names.push(name);
            }
        }
        Ok(())
    }
}

/// Returns the files that helm loads as schemas or packed charts, of all files of a chart.
fn loaded(names: &[String]) -> Vec<&str> {
    names
        .iter()
        .map(String::as_str)
        .filter(|name| is_loaded(name))
        .collect()
}

fn is_loaded(name: &str) -> bool {
    if name == SCHEMA {
        return true;
    }
    let Some(below) = name.strip_prefix(CHARTS) else {
        return false;
    };
    match below.split_once('/') {
        _ if below.starts_with(['_', '.']) => false,
        Some((_, below)) => is_loaded(below),
        None => below.ends_with(PACKED),
    }
}

/// Finds the schemas in a packed chart; none in a file that helm takes for none, which is its error. `left` is how many bytes may still be unpacked.
fn in_packed(place: &str, bytes: &[u8], left: &mut u64) -> Result<Vec<Schema>> {
    if !bytes.starts_with(GZIP) {
        return Ok(Vec::new());
    }
    let unreadable = || format!("`{place}` cannot be read as a packed chart");
    let mut found = Vec::new();
    let mut archive = tar::Archive::new(MultiGzDecoder::new(bytes).take(*left));
    for entry in archive.entries().with_context(unreadable)? {
        let mut entry = entry.with_context(unreadable)?;
        let name = entry_name(&mut entry).with_context(unreadable)?;
        let too_large = || anyhow!("`{place}` holds more than {LARGEST} bytes");
        *left = left.checked_sub(entry.size()).with_context(too_large)?;
        let Some(name) = name.filter(|name| is_loaded(name)) else {
            continue;
        };
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).with_context(unreadable)?;
        let place = format!("{place}/{name}");
        if name.ends_with(PACKED) {
            found.extend(in_packed(&place, &bytes, left)?);
        } else {
            found.push(Schema { place, bytes });
        }
    }
    Ok(found)
}

/// Returns the path in the chart of an entry of a packed chart; `None` for one without contents.
///
/// # Errors
/// When another reader could take the entry for something else: what is not checked must not be loaded.
pub fn entry_name<R: Read>(entry: &mut tar::Entry<'_, R>) -> Result<Option<String>> {
    let header = entry.header();
    let kind = header.entry_type();
    // A format of its own, in which the path ends earlier.
    if header.as_bytes()[508..] == *b"tar\0" {
        bail!("it is in the format of `star`");
    }
    let has_contents = match kind {
        EntryType::Regular | EntryType::Continuous => true,
        EntryType::Directory
        | EntryType::Link
        | EntryType::Symlink
        | EntryType::Char
        | EntryType::Block
        | EntryType::Fifo
            if entry.size() == 0 =>
        {
            false
        }
        EntryType::XGlobalHeader => return Ok(None),
        _ => bail!("an entry is of a kind that no chart has"),
    };
    let mut keys = Vec::new();
    for extension in entry.pax_extensions()?.into_iter().flatten() {
        let key = extension?.key_bytes().to_vec();
        if keys.contains(&key) || key.starts_with(b"GNU.sparse") {
            bail!("an entry has headers that no chart has");
        }
        keys.push(key);
    }
    let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
    let delimiter = if path.contains('\\') { '\\' } else { '/' };
    let (_, below) = path.split_once(delimiter).unwrap_or_default();
    let path = RepoPath::root().join(below.replace(delimiter, "/").trim_start_matches('/'))?;
    Ok(has_contents.then(|| path.as_str().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::Memory;

    fn packed(files: &[(&str, &[u8])]) -> Vec<u8> {
        let gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        let mut archive = tar::Builder::new(gzip);
        for (path, bytes) in files {
            let mut header = tar::Header::new_ustar();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            archive.append_data(&mut header, path, *bytes).unwrap();
        }
        archive.into_inner().unwrap().finish().unwrap()
    }

    fn places(files: &Memory) -> Vec<String> {
        let found = schemas(files, &RepoPath::new("player").unwrap()).unwrap();
        found.into_iter().map(|schema| schema.place).collect()
    }

    #[test]
    fn those_of_the_chart_and_its_subcharts_are_found_and_no_others() {
        let files = Memory::new([
            ("player/values.schema.json", "{}"),
            ("player/examples/values.schema.json", "{}"),
            ("player/templates/values.schema.json", "{}"),
            ("player/charts/values.schema.json", "{}"),
            ("player/charts/sub/values.schema.json", "{}"),
            ("player/charts/sub/examples/values.schema.json", "{}"),
            ("player/charts/sub/charts/deep/values.schema.json", "{}"),
            ("player/charts/_off/values.schema.json", "{}"),
            ("player/charts/.off/values.schema.json", "{}"),
            ("other/values.schema.json", "{}"),
        ]);
        assert_eq!(
            places(&files.unwrap()),
            [
                "player/charts/sub/charts/deep/values.schema.json",
                "player/charts/sub/values.schema.json",
                "player/values.schema.json"
            ]
        );
    }

    #[test]
    fn what_helm_ignores_is_passed_by() {
        for (rules, expected) in [
            (
                "charts/old/\n",
                &["player/charts/new/values.schema.json", "player/values.schema.json"][..],
            ),
            (
                "/values.schema.json\n",
                &[
                    "player/charts/new/values.schema.json",
                    "player/charts/old/values.schema.json",
                ],
            ),
            ("values.schema.json", &[]),
            ("charts", &["player/values.schema.json"]),
        ] {
            let mut files = Memory::new([
                ("player/values.schema.json", "{}"),
                ("player/charts/old/values.schema.json", "{}"),
                ("player/charts/new/values.schema.json", "{}"),
                // Helm reads that of the outermost chart alone.
                ("player/charts/new/.helmignore", "*"),
            ])
            .unwrap();
            let path = RepoPath::new("player/.helmignore").unwrap();
            files.0.insert(path, rules.as_bytes().to_vec());
            assert_eq!(places(&files), expected, "{rules}");
        }
    }

    #[test]
    fn packed_charts_are_unpacked_however_deep() {
        let deep = packed(&[("deep/values.schema.json", b"{}"), ("deep/Chart.yaml", b"name: deep")]);
        let sub = packed(&[
            ("sub/values.schema.json", b"{}"),
            ("sub/examples/values.schema.json", b"{}"),
            ("sub/charts/_off.tgz", &deep),
            ("sub/charts/deep-1.0.0.tgz", &deep),
            ("sub/charts/plain/values.schema.json", b"{}"),
        ]);
        let mut files = Memory::new([("player/Chart.yaml", "name: player")]).unwrap();
        for path in ["player/charts/sub-1.0.0.tgz", "player/other/sub-1.0.0.tgz"] {
            files.0.insert(RepoPath::new(path).unwrap(), sub.clone());
        }
        assert_eq!(
            places(&files),
            [
                "player/charts/sub-1.0.0.tgz/values.schema.json",
                "player/charts/sub-1.0.0.tgz/charts/deep-1.0.0.tgz/values.schema.json",
                "player/charts/sub-1.0.0.tgz/charts/plain/values.schema.json"
            ]
        );
    }

    #[test]
    fn what_two_readers_could_read_differently_is_an_error() {
        let of = |bytes: Vec<u8>| {
            let mut files = Memory::new([("player/Chart.yaml", "name: player")]).unwrap();
            files.0.insert(RepoPath::new("player/charts/sub.tgz").unwrap(), bytes);
            let found = schemas(&files, &RepoPath::new("player").unwrap());
            found.map(|found| found.len()).map_err(|error| format!("{error:#}"))
        };
        let entry = |change: fn(&mut tar::Header)| {
            let gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            let mut archive = tar::Builder::new(gzip);
            let mut header = tar::Header::new_ustar();
            header.set_size(2);
            header.set_path("sub/values.schema.json").unwrap();
            change(&mut header);
            header.set_cksum();
            archive.append(&header, &b"{}"[..]).unwrap();
            archive.into_inner().unwrap().finish().unwrap()
        };
        assert_eq!(of(entry(|_| {})), Ok(1));
        assert_eq!(of(b"no gzip".to_vec()), Ok(0), "helm says so");
        for bytes in [
            b"\x1f\x8bno gzip".to_vec(),
            entry(|header| header.as_mut_bytes()[508..].copy_from_slice(b"tar\0")),
            entry(|header| header.set_entry_type(EntryType::Directory)),
            entry(|header| header.set_entry_type(EntryType::GNUSparse)),
        ] {
            let error = of(bytes).unwrap_err();
            assert!(
                error.starts_with("`player/charts/sub.tgz` cannot be read as a packed chart"),
                "{error}"
            );
        }
    }
}
