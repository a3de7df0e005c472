//! Goes through oplog entries and sorts them: what is wanted goes on as it is or as an operation for applyOps, what needs a decision is handed back.

use std::collections::HashMap;

use crate::entry::{Entry, Position, read_entry};
use crate::segment::{Cursor, DecimalKey, Fault, SMALLEST_DOCUMENT, Segment, check_frame, element_at, length_at};

/// How entries stand in the bytes that are gone through.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Container {
    /// A BSON array of entries, as a cursor's batch.
    Batch,
    /// Entries one after another, as in a segment.
    Segment,
    /// A BSON array of operations, as within applyOps: they have no timestamps of their own.
    Operations,
}

/// Why going through entries paused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pause {
    Drained = 0,
    /// There is no more room in what is filled.
    Full = 1,
    /// The entry is a command, or of a namespace that is asked about each time.
    Command = 2,
    /// Nothing was decided yet on the entry's namespace.
    Undecided = 3,
    /// The entry is behind the limit.
    Beyond = 4,
    /// The first entry isn't the expected one.
    Unexpected = 5,
}

/// What becomes of a namespace's entries.
enum Decision {
    Skip,
    /// Kept under this name; without the deletes where the second says so.
    Keep(Vec<u8>, bool),
    Ask,
}

#[derive(Default, Clone, Copy)]
pub struct Count {
    pub entries: u64,
    pub bytes: u64,
}

/// Operations of which nothing is replayed: no-ops, and records of the storage engine's own.
const UNREPLAYED: [&[u8]; 5] = [b"n", b"ci", b"cu", b"cd", b"km"];

/// Goes through entries; remembers where it is, and what it kept of which namespace.
pub struct Scanner {
    decisions: HashMap<Vec<u8>, Decision>,
    pub counts: HashMap<Vec<u8>, Count>,
    pub last: Position,
    limit: (u32, u32),
    expected: Option<Position>,
    pub first_kept: Option<Position>,
    pub last_kept: Position,
    /// The entry that made it pause.
    pub at: usize,
    pub length: usize,
    pub found: Position,
    pub skipped: u64,
}

/// Where wanted entries go.
pub trait Sink {
    /// False where there is no room.
    fn take(&mut self, document: &[u8], entry: &Entry, namespace: &[u8]) -> Result<bool, &'static str>;
}

impl Sink for Segment {
    fn take(&mut self, document: &[u8], _: &Entry, _: &[u8]) -> Result<bool, &'static str> {
        self.append(document)
    }
}

impl Scanner {
    pub fn new() -> Scanner {
        Scanner {
            decisions: HashMap::new(),
            counts: HashMap::new(),
            last: Position::default(),
            limit: (u32::MAX, u32::MAX),
            expected: None,
            first_kept: None,
            last_kept: Position::default(),
            at: 0,
            length: 0,
            found: Position::default(),
            skipped: 0,
        }
    }

    pub fn skip(&mut self, namespace: &[u8]) {
        self.decisions.insert(namespace.to_vec(), Decision::Skip);
    }

    pub fn keep(&mut self, namespace: &[u8], name: &[u8], without_deletes: bool) {
        self.decisions.insert(namespace.to_vec(), Decision::Keep(name.to_vec(), without_deletes));
    }

    pub fn ask(&mut self, namespace: &[u8]) {
        self.decisions.insert(namespace.to_vec(), Decision::Ask);
    }

    pub fn set_limit(&mut self, seconds: u32, increment: u32) {
        self.limit = (seconds, increment);
    }

    /// The next entry has to be this very one, which is skipped.
    pub fn expect(&mut self, position: Position) {
        self.expected = Some(position);
    }

    /// Counts an entry that was decided upon elsewhere, as one of the kept ones.
    pub fn note_kept(&mut self, position: Position) {
        self.first_kept.get_or_insert(position);
        self.last_kept = position;
    }

