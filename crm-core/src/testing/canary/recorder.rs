//! Keeps everything that is logged, by `tracing` or by `log`, whatever its level.

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, Once, OnceLock, PoisonError};

use tracing_core::callsite::Callsite;
use tracing_core::field::{Field, Value, Visit};
use tracing_core::metadata::Kind;
use tracing_core::span::{Attributes, Id, Record};
use tracing_core::subscriber::Interest;
use tracing_core::{Dispatch, Event, Level, Metadata, Subscriber, dispatcher, metadata};

use crate::testing::trace;

/// What was logged. Numbers are left out, so that a statement is kept once however often it ran.
#[derive(Debug, Default)]
pub struct Recorder {
    lines: Mutex<BTreeSet<String>>,
    events: AtomicU64,
}

static RECORDER: OnceLock<Recorder> = OnceLock::new();

impl Recorder {
    /// The process's recorder, installed for both kinds of logging.
    ///
    /// # Panics
    /// When another one is installed already.
    pub fn install() -> &'static Self {
        static INSTALLED: Once = Once::new();
        let recorder = RECORDER.get_or_init(Self::default);
        INSTALLED.call_once(|| {
            log::set_logger(recorder).expect("no other logger");
            log::set_max_level(log::LevelFilter::Trace);
            dispatcher::set_global_default(Dispatch::new(Installed(recorder))).expect("no other subscriber");
        });
        recorder
    }

    /// How many events there were.
    pub fn events(&self) -> u64 {
        self.events.load(Ordering::Relaxed)
    }

    /// Everything that was logged.
    pub fn text(&self) -> String {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().map(String::as_str).collect::<Vec<_>>().join("\n")
    }

    fn keep(&self, line: String) {
        self.events.fetch_add(1, Ordering::Relaxed);
        trace::logged(&line);
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).insert(line);
    }
}

impl log::Log for Recorder {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        self.keep(format!("{} {}", record.target(), record.args()));
    }

    fn flush(&self) {}
}

/// The recorder as a subscriber.
struct Installed(&'static Recorder);

/// Writes the fields of an event or span.
struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // A time that something took is a number too.
        if field.name().starts_with("elapsed") {
            return;
        }
        let _ = write!(self.0, " {field}={value:?}");
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let _ = write!(self.0, " {field}={value}");
    }

    fn record_u64(&mut self, _: &Field, _: u64) {}

    fn record_i64(&mut self, _: &Field, _: i64) {}

    fn record_bool(&mut self, _: &Field, _: bool) {}
}

impl Subscriber for Installed {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut line = Line(span.metadata().name().to_owned());
        span.record(&mut line);
        self.0.keep(line.0);
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        let mut line = Line(String::new());
        values.record(&mut line);
        self.0.keep(line.0);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(event.metadata().target().to_owned());
        event.record(&mut line);
        self.0.keep(line.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// The place from which [`say`] logs.
struct Place;

static PLACE: Place = Place;
static EVENT: Metadata<'static> = metadata! {
    name: "canary",
    target: module_path!(),
    level: Level::TRACE,
    fields: &["message"],
    callsite: &PLACE,
    kind: Kind::EVENT
};

impl Callsite for Place {
    fn set_interest(&self, _: Interest) {}

    fn metadata(&self) -> &Metadata<'_> {
        &EVENT
    }
}

/// Logs a text by `tracing` and by `log`, which has no finer level than this.
pub(super) fn say(text: &str) {
    log::debug!("{text}");
    if let Some(message) = EVENT.fields().field("message") {
        Event::dispatch(&EVENT, &EVENT.fields().value_set(&[(&message, Some(&text as &dyn Value))]));
    }
}
