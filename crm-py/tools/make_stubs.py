"""Writes what follows from the tables: the attributes of the record classes and the types of fields and filters.

    python tools/make_stubs.py          # after a change of a table, with the changed crm_py installed
    python tools/make_stubs.py --check  # says what is out of date; a test does the same
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import crm_py
from crm_py import Field, Record

PACKAGE = Path(__file__).resolve().parent.parent / "python" / "crm_py"
STUB = PACKAGE / "_crm_py.pyi"
FIELDS = PACKAGE / "_fields.py"
MARKER = "# From here on written by tools/make_stubs.py.\n"

CLASSES: list[type[Record]] = [
    crm_py.Organization,
    crm_py.User,
    crm_py.Membership,
    crm_py.Contact,
    crm_py.Product,
    crm_py.Invoice,
    crm_py.InvoiceLine,
    crm_py.Payment,
    crm_py.Allocation,
    crm_py.CreditNote,
    crm_py.CreditNoteLine,
    crm_py.Refund,
    crm_py.AuditEntry,
    crm_py.NumberSeries,
    crm_py.Pipeline,
    crm_py.Stage,
    crm_py.Lead,
    crm_py.Deal,
    crm_py.StageChange,
    crm_py.Tag,
    crm_py.Case,
    crm_py.CaseEvent,
    crm_py.CaseRule,
    crm_py.Calendar,
    crm_py.Task,
    crm_py.Interaction,
    crm_py.ApiKey,
    crm_py.ApiRequest,
    crm_py.Invitation,
]
EDITED: list[type[Record]] = [
    crm_py.Contact,
    crm_py.Product,
    crm_py.NumberSeries,
    crm_py.Organization,
    crm_py.Pipeline,
    crm_py.Stage,
    crm_py.Lead,
    crm_py.Deal,
    crm_py.Tag,
    crm_py.Case,
    crm_py.CaseRule,
    crm_py.Calendar,
    crm_py.Task,
    crm_py.Interaction,
]
LISTED: list[type[Record]] = [
    crm_py.Contact,
    crm_py.Product,
    crm_py.Invoice,
    crm_py.InvoiceLine,
    crm_py.Payment,
    crm_py.Allocation,
    crm_py.CreditNote,
    crm_py.CreditNoteLine,
    crm_py.Refund,
    crm_py.AuditEntry,
    crm_py.Pipeline,
    crm_py.Stage,
    crm_py.Lead,
    crm_py.Deal,
    crm_py.StageChange,
    crm_py.Tag,
    crm_py.Case,
    crm_py.CaseEvent,
    crm_py.Calendar,
    crm_py.Task,
    crm_py.Interaction,
    crm_py.ApiKey,
    crm_py.ApiRequest,
]
TAGGED: list[type[Record]] = [crm_py.Contact, crm_py.Lead, crm_py.Deal]
CLASS_OF = {kind.record_kind: kind.__name__ for kind in CLASSES}

FURTHER: dict[type[Record], str] = {
    crm_py.ApiKey: """\
    @property
    def last_used_at(self) -> datetime | None:
        \"\"\"When it was last used, to the minute; absent before its first use.\"\"\"
