//! BLAKE3, CRC32C, the splitting of BSON batches and the sorting of oplog entries for the backup engine. Callers hand over offsets into this
//! module's memory.

pub mod crc32c;
#[cfg(target_arch = "wasm32")]
mod crc32c_lanes;
pub mod document_sum;
pub mod empty_timestamp;
pub mod entry;
pub mod operations;
pub mod scan;
pub mod segment;

use wasm_bindgen::prelude::*;

/// # Safety
/// `offset` and `length` lie within one allocation that nobody changes during the call: an arena of [`allocate`] or a segment's bytes.
unsafe fn bytes_at<'a>(offset: *const u8, length: usize) -> &'a [u8] {
    unsafe { core::slice::from_raw_parts(offset, length) }
}

/// Bytes for the caller's own use, zeroed, never freed.
#[wasm_bindgen]
pub fn allocate(length: usize) -> *mut u8 {
    vec![0u8; length].leak().as_mut_ptr()
}

/// Grows the memory so that `length` bytes of small allocations fit without growing it again.
#[wasm_bindgen]
pub fn reserve(length: usize) {
    // The black box keeps the compiler from leaving out an allocation that nobody uses.
    drop(core::hint::black_box(Vec::<u8>::with_capacity(length)));
}

/// CRC32C of `length` bytes at `offset`, going on from `seed`.
#[wasm_bindgen(js_name = crc32cAt)]
pub fn crc32c_at(offset: *const u8, length: usize, seed: u32) -> u32 {
    crc32c::update(seed, unsafe { bytes_at(offset, length) })
}

/// An incremental BLAKE3.
#[wasm_bindgen]
#[derive(Default)]
pub struct Hasher(blake3::Hasher);

#[wasm_bindgen]
impl Hasher {
    #[wasm_bindgen(constructor)]
    pub fn new() -> Hasher {
        Hasher::default()
    }

    /// Adds `length` bytes at `offset`.
    #[wasm_bindgen(js_name = updateAt)]
    pub fn update_at(&mut self, offset: *const u8, length: usize) {
        self.0.update(unsafe { bytes_at(offset, length) });
    }

    /// The 32 bytes of the digest so far.
    pub fn digest(&self) -> Vec<u8> {
        self.0.finalize().as_bytes().to_vec()
    }

    pub fn reset(&mut self) {
        self.0.reset();
    }
}

/// Documents packed one after another, with their digest and checksums. A failed packing spoils them: then only `clear` works.
#[wasm_bindgen]
pub struct PackedSegment {
    segment: segment::Segment,
    cursor: segment::Cursor,
    spoilt: bool,
}

impl PackedSegment {
    fn whole(&self) -> Result<&segment::Segment, JsError> {
        if self.spoilt {
            return Err(JsError::new("the segment was spoilt by a malformed batch and must be cleared first"));
        }
        Ok(&self.segment)
    }
}

#[wasm_bindgen]
impl PackedSegment {
    #[wasm_bindgen(constructor)]
    pub fn new(capacity: usize, limit: usize) -> PackedSegment {
        PackedSegment { segment: segment::Segment::new(capacity, limit), cursor: segment::Cursor::START, spoilt: false }
    }

    /// Packs from the BSON array at `offset`, beginning with the element that starts at `from` and has the number `index`. True: drained.
    #[wasm_bindgen(js_name = packAt)]
    pub fn pack_at(&mut self, offset: *const u8, length: usize, from: usize, index: u32) -> Result<bool, JsError> {
        self.whole()?;
        if !(segment::Cursor::START.offset..length).contains(&from) {
            return Err(JsError::new(&format!("offset {from} is outside the array's {length} bytes")));
        }
        self.cursor = segment::Cursor { offset: from, index };
        let packed = self.segment.pack(unsafe { bytes_at(offset, length) }, &mut self.cursor);
        self.spoilt = packed.is_err();
        packed.map_err(|fault| JsError::new(&format!("{} at offset {}", fault.what, fault.offset)))
    }

