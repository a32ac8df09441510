//! Text for people.

use std::fmt::Write;

use opml::{ElementType, TensorSpec};

/// Lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
            // Writing into a string cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// The 32 bytes that 64 hexadecimal digits stand for.
pub fn parse_hash(text: &str) -> Option<[u8; 32]> {
    let digits = text.strip_prefix("0x").unwrap_or(text).as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let mut hash = [0; 32];
    for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
        let high = char::from(pair[0]).to_digit(16)?;
        let low = char::from(pair[1]).to_digit(16)?;
        *byte = (high * 16 + low) as u8;
    }
    Some(hash)
}

/// `12_345_678` units of a mint with six decimals as `12.345678`.
pub fn units(units: u64) -> String {
    let fraction = format!("{:06}", units % 1_000_000);
    let fraction = fraction.trim_end_matches('0');
    let whole = thousands(units / 1_000_000);
    match fraction.len() {
        0 => whole,
        1 => format!("{whole}.{fraction}0"),
        _ => format!("{whole}.{fraction}"),
    }
}

/// `1234567` as `1,234,567`.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `int8 [1, 64]`.
pub fn spec(spec: &TensorSpec) -> String {
    let element = match spec.element() {
        ElementType::Int8 => "int8",
        ElementType::Int32 => "int32",
    };
    format!("{element} {:?}", spec.shape())
}

/// The first characters of a signature or an address.
pub fn shortened(text: &str) -> String {
    match text.char_indices().nth(8) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_a_hash_when_written_and_parsed_then_equal() {
        let hash: [u8; 32] = std::array::from_fn(|i| (i * 7) as u8);
        assert_eq!(parse_hash(&hex(&hash)), Some(hash));
        assert_eq!(parse_hash(&format!("0x{}", hex(&hash).to_uppercase())), Some(hash));
    }

    #[test]
    fn given_text_that_is_no_hash_when_parsed_then_none() {
        for text in [
            "",
            "ab",
            &"g".repeat(64),
            &"a".repeat(63),
            &"a".repeat(65),
            &"ä".repeat(32),
        ] {
            assert_eq!(parse_hash(text), None, "{text}");
        }
    }

    #[test]
    fn given_units_when_written_then_decimals_as_people_write_money() {
        for (amount, text) in [
            (0, "0"),
            (1, "0.000001"),
            (500_000, "0.50"),
            (1_250_000, "1.25"),
            (1_000_000_000_000, "1,000,000"),
            (12_345_678, "12.345678"),
        ] {
            assert_eq!(units(amount), text);
        }
    }

    #[test]
    fn given_a_long_text_when_shortened_then_eight_characters() {
        assert_eq!(shortened("5QGiHiv1LDNsnZKTFp4"), "5QGiHiv1…");
        assert_eq!(shortened("short"), "short");
    }
}
