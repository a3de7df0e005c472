//! Packs the documents of BSON arrays one after another, and takes their BLAKE3 and CRC32C while the bytes are still in the cache.

use crate::crc32c;

/// Bytes that one checksum covers: the payload of a frame.
pub const CHUNK: usize = 1 << 20;

/// Packed bytes are hashed when this many have gathered: few enough to be in the cache still, enough for BLAKE3 to go wide.
const HASHED_AT_ONCE: usize = 128 << 10;

const DOCUMENT: u8 = 0x03;
pub const SMALLEST_DOCUMENT: usize = 5;

/// Where the next element of an array begins, and its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub offset: usize,
    pub index: u32,
}

impl Cursor {
    /// The first element, behind the array's length.
    pub const START: Cursor = Cursor { offset: 4, index: 0 };
}

/// What stood at an offset of an array where something else should.
#[derive(Debug, PartialEq, Eq)]
pub struct Fault {
    pub offset: usize,
    pub what: &'static str,
}

pub struct Segment {
    bytes: Vec<u8>,
    limit: usize,
    documents: u32,
    hasher: blake3::Hasher,
    /// Bytes that hash and checksums cover so far.
    absorbed: usize,
    /// Checksum of each chunk, the last one of what there is of it.
    checksums: Vec<u32>,
}

impl Segment {
    /// `limit`: the size from which it counts as full; `capacity`: what a single document may need at most.
    pub fn new(capacity: usize, limit: usize) -> Segment {
        assert!(limit <= capacity);
        Segment {
            bytes: Vec::with_capacity(capacity),
            limit,
            documents: 0,
            hasher: blake3::Hasher::new(),
            absorbed: 0,
            checksums: Vec::with_capacity(capacity / CHUNK + 1),
        }
    }

    /// Packs documents from `cursor` on. `Ok(true)`: the array is drained; `Ok(false)`: the next document doesn't fit any more.
    pub fn pack(&mut self, array: &[u8], cursor: &mut Cursor) -> Result<bool, Fault> {
        let drained = self.pack_documents(array, cursor)?;
        self.absorb();
        Ok(drained)
    }

    fn pack_documents(&mut self, array: &[u8], cursor: &mut Cursor) -> Result<bool, Fault> {
        let end = check_frame(array)?;
        let mut key = DecimalKey::new(cursor.index);
        while let Some((body, length)) = element_at(array, cursor.offset, end, &key)? {
            let fault = |what| Fault { offset: body, what };
            if !self.append(&array[body..body + length]).map_err(fault)? {
                return Ok(false);
            }
            *cursor = Cursor { offset: body + length, index: cursor.index + 1 };
            key.increment();
        }
        Ok(true)
    }

    /// Adds a whole document. False: it doesn't fit any more.
    #[inline]
    pub fn append(&mut self, document: &[u8]) -> Result<bool, &'static str> {
        let size = self.bytes.len();
        if (size > 0 && size + document.len() > self.limit) || size + document.len() > self.bytes.capacity() {
            return if size > 0 { Ok(false) } else { Err("a document above the server's limit") };
        }
        self.bytes.extend_from_slice(document);
        self.documents += 1;
        if self.bytes.len() - self.absorbed >= HASHED_AT_ONCE {
            self.absorb();
        }
        Ok(true)
    }

    /// Takes hash and checksums of what was added since the last time.
    pub fn absorb(&mut self) {
        self.hasher.update(&self.bytes[self.absorbed..]);
        while self.absorbed < self.bytes.len() {
            let chunk = self.absorbed / CHUNK;
            if chunk == self.checksums.len() {
                self.checksums.push(0);
            }
            let upto = self.bytes.len().min((chunk + 1) * CHUNK);
            self.checksums[chunk] = crc32c::update(self.checksums[chunk], &self.bytes[self.absorbed..upto]);
            self.absorbed = upto;
        }
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub fn documents(&self) -> u32 {
        self.documents
    }

    pub fn digest(&self) -> [u8; 32] {
        *self.hasher.finalize().as_bytes()
    }

    pub fn checksum(&self, chunk: usize) -> Option<u32> {
        self.checksums.get(chunk).copied()
    }

    pub fn clear(&mut self) {
        self.bytes.clear();
        self.documents = 0;
        self.hasher.reset();
        self.absorbed = 0;
        self.checksums.clear();
    }
}

/// The document of the array's element at `start`, as offset and length; none at the array's end.
#[inline]
pub fn element_at(array: &[u8], start: usize, end: usize, key: &DecimalKey) -> Result<Option<(usize, usize)>, Fault> {
    match array[start] {
        0 if start == end => return Ok(None),
        DOCUMENT => {}
        _ => return Err(Fault { offset: start, what: "an element that is not a document" }),
    }
    let body = start + 1 + key.digits().len() + 1;
    if body + SMALLEST_DOCUMENT > end {
        return Err(Fault { offset: start, what: "an element that the array is too short for" });
    }
    if &array[start + 1..body - 1] != key.digits() || array[body - 1] != 0 {
        return Err(Fault { offset: start + 1, what: "a key that is not the next number" });
    }
    let length = length_at(array, body);
    if length < SMALLEST_DOCUMENT || length > end - body || array[body + length - 1] != 0 {
        return Err(Fault { offset: body, what: "a document of an impossible length" });
    }
    Ok(Some((body, length)))
}

