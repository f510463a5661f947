"""API keys: scopes, quotas, their log, and their end, on both databases."""

from __future__ import annotations

import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import ANA, acme

import crm_py
from crm_py import (
    CreatedKey,
    Duplicate,
    NotFound,
    PermissionDenied,
    QuotaExceeded,
    RuleError,
    Throttled,
    Unauthenticated,
    ValidationError,
)


def shop(org: crm_py.Session, **more: object) -> CreatedKey:
    given: dict[str, object] = {"role": "manager", "scopes": ["contact.create", "*.read"]} | more
    return org.keys.create("Shop", **given)  # type: ignore[arg-type]


def test_the_thirty_sixth_contact_of_a_day_is_refused(database: crm_py.Crm) -> None:
    today = datetime.now(UTC).date()
    org = acme(database)
    made = shop(org)
    assert org.keys.quotas(made.key) == {"contact.create": 35}
    web = database.with_key(made.text, name="Eva Web", email="eva@web.example", application_id="shop-1")
    assert (web.role, web.user.email) == ("manager", ANA)
    for number in range(35):
        web.contacts.create(kind="person", given_name=f"n{number}")
    with pytest.raises(QuotaExceeded) as caught:
        web.contacts.create(kind="person", given_name="one more")
    error = caught.value
    midnight = datetime.combine(today + timedelta(days=1), datetime.min.time(), UTC)
    assert (error.operation, error.limit, error.resets_at) == ("contact.create", 35, midnight)
    assert (error.code, isinstance(error, Throttled)) == ("throttled", True)
    assert error.retry_after is not None
    assert abs(timedelta(seconds=error.retry_after) - (midnight - datetime.now(UTC))) < timedelta(seconds=20)
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is QuotaExceeded
    assert (again.operation, again.limit, again.resets_at, again.retry_after, str(again)) == (
        "contact.create",
        35,
        midnight,
        error.retry_after,
        str(error),
    )
    assert org.contacts.count() == 35
    (left,) = web.quotas()
    assert (left.operation, left.limit, left.used, left.remaining, left.resets_at) == (
        "contact.create",
        35,
        35,
        0,
        midnight,
    )
    assert org.quotas() == []

    # More is allowed: all or none of what is asked for at once.
    org.keys.set_quota("shop", "contact.create", 37)
    assert web.quotas()[0].remaining == 2
    with pytest.raises(QuotaExceeded):
        web.contacts.create_many([{"kind": "person", "given_name": f"m{number}"} for number in range(3)])
    web.contacts.create_many([{"kind": "person", "given_name": f"m{number}"} for number in range(2)])
    org.keys.set_quota(made.key, "contact.create", None)
    assert org.keys.quotas(made.key.id) == {}
    web.contacts.create(kind="person", given_name="free")
    assert org.contacts.count() == 38

    (line,) = org.keys.usage(from_=today, to=today, key="Shop")
    assert (line.day, line.key_id, line.alias, line.operation, line.used, line.per_day, line.resets_at) == (
        today,
        made.key.id,
        "Shop",
        "contact.create",
        37,
        None,
        midnight,
    )
    unused = org.keys.create("unused", role="member", scopes=["contact.create"]).key
    (line,) = org.keys.usage(from_=today, to=today, key=unused)
    assert (line.operation, line.used, line.per_day, line.resets_at) == ("contact.create", 0, 35, midnight)
    assert org.keys.usage(from_=today - timedelta(days=9), to=today - timedelta(days=2)) == []
    with pytest.raises(ValidationError):
        org.keys.usage(from_=today, to=today - timedelta(days=1))

    log = org.keys.requests.list(key=made.key, order_by="-at", limit=3)
    assert [request.outcome for request in log] == ["ok", "ok", "throttled"]
    last = log[0]
    assert (last.operation, last.name, last.email, last.application_id) == (
        "contact.create",
        "Eva Web",
        "eva@web.example",
        "shop-1",
    )
    assert org.keys.requests.count(outcome="throttled") == 2
    assert org.keys.requests.count(email="eva@web.example") == org.keys.requests.count() == 39
    assert org.audit.verify().ok


def test_what_is_not_named_keeps_its_default_quota(local: crm_py.Session) -> None:
    usual = {"contact.create": 35}
    for number, (given, quotas) in enumerate(
        [
            (None, usual),
            ({}, usual),
            ({"deal.create": 3}, usual | {"deal.create": 3}),
            ({"contact.create": 5}, {"contact.create": 5}),
            ({"contact.create": None, "deal.create": 3}, {"deal.create": 3}),
            ({"contact.create": None}, {}),
        ]
    ):
        made = local.keys.create(f"k{number}", role="manager", scopes="contact.* deal.*", quotas=given)
        assert local.keys.quotas(made.key) == quotas


def test_no_more_than_the_quota_among_many(database: crm_py.Crm) -> None:
    org = acme(database)
    text = shop(org, quotas={"contact.create": 20}).text

    def work(worker: int) -> int:
        web = database.with_key(text)
        made = 0
        for number in range(8):
            try:
                web.contacts.create(kind="person", given_name=f"{worker}-{number}")
                made += 1
            except QuotaExceeded:
                pass
        return made

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(work, range(8))) == 20
    assert org.contacts.count() == 20
    assert database.with_key(text).quotas()[0].remaining == 0


