"""The Chinook sample billed with 19 % tax on half of its products, against a computation of its own in ``decimal``."""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from crm_py import Money, Session

if TYPE_CHECKING:
    from crm_py._fields import LineFields

DATA = Path(__file__).resolve().parents[2] / "crm-core" / "tests" / "data" / "chinook"
TERM = timedelta(days=30)
DATES = (date(2022, 6, 30), date(2024, 1, 15), date(2025, 12, 31))
CENT = Decimal("0.01")


def read(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def cents(amount: Decimal) -> Decimal:
    """Rounded half away from zero."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def usd(amount: Decimal) -> Money:
    return Money(amount, "USD")


def tax_of(track: str) -> int:
    """Every second product is taxed."""
    return 19 if int(track) % 2 == 0 else 0


@dataclass
class Billed:
    """An invoice as it is computed here: its lines' amounts, and what was paid on it."""

    customer: str
    number: str
    on: date
    lines: list[tuple[int, Decimal, Decimal]] = field(default_factory=list)
    paid: list[tuple[date, Decimal]] = field(default_factory=list)

    @property
    def total(self) -> Decimal:
        return sum((net + tax for _, net, tax in self.lines), Decimal(0))

    @property
    def due(self) -> date:
        return self.on + TERM

    def balance(self, day: date) -> Decimal:
        return self.total - sum((amount for on, amount in self.paid if on <= day), Decimal(0))


def computed() -> list[Billed]:
    lines = defaultdict(list)
    for line in read("invoice_lines.csv"):
        net = cents(Decimal(line["UnitPrice"]) * Decimal(line["Quantity"]))
        percent = tax_of(line["TrackId"])
        lines[line["InvoiceId"]].append((percent, net, cents(net * percent / 100)))
    invoices = []
    for row in read("invoices.csv"):
        number, on = row["InvoiceId"], date.fromisoformat(row["InvoiceDate"][:10])
        invoice = Billed(row["CustomerId"], f"C{number}", on, lines[number])
        # A third is paid late, a third in two parts, a third is not paid.
        if int(number) % 3 == 0:
            invoice.paid = [(on + timedelta(days=45), invoice.total)]
        elif int(number) % 3 == 1:
            half = cents(invoice.total / 2)
            days = int(number) % 100
            invoice.paid = [(on + timedelta(days=3), half), (on + timedelta(days=20 + days), invoice.total - half)]
        invoices.append(invoice)
    return invoices


def bill(org: Session, invoices: list[Billed]) -> dict[str, UUID]:
    """Writes them, and gives the contacts by customer."""
    contacts = {
        row["CustomerId"]: org.contacts.create(
            kind="person", given_name=row["FirstName"], family_name=row["LastName"], external_id=row["CustomerId"]
        ).id
        for row in read("customers.csv")
    }
    given = defaultdict(list)
    for row in read("invoice_lines.csv"):
        line: LineFields = {
            "description": f"Track {row['TrackId']}",
            "quantity": Decimal(row["Quantity"]),
            "unit_price": Decimal(row["UnitPrice"]),
            "tax_percent": tax_of(row["TrackId"]),
        }
        given[f"C{row['InvoiceId']}"].append(line)
    for invoice in invoices:
        written = org.invoices.create(
            contact=contacts[invoice.customer],
            lines=given[invoice.number],
            issue=True,
            number=invoice.number,
            issued_on=invoice.on,
            due_on=invoice.due,
            total=usd(invoice.total),
        )
        for on, amount in invoice.paid:
            org.invoices.pay(written, usd(amount), received_on=on, method="transfer")
    return contacts


def bucket(invoice: Billed, day: date) -> str:
    late = (day - invoice.due).days
    names = ["current", "days_1_30", "days_31_60", "days_61_90", "days_over_90"]
    return names[0 if late <= 0 else min(1 + (late - 1) // 30, 4)]


def test_chinook_with_tax_comes_to_the_cent(org: Session) -> None:
    invoices = computed()
    contacts = bill(org, invoices)

    by_rate: dict[int, list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for invoice in invoices:
        for percent, net, tax in invoice.lines:
            by_rate[percent][0] += net
            by_rate[percent][1] += tax
    taxes = org.reports.taxes().totals
    assert [(row.percent, row.net, row.tax) for row in taxes] == [
        (Decimal(percent), usd(net), usd(tax)) for percent, (net, tax) in sorted(by_rate.items())
    ]
    assert sum((net for net, _ in by_rate.values()), Decimal(0)) == Decimal("2328.60")
    assert by_rate[19][1] > 0
    revenue = org.reports.revenue().totals[0]
    assert revenue.total == usd(sum((invoice.total for invoice in invoices), Decimal(0)))
    assert revenue.net == usd(Decimal("2328.60"))

    for day in DATES:
        known = [invoice for invoice in invoices if invoice.on <= day]
        ages: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
        for invoice in known:
            if balance := invoice.balance(day):
                ages[invoice.customer][bucket(invoice, day)] += balance
        ageing = org.reports.ageing(as_of=day, per_contact=True)
        assert ageing.per_contact is not None
        found = {row.contact_id: row for row in ageing.per_contact}
        assert found.keys() == {contacts[customer] for customer in ages}
        for customer, buckets in ages.items():
            row = found[contacts[customer]]
            for name in ("current", "days_1_30", "days_31_60", "days_61_90", "days_over_90"):
                assert getattr(row, name) == usd(buckets[name]), (day, customer, name)
            assert row.total == usd(sum(buckets.values(), Decimal(0)))
        figures = org.reports.summary(as_of=day).total("USD")
        assert figures.pending == ageing.totals[0].total
        assert figures.billed == usd(sum((invoice.total for invoice in known), Decimal(0)))

        first = day - timedelta(days=365)
        for customer, contact in contacts.items():
            moves = [(i.on, i.total) for i in invoices if i.customer == customer]
            moves += [(on, -amount) for i in invoices if i.customer == customer for on, amount in i.paid]
            opening = sum((amount for on, amount in moves if on < first), Decimal(0))
            closing = sum((amount for on, amount in moves if on <= day), Decimal(0))
            statement = org.reports.statement(contact, from_=first, to=day)
            if not statement.currencies:
                assert opening == closing == 0
                continue
            (part,) = statement.currencies
            assert (part.opening, part.closing) == (usd(opening), usd(closing)), (day, customer)
            within = sorted((on, amount) for on, amount in moves if first <= on <= day)
            assert sorted((entry.on, entry.amount.amount) for entry in part.entries) == within
    assert org.audit.verify_books() == ()
