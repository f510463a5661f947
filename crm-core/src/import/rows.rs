//! The rows of a CSV file, with the line at which each begins.

use std::io::{self, Cursor, Read};
use std::sync::{Mutex, PoisonError};

use csv::{ByteRecord, ReaderBuilder, StringRecord};

use super::mapping::Sheet;
use crate::error::{CrmError, Invalid};
use crate::value::ValueError;

/// How many bytes a row may have; a quotation mark that is never closed would take the rest of the file.
const LONGEST: u64 = 16 * 1024 * 1024;
/// How many bytes of the file may go by until the header ends.
const PEEK: usize = 64 * 1024;

/// A row of a file.
pub(super) struct RawRow {
    /// The line at which it begins, from 1.
    pub(super) line: u64,
    /// Its cells; what is no UTF-8 is replaced.
    pub(super) record: StringRecord,
    /// What is wrong with the row as such.
    pub(super) fault: Option<Fault>,
}

/// What can be wrong with a row as such.
pub(super) enum Fault {
    /// The cell at this position is no UTF-8.
    Bytes(usize),
    /// It has so many cells, and the header so many.
    Cells(usize, usize),
}

impl Fault {
    /// The field and the reason.
    pub(super) fn invalid(&self, sheet: &Sheet, record: &StringRecord) -> Invalid {
        match self {
            Self::Bytes(at) => {
                let got = record.get(*at).unwrap_or_default();
                Invalid::new(sheet.called(*at), ValueError::syntax("text in UTF-8", got))
            }
            Self::Cells(got, expected) => {
                let (stated, computed) = (format!("{expected} cells in the header"), format!("{got} in the row"));
                Invalid::new("row", ValueError::NotEqual { stated, computed })
            }
        }
    }
}

/// Reads a file row by row.
pub(super) struct Rows {
    reader: csv::Reader<Tap>,
    header: StringRecord,
    /// The line that the reader had come to after the row before.
    came_to: u64,
}

impl Rows {
    /// Reads the header.
    ///
    /// # Errors
    /// When there is none, it is no UTF-8, or the delimiter is none.
    pub(super) fn open(input: Box<dyn Read + Send>, delimiter: Option<char>, prefix: &str) -> Result<Self, CrmError> {
        let (head, input) = peek(input).map_err(CrmError::Input)?;
        let delimiter = match delimiter {
            None => detect(&head),
            Some(c) => u8::try_from(c).ok().filter(|c| c.is_ascii() && !b"\"\r\n\0".contains(c)).ok_or_else(|| {
                let reason = ValueError::syntax("one character such as ; or a tab", &c.to_string());
                CrmError::invalid(format!("{prefix}delimiter"), reason)
            })?,
        };
        let tap = Tap {
            input: Mutex::new(Box::new(Cursor::new(head).chain(input))),
            last: Vec::new(),
            given: 0,
            budget: LONGEST,
        };
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .buffer_capacity(64 * 1024)
            .from_reader(tap);
        let mut rows = Self { reader, header: StringRecord::new(), came_to: 1 };
        let invalid = |reason| CrmError::invalid(format!("{prefix}header"), reason);
        let header = rows.next()?.ok_or_else(|| invalid(ValueError::Blank))?;
        if let Some(Fault::Bytes(at)) = header.fault {
            return Err(invalid(ValueError::syntax("text in UTF-8", header.record.get(at).unwrap_or_default())));
        }
        rows.header = header.record;
        Ok(rows)
    }

    /// The names of the columns.
    pub(super) const fn header(&self) -> &StringRecord {
        &self.header
    }

    /// The next row; nothing at the end.
    pub(super) fn next(&mut self) -> Result<Option<RawRow>, CrmError> {
        self.reader.get_mut().budget = LONGEST;
        let mut record = ByteRecord::with_capacity(256, self.header.len().max(8));
        let more = self.reader.read_byte_record(&mut record).map_err(|error| match error.into_kind() {
            csv::ErrorKind::Io(error) => CrmError::Input(error),
            other => CrmError::Input(io::Error::other(format!("{other:?}"))),
        })?;
        if !more {
            return Ok(None);
        }
        let line = self.line_of(&record);
        let cells = record.len();
        let (record, mut fault) = match StringRecord::from_byte_record(record) {
            Ok(record) => (record, None),
            Err(error) => {
                let fault = Fault::Bytes(error.utf8_error().field());
                (StringRecord::from_byte_record_lossy(error.into_byte_record()), Some(fault))
            }
        };
        if cells != self.header.len() && !self.header.is_empty() {
            fault = Some(Fault::Cells(cells, self.header.len()));
        }
        Ok(Some(RawRow { line, record, fault }))
    }

    /// The line at which a row begins. The reader tells the line at which it began to look for it, which is
    /// another one after blank lines.
    fn line_of(&mut self, record: &ByteRecord) -> u64 {
        let after = self.reader.position();
        let (line, byte) = (after.line(), after.byte());
        let ended = u64::from(self.reader.get_ref().at(byte.wrapping_sub(1)) == Some(b'\n'));
        let began = if line - self.came_to == ended {
            self.came_to
        } else {
            let within = record.as_slice().iter().fold(0, |sum, byte| sum + u64::from(*byte == b'\n'));
            line.saturating_sub(ended + within)
        };
        self.came_to = line;
        began
    }
}

/// Passes a file on, remembers the last bytes that it passed, and stops when a row does not end.
struct Tap {
    /// Never locked, only to be shared between threads, as what borrows a reader across an await must be.
    input: Mutex<Box<dyn Read + Send>>,
    /// What was passed last.
    last: Vec<u8>,
    /// How much was passed in all.
    given: u64,
    /// How much may be passed until the next row.
    budget: u64,
}

