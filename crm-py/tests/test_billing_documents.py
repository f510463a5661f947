"""Credit notes, refunds, what is taken back, series, printed documents, the further reports of billing."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from crm_py import Contact, Duplicate, Invoice, Money, NotFound, RuleError, Session, ValidationError

if TYPE_CHECKING:
    from crm_py._fields import LineFields

DAY = date(2026, 1, 31)


def usd(amount: str | int) -> Money:
    return Money(amount, "USD")


@pytest.fixture
def eva(org: Session) -> Contact:
    return org.contacts.create(kind="person", given_name="Eva", email="eva@x.example")


def issued(org: Session, contact: Contact, price: str, tax: int = 0, **more: Any) -> Invoice:
    line: LineFields = {"description": "Work", "quantity": 1, "unit_price": Decimal(price), "tax_percent": tax}
    return org.invoices.create(contact=contact, lines=[line], issue=True, **{"issued_on": DAY, **more})


def test_lines_have_discounts(org: Session, eva: Contact) -> None:
    lines: list[LineFields] = [
        {"description": "a", "quantity": 2, "unit_price": Decimal(80), "discount_percent": 10, "tax_percent": 19},
        {"description": "b", "quantity": 1, "unit_price": Decimal(20), "discount": Decimal("2.675")},
    ]
    invoice = org.invoices.create(contact=eva, lines=lines)
    first, second = org.invoices.lines(invoice)
    assert (first.discount_percent, first.discount, first.net, first.tax) == (
        Decimal(10),
        usd(16),
        usd(144),
        usd("27.36"),
    )
    assert (second.discount_percent, second.discount, second.net) == (None, usd("2.68"), usd("17.32"))
    with pytest.raises(TypeError, match="discount"):
        org.invoices.create(contact=eva, lines=[{**lines[0], "discount_percent": 0.5}])  # type: ignore[typeddict-item]
    with pytest.raises(ValidationError) as caught:
        org.invoices.create(contact=eva, lines=[{**lines[0], "discount": Decimal(1)}])
    assert caught.value.field == "lines.1.discount"


def test_a_credit_of_10_on_50_leaves_40_due(org: Session, eva: Contact) -> None:
    invoice = issued(org, eva, "50")
    note = org.credit_notes.create(invoice, reason="Too late", amount=10)
    assert (note.number, note.total, note.offset, note.credit, note.refund) == (
        "CN-000001",
        usd(10),
        usd(10),
        usd(0),
        usd(0),
    )
    after = org.invoices.get(invoice)
    assert (after.status, after.balance, after.offset, after.credited) == ("open", usd(40), usd(10), usd(10))
    with pytest.raises(RuleError):
        org.invoices.void(invoice)
    with pytest.raises(RuleError):
        org.credit_notes.create(invoice, reason="x", amount=Decimal("40.01"))
    assert org.invoices.pay(invoice).amount == usd(40)
    assert org.invoices.get(invoice).status == "paid"
    assert org.audit.verify_books() == ()


def test_a_note_of_1000_is_half_refunded_and_half_kept(org: Session, eva: Contact) -> None:
    invoice = issued(org, eva, "1000")
    org.invoices.pay(invoice, received_on=DAY)
    note = org.credit_notes.create(
        invoice, reason="Returned", refund=usd(500), method="transfer", reference="R-1", key="n"
    )
    again = org.credit_notes.create(
        invoice, reason="Returned", refund=usd(500), method="transfer", reference="R-1", key="n"
    )
    assert again == note
    assert (note.refund, note.credit, note.offset, note.unapplied) == (usd(500), usd(500), usd(0), usd(500))
    (refund,) = org.refunds.list(credit_note=note)
    assert (refund.amount, refund.method, refund.reference, refund.contact_id) == (usd(500), "transfer", "R-1", eva.id)
    second = issued(org, eva, "300")
    note = org.credit_notes.allocate("CN-000001", {second: Decimal(120)})
    assert note.unapplied == usd(380)
    (allocation,) = org.credit_notes.allocations(note)
    assert (allocation.source, allocation.amount, allocation.invoice_id) == ("credit", usd(120), second.id)
    with pytest.raises(RuleError):
        org.payments.unallocate(allocation)
    note = org.credit_notes.unallocate(allocation)
    assert note.unapplied == usd(500)
    assert org.credit_notes.allocate(note, "oldest").unapplied == usd(200)
    rest = org.refunds.record(credit_note=note, external_id="RF-1")
    assert (rest.amount, org.refunds.get("RF-1")) == (usd(200), rest)
    with pytest.raises(ValidationError) as caught:
        org.refunds.record(credit_note=note)
    assert caught.value.field == "amount"
    with pytest.raises(RuleError):
        org.refunds.record(credit_note=note, amount=1)
    assert org.refunds.count(contact=eva) == org.refunds.count() == 2
    assert [line.net for line in org.credit_notes.lines(note)] == [usd(1000)]
    assert org.audit.verify_books() == ()


def test_what_is_wrong_with_a_credit_note_is_told(org: Session, eva: Contact) -> None:
    invoice = issued(org, eva, "100", 19)
    impossible: list[dict[str, Any]] = [{"amount": 10, "credit": 11}, {"amount": 10, "refund": 5}, {"amount": 500}]
    for arguments in impossible:
        with pytest.raises(RuleError):
            org.credit_notes.create(invoice, reason="x", **arguments)
    invalid: dict[str, dict[str, Any]] = {
        "amount": {"amount": Decimal("0.001")},
        "reason": {"amount": 1, "reason": " "},
        "issued_on": {"amount": 1, "issued_on": date(2026, 1, 1)},
        "lines.1.quantity": {"lines": [{"description": "x"}]},
        "method": {"amount": 1, "method": "barter"},
    }
    for field, arguments in invalid.items():
        given: dict[str, Any] = {"reason": "x", **arguments}
        with pytest.raises(ValidationError) as caught:
            org.credit_notes.create(invoice, **given)
        assert caught.value.field == field
    with pytest.raises(TypeError):
        org.credit_notes.create(invoice, reason="x", amount=10.5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="lines"):
        org.credit_notes.create(invoice, reason="x", amount=1, lines=[])
    with pytest.raises(ValidationError):
        org.credit_notes.create("INV-999999", reason="x")
    with pytest.raises(TypeError):
        org.refunds.record()
    with pytest.raises(NotFound):
        org.credit_notes.get("CN-000001")
    line: LineFields = {"description": "y", "quantity": 1, "unit_price": 100, "tax_percent": 19}
    note = org.credit_notes.create(invoice, reason="x", lines=[line])
    assert (note.total, note.tax, org.invoices.get(invoice).status) == (usd(119), usd(19), "paid")


def test_payments_are_allocated_later_taken_back_and_reversed(org: Session, eva: Contact) -> None:
    first, second = issued(org, eva, "100"), issued(org, eva, "50")
    payment = org.payments.record(contact=eva, amount=130, received_on=DAY)
    payment = org.payments.allocate(payment, {first: usd(40), second: usd(50)}, on=date(2026, 2, 1), key="a")
    assert payment.unapplied == usd(40)
    with pytest.raises(Duplicate):
        org.payments.allocate(payment, "oldest", key="a")
    with pytest.raises(RuleError):
        org.payments.allocate(payment, {first: 41})
    with pytest.raises(TypeError, match="invoices"):
        org.payments.allocate(payment, [first])  # type: ignore[arg-type]
    shares = {share.invoice_id: share for share in org.payments.allocations(payment)}
    payment = org.payments.unallocate(shares[second.id], on=date(2026, 2, 3))
    assert (payment.unapplied, org.invoices.get(second).status) == (usd(90), "open")
    with pytest.raises(RuleError):
        org.payments.unallocate(shares[second.id])
    with pytest.raises(NotFound):
        org.payments.unallocate(eva.id)
    refund = org.refunds.record(payment=payment, amount=Decimal(30))
    assert refund.payment_id == payment.id
    payment = org.payments.reverse(payment, reason="No funds")
    assert (payment.unapplied, payment.refunded, payment.reversal_reason) == (usd(-30), usd(30), "No funds")
    assert org.invoices.get(first).balance == usd(100)
    with pytest.raises(RuleError):
        org.payments.reverse(payment)
    ledger = org.ledger(eva)
    (part,) = ledger.currencies
    assert [(entry.kind, entry.amount) for entry in part.entries] == [
        ("sale", usd(100)),
        ("sale", usd(50)),
        ("payment", usd(-130)),
        ("reversal", usd(130)),
        ("refund", usd(30)),
    ]
    assert (part.closing, ledger.contact, ledger.from_) == (usd(180), "Eva", None)
    (restated,) = org.ledger("eva@x.example", restated=True).currencies
    assert [entry.kind for entry in restated.entries] == ["sale", "sale", "refund"]
    assert org.ledger(eva, from_=date(2026, 2, 1)).currencies[0].opening == usd(20)
    assert len(org.invoices.allocations(first)) == 2
    assert org.audit.verify_books() == ()


def test_series_warn_before_they_end(org: Session, eva: Contact) -> None:
    series = org.series.update("invoice", last=2, warn_percent=50, authorisation="DIAN 1")
    assert (series.last, series.authorisation, series.reset) == (2, "DIAN 1", "never")
    first = issued(org, eva, "1")
    (warning,) = org.invoices.warnings(first)
    assert "50 %" in warning
    second = issued(org, eva, "1", issued_on=date(2026, 1, 1))
    assert len(org.invoices.warnings(second.id)) == 2
    with pytest.raises(RuleError):
        issued(org, eva, "1")
    assert org.series.update("invoice", last=None).last is None
    issued(org, eva, "1")
    note = org.credit_notes.create(first, reason="x")
    assert org.credit_notes.warnings(note) == []


def test_documents_are_printed(org: Session, eva: Contact) -> None:
    invoice = issued(org, eva, "100", 19)
    note = org.credit_notes.create(invoice, reason="Late", amount=19)
    page = org.invoices.print_html(invoice)
    assert page.lower().startswith("<!doctype html>")
    assert "INV-000001" in page
    own = "{{ number }}: {{ total|amount(2) }}"
    assert org.invoices.print_html("INV-000001", template=own) == "INV-000001: 119.00"
    assert org.credit_notes.print_html(note, template=own) == "CN-000001: 19.00"
    assert org.invoices.print_json(invoice)["total"] == {"amount": "119.00", "currency": "USD"}
    assert org.credit_notes.print_json("CN-000001")["number"] == "CN-000001"
    assert "INV-000001" in org.reports.statement_html(eva, from_=DAY, to=DAY)
    assert org.reports.statement_json(eva, from_=DAY, to=DAY)["buyer"]["name"] == "Eva"
    with pytest.raises(ValidationError, match="line 2") as caught:
        org.invoices.print_html(invoice, template="\n{{ nothing }}")
    assert caught.value.field == "template"
    with pytest.raises(NotFound):
        org.invoices.print_html("INV-999999")


def test_reports_of_billing(org: Session, eva: Contact) -> None:
    hat = org.products.create(sku="HAT", name="Hat", kind="product", unit_price=Decimal(10), currency="USD")
    first = org.invoices.create(contact=eva, lines=[{"product": hat, "quantity": 3}], issue=True, issued_on=DAY)
    second = issued(org, eva, "100", 19, issued_on=date(2026, 2, 1))
    org.invoices.pay(first, received_on=date(2026, 2, 10), method="cash")
    org.credit_notes.create(second, reason="x", amount=Decimal("11.90"), issued_on=date(2026, 3, 1))
    revenue = org.reports.revenue()
    assert revenue.by_product is None
    assert revenue.by_month is not None
    assert [(row.month, row.figures.net) for row in revenue.by_month] == [
        (date(2026, 1, 1), usd(30)),
        (date(2026, 2, 1), usd(100)),
        (date(2026, 3, 1), usd(-10)),
    ]
    assert (revenue.totals[0].net, revenue.totals[0].tax) == (usd(120), usd("17.10"))
    products = org.reports.revenue(by="product", to=date(2026, 2, 28)).by_product
    assert products is not None
    assert [(row.sku, row.quantity, row.figures.net) for row in products] == [
        ("HAT", Decimal(3), usd(30)),
        (None, Decimal(1), usd(100)),
    ]
    (row,) = org.reports.collections().rows
    assert (row.month, row.method, row.figures.payments, row.figures.net) == (date(2026, 2, 1), "cash", 1, usd(30))
    taxes = org.reports.taxes(from_=date(2026, 2, 1))
    assert [(row.percent, row.net, row.tax) for row in taxes.totals] == [(Decimal(19), usd(90), usd("17.10"))]
    assert taxes.months[0].month == date(2026, 2, 1)
    (part,) = org.reports.debtors(limit=5).currencies
    assert [(debtor.contact, debtor.pending) for debtor in part.debtors] == [("Eva", usd("107.10"))]
    assert org.reports.debtors(as_of=date(2026, 1, 1)).currencies == ()
    (figures,) = org.reports.days_to_pay(per_contact=True).totals
    assert (figures.invoices, figures.mean_days) == (1, Decimal(10))
    assert org.reports.summary().total("USD").offset == usd("11.90")
    assert revenue.to_dict()["totals"][0]["net"] == usd(120)
    for wrong in (
        lambda: org.reports.revenue(by="week"),  # type: ignore[arg-type]
        lambda: org.reports.taxes(from_=DAY, to=date(2026, 1, 1)),
        lambda: org.reports.debtors(limit=-1),
    ):
        with pytest.raises(ValidationError):
            wrong()