/// Checks an array's own length and terminator; returns the terminator's offset.
pub fn check_frame(array: &[u8]) -> Result<usize, Fault> {
    if array.len() < SMALLEST_DOCUMENT || length_at(array, 0) != array.len() {
        return Err(Fault { offset: 0, what: "an array whose length is not its bytes'" });
    }
    let end = array.len() - 1;
    if array[end] != 0 {
        return Err(Fault { offset: end, what: "an array without its terminator" });
    }
    Ok(end)
}

/// A BSON length; a negative one is as good as one that is far too large.
pub fn length_at(bytes: &[u8], at: usize) -> usize {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]) as usize
}

/// The decimal digits of an array's index, counted up in place.
pub struct DecimalKey {
    digits: [u8; 10],
    first: usize,
}

impl DecimalKey {
    pub fn new(mut index: u32) -> DecimalKey {
        let mut key = DecimalKey { digits: [b'0'; 10], first: 10 };
        loop {
            key.first -= 1;
            key.digits[key.first] = b'0' + (index % 10) as u8;
            index /= 10;
            if index == 0 {
                return key;
            }
        }
    }

    pub fn digits(&self) -> &[u8] {
        &self.digits[self.first..]
    }

    pub fn increment(&mut self) {
        let mut at = 9;
        while self.digits[at] == b'9' {
            self.digits[at] = b'0';
            at -= 1;
        }
        self.digits[at] += 1;
        self.first = self.first.min(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(length: usize) -> Vec<u8> {
        let mut bytes = vec![7; length];
        bytes[..4].copy_from_slice(&(length as u32).to_le_bytes());
        bytes[length - 1] = 0;
        bytes
    }

    fn array(documents: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = vec![0; 4];
        for (index, document) in documents.iter().enumerate() {
            bytes.push(DOCUMENT);
            bytes.extend(index.to_string().bytes());
            bytes.push(0);
            bytes.extend(document);
        }
        bytes.push(0);
        let length = bytes.len() as u32;
        bytes[..4].copy_from_slice(&length.to_le_bytes());
        bytes
    }

    #[test]
    fn keys_count_like_numbers() {
        for start in [0, 8, 9, 98, 99, 12_345, 999_998] {
            let mut key = DecimalKey::new(start);
            for index in start..start + 3 {
                assert_eq!(key.digits(), index.to_string().as_bytes());
                key.increment();
            }
        }
    }

    #[test]
    fn packs_hashes_and_checks_over_segments() {
        let documents: Vec<Vec<u8>> = (0..5000).map(|i| document(5 + (i * 37) % 2000)).collect();
        let array = array(&documents);
        let mut cursor = Cursor::START;
        let mut packed = Vec::new();
        let mut count = 0;
        let mut segment = Segment::new(3 << 20, 2_500_000);
        loop {
            let drained = segment.pack(&array, &mut cursor).unwrap();
            assert!(segment.bytes().len() <= 2_500_000);
            assert_eq!(segment.digest(), *blake3::hash(segment.bytes()).as_bytes());
            for (index, chunk) in segment.bytes().chunks(CHUNK).enumerate() {
                assert_eq!(segment.checksum(index), Some(crc32c::update(0, chunk)));
            }
            packed.extend_from_slice(segment.bytes());
            count += segment.documents();
            segment.clear();
            if drained {
                break;
            }
        }
        assert_eq!(packed, documents.concat());
        assert_eq!(count, 5000);
    }

    #[test]
    fn takes_a_document_above_the_limit_alone() {
        let array = array(&[document(10), document(500), document(10)]);
        let mut cursor = Cursor::START;
        let mut segment = Segment::new(1000, 100);
        let mut sizes = Vec::new();
        while !segment.pack(&array, &mut cursor).unwrap() {
            sizes.push(segment.bytes().len());
            segment.clear();
        }
        sizes.push(segment.bytes().len());
        assert_eq!(sizes, [10, 500, 10]);
    }

    #[test]
    fn no_changed_byte_of_the_structure_goes_unseen() {
        let documents: Vec<Vec<u8>> = (0..12).map(|i| document(5 + i)).collect();
        let good = array(&documents);
        for at in 0..good.len() {
            for flip in [1u8, 0x80, 0xff] {
                let mut bad = good.clone();
                bad[at] ^= flip;
                let mut segment = Segment::new(1000, 1000);
                if segment.pack(&bad, &mut Cursor { ..Cursor::START }).is_ok() {
                    // Only a byte within a document may change what is packed, and no more than that byte.
                    assert_eq!(segment.documents(), 12);
                    let differing = segment.bytes().iter().zip(documents.concat()).filter(|(a, b)| **a != *b).count();
                    assert_eq!((segment.bytes().len(), differing), (documents.concat().len(), 1));
                }
            }
        }
    }
}
