"""Databases, and organizations as their members see them."""

from __future__ import annotations

import builtins
import os
import warnings
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from ._access import Keys, Login, Me, Members
from ._activity import Interactions, Tasks
from ._billing import CreditNoteLines, CreditNotes, Refunds
from ._cases import BusinessCalendar, CaseEvents, Cases, DeadlineRules
from ._collections import Allocations, Audit, Collection, Contacts, InvoiceLines, Invoices, Page, Payments, Products
from ._crm_py import Access, Billing, BillingReports, Database, Logins, NumberSeries, SalesReports, TokenKeys
from ._crm_py import Cases as NativeCases
from ._crm_py import Session as NativeSession
from ._privacy import Privacy
from ._sales import Deals, Leads, Pipelines, StageChanges, Stages, Tags
from .errors import ValidationError

if TYPE_CHECKING:
    from datetime import date, datetime
    from typing import Literal, Self, Unpack
    from uuid import UUID

    from ._crm_py import Case, Contact, Deal, Invoice, Lead, Membership, Organization, Pipeline, User
    from ._fields import NumberSeriesFields, OrganizationFields
    from .reports import (
        Ageing,
        CaseReport,
        Cohort,
        Collections,
        DaysToPay,
        DealTotals,
        Debtors,
        Forecast,
        Funnel,
        ImportReport,
        LeadCounts,
        Ledger,
        QuotaLeft,
        Revenue,
        Statement,
        Summary,
        Taxes,
        TimelineItem,
        Velocity,
        Verification,
    )


class SupportsRead(Protocol):
    """An open file, of text or of bytes."""

    def read(self, size: int = ..., /) -> str | bytes: ...


Source: TypeAlias = str | os.PathLike[str] | SupportsRead
"""A file to import: a path, or an open file."""


def open(
    database: str | os.PathLike[str],
    *,
    create: bool = True,
    durability: Literal["full", "normal"] = "full",
    schema: str | None = None,
    migrate: bool = True,
    max_connections: int | None = None,
    token_keys: TokenKeys | None = None,
) -> Crm:
    """Opens a database: ``sqlite:acme.db``, a path, or ``postgres://user:password@host/database``.

    A SQLite file that is not there is made unless ``create=False``; ``durability="normal"`` writes faster, and a loss of
    power may take the last writes. For PostgreSQL, ``schema`` names the schema that holds the tables, ``migrate=False``
    refuses to change them, and ``max_connections`` limits the connections. ``token_keys`` sign the tokens of users who
    sign in; without them nobody can.
    """
    address = os.fspath(database)
    known = address.startswith(("sqlite:", "postgres://", "postgresql://"))
    if not known and "://" in address:
        scheme = address.partition(":")[0]
        raise ValidationError(f"database: expected sqlite: or postgres://, got {scheme}://", field="database")
    native = Database(
        address,
        create=create,
        durability=durability,
        schema=schema,
        migrate=migrate,
        max_connections=max_connections,
        token_keys=token_keys,
    )
    return Crm(native)


