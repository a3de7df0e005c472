//! BLAKE3, CRC32C and the splitting of BSON batches for the backup engine. Callers hand over offsets into this module's memory.

pub mod crc32c;
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

    /// CRC32C of the chunk with that number.
    pub fn checksum(&self, chunk: usize) -> Result<Option<u32>, JsError> {
        Ok(self.whole()?.checksum(chunk))
    }

    pub fn clear(&mut self) {
        self.segment.clear();
        self.spoilt = false;
    }
}
