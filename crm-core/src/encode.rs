//! Rows and values as JSON: in audit entries, cursors, idempotency records and archives.
//!
//! The form is exact and the same on every database: ids, dates, instants and decimals as text,
//! amounts as whole minor units, bytes in hexadecimal, absent values as `null`.

use std::fmt::Write as _;

use serde_json::Value as Json;

use crate::entity::{Flags, Kind, Table};
use crate::row::{Row, Value};
use crate::value::{Decimal6, Instant, ValueError, parse_date};

/// Appends the JSON form of a value.
pub fn write_value(out: &mut String, kind: Kind, value: &Value) {
    match value {
        Value::Null | Value::Deferred(_) => out.push_str("null"),
        Value::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
        Value::Int(number) if kind == Kind::Decimal => {
            let _ = write!(out, "\"{}\"", Decimal6::from_micros(*number));
        }
        Value::Int(number) => {
            let _ = write!(out, "{number}");
        }
        Value::Text(text) if kind == Kind::Json => out.push_str(text),
        Value::Text(text) => write_text(out, text),
        Value::Date(date) => {
            let _ = write!(out, "\"{date}\"");
        }
        Value::Instant(instant) => {
            let _ = write!(out, "\"{instant}\"");
        }
        Value::Id(id) => {
            let mut buffer = [0; 36];
            out.push('"');
            out.push_str(id.as_hyphenated().encode_lower(&mut buffer));
            out.push('"');
        }
        Value::Bytes(bytes) => {
            out.push('"');
            for byte in bytes {
                let _ = write!(out, "{byte:02x}");
            }
            out.push('"');
        }
    }
}

/// Appends a JSON string.
pub fn write_text(out: &mut String, text: &str) {
    out.push('"');
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.push_str(&text[plain..at]);
        plain = at + 1;
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            control => {
                let _ = write!(out, "\\u{control:04x}");
            }
        }
    }
    out.push_str(&text[plain..]);
    out.push('"');
}

/// The JSON form of a value.
pub fn encode_value(kind: Kind, value: &Value) -> Json {
    let mut text = String::new();
    write_value(&mut text, kind, value);
    serde_json::from_str(&text).unwrap_or(Json::Null)
}

/// Reads the JSON form of a value.
///
/// # Errors
/// When it is not of the kind.
pub fn decode_value(kind: Kind, json: Json) -> Result<Value, ValueError> {
    let wrong = |json: &Json| ValueError::syntax(name(kind), &json.to_string());
    Ok(match (kind, json) {
        (Kind::Json, json) if !json.is_null() => Value::Text(json.to_string()),
        (_, Json::Null) => Value::Null,
        (Kind::Bool, Json::Bool(truth)) => Value::Bool(truth),
        (Kind::Int | Kind::Money, Json::Number(number)) => {
            Value::Int(number.as_i64().ok_or_else(|| wrong(&Json::Number(number.clone())))?)
        }
        (Kind::Decimal, Json::String(text)) => Value::Int(Decimal6::parse(&text)?.micros()),
        (Kind::Text, Json::String(text)) => Value::Text(text),
        (Kind::Enum(names), Json::String(text)) => {
            if !names.contains(&text.as_str()) {
                return Err(ValueError::unknown_value(&text, names));
            }
            Value::Text(text)
        }
        (Kind::Id, Json::String(text)) => {
            Value::Id(uuid::Uuid::parse_str(&text).map_err(|_| wrong(&Json::String(text)))?)
        }
        (Kind::Date, Json::String(text)) => Value::Date(parse_date(&text)?),
        (Kind::Instant, Json::String(text)) => Value::Instant(text.parse::<Instant>()?),
        (Kind::Bytes, Json::String(text)) => Value::Bytes(unhex(&text).ok_or_else(|| wrong(&Json::String(text)))?),
        (_, json) => return Err(wrong(&json)),
    })
}

const fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Id => "an id",
        Kind::Bool => "true or false",
        Kind::Int => "a whole number",
        Kind::Money => "a whole number of minor units",
        Kind::Decimal => "a decimal as text",
        Kind::Text | Kind::Enum(_) => "text",
        Kind::Json => "a JSON document",
        Kind::Date => "a date",
        Kind::Instant => "an instant",
        Kind::Bytes => "bytes in hexadecimal",
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

/// A row as a JSON object, by column name; secret columns are left out.
pub fn encode_row(table: &Table, row: &[Value]) -> String {
    let mut out = String::with_capacity(256);
    out.push('{');
    for (column, value) in table.columns.iter().zip(row) {
        if column.flags.contains(Flags::SECRET) {
            continue;
        }
        if out.len() > 1 {
            out.push(',');
        }
        write_text(&mut out, column.name);
        out.push(':');
        write_value(&mut out, column.kind, value);
    }
    out.push('}');
    out
}

/// Reads a row; what is not there is absent.
///
/// # Errors
/// When it is no such object or a value is not of its column's kind.
pub fn decode_row(table: &Table, text: &str) -> Result<Row, ValueError> {
    let wrong = || ValueError::syntax("a row of the table", text);
    let Ok(Json::Object(mut object)) = serde_json::from_str(text) else { return Err(wrong()) };
    table
        .columns
        .iter()
        .map(|column| decode_value(column.kind, object.remove(column.name).unwrap_or(Json::Null)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_as_json_wants_it() {
        let text = "a\"b\\c\nd\u{1}é";
        let mut out = String::new();
        write_text(&mut out, text);
        assert_eq!(serde_json::from_str::<String>(&out).unwrap(), text);
    }

    #[test]
    fn every_kind_round_trips() {
        let values = [
            (Kind::Id, Value::Id(uuid::Uuid::from_u128(7))),
            (Kind::Bool, Value::Bool(true)),
            (Kind::Int, Value::Int(i64::MIN)),
            (Kind::Money, Value::Int(12)),
            (Kind::Decimal, Value::Int(1_500_000)),
            (Kind::Text, Value::Text("x\"y".into())),
            (Kind::Enum(&["a"]), Value::Text("a".into())),
            (Kind::Json, Value::Text(r#"{"a":1}"#.into())),
            (Kind::Date, Value::Date(parse_date("2026-02-28").unwrap())),
            (Kind::Instant, Value::Instant(Instant::EPOCH)),
            (Kind::Bytes, Value::Bytes(vec![0, 255])),
            (Kind::Text, Value::Null),
        ];
        for (kind, value) in values {
            assert_eq!(decode_value(kind, encode_value(kind, &value)).unwrap(), value);
        }
        assert!(decode_value(Kind::Enum(&["a"]), Json::String("b".into())).is_err());
        assert!(decode_value(Kind::Int, Json::from(1.5)).is_err());
        assert!(decode_value(Kind::Bytes, Json::String("é".into())).is_err());
    }
}
