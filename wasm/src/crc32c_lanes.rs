//! CRC32C of sixteen stretches of a block side by side, for a processor without an instruction for it: one byte of each stretch a step.
//!
//! A remainder is linear in its input, and a table of 256 remainders is the sum of two tables of 16, one for each half of a byte: those fit into
//! one vector each, where a swizzle looks up sixteen bytes at once. So the sixteen remainders are kept as four vectors, one for each of their bytes.

use core::arch::wasm32::*;
use core::hint::black_box;

use crate::crc32c::{TABLES, advance};

/// Bytes of one stretch. Not a power of two, so that the sixteen don't meet in one set of the cache.
const STRETCH: usize = 528;

/// Bytes that are taken at once.
pub const BLOCK: usize = 16 * STRETCH;

/// `SHIFT[k][b]`: what byte `k` of a remainder, being `b`, becomes behind a stretch of zeros.
static SHIFT: [[u32; 256]; 4] = shift_tables();

const fn shift_tables() -> [[u32; 256]; 4] {
    let mut tables = [[0u32; 256]; 4];
    let mut bit = 0;
    while bit < 32 {
        let shifted = advance(1 << bit, STRETCH);
        let mut byte = 0;
        while byte < 256 {
            if byte & (1 << (bit % 8)) != 0 {
                tables[bit / 8][byte] ^= shifted;
            }
            byte += 1;
        }
        bit += 1;
    }
    tables
}

/// `NIBBLES[h][k]`: byte `k` of the remainder of each low (`h` = 0) or high half of a byte.
static NIBBLES: [[[u8; 16]; 4]; 2] = nibble_tables();

const fn nibble_tables() -> [[[u8; 16]; 4]; 2] {
    let mut tables = [[[0u8; 16]; 4]; 2];
    let mut half = 0;
    while half < 16 {
        let mut byte = 0;
        while byte < 4 {
            tables[0][byte][half] = (TABLES[0][half] >> (8 * byte)) as u8;
            tables[1][byte][half] = (TABLES[0][half << 4] >> (8 * byte)) as u8;
            byte += 1;
        }
        half += 1;
    }
    tables
}

/// Loads a vector in such a way that it stays in a register: an engine makes a vector that it knows anew at each use.
#[inline(always)]
fn keep(bytes: &[u8; 16]) -> v128 {
    unsafe { v128_load(black_box(bytes).as_ptr().cast()) }
}

/// Interleaves the bytes of each row of the first half with those of the second: done four times, rows have become columns.
#[inline(always)]
fn interleave(rows: [v128; 16]) -> [v128; 16] {
    let low = |i| i8x16_shuffle::<0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23>(rows[i], rows[i + 8]);
    let high = |i| i8x16_shuffle::<8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31>(rows[i], rows[i + 8]);
    [low(0), high(0), low(1), high(1), low(2), high(2), low(3), high(3), low(4), high(4), low(5), high(5), low(6), high(6), low(7), high(7)]
}

/// The register behind one more block; neither is inverted.
pub fn update(register: u32, block: &[u8; BLOCK]) -> u32 {
    let [low, high] = &NIBBLES;
    let (low, high, half) = (low.each_ref().map(keep), high.each_ref().map(keep), keep(&[15; 16]));
    let step = |state: [v128; 4], column: v128| {
        let index = v128_xor(state[0], column);
        let (l, h) = (v128_and(index, half), v128_and(u16x8_shr(index, 4), half));
        let looked_up = |k: usize| v128_xor(i8x16_relaxed_swizzle(low[k], l), i8x16_relaxed_swizzle(high[k], h));
        [v128_xor(state[1], looked_up(0)), v128_xor(state[2], looked_up(1)), v128_xor(state[3], looked_up(2)), looked_up(3)]
    };
    // What came before goes on in the first stretch.
    let mut state = [0, 8, 16, 24].map(|bits| u8x16_replace_lane::<0>(u8x16_splat(0), (register >> bits) as u8));
    for at in (0..STRETCH).step_by(16) {
        let row = |lane: usize| unsafe { v128_load(block.as_ptr().add(lane * STRETCH + at).cast()) };
        let rows = [
            row(0),
            row(1),
            row(2),
            row(3),
            row(4),
            row(5),
            row(6),
            row(7),
            row(8),
            row(9),
            row(10),
            row(11),
            row(12),
            row(13),
            row(14),
            row(15),
        ];
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = interleave(interleave(interleave(interleave(rows))));
        state = step(step(step(step(state, a), b), c), d);
        state = step(step(step(step(state, e), f), g), h);
        state = step(step(step(step(state, i), j), k), l);
        state = step(step(step(step(state, m), n), o), p);
    }
    let mut bytes = [[0u8; 16]; 4];
    for (bytes, plane) in bytes.iter_mut().zip(state) {
        unsafe { v128_store(bytes.as_mut_ptr().cast(), plane) };
    }
    (0..16).fold(0, |register, lane| shift(register) ^ u32::from_le_bytes(bytes.map(|plane| plane[lane])))
}

fn shift(register: u32) -> u32 {
    let bytes = register.to_le_bytes();
    (0..4).fold(0, |shifted, k| shifted ^ SHIFT[k][bytes[k] as usize])
}
