"""Records: their attributes, and what can be done with them in plain Python."""

from __future__ import annotations

import copy
import multiprocessing
import pickle
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest

import crm_py
from crm_py import Contact, Money, Session


def eva(org: Session) -> Contact:
    return org.contacts.create(
        kind="person", given_name="Eva", family_name="Núñez", email="Eva@X.example", custom={"vip": True, "n": [1]}
    )


def test_values_have_the_types_of_the_standard_library(org: Session) -> None:
    contact = eva(org)
    assert type(contact.id) is UUID
    assert contact.kind == "person"
    assert contact.email == "Eva@X.example"
    assert contact.custom == {"vip": True, "n": [1]}
    assert contact.phone is None
    assert contact.owner_id == org.user.id
    assert contact.version == 1
    assert type(contact.created_at) is datetime
    assert contact.created_at.tzinfo is UTC
    assert abs((datetime.now(UTC) - contact.created_at).total_seconds()) < 60
    product = org.products.create(name="Chair", unit_price=Decimal("9.990000"))
    assert type(product.unit_price) is Decimal
    assert str(product.unit_price) == "9.99"
    assert product.currency == "USD"
    invoice = org.invoices.create(
        contact=contact, lines=[{"product": product, "quantity": 2}], issue=True, issued_on=date(2026, 2, 28)
    )
    assert invoice.issued_on == date(2026, 2, 28)
    assert invoice.total == Money("19.98", "USD")
    assert invoice.buyer is not None
    assert invoice.buyer["name"] == "Eva Núñez"


def test_a_record_is_itself_after_a_round_through_the_database(org: Session) -> None:
    contact = eva(org)
    found = org.contacts.get(contact.id)
    assert found == contact
    assert found is not contact
    assert hash(found) == hash(contact)
    assert len({found, contact}) == 1
    changed = org.contacts.update(contact, city="Bogotá")
    assert changed != contact
    assert changed.version == 2
    assert contact.city is None
    assert changed != "something else"


def test_ids_and_times_are_as_their_classes_make_them(local: Session) -> None:
    """Some are made without their constructors, and kept: nobody can tell."""
    contacts = local.contacts.create_many({"kind": "person", "given_name": f"n{number}"} for number in range(600))
    for contact in [*contacts, *local.contacts.list(limit=600)]:
        made = UUID(int=contact.id.int)
        assert (contact.id, hash(contact.id), repr(contact.id)) == (made, hash(made), repr(made))
        assert contact.id.is_safe is made.is_safe
        assert pickle.loads(pickle.dumps(contact.id)) == made
        assert contact.owner_id == local.user.id
        assert contact.created_at == contacts[0].created_at
    assert len({contact.id for contact in contacts}) == 600
    assert len({contact.given_name for contact in contacts}) == 600


def test_records_pickle_and_copy(local: Session) -> None:
    contact = eva(local)
    invoice = local.invoices.create(
        contact=contact,
        lines=[{"description": "Chair", "quantity": Decimal("1.5"), "unit_price": Decimal("3.333333")}],
        issue=True,
    )
    payment = local.invoices.pay(invoice)
    records: list[crm_py.Record] = [
        contact,
        invoice,
        payment,
        *local.invoices.lines(invoice),
        *local.payments.allocations(payment),
        *local.audit.list(),
        *local.series.list(),
        local.organization,
        local.user,
        *(member.membership for member in local.members.list()),
    ]
    assert len({type(record) for record in records}) == 10
    for record in records:
        for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
            again = pickle.loads(pickle.dumps(record, protocol))
            assert again == record
            assert type(again) is type(record)
            assert again.to_dict() == record.to_dict()
        assert copy.copy(record) is record
        assert copy.deepcopy(record) is record


def test_records_go_to_other_processes(local: Session) -> None:
    contact = eva(local)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(name_of, (contact,)) == "Eva Núñez"


def name_of(contact: Contact) -> str:
    return contact.display_name


def test_records_do_not_change(local: Session) -> None:
    contact = eva(local)
    with pytest.raises(AttributeError, match="update"):
        contact.city = "Bogotá"  # type: ignore[misc]
    with pytest.raises(AttributeError):
        contact.nonsense = 1  # type: ignore[attr-defined]
    with pytest.raises(TypeError):
        Contact()


def test_records_print_what_they_hold(local: Session) -> None:
    contact = eva(local)
    text = repr(contact)
    assert text.startswith(f"Contact(id=UUID('{contact.id}'), kind='person', given_name='Eva'")
    assert "phone" not in text
    assert contact.display_name == "Eva Núñez"
    company = local.contacts.create(kind="company", company_name="Acme & Co", given_name="Bo")
    assert company.display_name == "Acme & Co"


def test_records_match(local: Session) -> None:
    match eva(local):
        case Contact(kind="person", given_name=name):
            assert name == "Eva"
        case _:
            pytest.fail("did not match")


def test_every_attribute_is_described_and_read(local: Session) -> None:
    contact = eva(local)
    as_dict = contact.to_dict()
    for name, value in as_dict.items():
        assert getattr(contact, name) == value
    assert set(as_dict) == {name for name, field in vars(Contact).items() if isinstance(field, crm_py.Field)}
    assert "search" not in as_dict
    assert "email_claim" not in as_dict
    field = vars(Contact)["owner_id"]
    assert (field.name, field.kind, field.nullable, field.references) == ("owner_id", "id", True, "user")
    assert vars(Contact)["kind"].choices == ("person", "company")


def test_json_null_and_text_are_no_record(local: Session) -> None:
    for text in ("null", "{}", "nonsense", '{"id": 1}'):
        with pytest.raises(ValueError):
            crm_py._crm_py.restore("contact", text)
    with pytest.raises(ValueError):
        crm_py._crm_py.restore("idempotency", "{}")
