from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar, Literal, Self, final
from uuid import UUID

from typing_extensions import disjoint_base

from ._client import SupportsRead
from .errors import CrmError
from .reports import (
    Ageing,
    CalendarDay,
    CaseReport,
    Cohort,
    Collections,
    ConversionPlan,
    DeadlineRule,
    DealTotals,
    Explanation,
    DaysToPay,
    DealTotals,
    Debtors,
    Erased,
    Finding,
    Forecast,
    Funnel,
    ImportReport,
    KeyUsage,
    LeadCounts,
    Ledger,
    Machine,
    QuotaLeft,
    Recomputed,
    Revenue,
    Statement,
    Summary,
    Taxes,
    TimelineItem,
    Velocity,
    Verification,
)

__all__ = [
    "Access",
    "Allocation",
    "ApiKey",
    "ApiRequest",
    "AuditEntry",
    "Billing",
    "BillingReports",
    "Calendar",
    "Case",
    "CaseEvent",
    "CaseRule",
    "Cases",
    "Contact",
    "CreditNote",
    "CreditNoteLine",
    "Database",
    "Deal",
    "Field",
    "Interaction",
    "Invitation",
    "Invoice",
    "InvoiceLine",
    "Lead",
    "Logins",
    "Membership",
    "Money",
    "NumberSeries",
    "Organization",
    "Payment",
    "Pipeline",
    "Pipelines",
    "Privacy",
    "Product",
    "Record",
    "Refund",
    "Sales",
    "SalesReports",
    "Session",
    "Stage",
    "StageChange",
    "Tag",
    "Tags",
    "Task",
    "TokenKeys",
    "User",
    "machines",
    "restore",
]

@final
class Database:
    """An open database."""

    def __new__(
        cls,
        url: str,
        *,
        create: bool = True,
        durability: str = "full",
        schema: str | None = None,
        migrate: bool = True,
        max_connections: int | None = None,
        token_keys: TokenKeys | None = None,
    ) -> Self: ...
    @property
    def url(self) -> str:
        """What was opened, without a password."""
    @property
    def closed(self) -> bool:
        """Whether it is closed."""
    @property
    def forked(self) -> bool:
        """Whether it was opened by another process, before a fork."""
    def close(self) -> None:
        """Closes it; calls that are under way end first. Closing again does nothing."""
    def grant(self, role: str) -> None:
        """Grants a role of the server what programs need to work with the tables."""
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
        """Creates an organization with its first owner."""
    def organizations(self) -> list[Organization]:
        """The organizations, by slug."""
    def verify_users(self) -> Verification:
        """Checks the users, who stand above organizations."""
    def session(self, slug: str, acting_as: str) -> Session:
        """Opens an organization for a member."""

@final
class TokenKeys:
    """The keys that sign access tokens, and for whom.

    `keys` maps the id of each key to its secret, at least 32 random bytes that cannot be guessed; `current` is the id
    of the one that signs, which need not be said of a single key. The others are accepted: the key before, until its
    last token has expired, or the next one.
    """

    def __new__(
        cls,
        issuer: str,
        audience: str,
        keys: Mapping[str, str | bytes],
        *,
        current: str | None = None,
    ) -> Self: ...

@final
class Logins:
    """How people and programs come in."""

    def __new__(cls, database: Database) -> Self: ...
    def login(
        self, organization: str, name: str, password: str, *, source: str | None = None
    ) -> tuple[str, str, datetime, datetime, User, str]:
        """Signs somebody in with a password."""
    def refresh(self, token: str) -> tuple[str, str, datetime, datetime, User, str]:
        """Exchanges a refresh token for the next pair of tokens."""
    def logout(self, token: str) -> None:
        """Ends the session of a refresh token."""
    def with_token(self, access: str) -> Session:
        """Opens the session of an access token."""
    def with_key(
        self, key: str, *, name: str | None = None, email: str | None = None, application_id: str | None = None
    ) -> Session:
        """Opens an organization for an API key."""
    def accept_invitation(self, text: str, *, full_name: str | None = None) -> Membership:
        """Makes the invited person a member."""
    def decline_invitation(self, text: str) -> None:
        """Answers an invitation with no."""
    def set_password(self, email: str, password: str) -> None:
        """Sets a user's password, for a host that knows who asks."""
    def activate_user(self, email: str) -> None:
        """Lets a user act again who was deactivated, for a host that knows who asks."""