    /// Offset of the first element that wasn't packed.
    #[wasm_bindgen(getter, js_name = nextOffset)]
    pub fn next_offset(&self) -> usize {
        self.cursor.offset
    }

    /// Number of the first element that wasn't packed.
    #[wasm_bindgen(getter, js_name = nextIndex)]
    pub fn next_index(&self) -> u32 {
        self.cursor.index
    }

    /// Where the packed bytes are.
    #[wasm_bindgen(getter)]
    pub fn offset(&self) -> *const u8 {
        self.segment.bytes().as_ptr()
    }

    #[wasm_bindgen(getter)]
    pub fn length(&self) -> Result<usize, JsError> {
        Ok(self.whole()?.bytes().len())
    }

    #[wasm_bindgen(getter)]
    pub fn documents(&self) -> Result<u32, JsError> {
        Ok(self.whole()?.documents())
    }

    pub fn digest(&self) -> Result<Vec<u8>, JsError> {
        Ok(self.whole()?.digest().to_vec())
    }

    /// Adds the whole document at `offset`. False: it doesn't fit any more.
    #[wasm_bindgen(js_name = appendAt)]
    pub fn append_at(&mut self, offset: *const u8, length: usize) -> Result<bool, JsError> {
        self.whole()?;
        let taken = self.segment.append(unsafe { bytes_at(offset, length) }).map_err(JsError::new)?;
        self.segment.absorb();
        Ok(taken)
    }

    /// CRC32C of the chunk with that number.
    pub fn checksum(&self, chunk: usize) -> Result<Option<u32>, JsError> {
        Ok(self.whole()?.checksum(chunk))
    }

    pub fn clear(&mut self) {
        self.segment.clear();
        self.spoilt = false;
    }
}

/// Operations gathered for one applyOps.
#[wasm_bindgen]
pub struct OperationArray(operations::Operations);

#[wasm_bindgen]
impl OperationArray {
    #[wasm_bindgen(constructor)]
    pub fn new(max_bytes: usize, max_count: u32, diffs: bool) -> OperationArray {
        let setting = if diffs { empty_timestamp::Setting::Diff } else { empty_timestamp::Setting::Modifier };
        OperationArray(operations::Operations::new(max_bytes, max_count, setting))
    }

    #[wasm_bindgen(getter)]
    pub fn count(&self) -> u32 {
        self.0.count
    }

    /// The BSON array of all operations; it begins anew.
    pub fn take(&mut self) -> Vec<u8> {
        let array = self.0.array();
        self.0.clear();
        array
    }
}

/// Goes through oplog entries.
#[wasm_bindgen]
pub struct EntryScanner {
    scanner: scan::Scanner,
    cursor: segment::Cursor,
}

#[wasm_bindgen]
impl EntryScanner {
    #[wasm_bindgen(constructor)]
    #[allow(clippy::new_without_default)]
    pub fn new() -> EntryScanner {
        EntryScanner { scanner: scan::Scanner::new(), cursor: segment::Cursor::START }
    }

    pub fn skip(&mut self, namespace: &str) {
        self.scanner.skip(namespace.as_bytes());
    }

    pub fn keep(&mut self, namespace: &str, name: &str, without_deletes: bool) {
        self.scanner.keep(namespace.as_bytes(), name.as_bytes(), without_deletes);
    }

    pub fn ask(&mut self, namespace: &str) {
        self.scanner.ask(namespace.as_bytes());
    }

    #[wasm_bindgen(js_name = setLimit)]
    pub fn set_limit(&mut self, seconds: u32, increment: u32) {
        self.scanner.set_limit(seconds, increment);
    }

    pub fn expect(&mut self, seconds: u32, increment: u32, term: f64) {
        self.scanner.expect(entry::Position { seconds, increment, term: term as i64 });
    }

    /// Counts an entry for a namespace.
    pub fn count(&mut self, namespace: &str, bytes: usize) {
        self.scanner.count(namespace.as_bytes(), bytes);
    }

