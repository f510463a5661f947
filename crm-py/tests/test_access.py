"""Signing in, tokens, members' accounts, invitations: on both databases, and across processes."""

from __future__ import annotations

import os
import pickle
import secrets
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from conftest import ANA, acme, new_schema, postgres_url

import crm_py
from crm_py import Duplicate, NotFound, PermissionDenied, RuleError, Throttled, Unauthenticated, ValidationError

BEA = "bea@acme.example"
PASSWORD = "".join(["quiet ", "harbour ", "seven"])
OTHER = "".join(["loud ", "mountain ", "nine"])
SIGNING = secrets.token_hex(32)


class Place(NamedTuple):
    """Where a database is, so that another process can open it too."""

    address: str
    schema: str | None

    def open(self, **more: Any) -> crm_py.Crm:
        keys = more.pop("token_keys", crm_py.TokenKeys("https://crm.example", "crm", {"k1": SIGNING}))
        return crm_py.open(self.address, schema=self.schema, token_keys=keys, **more)


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "sqlite":
        return Place(str(tmp_path / "test.db"), None)
    return Place(postgres_url(), new_schema())


@pytest.fixture
def crm(place: Place) -> Iterator[crm_py.Crm]:
    """Ana owns an organization, in which Bea is a manager; both have passwords."""
    with place.open() as crm:
        acme(crm).members.add(BEA, role="manager", full_name="Bea")
        crm.set_password(ANA, PASSWORD)
        crm.set_password(BEA, OTHER)
        yield crm


def refused(call: Callable[[], object], kind: type[crm_py.CrmError] = Unauthenticated) -> crm_py.CrmError:
    with pytest.raises(kind) as caught:
        call()
    assert type(caught.value) is kind
    return caught.value


def test_a_member_signs_in(crm: crm_py.Crm) -> None:
    before = datetime.now(UTC)
    login = crm.login("acme", ANA.upper(), PASSWORD, source="192.0.2.7")
    assert (login.user.email, login.role) == (ANA, "owner")
    assert login.expires_at.utcoffset() == timedelta(0)
    assert timedelta(0) <= login.expires_at - before - timedelta(minutes=30) < timedelta(seconds=20)
    assert timedelta(0) <= login.refresh_expires_at - before - timedelta(days=7) < timedelta(seconds=20)
    assert login.org is login.org
    assert (login.org.user.email, login.org.role, login.org.organization.slug) == (ANA, "owner", "acme")
    made = login.org.contacts.create(kind="person", given_name="Eva")
    assert made.created_by == login.user.id
    assert crm.with_token(login.access).contacts.get(made) == made

    refused(lambda: crm.set_password("nobody@acme.example", PASSWORD), NotFound)
    login.org.me.set_username("Ana_1")
    assert crm.login("acme", "aNA_1", PASSWORD).user.username == "Ana_1"
    login.org.me.set_username(None)
    refused(lambda: crm.login("acme", "ana_1", PASSWORD))


def test_whatever_is_wrong_the_answer_is_the_same(crm: crm_py.Crm) -> None:
    crm.create_organization(
        "other", name="O", currency="USD", time_zone="UTC", owner_email="x@other.example", owner_name="X"
    )
    tries = [
        ("acme", ANA, OTHER),
        ("acme", "nobody@acme.example", PASSWORD),
        ("acme", "\0", PASSWORD),
        ("nowhere", ANA, PASSWORD),
        ("No Slug!", ANA, PASSWORD),
        ("other", ANA, PASSWORD),
        ("acme", "x@other.example", PASSWORD),
    ]
    errors = [refused(lambda given=given: crm.login(*given)) for given in tries]  # type: ignore[misc]
    answers = {(str(error), error.code, error.field, error.hint) for error in errors}
    assert answers == {("the name or the password is wrong", "unauthenticated", None, None)}


def test_signing_out_ends_the_session_on_its_next_call(crm: crm_py.Crm) -> None:
    with crm.login("acme", ANA, PASSWORD) as login:
        org = login.org
        assert org.contacts.count() == 0
        again = crm.refresh(login.refresh)
    refused(lambda: org.contacts.count())
    refused(lambda: again.org)
    refused(lambda: crm.refresh(again.refresh))
    crm.logout(again.refresh)
    refused(lambda: crm.logout("crmr_" + "x" * 43))
    with crm.login("acme", ANA, PASSWORD) as login:
        crm.set_password(ANA, PASSWORD)


