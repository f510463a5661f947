//! Amounts as people read them.

use minijinja::{Error, ErrorKind, Value};

/// The filter `amount`: `1234.5` as `1,234.50` with two decimals at least.
#[expect(clippy::needless_pass_by_value, reason = "filters take their arguments by value")]
pub(super) fn amount(value: Value, decimals: Option<usize>) -> Result<String, Error> {
    let text = match value.as_str() {
        Some(text) => text.to_owned(),
        // An amount of money carries its currency beside it.
        None => value.get_attr("amount")?.as_str().unwrap_or_default().to_owned(),
    };
    grouped(&text, decimals.unwrap_or(0))
        .ok_or_else(|| Error::new(ErrorKind::InvalidOperation, format!("{value} is no amount")))
}

/// A plain decimal with thousands separators and at least so many decimals; nothing for other text.
fn grouped(text: &str, least: usize) -> Option<String> {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("\u{2212}", digits));
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
    let numeric = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !numeric(whole) || !numeric(decimals) {
        return None;
    }
    let mut out = sign.to_owned();
    for (at, digit) in whole.char_indices() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if !decimals.is_empty() || least > 0 {
        out.push('.');
        out.push_str(decimals);
        (decimals.len()..least).for_each(|_| out.push('0'));
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn thousands_are_separated_and_decimals_filled_up() {
        let cases = [
            ("0", 0, "0"),
            ("999.99", 2, "999.99"),
            ("1000", 2, "1,000.00"),
            ("1234567.5", 2, "1,234,567.50"),
            ("-1234.5", 0, "\u{2212}1,234.5"),
            ("0.123456", 2, "0.123456"),
            ("99999999999999999", 0, "99,999,999,999,999,999"),
        ];
        for (text, least, expected) in cases {
            assert_eq!(grouped(text, least).as_deref(), Some(expected));
        }
        for bad in ["", "-", ".5", "1,000", "1.2.3", "x", "1e3"] {
            assert_eq!(grouped(bad, 2), None, "{bad}");
        }
    }
}