""",
}
"""What a class has besides the columns of its table."""

TYPES = {
    "id": "UUID",
    "bool": "bool",
    "int": "int",
    "money": "Money",
    "decimal": "Decimal",
    "text": "str",
    "json": "dict[str, Any]",
    "date": "date",
    "instant": "datetime",
    "bytes": "bytes",
}
GIVEN = TYPES | {"money": "Decimal | int | Money", "decimal": "Decimal | int", "enum": "str", "id": "UUID | str"}


def fields_of(kind: type[Record]) -> Iterator[Field]:
    for value in vars(kind).values():
        if isinstance(value, Field):
            yield value


def read_type(field: Field) -> str:
    if field.choices is not None:
        return f"Literal[{', '.join(repr(choice) for choice in field.choices)}]".replace("'", '"')
    if field.kind == "json" and field.name == "days":
        return "list[dict[str, Any]]"
    return TYPES[field.kind]


def given_type(field: Field) -> str:
    if field.references is not None:
        # A kind of record without a class of its own is named by its id alone.
        kind = CLASS_OF.get(field.references)
        return f"{kind} | UUID | str" if kind else GIVEN["id"]
    return GIVEN[field.kind]


def optional(type_: str, field: Field) -> str:
    return f"{type_} | None" if field.nullable else type_


def short(field: Field) -> str | None:
    """``owner`` for ``owner_id``."""
    return field.name.removesuffix("_id") if field.kind == "id" and field.name.endswith("_id") else None


def record_stubs() -> Iterator[str]:
    for kind in CLASSES:
        yield "\n@final\n"
        yield f"class {kind.__name__}(Record):\n"
        yield f'    """{(kind.__doc__ or "").strip()}"""\n\n'
        yield "    __match_args__ = (\n"
        yield from (f'        "{field.name}",\n' for field in fields_of(kind))
        yield "    )\n"
        for field in fields_of(kind):
            yield "    @property\n"
            yield f"    def {field.name}(self) -> {optional(read_type(field), field)}:\n"
            yield f'        """{field.doc}"""\n'
        yield FURTHER.get(kind, "")


def stub() -> str:
    written = STUB.read_text(encoding="utf-8").partition(MARKER)[0]
    return written + MARKER + "".join(record_stubs())


def edited(kind: type[Record]) -> Iterator[str]:
    yield f"\n\nclass {kind.__name__}Fields(TypedDict, total=False):\n"
    yield f'    """What can be set of a {kind.record_kind.replace("_", " ")}."""\n\n'
    for field in fields_of(kind):
        # A series' counter and the like are the engine's own.
        if field.read_only:
            continue
        # A default stands in for what is None on creation, and None clears on change.
        type_ = optional(given_type(field), field)
        if (name := short(field)) and field.references is not None:
            yield f"    {name}: {type_}\n"
        yield f"    {field.name}: {type_}\n"
        yield f'    """{field.doc}"""\n'


def listed(kind: type[Record]) -> Iterator[str]:
    yield f"\n\nclass {kind.__name__}Filters(TypedDict, total=False):\n"
    yield f'    """By what a list of kind {kind.record_kind.replace("_", " ")} can be filtered; see Collection."""\n\n'
    names = [field.name for field in fields_of(kind)]
    if kind is crm_py.Contact:
        yield from conditions("name", "str", ordered=True, nullable=False, text=True)
    if kind in TAGGED:
        yield from conditions("tag", "Tag | str", ordered=False, nullable=False, text=False)
    if kind in (crm_py.Task, crm_py.Case):
        yield "    overdue: bool\n"
    if kind is crm_py.Case:
        yield "    open: bool\n"
    for field in fields_of(kind):
        if field.kind == "json":
            yield f"    {field.name}: None\n    {field.name}__ne: None\n"
            continue
        type_ = given_type(field)
        if field.kind == "id" and field.references is None:
            type_ = "Record | UUID | str"
        if field.name == "id":
            type_ = f"{kind.__name__} | UUID | str"
        ordered = field.kind not in ("id", "bool", "enum", "bytes")
        text = field.kind == "text"
        if (name := short(field)) and name not in names:
            yield from conditions(name, type_, ordered=False, nullable=field.nullable, text=False)
        yield from conditions(field.name, type_, ordered=ordered, nullable=field.nullable, text=text)


def conditions(name: str, type_: str, *, ordered: bool, nullable: bool, text: bool) -> Iterator[str]:
    maybe = f"{type_} | None" if nullable else type_
    yield f"    {name}: {maybe}\n"
    yield f"    {name}__ne: {maybe}\n"
    yield f"    {name}__in: Iterable[{maybe}]\n"
    if ordered:
        for operator in ("lt", "le", "gt", "ge"):
            yield f"    {name}__{operator}: {type_}\n"
    if text:
        yield f"    {name}__contains: str\n"
        yield f"    {name}__startswith: str\n"


HEAD = '''"""What can be set and filtered by, as types. Written by tools/make_stubs.py from the tables; read by type checkers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypedDict
from uuid import UUID

from ._crm_py import (
    Allocation,
    ApiKey,
    ApiRequest,
    AuditEntry,
    Calendar,
    Case,
    CaseEvent,
    CaseRule,
    Contact,
    CreditNote,
    CreditNoteLine,
    Deal,
    Interaction,
    Invoice,
    InvoiceLine,
    Lead,
    Money,
    Payment,
    Pipeline,
    Product,
    Record,
    Refund,
    Stage,
    StageChange,
    Tag,
    Task,
    User,
)


class LineFields(TypedDict, total=False):
    """One line of an invoice or a credit note. What a product has need not be said again; the quantity must be."""

    product: Product | UUID | str | None
    description: str | None
    quantity: Decimal | int
    unit_price: Decimal | int | None
    discount_percent: Decimal | int | None
    discount: Decimal | int | None
    tax_percent: Decimal | int | None


class InvoiceChanges(TypedDict, total=False):
    """What can be changed of a draft."""

    contact: Contact | UUID | str
    issued_on: date | None
    due_on: date | None
    lines: Iterable[LineFields]
    notes: str | None
'''


def fields() -> str:
    parts = [HEAD]
    for kind in EDITED:
        parts.extend(edited(kind))
    for kind in LISTED:
        parts.extend(listed(kind))
    return "".join(parts)


def outdated() -> list[Path]:
    written = ((STUB, stub()), (FIELDS, fields()))
    return [path for path, text in written if not path.exists() or path.read_text(encoding="utf-8") != text]


def main() -> int:
    if sys.argv[1:] == ["--check"]:
        for path in outdated():
            print(f"{path} is out of date; run tools/make_stubs.py", file=sys.stderr)
        return 1 if outdated() else 0
    STUB.write_text(stub(), encoding="utf-8")
    FIELDS.write_text(fields(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