class Crm:
    """An open database. Use it in a ``with`` block, which closes it; see :func:`open`.

    Every call is carried out whole or not at all, so that leaving the block has nothing to commit.
    """

    __slots__ = ("__weakref__", "_logins", "_native")

    def __init__(self, native: Database) -> None:
        self._native = native
        self._logins = Logins(native)

    @property
    def closed(self) -> bool:
        """Whether it is closed."""
        return self._native.closed

    def close(self) -> None:
        """Closes it; calls under way in other threads end first. Closing again does nothing."""
        self._native.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        native = getattr(self, "_native", None)
        # In a forked child it is the parent's to close.
        if native is None or native.closed or native.forked:
            return
        warnings.warn(f"unclosed {native!r}", ResourceWarning, stacklevel=2, source=self)
        native.close()

    def create_organization(
        self,
        slug: str,
        *,
        name: str,
        currency: str,
        time_zone: str,
        owner_email: str,
        owner_name: str,
        invoice_prefix: str = "INV-",
        region: str | None = None,
        payment_days: int | None = None,
        unique_emails: bool | None = None,
        unique_phones: bool | None = None,
    ) -> Organization:
        """Creates an organization with its first owner and its series of invoice numbers.

        ``region`` is that of phone numbers without a country code, such as ``CO``.
        """
        return self._native.create_organization(
            slug,
            name=name,
            currency=currency,
            time_zone=time_zone,
            owner_email=owner_email,
            owner_name=owner_name,
            invoice_prefix=invoice_prefix,
            region=region,
            payment_days=payment_days,
            unique_emails=unique_emails,
            unique_phones=unique_phones,
        )

    def grant(self, role: str) -> None:
        """Grants an existing role of a PostgreSQL server what programs need to work with the tables, and nothing more.

        For the tables' owner; programs then connect as that role, which row-level security holds to the records of
        one organization at a time. :class:`ValidationError` for a role that is not there or that nothing would hold.
        """
        self._native.grant(role)

    def organizations(self) -> list[Organization]:
        """The organizations, by slug."""
        return self._native.organizations()

    def verify_users(self) -> Verification:
        """Checks every user, and every organization, against the newest entry of all organizations' audits.

        They stand above organizations: :meth:`Audit.verify` of one cannot tell what another one did to a user.
        """
        return self._native.verify_users()

    def organization(self, slug: str, *, acting_as: str) -> Session:
        """Opens an organization for the member with this e-mail address, who is named in the audit.

        Nothing is asked for: the program vouches for them. Those it does not know :meth:`login`.
        """
        return Session(self, self._native.session(slug, acting_as))

    def login(self, organization: str, name: str, password: str, *, source: str | None = None) -> Login:
        """Signs a member in, by e-mail address or username.

        ``source`` is where they come from, such as a network address: guesses are counted by it as well, and one from
        which a user has signed in never waits for what others do to the account. :class:`Unauthenticated` says that
        something is wrong, and not what; :class:`Throttled` when to try again.
        """
        return Login(self, *self._logins.login(organization, name, password, source=source))

    def refresh(self, token: str) -> Login:
        """Exchanges a refresh token for the next pair of tokens, once.

        The token before the present one is good for ten seconds more, in case the answer was lost. The use of any
        older one means that two have it, and ends the session for both.
        """
        return Login(self, *self._logins.refresh(token))

    def logout(self, token: str) -> None:
        """Ends the session of a refresh token, with all its tokens. One that has ended stays ended."""
        self._logins.logout(token)

    def with_token(self, access: str) -> Session:
        """Opens the organization of an access token.

        The token is checked before each call: :class:`Unauthenticated` once it has expired, or the session or the
        membership has ended; and the role is that of the moment.
        """
        return Session(self, self._logins.with_token(access))

    def with_key(
        self,
        text: str,
        *,
        name: str | None = None,
        email: str | None = None,
        application_id: str | None = None,
    ) -> Session:
        """Opens the organization of an API key, for its maker, within its role, scopes and quotas.

        ``name``, ``email`` and ``application_id`` say for the log of requests who asks. The key is checked before each
        call: :class:`Unauthenticated` once it has expired, was revoked, or its maker's membership does not cover it.
        """
        native = self._logins.with_key(text, name=name, email=email, application_id=application_id)
        return Session(self, native)

    def accept_invitation(self, text: str, full_name: str | None = None) -> Membership:
        """Makes the invited person a member, and a user if they are none yet; then the name is needed.

        Whoever shows the text is taken for whom it was sent to: send it to the address, and keep it from the member who
        invites. A password that an admin of another organization gave goes, with the user name.
        """
        return self._logins.accept_invitation(text, full_name=full_name)

    def decline_invitation(self, text: str) -> None:
        """Answers an invitation with no."""
        self._logins.decline_invitation(text)

    def set_password(self, email: str, password: str) -> None:
        """Sets a user's password and ends their sessions.

        Nothing is asked for: it is for a program that knows who asks, on a first start or once it has seen that the
        address is theirs. Guesses until then keep the user waiting no more: a login right after this gets in.
        """
        self._logins.set_password(email, password)

    def activate_user(self, email: str) -> None:
        """Lets a user act again who was deactivated; as :meth:`set_password`, it asks for nothing.

        Whoever is a member nowhere any more acts again once they accept an invitation.
        """
        self._logins.activate_user(email)

    def __repr__(self) -> str:
        return repr(self._native)


