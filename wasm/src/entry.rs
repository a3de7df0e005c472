//! Reads an oplog entry, or an operation within one, by its top-level fields.

/// A fault in an entry's bytes.
pub type EntryFault = &'static str;

/// A place in the oplog: seconds, increment, election term.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    pub seconds: u32,
    pub increment: u32,
    pub term: i64,
}

impl Position {
    /// Order in time; the term has no say in it.
    pub fn time(&self) -> (u32, u32) {
        (self.seconds, self.increment)
    }
}

/// What is needed of an entry. The elements are whole: type, key, value.
#[derive(Default)]
pub struct Entry<'a> {
    pub position: Option<Position>,
    pub operation: &'a [u8],
    pub namespace: &'a [u8],
    pub object: &'a [u8],
    pub object2: &'a [u8],
    pub flag: &'a [u8],
}

const STRING: u8 = 0x02;
const TIMESTAMP: u8 = 0x11;
const INT64: u8 = 0x12;

/// The fields of a whole document, each with its element, its name and its value. Every length is checked.
pub fn top_level(document: &[u8]) -> impl Iterator<Item = Result<(&[u8], &[u8], &[u8]), EntryFault>> {
    let mut at = 4;
    let end = document.len() - 1;
    core::iter::from_fn(move || {
        if at >= end {
            return None;
        }
        let field = field_at(document, at, end);
        at = match &field {
            Ok((element, ..)) => at + element.len(),
            Err(_) => end,
        };
        Some(field)
    })
}

fn field_at(document: &[u8], at: usize, end: usize) -> Result<(&[u8], &[u8], &[u8]), EntryFault> {
    let key_length = document[at + 1..end].iter().position(|byte| *byte == 0).ok_or("a field without an end of its name")?;
    let value_at = at + key_length + 2;
    let length = value_length(document[at], &document[value_at..end]).ok_or("a field that runs over its entry or is of an unknown type")?;
    Ok((&document[at..value_at + length], &document[at + 1..value_at - 1], &document[value_at..value_at + length]))
}

/// Reads a whole document. Every length is checked; `op` and `ns` must be there.
pub fn read_entry(document: &[u8]) -> Result<Entry<'_>, EntryFault> {
    let mut entry = Entry::default();
    let (mut time, mut term) = (None, -1i64);
    for field in top_level(document) {
        let (element, key, value) = field?;
        match (key, element[0]) {
            (b"ts", TIMESTAMP) => time = Some((word(value, 4), word(value, 0))),
            (b"t", INT64) => term = i64::from_le_bytes(value.try_into().unwrap()),
            (b"op", STRING) => entry.operation = &value[4..value.len() - 1],
            (b"ns", STRING) => entry.namespace = &value[4..value.len() - 1],
            (b"o", _) => entry.object = element,
            (b"o2", _) => entry.object2 = element,
            (b"b", _) => entry.flag = element,
            _ => {}
        }
    }
    if entry.operation.is_empty() {
        return Err("an entry without an operation");
    }
    entry.position = time.map(|(seconds, increment)| Position { seconds, increment, term });
    Ok(entry)
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// Length of the value at the beginning of `bytes`, or none where it doesn't fit or its type is unknown.
fn value_length(kind: u8, bytes: &[u8]) -> Option<usize> {
    let stated = || (bytes.len() >= 4).then(|| word(bytes, 0) as usize);
    let string = || {
        let length = stated()?.checked_add(4)?;
        (length >= 5 && length <= bytes.len() && bytes[length - 1] == 0).then_some(length)
    };
    let cstring = |from: usize| bytes.get(from..)?.iter().position(|byte| *byte == 0).map(|at| from + at + 1);
    let length = match kind {
        0x06 | 0x0a | 0xff | 0x7f => 0,
        0x08 => 1,
        0x10 => 4,
        0x01 | 0x09 | 0x11 | 0x12 => 8,
        0x07 => 12,
        0x13 => 16,
        0x02 | 0x0d | 0x0e => string()?,
        0x0c => string()? + 12,
        0x03 | 0x04 | 0x0f => stated().filter(|length| *length >= 5)?,
        0x05 => stated()?.checked_add(5)?,
        0x0b => cstring(cstring(0)?)?,
        _ => return None,
    };
    let closed = !matches!(kind, 0x03 | 0x04) || (length <= bytes.len() && bytes[length - 1] == 0);
    (length <= bytes.len() && closed).then_some(length)
}

#[cfg(test)]
pub mod tests {
    use super::*;

    pub fn element(kind: u8, key: &str, value: &[u8]) -> Vec<u8> {
        [&[kind], key.as_bytes(), &[0], value].concat()
    }

    pub fn text(key: &str, value: &str) -> Vec<u8> {
        let length = (value.len() as u32 + 1).to_le_bytes();
        element(0x02, key, &[&length[..], value.as_bytes(), &[0]].concat())
    }

    pub fn document(elements: &[Vec<u8>]) -> Vec<u8> {
        let body = elements.concat();
        let length = (body.len() as u32 + 5).to_le_bytes();
        [&length[..], &body, &[0]].concat()
    }

    pub fn entry(seconds: u32, increment: u32, operation: &str, namespace: &str) -> Vec<u8> {
        let time = [increment.to_le_bytes(), seconds.to_le_bytes()].concat();
        document(&[
            text("op", operation),
            text("ns", namespace),
            element(0x05, "ui", &[&[16, 0, 0, 0, 4][..], &[9; 16]].concat()),
            element(0x03, "o", &document(&[element(0x10, "_id", &[1, 0, 0, 0])])),
            element(0x03, "o2", &document(&[])),
            element(0x11, "ts", &time),
            element(0x12, "t", &7i64.to_le_bytes()),
            element(0x09, "wall", &[0; 8]),
        ])
    }

    #[test]
    fn reads_what_is_needed() {
        let bytes = entry(1_700_000_000, 5, "i", "app.orders");
        let read = read_entry(&bytes).unwrap();
        assert_eq!(read.position, Some(Position { seconds: 1_700_000_000, increment: 5, term: 7 }));
        assert_eq!((read.operation, read.namespace), (&b"i"[..], &b"app.orders"[..]));
        assert!(read.object.starts_with(b"\x03o\0") && read.object2.starts_with(b"\x03o2\0") && read.flag.is_empty());
    }

    #[test]
    fn no_changed_byte_makes_it_read_outside() {
        let good = entry(1_700_000_000, 5, "i", "app.orders");
        for at in 0..good.len() {
            for flip in [1u8, 0x80, 0xff] {
                let mut bad = good.clone();
                bad[at] ^= flip;
                let _ = read_entry(&bad);
            }
        }
        for cut in 5..good.len() {
            let _ = read_entry(&good[..cut]);
        }
    }
}
