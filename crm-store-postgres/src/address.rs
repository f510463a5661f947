//! Addresses as they may be shown.

/// An address of a database as it may be shown: without its passwords, also where it is misspelt. An address without one,
/// and the path of a file, come back as they are.
///
/// ```
/// use crm_store_postgres::without_password;
/// assert_eq!(without_password("postgres://ana:secret@db/crm"), "postgres://ana:***@db/crm");
/// assert_eq!(without_password("postgres://db/crm?user=ana&password=se@cret"), "postgres://db/crm?user=ana&password=***");
/// ```
#[must_use]
pub fn without_password(address: &str) -> String {
    let misspelt = || address.split_once(':').filter(|(scheme, _)| ["postgres", "postgresql"].contains(scheme));
    let (scheme, rest) = match (address.split_once("://"), misspelt()) {
        (Some((scheme, rest)), _) => (format!("{scheme}://"), rest),
        (None, Some((scheme, rest))) => (format!("{scheme}:"), rest),
        (None, None) => return address.to_owned(),
    };
    // A password may hold any sign that should have been written as %…: then no port is where one would be.
    let place = &rest[..rest.find('?').unwrap_or(rest.len())];
    let host = place.split(['/', '#']).next().unwrap_or_default();
    let port = host.rsplit_once(':').is_none_or(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
    let end = place.rfind('@').or_else(|| if port { None } else { rest.rfind('@') });
    let place = match end.and_then(|at| Some((rest[..at].split_once(':')?.0, &rest[at..]))) {
        Some((user, host)) => format!("{user}:***{host}"),
        None => rest.to_owned(),
    };
    let Some((base, parameters)) = place.split_once('?') else { return format!("{scheme}{place}") };
    let shown: Vec<String> = parameters
        .split('&')
        .map(|parameter| match parameter.split_once('=') {
            Some((name, _)) if name.contains("password") => format!("{name}=***"),
            _ => parameter.to_owned(),
        })
        .collect();
    format!("{scheme}{base}?{}", shown.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        for (address, shown) in [
            ("postgres://ana:secret@host:5432/crm", "postgres://ana:***@host:5432/crm"),
            ("postgres://ana@host/crm", "postgres://ana@host/crm"),
            ("postgres:///crm?host=/tmp", "postgres:///crm?host=/tmp"),
            ("postgres://a:p@ss@host/crm", "postgres://a:***@host/crm"),
            ("/data/a:b@c.db", "/data/a:b@c.db"),
            ("postgres://ana@host/crm?password=secret&schema=a", "postgres://ana@host/crm?password=***&schema=a"),
            ("postgres://ana:secret@host?sslpassword=secret", "postgres://ana:***@host?sslpassword=***"),
            ("postgres://ana@host:5432/crm?schema=a@b", "postgres://ana@host:5432/crm?schema=a@b"),
            ("postgres://localhost/crm?user=ana&password=se@cret", "postgres://localhost/crm?user=ana&password=***"),
            ("acme.db", "acme.db"),
            // Misspelt.
            ("postgres://ana:sec/ret@host/crm", "postgres://ana:***@host/crm"),
            ("postgres://ana:1/2@host:5432/crm", "postgres://ana:***@host:5432/crm"),
            ("postgres://ana:sec?ret@host/crm?schema=a", "postgres://ana:***@host/crm?schema=a"),
            ("postgres:/ana:secret@host/crm", "postgres:/ana:***@host/crm"),
            ("postgresql:ana:secret@host/crm", "postgresql:ana:***@host/crm"),
        ] {
            assert_eq!(without_password(address), shown);
        }
    }
}
