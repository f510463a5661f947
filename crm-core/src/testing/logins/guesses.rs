//! Guessing passwords: however it is done, no more guesses pass than the limits say, and the victim gets in.

use super::{PASSWORD, World};
use crate::access::SetUsername;
use crate::error::CrmError;

/// How many guesses are made in all; a fifth in each way.
const GUESSES: u32 = 10_000;
const EACH: u32 = GUESSES / 5;

/// Guesses 10,000 times, in five ways, with a wrong password.
///
/// # Errors
/// When the store fails.
///
/// # Panics
/// When more guesses pass than the limits say, or the victim does not get in.
pub async fn guesses(world: &World) -> Result<(), CrmError> {
    // The victim is at home where they have signed in before.
    let sessions = world.organization("guessed").await?;
    sessions[0].run(&SetUsername(Some("guessed.owner".parse()?))).await?;
    let name = "owner@guessed.example";
    let desk = Some("the victim's desk");
    world.login_from("guessed", name, PASSWORD, desk).await?;

    let (passed, hours) = count(world, |_| (name.to_owned(), Some("one attacker".to_owned()))).await?;
    // Five, eleven while the delay doubles to a quarter of an hour, and four an hour.
    assert!((6..=16 + 4 * hours).contains(&passed), "{passed} of one source passed in {hours} h");
    world.login_from("guessed", name, PASSWORD, desk).await?;

    let (passed, hours) = count(world, |guess| (name.to_owned(), Some(format!("bot {guess}")))).await?;
    assert!((21..=(21 + 120) * hours).contains(&passed), "{passed} of many sources passed in {hours} h");
    // At home at once; elsewhere once the half minute is over.
    world.login_from("guessed", name, PASSWORD, desk).await?;
    patiently(world, name, Some("the victim's phone")).await?;

    besieged(world, name).await?;

    let spray = |guess| (format!("user{guess}@guessed.example"), Some("a sprayer".to_owned()));
    let (passed, hours) = count(world, spray).await?;
    assert!((50..=50 * hours).contains(&passed), "{passed} of many accounts passed in {hours} h");
    world.login_from("guessed", name, PASSWORD, desk).await?;

    let (passed, hours) = count(world, |_| (name.to_owned(), None)).await?;
    assert!((6..=(21 + 120) * hours).contains(&passed), "{passed} of no source passed in {hours} h");
    world.login_from("guessed", name, PASSWORD, desk).await?;
    patiently(world, name, None).await?;

    // The same account in other words, one of them its user name.
    let words = ["guessed.owner", name, "OWNER@guessed.example", " owner@Guessed.Example ", "owner@GUESSED.example"];
    let linguist = |guess: u32| (words[guess as usize % words.len()].to_owned(), Some("a linguist".to_owned()));
    let (passed, hours) = count(world, linguist).await?;
    assert!((6..=16 + 4 * hours).contains(&passed), "{passed} of one source in many words passed in {hours} h");
    Ok(())
}

/// While an attacker with ever new sources takes each turn of the account, the victim is not kept from where they have
/// signed in before; at a new place the host's word lets them in, and then they are known there.
async fn besieged(world: &World, name: &str) -> Result<(), CrmError> {
    let bot = async |guess: u32| {
        let source = format!("siege {guess}");
        world.login_from("guessed", name, "a guess", Some(&source)).await.map(drop)
    };
    let from = async |source| match world.login_from("guessed", name, PASSWORD, source).await {
        Ok(_) => Ok(true),
        Err(CrmError::Throttled { .. }) => Ok(false),
        Err(error) => Err(error),
    };
    let (mut desk, mut phone) = (0, 0);
    for guess in 0..600 {
        assert!(bot(guess).await.is_err());
        if guess % 60 == 59 {
            desk += u32::from(from(Some("the victim's desk")).await?);
            phone += u32::from(from(Some("a new phone")).await?);
        }
    }
    assert_eq!((desk, phone), (10, 0), "of ten times each");
    world.crm.set_password(&name.parse()?, &PASSWORD.into()).await?;
    assert!(from(Some("a new phone")).await?);
    for guess in 600..700 {
        assert!(bot(guess).await.is_err());
    }
    assert!(from(Some("a new phone")).await? && !from(Some("a newer phone")).await?);
    Ok(())
}

/// How many of the guesses passed the throttle, and in how many hours, begun ones included. None may be right.
async fn count(world: &World, who: impl Fn(u32) -> (String, Option<String>)) -> Result<(u32, u32), CrmError> {
    let begun = world.crm.environment().now().micros();
    let before = world.crm.hashes_computed();
    let mut passed = 0;
    for guess in 0..EACH {
        let (name, source) = who(guess);
        match world.login_from("guessed", &name, &format!("guess number {guess}"), source.as_deref()).await {
            Err(CrmError::LoginRefused) => passed += 1,
            Err(CrmError::Throttled { retry_after_seconds }) => assert!((1..=3_600).contains(&retry_after_seconds)),
            Err(error) => return Err(error),
            Ok(_) => panic!("guess {guess} was right"),
        }
    }
    // What is turned away costs no hash either.
    assert_eq!(world.crm.hashes_computed() - before, u64::from(passed));
    let hours = (world.crm.environment().now().micros() - begun) / 3_600_000_000 + 2;
    Ok((passed, u32::try_from(hours).unwrap_or(u32::MAX)))
}

/// Signs in after waiting as long as the answer says, once.
async fn patiently(world: &World, name: &str, source: Option<&str>) -> Result<(), CrmError> {
    match world.login_from("guessed", name, PASSWORD, source).await {
        Err(CrmError::Throttled { retry_after_seconds }) => {
            assert!(retry_after_seconds <= 30, "{retry_after_seconds} s");
            world.clock.advance(i64::try_from(retry_after_seconds).unwrap_or(30));
            world.login_from("guessed", name, PASSWORD, source).await.map(drop)
        }
        answer => answer.map(drop),
    }
}
