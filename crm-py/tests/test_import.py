"""Imports: the Chinook sample as documented, what is refused, and where files come from."""

from __future__ import annotations

import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import crm_py
from crm_py import Money, PermissionDenied, Session, ValidationError
from crm_py.reports import ImportReport

CHINOOK = Path(__file__).resolve().parents[2] / "crm-core" / "tests" / "data" / "chinook"

CONTACTS = {
    "columns": {
        "external_id": "CustomerId",
        "given_name": "FirstName",
        "family_name": "LastName",
        "company_name": "Company",
        "address_line": "Address",
        "city": "City",
        "region": "State",
        "country": "Country",
        "postal_code": "PostalCode",
        "phone": "Phone",
        "email": "Email",
    },
    "constants": {"kind": "person"},
    "values": {"country": {"Czech Republic": "CZ", "USA": "US"}},
}
PRODUCTS = {
    "columns": {"sku": "TrackId", "name": "Name", "unit_price": "UnitPrice"},
    "constants": {"currency": "USD"},
}
INVOICES = {
    "columns": {
        "number": "InvoiceId",
        "contact_external_id": "CustomerId",
        "issued_on": "InvoiceDate",
        "total": "Total",
    },
    "constants": {"currency": "USD"},
}
LINES = {
    "columns": {"invoice": "InvoiceId", "product_sku": "TrackId", "unit_price": "UnitPrice", "quantity": "Quantity"},
}
PAYMENTS = {
    "columns": {
        "external_id": "InvoiceId",
        "invoice": "InvoiceId",
        "contact_external_id": "CustomerId",
        "amount": "Total",
        "received_on": "InvoiceDate",
    },
    "constants": {"currency": "USD"},
}


def chinook(name: str) -> Path:
    path = CHINOOK / f"{name}.csv"
    assert path.is_file(), f"the Chinook sample belongs into {CHINOOK}"
    return path


def import_all(org: Session) -> list[ImportReport]:
    return [
        org.import_csv("contacts", chinook("customers"), mapping=CONTACTS, upsert_by="external_id", lenient=True),
        org.import_csv("products", chinook("products"), mapping=PRODUCTS, upsert_by="sku"),
        org.import_csv(
            "invoices",
            chinook("invoices"),
            mapping=INVOICES,
            lines=chinook("invoice_lines"),
            lines_mapping=LINES,
            upsert_by="number",
        ),
        org.import_csv("payments", chinook("invoices"), mapping=PAYMENTS, upsert_by="external_id"),
    ]


def test_chinook_comes_in_to_the_cent(org: Session) -> None:
    with pytest.raises(ValidationError, match="3 of 59 rows were refused") as caught:
        org.import_csv("contacts", chinook("customers"), mapping=CONTACTS)
    assert [detail["field"] for detail in caught.value.details] == ["phone"] * 3
    assert all(detail["line"] > 1 and detail["reason"] for detail in caught.value.details)
    assert org.contacts.count() == 0

    first = import_all(org)
    assert [report.written for report in first] == [True] * 4
    assert first[0].created == 59
    assert [warning.field for warning in first[0].warnings] == ["phone"] * 3
    assert (first[2].created, first[3].created) == (412, 412)
    assert org.contacts.count() == 59
    assert org.contacts.count(phone__ne=None) == 55
    assert org.contacts.count(phone_raw__ne=None) == 3
    assert org.contacts.count(country=None) == 0
    assert org.invoices.count() == 412
    assert org.invoice_lines.count() == 2_240
    assert org.contacts.get("luisg@embraer.com.br").phone == "+551239235555"

    summary = org.reports.summary(per_contact=True)
    total = summary.total("USD")
    assert total.billed == total.paid == Money("2328.60", "USD")
    assert total.pending == Money(0, "USD")
    assert summary.per_contact is not None
    assert len(summary.per_contact) == 59
    assert sum((row.figures.billed for row in summary.per_contact), Money(0, "USD")) == Money("2328.60", "USD")
    assert sum((invoice.total.amount for invoice in org.invoices.iter(batch=100)), Decimal(0)) == Decimal("2328.60")
    assert org.reports.ageing().totals == ()
    assert org.audit.verify().ok

    entries = org.audit.count()
    second = import_all(org)
    assert [(report.created, report.updated) for report in second] == [(0, 0)] * 4
    assert [report.unchanged for report in second] == [report.created for report in first]
    assert org.audit.count() == entries
    assert org.reports.summary(as_of=summary.as_of, per_contact=True) == summary


def test_a_file_with_broken_rows_is_refused_whole(org: Session) -> None:
    lines = chinook("customers").read_text(encoding="utf-8").splitlines(keepends=True)
    broken = [line.replace("@", " at ") if 2 <= number < 22 else line for number, line in enumerate(lines)]
    file = io.StringIO("".join(broken))
    with pytest.raises(ValidationError) as caught:
        org.import_csv("contacts", file, mapping=CONTACTS, lenient=True)
    assert len([detail for detail in caught.value.details if detail["field"] == "email"]) == 20
    assert caught.value.details[0]["line"] == 3
    assert caught.value.hint is not None
    assert org.contacts.count() == 0
    file.seek(0)
    report = org.import_csv("contacts", file, mapping=CONTACTS, lenient=True, dry_run=True)
    assert (report.dry_run, report.written, report.refused, len(report.problems)) == (True, False, 20, 20)
    file.seek(0)
    report = org.import_csv("contacts", file, mapping=CONTACTS, lenient=True, skip_refused=True)
    assert (report.written, report.created, report.refused) == (True, 39, 20)
    assert org.contacts.count() == 39


