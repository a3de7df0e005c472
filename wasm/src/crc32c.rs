//! CRC32C (Castagnoli, reflected 0x82F63B78, initial value and final XOR all ones), sixteen bytes at a step; whole blocks by vectors where there are any.

#[cfg(target_arch = "wasm32")]
use crate::crc32c_lanes;

const POLYNOMIAL: u32 = 0x82F6_3B78;

/// `TABLES[k][b]`: the remainder of byte `b` followed by `k` zero bytes.
pub static TABLES: [[u32; 256]; 16] = tables();

const fn tables() -> [[u32; 256]; 16] {
    let mut tables = [[0u32; 256]; 16];
    let mut byte = 0;
    while byte < 256 {
        let mut remainder = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            remainder = if remainder & 1 == 1 { (remainder >> 1) ^ POLYNOMIAL } else { remainder >> 1 };
            bit += 1;
        }
        tables[0][byte] = remainder;
        byte += 1;
    }
    let mut zeros = 1;
    while zeros < 16 {
        let mut byte = 0;
        while byte < 256 {
            let previous = tables[zeros - 1][byte];
            tables[zeros][byte] = (previous >> 8) ^ tables[0][(previous & 0xff) as usize];
            byte += 1;
        }
        zeros += 1;
    }
    tables
}

/// What a register becomes behind so many zero bytes.
#[cfg(target_arch = "wasm32")]
pub const fn advance(mut register: u32, zeros: usize) -> u32 {
    let mut done = 0;
    while done < zeros {
        register = (register >> 8) ^ TABLES[0][(register & 0xff) as usize];
        done += 1;
    }
    register
}

/// The checksum of what `seed` is the checksum of, followed by `data`; the seed of nothing is 0.
pub fn update(seed: u32, data: &[u8]) -> u32 {
    let mut crc = !seed;
    #[cfg(target_arch = "wasm32")]
    let data = {
        let (blocks, rest) = data.as_chunks::<{ crc32c_lanes::BLOCK }>();
        crc = blocks.iter().fold(crc, crc32c_lanes::update);
        rest
    };
    let (steps, rest) = data.as_chunks::<16>();
    for step in steps {
        let folded = u128::from_le_bytes(*step) ^ crc as u128;
        let mut next = 0;
        for (at, byte) in folded.to_le_bytes().iter().enumerate() {
            next ^= TABLES[15 - at][*byte as usize];
        }
        crc = next;
    }
    for byte in rest {
        crc = (crc >> 8) ^ TABLES[0][((crc ^ *byte as u32) & 0xff) as usize];
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::update;

    /// One bit at a time, straight from the definition.
    fn reference(data: &[u8]) -> u32 {
        let mut crc = !0u32;
        for byte in data {
            crc ^= *byte as u32;
            for _ in 0..8 {
                crc = if crc & 1 == 1 { (crc >> 1) ^ super::POLYNOMIAL } else { crc >> 1 };
            }
        }
        !crc
    }

    #[test]
    fn check_value() {
        assert_eq!(update(0, b"123456789"), 0xE306_9283);
        assert_eq!(update(0, b""), 0);
        assert_eq!(update(0, &[0; 32]), 0x8A91_36AA);
    }

    #[test]
    fn equals_the_definition_at_every_length_and_cut() {
        let data: Vec<u8> = (0..1000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        for length in 0..data.len() {
            let whole = reference(&data[..length]);
            assert_eq!(update(0, &data[..length]), whole);
            assert_eq!(update(update(0, &data[..length / 3]), &data[length / 3..length]), whole);
        }
    }
}
