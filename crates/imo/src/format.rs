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
    decimal(units, 6)
}

/// Units of a mint with any decimals as people write money.
pub fn decimal(units: u64, decimals: u8) -> String {
    let one = 10u64.checked_pow(decimals.into()).unwrap_or(u64::MAX);
    let digits = usize::from(decimals);
    let fraction = if digits == 0 {
        String::new()
    } else {
        format!("{:0digits$}", units % one)
    };
    let fraction = fraction.trim_end_matches('0');
    let whole = thousands(units / one);
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

/// A Unix time as `2027-01-15 08:00`, in UTC.
pub fn minute(unix: i64) -> String {
    const DAY: i64 = 86_400;
    let (days, second) = (unix.div_euclid(DAY), unix.rem_euclid(DAY));
    // Years begin in March here, so that the day of a leap year comes last; eras have 400 years of 146,097 days.
    let shifted = days + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute) = (second / 3_600, second % 3_600 / 60);
    format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02}")
}

/// Columns as wide as their longest cell, the first to the left and the others to the right.
pub fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let space = " ".repeat(width - cell.chars().count());
            if column == 0 {
                line.push_str(&format!("{cell}{space}"));
            } else {
                line.push_str(&format!("  {space}{cell}"));
            }
        }
        text.push_str(line.trim_end());
        text.push('\n');
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
        for (amount, decimals, text) in [
            (1_500_000_000, 9, "1.50"),
            (1, 9, "0.000000001"),
            (1_234, 0, "1,234"),
            (u64::MAX, 2, "184,467,440,737,095,516.15"),
        ] {
            assert_eq!(decimal(amount, decimals), text);
        }
    }

    #[test]
    fn given_a_unix_time_when_written_then_the_day_and_minute_in_utc() {
        for (unix, text) in [
            (0, "1970-01-01 00:00"),
            (951_782_400, "2000-02-29 00:00"),
            (1_800_000_059, "2027-01-15 08:00"),
            (-1, "1969-12-31 23:59"),
        ] {
            assert_eq!(minute(unix), text);
        }
    }

    #[test]
    fn given_a_long_text_when_shortened_then_eight_characters() {
        assert_eq!(shortened("5QGiHiv1LDNsnZKTFp4"), "5QGiHiv1…");
        assert_eq!(shortened("short"), "short");
    }
}
