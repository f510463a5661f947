//! Organizations: whose book it is.

use crate::crud::Rules;
use crate::value::{Currency, Region, Slug, Text, Zone};

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

impl Rules for Organization {}
