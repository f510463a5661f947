"""Reports and findings: plain, frozen data.

Amounts are :class:`~crm_py.Money`, figures are per currency, and amounts of different currencies are never added.
``to_dict()`` gives nested dictionaries, for JSON and data frames.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from ._crm_py import CaseEvent, Interaction, Money, StageChange, Task

__all__ = [
    "Ageing",
    "AgeingRow",
    "AnswerTimes",
    "CalendarDay",
    "CalendarUsed",
    "CaseCount",
    "CaseMonth",
    "CaseReport",
    "Cohort",
    "CohortStage",
    "CollectionFigures",
    "CollectionRow",
    "Collections",
    "ContactFigures",
    "ConversionPlan",
    "DaysToPay",
    "DaysToPayFigures",
    "DaysToPayRow",
    "DeadlineRule",
    "DealRow",
    "DealTotals",
    "Debtor",
    "Debtors",
    "DebtorsCurrency",
    "Erased",
    "Explanation",
    "Figures",
    "Finding",
    "Forecast",
    "ForecastFigures",
    "ForecastMonth",
    "Funnel",
    "FunnelStage",
    "ImportReport",
    "Kept",
    "KeyUsage",
    "LeadCounts",
    "LeadRow",
    "Ledger",
    "Machine",
    "Move",
    "MovedCase",
    "Pause",
    "Problem",
    "QuotaLeft",
    "Recomputed",
    "RecordChange",
    "Revenue",
    "RevenueFigures",
    "RevenueMonth",
    "RevenueProduct",
    "SkippedDay",
    "StageTime",
    "Statement",
    "StatementCurrency",
    "StatementEntry",
    "Summary",
    "TaxRow",
    "Taxes",
    "TimelineItem",
    "Velocity",
    "Verification",
    "WaitingCases",
]


@dataclass(frozen=True, slots=True)
class _Report:
    def to_dict(self) -> dict[str, Any]:
        """The report as nested dictionaries and tuples."""
        return dataclasses.asdict(self)


@dataclass(frozen=True, slots=True)
class Figures(_Report):
    """The figures of one currency. Billed = paid + offset + pending + uncollectible."""

    currency: str
    invoices: int
    """How many invoices were issued, void ones left out unless asked for."""
    billed: Money
    paid: Money
    offset: Money
    """What credit notes took off what was due."""
    pending: Money
    overdue: Money
    """What of the pending amount is past its due date."""
    uncollectible: Money
    void: Money
    """What was billed and withdrawn again."""
    credit: Money
    """What was received and settles no invoice."""


@dataclass(frozen=True, slots=True)
class ContactFigures(_Report):
    """One contact's figures in one currency."""

    contact_id: UUID
    contact: str
    email: str | None
    figures: Figures


@dataclass(frozen=True, slots=True)
class Summary(_Report):
    """R1: what was billed, paid and is due."""

    as_of: date
    contacts: int
    """How many contacts are not archived."""
    totals: tuple[Figures, ...]
    """The figures of each currency, by its code."""
    per_contact: tuple[ContactFigures, ...] | None

    def total(self, currency: str) -> Figures:
        """The figures of one currency; :class:`KeyError` when there are none."""
        for figures in self.totals:
            if figures.currency == currency:
                return figures
        raise KeyError(currency)


@dataclass(frozen=True, slots=True)
class AgeingRow(_Report):
    """What is due in one currency, by how late it is; of one contact, or of all."""

    contact_id: UUID | None
    contact: str | None
    currency: str
    current: Money
    days_1_30: Money
    days_31_60: Money
    days_61_90: Money
    days_over_90: Money
    total: Money


@dataclass(frozen=True, slots=True)
class Ageing(_Report):
    """R2: what is due, by how late it is. The buckets add up to the open balances."""

    as_of: date
    totals: tuple[AgeingRow, ...]
    per_contact: tuple[AgeingRow, ...] | None


@dataclass(frozen=True, slots=True)
class StatementEntry(_Report):
    """One entry of a statement."""

    on: date
    kind: str
    reference: str | None
    amount: Money
    """What it adds to what is owed; payments take away."""
    balance: Money


@dataclass(frozen=True, slots=True)
class StatementCurrency(_Report):
    """The part of a statement in one currency."""

    currency: str
    opening: Money
    entries: tuple[StatementEntry, ...]
    closing: Money