def test_a_refresh_token_is_good_once_and_its_reuse_ends_the_session(crm: crm_py.Crm) -> None:
    first = crm.login("acme", ANA, PASSWORD)
    second = crm.refresh(first.refresh)
    assert len({first.refresh, second.refresh, first.access, second.access}) == 4
    # The answer may have been lost: the one before is good for ten seconds more.
    crm.refresh(first.refresh)
    third = crm.refresh(second.refresh)
    org = third.org
    assert org.members.get(ANA).role == "owner"
    error = refused(lambda: crm.refresh(first.refresh))
    assert error.hint == "refresh, or sign in again"
    refused(lambda: org.members.get(ANA))
    refused(lambda: crm.refresh(third.refresh))
    refused(lambda: crm.with_token(third.access))


def test_what_is_revoked_or_changed_counts_on_the_next_call(crm: crm_py.Crm) -> None:
    ana, bea = crm.login("acme", ANA, PASSWORD).org, crm.login("acme", BEA, OTHER).org
    contact = bea.contacts.create(kind="person", given_name="Eva")
    refused(lambda: bea.keys.list(), PermissionDenied)
    ana.members.set_role(BEA, "admin")
    assert bea.keys.count() == 0
    assert bea.role == "admin"
    ana.members.set_role(BEA, "viewer")
    refused(lambda: bea.contacts.archive(contact), PermissionDenied)
    ana.members.remove(BEA)
    for call in (lambda: bea.contacts.get(contact), lambda: bea.contacts.count(), lambda: bea.quotas()):
        refused(call)
    refused(lambda: crm.login("acme", BEA, OTHER))
    # Who comes back has to sign in again.
    known = refused(lambda: ana.members.add(BEA, role="manager", full_name="Bea"), RuleError)
    assert str(known).startswith(f"{BEA} has an account already: invite them")
    crm.accept_invitation(ana.members.invite(BEA, role="manager").text)
    refused(lambda: bea.contacts.count())
    assert crm.login("acme", BEA, OTHER).org.contacts.count() == 1


def test_ones_own_account(crm: crm_py.Crm) -> None:
    login = crm.login("acme", BEA, OTHER)
    me = login.org.me
    assert me.user == login.user
    assert refused(lambda: me.change_password("wrong one", PASSWORD)).code == "unauthenticated"
    weak = refused(lambda: me.change_password(OTHER, "password"), ValidationError)
    assert weak.field == "password"
    assert "one of the most common passwords" in str(weak)
    assert me.change_password(OTHER, PASSWORD).password_changed_at is not None
    refused(lambda: me.user and login.org.contacts.count())
    refused(lambda: crm.login("acme", BEA, OTHER))
    here, there = crm.login("acme", BEA, PASSWORD).org, crm.login("acme", BEA, PASSWORD).org
    assert there.contacts.count() == 0
    here.me.end_sessions()
    for org in (here, there):
        refused(lambda org=org: org.contacts.count())  # type: ignore[misc]


def test_admins_look_after_members(crm: crm_py.Crm) -> None:
    ana, bea = crm.login("acme", ANA, PASSWORD).org, crm.login("acme", BEA, OTHER).org
    off = ana.members.deactivate(BEA)
    assert (off.email, off.role, off.user.active) == (BEA, "manager", False)
    refused(lambda: bea.contacts.count())
    refused(lambda: crm.login("acme", BEA, OTHER))
    assert ana.members.activate(off).user.active
    refused(lambda: bea.contacts.count())
    ana.members.reset_password(BEA, PASSWORD)
    assert crm.login("acme", BEA, PASSWORD).role == "manager"
    refused(lambda: ana.members.reset_password(ANA, OTHER), RuleError)
    bea = crm.login("acme", BEA, PASSWORD).org
    refused(lambda: bea.members.deactivate(ANA), PermissionDenied)
    refused(lambda: ana.members.deactivate("nobody@acme.example"), NotFound)
    assert ana.audit.verify().ok
    assert crm.verify_users().ok


