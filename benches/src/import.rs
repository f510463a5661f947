//! What a large import takes of memory, and whether it slows down.

use std::fs;
use std::io::BufWriter;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::book::{Folder, OWNER, SLUG};
use crate::contacts::Fields;
use crate::rounds::{each, shown};
use crate::{Options, Outcome, cli};

const SMALL: usize = 10_000;

/// What one import took.
struct Taken {
    /// The most memory that was resident, in KiB.
    peak: u64,
    /// The seconds per row of each tenth, as they were read.
    tenths: Vec<f64>,
    /// From the start to the end, the commit included.
    total: Duration,
}

pub(crate) fn run(options: &Options) -> Outcome {
    let Some(crm) = cli::binary("import") else { return Ok(()) };
    let count = options.rows(1_000_000);
    let folder = Folder::new()?;
    let template = folder.template()?;
    let import = |rows: usize| -> Outcome<Taken> {
        let path = folder.copy(&template, "import.db")?;
        let mut command = Command::new(&crm);
        command.args(["--database", &format!("sqlite:{}", path.display()), "--org", SLUG, "--as", OWNER]);
        command.args(["import", "contacts", "-"]);
        command.env("XDG_CONFIG_HOME", folder.path("config")).env("XDG_DATA_HOME", folder.path("data"));
        taken(&mut command, rows)
    };
    import(SMALL)?;
    let small = import(SMALL)?;
    let large = import(count)?;
    println!("\n### import: crm import contacts, SQLite, FULL\n");
    println!("| rows | peak memory | total | rows/s |\n|---|---|---|---|");
    for (rows, taken) in [(SMALL, &small), (count, &large)] {
        let each = each(taken.total, rows);
        println!("| {rows} | {} MiB | {} | {:.0} |", taken.peak / 1024, shown(taken.total.as_secs_f64()), 1.0 / each);
    }
    let more = large.peak.saturating_sub(small.peak) / 1024;
    println!("\nMemory: {more} MiB more for {count} rows than for {SMALL} (goal: at most 64 more).");
    let rates: Vec<String> = large.tenths.iter().map(|seconds| format!("{:.0}", 1.0 / seconds)).collect();
    println!("Rows per second of each tenth: {}.", rates.join(", "));
    let (first, last) = (large.tenths[0], large.tenths[large.tenths.len() - 1]);
    println!("The last tenth takes {:.2} times as long as the first (goal: at most 1.3).", last / first);
    Ok(())
}

/// Feeds a program with rows and watches it. A pipe holds so little that what is written has been read.
fn taken(command: &mut Command, rows: usize) -> Outcome<Taken> {
    let begun = Instant::now();
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    let input = child.stdin.take().ok_or("no input")?;
    let (peak, over) = (AtomicU64::new(0), AtomicBool::new(false));
    let id = child.id();
    let tenths = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                peak.fetch_max(resident(id).unwrap_or(0), Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        let fed = feed(BufWriter::new(input), rows);
        let ended = end(child);
        over.store(true, Ordering::Relaxed);
        ended?;
        fed
    })?;
    Ok(Taken { peak: peak.into_inner(), tenths, total: begun.elapsed() })
}

fn feed(mut input: impl std::io::Write, rows: usize) -> Outcome<Vec<f64>> {
    writeln!(input, "{}", Fields::of(0).names.join(","))?;
    let mut tenths = Vec::with_capacity(10);
    let mut row = 0;
    for tenth in 1..=10 {
        let (begun, first) = (Instant::now(), row);
        while row < rows * tenth / 10 {
            let cells: Vec<String> = Fields::of(row).values.iter().map(|value| format!("\"{value}\"")).collect();
            writeln!(input, "{}", cells.join(","))?;
            row += 1;
        }
        tenths.push(each(begun.elapsed(), row - first));
    }
    Ok(tenths)
}

fn end(child: Child) -> Outcome {
    let output = child.wait_with_output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).chars().take(2_000).collect::<String>();
    Err(format!("the import ended with {} and said {said}", output.status).into())
}

/// The most memory that a process has had so far, in KiB.
fn resident(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches("kB").trim().parse().ok()
}