def test_files_are_text_or_bytes_or_paths(local: Session, tmp_path: Path) -> None:
    text = "kind,given_name,email\nperson,Éva,{}@x.example\n"
    path = tmp_path / "contacts.csv"
    path.write_text(text.format("path"), encoding="utf-8")
    local.import_csv("contacts", path)
    local.import_csv("contacts", io.StringIO(text.format("text")))
    local.import_csv("contacts", io.BytesIO(text.format("bytes").encode()))
    with path.open(encoding="utf-8") as file:
        report = local.import_csv("contacts", file, upsert_by="email")
    assert (report.read, report.unchanged) == (1, 1)
    assert local.contacts.count(given_name="Éva") == 3
    mapping = tmp_path / "mapping.toml"
    mapping.write_text('[columns]\ngiven_name = "Vorname"\n[constants]\nkind = "person"\n', encoding="utf-8")
    local.import_csv("contacts", io.StringIO("Vorname\nIda\n"), mapping=mapping)
    assert local.contacts.list(name="ida").first() is not None


def test_deals_come_with_their_history(org: Session) -> None:
    mapping = {
        "columns": {"external_id": "id", "title": "what", "status": "how", "amount": "worth", "opened_on": "from"},
        "constants": {"lost_reason": "not recorded"},
        "values": {"status": {"Won": "won", "Lost": "lost", "Open": "in_progress"}},
        "date_format": ["%d-%m-%y", "%Y-%m-%d"],
    }
    rows = "a,Chairs,Won,1054,20-10-16\nb,Tables,Lost,0,2016-10-25\nc,Lamps,Open,,\n"
    text = f"id,what,how,worth,from\n{rows}"
    report = org.import_csv("deals", io.StringIO(text), mapping=mapping, upsert_by="external_id")
    assert (report.created, report.written) == (3, True)
    again = org.import_csv("deals", io.StringIO(text), mapping=mapping, upsert_by="external_id")
    assert (again.created, again.updated, again.unchanged) == (0, 0, 3)
    chairs = org.deals.get("a")
    assert (chairs.title, chairs.status, chairs.amount) == ("Chairs", "won", Money("1054", "USD"))
    assert chairs.opened_at.date().isoformat() == "2016-10-20"
    with pytest.raises(ValidationError) as caught:
        org.import_csv("deals", io.StringIO(text.replace("20-10-16", "20.10.16")), mapping=mapping)
    assert [(detail["line"], detail["field"]) for detail in caught.value.details][0] == (2, "opened_on")


def test_what_cannot_be_read_is_said(database: crm_py.Crm, org: Session, tmp_path: Path) -> None:
    class Broken:
        def read(self, size: int = -1, /) -> str:
            raise ConnectionResetError("gone")

    class Numbers:
        def read(self, size: int = -1, /) -> Any:
            return 5

    with pytest.raises(FileNotFoundError) as missing:
        org.import_csv("contacts", tmp_path / "missing.csv")
    assert missing.value.filename == str(tmp_path / "missing.csv")
    with pytest.raises(ConnectionResetError, match="gone"):
        org.import_csv("contacts", Broken())
    with pytest.raises(TypeError, match="bytes"):
        org.import_csv("contacts", Numbers())
    with pytest.raises(AttributeError):
        org.import_csv("contacts", 5)  # type: ignore[arg-type]
    with pytest.raises(ValidationError) as caught:
        org.import_csv("robots", io.StringIO(""))  # type: ignore[arg-type]
    assert caught.value.field == "kind"
    with pytest.raises(ValidationError, match="colums") as caught:
        org.import_csv("contacts", io.StringIO("a\n"), mapping={"colums": {}})
    assert caught.value.field == "mapping"
    with pytest.raises(ValidationError):
        org.import_csv("contacts", io.StringIO("given_name\nEva\n"), mapping={"columns": {"given_name": "Nowhere"}})
    with pytest.raises(ValidationError):
        org.import_csv("contacts", io.StringIO("kind,given_name\nperson,Eva\n"), upsert_by="nonsense")
    org.members.add("bob@acme.example", role="member", full_name="Bob")
    worker = database.organization("acme", acting_as="bob@acme.example")
    with pytest.raises(PermissionDenied):
        worker.import_csv("contacts", io.StringIO("kind,given_name\nperson,Eva\n"))
    assert org.contacts.count() == 0


def test_a_large_file_is_read_in_parts(local: Session) -> None:
    class Rows:
        """Ten thousand rows that are nowhere at once."""

        def __init__(self) -> None:
            self.row = -1
            self.largest = 0

        def read(self, size: int = -1, /) -> bytes:
            self.row += 1
            if self.row > 10_000:
                return b""
            if self.row == 0:
                return b"kind,given_name,email\n"
            return f"person,n{self.row},n{self.row}@x.example\n".encode()

    report = local.import_csv("contacts", Rows())
    assert (report.read, report.created, local.contacts.count()) == (10_000, 10_000, 10_000)