class Session:
    """An organization as one of its members sees it. Cheap to make, and safe to use from many threads."""

    __slots__ = (
        "_crm",
        "_native",
        "allocations",
        "audit",
        "calendar",
        "case_events",
        "cases",
        "contacts",
        "credit_note_lines",
        "credit_notes",
        "deadline_rules",
        "deals",
        "interactions",
        "invoice_lines",
        "invoices",
        "keys",
        "leads",
        "me",
        "members",
        "payments",
        "pipelines",
        "products",
        "refunds",
        "privacy",
        "reports",
        "series",
        "stage_changes",
        "stages",
        "tags",
        "tasks",
    )

    contacts: Contacts
    products: Products
    invoices: Invoices
    invoice_lines: InvoiceLines
    payments: Payments
    allocations: Allocations
    credit_notes: CreditNotes
    credit_note_lines: CreditNoteLines
    refunds: Refunds
    leads: Leads
    deals: Deals
    stage_changes: StageChanges
    pipelines: Pipelines
    stages: Stages
    tags: Tags
    cases: Cases
    case_events: CaseEvents
    calendar: BusinessCalendar
    deadline_rules: DeadlineRules
    tasks: Tasks
    interactions: Interactions
    members: Members
    me: Me
    keys: Keys
    privacy: Privacy
    series: Numbering
    reports: Reports
    audit: Audit

    def __init__(self, crm: Crm, native: NativeSession) -> None:
        # Keeps the database open as long as somebody works in it.
        self._crm = crm
        self._native = native
        self.contacts = Contacts(native)
        self.products = Products(native)
        self.invoices = Invoices(native)
        self.invoice_lines = InvoiceLines(native)
        self.payments = Payments(native)
        self.allocations = Allocations(native)
        self.credit_notes = CreditNotes(native)
        self.credit_note_lines = CreditNoteLines(native)
        self.refunds = Refunds(native)
        self.leads = Leads(native)
        self.deals = Deals(native)
        self.stage_changes = StageChanges(native)
        self.pipelines = Pipelines(native)
        self.stages = Stages(native)
        self.tags = Tags(native)
        self.cases = Cases(native)
        self.case_events = CaseEvents(native)
        self.calendar = BusinessCalendar(native)
        self.deadline_rules = DeadlineRules(native)
        self.tasks = Tasks(native)
        self.interactions = Interactions(native)
        self.members = Members(native)
        self.me = Me(native)
        self.keys = Keys(native)
        self.privacy = Privacy(native)
        self.series = Numbering(native)
        self.reports = Reports(native)
        self.audit = Audit(native)

    @property
    def organization(self) -> Organization:
        """The organization, as last read."""
        return self._native.organization()

    @property
    def user(self) -> User:
        """Who acts."""
        return self._native.user()

    @property
    def role(self) -> str:
        """In which role."""
        return self._native.role()

    def quotas(self) -> list[QuotaLeft]:
        """What is left of the quotas of the API key at work; nothing when none is.

        Each has ``operation``, ``limit``, ``used``, ``remaining`` and ``resets_at``. Once one is used up,
        :class:`QuotaExceeded` tells ``operation``, ``limit``, ``resets_at`` and ``retry_after``.
        """
        return Access(self._native).quotas()

    def update_organization(self, **fields: Unpack[OrganizationFields]) -> Organization:
        """Changes the organization's settings."""
        return self._native.update_organization(dict(fields))

    def ledger(
        self,
        contact: Contact | UUID | str,
        *,
        from_: date | None = None,
        to: date | None = None,
        restated: bool = False,
    ) -> Ledger:
        """Everything on a contact's account with the balance after each entry, or what of it falls between two days."""
        return BillingReports(self._native).ledger(contact, from_=from_, to=to, restated=restated)

    def timeline(
        self, record: Contact | Lead | Deal | Invoice | Case, *, limit: int | None = None, after: str | None = None
    ) -> Page[TimelineItem]:
        """A page of everything that happened to a record, newest first: interactions, tasks, the steps of a deal or
        a case, and other changes. A deal's has the history of the lead that it came of as well.
        """
        return Page(*self._native.timeline(record, limit=limit, after=after))

    def import_csv(
        self,
        kind: Literal["contacts", "products", "invoices", "payments", "deals"],
        source: Source,
        *,
        mapping: Mapping[str, Any] | str | os.PathLike[str] | None = None,
        lines: Source | None = None,
        lines_mapping: Mapping[str, Any] | str | os.PathLike[str] | None = None,
        upsert_by: str | None = None,
        dry_run: bool = False,
        lenient: bool = False,
        skip_refused: bool = False,
    ) -> ImportReport:
        """Imports a CSV file, a path or an open file: all or nothing, in memory that does not grow with it.

        ``mapping`` says which column holds which field: ``{"columns": {"given_name": "FirstName"}, "constants":
        {"kind": "person"}, "values": {"country": {"Holland": "NL"}}}``, or the path of a TOML file that does, which
        may also have ``delimiter``, ``date_format`` (one or a list) and ``decimal_comma``. Without one, columns are
        named like fields, and the report warns of others. ``lines`` is a second file with the lines of invoices. ``upsert_by`` names a natural key,
        so that a second run changes nothing. A refused row raises :class:`ValidationError` with the line, field and
        reason of each in ``details``, unless ``dry_run=True`` asks for the report alone or ``skip_refused=True`` for
        the other rows; ``lenient=True`` keeps phone numbers that cannot be read, and warns of them.
        """
        return self._native.import_csv(
            kind,
            _source(source),
            mapping=_mapping(mapping),
            lines=None if lines is None else _source(lines),
            lines_mapping=_mapping(lines_mapping),
            upsert_by=upsert_by,
            dry_run=dry_run,
            lenient=lenient,
            skip_refused=skip_refused,
        )

    def __repr__(self) -> str:
        return repr(self._native)


