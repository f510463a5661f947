"""Cases with explained due dates, the business calendar and the deadline rules."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ._collections import BATCH, Collection, Page
from ._crm_py import Calendar, Case, CaseEvent, CaseRule, Interaction
from ._crm_py import Cases as NativeCases
from ._crm_py import Session as NativeSession

if TYPE_CHECKING:
    from datetime import date
    from typing import Unpack
    from uuid import UUID

    from ._crm_py import User
    from ._fields import (
        CalendarFields,
        CalendarFilters,
        CaseEventFilters,
        CaseFields,
        CaseFilters,
        CaseRuleFields,
    )
    from .reports import CalendarDay, DeadlineRule, Explanation, Recomputed


class Cases(Collection[Case]):
    """Petitions, complaints, claims, suggestions and reports, each with the date until which it is to be answered.

    A case is named by itself, its id or its number. Due dates are calculations and not legal advice.
    """

    __slots__ = ("_cases",)
    _entity = "case"

    def __init__(self, native: NativeSession) -> None:
        super().__init__(native)
        self._cases = NativeCases(native)

    def list(
        self,
        *,
        order_by: str | Iterable[str] = (),
        limit: int | None = None,
        after: str | None = None,
        **filters: Unpack[CaseFilters],
    ) -> Page[Case]:
        """A page of cases; ``open=True`` those that wait for an answer, ``overdue=True`` those of them that are late."""
        return self._list(filters, None, order_by, limit, after)

    def iter(
        self, *, order_by: str | Iterable[str] = (), batch: int = BATCH, **filters: Unpack[CaseFilters]
    ) -> Iterator[Case]:
        """All of them, read page by page."""
        return self._iter(filters, None, order_by, batch)

    def count(self, **filters: Unpack[CaseFilters]) -> int:
        """How many there are."""
        return self._native.count(self._entity, dict(filters))

    def open(
        self,
        *,
        assignee: User | UUID | str | None = None,
        key: str | None = None,
        **fields: Unpack[CaseFields],
    ) -> Case:
        """Opens a case: it gets its number, its rule and its due date; at most once for the same ``key``.

        ``topic`` picks the rule; without one it is the calendar's. ``received_at`` is now unless it is given.
        """
        return self._cases.open(dict(fields), assignee=assignee, key=key)

    def update(
        self, case: Case | UUID | str, *, key: str | None = None, **fields: Unpack[CaseFields]
    ) -> Case:
        """Changes the fields that are given; ``None`` clears one. Topic and receipt stay as they are."""
        return self._update(case, fields, key)

    def assign(
        self, case: Case | UUID | str, assignee: User | UUID | str | None, *, key: str | None = None
    ) -> Case:
        """Gives a case to an active member, by e-mail address, id or user; to nobody with ``None``."""
        return self._cases.assign(case, assignee, key=key)

    def transfer(self, case: Case | UUID | str, to: str, *, key: str | None = None) -> Case:
        """Passes a case on to another office, which is told in words; its due date stays."""
        return self._cases.say("transfer", case, to, key=key)

    def note(self, case: Case | UUID | str, notes: str, *, key: str | None = None) -> Interaction:
        """Writes a note about a case, which stands in its timeline."""
        fields = {"case": self.get(case), "kind": "note", "notes": notes}
        noted = self._native.create("interaction", fields, key=key)
        assert isinstance(noted, Interaction)
        return noted

    def pause(self, case: Case | UUID | str, missing: str, *, key: str | None = None) -> Case:
        """Tells the contact what is missing: the clock stops, and there is no due date while it stands."""
        return self._cases.say("pause", case, missing, key=key)

    def complete(self, case: Case | UUID | str, text: str | None = None, *, key: str | None = None) -> Case:
        """Says that what was missing came in: the clock goes on, with the days that were left."""
        return self._cases.say("complete", case, text, key=key)

    def extend(
        self,
        case: Case | UUID | str,
        reason: str,
        *,
        days: int | None = None,
        to: date | None = None,
        key: str | None = None,
    ) -> Case:
        """Gives a case more time, by ``days`` of its rule or ``to`` a day.

        :class:`RuleError` after the due date, and beyond what the rule allows.
        """
        return self._cases.extend(case, reason, days=days, to=to, key=key)

    def answer(self, case: Case | UUID | str, text: str, *, key: str | None = None) -> Case:
        """Answers a case, or answers it further; every answer stays in its events."""
        return self._cases.say("answer", case, text, key=key)

    def notify(self, case: Case | UUID | str, proof: str, *, key: str | None = None) -> Case:
        """Says that the contact was told of the answer, and how that is proved."""
        return self._cases.say("notify", case, proof, key=key)

    def reopen(self, case: Case | UUID | str, reason: str, *, key: str | None = None) -> Case:
        """Opens a case again that was answered or closed; its due date stands. For managers."""
        return self._cases.say("reopen", case, reason, key=key)

    def appeal(self, case: Case | UUID | str, grounds: str, *, key: str | None = None) -> Case:
        """Opens a case again because the contact appeals: a new term begins."""
        return self._cases.say("appeal", case, grounds, key=key)

    def close(self, case: Case | UUID | str, reason: str | None = None, *, key: str | None = None) -> Case:
        """Closes a case; without an answer a reason is needed."""
        return self._cases.say("close", case, reason, key=key)

    def explain(self, case: Case | UUID | str) -> Explanation:
        """Why a case is due when it is, day by day; ``str()`` of it is text for people."""
        return self._cases.explain(case)

    def events(self, case: Case | UUID | str) -> builtins.list[CaseEvent]:
        """The steps of a case, the first one first."""
        return [*CaseEvents(self._native).iter(case=self.get(case), order_by="at")]

    def recompute(self, *, apply: bool = False) -> Recomputed:
        """Which open cases are due on another day by the calendar as it is now.

        Cases without a rule are given one if there is one now. They get that day only with ``apply=True``, all or none,
        and the other cases the calendar. For admins.
        """
        return self._cases.recompute(apply)


class CaseEvents(Collection[CaseEvent]):
    """The steps of all cases; they are written with their case, once."""

    __slots__ = ()
    _entity = "case_event"

    def list(
        self,
        *,
        order_by: str | Iterable[str] = (),
        limit: int | None = None,
        after: str | None = None,
        **filters: Unpack[CaseEventFilters],
    ) -> Page[CaseEvent]:
        """A page of steps."""
        return self._list(filters, None, order_by, limit, after)

    def iter(
        self, *, order_by: str | Iterable[str] = (), batch: int = BATCH, **filters: Unpack[CaseEventFilters]
    ) -> Iterator[CaseEvent]:
        """All of them, read page by page."""
        return self._iter(filters, None, order_by, batch)

    def count(self, **filters: Unpack[CaseEventFilters]) -> int:
        """How many there are."""
        return self._native.count(self._entity, dict(filters))


class BusinessCalendar(Collection[Calendar]):
    """The business calendar by which deadlines are counted, as a series of states of which the last one counts.

    Whatever is set makes the next state; open cases keep theirs until :meth:`Cases.recompute`.
    """

    __slots__ = ("_cases",)
    _entity = "calendar"

    def __init__(self, native: NativeSession) -> None:
        super().__init__(native)
        self._cases = NativeCases(native)

    def show(self) -> Calendar:
        """The calendar as it is now."""
        return self._cases.calendar()

    def list(
        self,
        *,
        order_by: str | Iterable[str] = (),
        limit: int | None = None,
        after: str | None = None,
        **filters: Unpack[CalendarFilters],
    ) -> Page[Calendar]:
        """A page of its states."""
        return self._list(filters, None, order_by, limit, after)

    def set(self, *, key: str | None = None, **fields: Unpack[CalendarFields]) -> Calendar:
        """Changes the country of holidays and rules, the zone, the week or the topic of new cases. For admins.

        A week is written as ``mon-fri 08:00-12:00 13:00-17:00; sat 08:00-12:00``.
        """
        return self._cases.set_calendar(dict(fields), key=key)

    def add_day(self, on: date, name: str, *, working: bool = False, key: str | None = None) -> Calendar:
        """Makes a day a holiday, or a working day whatever the week and the country say. For admins."""
        return self._cases.set_day(on, name=name, working=working, key=key)

    def remove_day(self, on: date, *, key: str | None = None) -> Calendar:
        """Lets a day be what the week and the public holidays make it. For admins."""
        return self._cases.clear_day(on, key=key)

    def check(self, day: date) -> CalendarDay:
        """What a day is; :class:`RuleError` outside the years whose holidays are known."""
        return self._cases.check_day(day)

    def holidays(self, *, from_: date, to: date) -> builtins.list[tuple[date, str]]:
        """The holidays of a period, both days included, with their names."""
        return self._cases.holidays(from_, to)


class DeadlineRules(Collection[CaseRule]):
    """How long there is to answer cases. Information from public sources, not legal advice.

    The built-in rules of the calendar's country are in force for a topic unless the organization has a rule of its own
    for it. A rule of its own is never changed, because cases rest on it: it is given an end, and another one begins.
    """

    __slots__ = ("_cases",)
    _entity = "case_rule"

    def __init__(self, native: NativeSession) -> None:
        super().__init__(native)
        self._cases = NativeCases(native)

    def list(self, *, all: bool = False) -> builtins.list[DeadlineRule]:
        """The organization's own, which have an ``id``, then those built in for its calendar's country or, with
        ``all=True``, for every country.
        """
        return self._cases.rules(all)

    def add(self, *, key: str | None = None, **fields: Unpack[CaseRuleFields]) -> CaseRule:
        """Adds a rule of the organization's own. For admins."""
        return self._create(fields, key)

    def update(
        self, rule: CaseRule | UUID | str, *, key: str | None = None, **fields: Unpack[CaseRuleFields]
    ) -> CaseRule:
        """Gives a rule of the organization's own an end, ``valid_until``, or notes. For admins."""
        return self._update(rule, fields, key)

    def delete(self, rule: CaseRule | UUID | str, *, key: str | None = None) -> CaseRule:
        """Deletes a rule of the organization's own; :class:`Conflict` while cases rest on it. For admins."""
        return self._act("delete", rule, key)
