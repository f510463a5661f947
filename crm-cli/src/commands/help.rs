//! `crm help`: explains a command or a topic.

use std::fmt::Write as _;

use clap::{Arg, ArgMatches, Command};

use crate::args::texts;
use crate::config::{KEYS, nearest};
use crate::error::{Done, EXIT_CODES, Failure};
use crate::open::App;

const WHERE: &str = "\
The language of --where

  status = open and total >= 100
  name ~ perez or email is null
  kind = person and not country in (CO, BR, MX)
  due_on < 2026-03-01 and (notes is null or notes ~ 'call back')
  overdue and contact = ana@example.com

Comparisons are = != < <= > >= and ~ for \"contains\"; `is null` and `is not null` tell
what is absent, `in (…)` and `not in (…)` what is listed. They are joined by and, or, not
and parentheses. Values with spaces or signs are quoted; a quotation mark is doubled.

Columns are those of the JSON output; `contact` may stand for contact_id. Values are read
as the column asks for: dates as 2026-01-31, choices by their names, referenced records by
id or natural key. Amounts are in the organization's currency unless they name one, as in
total > '100 EUR', and find records in that currency alone. Names and e-mail addresses
are compared without regard to case and accents, other text exactly. A comparison with an
absent value is false, and its negation true. For invoices there are also overdue and
partially_paid, for tasks overdue, for cases open and overdue.
";

const LINES: &str = "\
The lines of an invoice, --line

  --line \"DESCRIPTION|QUANTITY|PRICE|TAX%|DISCOUNT\"   --line \"Consulting|1.5|80|19%|10%\"
  --line KEY=VALUE,…                                  --line sku=HAT-01,qty=2,discount=5.50

In the first form, what stands behind may be left out: quantity is 1, tax and discount
none. In the second, the keys are sku (or product), desc, qty, price, discount and tax;
what is left out comes from the product. A discount is a part, as 10%, or an amount, as
5.50, and is taken off before tax. Prices and quantities have up to six decimals; a line's
amounts are rounded once each, half away from zero. --line may be given many times. Lines
of a credit note are written in the same way.
";

const TEMPLATES: &str = "\
Templates of printed documents, --template

  crm invoice print INV-000007 --html invoice.html --template mine.html

A template is HTML in the language of Jinja. Every value that it prints is escaped. It
sees the fields of the document by name: `crm invoice print INV-000007 --json -` shows
them all. The parts of the built-in templates can be used and changed:

  {% extends \"layout.html\" %}      layout.html, style.css, parties.html, lines.html and
  {% include \"lines.html\" %}       totals.html are there

{{ total|amount }} writes an amount with thousands separators, {{ total|amount(2) }} with
two decimals at least. A name that is not there is an error, with its line.
";

pub(super) fn command() -> Command {
    Command::new("help")
        .about("Explains a command, or one of: exit-codes, where, lines, templates, environment")
        .arg(Arg::new("topic").value_name("TOPIC").num_args(0..).help("A command or a topic"))
}

pub(super) fn run(app: &App, args: &ArgMatches) -> Done {
    let topics = texts(args, "topic");
    match topics.as_slice() {
        ["exit-codes"] => {
            let mut text = String::from("Exit codes\n\n");
            for (code, meaning) in EXIT_CODES {
                let _ = writeln!(text, "{code:>5}  {meaning}");
            }
            app.out.data(&text)
        }
        ["where"] => app.out.data(WHERE),
        ["lines"] => app.out.data(LINES),
        ["templates"] => app.out.data(TEMPLATES),
        ["environment"] => app.out.data(&environment()),
        path => explain(app, path),
    }
}

fn environment() -> String {
    let mut text = String::from("Environment\n\n");
    for key in KEYS {
        let _ = writeln!(text, "  {:<17} {}", key.env, key.doc);
    }
    text.push_str(
        "  CRM_HOME          The folder of configuration and data, instead of the XDG folders\n  \
           CRM_NOW           An instant to take for now, for tests and reproducible output\n  \
           CRM_KEY           The text of an API key to act through; --key-stdin reads it instead\n  \
           CRM_APPLICATION   Which program asks, for the log of the key's requests\n  \
           CRM_REQUEST_NAME  For whom it asks, for the same log\n  \
           CRM_REQUEST_EMAIL Their address, for the same log\n  \
           PGPASSWORD        A PostgreSQL server's password; else ~/.pgpass or PGPASSFILE has it\n  \
           NO_COLOR          Messages are not coloured\n\n\
         An option of the command line goes before the environment, the environment before the\n\
         configuration file (`crm config`), the file before the default. Who acts is decided by\n\
         the first of: --as, an API key, CRM_AS, the login (`crm login`), the setting `as`.\n",
    );
    text
}

fn explain(app: &App, path: &[&str]) -> Done {
    let mut command = crate::args::command();
    command.build();
    for name in path {
        let Some(found) = command.find_subcommand(name) else {
            let known: Vec<&str> = command.get_subcommands().map(Command::get_name).collect();
            let failure = Failure::usage(format!("There is no command or topic {}", path.join(" ")));
            return Err(match nearest(name, &known) {
                Some(near) => failure.hint(format!("Did you mean {near}?")),
                None => failure.hint("`crm help` lists the commands"),
            });
        };
        command = found.clone();
    }
    app.out.data(&command.render_long_help().to_string())
}