def _source(source: Source) -> str | SupportsRead:
    return os.fspath(source) if isinstance(source, str | os.PathLike) else source


def _mapping(mapping: Mapping[str, Any] | str | os.PathLike[str] | None) -> str | None:
    """A mapping as JSON."""
    import json

    if mapping is None:
        return None
    if not isinstance(mapping, Mapping):
        import tomllib

        with builtins.open(mapping, "rb") as file:
            mapping = tomllib.load(file)
    return json.dumps({name: dict(value) if isinstance(value, Mapping) else value for name, value in mapping.items()})


class Numbering(Collection[NumberSeries]):
    """The series that number documents. A series is named by what it numbers: ``invoice``, ``credit_note``."""

    __slots__ = ()
    _entity = "number_series"

    def list(self) -> Page[NumberSeries]:
        """All of them."""
        return self._list({})

    def create(self, **fields: Unpack[NumberSeriesFields]) -> NumberSeries:
        """Creates a series."""
        return self._create(fields, None)

    def update(
        self, series: NumberSeries | UUID | str, **fields: Unpack[NumberSeriesFields]
    ) -> NumberSeries:
        """Changes a series: its prefix, its range, until when it is valid; ``None`` clears a field."""
        return self._update(series, fields, None)


class Reports:
    """Reports on the present state, as of a civil date: today in the organization's zone unless another is given.

    With ``restated``, corrections count from the day of what they correct: what was reversed or void never was. The
    reports of sales and of cases take a ``zone`` of their own, an IANA name, in which their days and months are told.
    """

    __slots__ = ("_billing", "_cases", "_native", "_sales")

    def __init__(self, native: NativeSession) -> None:
        self._native = native
        self._billing = BillingReports(native)
        self._sales = SalesReports(native)
        self._cases = NativeCases(native)

    def summary(
        self,
        *,
        as_of: date | None = None,
        per_contact: bool = False,
        include_void: bool = False,
        restated: bool = False,
    ) -> Summary:
        """R1: what was billed, paid and is due, overall and per contact."""
        return self._native.summary(
            as_of=as_of, per_contact=per_contact, include_void=include_void, restated=restated
        )

    def ageing(
        self, *, as_of: date | None = None, per_contact: bool = False, restated: bool = False
    ) -> Ageing:
        """R2: what is due, by how late it is."""
        return self._native.ageing(as_of=as_of, per_contact=per_contact, restated=restated)

    def statement(
        self, contact: Contact | UUID | str, *, from_: date, to: date, restated: bool = False
    ) -> Statement:
        """R3: what a contact was billed and paid over a period, with the balances before and after."""
        return self._native.statement(contact, from_, to, restated=restated)

    def statement_html(
        self,
        contact: Contact | UUID | str,
        *,
        from_: date,
        to: date,
        restated: bool = False,
        template: str | None = None,
    ) -> str:
        """A statement as a page that is ready to be printed, from the built-in template or from the text of another."""
        billing = Billing(self._native)
        page: str = billing.print_statement(contact, from_, to, "html", restated=restated, template=template)
        return page

    def statement_json(
        self, contact: Contact | UUID | str, *, from_: date, to: date, restated: bool = False
    ) -> dict[str, Any]:
        """What stands on the page of a statement; amounts are text."""
        billing = Billing(self._native)
        document: dict[str, Any] = billing.print_statement(contact, from_, to, "json", restated=restated)
        return document

    def revenue(
        self,
        *,
        by: Literal["month", "product"] = "month",
        from_: date | None = None,
        to: date | None = None,
        restated: bool = False,
    ) -> Revenue:
        """What was sold: what was invoiced less what was withdrawn and credited, by month or by product."""
        return self._billing.revenue(by=by, from_=from_, to=to, restated=restated)

    def collections(
        self, *, from_: date | None = None, to: date | None = None, restated: bool = False
    ) -> Collections:
        """The money that came in and went out again, by month and method."""
        return self._billing.collections(from_=from_, to=to, restated=restated)

    def taxes(self, *, from_: date | None = None, to: date | None = None, restated: bool = False) -> Taxes:
        """The taxes on what was invoiced and credited, by month and rate."""
        return self._billing.taxes(from_=from_, to=to, restated=restated)

    def debtors(
        self, *, as_of: date | None = None, limit: int | None = None, restated: bool = False
    ) -> Debtors:
        """Who owes something, those who owe most first: ``limit`` of each currency, or all."""
        return self._billing.debtors(as_of=as_of, limit=limit, restated=restated)

    def days_to_pay(
        self,
        *,
        from_: date | None = None,
        to: date | None = None,
        per_contact: bool = False,
        restated: bool = False,
    ) -> DaysToPay:
        """How many days invoices took to be paid on average, of those that were settled in the period."""
        return self._billing.days_to_pay(from_=from_, to=to, per_contact=per_contact, restated=restated)

    def leads(
        self,
        *,
        hours: int = 24,
        as_of: datetime | None = None,
        from_: date | None = None,
        to: date | None = None,
        zone: str | None = None,
    ) -> LeadCounts:
        """R4: how many leads there are, by status and channel, and how many came in the last ``hours``.

        With ``from_`` and ``to``, only those that came on these days or between.
        """
        return self._sales.leads(hours=hours, as_of=as_of, from_=from_, to=to, zone=zone)

    def deals(
        self,
        *,
        days: int = 30,
        as_of: date | None = None,
        from_: date | None = None,
        to: date | None = None,
        zone: str | None = None,
    ) -> DealTotals:
        """R5: how many deals there are and what they are worth, by status, and how many began in the last ``days``.

        With ``from_`` and ``to``, only those that began on these days or between.
        """
        return self._sales.deals(days=days, as_of=as_of, from_=from_, to=to, zone=zone)

    def funnel(
        self,
        *,
        pipeline: Pipeline | UUID | str | None = None,
        as_of: date | None = None,
        zone: str | None = None,
    ) -> Funnel:
        """R6: where the deals of a pipeline, or of the default one, stand, and how far they came."""
        return self._sales.funnel(pipeline=pipeline, as_of=as_of, zone=zone)

    def cohort(
        self,
        *,
        pipeline: Pipeline | UUID | str | None = None,
        from_: date | None = None,
        to: date | None = None,
        zone: str | None = None,
    ) -> Cohort:
        """R6: how far the deals came that began in a period, in a pipeline or in the default one."""
        return self._sales.cohort(pipeline=pipeline, from_=from_, to=to, zone=zone)

    def forecast(
        self,
        *,
        pipeline: Pipeline | UUID | str | None = None,
        as_of: date | None = None,
        zone: str | None = None,
    ) -> Forecast:
        """R7: what open deals are likely to bring, by month of their expected close; of all pipelines, or of one."""
        return self._sales.forecast(pipeline=pipeline, as_of=as_of, zone=zone)

    def velocity(
        self,
        *,
        pipeline: Pipeline | UUID | str | None = None,
        from_: date | None = None,
        to: date | None = None,
        as_of: datetime | None = None,
        zone: str | None = None,
    ) -> Velocity:
        """R8: how long deals stay in each stage of a pipeline, or of the default one, how many are won, and how long
        that takes.
        """
        return self._sales.velocity(pipeline=pipeline, from_=from_, to=to, as_of=as_of, zone=zone)

    def cases(
        self,
        *,
        days: int = 5,
        as_of: date | None = None,
        from_: date | None = None,
        to: date | None = None,
        zone: str | None = None,
    ) -> CaseReport:
        """R9: how many cases came in, how long the answers took, and which wait for one; soon is within ``days``.

        With ``from_`` and ``to``, counts and answer times are of those that came in on these days or between.
        """
        return self._cases.report(days=days, as_of=as_of, from_=from_, to=to, zone=zone)
