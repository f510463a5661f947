//! What a caller may see of the store.
//!
//! A query looks at other tables than the one that it lists: it sees of them what the caller may read of them, and a
//! record that the caller may not read is as good as none. Secret columns answer no questions, neither to a filter, which
//! would spell out a hash character by character, nor to an order, whose cursor would hold it; and no record that is given
//! to a caller has one.

use crate::access::{Grant, Membership, Organization, User, policy};
use crate::crm::Session;
use crate::crud::{Rules as _, column_is};
use crate::entity::{Entity, Flags, Stored, Table, Tenancy};
use crate::error::CrmError;
use crate::row::{Row, Value};
use crate::store::{Expr, Operand, Select, StoreExt as _};
use crate::value::ValueError;

impl Session<'_> {
    /// A caller's query, confined to what the caller may see of the tables that its filter looks at. What may be seen of
    /// the listed table itself comes on top.
    ///
    /// # Errors
    /// [`CrmError::Invalid`] when it looks at a secret column; [`CrmError::Forbidden`] and [`CrmError::OutOfScope`] when
    /// it looks at a table of which nothing may be read.
    pub(crate) fn confined(&self, mut query: Select) -> Result<Select, CrmError> {
        query.order.iter().try_for_each(|term| require_open(query.table, term.column))?;
        query.filter = self.confined_filter(query.table, &query.filter)?;
        Ok(query)
    }

    /// The same of a filter alone.
    pub(crate) fn confined_filter(&self, table: &Table, filter: &Expr) -> Result<Expr, CrmError> {
        let inner = |of: &'static Table, filter: &Expr| {
            Ok::<_, CrmError>(Box::new(self.readable(of)?.and(self.confined_filter(of, filter)?)))
        };
        let all = |all: &[Expr]| all.iter().map(|one| self.confined_filter(table, one)).collect::<Result<_, _>>();
        let seen = |of: &Operand, test: &dyn Fn(Operand) -> Expr| {
            let (of, seen) = self.operand(table, of)?;
            Ok::<_, CrmError>(seen.and(test(of)))
        };
        Ok(match filter {
            Expr::True | Expr::False | Expr::Search(_) => filter.clone(),
            Expr::Compare(of, cmp, value) => seen(of, &|of| Expr::Compare(of, *cmp, value.clone()))?,
            Expr::In(of, values) => seen(of, &|of| Expr::In(of, values.clone()))?,
            Expr::StartsWith(of, text) => seen(of, &|of| Expr::StartsWith(of, text.clone()))?,
            Expr::Contains(of, text) => seen(of, &|of| Expr::Contains(of, text.clone()))?,
            Expr::IsNull(of) => match self.operand(table, of)? {
                (of, Expr::True) => Expr::IsNull(of),
                // What is not seen is absent.
                (of, seen) => Expr::Or(vec![Expr::IsNull(of), Expr::Not(Box::new(seen))]),
            },
            Expr::And(each) => Expr::And(all(each)?),
            Expr::Or(each) => Expr::Or(all(each)?),
            Expr::Not(one) => Expr::Not(Box::new(self.confined_filter(table, one)?)),
            Expr::Related { reference, filter } => match target(table, *reference) {
                Some(other) => Expr::Related { reference: *reference, filter: inner(other, filter)? },
                None => Expr::False,
            },
            Expr::Has { table: other, reference, filter } => {
                Expr::Has { table: other, reference: *reference, filter: inner(other, filter)? }
            }
        })
    }

    /// An operand, and the condition that all that it looks at may be seen.
    fn operand(&self, table: &Table, operand: &Operand) -> Result<(Operand, Expr), CrmError> {
        Ok(match operand {
            Operand::Column(at) => {
                require_open(table, *at)?;
                (operand.clone(), Expr::True)
            }
            Operand::Via { reference, column } => {
                let Some(other) = target(table, *reference) else { return Ok((operand.clone(), Expr::False)) };
                require_open(other, *column)?;
                let seen = match self.readable(other)? {
                    Expr::True => Expr::True,
                    filter => Expr::Related { reference: *reference, filter: Box::new(filter) },
                };
                (operand.clone(), seen)
            }
            Operand::Difference(left, right) => {
                let ((left, one), (right, other)) = (self.operand(table, left)?, self.operand(table, right)?);
                (Operand::Difference(Box::new(left), Box::new(right)), one.and(other))
            }
            Operand::Instant(_) => (operand.clone(), Expr::True),
            Operand::Share(whole, share) => {
                let (whole, seen) = self.operand(table, whole)?;
                (Operand::Share(Box::new(whole), *share), seen)
            }
            Operand::Rank { table: other, reference, filter, ranks } => {
                let filter = Box::new(self.readable(other)?.and(self.confined_filter(other, filter)?));
                let ranks = ranks.iter().map(|rank| self.confined_filter(other, rank)).collect::<Result<_, _>>()?;
                (Operand::Rank { table: other, reference: *reference, filter, ranks }, Expr::True)
            }
        })
    }

    /// What the caller may read of a table that is known only at run time. Of users, who stand above organizations, those
    /// who are members.
    ///
    /// # Errors
    /// [`CrmError::Forbidden`] and [`CrmError::OutOfScope`] when it is nothing.
    pub(crate) fn readable(&self, table: &Table) -> Result<Expr, CrmError> {
        if *table == *User::TABLE {
            self.granted(Membership::TABLE.entity, "read")?;
            let reference = Membership::COLUMNS.user_id.index();
            return Ok(Expr::Has { table: Membership::TABLE, reference, filter: Box::new(Expr::True) });
        }
        let (_, grant) = self.granted(table.entity, "read")?;
        let acting = self.acting();
        Ok(match (table.tenancy, grant) {
            (Tenancy::Global, _) if *table == *Organization::TABLE => {
                Organization::of_organization(acting.organization.id)
            }
            (Tenancy::Organization, Grant::All) => Expr::True,
            (Tenancy::Organization, Grant::Own) => crate::schema::own(table, acting.user.id),
            _ => Expr::False,
        })
    }

    /// Refuses a record that is there and, under a grant of one's own records, not one's own any more.
    pub(crate) async fn require_seen<E: Entity>(&self, record: &Stored<E>) -> Result<(), CrmError> {
        let acting = self.acting();
        let rule = policy::find(E::TABLE.entity, "read");
        if rule.is_none_or(|rule| rule.grants[acting.role().position()] != Grant::Own) {
            return Ok(());
        }
        let id = column_is(0, Value::Id(record.id.uuid()));
        let own = Select::new(E::TABLE, id.and(crate::schema::own(E::TABLE, acting.user.id)));
        let seen = self.store().first::<E>(self.scope(), own).await?.is_some();
        if seen || self.store().get(self.scope(), record.id).await?.is_none() {
            return Ok(());
        }
        Err(CrmError::NotFound { entity: E::TABLE.entity, reference: record.id.to_string() })
    }
}