def test_members_see_little_of_each_others_accounts(crm: crm_py.Crm) -> None:
    ana = crm.login("acme", ANA, PASSWORD).org
    ana.me.set_username("ana")
    ana.members.add("vic@acme.example", role="viewer", full_name="Vic")
    vic = crm.organization("acme", acting_as="vic@acme.example")
    key = ana.keys.create("staff", role="viewer", scopes="membership.read").text
    told = {"id", "email", "full_name", "active"}
    seen = [vic.members.get(ANA).user]
    seen += [member.user for member in vic.members.list() if member.email != vic.user.email]
    web = crm.with_key(key)
    # A key is no user, whoever made it.
    seen += [web.members.get(BEA).user, web.members.get(ANA).user, web.user]
    seen += [ana.members.get(BEA).user, ana.members.set_role(BEA, "member").user]
    seen += [ana.members.reset_password(BEA, PASSWORD).user, ana.members.deactivate(BEA).user]
    seen += [ana.members.activate(BEA).user, ana.members.remove(BEA).user]
    seen.append(ana.members.add("gus@acme.example", role="member", full_name="Gus").user)
    for user in seen:
        assert {name for name, value in user.to_dict().items() if value is not None} == told
        assert (user.username, user.epoch, user.memberships, user.version, user.updated_at) == (None,) * 5
        assert not {"epoch", "username", "memberships"} & {part.split("=")[0] for part in repr(user).split(", ")}
        again = pickle.loads(pickle.dumps(user))
        assert again == user
    assert b'"epoch":null' in pickle.dumps(seen[0])
    # One's own account is told whole.
    for own in (ana.members.get(ANA).user, ana.user, crm.login("acme", ANA, PASSWORD).user):
        assert (own.username, own.memberships, own.password_given) == ("ana", 1, False)
        assert own.password_changed_at is not None


def test_invitations(crm: crm_py.Crm) -> None:
    ana = crm.login("acme", ANA, PASSWORD).org
    made = ana.members.invite("carl@acme.example", role="member")
    assert (made.invitation.email, made.invitation.role, made.invitation.ended) == ("carl@acme.example", "member", None)
    assert made.text.startswith("crminv_" + made.invitation.prefix)
    refused(lambda: crm.accept_invitation(made.text), ValidationError)
    member = crm.accept_invitation(made.text, "Carl")
    assert ana.members.get("carl@acme.example").membership == member
    assert refused(lambda: crm.accept_invitation(made.text, "Carl")).code == "unauthenticated"
    refused(lambda: ana.members.invite("carl@acme.example", role="member"), Duplicate)
    crm.set_password("carl@acme.example", PASSWORD)
    assert crm.login("acme", "carl@acme.example", PASSWORD).user.full_name == "Carl"

    declined = ana.members.invite("dora@acme.example", role="viewer", days=1)
    assert declined.invitation.expires_at - declined.invitation.created_at == timedelta(days=1)
    crm.decline_invitation(declined.text)
    first = ana.members.invite("emil@acme.example", role="viewer")
    second = ana.members.invite("emil@acme.example", role="viewer")
    assert [it.id for it in ana.members.invitations()] == [second.invitation.id]
    assert ana.members.withdraw(second.invitation).ended == "withdrawn"
    for text in (first.text, second.text, declined.text, "crminv_x"):
        refused(lambda text=text: crm.accept_invitation(text, "E"))  # type: ignore[misc]
    third = ana.members.invite("emil@acme.example", role="viewer")
    assert refused(lambda: ana.members.withdraw("nobody@acme.example"), NotFound).code == "not_found"
    assert ana.members.withdraw("Emil@acme.example").id == third.invitation.id
    refused(lambda: ana.members.withdraw("emil@acme.example"), NotFound)
    assert ana.members.invitations() == []
    ends = [it.ended for it in ana.members.invitations(all=True)]
    assert ends == ["accepted", "declined", "withdrawn", "withdrawn", "withdrawn"]
    refused(lambda: ana.members.invite("f@acme.example", role="viewer", days=31), ValidationError)