    /// The entry that made it pause was kept by the caller.
    #[wasm_bindgen(js_name = noteKept)]
    pub fn note_kept(&mut self) {
        self.scanner.note_kept(self.scanner.found);
    }

    /// The entry that made it pause has been dealt with.
    #[wasm_bindgen(js_name = passEntry)]
    pub fn pass_entry(&mut self) {
        self.scanner.pass_entry();
    }

    #[wasm_bindgen(js_name = scanInto)]
    pub fn scan_into(
        &mut self,
        to: &mut PackedSegment,
        offset: *const u8,
        length: usize,
        container: u8,
        from: usize,
        index: u32,
    ) -> Result<u8, JsError> {
        to.whole()?;
        let paused = self.scan(&mut to.segment, offset, length, container, from, index);
        to.segment.absorb();
        to.spoilt = paused.is_err();
        paused
    }

    #[wasm_bindgen(js_name = gatherInto)]
    pub fn gather_into(
        &mut self,
        to: &mut OperationArray,
        offset: *const u8,
        length: usize,
        container: u8,
        from: usize,
        index: u32,
    ) -> Result<u8, JsError> {
        self.scan(&mut to.0, offset, length, container, from, index)
    }

    fn scan(
        &mut self,
        sink: &mut dyn scan::Sink,
        offset: *const u8,
        length: usize,
        container: u8,
        from: usize,
        index: u32,
    ) -> Result<u8, JsError> {
        let container = match container {
            0 => scan::Container::Batch,
            1 => scan::Container::Segment,
            _ => scan::Container::Operations,
        };
        if from > length {
            return Err(JsError::new(&format!("offset {from} is outside the {length} bytes")));
        }
        self.cursor = segment::Cursor { offset: from, index };
        let paused = self.scanner.scan(sink, unsafe { bytes_at(offset, length) }, container, &mut self.cursor);
        paused.map(|pause| pause as u8).map_err(|fault| JsError::new(&format!("{} at offset {}", fault.what, fault.offset)))
    }

    #[wasm_bindgen(getter, js_name = nextOffset)]
    pub fn next_offset(&self) -> usize {
        self.cursor.offset
    }

    #[wasm_bindgen(getter, js_name = nextIndex)]
    pub fn next_index(&self) -> u32 {
        self.cursor.index
    }

    /// Offset of the entry that made it pause.
    #[wasm_bindgen(getter, js_name = entryOffset)]
    pub fn entry_offset(&self) -> usize {
        self.scanner.at
    }

    #[wasm_bindgen(getter, js_name = entryLength)]
    pub fn entry_length(&self) -> usize {
        self.scanner.length
    }

    /// Seconds, increment and term of the entry that was looked at last.
    pub fn found(&self) -> Vec<f64> {
        numbers(self.scanner.found)
    }

    /// Of the last entry that was passed, whether kept or not.
    pub fn last(&self) -> Vec<f64> {
        numbers(self.scanner.last)
    }

    /// Of the first and the last kept entry since the last call: six numbers, or none.
    #[wasm_bindgen(js_name = takeSpan)]
    pub fn take_span(&mut self) -> Vec<f64> {
        let last = self.scanner.last_kept;
        self.scanner.first_kept.take().map_or_else(Vec::new, |first| [numbers(first), numbers(last)].concat())
    }

    /// `namespace NUL entries NUL bytes NUL` for each namespace that was counted.
    pub fn counts(&self) -> String {
        let mut text = String::new();
        for (namespace, count) in &self.scanner.counts {
            text += &format!("{}\0{}\0{}\0", String::from_utf8_lossy(namespace), count.entries, count.bytes);
        }
        text
    }

    /// Entries that were left out.
    #[wasm_bindgen(getter)]
    pub fn skipped(&self) -> f64 {
        self.scanner.skipped as f64
    }
}

fn numbers(position: entry::Position) -> Vec<f64> {
    vec![f64::from(position.seconds), f64::from(position.increment), position.term as f64]
}