@dataclass(frozen=True, slots=True)
class Statement(_Report):
    """R3: what a contact was billed and paid over a period, with the balances before and after."""

    contact_id: UUID
    contact: str
    from_: date
    to: date
    currencies: tuple[StatementCurrency, ...]


@dataclass(frozen=True, slots=True)
class Ledger(_Report):
    """Everything on a contact's account, or what of it falls between two days."""

    contact_id: UUID
    contact: str
    from_: date | None
    to: date | None
    currencies: tuple[StatementCurrency, ...]


@dataclass(frozen=True, slots=True)
class RevenueFigures(_Report):
    """What was sold in one currency. Net = invoiced - void - credited, all before tax."""

    currency: str
    invoiced: Money
    void: Money
    credited: Money
    net: Money
    tax: Money
    """The tax on what is left."""
    total: Money


@dataclass(frozen=True, slots=True)
class RevenueMonth(_Report):
    """The revenue of a month in one currency."""

    month: date
    """Its first day."""
    figures: RevenueFigures


@dataclass(frozen=True, slots=True)
class RevenueProduct(_Report):
    """The revenue of a product in one currency; of the lines without one, if there is none."""

    product_id: UUID | None
    product: str | None
    sku: str | None
    quantity: Decimal
    figures: RevenueFigures


@dataclass(frozen=True, slots=True)
class Revenue(_Report):
    """What was sold over a period: what was invoiced less what was withdrawn and credited."""

    from_: date | None
    to: date | None
    totals: tuple[RevenueFigures, ...]
    """The figures of each currency, by its code."""
    by_month: tuple[RevenueMonth, ...] | None
    by_product: tuple[RevenueProduct, ...] | None


@dataclass(frozen=True, slots=True)
class CollectionFigures(_Report):
    """The money that came in in one currency. Net = received - reversed - refunded."""

    currency: str
    payments: int
    """How many were received."""
    received: Money
    reversed: Money
    refunded: Money
    net: Money


@dataclass(frozen=True, slots=True)
class CollectionRow(_Report):
    """What came in in a month by a method, in one currency."""

    month: date
    """Its first day."""
    method: str | None
    figures: CollectionFigures


@dataclass(frozen=True, slots=True)
class Collections(_Report):
    """The money that came in and went out again over a period."""

    from_: date | None
    to: date | None
    totals: tuple[CollectionFigures, ...]
    rows: tuple[CollectionRow, ...]


@dataclass(frozen=True, slots=True)
class TaxRow(_Report):
    """The taxes at one rate in one currency; of a month, or of the whole period."""

    month: date | None
    percent: Decimal
    currency: str
    invoiced: Money
    """Before tax, less what was withdrawn."""
    invoiced_tax: Money
    credited: Money
    credited_tax: Money
    net: Money
    tax: Money


@dataclass(frozen=True, slots=True)
class Taxes(_Report):
    """The taxes on what was sold over a period."""

    from_: date | None
    to: date | None
    totals: tuple[TaxRow, ...]
    months: tuple[TaxRow, ...]


@dataclass(frozen=True, slots=True)
class Debtor(_Report):
    """A contact that owes something."""

    contact_id: UUID
    contact: str
    email: str | None
    pending: Money
    overdue: Money
    credit: Money
    """What payments and credit notes have left, not taken off what is pending."""
    oldest_due_on: date | None
    days_late: int


@dataclass(frozen=True, slots=True)
class DebtorsCurrency(_Report):
    """The contacts that owe something in one currency, those that owe most first."""

    currency: str
    contacts: int
    """How many owe something."""
    pending: Money
    overdue: Money
    debtors: tuple[Debtor, ...]
    """As many as were asked for."""


@dataclass(frozen=True, slots=True)
class Debtors(_Report):
    """The contacts that owe something."""

    as_of: date
    currencies: tuple[DebtorsCurrency, ...]


@dataclass(frozen=True, slots=True)
class DaysToPayFigures(_Report):
    """How long it took until invoices of one currency were paid."""

    currency: str
    invoices: int
    mean_days: Decimal
    """After their issue."""
    mean_days_late: Decimal
    """After their due dates; less than nothing is before."""


