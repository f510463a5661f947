//! The commands that every plain record has: create, update, archive, restore, delete.

use async_trait::async_trait;

use crate::access::Grant;
use crate::context::Context;
use crate::crm::{Command, Session};
use crate::crud::{self, Edit, Rules};
use crate::entity::Stored;
use crate::error::CrmError;
use crate::id::Id;
use crate::privacy::require_unerased;
use crate::store::ChangeSet;

/// Creates a record.
#[derive(Clone, Debug)]
pub struct Create<E>(pub Edit<E>);

#[async_trait]
impl<E: Rules> Command for Create<E> {
    type Root = E;
    const VERB: &'static str = "create";

    fn body(&self) -> String {
        self.0.encode()
    }

    async fn decide(
        &self,
        session: &Session<'_>,
        grant: Grant,
        context: &mut Context,
        changes: &mut ChangeSet,
    ) -> Result<Stored<E>, CrmError> {
        crud::require_general::<E>(Self::VERB)?;
        let record = crud::create(&self.0, context)?;
        session.check_references(crud::references(&self.0), E::TABLE).await?;
        let record = changes.insert(context, record);
        session.require_own(grant, &record)?;
        session.number(context, changes, std::iter::once(record.id)).await?;
        Ok(record)
    }
}

/// Changes a record.
#[derive(Clone, Debug)]
pub struct Update<E> {
    /// Which.
    pub id: Id<E>,
    /// How.
    pub edit: Edit<E>,
}

#[async_trait]
impl<E: Rules> Command for Update<E> {
    type Root = E;
    const VERB: &'static str = "update";

    fn body(&self) -> String {
        format!("{}\n{}", self.id, self.edit.encode())
    }

    async fn decide(
        &self,
        session: &Session<'_>,
        grant: Grant,
        context: &mut Context,
        changes: &mut ChangeSet,
    ) -> Result<Stored<E>, CrmError> {
        crud::require_general::<E>(Self::VERB)?;
        let before = session.load(grant, self.id).await?;
        require_unerased(&before)?;
        let after = crud::change(&before, &self.edit, context)?;
        session.check_references(crud::references(&self.edit), E::TABLE).await?;
        let after = changes.update(context, &before, after);
        changes.move_counters(&before, &after);
        session.require_own(grant, &after)?;
        Ok(after)
    }
}

/// Declares the commands that need nothing but an id.
macro_rules! by_id {
    ($($(#[$meta:meta])* $name:ident, $verb:literal, |$before:ident, $context:ident, $changes:ident| $decide:expr;)*) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug)]
        pub struct $name<E>(pub Id<E>);

        #[async_trait]
        impl<E: Rules> Command for $name<E> {
            type Root = E;
            const VERB: &'static str = $verb;

            fn body(&self) -> String {
                self.0.to_string()
            }

            async fn decide(
                &self,
                session: &Session<'_>,
                grant: Grant,
                $context: &mut Context,
                $changes: &mut ChangeSet,
            ) -> Result<Stored<E>, CrmError> {
                crud::require_general::<E>(Self::VERB)?;
                let $before = session.load(grant, self.0).await?;
                Ok($decide)
            }
        }
    )*};
}
by_id! {
    /// Archives a record.
    Archive, "archive", |before, context, changes| changes.set_archived(context, &before, true);
    /// Restores an archived record.
    Restore, "restore", |before, context, changes| changes.set_archived(context, &before, false);
    /// Deletes a record for good.
    Delete, "delete", |before, _context, changes| {
        changes.delete(&before);
        before
    };
}
