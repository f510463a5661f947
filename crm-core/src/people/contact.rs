//! Contacts: people and companies.

use crate::access::{PAYMENT_DAYS, User};
use crate::context::Context;
use crate::crud::{EVERY_VERB, Edit, Rules, column_is};
use crate::error::Invalid;
use crate::id::Id;
use crate::row::Value;
use crate::store::Expr;
use crate::value::{
    Country, Document, Email, Instant, Notes, Phone, TaxId, TaxScheme, Text, ValueError, fold, folded_tokens,
};

crate::choice! {
    /// What a contact is.
    pub enum ContactKind {
        /// A natural person.
        Person = "person",
        /// A company or other legal person.
        Company = "company",
    }
}

crate::choice! {
    /// How a contact was first met.
    pub enum Source {
        /// The web site.
        Web = "web",
        /// WhatsApp.
        Whatsapp = "whatsapp",
        /// Instagram.
        Instagram = "instagram",
        /// An e-mail.
        Email = "email",
        /// A call.
        Phone = "phone",
        /// Someone recommended us.
        Referral = "referral",
        /// Entered by hand.
        Manual = "manual",
    }
}

crate::entity! {
    /// A person or company that the organization deals with.
    pub struct Contact: "contact" in "crm_contact" as Archivable, Organization {
        /// Whether it is a person or a company.
        pub kind: ContactKind,
        /// A person's given name, or that of a company's contact person.
        pub given_name: Option<Text<100>> [PERSONAL SEARCHABLE],
        /// A person's family name, or that of a company's contact person.
        pub family_name: Option<Text<100>> [PERSONAL SEARCHABLE],
        /// A company's name, or that of a person's employer.
        pub company_name: Option<Text<200>> [PERSONAL SEARCHABLE],
        /// A person's employer, if it is a contact itself.
        pub company_id: Option<Id<Contact>> [PERSONAL] => Contact,
        /// The e-mail address.
        pub email: Option<Email> [PERSONAL SEARCHABLE],
        /// The phone number in E.164.
        pub phone: Option<Phone> [PERSONAL SEARCHABLE],
        /// A phone number that could not be read, as it was given.
        pub phone_raw: Option<Text<100>> [PERSONAL],
        /// Street and number, or whatever stands in their place.
        pub address_line: Option<Text<500>> [PERSONAL],
        /// The city.
        pub city: Option<Text<100>> [PERSONAL],
        /// The state, province or region.
        pub region: Option<Text<100>> [PERSONAL],
        /// The postal code.
        pub postal_code: Option<Text<20>> [PERSONAL],
        /// The country, by its ISO 3166-1 code.
        pub country: Option<Country> [PERSONAL],
        /// What kind of tax number it has.
        pub tax_scheme: Option<TaxScheme> [PERSONAL],
        /// The tax number, without punctuation; its check digits are verified.
        pub tax_number: Option<Text<32>> [PERSONAL SEARCHABLE],
        /// The customer's account number.
        pub account_number: Option<Text<50>> [PERSONAL SEARCHABLE],
        /// The socio-economic stratum, 1 to 6 (Colombia, Law 142 of 1994, article 102).
        pub stratum: Option<i64> [PERSONAL],
        /// How many days after its issue an invoice is due; the organization's days otherwise.
        pub payment_days: Option<i64>,
        /// The number that the organization's series gave it.
        pub code: Option<Text<40>> [SERVER_OWNED SEARCHABLE],
        /// The id in the system that it was imported from.
        pub external_id: Option<Text<100>> [PERSONAL],
        /// The Instagram handle, without the at sign.
        pub instagram: Option<Text<100>> [PERSONAL SEARCHABLE],
        /// The member who looks after it.
        pub owner_id: Option<Id<User>> => User,
        /// How it was first met.
        pub source: Option<Source>,
        /// What else is to be known.
        pub notes: Option<Notes<10000>> [PERSONAL],
        /// Fields of the organization's own, a JSON object.
        pub custom: Option<Document> [PERSONAL],
        /// The e-mail address that no other contact may have.
        pub email_claim: Option<String> [SERVER_OWNED PERSONAL],
        /// The phone number that no other contact may have.
        pub phone_claim: Option<String> [SERVER_OWNED PERSONAL],
        /// When what is personal of it was erased.
        pub erased_at: Option<Instant> [SERVER_OWNED],
    }
    columns ContactColumns;
    derived {
        /// The name as it is sorted.
        name_key: String = |contact: &Contact| fold(&contact.display_name()),
        /// The e-mail address as it is compared.
        email_key: Option<String> = |contact: &Contact| contact.email.as_ref().map(|email| email.key().to_owned()),
        /// The words by which it is found.
        search: String = Contact::search_words,
    }
    unique {
        "crm_contact_account_number": [account_number],
        "crm_contact_code": [code],
        "crm_contact_external_id": [external_id],
        "crm_contact_tax_number": [tax_scheme, tax_number],
        "crm_contact_email_claim": [email_claim],
        "crm_contact_phone_claim": [phone_claim],
    }
    index {
        "crm_contact_company_id": [company_id],
        "crm_contact_owner_id": [owner_id],
        "crm_contact_name_key": [name_key, id],
        "crm_contact_email_key": [email_key],
    }
}

