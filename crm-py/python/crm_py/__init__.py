"""An embeddable CRM engine: contacts, leads, deals, cases, invoices and payments in one SQLite file or in PostgreSQL.

>>> from decimal import Decimal
>>> import crm_py
>>> with crm_py.open("sqlite:acme.db") as crm:  # doctest: +SKIP
...     crm.create_organization("acme", name="Acme", currency="USD", time_zone="America/New_York",
...                             owner_email="ana@acme.example", owner_name="Ana")
...     org = crm.organization("acme", acting_as="ana@acme.example")
...     eva = org.contacts.create(kind="person", given_name="Eva", email="eva@x.example")
...     lines = [{"description": "Chair", "quantity": 2, "unit_price": Decimal("9.99")}]
...     invoice = org.invoices.create(contact=eva, lines=lines, issue=True)
...     org.invoices.pay(invoice)

A program that knows for itself who asks opens an organization ``acting_as`` a member. Others sign in, where ``open``
was given :class:`TokenKeys`, and programs come with an API key; what they may do is checked before each call:

>>> with crm_py.open("sqlite:acme.db", token_keys=keys) as crm:  # doctest: +SKIP
...     login = crm.login("acme", "ana@acme.example", password, source=address)
...     made = login.org.keys.create("Web shop", role="manager", scopes="contact.create *.read")
...     crm.with_key(made.text, application_id="shop").contacts.create(kind="person", given_name="Ida")

Amounts are exact: ``Decimal`` goes in, :class:`Money` comes out, and a float is a ``TypeError``. Records do not change;
commands give back new ones. Every call releases the GIL while it works, and may be made from any thread. After a fork
an open database cannot be used in the child: open it there, or start processes with the method ``spawn``.
"""

import importlib
from typing import TYPE_CHECKING

from . import errors
from ._access import CreatedInvitation, CreatedKey, Keys, Login, Me, Member, Members, Requests
from ._activity import Interactions, Tasks
from ._billing import CreditNoteLines, CreditNotes, Refunds
from ._cases import BusinessCalendar, CaseEvents, Cases, DeadlineRules
from ._client import Crm, Numbering, Reports, Session, open
from ._collections import (
    Allocations,
    Audit,
    Collection,
    Contacts,
    InvoiceLines,
    Invoices,
    Page,
    Payments,
    Products,
)
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
    Field,
    Interaction,
    Invitation,
    Invoice,
    InvoiceLine,
    Lead,
    Membership,
    Money,
    NumberSeries,
    Organization,
    Payment,
    Pipeline,
    Product,
    Record,
    Refund,
    Stage,
    StageChange,
    Tag,
    Task,
    TokenKeys,
    User,
    machines,
)
from ._privacy import Privacy
from ._sales import Deals, Leads, Pipelines, StageChanges, Stages, Tags
from .errors import (
    Conflict,
    Corrupt,
    CrmError,
    Duplicate,
    NotFound,
    OutcomeUnknown,
    PermissionDenied,
    QuotaExceeded,
    RuleError,
    Throttled,
    Unauthenticated,
    Unavailable,
    ValidationError,
)

if TYPE_CHECKING:
    from . import reports
else:

    def __getattr__(name):
        # Most programs never name a report's class; those that do find it here.
        if name == "reports":
            return importlib.import_module(".reports", __name__)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "Allocation",
    "Allocations",
    "ApiKey",
    "ApiRequest",
    "Audit",
    "AuditEntry",
    "BusinessCalendar",
    "Calendar",
    "Case",
    "CaseEvent",
    "CaseEvents",
    "CaseRule",
    "Cases",
    "Collection",
    "Conflict",
    "Contact",
    "Contacts",
    "Corrupt",
    "CreatedInvitation",
    "CreatedKey",
    "CreditNote",
    "CreditNoteLine",
    "CreditNoteLines",
    "CreditNotes",
    "Crm",
    "CrmError",
    "DeadlineRules",
    "Deal",
    "Deals",
    "Duplicate",
    "Field",
    "Interaction",
    "Interactions",
    "Invitation",
    "Invoice",
    "InvoiceLine",
    "InvoiceLines",
    "Invoices",
    "Keys",
    "Lead",
    "Leads",
    "Login",
    "Me",
    "Member",
    "Members",
    "Membership",
    "Money",
    "NotFound",
    "NumberSeries",
    "Numbering",
    "Organization",
    "OutcomeUnknown",
    "Page",
    "Payment",
    "Payments",
    "PermissionDenied",
    "Pipeline",
    "Pipelines",
    "Privacy",
    "Product",
    "Products",
    "QuotaExceeded",
    "Record",
    "Refund",
    "Refunds",
    "Reports",
    "Requests",
    "RuleError",
    "Session",
    "Stage",
    "StageChange",
    "StageChanges",
    "Stages",
    "Tag",
    "Tags",
    "Task",
    "Tasks",
    "Throttled",
    "TokenKeys",
    "Unauthenticated",
    "Unavailable",
    "User",
    "ValidationError",
    "errors",
    "machines",
    "open",
    "reports",
]
