"""Contacts: created, found, listed, changed, archived, deleted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from crm_py import Conflict, Contact, Duplicate, NotFound, Page, Session, ValidationError


def people(org: Session) -> list[Contact]:
    return org.contacts.create_many(
        [
            {"kind": "person", "given_name": "Álvaro", "family_name": "Ñandú", "email": "al@x.example", "stratum": 2},
            {"kind": "person", "given_name": "bea", "city": "Bogotá", "country": "CO", "stratum": 4},
            {"kind": "person", "given_name": "Carl", "phone": "+573211234567", "email": "carl@y.example"},
            {"kind": "company", "company_name": "Dyne", "account_number": "A-1", "stratum": 6, "owner": None},
        ]
    )


def names(found: Page[Contact]) -> list[str]:
    return [contact.display_name for contact in found]


def test_one_is_found_by_id_and_by_natural_key(org: Session) -> None:
    alvaro, _, carl, dyne = people(org)
    for reference in (alvaro, alvaro.id, str(alvaro.id), "AL@x.example"):
        assert org.contacts.get(reference) == alvaro
    assert org.contacts.get("+57 321 1234567") == carl
    assert org.contacts.get("A-1") == dyne
    for missing in (uuid4(), "nobody@x.example", "whatever"):
        with pytest.raises(NotFound):
            org.contacts.get(missing)
    product = org.products.create(name="Chair", unit_price=Decimal(1))
    with pytest.raises(TypeError, match="contact"):
        org.contacts.get(product)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        org.contacts.get(5)  # type: ignore[arg-type]


def test_filters_compare_columns(org: Session) -> None:
    alvaro, bea, carl, dyne = people(org)
    contacts = org.contacts
    assert names(contacts.list(kind="company")) == ["Dyne"]
    assert names(contacts.list(kind__ne="company")) == ["Álvaro Ñandú", "bea", "Carl"]
    assert names(contacts.list(stratum__ge=4)) == ["bea", "Dyne"]
    assert names(contacts.list(stratum__lt=4)) == ["Álvaro Ñandú"]
    assert names(contacts.list(stratum__in=[2, 6])) == ["Álvaro Ñandú", "Dyne"]
    assert names(contacts.list(stratum__in=[2, None])) == ["Álvaro Ñandú", "Carl"]
    assert names(contacts.list(stratum__in=[])) == []
    assert names(contacts.list(stratum=None)) == ["Carl"]
    assert names(contacts.list(stratum__ne=None)) == ["Álvaro Ñandú", "bea", "Dyne"]
    assert names(contacts.list(owner=None)) == ["Dyne"]
    assert names(contacts.list(owner=org.user)) == ["Álvaro Ñandú", "bea", "Carl"]
    assert contacts.count(owner_id=org.user.id) == contacts.count(owner="ana@acme.example") == 3
    assert names(contacts.list(name__contains="ñan")) == ["Álvaro Ñandú"]
    assert names(contacts.list(name__startswith="ALV")) == ["Álvaro Ñandú"]
    assert names(contacts.list(name="BEA")) == ["bea"]
    assert names(contacts.list(email__startswith="Carl@")) == ["Carl"]
    assert names(contacts.list(email="CARL@Y.EXAMPLE")) == ["Carl"]
    assert names(contacts.list(phone="+57 (321) 123-4567")) == ["Carl"]
    assert names(contacts.list(city__contains="ogot")) == ["bea"]
    assert names(contacts.list(country="co")) == ["bea"]
    assert names(contacts.list(id=bea)) == ["bea"]
    assert names(contacts.list(id__in=[alvaro.id, carl])) == ["Álvaro Ñandú", "Carl"]
    assert names(contacts.list(created_at__gt=dyne.created_at)) == []
    assert contacts.count(created_at__le=dyne.created_at, kind="person") == 3
    assert names(contacts.list(search="nand al")) == ["Álvaro Ñandú"]
    assert names(contacts.list(search="3211234567")) == ["Carl"]
    assert contacts.count() == 4
    assert contacts.count(city="") == 3
    assert contacts.count(city__ne="") == 1
    assert contacts.count(city__contains="\0") == contacts.count(name="\0") == contacts.count(search="\0zz") == 0
    assert contacts.count(name__ne="\0") == 4
    assert contacts.count(search="zz") == 0


def test_what_is_no_filter_is_refused(local: Session) -> None:
    def refused(error: type[Exception], **filters: Any) -> Exception:
        with pytest.raises(error) as caught:
            local.contacts.list(**filters)
        return caught.value

    assert refused(ValidationError, nonsense=1).field == "nonsense"  # type: ignore[attr-defined]
    assert refused(ValidationError, email_claim="x").field == "email_claim"  # type: ignore[attr-defined]
    assert refused(ValidationError, kind="robot").field == "kind"  # type: ignore[attr-defined]
    assert refused(ValidationError, kind__like="x").field == "kind__like"  # type: ignore[attr-defined]
    assert refused(ValidationError, order_by="nonsense").field == "order_by"  # type: ignore[attr-defined]
    assert refused(ValidationError, limit=-1).field == "limit"  # type: ignore[attr-defined]
    assert refused(ValidationError, limit=0).field == "limit"  # type: ignore[attr-defined]
    assert refused(ValidationError, limit=10_001).field == "limit"  # type: ignore[attr-defined]
    assert refused(ValidationError, after="x").field == "after"  # type: ignore[attr-defined]
    assert refused(ValidationError, owner="nobody@x.example").field == "owner"  # type: ignore[attr-defined]
    refused(TypeError, stratum="2")
    refused(TypeError, stratum=2.0)
    refused(TypeError, stratum=True)
    refused(TypeError, stratum__gt=None)
    refused(TypeError, stratum__contains="2")
    refused(TypeError, kind__in="person")
    refused(TypeError, email=b"x")
    refused(TypeError, created_at=datetime(2026, 1, 1))
    refused(TypeError, created_at="2026-01-01")
    refused(TypeError, owner=5)
    with pytest.raises(TypeError, match="words"):
        local._native.page("invoice", {}, search="x")
    for foreign in ("organization", "user", "idempotency", "nonsense"):
        with pytest.raises(TypeError):
            local._native.page(foreign, {})


def test_times_of_any_zone_are_compared(org: Session) -> None:
    contact = people(org)[0]
    assert contact.created_at.tzinfo is UTC
    there = contact.created_at.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert org.contacts.count(created_at__ge=there) == 4
    assert org.contacts.count(created_at__gt=there) == 0


def test_pages_go_on_where_they_ended(org: Session) -> None:
    org.contacts.create_many(
        {"kind": "person", "given_name": f"n{number % 7}", "family_name": f"{number:03}"} for number in range(53)
    )
    every = names(org.contacts.list(order_by=["-name", "created_at"], limit=100))
    assert len(every) == 53
    assert every[0].startswith("n6")
    seen: list[str] = []
    after: str | None = None
    sizes = []
    while True:
        page = org.contacts.list(order_by=["-name", "created_at"], limit=20, after=after)
        sizes.append(len(page))
        seen += names(page)
        after = page.next
        if after is None:
            break
    assert (seen, sizes) == (every, [20, 20, 13])
    assert [c.display_name for c in org.contacts.iter(order_by=["-name", "created_at"], batch=9)] == every
    assert [c.display_name for c in org.contacts.iter(order_by="name", batch=53)] == sorted(every)
    page = org.contacts.list(limit=3)
    assert page[0] == page.first() == next(iter(page))
    assert len(page[1:]) == 2
    assert page[-1] in page
    assert repr(page) == "<page of 3, and more>"
    assert org.contacts.list(name="nobody").first() is None
    with pytest.raises(ValidationError) as caught:
        org.contacts.list(order_by="name", after=page.next)
    assert caught.value.field == "after"


def test_absence_keeps_and_none_clears(org: Session) -> None:
    contact = org.contacts.create(kind="person", given_name="Eva", city="Bogotá", email="eva@x.example")
    changed = org.contacts.update(contact, email="eva@y.example")
    assert (changed.city, changed.email, changed.version) == ("Bogotá", "eva@y.example", 2)
    cleared = org.contacts.update("eva@y.example", city=None)
    assert (cleared.city, cleared.email) == (None, "eva@y.example")
    same = org.contacts.update(cleared, city=None)
    assert same.version == cleared.version
    with pytest.raises(ValidationError) as caught:
        org.contacts.update(cleared, kind=None, stratum=9)  # type: ignore[arg-type]
    assert {detail["field"] for detail in caught.value.details} >= {"kind"}
    assert org.contacts.get(contact).version == 3


def test_every_refused_field_is_named(org: Session) -> None:
    with pytest.raises(ValidationError) as caught:
        org.contacts.create(kind="person", email="nonsense", phone="12", nonsense=1)  # type: ignore[call-arg]
    assert caught.value.code == "invalid"
    assert {detail["field"] for detail in caught.value.details} == {"email", "phone", "nonsense"}
    assert caught.value.field in {"email", "phone", "nonsense"}
    with pytest.raises(ValidationError) as caught:
        org.contacts.create(kind="person")
    assert caught.value.field == "given_name"
    with pytest.raises(ValidationError) as caught:
        org.contacts.create(kind="person", given_name="Eva", version=3)  # type: ignore[call-arg]
    assert (caught.value.field, caught.value.details[0]["code"]) == ("version", "read_only")
    with pytest.raises(ValidationError) as caught:
        org.contacts.create(kind="person", given_name="Eva", company=uuid4())
    assert caught.value.field == "company_id"
    with pytest.raises(ValidationError) as caught:
        org.contacts.create(kind="person", given_name="Eva", company="nobody@x.example")
    assert caught.value.details[0]["code"] == "not_there"
    for wrong in (5, 1.5, b"x", ["x"]):
        with pytest.raises(TypeError, match="given_name"):
            org.contacts.create(kind="person", given_name=wrong)  # type: ignore[arg-type]
    assert org.contacts.count() == 0


def test_many_are_created_all_or_none(org: Session) -> None:
    with pytest.raises(ValidationError) as caught:
        org.contacts.create_many(
            [{"kind": "person", "given_name": "Eva"}, {"kind": "person", "email": "x"}, {"kind": "person"}]
        )
    assert caught.value.field == "1.email"
    assert org.contacts.count() == 0
    with pytest.raises(Duplicate):
        org.contacts.create_many(
            [{"kind": "person", "given_name": "Eva", "email": email} for email in ("e@x.example", "E@x.example")]
        )
    assert org.contacts.count() == 0
    assert org.contacts.create_many([]) == []


def test_references_are_given_as_records_ids_or_keys(org: Session) -> None:
    dyne = org.contacts.create(kind="company", company_name="Dyne", email="hi@dyne.example")
    references: list[Contact | UUID | str] = [dyne, dyne.id, str(dyne.id), "HI@dyne.example"]
    for number, company in enumerate(references):
        contact = org.contacts.create(kind="person", given_name=f"n{number}", company=company)
        assert contact.company_id == dyne.id
    bob = org.members.add("bob@acme.example", role="member", full_name="Bob")
    assert org.contacts.update(dyne, owner="bob@acme.example").owner_id == bob.user.id
    assert org.contacts.update(dyne, owner=None).owner_id is None
    assert org.contacts.update(dyne, owner_id=org.user).owner_id == org.user.id
    assert type(dyne.id) is UUID


def test_archived_contacts_leave_the_lists(org: Session) -> None:
    eva = org.contacts.create(kind="person", given_name="Eva", email="eva@x.example")
    archived = org.contacts.archive("eva@x.example")
    assert archived.archived_at is not None
    assert (org.contacts.count(), org.contacts.count(archived=True)) == (0, 1)
    assert org.contacts.list(archived=True, archived_at__ne=None)[0] == archived
    assert org.contacts.get(eva).archived_at is not None
    assert org.contacts.restore(eva).archived_at is None
    assert org.contacts.delete(eva).id == eva.id
    with pytest.raises(NotFound):
        org.contacts.get(eva)


def test_a_contact_with_an_invoice_stays(org: Session) -> None:
    eva = org.contacts.create(kind="person", given_name="Eva")
    org.invoices.create(contact=eva, lines=[{"description": "x", "quantity": 1, "unit_price": Decimal(1)}])
    with pytest.raises(Conflict) as caught:
        org.contacts.delete(eva)
    assert caught.value.code == "conflict"
    assert caught.value.hint == "archive the record instead"


def test_the_same_address_is_taken_once(org: Session) -> None:
    org.contacts.create(kind="person", given_name="Eva", email="eva@x.example")
    with pytest.raises(Duplicate) as caught:
        org.contacts.create(kind="person", given_name="Other", email="EVA@X.example")
    assert (caught.value.code, caught.value.field) == ("duplicate", "email")


def test_ambiguous_names_list_the_candidates(org: Session) -> None:
    one = org.contacts.create(kind="person", given_name="Eva", account_number="7")
    two = org.contacts.create(kind="person", given_name="Ida", external_id="7")
    with pytest.raises(ValidationError) as caught:
        org.contacts.get("7")
    assert {detail["id"] for detail in caught.value.details} == {str(one.id), str(two.id)}
    assert caught.value.hint is not None