/// The name by which people know a contact, from its columns.
pub(crate) fn display_name(
    kind: ContactKind,
    given: Option<&str>,
    family: Option<&str>,
    company: Option<&str>,
) -> String {
    if kind == ContactKind::Company
        && let Some(name) = company
    {
        return name.to_owned();
    }
    match (given, family) {
        (Some(given), Some(family)) => format!("{given} {family}"),
        (Some(name), None) | (None, Some(name)) => name.to_owned(),
        (None, None) => company.unwrap_or_default().to_owned(),
    }
}

impl Contact {
    /// The name by which people know it.
    pub fn display_name(&self) -> String {
        let (given, family) = (self.given_name.as_deref(), self.family_name.as_deref());
        display_name(self.kind, given, family, self.company_name.as_deref())
    }

    fn search_words(&self) -> String {
        let mut words = String::with_capacity(96);
        let mut add = |text: &str| {
            for token in folded_tokens(&fold(text)) {
                if !words.is_empty() {
                    words.push(' ');
                }
                words.push_str(token);
            }
        };
        let named = [&self.given_name, &self.family_name];
        named.into_iter().flatten().for_each(|name| add(name));
        if let Some(name) = &self.company_name {
            add(name);
        }
        if let Some(email) = &self.email {
            add(email.as_str());
        }
        if let Some(phone) = &self.phone {
            // Country codes have one to three digits: the number is found with and without its own.
            let digits = &phone.e164()[1..];
            (0..4).filter_map(|code| digits.get(code..)).for_each(&mut add);
        }
        self.tax_number.iter().for_each(|number| add(number));
        self.account_number.iter().for_each(|number| add(number));
        self.code.iter().for_each(|code| add(code));
        self.instagram.iter().for_each(|handle| add(handle));
        words
    }
}

impl Rules for Contact {
    const GENERAL: &'static [&'static str] = EVERY_VERB;
    const NATURAL_KEYS: &'static [&'static str] = &["email", "phone", "account_number", "code", "external_id"];

    fn defaults(context: &Context) -> Edit<Self> {
        let edit = Edit::new();
        match context.actor().user() {
            Some(user) => edit.set(Self::COLUMNS.owner_id, Some(user)),
            None => edit,
        }
    }

    fn own(user: Id<User>) -> Expr {
        column_is(Self::COLUMNS.owner_id.index(), Value::Id(user.uuid()))
    }

    fn check(&mut self, before: Option<&Self>, context: &Context) -> Result<(), Vec<Invalid>> {
        let mut refused = Vec::new();
        let mut refuse = |field: &str, reason| refused.push(Invalid::new(field, reason));
        match self.kind {
            ContactKind::Company if self.company_name.is_none() => refuse("company_name", ValueError::Blank),
            ContactKind::Person if self.given_name.is_none() && self.family_name.is_none() => {
                refuse("given_name", ValueError::Blank);
            }
            _ => {}
        }
        if self.kind == ContactKind::Company && self.company_id.is_some() {
            refuse("company_id", ValueError::NotAllowed { when: "the contact is a company itself" });
        }
        match (self.tax_scheme, &self.tax_number) {
            (Some(scheme), Some(number)) => match TaxId::parse(scheme, number).and_then(|id| id.number().parse()) {
                Ok(number) => self.tax_number = Some(number),
                Err(reason) => refuse("tax_number", reason),
            },
            (Some(_), None) => refuse("tax_number", ValueError::Blank),
            (None, Some(_)) => refuse("tax_scheme", ValueError::Blank),
            (None, None) => {}
        }
        if let Some(stratum) = self.stratum
            && !(1..=6).contains(&stratum)
        {
            refuse("stratum", ValueError::out_of_range(1, 6));
        }
        if let Some(days) = self.payment_days
            && !PAYMENT_DAYS.contains(&days)
        {
            refuse("payment_days", ValueError::out_of_range(PAYMENT_DAYS.start(), PAYMENT_DAYS.end()));
        }
        if let Some(handle) = &self.instagram {
            match Text::optional(handle.trim_start_matches('@')) {
                Ok(handle) => self.instagram = handle,
                Err(reason) => refuse("instagram", reason),
            }
        }
        if let Some(custom) = &self.custom
            && !custom.json().is_ok_and(|json| json.is_object())
        {
            refuse("custom", ValueError::syntax("a JSON object", custom.as_str()));
        }
        // A number that could be read replaces one that could not.
        if self.phone.is_some() && before.is_some_and(|before| before.phone != self.phone) {
            self.phone_raw = None;
        }
        let organization = context.organization();
        self.email_claim =
            self.email.as_ref().filter(|_| organization.unique_emails).map(|email| email.key().to_owned());
        self.phone_claim =
            self.phone.as_ref().filter(|_| organization.unique_phones).map(|phone| phone.e164().to_owned());
        if refused.is_empty() { Ok(()) } else { Err(refused) }
    }
}
