//! Organizations: whose book it is.

use crate::context::Context;
use crate::crud::{Rules, column_is};
use crate::error::Invalid;
use crate::id::Id;
use crate::row::Value;
use crate::store::Expr;
use crate::value::{Currency, Region, Slug, Text, ValueError, Zone};

crate::entity! {
    /// An organization: the tenant that every other record belongs to.
    pub struct Organization: "organization" in "crm_organization" as Record, Global {
        /// The small number by which rows name their organization.
        pub key: i64 [SERVER_OWNED],
        /// The name in commands and addresses: 2 to 64 of a-z, 0-9 and hyphens.
        pub slug: Slug,
        /// The name as people write it.
        pub name: Text<255>,
        /// The currency of amounts that name none.
        pub default_currency: Currency,
        /// The IANA time zone in which "today" is told.
        pub time_zone: Zone,
        /// The region of phone numbers without a country code.
        pub default_region: Option<Region>,
        /// How many days after its issue an invoice is due unless it says otherwise.
        pub payment_days: i64,
        /// Whether two contacts may not have the same e-mail address.
        pub unique_emails: bool,
        /// Whether two contacts may not have the same phone number.
        pub unique_phones: bool,
    }
    columns OrganizationColumns;
    derived { }
    unique {
        "crm_organization_key": [key],
        "crm_organization_slug": [slug],
    }
    index { }
}

impl Organization {
    /// A new organization with the usual settings.
    pub const fn new(slug: Slug, name: Text<255>, default_currency: Currency, time_zone: Zone) -> Self {
        Self {
            key: 0,
            slug,
            name,
            default_currency,
            time_zone,
            default_region: None,
            payment_days: 30,
            unique_emails: true,
            unique_phones: true,
        }
    }
}

impl Rules for Organization {
    const GENERAL: &'static [&'static str] = &["update"];
    fn of_organization(organization: Id<Self>) -> Expr {
        column_is(Self::COLUMNS.id.index(), Value::Id(organization.uuid()))
    }

    fn check(&mut self, before: Option<&Self>, _: &Context) -> Result<(), Vec<Invalid>> {
        let mut refused = Vec::new();
        if let Some(before) = before {
            // Contacts hold their claims to an address as it was when they were written.
            let mut fixed = |same: bool, field: &str| {
                if !same {
                    refused.push(Invalid::new(field, ValueError::NotAllowed { when: "the organization exists" }));
                }
            };
            fixed(before.unique_emails == self.unique_emails, "unique_emails");
            fixed(before.unique_phones == self.unique_phones, "unique_phones");
        }
        if !(0..=3_650).contains(&self.payment_days) {
            refused.push(Invalid::new("payment_days", ValueError::out_of_range(0, 3_650)));
        }
        if refused.is_empty() { Ok(()) } else { Err(refused) }
    }
}
