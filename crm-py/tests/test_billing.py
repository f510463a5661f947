"""Invoices and payments, members and roles, reports, the audit."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

import crm_py
from crm_py import (
    Contact,
    Duplicate,
    Invoice,
    Money,
    NotFound,
    PermissionDenied,
    RuleError,
    Session,
    Unauthenticated,
    ValidationError,
)

if TYPE_CHECKING:
    from crm_py._fields import LineFields

DAY = date(2026, 1, 31)


def usd(amount: str | int) -> Money:
    return Money(amount, "USD")


def line(price: str, quantity: int = 1) -> LineFields:
    return {"description": "thing", "quantity": quantity, "unit_price": Decimal(price)}


@pytest.fixture
def eva(org: Session) -> Contact:
    return org.contacts.create(kind="person", given_name="Eva", email="eva@x.example")


def issued(org: Session, contact: Contact, price: str, **more: Any) -> Invoice:
    return org.invoices.create(contact=contact, lines=[line(price)], issue=True, **more)


def test_an_invoice_goes_through_its_life(org: Session, eva: Contact) -> None:
    draft = org.invoices.create(contact="eva@x.example", lines=[line("9.99", 2)], notes="hello", due_on=DAY)
    assert (draft.status, draft.number, draft.total, draft.due_on) == ("draft", None, usd("19.98"), DAY)
    draft = org.invoices.update(draft, lines=[line("10")], notes=None, due_on=None, issued_on=DAY)
    assert (draft.total, draft.notes, draft.due_on, draft.version) == (usd(10), None, None, 2)
    with pytest.raises(ValidationError) as caught:
        org.invoices.update(draft, status="paid")  # type: ignore[call-arg]
    assert caught.value.field == "status"
    invoice = org.invoices.issue(draft)
    assert (invoice.status, invoice.number) == ("open", "INV-000001")
    assert invoice.due_on == DAY + timedelta(days=30)
    assert org.invoices.get("INV-000001") == invoice
    with pytest.raises(RuleError) as refused:
        org.invoices.issue(invoice)
    assert refused.value.code == "rule"
    with pytest.raises(RuleError):
        org.invoices.update(invoice, notes="x")
    with pytest.raises(RuleError):
        org.invoices.delete(invoice)
    payment = org.invoices.pay("INV-000001", method="cash")
    assert (payment.amount, payment.unapplied, payment.method) == (usd(10), usd(0), "cash")
    assert org.invoices.get(invoice).status == "paid"
    with pytest.raises(RuleError):
        org.invoices.void(invoice)
    second = org.invoices.issue(org.invoices.create(contact=eva, lines=[line("1")]), number="X/7")
    assert org.invoices.void(second).status == "void"
    assert org.invoices.write_off(issued(org, eva, "3")).status == "uncollectible"
    gone = org.invoices.create(contact=eva, lines=[line("1")])
    org.invoices.delete(gone)
    assert org.invoice_lines.count(invoice=gone) == 0
    assert [invoice.number for invoice in org.invoices.list(order_by="number")] == ["INV-000001", "INV-000002", "X/7"]


def test_lines_are_refused_by_position(org: Session, eva: Contact) -> None:
    def refused(*lines: Any) -> ValidationError:
        with pytest.raises(ValidationError) as caught:
            org.invoices.create(contact=eva, lines=lines)
        return caught.value

    assert refused(line("1"), {"description": "x", "unit_price": Decimal(1)}).field == "lines.2.quantity"
    assert refused({"quantity": 1, "unit_price": Decimal(1)}).field == "lines.1.description"
    assert refused({"description": "x", "quantity": 0, "unit_price": Decimal(1)}).field == "lines.1.quantity"
    assert refused({"description": "x", "quantity": 1, "price": Decimal(1)}).field == "lines.1.price"
    assert refused({"product": uuid4(), "quantity": 1}).field == "lines.1.product"
    assert refused({"product": "no such sku", "quantity": 1}).field == "lines.1.product"
    assert refused(line("1"), {"description": "x", "quantity": 1, "unit_price": Decimal("NaN")}).field == (
        "lines.2.unit_price"
    )
    with pytest.raises(TypeError):
        org.invoices.create(contact=eva, lines=["x"])  # type: ignore[list-item]
    for nobody in (uuid4(), "nobody@x.example"):
        with pytest.raises(ValidationError) as caught:
            org.invoices.create(contact=nobody, lines=[line("1")])
        assert caught.value.field == "contact"
    with pytest.raises(TypeError, match="issue=True"):
        org.invoices.create(contact=eva, lines=[line("1")], number="7")
    with pytest.raises(TypeError, match="issued_on"):
        org.invoices.create(contact=eva, lines=[line("1")], issued_on=datetime(2026, 1, 1))
    with pytest.raises(RuleError):
        org.invoices.issue(org.invoices.create(contact=eva, lines=[]))


def test_payments_settle_what_they_are_told_to(org: Session, eva: Contact) -> None:
    late = issued(org, eva, "30", issued_on=DAY, due_on=DAY + timedelta(days=60))
    early = issued(org, eva, "30", issued_on=DAY, due_on=DAY + timedelta(days=10))
    payment = org.payments.record(contact=eva, amount=Decimal("40.00"), invoices="oldest", received_on=DAY)
    shares = {share.invoice_id: share.amount for share in org.payments.allocations(payment)}
    assert shares == {early.id: usd(30), late.id: usd(10)}
    assert payment.unapplied == usd(0)
    advance = org.payments.record(contact=eva, amount=usd(5))
    assert advance.unapplied == usd(5)
    chosen = org.payments.record(contact=eva, amount=Decimal(12), invoices={late: Decimal("11.50")})
    assert chosen.unapplied == usd("0.50")
    assert org.payments.record(contact=eva, amount=1, invoices={late.id: 1}).unapplied == usd(0)
    assert org.payments.record(contact=eva, amount=1, invoices={"INV-000001": usd(1)}).unapplied == usd(0)
    with pytest.raises(RuleError):
        org.payments.record(contact=eva, amount=Decimal(100), invoices={late: Decimal(100)})
    with pytest.raises(RuleError):
        org.payments.record(contact=eva, amount=Decimal(1), invoices={late: Decimal(2)})
    with pytest.raises(ValidationError) as caught:
        org.payments.record(contact=eva, amount=Decimal(1), invoices={uuid4(): Decimal(1)})
    assert caught.value.field is not None
    with pytest.raises(ValidationError) as caught:
        org.payments.record(contact=eva, amount=Decimal(0))
    assert caught.value.field == "amount"
    with pytest.raises(ValidationError) as caught:
        org.payments.record(contact=eva, amount=Decimal(1), received_on=date(2999, 1, 1))
    assert caught.value.field == "received_on"
    for wrong in ("newest", [late]):
        with pytest.raises(TypeError, match="invoices"):
            org.payments.record(contact=eva, amount=Decimal(1), invoices=wrong)  # type: ignore[arg-type]
    assert org.allocations.count(invoice=late) == 4


def test_a_key_makes_a_command_happen_once(org: Session, eva: Contact) -> None:
    invoice = issued(org, eva, "50")
    first = org.payments.record(contact=eva, amount=Decimal(20), invoices={invoice: Decimal(20)}, key="idem-1")
    again = org.payments.record(contact=eva, amount=Decimal("20.00"), invoices={invoice: Decimal(20)}, key="idem-1")
    assert again == first
    assert org.payments.count() == 1
    with pytest.raises(Duplicate) as caught:
        org.payments.record(contact=eva, amount=Decimal(21), key="idem-1")
    assert caught.value.hint is not None
    one = org.contacts.create(kind="person", given_name="Ida", key="c")
    assert org.contacts.create(kind="person", given_name="Ida", key="c") == one
    assert org.invoices.create(contact=eva, lines=[line("1")], issue=True, key="i") == org.invoices.create(
        contact=eva, lines=[line("1")], issue=True, key="i"
    )
    assert org.invoices.pay(invoice, Decimal(30), key="p") == org.invoices.pay(invoice, Decimal(30), key="p")
    with pytest.raises(TypeError, match="amount"):
        org.invoices.pay(invoice, key="q")
    with pytest.raises(ValidationError) as invalid:
        org.contacts.create(kind="person", given_name="Ida", key=" ")
    assert invalid.value.field == "key"


def test_amounts_filter_in_their_currency(org: Session, eva: Contact) -> None:
    issued(org, eva, "10")
    issued(org, eva, "20")
    issued(org, eva, "20", currency="JPY")
    assert org.invoices.count(total=Decimal(20)) == 1
    assert org.invoices.count(total__ge=Decimal("10.00")) == 2
    assert org.invoices.count(total__ge=1, currency="JPY") == 1
    assert org.invoices.count(total=Money(20, "JPY")) == 1
    assert org.invoices.count(total__in=[usd(10), usd(20)]) == 2
    assert org.invoices.count(total__in=[usd(10), Money(20, "JPY"), Money(10, "JPY")]) == 2
    assert org.invoices.count(total__ne=usd(20)) == 2
    assert org.invoices.count(balance__gt=0, contact="eva@x.example") == 2
    assert org.invoices.count(status="open", contact=eva, issued_on__ge=DAY) == 3
    with pytest.raises(ValidationError) as caught:
        org.invoices.list(total=Decimal("0.001"))
    assert caught.value.field == "total"


def test_reports_add_up(org: Session, eva: Contact) -> None:
    ida = org.contacts.create(kind="person", given_name="Ida")
    as_of = DAY + timedelta(days=50)
    first = issued(org, eva, "100", issued_on=DAY, due_on=DAY)
    issued(org, ida, "40", issued_on=DAY)
    org.invoices.pay(first, Decimal("25.50"), received_on=DAY)
    org.payments.record(contact=ida, amount=Decimal(7), received_on=DAY)
    issued(org, ida, "9", currency="EUR", issued_on=DAY)
    void = org.invoices.void(issued(org, ida, "1000", issued_on=DAY))
    summary = org.reports.summary(as_of=as_of, per_contact=True)
    assert (summary.as_of, summary.contacts) == (as_of, 2)
    assert [figures.currency for figures in summary.totals] == ["EUR", "USD"]
    dollars = summary.total("USD")
    assert dollars.billed - dollars.paid == dollars.pending
    assert (dollars.billed.currency, dollars.paid, dollars.credit) == ("USD", usd("25.50"), usd(7))
    assert void.status == "void"
    assert summary.per_contact is not None
    assert {row.contact for row in summary.per_contact} == {"Eva", "Ida"}
    rows = [row for row in summary.per_contact if row.contact_id == eva.id]
    assert (rows[0].email, rows[0].figures.pending) == ("eva@x.example", usd("74.50"))
    with pytest.raises(KeyError):
        summary.total("JPY")
    today = org.reports.summary()
    assert today.per_contact is None
    assert today.total("USD").billed == usd(140)
    assert org.reports.summary(include_void=True).total("USD").billed == usd(1140)
    ageing = org.reports.ageing(per_contact=True)
    row = next(row for row in ageing.totals if row.currency == "USD")
    buckets = [row.current, row.days_1_30, row.days_31_60, row.days_61_90, row.days_over_90]
    assert sum(buckets, usd(0)) == row.total == usd("114.50")
    statement = org.reports.statement(eva, from_=DAY, to=as_of)
    (part,) = statement.currencies
    assert [(entry.kind, entry.amount, entry.balance) for entry in part.entries] == [
        ("sale", usd(100), usd(100)),
        ("payment", usd("-25.50"), usd("74.50")),
    ]
    assert (part.opening, part.closing, statement.contact) == (usd(0), usd("74.50"), "Eva")
    assert statement.to_dict()["currencies"][0]["closing"] == usd("74.50")
    with pytest.raises(ValidationError) as caught:
        org.reports.statement(eva, from_=DAY, to=DAY - timedelta(days=1))
    assert caught.value.field == "to"
    with pytest.raises(NotFound):
        org.reports.statement(uuid4(), from_=DAY, to=DAY)
    with pytest.raises(TypeError):
        org.reports.summary(as_of=datetime(2026, 1, 1))
    with pytest.raises(TypeError):
        org.reports.summary(as_of="2026-01-01")  # type: ignore[arg-type]


def test_members_and_their_roles(database: crm_py.Crm, org: Session) -> None:
    assert [(member.email, member.role) for member in org.members.list()] == [("ana@acme.example", "owner")]
    bob = org.members.add("bob@acme.example", role="viewer", full_name="Bob")
    assert (bob.email, bob.full_name, bob.role) == ("bob@acme.example", "Bob", "viewer")
    for reference in (bob, bob.id, bob.user, bob.user.id, bob.membership, "BOB@acme.example"):
        assert org.members.get(reference) == bob
    seen = database.organization("acme", acting_as="bob@acme.example")
    assert (seen.role, seen.user.full_name, seen.organization.slug) == ("viewer", "Bob", "acme")
    with pytest.raises(PermissionDenied) as caught:
        seen.contacts.create(kind="person", given_name="Eva")
    assert caught.value.code == "forbidden"
    assert isinstance(caught.value, PermissionError)
    with pytest.raises(PermissionDenied):
        seen.audit.list()
    assert org.members.set_role("bob@acme.example", "member").role == "member"
    worker = database.organization("acme", acting_as="bob@acme.example")
    org.contacts.create(kind="person", given_name="Not Bob's")
    worker.contacts.create(kind="person", given_name="Bob's")
    assert [contact.given_name for contact in worker.contacts.list()] == ["Bob's"]
    assert (worker.contacts.count(), org.contacts.count()) == (1, 2)
    with pytest.raises(RuleError):
        org.members.set_role("ana@acme.example", "viewer")
    with pytest.raises(RuleError):
        org.members.remove("ana@acme.example")
    with pytest.raises(ValidationError) as refused:
        org.members.add("eve@acme.example", role="king", full_name="Eve")
    assert refused.value.field == "role"
    with pytest.raises(ValidationError) as refused:
        org.members.add("eve@acme.example", role="viewer")
    assert refused.value.field == "full_name"
    org.members.remove(bob)
    with pytest.raises(NotFound):
        org.members.get(bob)
    with pytest.raises(Unauthenticated):
        database.organization("acme", acting_as="bob@acme.example")


def test_organizations_are_apart(database: crm_py.Crm, org: Session, eva: Contact) -> None:
    database.create_organization(
        "other", name="Other", currency="EUR", time_zone="Europe/Madrid", owner_email="zoe@o.example", owner_name="Zoe"
    )
    other = database.organization("other", acting_as="zoe@o.example")
    invoice = issued(org, eva, "10")
    for call in (
        lambda: other.contacts.get(eva),
        lambda: other.contacts.update(eva, city="x"),
        lambda: other.contacts.delete(eva.id),
        lambda: other.contacts.get("eva@x.example"),
        lambda: other.invoices.void(invoice),
        lambda: other.invoices.lines(invoice)[0],
        lambda: other.members.get("ana@acme.example"),
        lambda: other.members.get(org.user),
    ):
        with pytest.raises(LookupError):
            call()
    for field in ({"owner": org.user}, {"company": eva}):
        with pytest.raises(ValidationError):
            other.contacts.create(kind="person", given_name="x", **field)
    with pytest.raises(ValidationError):
        other.payments.record(contact=eva, amount=Decimal(1))
    with pytest.raises(Unauthenticated):
        database.organization("other", acting_as="ana@acme.example")
    with pytest.raises(NotFound):
        database.organization("nowhere", acting_as="ana@acme.example")
    assert [organization.slug for organization in database.organizations()] == ["acme", "other"]
    changed = other.update_organization(name="Others", payment_days=10)
    assert (changed.name, changed.payment_days) == ("Others", 10)
    assert database.organizations()[0].name == "Acme"
    with pytest.raises(Duplicate):
        database.create_organization(
            "other", name="O", currency="EUR", time_zone="UTC", owner_email="z@o.example", owner_name="Z"
        )
    with pytest.raises(ValidationError) as caught:
        database.create_organization(
            "x", name="O", currency="EUR", time_zone="UTC", owner_email="z@o.example", owner_name="Z"
        )
    assert caught.value.field == "slug"


def test_the_audit_tells_what_was_done(org: Session, eva: Contact) -> None:
    org.contacts.update(eva, city="Bogotá")
    entries = org.audit.list(record=eva)
    assert [(entry.command, entry.action, entry.record_version) for entry in entries] == [
        ("contact.create", "insert", 1),
        ("contact.update", "update", 2),
    ]
    assert entries[1].changes == {"city": [None, "Bogotá"]}
    assert (entries[1].actor_id, entries[1].entity) == (org.user.id, "contact")
    assert org.audit.count(command="contact.update") == 1
    assert [entry.action for entry in org.audit.iter(record_id=eva.id, order_by="-at")][0] == "update"
    found = org.audit.verify()
    assert (found.ok, found.problems, found.findings) == (True, 0, ())
    assert found.entries + found.unsealed == org.audit.count()
    assert org.audit.verify(anchor=found.head).ok
    with pytest.raises(ValidationError):
        org.audit.verify(anchor="nonsense")


def test_numbering(database: crm_py.Crm, org: Session, eva: Contact) -> None:
    series = org.series.get("invoice")
    assert (series.kind, series.prefix, series.digits, series.next) == ("invoice", "INV-", 6, 1)
    org.series.update("invoice", prefix="F-", digits=3)
    assert issued(org, eva, "1").number == "F-001"
    org.series.create(kind="contact", prefix="C-", digits=4)
    org = database.organization("acme", acting_as="ana@acme.example")
    first, second = org.contacts.create_many({"kind": "person", "given_name": name} for name in "ab")
    assert (first.code, second.code) == ("C-0001", "C-0002")
    assert org.contacts.get("C-0002") == second
