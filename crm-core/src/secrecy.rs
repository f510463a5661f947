//! Secret columns answer no questions: neither a filter, which would spell out a hash character by character, nor an
//! order, whose cursor would hold it.

use crate::entity::{Flags, Table};
use crate::error::CrmError;
use crate::store::{Expr, Operand, Select};
use crate::value::ValueError;

/// Refuses a caller's query that looks at a secret column.
///
/// # Errors
/// [`CrmError::Invalid`] with the column.
pub(crate) fn require_open(query: &Select) -> Result<(), CrmError> {
    query.order.iter().try_for_each(|term| column(query.table, term.column))?;
    condition(query.table, &query.filter)
}

fn column(table: &Table, at: usize) -> Result<(), CrmError> {
    match table.columns.get(at) {
        Some(column) if column.flags.contains(Flags::SECRET) => {
            Err(CrmError::invalid(column.name, ValueError::NotAllowed { when: "the column is secret" }))
        }
        _ => Ok(()),
    }
}

fn target(table: &Table, reference: usize) -> Option<&'static Table> {
    table.columns.get(reference)?.target()
}

fn operand(table: &Table, operand: &Operand) -> Result<(), CrmError> {
    match operand {
        Operand::Column(at) => column(table, *at),
        Operand::Via { reference, column: at } => target(table, *reference).map_or(Ok(()), |other| column(other, *at)),
        Operand::Difference(left, right) => {
            self::operand(table, left)?;
            self::operand(table, right)
        }
        Operand::Instant(_) => Ok(()),
        Operand::Share(whole, _) => self::operand(table, whole),
        Operand::Rank { table, filter, ranks, .. } => {
            condition(table, filter)?;
            ranks.iter().try_for_each(|rank| condition(table, rank))
        }
    }
}

fn condition(table: &Table, expr: &Expr) -> Result<(), CrmError> {
    match expr {
        Expr::True | Expr::False | Expr::Search(_) => Ok(()),
        Expr::Compare(of, ..)
        | Expr::In(of, _)
        | Expr::IsNull(of)
        | Expr::StartsWith(of, _)
        | Expr::Contains(of, _) => operand(table, of),
        Expr::And(all) | Expr::Or(all) => all.iter().try_for_each(|one| condition(table, one)),
        Expr::Not(one) => condition(table, one),
        Expr::Related { reference, filter } => {
            target(table, *reference).map_or(Ok(()), |other| condition(other, filter))
        }
        Expr::Has { table, filter, .. } => condition(table, filter),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{ApiKey, Membership, PasswordHash, User};
    use crate::entity::Entity as _;
    use crate::store::Query;

    fn refused<E: crate::entity::Entity>(query: &Query<E>) -> Option<String> {
        require_open(&query.to_select().unwrap()).err().map(|error| error.to_string())
    }

    #[test]
    fn a_secret_column_is_refused_wherever_it_stands() {
        let hash = ApiKey::COLUMNS.hash;
        let told = |column: &str| Some(format!("{column}: is not allowed when the column is secret"));
        assert_eq!(refused(&Query::all().ascending(hash)), told("hash"));
        assert_eq!(refused(&Query::new(!hash.is_null())), told("hash"));
        let password = User::COLUMNS.password_hash.starts_with("$argon2id$");
        assert_eq!(
            refused(&Query::new(Membership::COLUMNS.user_id.refers_to(password.clone()))),
            told("password_hash")
        );
        let others = ApiKey::COLUMNS.user_id.refers_to(password.clone()) | ApiKey::COLUMNS.alias.starts_with("a");
        assert_eq!(refused(&Query::new(others & ApiKey::COLUMNS.prefix.starts_with("b"))), told("password_hash"));
        let via = Membership::COLUMNS.user_id.via::<User, Option<PasswordHash>>(User::COLUMNS.password_hash);
        assert_eq!(
            refused(&Query::<Membership>::new(crate::store::Filter::new(Expr::IsNull(via)))),
            told("password_hash")
        );
        let keys: crate::store::Filter<User> = ApiKey::COLUMNS.user_id.of_any(hash.is_null());
        assert_eq!(refused(&Query::new(Membership::COLUMNS.user_id.refers_to(keys))), told("hash"));
        let open = Membership::COLUMNS.user_id.refers_to(User::COLUMNS.active.eq(&true));
        assert_eq!(refused(&Query::new(open).descending(Membership::COLUMNS.role)), None);
        assert_eq!(*User::TABLE, *Membership::TABLE.columns[1].target().unwrap());
    }
}