@dataclass(frozen=True, slots=True)
class DaysToPayRow(_Report):
    """One contact's figures in one currency."""

    contact_id: UUID
    contact: str
    figures: DaysToPayFigures


@dataclass(frozen=True, slots=True)
class DaysToPay(_Report):
    """How long it took until invoices were paid that were settled in a period."""

    from_: date | None
    to: date | None
    totals: tuple[DaysToPayFigures, ...]
    per_contact: tuple[DaysToPayRow, ...] | None


@dataclass(frozen=True, slots=True)
class LeadRow(_Report):
    """The leads of one status and channel."""

    status: str
    channel: str
    leads: int
    """How many there are."""
    recent: int
    """How many of them are recent."""


@dataclass(frozen=True, slots=True)
class LeadCounts(_Report):
    """R4: the leads as they stand now, archived ones left out."""

    since: datetime
    """After which instant a lead is a recent one."""
    as_of: datetime
    """Up to which instant."""
    leads: int
    """How many there are."""
    recent: int
    """How many of them are recent."""
    rows: tuple[LeadRow, ...]
    """One row for each status and channel, those without a lead too."""


@dataclass(frozen=True, slots=True)
class DealRow(_Report):
    """The deals of one currency, and of one status unless that is ``None``."""

    currency: str
    status: str | None
    deals: int
    """How many."""
    amount: Money
    """What they are worth together."""
    mean: Money | None
    """What they are worth on average, rounded half away from zero; absent without a deal."""
    new: int
    """How many of them are new."""


@dataclass(frozen=True, slots=True)
class DealTotals(_Report):
    """R5: the deals as they stand now, archived ones left out."""

    since: date
    """The first civil day on which a deal is a new one."""
    as_of: date
    """The last."""
    totals: tuple[DealRow, ...]
    """All deals of each currency, by its code."""
    rows: tuple[DealRow, ...]
    """One row for each currency and status, those without a deal too."""


@dataclass(frozen=True, slots=True)
class FunnelStage(_Report):
    """One stage of a funnel."""

    stage_id: UUID
    stage: str
    position: int
    open: int
    """How many open deals are in it."""
    amounts: tuple[Money, ...]
    """What they are worth, by currency."""
    reached: int
    """How many deals reached it: were in it or a later one, or were won."""
    conversion: Decimal | None
    """What part of the deals that reached the stage before reached it; absent in the first, and without any."""


@dataclass(frozen=True, slots=True)
class Funnel(_Report):
    """R6: where the deals of a pipeline stand at the end of a day, and how far all of them had come by then."""

    as_of: date
    pipeline_id: UUID
    pipeline: str
    deals: int
    """How many deals had begun."""
    stages: tuple[FunnelStage, ...]
    won: int
    """How many deals were ever won, opened again or not."""
    won_conversion: Decimal | None
    """What part of the deals that reached the last stage were won; absent without any."""


@dataclass(frozen=True, slots=True)
class CohortStage(_Report):
    """One stage on a cohort's way."""

    stage_id: UUID
    stage: str
    position: int
    reached: int
    """How many deals ever reached it: were in it or a later one, or were won."""
    conversion: Decimal | None
    """What part of the deals that reached the stage before reached it; absent in the first, and without any."""


@dataclass(frozen=True, slots=True)
class Cohort(_Report):
    """R6: how far the deals came that began in a period."""

    from_: date | None
    to: date | None
    pipeline_id: UUID
    pipeline: str
    deals: int
    """How many deals began."""
    stages: tuple[CohortStage, ...]
    won: int
    """How many of the deals are won now."""
    lost: int
    """How many of them are lost now."""
    open: int
    """How many of them are open now."""


@dataclass(frozen=True, slots=True)
class ForecastFigures(_Report):
    """Open deals of one currency."""

    currency: str
    deals: int
    amount: Money
    """What they are worth."""
    weighted: Money
    """What they are likely to bring."""
    unlikely_deals: int
    """How many of them are in a stage without a probability: one of 0. They bring nothing."""
    unlikely: Money
    """What those are worth."""


@dataclass(frozen=True, slots=True)
class ForecastMonth(_Report):
    """What is expected of one month in one currency."""

    month: date
    """The month's first day."""
    figures: ForecastFigures
    """What is expected."""
    won_deals: int
    """How many deals were won in the month up to the end of the date and still are."""
    won: Money
    """What they are worth."""


