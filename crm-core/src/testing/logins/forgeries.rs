//! Forged access tokens, also such as only who knows the key can make: none opens a session, and all are refused alike.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD, URL_SAFE, URL_SAFE_NO_PAD as BASE64};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value as Json, json};
use sha2::{Sha256, Sha512};
use uuid::Uuid;

use super::{PASSWORD, World};
use crate::access::{Membership, NewKey, Role};
use crate::error::CrmError;
use crate::store::Query;
use crate::testing::{TOKEN_KEY, joined};

/// Another key that would be good enough.
const OTHER_KEY: &[u8] = b"e19d4c7b20f8a35691cb7e84d2a0f653";

/// Forges tokens of a member, in every way that is known here, and gives how many ways there were.
///
/// # Errors
/// When the store fails.
///
/// # Panics
/// When a forged token opens a session, or is refused in another way than the others.
pub async fn forgeries(world: &World) -> Result<usize, CrmError> {
    let sessions = world.organization("forged").await?;
    let others = world.organization("forged-too").await?;
    let signed = world.login("forged", "member@forged.example", PASSWORD).await?;
    let neighbour = world.login("forged", "viewer@forged.example", PASSWORD).await?;
    let stranger = world.login("forged-too", "owner@forged-too.example", PASSWORD).await?;
    // The member belongs to the other organization as well, and has signed in there too.
    let there = joined(&world.crm, &others[0], &signed.user.email, Role::Owner).await?;
    let double = world.login("forged-too", "member@forged.example", PASSWORD).await?;
    let key = NewKey::new("key".parse()?, Role::Owner, "*.read".parse()?);
    let key = sessions[0].create_key(&key).await?.text;

    let good = signed.access.expose();
    let parts: Vec<&str> = good.split('.').collect();
    let [head, body, signature] = parts[..] else { panic!("a token has three parts") };
    let (header, claims) = (read(head), read(body));
    let (of_neighbour, of_stranger, of_double) =
        (claims_of(neighbour.access.expose()), claims_of(stranger.access.expose()), claims_of(double.access.expose()));
    let owner = sessions[0].list(&Query::<Membership>::all()).await?.items;
    let owner = owner.iter().find(|member| member.role == Role::Owner).map(|member| member.id.to_string());
    assert!(
        world.crm.session_with_token(&sign(TOKEN_KEY, &header, &claims)).await.is_ok(),
        "what is forged like this would be taken, if nothing were wrong with it"
    );

    let now = claims["iat"].as_i64().unwrap_or_default();
    let with_head = |name: &str, value: Json| sign(TOKEN_KEY, &with(&header, name, value), &claims);
    let with_claim = |name: &str, value: Json| sign(TOKEN_KEY, &header, &with(&claims, name, value));
    let raw = |head: &str, body: &str| format!("{head}.{body}.{}", BASE64.encode(mac(TOKEN_KEY, head, body)));
    let unsigned = |alg: &str| format!("{}.{body}.", part(&with(&header, "alg", json!(alg))));
    let bytes = BASE64.decode(signature).unwrap_or_default();
    let flipped = |at: usize| {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1;
        format!("{head}.{body}.{}", BASE64.encode(bytes))
    };
    let sha512 = {
        let head = part(&with(&header, "alg", json!("HS512")));
        let mut mac = Hmac::<Sha512>::new_from_slice(TOKEN_KEY).expect("a key of any length is taken");
        mac.update(format!("{head}.{body}").as_bytes());
        format!("{head}.{body}.{}", BASE64.encode(mac.finalize().into_bytes()))
    };
    let twice = claims.to_string().replacen('{', &format!("{{\"sub\":{},", of_neighbour["sub"]), 1);
    let twice_after = claims.to_string().replacen('}', &format!(",\"sub\":{}}}", of_neighbour["sub"]), 1);
    let standard = GeneralPurpose::new(&STANDARD, NO_PAD);
    let trailing = BASE64.encode(format!("{claims} {{}}"));
    let ended_bits = {
        // The last character of 32 bytes in base64 has two bits that mean nothing.
        let (rest, last) = signature.split_at(signature.len() - 1);
        let digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let next = digits.find(last).and_then(|at| digits.get(at + 1..at + 2)).unwrap_or("B");
        format!("{head}.{body}.{rest}{next}")
    };
    let mut forged: Vec<(&str, String)> = vec![
        ("nothing", String::new()),
        ("dots", "..".to_owned()),
        ("a word", "token".to_owned()),
        ("without its signature", format!("{head}.{body}")),
        ("with an empty signature", format!("{head}.{body}.")),
        ("unsigned, alg none", unsigned("none")),
        ("unsigned, alg None", unsigned("None")),
        ("unsigned, alg NONE", unsigned("NONE")),
        ("alg none, signed all the same", with_head("alg", json!("none"))),
        ("alg hs256", with_head("alg", json!("hs256"))),
        ("alg HS384", with_head("alg", json!("HS384"))),
        ("alg HS512, so signed", sha512),
        ("alg RS256", with_head("alg", json!("RS256"))),
        ("alg ES256", with_head("alg", json!("ES256"))),
        ("alg empty", with_head("alg", json!(""))),
        ("alg nothing", with_head("alg", Json::Null)),
        ("no alg", sign(TOKEN_KEY, &without(&header, "alg"), &claims)),
        ("typ JWT", with_head("typ", json!("JWT"))),
        ("typ of a refresh token", with_head("typ", json!("rt+jwt"))),
        ("no typ", sign(TOKEN_KEY, &without(&header, "typ"), &claims)),
        ("an unknown kid", with_head("kid", json!("k2"))),
        ("an empty kid", with_head("kid", json!(""))),
        ("no kid", sign(TOKEN_KEY, &without(&header, "kid"), &claims)),
        ("a kid that is a path", with_head("kid", json!("../../../dev/null"))),
        ("a kid that is SQL", with_head("kid", json!("k1' UNION SELECT 'x"))),
        ("a kid that is a number", with_head("kid", json!(1))),
        ("a key in the header", with_head("jwk", json!({"kty": "oct", "k": BASE64.encode(OTHER_KEY)}))),
        ("a place of keys in the header", with_head("jku", json!("https://evil.example/keys"))),
        ("a critical extension", with_head("crit", json!(["exp"]))),
        ("signed with another book's key", sign(OTHER_KEY, &header, &claims)),
        ("signed with an empty key", sign(b"", &header, &claims)),
        ("signed with the key's id", sign(b"k1", &header, &claims)),
        ("the first bit of the signature", flipped(0)),
        ("the last bit of the signature", flipped(31)),
        ("half a signature", format!("{head}.{body}.{}", &signature[..21])),
        ("a signature without its end", format!("{head}.{body}.{}", &signature[..signature.len() - 1])),
        ("a signature twice", format!("{head}.{body}.{signature}{signature}")),
        ("bits of the signature that mean nothing", ended_bits),
        ("padding", format!("{good}=")),
        ("a padded signature", format!("{head}.{body}.{}", URL_SAFE.encode(&bytes))),
        ("the other base64", raw(&standard.encode(header.to_string() + "\u{3ff}?>"), body)),
        ("a space before", format!(" {good}")),
        ("a space after", format!("{good} ")),
        ("a line break after", format!("{good}\n")),
        ("a tab in the middle", format!("{head}.\t{body}.{signature}")),
        ("a zero byte after", format!("{good}\0")),
        ("what was no text", format!("{good}\u{fffd}")),
        ("the name of its kind before", format!("Bearer {good}")),
        ("quotes around", format!("\"{good}\"")),
        ("another part", format!("{good}.{signature}")),
        ("five parts", format!("{good}.{head}.{body}")),
        ("another token's signature", {
            let other = neighbour.access.expose().rsplit_once('.').map_or("", |(_, other)| other);
            format!("{head}.{body}.{other}")
        }),
        ("another token's claims", {
            let other = neighbour.access.expose().split('.').nth(1).unwrap_or_default();
            format!("{head}.{other}.{signature}")
        }),
        ("claims twice, ours last", raw(head, &BASE64.encode(twice))),
        ("claims twice, ours first", raw(head, &BASE64.encode(twice_after))),
        ("more after the claims", raw(head, &trailing)),
        ("claims that are a list", raw(head, &BASE64.encode("[]"))),
        ("claims that are no JSON", raw(head, &BASE64.encode("{"))),
        ("claims that are no text", raw(head, &BASE64.encode(b"{\"iss\":\"\xff\xfe\"}"))),
        ("claims that are no base64", raw(head, "!!!!")),
        ("a megabyte", format!("{good}{}", "A".repeat(1_000_000))),
        ("a megabyte of claims", with_claim("iss", json!("x".repeat(1_000_000)))),
        ("another issuer", with_claim("iss", json!("https://evil.example"))),
        ("an issuer with a slash more", with_claim("iss", json!("https://crm.example/"))),
        ("another audience", with_claim("aud", json!("other"))),
        ("a list of audiences", with_claim("aud", json!(["crm"]))),
        ("claims of a refresh token", with_claim("typ", json!("refresh"))),
        ("expired a second ago", with_claim("exp", json!(now - 1))),
        ("expired in 1970", with_claim("exp", json!(0))),
        ("exp as text", with_claim("exp", json!((now + 900).to_string()))),
        ("exp as a fraction", with_claim("exp", json!(1.8e9))),
        ("not valid yet", with_claim("nbf", json!(now + 900))),
        ("issued in the future", with_claim("iat", json!(now + 900))),
        ("somebody else", with_claim("sub", of_neighbour["sub"].clone())),
        ("a stranger", with_claim("sub", of_stranger["sub"].clone())),
        ("nobody", with_claim("sub", json!(Uuid::nil()))),
        ("sub that is no id", with_claim("sub", json!("1"))),
        ("another organization", with_claim("org", of_stranger["org"].clone())),
        ("an organization that is none", with_claim("org", json!(Uuid::nil()))),
        ("the owner's membership", with_claim("mem", json!(owner))),
        ("one's own other membership", with_claim("mem", json!(there.id))),
        ("one's own other organization and membership", {
            let other = with(&claims, "org", of_double["org"].clone());
            sign(TOKEN_KEY, &header, &with(&other, "mem", of_double["mem"].clone()))
        }),
        ("one's own other session", with_claim("sid", of_double["sid"].clone())),
        ("somebody else's session", with_claim("sid", of_neighbour["sid"].clone())),
        ("no session", with_claim("sid", json!(Uuid::nil()))),
        ("an older epoch", with_claim("epoch", json!(claims["epoch"].as_i64().unwrap_or_default() - 1))),
        ("the next epoch", with_claim("epoch", json!(claims["epoch"].as_i64().unwrap_or_default() + 1))),
        ("jti that is no id", with_claim("jti", json!("1"))),
        ("a role", with_claim("role", json!("owner"))),
        ("scopes", with_claim("scope", json!("*"))),
        ("a refresh token", signed.refresh.expose().to_owned()),
        ("an API key", key.expose().to_owned()),
    ];
    let names = ["iss", "aud", "typ", "sub", "org", "mem", "sid", "epoch", "jti", "iat", "nbf", "exp"];
    forged.extend(names.map(|name| (name, sign(TOKEN_KEY, &header, &without(&claims, name)))));
    for (what, token) in &forged {
        let refused = world.crm.session_with_token(token).await.map(drop).map_err(|error| format!("{error:?} {error}"));
        let alike = format!("{:?} {}", CrmError::TokenRefused, CrmError::TokenRefused);
        assert_eq!(refused, Err(alike), "{what}");
    }
    assert!(world.opens(&signed).await?, "none of this did any harm");
    Ok(forged.len())
}

fn read(part: &str) -> Json {
    serde_json::from_slice(&BASE64.decode(part).unwrap_or_default()).unwrap_or_default()
}

fn claims_of(token: &str) -> Json {
    read(token.split('.').nth(1).unwrap_or_default())
}

fn part(json: &Json) -> String {
    BASE64.encode(json.to_string())
}

fn mac(key: &[u8], head: &str, body: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length is taken");
    mac.update(format!("{head}.{body}").as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn sign(key: &[u8], header: &Json, claims: &Json) -> String {
    let (head, body) = (part(header), part(claims));
    format!("{head}.{body}.{}", BASE64.encode(mac(key, &head, &body)))
}

fn with(json: &Json, name: &str, value: Json) -> Json {
    let mut json = json.clone();
    json[name] = value;
    json
}

fn without(json: &Json, name: &str) -> Json {
    let mut json = json.clone();
    json.as_object_mut().map(|fields| fields.remove(name));
    json
}