def test_guesses_are_throttled_and_who_is_known_gets_in(crm: crm_py.Crm) -> None:
    crm.login("acme", ANA, PASSWORD, source="192.0.2.1")
    caught: Throttled | None = None
    for guess in range(20):
        try:
            crm.login("acme", ANA, f"guess number {guess}", source="203.0.113.9")
        except Throttled as error:
            caught = error
            break
        except Unauthenticated:
            pass
    assert caught is not None
    assert type(caught) is Throttled
    assert caught.code == "throttled"
    assert caught.retry_after is not None
    assert 1 <= caught.retry_after <= 8
    again = pickle.loads(pickle.dumps(caught))
    assert (type(again), again.retry_after, str(again)) == (Throttled, caught.retry_after, str(caught))
    assert crm.login("acme", ANA, PASSWORD, source="192.0.2.1").role == "owner"
    time.sleep(caught.retry_after)
    assert crm.login("acme", ANA, PASSWORD, source="203.0.113.9").role == "owner"


def test_keys_of_tokens(crm: crm_py.Crm, place: Place) -> None:
    login = crm.login("acme", ANA, PASSWORD)
    new = secrets.token_bytes(32)
    rotated = crm_py.TokenKeys("https://crm.example", "crm", {"k1": SIGNING, "k2": new}, current="k2")
    with place.open(token_keys=rotated) as other:
        assert other.with_token(login.access).role == "owner"
        later = other.refresh(login.refresh)
    refused(lambda: crm.with_token(later.access))
    for keys in (
        crm_py.TokenKeys("https://crm.example", "crm", {"k2": new}),
        crm_py.TokenKeys("https://evil.example", "crm", {"k1": SIGNING}),
        crm_py.TokenKeys("https://crm.example", "other", {"k1": SIGNING}),
        crm_py.TokenKeys("https://crm.example", "crm", {"k1": secrets.token_hex(32)}),
    ):
        with place.open(token_keys=keys) as other:
            refused(lambda other=other: other.with_token(login.access))  # type: ignore[misc]
    with place.open(token_keys=None) as other:
        error = refused(lambda: other.login("acme", ANA, PASSWORD), RuleError)
        assert error.hint == "give token_keys to crm_py.open"


def test_weak_keys_are_refused() -> None:
    def keys(*given: Any, **more: Any) -> crm_py.TokenKeys:
        return crm_py.TokenKeys("https://crm.example", "crm", *given, **more)

    for weak in ("", "changeme", SIGNING[:31], "x" * 64, "your-secret-key-" * 4, b"short"):
        error = refused(lambda weak=weak: keys({"k1": weak}), RuleError)  # type: ignore[misc]
        assert error.hint == "make one with secrets.token_hex(32)"
    refused(lambda: keys({"k 1": SIGNING}), RuleError)
    assert refused(lambda: keys({}), ValidationError).field == "current"
    assert refused(lambda: keys({"a": SIGNING, "b": OTHER * 3}), ValidationError).field == "current"
    assert refused(lambda: keys({"a": SIGNING}, current="b"), ValidationError).field == "current"
    for wrong in ({"k1": 5}, {5: SIGNING}, SIGNING):
        with pytest.raises(TypeError):
            keys(wrong)
    assert repr(keys({"k1": SIGNING})) == "<token keys of https://crm.example for crm: k1>"


def test_other_threads_run_while_a_password_is_hashed(crm: crm_py.Crm) -> None:
    """With so long an interval, a thread lets others run only when it gives them leave."""
    done = threading.Event()
    begun = threading.Event()

    def sign_in() -> None:
        begun.set()
        for _ in range(5):
            crm.login("acme", ANA, PASSWORD)
        done.set()

    interval = sys.getswitchinterval()
    sys.setswitchinterval(60)
    try:
        thread = threading.Thread(target=sign_in)
        thread.start()
        begun.wait()
        ticks = 0
        while not done.is_set():
            ticks += 1
            time.sleep(0.001)
        thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert ticks > 10