    pub fn count(&mut self, namespace: &[u8], bytes: usize) {
        if let Some(count) = self.counts.get_mut(namespace) {
            count.entries += 1;
            count.bytes += bytes as u64;
        } else {
            self.counts.insert(namespace.to_vec(), Count { entries: 1, bytes: bytes as u64 });
        }
    }

    /// Goes on at `cursor`, which ends up at the entry that made it pause, or at the end.
    pub fn scan(&mut self, sink: &mut dyn Sink, bytes: &[u8], container: Container, cursor: &mut Cursor) -> Result<Pause, Fault> {
        let end = if container == Container::Segment { bytes.len() } else { check_frame(bytes)? };
        let mut key = DecimalKey::new(cursor.index);
        loop {
            let start = cursor.offset;
            let (body, length) = if container == Container::Segment {
                if start == end {
                    return Ok(Pause::Drained);
                }
                (start, document_at(bytes, start, end)?)
            } else {
                match element_at(bytes, start, end, &key)? {
                    None => return Ok(Pause::Drained),
                    Some(found) => found,
                }
            };
            let document = &bytes[body..body + length];
            let fault = |what| Fault { offset: body, what };
            let entry = read_entry(document).map_err(fault)?;
            (self.at, self.length) = (body, length);
            if let Some(pause) = self.consider(sink, document, &entry, container).map_err(fault)? {
                return Ok(pause);
            }
            *cursor = Cursor { offset: body + length, index: cursor.index + 1 };
            key.increment();
        }
    }

    fn consider(
        &mut self,
        sink: &mut dyn Sink,
        document: &[u8],
        entry: &Entry,
        container: Container,
    ) -> Result<Option<Pause>, &'static str> {
        let stamped = container != Container::Operations;
        if stamped {
            let position = entry.position.ok_or("an entry without a timestamp")?;
            self.found = position;
            if let Some(expected) = self.expected {
                if position != expected {
                    return Ok(Some(Pause::Unexpected));
                }
                self.expected = None;
                self.last = position;
                return Ok(None);
            }
            if position.time() <= self.last.time() {
                if container == Container::Batch {
                    return Err("an entry out of order");
                }
                // A later slice may begin with what an earlier one ended with.
                self.skipped += 1;
                return Ok(None);
            }
            if position.time() > self.limit {
                return Ok(Some(Pause::Beyond));
            }
        }
        if UNREPLAYED.contains(&entry.operation) {
            self.pass(stamped);
            return Ok(None);
        }
        if !matches!(entry.operation, b"i" | b"u" | b"d") {
            return Ok(Some(Pause::Command));
        }
        let taken = match self.decisions.get(entry.namespace) {
            None => return Ok(Some(Pause::Undecided)),
            Some(Decision::Ask) => return Ok(Some(Pause::Command)),
            Some(Decision::Keep(_, true)) if entry.operation == b"d" => None,
            Some(Decision::Skip) => None,
            Some(Decision::Keep(name, _)) => Some(sink.take(document, entry, name)?),
        };
        let Some(taken) = taken else {
            self.skipped += 1;
            self.pass(stamped);
            return Ok(None);
        };
        if !taken {
            return Ok(Some(Pause::Full));
        }
        self.count(entry.namespace, document.len());
        if stamped {
            self.note_kept(self.found);
        }
        self.pass(stamped);
        Ok(None)
    }

    fn pass(&mut self, stamped: bool) {
        if stamped {
            self.last = self.found;
        }
    }

    /// The entry that made it pause has been dealt with.
    pub fn pass_entry(&mut self) {
        self.last = self.found;
    }
}

