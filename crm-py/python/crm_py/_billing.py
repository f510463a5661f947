"""Credit notes and refunds."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal

from ._collections import BATCH, Allocations, Collection, Page, _plain
from ._crm_py import Allocation, Billing, CreditNote, CreditNoteLine, Refund
from ._crm_py import Session as NativeSession

if TYPE_CHECKING:
    from datetime import date
    from decimal import Decimal
    from typing import Unpack
    from uuid import UUID

    from ._crm_py import Invoice, Money, Payment
    from ._fields import CreditNoteFilters, CreditNoteLineFilters, LineFields, RefundFilters


class CreditNotes(Collection[CreditNote]):
    """What is credited of invoices. A credit note is issued when it is created, and never changed."""

    __slots__ = ("_billing",)
    _entity = "credit_note"

    def __init__(self, native: NativeSession) -> None:
        super().__init__(native)
        self._billing = Billing(native)

    def list(
        self,
        *,
        order_by: str | Iterable[str] = (),
        limit: int | None = None,
        after: str | None = None,
        **filters: Unpack[CreditNoteFilters],
    ) -> Page[CreditNote]:
        """A page of credit notes."""
        return self._list(filters, None, order_by, limit, after)

    def iter(
        self, *, order_by: str | Iterable[str] = (), batch: int = BATCH, **filters: Unpack[CreditNoteFilters]
    ) -> Iterator[CreditNote]:
        """All of them, read page by page."""
        return self._iter(filters, None, order_by, batch)

    def count(self, **filters: Unpack[CreditNoteFilters]) -> int:
        """How many there are."""
        return self._native.count(self._entity, dict(filters))

    def create(
        self,
        invoice: Invoice | UUID | str,
        *,
        reason: str,
        amount: Decimal | int | Money | None = None,
        lines: Iterable[LineFields] | None = None,
        refund: Decimal | int | Money | None = None,
        credit: Decimal | int | Money | None = None,
        offset: Decimal | int | Money | None = None,
        issued_on: date | None = None,
        number: str | None = None,
        method: str | None = None,
        reference: str | None = None,
        notes: str | None = None,
        external_id: str | None = None,
        key: str | None = None,
    ) -> CreditNote:
        """Credits an open or paid invoice: ``amount`` with its tax, ``lines``, or all that is not credited yet.

        It is taken off what is due first, and the rest is kept as the contact's credit, unless ``refund``, ``credit``
        and ``offset`` say otherwise. ``method`` and ``reference`` are those of the refund.
        """
        return self._billing.create_credit_note(
            invoice,
            reason=reason,
            amount=amount,
            lines=None if lines is None else [_plain(line) for line in lines],
            refund=refund,
            credit=credit,
            offset=offset,
            issued_on=issued_on,
            number=number,
            method=method,
            reference=reference,
            notes=notes,
            external_id=external_id,
            key=key,
        )

    def allocate(
        self,
        credit_note: CreditNote | UUID | str,
        invoices: Mapping[Invoice, Decimal | int | Money]
        | Mapping[UUID, Decimal | int | Money]
        | Mapping[str, Decimal | int | Money]
        | Literal["oldest"],
        *,
        on: date | None = None,
        key: str | None = None,
    ) -> CreditNote:
        """Settles invoices with what is left of the credit: amounts by invoice, or ``"oldest"``."""
        given = dict(invoices) if isinstance(invoices, Mapping) else invoices
        note: CreditNote = self._billing.allocate("credit_note", credit_note, given, on=on, key=key)
        return note

    def unallocate(
        self, allocation: Allocation | UUID | str, *, on: date | None = None, key: str | None = None
    ) -> CreditNote:
        """Takes a part of the credit back from its invoice."""
        note: CreditNote = self._billing.unallocate("credit_note", allocation, on=on, key=key)
        return note

    def lines(self, credit_note: CreditNote | UUID | str) -> builtins.list[CreditNoteLine]:
        """The lines of a credit note, in order."""
        return [*CreditNoteLines(self._native).iter(credit_note=credit_note, order_by="position")]

    def allocations(self, credit_note: CreditNote | UUID | str) -> builtins.list[Allocation]:
        """Which parts of it were applied to which invoices, and taken back."""
        return [*Allocations(self._native).iter(credit_note=credit_note, order_by="applied_on")]

    def warnings(self, credit_note: CreditNote | UUID | str) -> builtins.list[str]:
        """What is worth knowing about its number: the end of the series' range or validity."""
        return self._billing.warnings("credit_note", credit_note)

    def print_html(self, credit_note: CreditNote | UUID | str, *, template: str | None = None) -> str:
        """A page that is ready to be printed, from the built-in template or from the text of another."""
        page: str = self._billing.print("credit_note", credit_note, "html", template=template)
        return page

    def print_json(self, credit_note: CreditNote | UUID | str) -> dict[str, Any]:
        """What stands on the page; amounts and decimals are text."""
        document: dict[str, Any] = self._billing.print("credit_note", credit_note, "json")
        return document