def test_secrets_are_shown_nowhere(crm: crm_py.Crm, place: Place) -> None:
    login = crm.login("acme", ANA, PASSWORD)
    made = login.org.keys.create("shop", role="manager", scopes="contact.*")
    invited = login.org.members.invite("gil@acme.example", role="member")
    # Half a character, which is in no valid text, and so cannot be stored or looked for.
    broken = PASSWORD + "\ud800"
    kept = [PASSWORD, OTHER, SIGNING, login.access, login.refresh, made.text, invited.text]
    shown: list[object] = [
        crm, login, login.org, login.org.me, login.org.keys, login.org.members, login.user, made, made.key, invited,
        crm_py.TokenKeys("https://crm.example", "crm", {"k1": SIGNING}), login.org.members.list(),
    ]  # fmt: skip
    calls: list[Callable[[], object]] = [
        lambda: crm.login("acme", BEA, PASSWORD),
        lambda: crm.login("acme", PASSWORD, OTHER[:-1]),
        lambda: crm.login("acme", ANA, broken),
        lambda: crm.login("acme", ANA, [PASSWORD]),  # type: ignore[arg-type]
        lambda: crm.set_password(ANA, broken),
        lambda: crm.set_password(ANA, PASSWORD * 100),
        lambda: crm.set_password("nobody@acme.example", PASSWORD),
        lambda: crm.refresh(login.refresh + "x"),
        lambda: crm.refresh(login.access),
        lambda: crm.logout(login.access),
        lambda: crm.with_token(login.refresh),
        lambda: crm.with_token(login.access + "x"),
        lambda: crm.with_key(made.text + "x"),
        lambda: crm.with_key(login.access),
        lambda: crm.with_key(made.text).keys.list(),
        lambda: crm.accept_invitation(invited.text),
        lambda: crm.accept_invitation(made.text, "G"),
        lambda: crm.decline_invitation(invited.text + "x"),
        lambda: login.org.me.change_password(OTHER, PASSWORD),
        lambda: login.org.me.change_password(PASSWORD, broken),
        lambda: login.org.members.reset_password(ANA, PASSWORD),
        lambda: crm_py.TokenKeys("i", "a", {"k1": SIGNING[:31]}),
        lambda: crm_py.TokenKeys("i", "a", {"k1": SIGNING + "\ud800"}),
    ]
    for position, call in enumerate(calls):
        with pytest.raises((crm_py.CrmError, TypeError)) as caught:
            call()
        error = caught.value
        shown += [position, error, error.args, vars(error), "".join(traceback.format_exception(error))]
    text = "\n".join(f"{thing!r} {thing}" for thing in shown)
    pickles = b"".join(pickle.dumps(record) for record in (login.user, made.key, invited.invitation))
    pickles += b"".join(pickle.dumps(member) for member in login.org.members.list())
    files = b""
    if place.schema is None:
        crm.close()
        files = b"".join(path.read_bytes() for path in Path(place.address).parent.glob("test.db*"))
        assert b"$argon2id$" in files
    for secret in [*kept, SIGNING[:31], OTHER[:-1]]:
        assert secret not in text
        assert secret.encode() not in pickles + files
    assert "$argon2" not in text
    assert b"$argon2" not in pickles
    assert ANA in text


def test_another_process_feels_it_at_once(crm: crm_py.Crm, place: Place) -> None:
    """Two processes with the same keys: what one of them revokes is void in the other on its next call."""
    login = crm.login("acme", BEA, OTHER)
    script = """
import os, sys, crm_py
keys = crm_py.TokenKeys("https://crm.example", "crm", {"k1": os.environ["SIGNING"]})
with crm_py.open(os.environ["ADDRESS"], schema=os.environ.get("SCHEMA"), token_keys=keys) as crm:
    org = crm.with_token(os.environ["ACCESS"])
    for line in sys.stdin:
        try:
            answer = org.contacts.create(kind="person", given_name=line.strip()).given_name
        except crm_py.CrmError as error:
            answer = type(error).__name__
        print(answer, flush=True)
"""
    environment = os.environ | {"SIGNING": SIGNING, "ADDRESS": place.address, "ACCESS": login.access}
    if place.schema is not None:
        environment["SCHEMA"] = place.schema
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as other:
        assert other.stdin is not None
        assert other.stdout is not None

        def ask(word: str) -> str:
            assert other.stdin is not None
            assert other.stdout is not None
            other.stdin.write(word + "\n")
            other.stdin.flush()
            return other.stdout.readline().strip()

        ana = crm.login("acme", ANA, PASSWORD).org
        assert ask("Eva") == "Eva"
        ana.members.set_role(BEA, "viewer")
        assert ask("Ida") == "PermissionDenied"
        ana.members.set_role(BEA, "manager")
        assert ask("Ida") == "Ida"
        ana.members.remove(BEA)
        assert ask("Ute") == "Unauthenticated"
        other.stdin.close()
        assert other.wait(30) == 0
    assert ana.contacts.count() == 2
    assert ana.audit.verify().ok
