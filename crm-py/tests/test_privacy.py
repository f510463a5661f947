"""What is stored about a contact is given out, and erased, on both databases."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from conftest import acme, today

import crm_py
from crm_py import PermissionDenied, RuleError, ValidationError


def settled(org: crm_py.Session) -> crm_py.Contact:
    eva = org.contacts.create(
        kind="person",
        given_name="Quetzalina",
        family_name="Xochimilco",
        email="quetza@xmpl.example",
        custom={"pet": "Zubrowka", "weight": 3},
    )
    org.contacts.update(eva, notes="Likes Yggdrasil")
    org.interactions.log(contact=eva, kind="call", notes="Asked about Yggdrasil")
    invoice = org.invoices.create(
        contact=eva, lines=[{"description": "Chair", "quantity": 1, "unit_price": Decimal("9.99")}], issue=True
    )
    org.payments.record(contact=eva, amount=Decimal("9.99"), invoices={invoice: Decimal("9.99")})
    return eva


def test_an_export_has_everything_and_is_json(database: crm_py.Crm) -> None:
    org = acme(database)
    eva = settled(org)
    export = org.privacy.export("quetza@xmpl.example")
    text = json.dumps(export)
    for word in ["Quetzalina", "Xochimilco", "Zubrowka", "Yggdrasil"]:
        assert word in text
    assert export["contact"]["id"] == str(eva.id)
    assert [record["number"] for record in export["records"]["invoice"]] == ["INV-000001"]
    assert export["records"]["invoice"][0]["total"] == {"amount": "9.99", "currency": "USD"}
    assert len(export["records"]["interaction"]) == 1
    commands = [entry["command"] for entry in export["audit"]]
    assert "contact.create" in commands
    assert "interaction.create" in commands or "interaction.log" in commands


def test_an_erased_contact_is_gone_but_for_its_invoices(database: crm_py.Crm) -> None:
    org = acme(database)
    eva = settled(org)
    open_invoice = org.invoices.create(
        contact=eva, lines=[{"description": "Chair", "quantity": 1, "unit_price": Decimal(1)}], issue=True
    )
    with pytest.raises(RuleError, match="INV-000002"):
        org.privacy.erase(eva)
    org.invoices.void(open_invoice)
    erased = org.privacy.erase(eva)
    assert erased.erased["contact"] == 1
    assert erased.erased["interaction"] == 1
    assert erased.purged
    assert "invoice" in {kept.entity for kept in erased.kept}
    gone = org.contacts.get(eva.id)
    assert (gone.given_name, gone.email, gone.custom) == (None, None, None)
    assert gone.erased_at is not None
    assert "Zubrowka" not in json.dumps(org.privacy.export(eva.id))
    with pytest.raises(RuleError, match="erased"):
        org.interactions.log(contact=eva, kind="call", notes="Again")
    assert org.audit.verify().problems == 0
    assert org.privacy.erase(eva.id).erased == {}
    assert org.privacy.purge()
    assert not org.privacy.is_purge_due()
    day = today(org)
    assert org.privacy.purge_requests(day) == 0
    with pytest.raises(ValidationError, match="before"):
        org.privacy.purge_requests(day + timedelta(days=1))


def test_managers_neither_export_nor_erase(database: crm_py.Crm) -> None:
    org = acme(database)
    eva = settled(org)
    org.members.add("vera@acme.example", role="manager", full_name="Vera")
    vera = database.organization("acme", acting_as="vera@acme.example")
    with pytest.raises(PermissionDenied):
        vera.privacy.export(eva.id)
    with pytest.raises(PermissionDenied):
        vera.privacy.erase(eva.id)
    with pytest.raises(PermissionDenied):
        vera.privacy.purge()


def test_nothing_is_left_in_the_file(sqlite: crm_py.Crm, tmp_path: Path) -> None:
    org = acme(sqlite)
    eva = settled(org)
    held = [path for path in tmp_path.iterdir() if path.is_file()]
    assert any(b"Zubrowka" in path.read_bytes() for path in held)
    assert org.privacy.erase(eva).purged
    for path in tmp_path.iterdir():
        if path.is_file():
            for word in [b"zubrowka", b"yggdrasil"]:
                assert word not in path.read_bytes().lower(), path
