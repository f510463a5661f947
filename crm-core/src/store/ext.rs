//! Typed conveniences on every store.

use async_trait::async_trait;

use super::{Aggregate, Cursor, Measure, Query, Scope, Select, Store, StoreError};
use crate::entity::{Entity, Stored};
use crate::id::Id;

/// A page of records.
#[derive(Clone, Debug)]
pub struct Page<E> {
    /// The records.
    pub items: Vec<Stored<E>>,
    /// Where to go on, if there is more.
    pub next: Option<Cursor>,
}

/// What can be said with the four methods of [`Store`].
#[async_trait]
pub trait StoreExt: Store {
    /// The record with this id, if it is there.
    async fn get<E: Entity>(&self, scope: Scope, id: Id<E>) -> Result<Option<Stored<E>>, StoreError> {
        let rows = self.fetch(scope, E::TABLE, &[id.uuid()]).await?;
        rows.into_iter().next().map(Stored::from_row).transpose()
    }

    /// The first record in the query's order, if there is one.
    async fn first<E: Entity>(&self, scope: Scope, query: Select) -> Result<Option<Stored<E>>, StoreError> {
        let rows = self.select(scope, &query.limited(1)).await?;
        rows.into_iter().next().map(Stored::from_row).transpose()
    }

    /// All records that the query asks for.
    async fn all<E: Entity>(&self, scope: Scope, query: &Select) -> Result<Vec<Stored<E>>, StoreError> {
        self.select(scope, query).await?.into_iter().map(Stored::from_row).collect()
    }

    /// A page of records. `query` must come from [`Query::to_select`], so that its order is total.
    async fn page<E: Entity>(&self, scope: Scope, query: &Select) -> Result<Page<E>, StoreError> {
        let limit = query.limit.unwrap_or(super::select::PAGE);
        let mut rows = self.select(scope, &query.clone().limited(limit.saturating_add(1))).await?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next = if more { rows.last().map(|row| Cursor::new(query, &query.place(row))) } else { None };
        let items = rows.into_iter().map(Stored::from_row).collect::<Result<_, _>>()?;
        Ok(Page { items, next })
    }

    /// How many records fulfil the query's filter.
    async fn count<E: Entity>(&self, scope: Scope, query: &Query<E>) -> Result<i64, StoreError> {
        let filter = query.to_select().map_or(super::Expr::False, |select| select.filter);
        let answers = self.aggregate(scope, &[Aggregate::new(E::TABLE, filter).measure(Measure::Count)]).await?;
        Ok(answers.first().and_then(|rows| rows.first()?[0].as_int()).unwrap_or(0))
    }
}

impl<S: Store + ?Sized> StoreExt for S {}