@dataclass(frozen=True, slots=True)
class Forecast(_Report):
    """R7: what the deals that were open at the end of a day are likely to bring.

    A deal's amount is weighted with its stage's probability and rounded half away from zero; then the deals are summed.
    """

    as_of: date
    months: tuple[ForecastMonth, ...]
    """Deals that are expected to close on the date or later, by month and currency."""
    slipped: tuple[ForecastFigures, ...]
    """Deals that should have closed before the date, by currency."""
    undated: tuple[ForecastFigures, ...]
    """Deals without an expected date, by currency."""
    totals: tuple[ForecastFigures, ...]
    """All open deals, by currency."""


@dataclass(frozen=True, slots=True)
class StageTime(_Report):
    """The visits of one stage."""

    stage_id: UUID
    stage: str
    position: int
    visits: int
    """How many visits: those that ended in the period, and those open at its end."""
    open: int
    """How many of them were open."""
    seconds: int
    """How many seconds they took together."""
    mean_seconds: int | None
    """How many seconds they took on average; absent without one."""


@dataclass(frozen=True, slots=True)
class Velocity(_Report):
    """R8: how fast the deals of a pipeline go. Times are whole seconds, means rounded half away from zero."""

    from_: date | None
    to: date | None
    as_of: datetime
    """The instant at which the period is over, until which open visits last."""
    pipeline_id: UUID
    pipeline: str
    stages: tuple[StageTime, ...]
    won: int
    """How many deals were won in the period and still are."""
    lost: int
    """How many deals were lost in the period and still are."""
    win_rate: Decimal | None
    """What part of both was won; absent without any."""
    mean_cycle_seconds: int | None
    """How many seconds a won deal took from its beginning on average; absent without one."""


@dataclass(frozen=True, slots=True)
class CaseCount(_Report):
    """The cases of one kind, in one status, or by one channel."""

    of: str
    """Which kind, status or channel."""
    cases: int


@dataclass(frozen=True, slots=True)
class CaseMonth(_Report):
    """The cases that came in in one month."""

    month: date
    """The month's first day."""
    cases: int


@dataclass(frozen=True, slots=True)
class AnswerTimes(_Report):
    """How long first answers took, in business days without those on which the case's clock stood."""

    kind: str | None
    """Of which kind of case; all in the overall row."""
    answered: int
    late: int
    """How many came after the due date."""
    mean_days: Decimal | None
    """The mean, rounded half away from zero to six places; absent without an answer."""
    median_days: Decimal | None
    p90_days: int | None
    """The smallest number of days within which nine answers of ten came."""


@dataclass(frozen=True, slots=True)
class WaitingCases(_Report):
    """Cases that wait for an answer."""

    silence: str | None
    """What silence means in law: ``none``, ``positive`` or ``negative``; absent in other rows."""
    assignee_id: UUID | None
    """Who works on them; absent for those of nobody and in other rows."""
    assignee: str | None
    open: int
    overdue: int
    due_today: int
    due_soon: int
    due_later: int
    paused: int
    """How many have a clock that stands, and so no due date."""
    undated: int
    """How many have no rule, and so no due date."""


@dataclass(frozen=True, slots=True)
class CaseReport(_Report):
    """R9: the cases that came in by a day, those answered by then, and those that waited for an answer then."""

    as_of: date
    soon_until: date
    """The last day on which a case is due soon."""
    cases: int
    by_kind: tuple[CaseCount, ...]
    by_status: tuple[CaseCount, ...]
    by_channel: tuple[CaseCount, ...]
    by_month: tuple[CaseMonth, ...]
    answers: AnswerTimes
    answers_by_kind: tuple[AnswerTimes, ...]
    waiting: WaitingCases
    waiting_by_silence: tuple[WaitingCases, ...]
    waiting_by_assignee: tuple[WaitingCases, ...]
    """By name; those of nobody last."""


