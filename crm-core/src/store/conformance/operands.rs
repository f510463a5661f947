//! Cases of what a measure or group looks at, other than plain columns.

use super::{World, contact, payment};
use crate::billing::Payment;
use crate::entity::{Entity as _, Minor};
use crate::people::Contact;
use crate::row::Value;
use crate::store::{Aggregate, Cmp, Expr, Group, Measure, Operand, Share, StoreError};
use crate::value::{Currency, Decimal6, Instant};

fn share(percent: &str) -> Share {
    Share::percent(percent.parse::<Decimal6>().unwrap()).unwrap()
}

/// Amounts whose halves are rounded away from zero, and the ends of 64 bits.
pub(super) async fn shares_are_exact(world: &mut World<'_>) {
    let amounts = [1, -1, 3, -3, 49_999_999, 50_000_000, -50_000_000, i64::MAX, i64::MIN];
    let contacts = world.contacts(&["a"]).await;
    let mut changes = world.changes();
    for amount in amounts {
        let paid = Payment { amount: Minor(amount), ..payment(contacts[0].id, 1, 0, Currency::USD) };
        changes.insert(&mut world.context, paid);
    }
    world.store.apply(world.scope, changes).await.unwrap();
    let amount = Payment::COLUMNS.amount.operand();
    for percent in ["0", "0.000001", "12.5", "33.333333", "50", "99.999999", "100"] {
        let part = Operand::Share(Box::new(amount.clone()), share(percent));
        let query = Aggregate::new(Payment::TABLE, Expr::True)
            .by(Group::Value(amount.clone()))
            .measure(Measure::Sum(part.clone()));
        let answer = world.store.aggregate(world.scope, &[query]).await.unwrap().remove(0);
        assert_eq!(answer.len(), amounts.len());
        for row in answer {
            let of = row[0].as_int().unwrap();
            assert_eq!(row[1], Value::Int(share(percent).of(of)), "{percent} % of {of}");
        }
        let positive = Expr::Compare(amount.clone(), Cmp::Gt, Value::Int(1));
        let sum = Aggregate::new(Payment::TABLE, positive).measure(Measure::Sum(part));
        let rounded = [3, 49_999_999, 50_000_000, i64::MAX].map(|of| i128::from(share(percent).of(of)));
        let expected = i64::try_from(rounded.iter().sum::<i128>());
        match (world.store.aggregate(world.scope, &[sum]).await, expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, [vec![vec![Value::Int(expected)]]], "{percent} %"),
            (found, expected) => {
                assert!(expected.is_err() && matches!(found, Err(StoreError::Overflow)), "{percent} %: {found:?}");
            }
        }
    }
}

/// Differences of instants are whole seconds, cut off towards zero.
pub(super) async fn instants_differ_by_whole_seconds(world: &mut World<'_>) {
    let contact = world.contacts(&["a"]).await.remove(0);
    let created = contact.created_at.micros();
    for (after, seconds) in
        [(0, 0), (999_999, 0), (1_000_000, 1), (-999_999, 0), (-1_000_001, -1), (86_400_000_000, 86_400)]
    {
        let then = Operand::Instant(Instant::from_micros(created + after).unwrap());
        let difference = Operand::Difference(Box::new(then), Box::new(Contact::COLUMNS.created_at.operand()));
        let query = Aggregate::new(Contact::TABLE, Expr::True)
            .by(Group::Value(difference.clone()))
            .measure(Measure::Sum(difference));
        let answer = world.store.aggregate(world.scope, &[query]).await.unwrap();
        assert_eq!(answer, [vec![vec![Value::Int(seconds), Value::Int(seconds)]]], "{after} microseconds");
    }
    let never = Operand::Difference(
        Box::new(Operand::Instant(contact.created_at)),
        Box::new(Contact::COLUMNS.archived_at.operand()),
    );
    let query = Aggregate::new(Contact::TABLE, Expr::IsNull(never)).measure(Measure::Count);
    let answer = world.store.aggregate(world.scope, &[query]).await.unwrap();
    assert_eq!(answer, [vec![vec![Value::Int(1)]]], "without an instant there is no difference");
}

/// The last condition that any of a record's children fulfils.
pub(super) async fn ranks_are_those_of_the_best_child(world: &mut World<'_>) {
    let contacts = world.contacts(&["none", "small", "both", "large", "other"]).await;
    let mut changes = world.changes();
    for (of, amount, currency) in [
        (1, 10, Currency::USD),
        (2, 10, Currency::USD),
        (2, 100, Currency::USD),
        (2, 5, Currency::USD),
        (3, 100, Currency::USD),
        (4, 100, Currency::EUR),
    ] {
        changes.insert(&mut world.context, payment(contacts[of].id, amount, 0, currency));
    }
    let employee = Contact { company_id: Some(contacts[3].id), ..contact("employee") };
    changes.insert(&mut world.context, employee);
    world.store.apply(world.scope, changes).await.unwrap();
    let columns = Payment::COLUMNS;
    let rank = |ranks: Vec<Expr>| Operand::Rank {
        table: Payment::TABLE,
        reference: columns.contact_id.index(),
        filter: Box::new(columns.currency.eq(&Currency::USD).into()),
        ranks,
    };
    let ranks = || vec![columns.amount.ge(&Minor(10)).into(), columns.amount.ge(&Minor(100)).into()];
    let counted = |rank| Aggregate::new(Contact::TABLE, Expr::True).by(Group::Value(rank)).measure(Measure::Count);
    let mut backwards = ranks();
    backwards.reverse();
    let queries = [counted(rank(ranks())), counted(rank(backwards)), counted(rank(Vec::new()))];
    let answers = world.store.aggregate(world.scope, &queries).await.unwrap();
    let row = |rank, count| vec![Value::Int(rank), Value::Int(count)];
    assert_eq!(answers[0], [row(0, 3), row(1, 1), row(2, 2)]);
    assert_eq!(answers[1], [row(0, 3), row(2, 3)]);
    assert_eq!(answers[2], [row(0, 6)]);
    // In a condition as well.
    let reached = Expr::Compare(rank(ranks()), Cmp::Ge, Value::Int(2));
    let query = Aggregate::new(Contact::TABLE, reached).measure(Measure::Count);
    assert_eq!(world.store.aggregate(world.scope, &[query]).await.unwrap(), [vec![vec![Value::Int(2)]]]);
}