impl Tap {
    /// The byte at a position, if it was passed last.
    fn at(&self, position: u64) -> Option<u8> {
        let from = self.given - self.last.len() as u64;
        self.last.get(usize::try_from(position.checked_sub(from)?).ok()?).copied()
    }
}

impl Read for Tap {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.budget == 0 {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "a row is longer than 16 MiB; is a quotation mark not closed?",
            ));
        }
        let read = self.input.get_mut().unwrap_or_else(PoisonError::into_inner).read(buffer)?;
        self.budget = self.budget.saturating_sub(read as u64);
        if read > 0 {
            self.given += read as u64;
            self.last.clear();
            self.last.extend_from_slice(&buffer[..read]);
        }
        Ok(read)
    }
}

/// Reads until the header's end, and takes off the byte order mark.
fn peek(mut input: Box<dyn Read + Send>) -> io::Result<(Vec<u8>, Box<dyn Read + Send>)> {
    let mut head: Vec<u8> = Vec::new();
    let mut part = [0; 4096];
    while head.len() < PEEK && !head.iter().skip_while(|byte| byte.is_ascii_whitespace()).any(|byte| *byte == b'\n') {
        match input.read(&mut part) {
            Ok(0) => break,
            Ok(read) => head.extend_from_slice(&part[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    if head.starts_with(b"\xef\xbb\xbf") {
        head.drain(..3);
    }
    Ok((head, input))
}

/// What stands between the header's cells: whichever of the usual ones there is most of, outside quotation
/// marks.
fn detect(head: &[u8]) -> u8 {
    let mut counts = [(b',', 0_u32), (b';', 0), (b'\t', 0)];
    let mut quoted = false;
    for byte in head.iter().skip_while(|byte| matches!(byte, b'\r' | b'\n')) {
        match byte {
            b'"' => quoted = !quoted,
            b'\r' | b'\n' if !quoted => break,
            byte if !quoted => counts.iter_mut().filter(|(known, _)| known == byte).for_each(|(_, count)| *count += 1),
            _ => {}
        }
    }
    // The first of equals: a comma.
    counts.iter().rev().max_by_key(|(_, count)| *count).map_or(b',', |(delimiter, _)| *delimiter)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &'static [u8]) -> Vec<(u64, Vec<String>)> {
        let mut rows = Rows::open(Box::new(text), None, "").unwrap();
        std::iter::from_fn(|| rows.next().unwrap())
            .map(|row| (row.line, row.record.iter().map(str::to_owned).collect()))
            .collect()
    }

    fn only_lines(text: &'static [u8]) -> Vec<u64> {
        lines(text).into_iter().map(|(line, _)| line).collect()
    }

    #[test]
    fn rows_know_their_lines() {
        assert_eq!(only_lines(b"a,b\n\n\n1,2\n\"x\ny\",3\r\n\r\n4,5"), [4, 5, 8]);
        assert_eq!(only_lines(b"\n\na,b\r\n1,2\r\n\r\n\r\n3,4\r\n"), [4, 7]);
        assert_eq!(only_lines(b"a,b\r\n\"1\r\n\r\n\",2\r\n3,4\r\n\"x\ny\",5\r\n6,7\r\n8,9"), [2, 5, 6, 8, 9]);
        assert_eq!(only_lines(b"a,b\n\"1\n2\",3\n\"4\n5\",6"), [2, 4]);
        assert_eq!(only_lines(b"a,b\n1,2\n3,4\n"), [2, 3]);
    }

    #[test]
    fn long_files_know_their_lines_too() {
        let mut text = String::from("a,b\r\n");
        for row in 0..40_000_u32 {
            text.push_str(if row % 7 == 0 { "\"one\r\ntwo\",x\r\n" } else { "one,\"xx\"\r\n" });
        }
        let mut rows = Rows::open(Box::new(Cursor::new(text)), None, "").unwrap();
        let mut expected = 2;
        for row in 0..40_000_u32 {
            assert_eq!(rows.next().unwrap().unwrap().line, expected, "row {row}");
            expected += if row % 7 == 0 { 2 } else { 1 };
        }
    }

    #[test]
    fn delimiters_are_told_from_the_header() {
        assert_eq!(detect(b"a;b;c\n1,2,3,4,5"), b';');
        assert_eq!(detect(b"a\tb\n"), b'\t');
        assert_eq!(detect(b"\"a;b;c\",d\n"), b',');
        assert_eq!(detect(b"alone"), b',');
        assert_eq!(lines(b"\xef\xbb\xbfa;b\n\"1;2\";3\n")[0].1, ["1;2", "3"]);
    }

    #[test]
    fn a_quotation_mark_that_is_not_closed_is_an_error() {
        let text = format!("a,b\n1,2\n\"3,{}", "4\n".repeat(10_000_000));
        let mut rows = Rows::open(Box::new(Cursor::new(text)), None, "").unwrap();
        assert!(rows.next().is_ok());
        assert!(matches!(rows.next(), Err(CrmError::Input(_))));
    }

    #[test]
    fn headers_that_cannot_be_read_are_errors() {
        for bad in [b"".as_slice(), b"\n\n", b"\xff\xfea\0,\0b\0\n\0", b"caf\xe9,b\n"] {
            assert!(matches!(Rows::open(Box::new(bad), None, ""), Err(CrmError::Invalid(_))), "{bad:?}");
        }
        assert!(Rows::open(Box::new(b"a,b".as_slice()), Some('"'), "").is_err());
        assert!(Rows::open(Box::new(b"a,b".as_slice()), Some('→'), "").is_err());
    }
}