def test_two_processes_share_a_quota(sqlite: crm_py.Crm, tmp_path: Path) -> None:
    org = acme(sqlite)
    text = shop(org, quotas={"contact.create": 30}).text
    script = (
        "import sys, crm_py\n"
        "made = 0\n"
        "with crm_py.open(sys.argv[1]) as crm:\n"
        "    org = crm.with_key(sys.stdin.read())\n"
        "    for n in range(25):\n"
        "        try:\n"
        "            org.contacts.create(kind='person', given_name=f'p{n}')\n"
        "            made += 1\n"
        "        except crm_py.QuotaExceeded: pass\n"
        "print(made)\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "test.db")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdin is not None
        other.stdin.write(text)
        other.stdin.close()
        made = 0
        web = sqlite.with_key(text)
        for number in range(25):
            try:
                web.contacts.create(kind="person", given_name=f"q{number}")
                made += 1
            except QuotaExceeded:
                pass
        assert other.stdout is not None
        made += int(other.stdout.read())
    assert made == org.contacts.count() == 30


def test_a_key_reaches_no_further_than_its_scopes(database: crm_py.Crm) -> None:
    org = acme(database)
    web = database.with_key(shop(org).text)
    contact = web.contacts.create(kind="person", given_name="Eva")
    assert web.contacts.get(contact) == contact
    for call in (
        lambda: web.contacts.delete(contact),
        lambda: web.products.create(name="Chair", unit_price=1),
        lambda: web.keys.create("more", role="manager", scopes="*.read"),
        lambda: web.reports.summary(),
    ):
        with pytest.raises(PermissionDenied) as caught:
            call()
        assert caught.value.code == "forbidden"
    # The role is the limit as well: it reads no keys, whatever the scopes say.
    with pytest.raises(PermissionDenied, match="manager"):
        web.keys.list()
    assert org.audit.list(record=contact)[0].actor_id is not None


def test_keys_are_found_by_what_is_known_of_them(database: crm_py.Crm) -> None:
    org = acme(database)
    ends = datetime.now(UTC) + timedelta(days=30)
    made = shop(org, expires=ends, scopes="contact.*", quotas={})
    key = made.key
    assert (key.alias, key.role, key.scopes, key.expires_at, key.last_used_at) == (
        "Shop",
        "manager",
        "contact.*",
        ends,
        None,
    )
    assert made.text.startswith(f"crm_{key.prefix}_")
    assert (key.display_name, key.user_id) == ("Shop", org.user.id)
    assert org.keys.get("Shop") == org.keys.get(key.id) == org.keys.get(key.prefix) == key
    database.with_key(made.text)
    used = org.keys.get(key).last_used_at
    assert used is not None
    assert abs(datetime.now(UTC) - used) < timedelta(minutes=2)
    with pytest.raises(Duplicate):
        shop(org)
    assert [it.id for it in org.keys.iter(revoked_at=None)] == [key.id]
    assert pickle.loads(pickle.dumps(key)) == key
    assert {"alias", "prefix", "scopes"} <= set(key.to_dict())
    assert not {"hash", "alias_key", "last_used_micros"} & set(key.to_dict())
    with pytest.raises(NotFound):
        org.keys.revoke("nothing")


def test_a_revoked_key_opens_nothing_on_its_next_call(database: crm_py.Crm) -> None:
    org = acme(database)
    made = shop(org)
    web = database.with_key(made.text)
    assert web.contacts.count() == 0
    assert org.keys.revoke(made.key).revoked_at is not None
    for call in (lambda: web.contacts.count(), lambda: web.quotas(), lambda: database.with_key(made.text)):
        with pytest.raises(Unauthenticated) as caught:
            call()
        assert str(caught.value) == "the API key is not valid, or not any more"
    # Its name is free again, and means the key in force.
    again = shop(org)
    assert org.keys.get("shop") == again.key
    assert org.keys.revoke("SHOP").id == again.key.id
    assert org.keys.count() == 2
    # A key ends with its maker's right to it.
    bea = "bea@acme.example"
    org.members.add(bea, role="admin", full_name="Bea")
    web = database.with_key(shop(database.organization("acme", acting_as=bea)).text)
    assert web.user.email == bea
    org.members.set_role(bea, "member")
    with pytest.raises(Unauthenticated):
        web.contacts.count()
    org.members.set_role(bea, "manager")
    assert web.contacts.count() == 0
    org.members.remove(bea)
    with pytest.raises(Unauthenticated):
        web.contacts.create(kind="person", given_name="Eva")


def test_what_a_key_cannot_be(local: crm_py.Session) -> None:
    for field, more in (
        ("scopes", {"scopes": "contact.explode"}),
        ("scopes", {"scopes": []}),
        ("role", {"role": "king"}),
        ("expires_at", {"expires": datetime.now(UTC) - timedelta(1)}),
        ("quotas.operation", {"quotas": {"contact.read": 5}}),
        ("quotas.per_day", {"quotas": {"contact.create": -1}}),
    ):
        with pytest.raises(ValidationError) as caught:
            shop(local, **more)
        assert caught.value.field == field
    for wrong in ({"quotas": {"contact.create": "5"}}, {"expires": datetime(2030, 1, 1)}, {"scopes": 5}):
        with pytest.raises(TypeError):
            shop(local, **wrong)
    local.members.add("bea@acme.example", role="admin", full_name="Bea")
    bea = local._crm.organization("acme", acting_as="bea@acme.example")
    with pytest.raises(RuleError):
        shop(bea, role="owner")
    assert local.keys.count() == 0
    text = shop(local).text
    with pytest.raises(ValidationError) as caught:
        local._crm.with_key(text, email="no address")
    assert caught.value.field == "email"