@dataclass(frozen=True, slots=True)
class DeadlineRule(_Report):
    """How long there is to answer. Information about a law, not legal advice."""

    id: UUID | None
    """The organization's own rule; absent for a built-in one."""
    code: str
    version: str
    jurisdiction: str
    """Whose law it is: an ISO 3166 code."""
    regime: str
    topic: str
    base_days: int
    unit: str
    """``business`` or ``calendar`` days."""
    start: str
    """The first day that can count: ``next_business_day``, ``next_day`` or ``same_day``."""
    largest_extension: str
    """``none``, a number of days, or a factor such as ``x2``."""
    largest_extension_days: int
    silence: str
    """What it means when no answer is given in time: ``none``, ``positive`` or ``negative``."""
    valid_from: date
    valid_until: date | None
    source: str
    """Where it is written."""
    notes: str


@dataclass(frozen=True, slots=True)
class CalendarDay(_Report):
    """What a day is."""

    day: date
    kind: str
    """``business``, ``weekend`` or ``holiday``."""
    name: str | None
    """The holiday's name."""
    counts_on: date
    """The business day on which counts what comes in during it."""
    next_business_day: date


@dataclass(frozen=True, slots=True)
class CalendarUsed(_Report):
    """The calendar of an explanation."""

    code: str
    version: str
    zone: str
    week: str
    """Its opening hours."""


@dataclass(frozen=True, slots=True)
class SkippedDay(_Report):
    """A day that does not count."""

    day: date
    kind: str
    """``weekend``, ``holiday`` or ``paused``; ``business`` before the first day that counts."""
    name: str | None
    """The holiday's name."""


@dataclass(frozen=True, slots=True)
class Pause(_Report):
    """A time for which the clock stood."""

    from_: date
    """The day of the notice, which still counts."""
    to: date | None
    """The last day that does not count; absent while it stands."""


@dataclass(frozen=True, slots=True)
class Explanation(_Report):
    """Why a case is due when it is. ``str()`` of it is text for people."""

    rule: DeadlineRule
    calendar: CalendarUsed
    received_at: datetime
    first_received_at: datetime | None
    """When the case arrived at first, if the term began with an appeal; ``received_at`` is that of the appeal then."""
    arrived_on: date
    """The civil day of the receipt, in the calendar's zone."""
    received_on: date
    """The business day on which it counts."""
    receipt: str
    """Why that day: ``in_time``, ``after_hours`` or ``day_off``."""
    counted: tuple[date, ...]
    """The days that count, in order: the first one is day 1."""
    skipped: tuple[SkippedDay, ...]
    """The days since the receipt that do not count, in order."""
    pauses: tuple[Pause, ...]
    ended_by_closing: tuple[Pause, ...]
    """Those of them that ended because the case was closed, and not by a completion."""
    extension_days: int
    total_days: int
    """How many days there are in all."""
    moved_from: date | None
    """The last day of the count, if it has no business and the due date was moved."""
    due_on: date | None
    """Absent while the clock stands."""
    disclaimer: str
    text: str = dataclasses.field(repr=False)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class MovedCase(_Report):
    """A case whose due date is another one by the calendar as it is now, or follows its completion."""

    case_id: UUID
    number: str | None
    calendar_version: str
    """The version of the calendar that it keeps."""
    paused_since: date | None
    """Since when its clock stands; its due date follows the completion then."""
    from_due_on: date | None
    to_due_on: date | None


@dataclass(frozen=True, slots=True)
class Recomputed(_Report):
    """What the calendar as it is now makes of open cases, and rules of those that have none."""

    calendar_version: str
    cases: int
    """How many open cases keep another state of the calendar, or have no rule and could get one."""
    moved: tuple[MovedCase, ...]
    applied: bool


@dataclass(frozen=True, slots=True)
class Finding(_Report):
    """Something that is not as it was written."""

    entity: str
    id: UUID | None
    seq: int | None
    problem: str


@dataclass(frozen=True, slots=True)
class Verification(_Report):
    """What a check of the audit found."""

    head: str
    """The chain's end, ``SEQ:HASH``. Keep it elsewhere, and a later check given it finds a cut tail."""
    entries: int
    unsealed: int
    records: int
    problems: int
    findings: tuple[Finding, ...]
    """The first problems."""

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return self.problems == 0


@dataclass(frozen=True, slots=True)
class Problem(_Report):
    """One thing that is wrong with a row of a file."""

    line: int
    """The line at which the row begins; the header's is 1."""
    field: str
    """The field; ``row`` for the row as a whole."""
    reason: str
    got: str
    """The cell's text, shortened."""


