//! A digest of a collection's documents that doesn't depend on their order.

use crate::segment::{self, Cursor, DecimalKey, Fault};
use wasm_bindgen::prelude::*;

/// The sum, modulo 2^256, of the BLAKE3 of each document, and how many there were.
///
/// A sum and no XOR: in an XOR, a document that comes twice is as good as none. It finds what was lost, doubled or changed by accident or by a fault;
/// against one who chooses the documents it is no proof (Wagner's generalized birthday), for that there is the manifest's signature over ordered bytes.
#[derive(Clone, Default)]
pub struct DocumentSum {
    /// Least significant first.
    words: [u64; 4],
    documents: u64,
}

impl DocumentSum {
    fn add(&mut self, document: &[u8]) {
        let mut carry = false;
        for (word, bytes) in self.words.iter_mut().zip(blake3::hash(document).as_bytes().chunks_exact(8)) {
            let (sum, over) = word.overflowing_add(u64::from_le_bytes(bytes.try_into().unwrap()));
            let (sum, again) = sum.overflowing_add(u64::from(carry));
            *word = sum;
            carry = over || again;
        }
        self.documents += 1;
    }

    /// Adds the documents of a raw BSON array. On a fault nothing is added.
    pub fn add_array(&mut self, array: &[u8]) -> Result<(), Fault> {
        let mut sum = self.clone();
        let end = segment::check_frame(array)?;
        let mut offset = Cursor::START.offset;
        let mut key = DecimalKey::new(0);
        while let Some((body, length)) = segment::element_at(array, offset, end, &key)? {
            sum.add(&array[body..body + length]);
            offset = body + length;
            key.increment();
        }
        *self = sum;
        Ok(())
    }

    /// Adds documents that lie one after another. On a fault nothing is added.
    pub fn add_packed(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let mut sum = self.clone();
        let mut offset = 0;
        while offset < bytes.len() {
            let rest = &bytes[offset..];
            let length = if rest.len() < segment::SMALLEST_DOCUMENT { 0 } else { segment::length_at(rest, 0) };
            if length < segment::SMALLEST_DOCUMENT || length > rest.len() || rest[length - 1] != 0 {
                return Err(Fault { offset, what: "a document of an impossible length" });
            }
            sum.add(&rest[..length]);
            offset += length;
        }
        *self = sum;
        Ok(())
    }

    pub fn documents(&self) -> u64 {
        self.documents
    }

    /// The sum, least significant byte first.
    pub fn digest(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for (into, word) in bytes.chunks_exact_mut(8).zip(self.words) {
            into.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }
}

/// Adds up documents in any order.
#[wasm_bindgen]
#[derive(Default)]
pub struct DocumentAdder(DocumentSum);

#[wasm_bindgen]
impl DocumentAdder {
    #[wasm_bindgen(constructor)]
    pub fn new() -> DocumentAdder {
        DocumentAdder::default()
    }

    /// Adds the documents of the BSON array at `offset`.
    #[wasm_bindgen(js_name = addArrayAt)]
    pub fn add_array_at(&mut self, offset: *const u8, length: usize) -> Result<(), JsError> {
        self.0.add_array(unsafe { crate::bytes_at(offset, length) }).map_err(document_fault)
    }

    /// Adds the documents that lie one after another at `offset`.
    #[wasm_bindgen(js_name = addPackedAt)]
    pub fn add_packed_at(&mut self, offset: *const u8, length: usize) -> Result<(), JsError> {
        self.0.add_packed(unsafe { crate::bytes_at(offset, length) }).map_err(document_fault)
    }

    #[wasm_bindgen(getter)]
    pub fn documents(&self) -> f64 {
        self.0.documents() as f64
    }

    pub fn digest(&self) -> Vec<u8> {
        self.0.digest().to_vec()
    }
}

fn document_fault(fault: Fault) -> JsError {
    JsError::new(&format!("{} at offset {}", fault.what, fault.offset))
}
