//! Organizations: whose book it is.

use std::ops::RangeInclusive;

use crate::context::Context;
use crate::crud::{Rules, column_is};
use crate::error::Invalid;
use crate::id::Id;
use crate::row::Value;
use crate::store::Expr;
use crate::value::{Currency, Email, Notes, Phone, Region, Slug, Text, ValueError, Zone};

/// How many days after its issue an invoice may be due: ten years at most.
pub(crate) const PAYMENT_DAYS: RangeInclusive<i64> = 0..=3_650;

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
        /// The name of the legal person, on documents.
        pub legal_name: Option<Text<255>>,
        /// The tax number as it is printed on documents.
        pub tax_number: Option<Text<50>>,
        /// The address on documents, on several lines.
        pub address: Option<Notes<500>>,
        /// The e-mail address on documents.
        pub email: Option<Email>,
        /// The phone number on documents, in E.164.
        pub phone: Option<Phone>,
        /// The web site on documents.
        pub website: Option<Text<255>>,
        /// What stands at the foot of documents.
        pub document_footer: Option<Notes<1000>>,
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
            legal_name: None,
            tax_number: None,
            address: None,
            email: None,
            phone: None,
            website: None,
            document_footer: None,
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
        if !PAYMENT_DAYS.contains(&self.payment_days) {
            let reason = ValueError::out_of_range(PAYMENT_DAYS.start(), PAYMENT_DAYS.end());
            refused.push(Invalid::new("payment_days", reason));
        }
        if refused.is_empty() { Ok(()) } else { Err(refused) }
    }
}
