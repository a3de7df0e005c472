//! Gathers oplog entries as the operations of an applyOps.

use crate::empty_timestamp::{Setting, follow_up};
use crate::entry::Entry;
use crate::scan::Sink;
use crate::segment::DecimalKey;

/// Operations gathered for one applyOps: a BSON array.
pub struct Operations {
    array: Vec<u8>,
    key: DecimalKey,
    pub count: u32,
    max_bytes: usize,
    max_count: u32,
    setting: Setting,
}

impl Operations {
    pub fn new(max_bytes: usize, max_count: u32, setting: Setting) -> Operations {
        let mut array = Vec::with_capacity(max_bytes + (17 << 20));
        array.extend_from_slice(&[0; 4]);
        Operations { array, key: DecimalKey::new(0), count: 0, max_bytes, max_count, setting }
    }

    /// The array as it is now, closed.
    pub fn array(&mut self) -> Vec<u8> {
        let mut closed = self.array.clone();
        closed.push(0);
        let length = closed.len() as u32;
        closed[..4].copy_from_slice(&length.to_le_bytes());
        closed
    }

    pub fn clear(&mut self) {
        self.array.truncate(4);
        self.key = DecimalKey::new(0);
        self.count = 0;
    }
}

fn push_text(to: &mut Vec<u8>, key: &[u8], value: &[u8]) {
    to.push(0x02);
    to.extend_from_slice(key);
    to.push(0);
    to.extend_from_slice(&(value.len() as u32 + 1).to_le_bytes());
    to.extend_from_slice(value);
    to.push(0);
}

impl Sink for Operations {
    /// Only what the operation is goes along: who did it, when, and to which collection's UUID, is of the old server.
    fn take(&mut self, document: &[u8], entry: &Entry, namespace: &[u8]) -> Result<bool, &'static str> {
        if entry.object.is_empty() {
            return Err("an entry without an object");
        }
        let more = if entry.operation == b"d" { None } else { follow_up(entry.object, self.setting)? };
        let more_bytes = more.as_ref().map_or(0, |[object, object2]| object.len() + object2.len() + namespace.len() + 32);
        let room = document.len() + namespace.len() + 32 + more_bytes;
        let count = 1 + u32::from(more.is_some());
        // What follows belongs to its operation: the two go together.
        if self.count > 0 && (self.count + count > self.max_count || self.array.len() + room > self.max_bytes) {
            return Ok(false);
        }
        self.push(entry.operation, namespace, &[entry.object, entry.object2, entry.flag]);
        if let Some([object, object2]) = more {
            self.push(b"u", namespace, &[&object, &object2]);
        }
        Ok(true)
    }
}

impl Operations {
    fn push(&mut self, operation: &[u8], namespace: &[u8], elements: &[&[u8]]) {
        self.array.push(0x03);
        self.array.extend_from_slice(self.key.digits());
        self.array.push(0);
        let start = self.array.len();
        self.array.extend_from_slice(&[0; 4]);
        push_text(&mut self.array, b"op", operation);
        push_text(&mut self.array, b"ns", namespace);
        for element in elements {
            self.array.extend_from_slice(element);
        }
        self.array.push(0);
        let length = (self.array.len() - start) as u32;
        self.array[start..start + 4].copy_from_slice(&length.to_le_bytes());
        self.count += 1;
        self.key.increment();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::tests::{document, element, entry, text};
    use crate::scan::{Container, Pause, Scanner};
    use crate::segment::Cursor;

    #[test]
    fn operations_are_stripped_renamed_and_bounded() {
        let entries = [entry(10, 1, "i", "app.a"), entry(10, 2, "d", "app.a"), entry(10, 3, "u", "app.a")];
        let mut scanner = Scanner::new();
        scanner.keep(b"app.a", b"copy.a", false);
        let mut operations = Operations::new(1 << 20, 2, Setting::Diff);
        let mut cursor = Cursor { offset: 0, index: 0 };
        let bytes = entries.concat();
        assert_eq!(scanner.scan(&mut operations, &bytes, Container::Segment, &mut cursor).unwrap(), Pause::Full);
        let array = operations.array();
        let first = document(&[
            text("op", "i"),
            text("ns", "copy.a"),
            element(0x03, "o", &document(&[element(0x10, "_id", &[1, 0, 0, 0])])),
            element(0x03, "o2", &document(&[])),
        ]);
        assert_eq!(&array[4..7], b"\x030\0");
        assert_eq!(&array[7..7 + first.len()], &first[..]);
        operations.clear();
        assert_eq!(scanner.scan(&mut operations, &bytes, Container::Segment, &mut cursor).unwrap(), Pause::Drained);
        assert_eq!(operations.count, 1);
    }
}
