//! The two parties of a document.

use serde::Serialize;
use serde_json::Value as Json;

use crate::access::Organization;
use crate::value::{Country, Document};

/// The organization as a document shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Seller {
    /// Its legal name, or the name as people write it.
    pub name: String,
    /// The lines of its address.
    pub address: Vec<String>,
    /// Its tax number.
    pub tax_number: Option<String>,
    /// Its e-mail address.
    pub email: Option<String>,
    /// Its phone number in international form.
    pub phone: Option<String>,
    /// Its web site.
    pub website: Option<String>,
    /// What stands at the foot.
    pub footer: Option<String>,
}

impl From<&Organization> for Seller {
    fn from(organization: &Organization) -> Self {
        let text = |text: Option<&str>| text.map(ToOwned::to_owned);
        Self {
            name: organization.legal_name.as_ref().unwrap_or(&organization.name).to_string(),
            address: organization.address.iter().flat_map(|address| address.lines()).map(ToOwned::to_owned).collect(),
            tax_number: text(organization.tax_number.as_deref()),
            email: organization.email.as_ref().map(ToString::to_string),
            phone: organization.phone.as_ref().map(crate::value::Phone::international),
            website: text(organization.website.as_deref()),
            footer: text(organization.document_footer.as_deref()),
        }
    }
}

/// The contact as a document shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Buyer {
    /// The name.
    pub name: String,
    /// The lines of the address.
    pub address: Vec<String>,
    /// The tax number after its kind, such as `NIT 900373115`.
    pub tax_number: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// The customer's account number.
    pub account_number: Option<String>,
}

impl Buyer {
    /// The buyer that a document froze on its issue.
    pub(super) fn frozen(buyer: &Document) -> Self {
        let json = buyer.json().unwrap_or_default();
        let text = |field: &str| json.get(field).and_then(Json::as_str).map(ToOwned::to_owned);
        let place: Vec<String> = ["city", "region", "postal_code"].into_iter().filter_map(text).collect();
        let place = (!place.is_empty()).then(|| place.join(", "));
        let country =
            text("country").map(|code| Country::from_code(&code).map_or(code, |country| country.name().to_owned()));
        let scheme = text("tax_scheme").filter(|scheme| scheme != "other").map(|scheme| scheme.to_uppercase());
        let tax_number = text("tax_number").map(|number| match scheme {
            Some(scheme) => format!("{scheme} {number}"),
            None => number,
        });
        Self {
            name: text("name").unwrap_or_default(),
            address: [text("address_line"), place, country].into_iter().flatten().collect(),
            tax_number,
            email: text("email"),
            account_number: text("account_number"),
        }
    }
}