class CreditNoteLines(Collection[CreditNoteLine]):
    """The lines of all credit notes; they are written with their credit note."""

    __slots__ = ()
    _entity = "credit_note_line"

    def list(
        self,
        *,
        order_by: str | Iterable[str] = (),
        limit: int | None = None,
        after: str | None = None,
        **filters: Unpack[CreditNoteLineFilters],
    ) -> Page[CreditNoteLine]:
        """A page of lines."""
        return self._list(filters, None, order_by, limit, after)

    def iter(
        self, *, order_by: str | Iterable[str] = (), batch: int = BATCH, **filters: Unpack[CreditNoteLineFilters]
    ) -> Iterator[CreditNoteLine]:
        """All of them, read page by page."""
        return self._iter(filters, None, order_by, batch)

    def count(self, **filters: Unpack[CreditNoteLineFilters]) -> int:
        """How many there are."""
        return self._native.count(self._entity, dict(filters))


class Refunds(Collection[Refund]):
    """Money paid back to contacts."""

    __slots__ = ("_billing",)
    _entity = "refund"

    def __init__(self, native: NativeSession) -> None:
        super().__init__(native)
        self._billing = Billing(native)

    def list(
        self,
        *,
        order_by: str | Iterable[str] = (),
        limit: int | None = None,
        after: str | None = None,
        **filters: Unpack[RefundFilters],
    ) -> Page[Refund]:
        """A page of refunds."""
        return self._list(filters, None, order_by, limit, after)

    def iter(
        self, *, order_by: str | Iterable[str] = (), batch: int = BATCH, **filters: Unpack[RefundFilters]
    ) -> Iterator[Refund]:
        """All of them, read page by page."""
        return self._iter(filters, None, order_by, batch)

    def count(self, **filters: Unpack[RefundFilters]) -> int:
        """How many there are."""
        return self._native.count(self._entity, dict(filters))

    def record(
        self,
        *,
        payment: Payment | UUID | str | None = None,
        credit_note: CreditNote | UUID | str | None = None,
        amount: Decimal | int | Money | None = None,
        refunded_on: date | None = None,
        method: str | None = None,
        reference: str | None = None,
        notes: str | None = None,
        external_id: str | None = None,
        key: str | None = None,
    ) -> Refund:
        """Records money paid back, of what a payment or the credit of a credit note has left: all of it, or ``amount``.

        With a ``key`` the amount must be given: what is left is another amount once it is paid back.
        """
        if (payment is None) == (credit_note is None):
            raise TypeError("give either a payment or a credit_note")
        if amount is None and key is not None:
            raise TypeError("amount: with a key, say how much is paid back")
        entity, document = ("payment", payment) if payment is not None else ("credit_note", credit_note)
        return self._billing.record_refund(
            entity,
            document,
            amount,
            refunded_on=refunded_on,
            method=method,
            reference=reference,
            notes=notes,
            external_id=external_id,
            key=key,
        )
