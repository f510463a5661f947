"""The records of an organization, by kind: found, listed, created, changed."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, cast, overload

from ._crm_py import Allocation, AuditEntry, Billing, Contact, Invoice, InvoiceLine, Money, Payment, Product, Record
from ._crm_py import Session as NativeSession

if TYPE_CHECKING:
    from datetime import date
    from decimal import Decimal
    from typing import Unpack
    from uuid import UUID

    from ._fields import (
        AllocationFilters,
        AuditEntryFilters,
        ContactFields,
        ContactFilters,
        InvoiceChanges,
        InvoiceFilters,
        InvoiceLineFilters,
        LineFields,
        PaymentFilters,
        ProductFields,
        ProductFilters,
    )
    from .reports import Finding, Verification

T = TypeVar("T", covariant=True)
R = TypeVar("R", bound=Record, covariant=True)

BATCH = 1_000
"""How many records ``iter`` reads at a time unless asked otherwise."""


def _plain(fields: Mapping[str, object]) -> dict[str, Any]:
    # What is no mapping is refused where its place is known.
    return dict(fields) if isinstance(fields, Mapping) else fields


class Page(Sequence[T]):
    """A page of records or of a timeline, and ``next``: where to go on, or ``None`` after the last one."""

    __slots__ = ("_records", "next")

    next: str | None

    def __init__(self, records: builtins.list[T], next: str | None) -> None:
        self._records = records
        self.next = next

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> builtins.list[T]: ...
    def __getitem__(self, index: int | slice) -> T | builtins.list[T]:
        return self._records[index]

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[T]:
        return iter(self._records)

    def first(self) -> T | None:
        """The first record, if there is one."""
        return self._records[0] if self._records else None

    def __repr__(self) -> str:
        more = "" if self.next is None else ", and more"
        return f"<page of {len(self._records)}{more}>"


class Collection(Generic[R]):
    """The records of one kind.

    Filters are keywords: ``status="open"`` compares a column, ``owner=None`` finds records without one, and a name may
    end with ``__ne``, ``__lt``, ``__le``, ``__gt``, ``__ge``, ``__in``, ``__contains`` or ``__startswith``. Names and
    e-mail addresses are compared without regard to case and accents. A record is named by itself, its id, or a natural
    key such as an e-mail address or a number. Amounts without a currency are in that of the filter ``currency``, or the
    organization's.
    """

    __slots__ = ("_native",)

    _entity: str

    def __init__(self, native: NativeSession) -> None:
        self._native = native

    # What comes back is of the collection's own kind, which the native half knows and the types do not.

    def get(self, reference: R | UUID | str) -> R:
        """The record that answers to an id or natural key; :class:`NotFound` when there is none."""
        return cast("R", self._native.get(self._entity, reference))

    def _create(self, fields: Mapping[str, Any], key: str | None) -> R:
        return cast("R", self._native.create(self._entity, dict(fields), key=key))

    def _create_many(self, records: Iterable[Mapping[str, Any]]) -> builtins.list[R]:
        created = self._native.create_many(self._entity, [_plain(fields) for fields in records])
        return cast("builtins.list[R]", created)

    def _update(self, reference: Record | UUID | str, fields: Mapping[str, Any], key: str | None) -> R:
        return cast("R", self._native.update(self._entity, reference, dict(fields), key=key))

    def _act(self, verb: str, reference: Record | UUID | str, key: str | None) -> R:
        return cast("R", self._native.act(self._entity, verb, reference, key=key))

    def _list(
        self,
        filters: Mapping[str, Any],
        search: str | None = None,
        order_by: str | Iterable[str] = (),
        limit: int | None = None,
        after: str | None = None,
        archived: bool = False,
    ) -> Page[R]:
        records, next = self._native.page(
            self._entity,
            dict(filters),
            search=search,
            order_by=[order_by] if isinstance(order_by, str) else [*order_by],
            limit=limit,
            after=after,
            archived=archived,
        )
        return Page(cast("builtins.list[R]", records), next)

    def _iter(
        self,
        filters: Mapping[str, Any],
        search: str | None = None,
        order_by: str | Iterable[str] = (),
        batch: int = BATCH,
        archived: bool = False,
    ) -> Iterator[R]:
        order_by = (order_by,) if isinstance(order_by, str) else tuple(order_by)
        after: str | None = None
        while True:
            page = self._list(filters, search, order_by, batch, after, archived)
            yield from page
            after = page.next
            if after is None:
                return

    def __repr__(self) -> str:
        return f"<{type(self).__name__.lower()} of {self._native.organization().slug}>"


class Contacts(Collection[Contact]):
    """The people and companies that the organization deals with."""

    __slots__ = ()
    _entity = "contact"

    def list(
        self,
        *,
        search: str | None = None,
        order_by: str | Iterable[str] = (),
        limit: int | None = None,
        after: str | None = None,
        archived: bool = False,
        **filters: Unpack[ContactFilters],
    ) -> Page[Contact]:
        """A page of contacts; archived ones only with ``archived=True``. ``search`` finds beginnings of words."""
        return self._list(filters, search, order_by, limit, after, archived)

    def iter(
        self,
        *,
        search: str | None = None,
        order_by: str | Iterable[str] = (),
        batch: int = BATCH,
        archived: bool = False,
        **filters: Unpack[ContactFilters],
    ) -> Iterator[Contact]:
        """All of them, read page by page."""
        return self._iter(filters, search, order_by, batch, archived)

    def count(
        self, *, search: str | None = None, archived: bool = False, **filters: Unpack[ContactFilters]
    ) -> int:
        """How many there are."""
        return self._native.count(self._entity, dict(filters), search=search, archived=archived)

    def create(self, *, key: str | None = None, **fields: Unpack[ContactFields]) -> Contact:
        """Creates a contact; at most once for the same ``key``."""
        return self._create(fields, key)

    def create_many(self, contacts: Iterable[ContactFields]) -> builtins.list[Contact]:
        """Creates all of them or none; refused fields are named by position, ``3.email``."""
        return self._create_many(contacts)

    def update(
        self, contact: Contact | UUID | str, *, key: str | None = None, **fields: Unpack[ContactFields]
    ) -> Contact:
        """Changes the fields that are given; ``None`` clears one."""
        return self._update(contact, fields, key)

    def archive(self, contact: Contact | UUID | str, *, key: str | None = None) -> Contact:
        """Archives a contact: it leaves the lists and keeps its history."""
        return self._act("archive", contact, key)

    def restore(self, contact: Contact | UUID | str, *, key: str | None = None) -> Contact:
        """Restores an archived contact."""
        return self._act("restore", contact, key)

    def delete(self, contact: Contact | UUID | str, *, key: str | None = None) -> Contact:
        """Deletes a contact for good; :class:`Conflict` while invoices or payments refer to it."""
        return self._act("delete", contact, key)


class Products(Collection[Product]):
    """What the organization sells."""

    __slots__ = ()
    _entity = "product"

    def list(
        self,
        *,
        search: str | None = None,
        order_by: str | Iterable[str] = (),
        limit: int | None = None,
        after: str | None = None,
        archived: bool = False,
        **filters: Unpack[ProductFilters],
    ) -> Page[Product]:
        """A page of products; archived ones only with ``archived=True``. ``search`` finds beginnings of words."""
        return self._list(filters, search, order_by, limit, after, archived)

    def iter(
        self,
        *,
        search: str | None = None,
        order_by: str | Iterable[str] = (),
        batch: int = BATCH,
        archived: bool = False,
        **filters: Unpack[ProductFilters],
    ) -> Iterator[Product]:
        """All of them, read page by page."""
        return self._iter(filters, search, order_by, batch, archived)

    def count(
        self, *, search: str | None = None, archived: bool = False, **filters: Unpack[ProductFilters]
    ) -> int:
        """How many there are."""
        return self._native.count(self._entity, dict(filters), search=search, archived=archived)

    def create(self, *, key: str | None = None, **fields: Unpack[ProductFields]) -> Product:
        """Creates a product; at most once for the same ``key``."""
        return self._create(fields, key)

    def create_many(self, products: Iterable[ProductFields]) -> builtins.list[Product]:
        """Creates all of them or none; refused fields are named by position, ``3.sku``."""
        return self._create_many(products)

    def update(
        self, product: Product | UUID | str, *, key: str | None = None, **fields: Unpack[ProductFields]
    ) -> Product:
        """Changes the fields that are given; ``None`` clears one."""
        return self._update(product, fields, key)

    def archive(self, product: Product | UUID | str, *, key: str | None = None) -> Product:
        """Archives a product: it leaves the lists and keeps its history."""
        return self._act("archive", product, key)

    def restore(self, product: Product | UUID | str, *, key: str | None = None) -> Product:
        """Restores an archived product."""
        return self._act("restore", product, key)

    def delete(self, product: Product | UUID | str, *, key: str | None = None) -> Product:
        """Deletes a product for good; :class:`Conflict` while invoices refer to it."""
        return self._act("delete", product, key)


class Invoices(Collection[Invoice]):
    """Claims on contacts for things sold."""

    __slots__ = ("_billing",)
    _entity = "invoice"

    def __init__(self, native: NativeSession) -> None:
        super().__init__(native)
        self._billing = Billing(native)

    def list(
        self,
        *,
        order_by: str | Iterable[str] = (),
        limit: int | None = None,
        after: str | None = None,
        **filters: Unpack[InvoiceFilters],
    ) -> Page[Invoice]:
        """A page of invoices."""
        return self._list(filters, None, order_by, limit, after)

    def iter(
        self, *, order_by: str | Iterable[str] = (), batch: int = BATCH, **filters: Unpack[InvoiceFilters]
    ) -> Iterator[Invoice]:
        """All of them, read page by page."""
        return self._iter(filters, None, order_by, batch)

    def count(self, **filters: Unpack[InvoiceFilters]) -> int:
        """How many there are."""
        return self._native.count(self._entity, dict(filters))

    def create(
        self,
        *,
        contact: Contact | UUID | str,
        lines: Iterable[LineFields],
        currency: str | None = None,
        issued_on: date | None = None,
        due_on: date | None = None,
        total: Decimal | int | Money | None = None,
        notes: str | None = None,
        external_id: str | None = None,
        issue: bool = False,
        number: str | None = None,
        key: str | None = None,
    ) -> Invoice:
        """Writes an invoice: a draft, or with ``issue=True`` issued at once, under ``number`` if that is given.

        A ``total`` is checked against what the lines come to.
        """
        return self._native.create_invoice(
            contact=contact,
            lines=[_plain(line) for line in lines],
            currency=currency,
            issued_on=issued_on,
            due_on=due_on,
            total=total,
            notes=notes,
            external_id=external_id,
            issue=issue,
            number=number,
            key=key,
        )

    def update(
        self, invoice: Invoice | UUID | str, *, key: str | None = None, **changes: Unpack[InvoiceChanges]
    ) -> Invoice:
        """Changes a draft: what is given, ``lines`` as a whole; ``None`` clears."""
        fields: dict[str, Any] = dict(changes)
        if (lines := changes.get("lines")) is not None:
            fields["lines"] = [_plain(line) for line in lines]
        return self._native.update_invoice(invoice, fields, key=key)

    def issue(
        self, invoice: Invoice | UUID | str, *, number: str | None = None, key: str | None = None
    ) -> Invoice:
        """Issues a draft: it gets its number, from the series unless one is given, and becomes binding."""
        return self._native.issue_invoice(invoice, number=number, key=key)

    def void(self, invoice: Invoice | UUID | str, *, key: str | None = None) -> Invoice:
        """Withdraws an issued invoice of which nothing was paid or credited."""
        return self._act("void", invoice, key)

    def write_off(self, invoice: Invoice | UUID | str, *, key: str | None = None) -> Invoice:
        """Gives up an open invoice."""
        return self._act("write_off", invoice, key)

    def delete(self, invoice: Invoice | UUID | str, *, key: str | None = None) -> Invoice:
        """Deletes a draft with its lines."""
        return self._act("delete", invoice, key)

    def pay(
        self,
        invoice: Invoice | UUID | str,
        amount: Decimal | int | Money | None = None,
        *,
        received_on: date | None = None,
        method: str | None = None,
        reference: str | None = None,
        notes: str | None = None,
        key: str | None = None,
    ) -> Payment:
        """Records a payment that settles this invoice: all that is due, or ``amount`` of it.

        With a ``key`` the amount must be given: what is due is another amount once it is paid.
        """
        if amount is None and key is not None:
            raise TypeError("amount: with a key, say how much is paid")
        if amount is None or not isinstance(invoice, Invoice):
            invoice = self.get(invoice)
        paid = invoice.balance if amount is None else amount
        return self._native.record_payment(
            contact=invoice.contact_id,
            amount=paid,
            currency=invoice.currency,
            received_on=received_on,
            method=method,
            reference=reference,
            notes=notes,
            invoices={invoice: paid},
            key=key,
        )

    def lines(self, invoice: Invoice | UUID | str) -> builtins.list[InvoiceLine]:
        """The lines of an invoice, in order."""
        return [*InvoiceLines(self._native).iter(invoice=invoice, order_by="position")]

    def allocations(self, invoice: Invoice | UUID | str) -> builtins.list[Allocation]:
        """What was applied to an invoice, and taken back."""
        return [*Allocations(self._native).iter(invoice=invoice, order_by="applied_on")]

    def warnings(self, invoice: Invoice | UUID | str) -> builtins.list[str]:
        """What is worth knowing about its number: the end of the series' range or validity, an earlier number with a
        later date.
        """
        return self._billing.warnings("invoice", invoice)

    def print_html(self, invoice: Invoice | UUID | str, *, template: str | None = None) -> str:
        """A page that is ready to be printed, from the built-in template or from the text of another."""
        page: str = self._billing.print("invoice", invoice, "html", template=template)
        return page

    def print_json(self, invoice: Invoice | UUID | str) -> dict[str, Any]:
        """What stands on the page; amounts and decimals are text."""
        document: dict[str, Any] = self._billing.print("invoice", invoice, "json")
        return document


class InvoiceLines(Collection[InvoiceLine]):
    """The lines of all invoices; they are written with their invoice."""

    __slots__ = ()
    _entity = "invoice_line"

    def list(
        self,
        *,
        order_by: str | Iterable[str] = (),
        limit: int | None = None,
        after: str | None = None,
        **filters: Unpack[InvoiceLineFilters],
    ) -> Page[InvoiceLine]:
        """A page of lines."""
        return self._list(filters, None, order_by, limit, after)

    def iter(
        self, *, order_by: str | Iterable[str] = (), batch: int = BATCH, **filters: Unpack[InvoiceLineFilters]
    ) -> Iterator[InvoiceLine]:
        """All of them, read page by page."""
        return self._iter(filters, None, order_by, batch)

    def count(self, **filters: Unpack[InvoiceLineFilters]) -> int:
        """How many there are."""
        return self._native.count(self._entity, dict(filters))


class Payments(Collection[Payment]):
    """Money received from contacts."""

    __slots__ = ("_billing",)
    _entity = "payment"

    def __init__(self, native: NativeSession) -> None:
        super().__init__(native)
        self._billing = Billing(native)

    def list(
        self,
        *,
        order_by: str | Iterable[str] = (),
        limit: int | None = None,
        after: str | None = None,
        **filters: Unpack[PaymentFilters],
    ) -> Page[Payment]:
        """A page of payments."""
        return self._list(filters, None, order_by, limit, after)

    def iter(
        self, *, order_by: str | Iterable[str] = (), batch: int = BATCH, **filters: Unpack[PaymentFilters]
    ) -> Iterator[Payment]:
        """All of them, read page by page."""
        return self._iter(filters, None, order_by, batch)

    def count(self, **filters: Unpack[PaymentFilters]) -> int:
        """How many there are."""
        return self._native.count(self._entity, dict(filters))

    def record(
        self,
        *,
        contact: Contact | UUID | str,
        amount: Decimal | int | Money,
        currency: str | None = None,
        received_on: date | None = None,
        method: str | None = None,
        reference: str | None = None,
        notes: str | None = None,
        external_id: str | None = None,
        invoices: Mapping[Invoice, Decimal | int | Money]
        | Mapping[UUID, Decimal | int | Money]
        | Mapping[str, Decimal | int | Money]
        | Literal["oldest"]
        | None = None,
        key: str | None = None,
    ) -> Payment:
        """Records money received; at most once for the same ``key``.

        ``invoices`` says what it settles: amounts by invoice, or ``"oldest"`` for the open invoices that are due first.
        The rest is the contact's credit.
        """
        return self._native.record_payment(
            contact=contact,
            amount=amount,
            currency=currency,
            received_on=received_on,
            method=method,
            reference=reference,
            notes=notes,
            external_id=external_id,
            invoices=dict(invoices) if isinstance(invoices, Mapping) else invoices,
            key=key,
        )

    def allocations(self, payment: Payment | UUID | str) -> builtins.list[Allocation]:
        """Which parts of a payment were applied to which invoices, and taken back."""
        return [*Allocations(self._native).iter(payment=payment, order_by="applied_on")]

    def allocate(
        self,
        payment: Payment | UUID | str,
        invoices: Mapping[Invoice, Decimal | int | Money]
        | Mapping[UUID, Decimal | int | Money]
        | Mapping[str, Decimal | int | Money]
        | Literal["oldest"],
        *,
        on: date | None = None,
        key: str | None = None,
    ) -> Payment:
        """Settles invoices with what is left of a payment: amounts by invoice, or ``"oldest"``."""
        given = dict(invoices) if isinstance(invoices, Mapping) else invoices
        after: Payment = self._billing.allocate("payment", payment, given, on=on, key=key)
        return after

    def unallocate(
        self, allocation: Allocation | UUID | str, *, on: date | None = None, key: str | None = None
    ) -> Payment:
        """Takes a part of a payment back from its invoice: it is the contact's credit again."""
        after: Payment = self._billing.unallocate("payment", allocation, on=on, key=key)
        return after

    def reverse(
        self,
        payment: Payment | UUID | str,
        *,
        reason: str | None = None,
        on: date | None = None,
        key: str | None = None,
    ) -> Payment:
        """Reverses a payment that bounced or was recorded in error: its invoices are open again."""
        return self._billing.reverse_payment(payment, reason=reason, on=on, key=key)