@dataclass(frozen=True, slots=True)
class ImportReport(_Report):
    """What came of an import."""

    read: int
    """How many rows were read, those of a file of lines left out."""
    created: int
    updated: int
    unchanged: int
    refused: int
    problems: tuple[Problem, ...]
    """What is wrong with the refused rows: the first thousand problems."""
    further_problems: int
    warnings: tuple[Problem, ...]
    """What was kept although something is wrong with it: the first thousand."""
    further_warnings: int
    dry_run: bool
    written: bool
    """Whether it was written: not in a dry run, and not when a row was refused, unless asked to skip those."""


@dataclass(frozen=True, slots=True)
class ConversionPlan(_Report):
    """What the conversion of a lead would do."""

    contact_id: UUID
    """With whom the deal will be."""
    company_id: UUID | None
    """The company that the contact is or works for, if it is known."""
    deal_id: UUID | None
    """The deal that the lead would be linked to; a new one is made otherwise."""
    fields: dict[str, Any] | None
    """The new deal's fields."""
    missing: tuple[str, ...]
    """The new deal's fields that must be given first."""
    duplicates: tuple[UUID, ...]
    """Open deals with the same contact or its company, which may be the same matter."""


@dataclass(frozen=True, slots=True)
class RecordChange(_Report):
    """A change of a record, as its timeline tells of it: to which fields, but no values."""

    id: UUID
    """Names the entry of the audit."""
    entity: str
    """What kind of record was changed."""
    record_id: UUID
    """Which record."""
    actor_id: UUID | None
    """Who did it; the system has no id."""
    command: str
    """The command that did it."""
    fields: tuple[str, ...]
    """The names of the fields that were set or changed; none once their values are erased."""


@dataclass(frozen=True, slots=True)
class TimelineItem(_Report):
    """One item of a timeline."""

    at: datetime
    """When it happened."""
    kind: str
    """What happened: ``interaction``, ``task``, ``stage_change``, ``case_event`` or ``change``."""
    record: Interaction | Task | StageChange | CaseEvent | RecordChange
    """What was written down of it; a task stands as it is now."""


@dataclass(frozen=True, slots=True)
class Move(_Report):
    """One move of a state machine."""

    from_: str
    """From which state."""
    event: str
    """What happens."""
    to: str
    """To which state."""
    operation: str
    """The operation of the policy that allows it."""
    roles: tuple[str, ...]
    """The roles that may make it; members perhaps on their own records only."""
    effect: str
    """What else is asked for or changes."""


@dataclass(frozen=True, slots=True)
class Machine(_Report):
    """What can happen to the status of one kind of record."""

    name: str
    """That of the entity, or of what else it rules."""
    states: tuple[str, ...]
    """Every state, the first one first."""
    moves: tuple[Move, ...]
    """Every move. A state and an event lead to one state at most."""
    dot: str = dataclasses.field(repr=False)
    """The machine as a graph in the language of Graphviz."""
    mermaid: str = dataclasses.field(repr=False)
    """The machine as a state diagram of Mermaid."""


@dataclass(frozen=True, slots=True)
class QuotaLeft(_Report):
    """What is left of a quota of an API key."""

    operation: str
    """What, such as ``contact.create``."""
    limit: int
    """How often in one UTC day."""
    used: int
    remaining: int
    resets_at: datetime
    """When the next day begins."""


@dataclass(frozen=True, slots=True)
class KeyUsage(_Report):
    """How often an API key did in one UTC day what it has a quota of."""

    day: date
    key_id: UUID
    alias: str
    operation: str
    used: int
    per_day: int | None
    """How often it may do it in one day, at present; ``None``: without limit."""
    resets_at: datetime
    """When the day ends."""


@dataclass(frozen=True, slots=True)
class Kept(_Report):
    """Records that an erasure kept as they are."""

    entity: str
    records: int
    reason: str
    """Why they are kept."""


@dataclass(frozen=True, slots=True)
class Erased(_Report):
    """What an erasure did."""

    erased: dict[str, int]
    """How many records of each entity were erased; none the second time."""
    deleted_before: int
    """How many records that had been deleted before are forgotten by the audit as well."""
    kept: list[Kept]
    """What is kept, and why."""
    purged: bool
    """Whether nothing of it is left in the book's files; otherwise :meth:`Privacy.purge` later."""