/// Refuses to look at a secret column, and at those of users that tell what they do in other organizations.
fn require_open(table: &Table, at: usize) -> Result<(), CrmError> {
    let Some(column) = table.columns.get(at) else { return Ok(()) };
    let has = |flag| column.flags.contains(flag);
    let when = if has(Flags::SECRET) {
        "the column is secret"
    } else if *table == *User::TABLE && at != 0 && has(Flags::SERVER_OWNED) && !has(Flags::DERIVED) {
        "only rules know the column"
    } else {
        return Ok(());
    };
    Err(CrmError::invalid(column.name, ValueError::NotAllowed { when }))
}

fn target(table: &Table, reference: usize) -> Option<&'static Table> {
    table.columns.get(reference)?.target()
}

/// Takes the secrets out of a record before it is given to a caller.
pub(crate) fn concealed<E: Entity>(record: Stored<E>) -> Result<Stored<E>, CrmError> {
    if !E::TABLE.columns.iter().any(|column| column.flags.contains(Flags::SECRET)) {
        return Ok(record);
    }
    let mut row = record.to_row();
    conceal(E::TABLE, &mut row);
    Ok(Stored::from_row(row)?)
}

pub(crate) fn conceal(table: &Table, row: &mut Row) {
    for (column, value) in table.columns.iter().zip(row) {
        if column.nullable && column.flags.contains(Flags::SECRET) {
            *value = Value::Null;
        }
    }
}
