//! Prints the schema that the descriptions ask for, from which migrations are written.
#![expect(clippy::print_stdout, reason = "its purpose")]
fn main() {
    let dialect = match std::env::args().nth(1).as_deref() {
        Some("postgres") => crm_sql::Dialect::Postgres,
        _ => crm_sql::Dialect::Sqlite,
    };
    print!("{}", crm_sql::create_schema(dialect, crm_core::schema::TABLES));
}