/// Length of the document at `at` among documents that stand one after another.
fn document_at(bytes: &[u8], at: usize, end: usize) -> Result<usize, Fault> {
    let fits = at + SMALLEST_DOCUMENT <= end;
    let length = if fits { length_at(bytes, at) } else { 0 };
    if length < SMALLEST_DOCUMENT || length > end - at || bytes[at + length - 1] != 0 {
        return Err(Fault { offset: at, what: "a document of an impossible length" });
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::tests::{document, element, entry};

    fn segment_of(entries: &[Vec<u8>]) -> Vec<u8> {
        entries.concat()
    }

    fn array_of(entries: &[Vec<u8>]) -> Vec<u8> {
        let elements: Vec<Vec<u8>> = entries.iter().enumerate().map(|(index, one)| element(0x03, &index.to_string(), one)).collect();
        document(&elements)
    }

    #[test]
    fn keeps_what_was_decided_and_pauses_at_the_rest() {
        let entries = [
            entry(10, 1, "i", "app.a"),
            entry(10, 2, "n", ""),
            entry(10, 3, "i", "other.b"),
            entry(11, 1, "c", "app.$cmd"),
            entry(12, 1, "u", "app.a"),
            entry(13, 1, "d", "app.a"),
        ];
        let bytes = array_of(&entries);
        let mut scanner = Scanner::new();
        scanner.set_limit(12, u32::MAX);
        let mut segment = Segment::new(10_000, 10_000);
        let mut cursor = Cursor::START;
        let go = |scanner: &mut Scanner, cursor: &mut Cursor, segment: &mut Segment| {
            scanner.scan(segment, &bytes, Container::Batch, cursor).unwrap()
        };
        assert_eq!(go(&mut scanner, &mut cursor, &mut segment), Pause::Undecided);
        assert_eq!(&bytes[scanner.at..scanner.at + scanner.length], &entries[0][..]);
        scanner.keep(b"app.a", b"app.a", false);
        assert_eq!(go(&mut scanner, &mut cursor, &mut segment), Pause::Undecided);
        scanner.skip(b"other.b");
        assert_eq!(go(&mut scanner, &mut cursor, &mut segment), Pause::Command);
        assert_eq!(scanner.last.time(), (10, 3));
        scanner.pass_entry();
        cursor = Cursor { offset: scanner.at + scanner.length, index: cursor.index + 1 };
        assert_eq!(go(&mut scanner, &mut cursor, &mut segment), Pause::Beyond);
        assert_eq!(segment.bytes(), [&entries[0][..], &entries[4][..]].concat());
        assert_eq!((scanner.first_kept.unwrap().time(), scanner.last_kept.time(), scanner.last.time()), ((10, 1), (12, 1), (12, 1)));
        assert_eq!(scanner.counts[&b"app.a"[..]].entries, 2);
    }

    #[test]
    fn knows_the_boundary_entry_by_time_and_term() {
        let bytes = array_of(&[entry(10, 1, "i", "app.a"), entry(10, 2, "i", "app.a")]);
        for (increment, term, want) in [(1, 7, Pause::Drained), (1, 6, Pause::Unexpected), (2, 7, Pause::Unexpected)] {
            let mut scanner = Scanner::new();
            scanner.keep(b"app.a", b"app.a", false);
            scanner.expect(Position { seconds: 10, increment, term });
            let mut segment = Segment::new(10_000, 10_000);
            assert_eq!(scanner.scan(&mut segment, &bytes, Container::Batch, &mut Cursor { ..Cursor::START }).unwrap(), want);
            assert_eq!(segment.documents(), u32::from(want == Pause::Drained));
        }
    }

    #[test]
    fn refuses_entries_out_of_order_in_a_batch_and_skips_them_in_a_slice() {
        let entries = [entry(10, 2, "i", "app.a"), entry(10, 2, "i", "app.a")];
        let mut scanner = Scanner::new();
        scanner.keep(b"app.a", b"app.a", false);
        let mut segment = Segment::new(10_000, 10_000);
        assert!(scanner.scan(&mut segment, &array_of(&entries), Container::Batch, &mut Cursor { ..Cursor::START }).is_err());
        let mut scanner = Scanner::new();
        scanner.keep(b"app.a", b"app.a", false);
        segment.clear();
        let mut cursor = Cursor { offset: 0, index: 0 };
        assert_eq!(scanner.scan(&mut segment, &segment_of(&entries), Container::Segment, &mut cursor).unwrap(), Pause::Drained);
        assert_eq!((segment.documents(), scanner.skipped), (1, 1));
    }
}
