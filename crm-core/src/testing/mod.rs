//! What tests of a store or of a front end need: a world that can be repeated, and random work that must
//! come out the same on every store.

pub mod billing;
pub mod boundaries;
pub mod canary;
pub mod cases;
pub mod deadlines;
pub mod due_dates;
pub mod logins;
pub mod machines;
pub mod privacy;
pub mod quota;
pub mod race;
pub mod script;
pub mod tampering;
pub mod trace;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::access::{Organization, PasswordCost, Role, TokenKeys};
use crate::context::Environment;
use crate::error::CrmError;
use crate::store::Store;
use crate::value::Instant;
use crate::{Crm, NewOrganization, Session};

/// A clock that moves one second at every look, ids that count up, and bytes that only look random: the same in every
/// run.
#[derive(Clone, Debug)]
pub struct TestEnvironment {
    micros: Arc<AtomicI64>,
    ids: Arc<AtomicU64>,
    random: Arc<AtomicU64>,
}

impl TestEnvironment {
    /// Begins at noon UTC on 15 June 2026. Two environments with different seeds never draw the same id.
    pub fn new(seed: u32) -> Self {
        trace::start();
        let micros = Arc::new(AtomicI64::new(1_781_524_800_000_000));
        let first = u64::from(seed) << 32;
        Self { micros, ids: Arc::new(AtomicU64::new(first)), random: Arc::new(AtomicU64::new(first)) }
    }

    /// Moves the clock.
    pub fn advance(&self, seconds: i64) {
        self.micros.fetch_add(seconds * 1_000_000, Ordering::Relaxed);
    }
}

impl Environment for TestEnvironment {
    fn now(&self) -> Instant {
        let micros = self.micros.fetch_add(1_000_000, Ordering::Relaxed);
        Instant::from_micros(micros).unwrap_or(Instant::EPOCH)
    }

    fn new_id(&self) -> Uuid {
        // The layout of version 7, with a seed and a counter in place of time and randomness. The ids of a
        // change-set's audit entries count up from its own, hence the 24 bits left at the end.
        let count = u128::from(self.ids.fetch_add(1, Ordering::Relaxed));
        let (seed, number) = (count >> 32, count & 0xffff_ffff);
        Uuid::from_u128(7 << 76 | 2 << 62 | seed << 80 | number << 24)
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let count = self.random.fetch_add(1, Ordering::Relaxed);
            chunk.copy_from_slice(&Sha256::digest(count.to_le_bytes())[..chunk.len()]);
        }
    }
}

/// A new organization `SLUG` with the owner `owner@SLUG.example`, in US dollars and New York's time.
///
/// # Errors
/// When the store fails or the slug is taken.
pub async fn organization(crm: &Crm, slug: &str) -> Result<Session<'static>, CrmError> {
    let new = new_organization(slug)?;
    crm.create_organization(&new).await?;
    crm.session(&new.organization.slug, &new.owner_email).await
}

fn new_organization(slug: &str) -> Result<NewOrganization, CrmError> {
    let mut organization = Organization::new(slug.parse()?, slug.parse()?, "USD".parse()?, "America/New_York".parse()?);
    organization.default_region = Some("US".parse()?);
    Ok(NewOrganization {
        organization,
        owner_email: format!("owner@{slug}.example").parse()?,
        owner_name: "Olivia Owner".parse()?,
        invoice_prefix: "INV-".to_owned(),
    })
}

/// A session of a new member `ROLE@SLUG.example` with this role.
///
/// # Errors
/// When the store fails or the address is a member's already.
pub async fn member(crm: &Crm, owner: &Session<'_>, role: Role) -> Result<Session<'static>, CrmError> {
    let slug = owner.organization().slug.clone();
    let email: crate::value::Email = format!("{role}@{slug}.example").parse()?;
    let full_name = Some(format!("The {role}").parse()?);
    owner.run(&crate::access::AddMember { email: email.clone(), full_name, role }).await?;
    crm.session(&slug, &email).await
}

/// Makes somebody who is a user already a member in this role, by an invitation which they accept.
///
/// # Errors
/// When the store fails or they are a member already.
pub async fn joined(
    crm: &Crm,
    owner: &Session<'_>,
    email: &crate::value::Email,
    role: Role,
) -> Result<crate::entity::Stored<crate::access::Membership>, CrmError> {
    let new = crate::access::NewInvitation { email: email.clone(), role, days: None };
    let invitation = owner.invite(&new).await?;
    crm.accept_invitation(&invitation.text, None).await
}

/// A book on a store, in the world of a seed. Its users can sign in, and hashing their passwords costs next to nothing.
pub fn crm(store: impl Store + 'static, seed: u32) -> Crm {
    with_logins(Crm::new(store, TestEnvironment::new(seed)))
}

/// The secret that signs the tests' tokens.
pub(crate) const TOKEN_KEY: &[u8] = b"3f0c9a7e5b1d48c2a6e4907bd5f2813c";

/// The same book with a key for tokens, and with passwords that cost next to nothing.
///
/// # Panics
/// Never: the key is a good one.
pub fn with_logins(crm: Crm) -> Crm {
    let keys = TokenKeys::new("https://crm.example", "crm", "k1", TOKEN_KEY);
    crm.with_logins(keys.expect("a key that is not weak"), PasswordCost::for_tests())
}