@final
class Session:
    """An organization as one of its members sees it."""

    def organization(self) -> Organization:
        """The organization."""
    def user(self) -> User:
        """The acting user."""
    def role(self) -> str:
        """The acting user's role."""
    def get(self, entity: str, reference: Record | UUID | str) -> Record:
        """One record, by id or natural key."""
    def page(
        self,
        entity: str,
        filters: dict[str, Any],
        *,
        search: str | None = None,
        order_by: list[str] = ...,
        limit: int | None = None,
        after: str | None = None,
        archived: bool = False,
    ) -> tuple[list[Record], str | None]:
        """A page of records, and where to go on."""
    def count(
        self, entity: str, filters: dict[str, Any], *, search: str | None = None, archived: bool = False
    ) -> int:
        """How many records there are."""
    def create(self, entity: str, fields: dict[str, Any], *, key: str | None = None) -> Record:
        """Creates a record."""
    def create_many(self, entity: str, records: Iterable[dict[str, Any]]) -> list[Record]:
        """Creates many records, all or none."""
    def update(
        self, entity: str, reference: Record | UUID | str, fields: dict[str, Any], *, key: str | None = None
    ) -> Record:
        """Changes a record."""
    def update_organization(self, fields: dict[str, Any]) -> Organization:
        """Changes the organization's settings."""
    def act(self, entity: str, verb: str, reference: Record | UUID | str, *, key: str | None = None) -> Record:
        """Carries out a command that needs nothing but a record, such as `archive`, `void` or `win`."""
    def create_invoice(
        self,
        *,
        contact: Contact | UUID | str,
        lines: Iterable[dict[str, Any]],
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
        """Writes an invoice, and issues it if asked to."""
    def update_invoice(
        self, reference: Invoice | UUID | str, fields: dict[str, Any], *, key: str | None = None
    ) -> Invoice:
        """Changes a draft."""
    def issue_invoice(
        self, reference: Invoice | UUID | str, *, number: str | None = None, key: str | None = None
    ) -> Invoice:
        """Issues a draft."""
    def record_payment(
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
        invoices: Mapping[Any, Decimal | int | Money] | str | None = None,
        key: str | None = None,
    ) -> Payment:
        """Records a payment."""
    def add_member(
        self, email: str, *, role: str, full_name: str | None = None, key: str | None = None
    ) -> tuple[Membership, User]:
        """Makes somebody a new user and a member; who is a user already is invited."""
    def set_role(self, member: Membership | User | UUID | str, role: str) -> tuple[Membership, User]:
        """Changes a member's role."""
    def remove_member(self, member: Membership | User | UUID | str) -> tuple[Membership, User]:
        """Ends a membership."""
    def members(self) -> list[tuple[Membership, User]]:
        """The members with their users."""
    def member(self, member: Membership | User | UUID | str) -> tuple[Membership, User]:
        """One member, with the user."""
    def verify_audit(self, anchor: str | None = None) -> Verification:
        """Checks the audit, from the beginning to its end."""
    def summary(
        self,
        *,
        as_of: date | None = None,
        per_contact: bool = False,
        include_void: bool = False,
        restated: bool = False,
    ) -> Summary:
        """R1, the financial summary."""
    def ageing(
        self, *, as_of: date | None = None, per_contact: bool = False, restated: bool = False
    ) -> Ageing:
        """R2, the ageing of receivables."""
    def statement(
        self, contact: Contact | UUID | str, from_: date, to: date, *, restated: bool = False
    ) -> Statement:
        """R3, a contact's statement of account."""
    def timeline(
        self, record: Contact | Lead | Deal | Invoice | Case, *, limit: int | None = None, after: str | None = None
    ) -> tuple[list[TimelineItem], str | None]:
        """A page of a record's timeline, and where to go on."""
    def import_csv(
        self,
        kind: str,
        source: str | SupportsRead,
        *,
        mapping: str | None = None,
        lines: str | SupportsRead | None = None,
        lines_mapping: str | None = None,
        upsert_by: str | None = None,
        dry_run: bool = False,
        lenient: bool = False,
        skip_refused: bool = False,
    ) -> ImportReport:
        """Imports a CSV file."""

@final
class Access:
    """Who may come in, and with what, in a session."""

    def __new__(cls, session: Session) -> Self: ...
    def invite(self, email: str, *, role: str, days: int | None = None) -> tuple[Invitation, str]:
        """Invites somebody: the invitation, and its text, which is shown this once."""
    def reset_password(
        self, member: Membership | User | UUID | str, password: str
    ) -> tuple[Membership, User]:
        """Gives a member a new password."""
    def set_active(self, member: Membership | User | UUID | str, active: bool) -> tuple[Membership, User]:
        """Keeps a member from acting at all, or lets them act again."""
    def change_password(self, current: str, new: str) -> User:
        """Changes the acting user's own password."""
    def set_username(self, username: str | None) -> User:
        """Sets or clears the acting user's name to sign in with."""
    def end_sessions(self) -> User:
        """Ends all sessions of the acting user."""
    def create_key(
        self,
        alias: str,
        *,
        role: str,
        scopes: str,
        expires: datetime | None = None,
        quotas: dict[str, int | None] | None = None,
    ) -> tuple[ApiKey, str]:
        """Makes an API key: the key, and its text, which is shown this once."""
    def set_quota(self, key: ApiKey | UUID | str, operation: str, per_day: int | None) -> ApiKey:
        """Sets, changes or removes a quota of a key."""
    def quotas_of(self, key: ApiKey | UUID | str) -> list[tuple[str, int]]:
        """The quotas of a key: how often a day it may do what."""
    def key_usage(
        self, from_: date, to: date, *, key: ApiKey | UUID | str | None = None
    ) -> list[KeyUsage]:
        """What API keys did, by day, key and operation."""
    def quotas(self) -> list[QuotaLeft]:
        """What is left of the quotas of the API key at work."""

@final
class Privacy:
    """What is done for the privacy of contacts, in a session."""

    def __new__(cls, session: Session) -> Self: ...
    def export(self, contact: Contact | UUID | str) -> str:
        """All that is stored about a contact, as JSON."""
    def erase(self, contact: Contact | UUID | str) -> Erased:
        """Erases a contact."""
    def purge(self) -> bool:
        """Leaves nothing in the store's files of what was erased."""
    def is_purge_due(self) -> bool:
        """Whether an erasure still waits for its purge."""
    def purge_requests(self, before: date) -> int:
        """Deletes the log of API keys' requests from before a day."""

@final
class Sales:
    """What is done with leads and deals, in a session."""

    def __new__(cls, session: Session) -> Self: ...
    def assign_lead(
        self, lead: Lead | UUID | str, assignee: User | UUID | str | None, *, key: str | None = None
    ) -> Lead:
        """Gives a lead to a member, or to nobody."""
    def move_lead(self, lead: Lead | UUID | str, status: str, *, key: str | None = None) -> Lead:
        """Moves a lead to another status."""
    def convert_lead(
        self,
        lead: Lead | UUID | str,
        fields: dict[str, Any],
        *,
        deal: Deal | UUID | str | None = None,
        pipeline: Pipeline | UUID | str | None = None,
        stage: Stage | UUID | str | None = None,
        key: str | None = None,
    ) -> Lead:
        """Converts a lead: makes a deal of it, or links it to one."""
    def plan_conversion(
        self,
        lead: Lead | UUID | str,
        fields: dict[str, Any],
        *,
        deal: Deal | UUID | str | None = None,
        pipeline: Pipeline | UUID | str | None = None,
        stage: Stage | UUID | str | None = None,
    ) -> ConversionPlan:
        """What the conversion of a lead would do."""
    def convert_leads(
        self,
        leads: Iterable[Lead | UUID | str],
        fields: dict[str, Any],
        *,
        pipeline: Pipeline | UUID | str | None = None,
        stage: Stage | UUID | str | None = None,
    ) -> list[Lead | CrmError]:
        """Converts many leads alike, each in a commit of its own: what came of each, a lead or an exception."""
    def create_deal(
        self,
        fields: dict[str, Any],
        *,
        pipeline: Pipeline | UUID | str | None = None,
        stage: Stage | UUID | str | None = None,
        key: str | None = None,
    ) -> Deal:
        """Makes a deal."""
    def move_deal(
        self, deal: Deal | UUID | str, stage: Stage | UUID | str, *, key: str | None = None
    ) -> Deal:
        """Moves a deal to another stage of its pipeline."""
    def lose_deal(self, deal: Deal | UUID | str, reason: str, *, key: str | None = None) -> Deal:
        """Gives up a deal."""

@final
class Cases:
    """What is done with cases, the calendar and the deadline rules, in a session."""

    def __new__(cls, session: Session) -> Self: ...
    def open(
        self, fields: dict[str, Any], *, assignee: User | UUID | str | None = None, key: str | None = None
    ) -> Case:
        """Opens a case."""
    def assign(
        self, case: Case | UUID | str, assignee: User | UUID | str | None, *, key: str | None = None
    ) -> Case:
        """Gives a case to a member, or to nobody."""
    def say(
        self, step: str, case: Case | UUID | str, text: str | None, *, key: str | None = None
    ) -> Case:
        """Carries out a step that says something: transfer, pause, complete, answer, notify, reopen, appeal or close."""
    def extend(
        self,
        case: Case | UUID | str,
        reason: str,
        *,
        days: int | None = None,
        to: date | None = None,
        key: str | None = None,
    ) -> Case:
        """Gives a case more time, by days or to a day."""
    def explain(self, case: Case | UUID | str) -> Explanation:
        """Why a case is due when it is."""
    def recompute(self, apply: bool) -> Recomputed:
        """What the calendar as it is now makes of open cases."""
    def rules(self, all: bool) -> list[DeadlineRule]:
        """The deadline rules that cases can get."""
    def calendar(self) -> Calendar:
        """The organization's calendar as it is now."""
    def set_calendar(self, fields: dict[str, Any], *, key: str | None = None) -> Calendar:
        """Changes the calendar."""
    def set_day(self, on: date, *, name: str, working: bool, key: str | None = None) -> Calendar:
        """Makes a day a holiday or a working day."""
    def clear_day(self, on: date, *, key: str | None = None) -> Calendar:
        """Lets a day be what the week and the public holidays make it."""
    def check_day(self, day: date) -> CalendarDay:
        """What a day is, and the business days at it."""
    def holidays(self, from_: date, to: date) -> list[tuple[date, str]]:
        """The holidays of a period: dates and names."""
    def report(
        self,
        *,
        days: int = 5,
        as_of: date | None = None,
        from_: date | None = None,
        to: date | None = None,
        zone: str | None = None,
    ) -> CaseReport:
        """R9, the report of cases."""

@final
class Billing:
    """What is done with the documents of billing, in a session."""

    def __new__(cls, session: Session) -> Self: ...
    def allocate(
        self,
        entity: str,
        reference: Record | UUID | str,
        invoices: Mapping[Any, Decimal | int | Money] | str,
        *,
        on: date | None = None,
        key: str | None = None,
    ) -> Any:
        """Settles invoices with what is left of a payment or of the credit that a credit note kept."""
    def unallocate(
        self, entity: str, allocation: Allocation | UUID | str, *, on: date | None = None, key: str | None = None
    ) -> Any:
        """Takes an allocation back from its invoice."""
    def reverse_payment(
        self,
        payment: Payment | UUID | str,
        *,
        reason: str | None = None,
        on: date | None = None,
        key: str | None = None,
    ) -> Payment:
        """Reverses a payment."""
    def create_credit_note(
        self,
        invoice: Invoice | UUID | str,
        *,
        reason: str,
        amount: Decimal | int | Money | None = None,
        lines: Iterable[dict[str, Any]] | None = None,
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
        """Makes a credit note of an invoice: of an amount, of lines, or of all that is not credited yet."""
    def record_refund(
        self,
        entity: str,
        document: Record | UUID | str | None,
        amount: Decimal | int | Money | None = None,
        *,
        refunded_on: date | None = None,
        method: str | None = None,
        reference: str | None = None,
        notes: str | None = None,
        external_id: str | None = None,
        key: str | None = None,
    ) -> Refund:
        """Records money paid back, of what a payment or a credit note has left."""
    def warnings(self, entity: str, reference: Record | UUID | str) -> list[str]:
        """What is worth knowing about the number of an invoice or a credit note, in words."""
    def print(
        self, entity: str, reference: Record | UUID | str, form: str, *, template: str | None = None
    ) -> Any:
        """An invoice or a credit note as it is printed: as HTML, or as the JSON that it is made of."""
    def print_statement(
        self,
        contact: Contact | UUID | str,
        from_: date,
        to: date,
        form: str,
        *,
        restated: bool = False,
        template: str | None = None,
    ) -> Any:
        """A statement of account as it is printed: as HTML, or as the JSON that it is made of."""
    def verify_books(self) -> tuple[Finding, ...]:
        """Checks the books."""

@final
class BillingReports:
    """The further reports of billing, in a session."""

    def __new__(cls, session: Session) -> Self: ...
    def revenue(
        self, *, by: str = "month", from_: date | None = None, to: date | None = None, restated: bool = False
    ) -> Revenue:
        """What was sold, by month or by product."""
    def collections(
        self, *, from_: date | None = None, to: date | None = None, restated: bool = False
    ) -> Collections:
        """The money that came in and went out again, by month and method."""
    def taxes(self, *, from_: date | None = None, to: date | None = None, restated: bool = False) -> Taxes:
        """The taxes on what was invoiced and credited, by month and rate."""
    def debtors(
        self, *, as_of: date | None = None, limit: int | None = None, restated: bool = False
    ) -> Debtors:
        """Who owes something, those who owe most first."""
    def days_to_pay(
        self,
        *,
        from_: date | None = None,
        to: date | None = None,
        per_contact: bool = False,
        restated: bool = False,
    ) -> DaysToPay:
        """How many days invoices took to be paid on average."""
    def ledger(
        self,
        contact: Contact | UUID | str,
        *,
        from_: date | None = None,
        to: date | None = None,
        restated: bool = False,
    ) -> Ledger:
        """Everything on a contact's account."""

@final
class SalesReports:
    """The reports of sales, in a session."""

    def __new__(cls, session: Session) -> Self: ...
    def leads(
        self,
        *,
        hours: int = 24,
        as_of: datetime | None = None,
        from_: date | None = None,
        to: date | None = None,
        zone: str | None = None,
    ) -> LeadCounts:
        """R4, leads by status and channel."""
    def deals(
        self,
        *,
        days: int = 30,
        as_of: date | None = None,
        from_: date | None = None,
        to: date | None = None,
        zone: str | None = None,
    ) -> DealTotals:
        """R5, deals by status."""
    def funnel(
        self,
        *,
        pipeline: Pipeline | UUID | str | None = None,
        as_of: date | None = None,
        zone: str | None = None,
    ) -> Funnel:
        """R6, where the deals of a pipeline stand and how far they came."""
    def cohort(
        self,
        *,
        pipeline: Pipeline | UUID | str | None = None,
        from_: date | None = None,
        to: date | None = None,
        zone: str | None = None,
    ) -> Cohort:
        """R6, how far the deals came that began in a period."""
    def forecast(
        self,
        *,
        pipeline: Pipeline | UUID | str | None = None,
        as_of: date | None = None,
        zone: str | None = None,
    ) -> Forecast:
        """R7, what open deals are likely to bring."""
    def velocity(
        self,
        *,
        pipeline: Pipeline | UUID | str | None = None,
        from_: date | None = None,
        to: date | None = None,
        as_of: datetime | None = None,
        zone: str | None = None,
    ) -> Velocity:
        """R8, how fast the deals of a pipeline go."""

@final
class Pipelines:
    """What is done with pipelines, in a session."""

    def __new__(cls, session: Session) -> Self: ...
    def create(self, name: str, stages: Iterable[dict[str, Any]], *, key: str | None = None) -> Pipeline:
        """Makes a pipeline with its stages."""
    def add_stage(
        self, pipeline: Pipeline | UUID | str, stage: dict[str, Any], *, key: str | None = None
    ) -> Pipeline:
        """Adds a stage at the end of a pipeline."""
    def update_stage(
        self,
        pipeline: Pipeline | UUID | str,
        stage: Stage | UUID | str,
        *,
        name: str | None = None,
        probability: Decimal | int | None = None,
        key: str | None = None,
    ) -> Pipeline:
        """Changes a stage's name or probability."""
    def remove_stage(
        self, pipeline: Pipeline | UUID | str, stage: Stage | UUID | str, *, key: str | None = None
    ) -> Pipeline:
        """Deletes a stage."""
    def reorder(
        self,
        pipeline: Pipeline | UUID | str,
        order: Iterable[Stage | UUID | str],
        *,
        key: str | None = None,
    ) -> Pipeline:
        """Puts the stages of a pipeline in another order."""

@final
class Tags:
    """What is done with tags, in a session."""

    def __new__(cls, session: Session) -> Self: ...
    def add(self, record: Contact | Lead | Deal, tag: Tag | str, *, key: str | None = None) -> Tag:
        """Puts a tag on a record."""
    def remove(self, record: Contact | Lead | Deal, tag: Tag | str, *, key: str | None = None) -> Tag:
        """Takes a tag off a record."""
    def of(self, record: Contact | Lead | Deal) -> list[Tag]:
        """The tags of a record, by name."""

def machines() -> dict[str, Machine]:
    """The state machines, by name."""

@final
class Money:
    """An exact amount in a currency.

    `Money(Decimal("9.99"), "USD")`, or with the amount as text; never from a float. More digits than the currency has
    are an error, not a rounding. Amounts of one currency can be added, subtracted and ordered.
    """

    __match_args__ = ("amount", "currency")
    def __new__(cls, amount: Decimal | int | str, currency: str) -> Self: ...
    @property
    def amount(self) -> Decimal:
        """The amount, with as many places as the currency has."""
    @property
    def currency(self) -> str:
        """The ISO 4217 code of the currency."""
    @property
    def minor(self) -> int:
        """The amount in the currency's smallest unit, such as cents."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __lt__(self, other: Money, /) -> bool: ...
    def __le__(self, other: Money, /) -> bool: ...
    def __gt__(self, other: Money, /) -> bool: ...
    def __ge__(self, other: Money, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __add__(self, other: Money, /) -> Money: ...
    def __radd__(self, other: Literal[0], /) -> Money: ...
    def __sub__(self, other: Money, /) -> Money: ...
    def __rsub__(self, other: Money, /) -> Money: ...
    def __neg__(self) -> Money: ...
    def __bool__(self) -> bool: ...
    def __reduce__(self) -> tuple[type[Money], tuple[str, str]]: ...
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, memo: Any) -> Self: ...

@final
class Field:
    """One attribute of a record: a column of its table."""

    @property
    def name(self) -> str:
        """The column's name."""
    @property
    def kind(self) -> str:
        """What it holds, as one word."""
    @property
    def nullable(self) -> bool:
        """Whether it may be absent."""
    @property
    def read_only(self) -> bool:
        """Whether only the engine sets it."""
    @property
    def choices(self) -> tuple[str, ...] | None:
        """The words that it can hold, if they are fixed."""
    @property
    def references(self) -> str | None:
        """The kind of record that it points to, if it does."""
    @property
    def doc(self) -> str:
        """One sentence on it."""
    def __get__(self, record: object, owner: type | None = None, /) -> Any: ...
    def __set__(self, record: object, value: object, /) -> None: ...

@disjoint_base
class Record:
    """One record, as it was when it was read.

    Records do not change: `update` and the other commands give back new ones. Two records are equal when they are the
    same version of the same record with the same values.
    """

    record_kind: ClassVar[str]
    @property
    def display_name(self) -> str:
        """The name by which people know the record: a contact's name, an invoice's number, a deal's title, or its id."""
    @property
    def id(self) -> UUID:
        """Names the record."""
    def to_dict(self) -> dict[str, Any]:
        """The attributes and their values."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Callable[[str, str], Record], tuple[str, str]]: ...
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, memo: Any) -> Self: ...

def restore(entity: str, row: str, /) -> Record:
    """Makes a record again of what pickle kept."""

# From here on written by tools/make_stubs.py.

@final
class Organization(Record):
    """An organization: the tenant that every other record belongs to."""

    __match_args__ = (
        "id",
        "key",
        "slug",
        "name",
        "default_currency",
        "time_zone",
        "default_region",
        "payment_days",
        "unique_emails",
        "unique_phones",
        "legal_name",
        "tax_number",
        "address",
        "email",
        "phone",
        "website",
        "document_footer",
        "version",
        "created_at",
        "created_by",
        "updated_at",
    )
    @property
    def id(self) -> UUID:
        """Names the record."""
    @property
    def key(self) -> int:
        """The small number by which rows name their organization."""
    @property
    def slug(self) -> str:
        """The name in commands and addresses: 2 to 64 of a-z, 0-9 and hyphens."""
    @property
    def name(self) -> str:
        """The name as people write it."""
    @property
    def default_currency(self) -> str:
        """The currency of amounts that name none."""
    @property
    def time_zone(self) -> str:
        """The IANA time zone in which "today" is told."""
    @property
    def default_region(self) -> str | None:
        """The region of phone numbers without a country code."""
    @property
    def payment_days(self) -> int:
        """How many days after its issue an invoice is due unless it says otherwise."""
    @property
    def unique_emails(self) -> bool:
        """Whether two contacts may not have the same e-mail address."""
    @property
    def unique_phones(self) -> bool:
        """Whether two contacts may not have the same phone number."""
    @property
    def legal_name(self) -> str | None:
        """The name of the legal person, on documents."""
    @property
    def tax_number(self) -> str | None:
        """The tax number as it is printed on documents."""
    @property
    def address(self) -> str | None:
        """The address on documents, on several lines."""
    @property
    def email(self) -> str | None:
        """The e-mail address on documents."""
    @property
    def phone(self) -> str | None:
        """The phone number on documents, in E.164."""
    @property
    def website(self) -> str | None:
        """The web site on documents."""
    @property
    def document_footer(self) -> str | None:
        """What stands at the foot of documents."""
    @property
    def version(self) -> int:
        """Counts the changes, from 1."""
    @property
    def created_at(self) -> datetime:
        """When it was created."""
    @property
    def created_by(self) -> UUID | None:
        """Who created it."""
    @property
    def updated_at(self) -> datetime:
        """When it was last changed."""

@final
class User(Record):
    """A person who can act. Of others only the id, the address, the name and whether they may act are told."""

    __match_args__ = (
        "id",
        "email",
        "username",
        "full_name",
        "active",
        "password_changed_at",
        "password_given",
        "epoch",
        "memberships",
        "version",
        "created_at",
        "created_by",
        "updated_at",
    )
    @property
    def id(self) -> UUID:
        """Names the record."""
    @property
    def email(self) -> str:
        """The address they are known by."""
    @property
    def username(self) -> str | None:
        """The name they may sign in with instead."""
    @property
    def full_name(self) -> str:
        """Their name."""
    @property
    def active(self) -> bool:
        """Whether they may act at all."""
    @property
    def password_changed_at(self) -> datetime | None:
        """When the password was last set."""
    @property
    def password_given(self) -> bool | None:
        """Whether an admin gave them the password, and may know it still."""
    @property
    def epoch(self) -> int | None:
        """Counts what ends all sessions: a new password, a deactivation, signing out everywhere."""
    @property
    def memberships(self) -> int | None:
        """How many organizations they are a member of."""
    @property
    def version(self) -> int | None:
        """Counts the changes, from 1."""
    @property
    def created_at(self) -> datetime | None:
        """When it was created."""
    @property
    def created_by(self) -> UUID | None:
        """Who created it."""
    @property
    def updated_at(self) -> datetime | None:
        """When it was last changed."""

@final
class Membership(Record):
    """One user's membership of one organization."""

    __match_args__ = (
        "id",
        "user_id",
        "role",
        "version",
        "created_at",
        "created_by",
        "updated_at",
    )
    @property
    def id(self) -> UUID:
        """Names the record."""
    @property
    def user_id(self) -> UUID:
        """Who."""
    @property
    def role(self) -> Literal["owner", "admin", "manager", "member", "viewer"]:
        """In which role."""
    @property
    def version(self) -> int:
        """Counts the changes, from 1."""
    @property
    def created_at(self) -> datetime:
        """When it was created."""
    @property
    def created_by(self) -> UUID | None:
        """Who created it."""
    @property
    def updated_at(self) -> datetime:
        """When it was last changed."""

@final
class Contact(Record):
    """A person or company that the organization deals with."""

    __match_args__ = (
        "id",
        "kind",
        "given_name",
        "family_name",
        "company_name",
        "company_id",
        "email",
        "phone",
        "phone_raw",
        "address_line",
        "city",
        "region",
        "postal_code",
        "country",
        "tax_scheme",
        "tax_number",
        "account_number",
        "stratum",
        "payment_days",
        "code",
        "external_id",
        "instagram",
        "owner_id",
        "source",
        "notes",
        "custom",
        "erased_at",
        "version",
        "created_at",
        "created_by",
        "updated_at",
        "archived_at",
    )
    @property
    def id(self) -> UUID:
        """Names the record."""
    @property
    def kind(self) -> Literal["person", "company"]:
        """Whether it is a person or a company."""
    @property
    def given_name(self) -> str | None:
        """A person's given name, or that of a company's contact person."""
    @property
    def family_name(self) -> str | None:
        """A person's family name, or that of a company's contact person."""
    @property
    def company_name(self) -> str | None:
        """A company's name, or that of a person's employer."""
    @property
    def company_id(self) -> UUID | None:
        """A person's employer, if it is a contact itself."""
    @property
    def email(self) -> str | None:
        """The e-mail address."""
    @property
    def phone(self) -> str | None:
        """The phone number in E.164."""
    @property
    def phone_raw(self) -> str | None:
        """A phone number that could not be read, as it was given."""
    @property
    def address_line(self) -> str | None:
        """Street and number, or whatever stands in their place."""
    @property
    def city(self) -> str | None:
        """The city."""
    @property
    def region(self) -> str | None:
        """The state, province or region."""
    @property
    def postal_code(self) -> str | None:
        """The postal code."""
    @property
    def country(self) -> str | None:
        """The country, by its ISO 3166-1 code."""
    @property
    def tax_scheme(self) -> str | None:
        """What kind of tax number it has."""
    @property
    def tax_number(self) -> str | None:
        """The tax number, without punctuation; its check digits are verified."""
    @property
    def account_number(self) -> str | None:
        """The customer's account number."""
    @property
    def stratum(self) -> int | None:
        """The socio-economic stratum, 1 to 6 (Colombia, Law 142 of 1994, article 102)."""
    @property
    def payment_days(self) -> int | None:
        """How many days after its issue an invoice is due; the organization's days otherwise."""
    @property
    def code(self) -> str | None:
        """The number that the organization's series gave it."""
    @property
    def external_id(self) -> str | None:
        """The id in the system that it was imported from."""
    @property
    def instagram(self) -> str | None:
        """The Instagram handle, without the at sign."""
    @property
    def owner_id(self) -> UUID | None:
        """The member who looks after it."""
    @property
    def source(self) -> Literal["web", "whatsapp", "instagram", "email", "phone", "referral", "manual"] | None:
        """How it was first met."""
    @property
    def notes(self) -> str | None:
        """What else is to be known."""
    @property
    def custom(self) -> dict[str, Any] | None:
        """Fields of the organization's own, a JSON object."""
    @property
    def erased_at(self) -> datetime | None:
        """When what is personal of it was erased."""
    @property
    def version(self) -> int:
        """Counts the changes, from 1."""
    @property
    def created_at(self) -> datetime:
        """When it was created."""
    @property
    def created_by(self) -> UUID | None:
        """Who created it."""
    @property
    def updated_at(self) -> datetime:
        """When it was last changed."""
    @property
    def archived_at(self) -> datetime | None:
        """When it was archived."""

@final
class Product(Record):
    """Something the organization sells."""

    __match_args__ = (
        "id",
        "name",
        "sku",
        "kind",
        "unit_price",
        "currency",
        "tax_percent",
        "description",
        "external_id",
        "version",
        "created_at",
        "created_by",
        "updated_at",
        "archived_at",
    )
    @property
    def id(self) -> UUID:
        """Names the record."""
    @property
    def name(self) -> str:
        """Its name."""
    @property
    def sku(self) -> str | None:
        """The stock keeping unit: the organization's own code for it."""
    @property
    def kind(self) -> Literal["product", "service"]:
        """Whether it is a thing or a service."""
    @property
    def unit_price(self) -> Decimal:
        """The price of one unit before tax, with at most six decimals."""
    @property
    def currency(self) -> str:
        """The currency of the price."""
    @property
    def tax_percent(self) -> Decimal:
        """The rate of tax on it, in percent."""
    @property
    def description(self) -> str | None:
        """What it is."""
    @property
    def external_id(self) -> str | None:
        """The id in the system that it was imported from."""
    @property
    def version(self) -> int:
        """Counts the changes, from 1."""
    @property
    def created_at(self) -> datetime:
        """When it was created."""
    @property
    def created_by(self) -> UUID | None:
        """Who created it."""
    @property
    def updated_at(self) -> datetime:
        """When it was last changed."""
    @property
    def archived_at(self) -> datetime | None:
        """When it was archived."""

@final
class Invoice(Record):
    """A claim on a contact for things sold."""

    __match_args__ = (
        "id",
        "number",
        "contact_id",
        "currency",
        "status",
        "issued_on",
        "due_on",
        "subtotal",
        "tax",
        "total",
        "paid",
        "offset",
        "credited",
        "applied_on",
        "written_off_on",
        "voided_on",
        "reopened_on",
        "settled_on",
        "buyer",
        "notes",
        "external_id",
        "balance",
        "version",
        "created_at",
        "created_by",
        "updated_at",
    )
    @property
    def id(self) -> UUID:
        """Names the record."""
    @property
    def number(self) -> str | None:
        """The number: taken from the series on issue, or supplied and unique."""
    @property
    def contact_id(self) -> UUID:
        """Who is billed."""
    @property
    def currency(self) -> str:
        """The currency of all its amounts."""
    @property
    def status(self) -> Literal["draft", "open", "paid", "void", "uncollectible"]:
        """Where it stands."""
    @property
    def issued_on(self) -> date | None:
        """The civil date of issue."""
    @property
    def due_on(self) -> date | None:
        """The civil date until which it is to be paid; not before the date of issue."""
    @property
    def subtotal(self) -> Money:
        """The sum of the lines before tax."""
    @property
    def tax(self) -> Money:
        """The sum of the lines' taxes."""
    @property
    def total(self) -> Money:
        """What is billed: subtotal and tax."""
    @property
    def paid(self) -> Money:
        """What was paid on it, by payments and by credit that credit notes kept."""
    @property
    def offset(self) -> Money:
        """What credit notes took off what is due on it."""
    @property
    def credited(self) -> Money:
        """The sum of its credit notes' totals."""
    @property
    def applied_on(self) -> date | None:
        """The latest civil date on which anything was applied to it or taken back."""
    @property
    def written_off_on(self) -> date | None:
        """The civil date on which it was given up."""
    @property
    def voided_on(self) -> date | None:
        """The civil date on which it was withdrawn."""
    @property
    def reopened_on(self) -> date | None:
        """The latest civil day on which something that was applied to it was taken back."""
    @property
    def settled_on(self) -> date | None:
        """The civil date from which nothing is due on it: paid, void or given up."""
    @property
    def buyer(self) -> dict[str, Any] | None:
        """The buyer as known on issue, a JSON object."""
    @property
    def notes(self) -> str | None:
        """What else is to be said."""
    @property
    def external_id(self) -> str | None:
        """The id in the system that it was imported from."""
    @property
    def balance(self) -> Money:
        """What is neither paid nor taken off: total less paid less offset."""
    @property
    def version(self) -> int:
        """Counts the changes, from 1."""
    @property
    def created_at(self) -> datetime:
        """When it was created."""
    @property
    def created_by(self) -> UUID | None:
        """Who created it."""
    @property
    def updated_at(self) -> datetime:
        """When it was last changed."""

@final
class InvoiceLine(Record):
    """One line of an invoice."""

    __match_args__ = (
        "id",
        "invoice_id",
        "position",
        "product_id",
        "description",
        "quantity",
        "unit_price",
        "discount_percent",
        "discount",
        "tax_percent",
        "currency",
        "net",
        "tax",
    )
    @property
    def id(self) -> UUID:
        """Names the record."""
    @property
    def invoice_id(self) -> UUID:
        """Of which invoice."""
    @property
    def position(self) -> int:
        """Its place in the invoice, from 1."""
    @property
    def product_id(self) -> UUID | None:
        """What was sold, if it is a product of the catalogue."""
    @property
    def description(self) -> str:
        """What was sold, in words."""
    @property
    def quantity(self) -> Decimal:
        """How much of it."""
    @property
    def unit_price(self) -> Decimal:
        """The price of one unit before tax."""
    @property
    def discount_percent(self) -> Decimal | None:
        """The discount in percent, if it was given as such."""
    @property
    def discount(self) -> Money:
        """The discount, rounded."""
    @property
    def tax_percent(self) -> Decimal:
        """The rate of tax, in percent."""
    @property
    def currency(self) -> str:
        """The currency of the invoice."""
    @property
    def net(self) -> Money:
        """Quantity times unit price, rounded, less the discount."""
    @property
    def tax(self) -> Money:
        """The tax on it, rounded."""

@final
class Payment(Record):
    """Money received from a contact."""

    __match_args__ = (
        "id",
        "contact_id",
        "currency",
        "amount",
        "unapplied",
        "refunded",
        "received_on",
        "reversed_on",
        "reversal_reason",
        "method",
        "reference",
        "notes",
        "external_id",
        "version",
        "created_at",
        "created_by",
        "updated_at",
    )
    @property
    def id(self) -> UUID:
        """Names the record."""
    @property
    def contact_id(self) -> UUID:
        """Who paid."""
    @property
    def currency(self) -> str:
        """The currency of the amount."""
    @property
    def amount(self) -> Money:
        """How much."""
    @property
    def unapplied(self) -> Money:
        """How much of it is left: not applied to invoices and not paid back. A reversed payment has nothing left, less what was paid back of it: that much the contact owes."""
    @property
    def refunded(self) -> Money:
        """What of it was paid back."""
    @property
    def received_on(self) -> date:
        """The civil date on which it was received."""
    @property
    def reversed_on(self) -> date | None:
        """The civil date on which it was reversed: it bounced, or was recorded in error."""
    @property
    def reversal_reason(self) -> str | None:
        """Why it was reversed."""
    @property
    def method(self) -> Literal["cash", "card", "transfer", "direct_debit", "check", "other"] | None:
        """How it was paid."""
    @property
    def reference(self) -> str | None:
        """The payer's or the bank's reference."""
    @property
    def notes(self) -> str | None:
        """What else is to be said."""
    @property
    def external_id(self) -> str | None:
        """The id in the system that it was imported from."""
    @property
    def version(self) -> int:
        """Counts the changes, from 1."""
    @property
    def created_at(self) -> datetime:
        """When it was created."""
    @property
    def created_by(self) -> UUID | None:
        """Who created it."""
    @property
    def updated_at(self) -> datetime:
        """When it was last changed."""

@final
class Allocation(Record):
    """An amount applied to an invoice, or taken back from it."""

    __match_args__ = (
        "id",
        "payment_id",
        "credit_note_id",
        "invoice_id",
        "contact_id",
        "currency",
        "source",
        "amount",
        "applied_on",
        "restated_on",
        "undoes",
        "written_off",
    )
    @property
    def id(self) -> UUID:
        """Names the record."""
    @property
    def payment_id(self) -> UUID | None:
        """Of which payment, if it is one's."""
    @property
    def credit_note_id(self) -> UUID | None:
        """Of which credit note, if it is one's."""
    @property
    def invoice_id(self) -> UUID:
        """To which invoice."""
    @property
    def contact_id(self) -> UUID:
        """Whose."""
    @property
    def currency(self) -> str:
        """The currency of both."""
    @property
    def source(self) -> Literal["payment", "credit", "offset"]:
        """Where the money comes from."""
    @property
    def amount(self) -> Money:
        """How much; less than nothing when it undoes another."""
    @property
    def applied_on(self) -> date:
        """From which civil day it counts."""
    @property
    def restated_on(self) -> date:
        """From which civil day it counts when corrections count from the day of what they correct."""
    @property
    def undoes(self) -> UUID | None:
        """Which other it undoes, in full."""
    @property
    def written_off(self) -> bool:
        """Whether the invoice was given up at that time: what was recovered, or lost again."""

@final
class CreditNote(Record):
    """A part of an invoice, or all of it, credited."""

    __match_args__ = (
        "id",
        "number",
        "invoice_id",
        "contact_id",
        "currency",
        "issued_on",
        "reason",
        "subtotal",
        "tax",
        "total",
        "refund",
        "credit",
        "offset",
        "unapplied",
        "refunded",
        "buyer",
        "notes",
        "external_id",
        "version",
        "created_at",
        "created_by",
        "updated_at",
    )
    @property
    def id(self) -> UUID:
        """Names the record."""
    @property
    def number(self) -> str | None:
        """The number: taken from the series of credit notes, or supplied and unique."""
    @property
    def invoice_id(self) -> UUID:
        """Of which invoice."""
    @property
    def contact_id(self) -> UUID:
        """Who is credited."""
    @property
    def currency(self) -> str:
        """The currency of all its amounts."""
    @property
    def issued_on(self) -> date:
        """The civil date of issue."""
    @property
    def reason(self) -> str:
        """Why."""
    @property
    def subtotal(self) -> Money:
        """The sum of the lines before tax."""
    @property
    def tax(self) -> Money:
        """The sum of the lines' taxes."""
    @property
    def total(self) -> Money:
        """What is credited: subtotal and tax."""
    @property
    def refund(self) -> Money:
        """What of it was paid back at once."""
    @property
    def credit(self) -> Money:
        """What of it was kept as the contact's credit."""
    @property
    def offset(self) -> Money:
        """What of it was taken off what was due on the invoice."""
    @property
    def unapplied(self) -> Money:
        """What is left of the credit: not applied to invoices and not paid back later."""
    @property
    def refunded(self) -> Money:
        """What of the credit was paid back later."""
    @property
    def buyer(self) -> dict[str, Any] | None:
        """The buyer as the invoice names it, a JSON object."""
    @property
    def notes(self) -> str | None:
        """What else is to be said."""
    @property
    def external_id(self) -> str | None:
        """The id in the system that it was imported from."""
    @property
    def version(self) -> int:
        """Counts the changes, from 1."""
    @property
    def created_at(self) -> datetime:
        """When it was created."""
    @property
    def created_by(self) -> UUID | None:
        """Who created it."""
    @property
    def updated_at(self) -> datetime:
        """When it was last changed."""

@final
class CreditNoteLine(Record):
    """One line of a credit note."""

    __match_args__ = (
        "id",
        "credit_note_id",
        "position",
        "invoice_line_id",
        "product_id",
        "description",
        "quantity",
        "unit_price",
        "discount_percent",
        "discount",
        "tax_percent",
        "currency",
        "net",
        "tax",
    )
    @property
    def id(self) -> UUID:
        """Names the record."""
    @property
    def credit_note_id(self) -> UUID:
        """Of which credit note."""
    @property
    def position(self) -> int:
        """Its place in the credit note, from 1."""
    @property
    def invoice_line_id(self) -> UUID | None:
        """Which line of the invoice it credits, if it is one as it stands."""
    @property
    def product_id(self) -> UUID | None:
        """What is credited, if it is a product of the catalogue."""
    @property
    def description(self) -> str:
        """What is credited, in words."""
    @property
    def quantity(self) -> Decimal:
        """How much of it."""
    @property
    def unit_price(self) -> Decimal:
        """The price of one unit before tax."""
    @property
    def discount_percent(self) -> Decimal | None:
        """The discount in percent, if it was given as such."""
    @property
    def discount(self) -> Money:
        """The discount, rounded."""
    @property
    def tax_percent(self) -> Decimal:
        """The rate of tax, in percent."""
    @property
    def currency(self) -> str:
        """The currency of the credit note."""
    @property
    def net(self) -> Money:
        """What is credited before tax."""
    @property
    def tax(self) -> Money:
        """The tax on it."""

@final
class Refund(Record):
    """Money paid back to a contact."""

    __match_args__ = (
        "id",
        "contact_id",
        "currency",
        "amount",
        "refunded_on",
        "method",
        "reference",
        "notes",
        "payment_id",
        "credit_note_id",
        "external_id",
        "version",
        "created_at",
        "created_by",
        "updated_at",
    )
    @property
    def id(self) -> UUID:
        """Names the record."""
    @property
    def contact_id(self) -> UUID:
        """Who is paid back."""
    @property
    def currency(self) -> str:
        """The currency of the amount."""
    @property
    def amount(self) -> Money:
        """How much."""
    @property
    def refunded_on(self) -> date:
        """The civil date on which it was paid back."""
    @property
    def method(self) -> Literal["cash", "card", "transfer", "direct_debit", "check", "other"] | None:
        """How it was paid back."""
    @property
    def reference(self) -> str | None:
        """The bank's reference."""
    @property
    def notes(self) -> str | None:
        """What else is to be said."""
    @property
    def payment_id(self) -> UUID | None:
        """Of which payment, if it is one's."""
    @property
    def credit_note_id(self) -> UUID | None:
        """Of which credit note, if it is one's."""
    @property
    def external_id(self) -> str | None:
        """The id in the system that it was imported from."""
    @property
    def version(self) -> int:
        """Counts the changes, from 1."""
    @property
    def created_at(self) -> datetime:
        """When it was created."""
    @property
    def created_by(self) -> UUID | None:
        """Who created it."""
    @property
    def updated_at(self) -> datetime:
        """When it was last changed."""

@final
class AuditEntry(Record):
    """One change of one record, as the audit keeps it."""

    __match_args__ = (
        "id",
        "seq",
        "at",
        "actor_kind",
        "actor_id",
        "command",
        "entity",
        "record_id",
        "action",
        "record_version",
        "changes",
        "changes_hash",
        "digest",
        "hash",
        "salt",
    )
    @property
    def id(self) -> UUID:
        """Names the record."""
    @property
    def seq(self) -> int | None:
        """Counts the organization's sealed entries, from 1."""
    @property
    def at(self) -> datetime:
        """When it happened."""
    @property
    def actor_kind(self) -> Literal["user", "system", "key"]:
        """What kind of actor did it."""
    @property
    def actor_id(self) -> UUID | None:
        """Who did it; the system has no id."""
    @property
    def command(self) -> str:
        """The command that did it."""
    @property
    def entity(self) -> str:
        """What kind of record it happened to."""
    @property
    def record_id(self) -> UUID:
        """Which record."""
    @property
    def action(self) -> Literal["insert", "update", "delete"]:
        """What happened."""
    @property
    def record_version(self) -> int:
        """The record's version afterwards, or before it was deleted."""
    @property
    def changes(self) -> dict[str, Any] | None:
        """The values of an insert or delete, or old and new values of an update; absent once erased."""
    @property
    def changes_hash(self) -> bytes:
        """SHA-256 of the salt and `changes` as it was written."""
    @property
    def digest(self) -> bytes:
        """SHA-256 of the salt and the record's row afterwards, or before it was deleted."""
    @property
    def hash(self) -> bytes | None:
        """Chains the entry to the one before it, once sealed."""
    @property
    def salt(self) -> bytes | None:
        """What the hashes of the contents begin with, so that they cannot be guessed; absent once erased, and in entries older than it."""

@final
class NumberSeries(Record):
    """A series of numbers for one kind of document."""

    __match_args__ = (
        "id",
        "kind",
        "prefix",
        "digits",
        "reset",
        "start",
        "start_year",
        "first",
        "last",
        "valid_from",
        "valid_until",
        "warn_percent",
        "authorisation",
        "next",
        "version",
        "created_at",
        "created_by",
        "updated_at",
    )
    @property
    def id(self) -> UUID:
        """Names the record."""
    @property
    def kind(self) -> Literal["invoice", "credit_note", "contact", "case"]:
        """What it numbers."""
    @property
    def prefix(self) -> str | None:
        """What stands before the number; {year}, {month} and {date} are those of the document's date."""
    @property
    def digits(self) -> int:
        """The least number of digits, 1 to 18."""
    @property
    def reset(self) -> Literal["never", "year"]:
        """When it begins again."""
    @property
    def start(self) -> int:
        """The number that it begins with; fixed once it gave one."""
    @property
    def start_year(self) -> int | None:
        """The year that begins with it, of a yearly series."""
    @property
    def first(self) -> int | None:
        """The first number that the authority allows."""
    @property
    def last(self) -> int | None:
        """The last number that the authority allows."""
    @property
    def valid_from(self) -> date | None:
        """The first civil date on which it may be used."""
    @property
    def valid_until(self) -> date | None:
        """The last civil date on which it may be used."""
    @property
    def warn_percent(self) -> int | None:
        """From which share of the range on there is a warning, in percent."""
    @property
    def authorisation(self) -> str | None:
        """The authority's reference, printed on documents."""
    @property
    def next(self) -> int:
        """The next number; of a yearly series, how many it gave in all years, and one."""
    @property
    def version(self) -> int:
        """Counts the changes, from 1."""
    @property
    def created_at(self) -> datetime:
        """When it was created."""
    @property
    def created_by(self) -> UUID | None:
        """Who created it."""
    @property
    def updated_at(self) -> datetime:
        """When it was last changed."""

@final
class Pipeline(Record):
    """A way that deals go, stage by stage."""

    __match_args__ = (
        "id",
        "name",
        "is_default",
        "revision",
        "version",
        "created_at",
        "created_by",
        "updated_at",
    )
    @property
    def id(self) -> UUID:
        """Names the record."""
    @property
    def name(self) -> str:
        """Its name."""
    @property
    def is_default(self) -> bool:
        """Whether deals that name no pipeline go this way; the organization has one such pipeline."""
    @property
    def revision(self) -> int:
        """Counts the changes of its stages, so that two who change them at once do not mix."""
    @property
    def version(self) -> int:
        """Counts the changes, from 1."""
    @property
    def created_at(self) -> datetime:
        """When it was created."""
    @property
    def created_by(self) -> UUID | None:
        """Who created it."""
    @property
    def updated_at(self) -> datetime:
        """When it was last changed."""

@final
class Stage(Record):
    """A stage of a pipeline."""

    __match_args__ = (
        "id",
        "pipeline_id",
        "name",
        "position",
        "probability",
        "version",
        "created_at",
        "created_by",
        "updated_at",
    )
    @property
    def id(self) -> UUID:
        """Names the record."""
    @property
    def pipeline_id(self) -> UUID:
        """Of which pipeline."""
    @property
    def name(self) -> str:
        """Its name."""
    @property
    def position(self) -> int:
        """Its place in the pipeline, from 1."""
    @property
    def probability(self) -> Decimal:
        """How likely a deal in this stage is won, in percent, 0 to 100."""
    @property
    def version(self) -> int:
        """Counts the changes, from 1."""
    @property
    def created_at(self) -> datetime:
        """When it was created."""
    @property
    def created_by(self) -> UUID | None:
        """Who created it."""
    @property
    def updated_at(self) -> datetime:
        """When it was last changed."""

@final
class Lead(Record):
    """A contact's interest in buying something."""

    __match_args__ = (
        "id",
        "contact_id",
        "channel",
        "status",
        "assignee_id",
        "admin_notes",
        "sales_notes",
        "deal_id",
        "external_id",
        "version",
        "created_at",
        "created_by",
        "updated_at",
        "archived_at",
    )
    @property
    def id(self) -> UUID:
        """Names the record."""
    @property
    def contact_id(self) -> UUID:
        """Whose."""
    @property
    def channel(self) -> Literal["web", "whatsapp", "instagram", "email", "phone", "referral", "manual"]:
        """By which way it came."""
    @property
    def status(self) -> Literal["new", "contacted", "quoted", "closed", "discarded"]:
        """Where it stands."""
    @property
    def assignee_id(self) -> UUID | None:
        """The member who works on it."""
    @property
    def admin_notes(self) -> str | None:
        """What those who distribute the work have to say."""
    @property
    def sales_notes(self) -> str | None:
        """What those who sell have to say."""
    @property
    def deal_id(self) -> UUID | None:
        """The deal that came of it; the deal refers back to the lead."""
    @property
    def external_id(self) -> str | None:
        """The id in the system that it was imported from."""
    @property
    def version(self) -> int:
        """Counts the changes, from 1."""
    @property
    def created_at(self) -> datetime:
        """When it was created."""
    @property
    def created_by(self) -> UUID | None:
        """Who created it."""
    @property
    def updated_at(self) -> datetime:
        """When it was last changed."""
    @property
    def archived_at(self) -> datetime | None:
        """When it was archived."""

@final
class Deal(Record):
    """Something that a contact may buy, on its way through a pipeline."""

    __match_args__ = (
        "id",
        "title",
        "contact_id",
        "owner_id",
        "currency",
        "amount",
        "pipeline_id",
        "stage_id",
        "status",
        "expected_close_on",
        "opened_at",
        "closed_at",
        "lost_reason",
        "product_id",
        "lead_id",
        "stage_entered_at",
        "external_id",
        "is_open",
        "version",
        "created_at",
        "created_by",
        "updated_at",
        "archived_at",
    )
    @property
    def id(self) -> UUID:
        """Names the record."""
    @property
    def title(self) -> str:
        """What it is about."""
    @property
    def contact_id(self) -> UUID | None:
        """With whom."""
    @property
    def owner_id(self) -> UUID:
        """The member who works on it."""
    @property
    def currency(self) -> str:
        """The currency of the amount."""
    @property
    def amount(self) -> Money:
        """What it is worth; 0 while that is not known."""
    @property
    def pipeline_id(self) -> UUID:
        """Which way it goes."""
    @property
    def stage_id(self) -> UUID:
        """How far it has come."""
    @property
    def status(self) -> Literal["new", "in_progress", "won", "lost"]:
        """Where it stands."""
    @property
    def expected_close_on(self) -> date | None:
        """The civil date on which it is expected to be won."""
    @property
    def opened_at(self) -> datetime:
        """When it began: on creation, or earlier if it was imported."""
    @property
    def closed_at(self) -> datetime | None:
        """When it was won or lost."""
    @property
    def lost_reason(self) -> str | None:
        """Why it was lost."""
    @property
    def product_id(self) -> UUID | None:
        """What would be bought."""
    @property
    def lead_id(self) -> UUID | None:
        """The lead that it came of."""
    @property
    def stage_entered_at(self) -> datetime:
        """When the present visit of its stage began, or of a closed deal the last one."""
    @property
    def external_id(self) -> str | None:
        """The id in the system that it was imported from."""
    @property
    def is_open(self) -> bool:
        """Whether it is neither won nor lost."""
    @property
    def version(self) -> int:
        """Counts the changes, from 1."""
    @property
    def created_at(self) -> datetime:
        """When it was created."""
    @property
    def created_by(self) -> UUID | None:
        """Who created it."""
    @property
    def updated_at(self) -> datetime:
        """When it was last changed."""
    @property
    def archived_at(self) -> datetime | None:
        """When it was archived."""

@final
class StageChange(Record):
    """A step of a deal: its creation, a move to another stage, its being won, lost or reopened."""

    __match_args__ = (
        "id",
        "deal_id",
        "pipeline_id",
        "from_stage_id",
        "to_stage_id",
        "from_status",
        "to_status",
        "entered_at",
        "at",
        "by_id",
        "imported",
        "visit_seconds",
    )
    @property
    def id(self) -> UUID:
        """Names the record."""
    @property
    def deal_id(self) -> UUID:
        """Of which deal."""
    @property
    def pipeline_id(self) -> UUID:
        """In which pipeline."""
    @property
    def from_stage_id(self) -> UUID | None:
        """The stage that it was in; absent on creation."""
    @property
    def to_stage_id(self) -> UUID:
        """The stage that it is in."""
    @property
    def from_status(self) -> Literal["new", "in_progress", "won", "lost"] | None:
        """The status that it had; absent on creation."""
    @property
    def to_status(self) -> Literal["new", "in_progress", "won", "lost"]:
        """The status that it has."""
    @property
    def entered_at(self) -> datetime | None:
        """When the visit that now ends began; absent on creation and when the deal is reopened."""
    @property
    def at(self) -> datetime:
        """When it happened."""
    @property
    def by_id(self) -> UUID | None:
        """Who did it; the system has no id."""
    @property
    def imported(self) -> bool:
        """Whether it was imported and not done here."""
    @property
    def visit_seconds(self) -> int | None:
        """How many whole seconds the visit took that now ends; absent where `entered_at` is."""

@final
class Tag(Record):
    """A word that records can be found by."""

    __match_args__ = (
        "id",
        "name",
        "version",
        "created_at",
        "created_by",
        "updated_at",
    )
    @property
    def id(self) -> UUID:
        """Names the record."""
    @property
    def name(self) -> str:
        """The word or words."""
    @property
    def version(self) -> int:
        """Counts the changes, from 1."""
    @property
    def created_at(self) -> datetime:
        """When it was created."""
    @property
    def created_by(self) -> UUID | None:
        """Who created it."""
    @property
    def updated_at(self) -> datetime:
        """When it was last changed."""

@final
class Case(Record):
    """A petition, complaint, claim, suggestion or report of a contact, with its due date."""

    __match_args__ = (
        "id",
        "number",
        "kind",
        "topic",
        "channel",
        "subject",
        "description",
        "contact_id",
        "account_number",
        "assignee_id",
        "priority",
        "status",
        "received_at",
        "received_on",
        "received_month",
        "counted_at",
        "calendar_id",
        "calendar_version",
        "rule_code",
        "rule_version",
        "rule_id",
        "base_days",
        "extension_days",
        "due_on",
        "paused_since",
        "silence",
        "answer",
        "answered_on",
        "first_answered_on",
        "answer_days",
        "answered_late",
        "notified_on",
        "closed_on",
        "external_id",
        "version",
        "created_at",
        "created_by",
        "updated_at",
    )
    @property
    def id(self) -> UUID:
        """Names the record."""
    @property
    def number(self) -> str | None:
        """The number, from the organization's series for cases."""
    @property
    def kind(self) -> Literal["petition", "complaint", "claim", "suggestion", "report"]:
        """What the contact wants."""
    @property
    def topic(self) -> Literal["general", "information", "consultation", "utilities", "data_consultation", "data_claim"]:
        """What the law calls it, which picks the rule of its due date; fixed when it is opened."""
    @property
    def channel(self) -> Literal["web", "email", "phone", "in_person", "letter", "whatsapp", "other"]:
        """How it came in."""
    @property
    def subject(self) -> str:
        """What it is about, in 3 to 100 characters."""
    @property
    def description(self) -> str:
        """What the contact says, in 10 to 10,000 characters."""
    @property
    def contact_id(self) -> UUID:
        """Whose it is."""
    @property
    def account_number(self) -> str | None:
        """The customer's account that it is about; the contact's unless another one is given."""
    @property
    def assignee_id(self) -> UUID | None:
        """The member who works on it."""
    @property
    def priority(self) -> Literal["low", "normal", "high", "urgent"]:
        """How much it presses."""
    @property
    def status(self) -> Literal["received", "in_progress", "answered", "closed"]:
        """Where it stands."""
    @property
    def received_at(self) -> datetime:
        """When it came in; fixed when it is opened."""
    @property
    def received_on(self) -> date:
        """The civil day on which the receipt counts: after the last hour of a business day, or on another day, that is the next business day."""
    @property
    def received_month(self) -> date:
        """The first day of the month in which it came in, in the zone of its calendar."""
    @property
    def counted_at(self) -> datetime:
        """The instant from which the term counts: the receipt, or the last appeal."""
    @property
    def calendar_id(self) -> UUID:
        """The state of the organization's calendar by which days are counted."""
    @property
    def calendar_version(self) -> str:
        """The calendar's version, by name."""
    @property
    def rule_code(self) -> str | None:
        """The rule of the due date; without one there is none."""
    @property
    def rule_version(self) -> str | None:
        """The rule's version."""
    @property
    def rule_id(self) -> UUID | None:
        """The rule, if it is one of the organization's own."""
    @property
    def base_days(self) -> int | None:
        """How many days the rule gives."""
    @property
    def extension_days(self) -> int:
        """How many days were added by extensions."""
    @property
    def due_on(self) -> date | None:
        """The civil date by whose end it is to be answered; absent without a rule, and while the clock stands."""
    @property
    def paused_since(self) -> date | None:
        """The civil date since which the clock stands, because something is missing."""
    @property
    def silence(self) -> Literal["none", "positive", "negative"]:
        """What it means in law when no answer is given in time."""
    @property
    def answer(self) -> str | None:
        """The last answer; all of them are in the events."""
    @property
    def answered_on(self) -> date | None:
        """The civil date of the first answer since it came in or was reopened."""
    @property
    def first_answered_on(self) -> date | None:
        """The civil date of its very first answer."""
    @property
    def answer_days(self) -> int | None:
        """How many business days the very first answer took, days on which the clock stood left out."""
    @property
    def answered_late(self) -> bool | None:
        """Whether an answer was late: the first one since it came in, was reopened or appealed came after the due date. Once late, it stays so."""
    @property
    def notified_on(self) -> date | None:
        """The civil date on which the contact was told of the answer."""
    @property
    def closed_on(self) -> date | None:
        """The civil date on which it was closed."""
    @property
    def external_id(self) -> str | None:
        """The id in the system that it was imported from."""
    @property
    def version(self) -> int:
        """Counts the changes, from 1."""
    @property
    def created_at(self) -> datetime:
        """When it was created."""
    @property
    def created_by(self) -> UUID | None:
        """Who created it."""
    @property
    def updated_at(self) -> datetime:
        """When it was last changed."""

@final
class CaseEvent(Record):
    """A step of a case."""

    __match_args__ = (
        "id",
        "case_id",
        "kind",
        "at",
        "on",
        "by_id",
        "text",
        "from_due_on",
        "to_due_on",
        "assignee_id",
        "days",
    )
    @property
    def id(self) -> UUID:
        """Names the record."""
    @property
    def case_id(self) -> UUID:
        """Of which case."""
    @property
    def kind(self) -> Literal["received", "assigned", "incomplete_notice", "completed", "transferred", "extended", "answered", "notified", "reopened", "appealed", "closed", "recomputed"]:
        """What happened."""
    @property
    def at(self) -> datetime:
        """When it was written down; later than the step before it, even if the clock went back."""
    @property
    def on(self) -> date:
        """The civil date, in the zone of the case's calendar; of a receipt, that on which the case came in."""
    @property
    def by_id(self) -> UUID | None:
        """Who did it; the system has no id."""
    @property
    def text(self) -> str | None:
        """The answer, the reason, the proof, what is missing, the other office."""
    @property
    def from_due_on(self) -> date | None:
        """The due date before it."""
    @property
    def to_due_on(self) -> date | None:
        """The due date after it."""
    @property
    def assignee_id(self) -> UUID | None:
        """Who works on the case since then."""
    @property
    def days(self) -> int | None:
        """How many days an extension added."""

@final
class CaseRule(Record):
    """How long the organization has to answer cases of a topic, by its own rule."""

    __match_args__ = (
        "id",
        "code",
        "rule_version",
        "topic",
        "jurisdiction",
        "regime",
        "base_days",
        "unit",
        "start",
        "largest_extension",
        "silence",
        "valid_from",
        "valid_until",
        "source",
        "notes",
        "version",
        "created_at",
        "created_by",
        "updated_at",
    )
    @property
    def id(self) -> UUID:
        """Names the record."""
    @property
    def code(self) -> str:
        """Its name."""
    @property
    def rule_version(self) -> str:
        """Tells the rules of one name apart."""
    @property
    def topic(self) -> Literal["general", "information", "consultation", "utilities", "data_consultation", "data_claim"]:
        """For which topic."""
    @property
    def jurisdiction(self) -> str | None:
        """Whose law it is."""
    @property
    def regime(self) -> str | None:
        """Which body of rules it belongs to."""
    @property
    def base_days(self) -> int:
        """How many days there are, 1 to 1,000."""
    @property
    def unit(self) -> Literal["business", "calendar"]:
        """Which days count."""
    @property
    def start(self) -> Literal["next_business_day", "next_day", "same_day"]:
        """Which day is the first."""
    @property
    def largest_extension(self) -> str:
        """How far a case may be extended: `none`, a number of days, or a factor such as `x2`."""
    @property
    def silence(self) -> Literal["none", "positive", "negative"]:
        """What it means in law when no answer is given in time."""
    @property
    def valid_from(self) -> date:
        """The first day of receipt that it governs."""
    @property
    def valid_until(self) -> date | None:
        """The last day of receipt that it governs; absent while it is in force."""
    @property
    def source(self) -> str:
        """Where it is written."""
    @property
    def notes(self) -> str | None:
        """What else is to be known."""
    @property
    def version(self) -> int:
        """Counts the changes, from 1."""
    @property
    def created_at(self) -> datetime:
        """When it was created."""
    @property
    def created_by(self) -> UUID | None:
        """Who created it."""
    @property
    def updated_at(self) -> datetime:
        """When it was last changed."""

@final
class Calendar(Record):
    """A state of the organization's business calendar."""

    __match_args__ = (
        "id",
        "revision",
        "is_current",
        "code",
        "base",
        "zone",
        "week",
        "topic",
        "days",
        "version",
        "created_at",
        "created_by",
        "updated_at",
    )
    @property
    def id(self) -> UUID:
        """Names the record."""
    @property
    def revision(self) -> int:
        """Counts the states, from 1."""
    @property
    def is_current(self) -> bool:
        """Whether it is the current state."""
    @property
    def code(self) -> str:
        """What the organization calls its calendar."""
    @property
    def base(self) -> str | None:
        """The country whose public holidays apply: BR, CO, ES, RU or VE. Its deadline rules apply too, which are built in for CO only; without one there are none but the organization's own."""
    @property
    def zone(self) -> str:
        """The zone of its days and hours."""
    @property
    def week(self) -> str:
        """When the office is open."""
    @property
    def topic(self) -> Literal["general", "information", "consultation", "utilities", "data_consultation", "data_claim"]:
        """What new cases are about in law unless they say so."""
    @property
    def days(self) -> list[dict[str, Any]]:
        """The days that differ from the week and the public holidays, a JSON array in order: `on`, `kind` and `name`."""
    @property
    def version(self) -> int:
        """Counts the changes, from 1."""
    @property
    def created_at(self) -> datetime:
        """When it was created."""
    @property
    def created_by(self) -> UUID | None:
        """Who created it."""
    @property
    def updated_at(self) -> datetime:
        """When it was last changed."""

@final
class Task(Record):
    """Something to be done."""

    __match_args__ = (
        "id",
        "title",
        "contact_id",
        "lead_id",
        "deal_id",
        "invoice_id",
        "case_id",
        "description",
        "due_on",
        "due_at",
        "assignee_id",
        "status",
        "done_at",
        "version",
        "created_at",
        "created_by",
        "updated_at",
    )
    @property
    def id(self) -> UUID:
        """Names the record."""
    @property
    def title(self) -> str:
        """What is to be done, in one line."""
    @property
    def contact_id(self) -> UUID | None:
        """The contact that it is about."""
    @property
    def lead_id(self) -> UUID | None:
        """The lead that it is about."""
    @property
    def deal_id(self) -> UUID | None:
        """The deal that it is about."""
    @property
    def invoice_id(self) -> UUID | None:
        """The invoice that it is about."""
    @property
    def case_id(self) -> UUID | None:
        """The case that it is about."""
    @property
    def description(self) -> str | None:
        """What else is to be known."""
    @property
    def due_on(self) -> date | None:
        """The civil date by whose end it is to be done."""
    @property
    def due_at(self) -> datetime | None:
        """The instant by which it is to be done, in place of a date."""
    @property
    def assignee_id(self) -> UUID:
        """Who is to do it."""
    @property
    def status(self) -> Literal["open", "done", "cancelled"]:
        """Where it stands."""
    @property
    def done_at(self) -> datetime | None:
        """When it was done, if it is."""
    @property
    def version(self) -> int:
        """Counts the changes, from 1."""
    @property
    def created_at(self) -> datetime:
        """When it was created."""
    @property
    def created_by(self) -> UUID | None:
        """Who created it."""
    @property
    def updated_at(self) -> datetime:
        """When it was last changed."""

@final
class Interaction(Record):
    """Something that was said or done about a record."""

    __match_args__ = (
        "id",
        "contact_id",
        "lead_id",
        "deal_id",
        "invoice_id",
        "case_id",
        "kind",
        "occurred_at",
        "notes",
        "author_id",
    )
    @property
    def id(self) -> UUID:
        """Names the record."""
    @property
    def contact_id(self) -> UUID | None:
        """The contact that it is about."""
    @property
    def lead_id(self) -> UUID | None:
        """The lead that it is about."""
    @property
    def deal_id(self) -> UUID | None:
        """The deal that it is about."""
    @property
    def invoice_id(self) -> UUID | None:
        """The invoice that it is about."""
    @property
    def case_id(self) -> UUID | None:
        """The case that it is about."""
    @property
    def kind(self) -> Literal["call", "email", "meeting", "message", "visit", "note", "comment"]:
        """How people met."""
    @property
    def occurred_at(self) -> datetime:
        """When it happened; not in the future."""
    @property
    def notes(self) -> str:
        """What was said, in 5 to 10,000 characters."""
    @property
    def author_id(self) -> UUID:
        """Who wrote it down."""

@final
class ApiKey(Record):
    """A key by which a program works in an organization."""

    __match_args__ = (
        "id",
        "alias",
        "prefix",
        "user_id",
        "role",
        "scopes",
        "expires_at",
        "revoked_at",
        "version",
        "created_at",
        "created_by",
        "updated_at",
    )
    @property
    def id(self) -> UUID:
        """Names the record."""
    @property
    def alias(self) -> str:
        """What people call it; one key in force has a name."""
    @property
    def prefix(self) -> str:
        """The part of its text that may be seen."""
    @property
    def user_id(self) -> UUID:
        """For whom it works: the member who made it."""
    @property
    def role(self) -> Literal["owner", "admin", "manager", "member", "viewer"]:
        """In which role."""
    @property
    def scopes(self) -> str:
        """What of that it may do."""
    @property
    def expires_at(self) -> datetime | None:
        """From when on it does not work any more."""
    @property
    def revoked_at(self) -> datetime | None:
        """When it was revoked."""
    @property
    def version(self) -> int:
        """Counts the changes, from 1."""
    @property
    def created_at(self) -> datetime:
        """When it was created."""
    @property
    def created_by(self) -> UUID | None:
        """Who created it."""
    @property
    def updated_at(self) -> datetime:
        """When it was last changed."""
    @property
    def last_used_at(self) -> datetime | None:
        """When it was last used, to the minute; absent before its first use."""

@final
class ApiRequest(Record):
    """One command that an API key asked for."""

    __match_args__ = (
        "id",
        "key_id",
        "at",
        "operation",
        "name",
        "email",
        "application_id",
        "outcome",
    )
    @property
    def id(self) -> UUID:
        """Names the record."""
    @property
    def key_id(self) -> UUID:
        """Which key."""
    @property
    def at(self) -> datetime:
        """When."""
    @property
    def operation(self) -> str:
        """What, as in the policy."""
    @property
    def name(self) -> str | None:
        """Who asked, as the program says."""
    @property
    def email(self) -> str | None:
        """Their address, as the program says."""
    @property
    def application_id(self) -> str | None:
        """Which program, as it says."""
    @property
    def outcome(self) -> str:
        """`ok`, or the code of the error."""

@final
class Invitation(Record):
    """An invitation to become a member."""

    __match_args__ = (
        "id",
        "email",
        "role",
        "prefix",
        "invited_by",
        "expires_at",
        "ended",
        "ended_at",
        "version",
        "created_at",
        "created_by",
        "updated_at",
    )
    @property
    def id(self) -> UUID:
        """Names the record."""
    @property
    def email(self) -> str:
        """Who is invited."""
    @property
    def role(self) -> Literal["owner", "admin", "manager", "member", "viewer"]:
        """To which role."""
    @property
    def prefix(self) -> str:
        """The part of its text that may be seen."""
    @property
    def invited_by(self) -> UUID:
        """Who invites."""
    @property
    def expires_at(self) -> datetime:
        """From when on it does not stand any more."""
    @property
    def ended(self) -> Literal["accepted", "declined", "withdrawn"] | None:
        """How it ended, if it was answered or withdrawn."""
    @property
    def ended_at(self) -> datetime | None:
        """When it ended so."""
    @property
    def version(self) -> int:
        """Counts the changes, from 1."""
    @property
    def created_at(self) -> datetime:
        """When it was created."""
    @property
    def created_by(self) -> UUID | None:
        """Who created it."""
    @property
    def updated_at(self) -> datetime:
        """When it was last changed."""
