//! A disk that keeps what was synced, and may keep or lose everything else.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::recording::{Act, Event, Recording};
use crate::support::dice::Dice;

/// What a disk writes whole or not at all.
const SECTOR: usize = 512;

/// A sync that says that it has been made, and has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lie {
    File,
    Log,
    Folder,
}

/// The files of one folder.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    lie: Option<Lie>,
    files: Vec<Content>,
    /// Which file each name is, on the disk for certain; and as the process sees it.
    names: BTreeMap<PathBuf, usize>,
    seen: BTreeMap<PathBuf, usize>,
    /// Names that were given and taken since the folder was synced.
    unsure: Vec<(usize, PathBuf, Option<usize>)>,
    /// What each sync under way will have made sure of.
    syncing: BTreeMap<usize, Vec<usize>>,
    answered: std::collections::BTreeSet<usize>,
}

#[derive(Debug, Default)]
struct Content {
    /// On the disk for certain.
    synced: Vec<u8>,
    /// Acts that were begun, and that no sync has made sure of.
    unsure: Vec<usize>,
}

impl Disk {
    /// A disk that lies about its syncs of one kind.
    pub(crate) fn that_lies(lie: Option<Lie>) -> Self {
        Disk { lie, ..Disk::default() }
    }

    pub(crate) fn pass(&mut self, recording: &Recording, event: Event) {
        match event {
            Event::Asked(number) => self.asked(recording, number),
            Event::Answered(number) => self.answered(recording, number),
        }
    }

    fn asked(&mut self, recording: &Recording, number: usize) {
        match &recording.acts[number] {
            Act::Open(path) if !path.as_os_str().is_empty() && !self.seen.contains_key(path) => {
                self.seen.insert(path.clone(), self.files.len());
                self.unsure.push((number, path.clone(), Some(self.files.len())));
                self.files.push(Content::default());
            }
            Act::Remove(path) => {
                self.seen.remove(path);
                self.unsure.push((number, path.clone(), None));
            }
            Act::Write { file, .. } | Act::Truncate { file, .. } => self.file(file).unsure.push(number),
            Act::Sync(path) => {
                // Only what has been answered is made sure of.
                let unsure = match self.seen.get(path) {
                    Some(file) => self.files[*file].unsure.clone(),
                    None => self.unsure.iter().map(|(number, ..)| *number).collect(),
                };
                let sure = unsure.into_iter().filter(|number| self.answered.contains(number)).collect();
                self.syncing.insert(number, sure);
            }
            Act::Open(_) | Act::Say(_) => {}
        }
    }

    fn answered(&mut self, recording: &Recording, number: usize) {
        self.answered.insert(number);
        let (Act::Sync(path), Some(sure)) = (&recording.acts[number], self.syncing.remove(&number)) else { return };
        let what = match path.extension().and_then(std::ffi::OsStr::to_str) {
            Some("db") => Lie::File,
            None => Lie::Folder,
            Some(_) => Lie::Log,
        };
        if self.lie == Some(what) {
            return;
        }
        if self.seen.contains_key(path) {
            let file = self.file(path);
            for number in &sure {
                apply(&mut file.synced, &recording.acts[*number], usize::MAX);
            }
            file.unsure.retain(|number| !sure.contains(number));
        } else {
            let (names, unsure) = (&mut self.names, &mut self.unsure);
            unsure.retain(|(number, path, file)| {
                let is_sure = sure.contains(number);
                if is_sure {
                    rename(names, path, *file);
                }
                !is_sure
            });
        }
    }

    fn file(&mut self, path: &Path) -> &mut Content {
        let number = *self.seen.get(path).unwrap_or_else(|| panic!("{} was never opened", path.display()));
        &mut self.files[number]
    }

    /// What may be on the disk if the power is cut now, by name.
    pub(crate) fn after_a_cut(&self, recording: &Recording, dice: &mut Dice) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut names = self.names.clone();
        let kept = dice.below(self.unsure.len() as u64 + 1);
        for (_, path, file) in self.unsure.iter().take(usize::try_from(kept).unwrap()) {
            rename(&mut names, path, *file);
        }
        names.into_iter().map(|(path, file)| (path, self.files[file].after_a_cut(recording, dice))).collect()
    }
}

fn rename(names: &mut BTreeMap<PathBuf, usize>, path: &Path, file: Option<usize>) {
    match file {
        Some(file) => names.insert(path.to_owned(), file),
        None => names.remove(path),
    };
}

impl Content {
    fn after_a_cut(&self, recording: &Recording, dice: &mut Dice) -> Vec<u8> {
        let mut bytes = self.synced.clone();
        // None of it, all of it, nearly all of it, any of it.
        let often = *dice.one_of(&[0, 100, 95, 50]);
        let last = self.unsure.last().copied();
        for number in &self.unsure {
            let act = &recording.acts[*number];
            if Some(*number) == last && dice.percent(50) {
                apply(&mut bytes, act, torn(act, dice));
            } else if dice.percent(often) {
                apply(&mut bytes, act, usize::MAX);
            }
        }
        bytes
    }
}

/// How much of a write reached the disk: to the end of some sector.
fn torn(act: &Act, dice: &mut Dice) -> usize {
    let Act::Write { offset, bytes, .. } = act else { return usize::MAX };
    let sectors = (offset + bytes.len()).div_ceil(SECTOR) - offset / SECTOR;
    let whole = usize::try_from(dice.below(sectors as u64)).unwrap();
    ((offset / SECTOR + whole) * SECTOR).saturating_sub(*offset)
}

/// Does what an act does, as far as `most` bytes of it.
fn apply(content: &mut Vec<u8>, act: &Act, most: usize) {
    match act {
        Act::Truncate { size, .. } => content.resize(*size, 0),
        Act::Write { offset, bytes, .. } => {
            let bytes = &bytes[..bytes.len().min(most)];
            let end = offset + bytes.len();
            if bytes.is_empty() {
                return;
            }
            if content.len() < end {
                content.resize(end, 0);
            }
            content[*offset..end].copy_from_slice(bytes);
        }
        _ => {}
    }
}