class Allocations(Collection[Allocation]):
    """What was applied to which invoices, and taken back; written by the commands of payments and credit notes."""

    __slots__ = ()
    _entity = "allocation"

    def list(
        self,
        *,
        order_by: str | Iterable[str] = (),
        limit: int | None = None,
        after: str | None = None,
        **filters: Unpack[AllocationFilters],
    ) -> Page[Allocation]:
        """A page of allocations."""
        return self._list(filters, None, order_by, limit, after)

    def iter(
        self, *, order_by: str | Iterable[str] = (), batch: int = BATCH, **filters: Unpack[AllocationFilters]
    ) -> Iterator[Allocation]:
        """All of them, read page by page."""
        return self._iter(filters, None, order_by, batch)

    def count(self, **filters: Unpack[AllocationFilters]) -> int:
        """How many there are."""
        return self._native.count(self._entity, dict(filters))


class Audit(Collection[AuditEntry]):
    """What was done, by whom, and what it changed."""

    __slots__ = ()
    _entity = "audit_entry"

    def list(
        self,
        *,
        order_by: str | Iterable[str] = (),
        limit: int | None = None,
        after: str | None = None,
        **filters: Unpack[AuditEntryFilters],
    ) -> Page[AuditEntry]:
        """A page of entries, the oldest first unless asked otherwise. ``record=`` gives the history of a record."""
        return self._list(filters, None, order_by, limit, after)

    def iter(
        self, *, order_by: str | Iterable[str] = (), batch: int = BATCH, **filters: Unpack[AuditEntryFilters]
    ) -> Iterator[AuditEntry]:
        """All of them, read page by page."""
        return self._iter(filters, None, order_by, batch)

    def count(self, **filters: Unpack[AuditEntryFilters]) -> int:
        """How many there are."""
        return self._native.count(self._entity, dict(filters))

    def verify(self, anchor: str | None = None) -> Verification:
        """Checks every entry, the chain of their hashes, and every record against its last entry.

        With ``anchor``, the ``head`` of an earlier check, also that the chain goes through it.
        """
        return self._native.verify_audit(anchor)

    def verify_books(self) -> tuple[Finding, ...]:
        """Checks every sum of invoices, payments and credit notes, and the series' numbers; gives what is wrong."""
        return Billing(self._native).verify_books()

