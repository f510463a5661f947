"""Cases: their steps, their due dates, the calendar, the rules, the report."""

from __future__ import annotations

import pickle
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

import crm_py
from crm_py import Case, Conflict, Contact, Duplicate, NotFound, PermissionDenied, RuleError, Session, ValidationError
from crm_py.reports import SkippedDay

HOLY_WEEK = datetime(2025, 4, 12, 1, 30, tzinfo=UTC)
"""Friday before Holy Week at half past eight in the evening, in Bogotá."""


@pytest.fixture
def eva(org: Session) -> Contact:
    org.calendar.set(base="CO", zone="America/Bogota", topic="utilities")
    return org.contacts.create(kind="person", given_name="Eva", email="eva@x.example", account_number="4711")


def opened(org: Session, contact: Contact | str = "eva@x.example", **more: Any) -> Case:
    fields: dict[str, Any] = {
        "kind": "claim",
        "subject": "The bill of March",
        "description": "It counts water that I did not use.",
    }
    return org.cases.open(contact=contact, **(fields | more))


def test_a_case_goes_from_its_receipt_to_its_end(org: Session, eva: Contact) -> None:
    case = opened(org, channel="web", received_at=HOLY_WEEK, key="k")
    assert opened(org, channel="web", received_at=HOLY_WEEK, key="k") == case
    assert (case.status, case.topic, case.rule_code, case.base_days, case.silence) == (
        "received",
        "utilities",
        "CO-UTILITIES",
        15,
        "positive",
    )
    assert (case.received_on, case.received_month, case.due_on) == (
        date(2025, 4, 14),
        date(2025, 4, 1),
        date(2025, 5, 8),
    )
    assert case.number is not None and case.number.startswith("PQR-")
    assert (case.display_name, case.account_number, case.contact_id) == (case.number, "4711", eva.id)
    assert org.cases.get(case.number) == case
    assert pickle.loads(pickle.dumps(case)) == case

    case = org.cases.assign(case, org.user)
    assert (case.status, case.assignee_id) == ("in_progress", org.user.id)
    assert org.cases.assign(case, None).assignee_id is None
    case = org.cases.transfer(org.cases.assign(case, org.user.email), "Public Works")
    note = org.cases.note(case, "She called again")
    assert (note.kind, note.case_id, note.notes) == ("note", case.id, "She called again")
    with pytest.raises(RuleError, match="was due on 2025-05-08"):
        org.cases.extend(case, "The laboratory needs longer", days=1)
    answered = org.cases.answer(case, "The bill is corrected.")
    assert (answered.status, answered.answer, answered.answered_late) == ("answered", "The bill is corrected.", True)
    assert answered.answered_on is not None and answered.answer_days is not None and answered.answer_days > 15
    told = org.cases.notify(answered, "Guide 700123")
    assert told.notified_on is not None
    again = org.cases.reopen(told, "The wrong bill was corrected")
    assert (again.status, again.answered_on, again.due_on) == ("in_progress", None, case.due_on)
    appealed = org.cases.appeal(org.cases.answer(again, "So be it."), "April is wrong too")
    assert appealed.due_on is not None and appealed.due_on > datetime.now(UTC).date()
    with pytest.raises(ValidationError) as refused:
        org.cases.close(appealed)
    assert refused.value.field == "reason"
    closed = org.cases.close(appealed, "She withdrew it")
    assert (closed.status, closed.answer) == ("closed", "So be it.")
    events = org.cases.events(closed.id)
    assert [event.kind for event in events] == [
        "received",
        "assigned",
        "assigned",
        "assigned",
        "transferred",
        "answered",
        "notified",
        "reopened",
        "answered",
        "appealed",
        "closed",
    ]
    assert [event.text for event in events if event.kind == "answered"] == ["The bill is corrected.", "So be it."]
    assert org.case_events.count(case=closed, kind="answered") == 2
    kinds = [item.kind for item in org.timeline(closed)]
    assert (kinds.count("case_event"), kinds.count("interaction")) == (11, 1)
    task = org.tasks.create(title="Read the meter", case=closed)
    assert task.case_id == closed.id
    assert org.audit.verify().ok


def test_an_explanation_tells_every_day(org: Session, eva: Contact) -> None:
    case = opened(org, received_at=HOLY_WEEK)
    told = org.cases.explain(case)
    assert (told.rule.code, told.rule.id, told.calendar.zone) == ("CO-UTILITIES", None, "America/Bogota")
    assert (told.arrived_on, told.received_on, told.receipt) == (date(2025, 4, 11), date(2025, 4, 14), "after_hours")
    assert len(told.counted) == told.total_days == 15
    assert (told.counted[0], told.counted[-1], told.due_on) == (date(2025, 4, 15), case.due_on, case.due_on)
    assert SkippedDay(date(2025, 4, 17), "holiday", "Jueves Santo") in told.skipped
    assert SkippedDay(date(2025, 5, 1), "holiday", "Día del Trabajo") in told.skipped
    assert told.pauses == ()
    assert "Thu 2025-04-17  Jueves Santo" in str(told)
    assert "not legal advice" in told.disclaimer
    assert told.to_dict()["rule"]["base_days"] == 15
    paused = org.cases.pause(opened(org), "A photo of the meter")
    told = org.cases.explain(paused)
    assert (told.due_on, paused.due_on) == (None, None)
    assert [pause.to for pause in told.pauses] == [None]
    with pytest.raises(RuleError, match="paused"):
        org.cases.answer(paused, "The bill is corrected.")
    assert org.cases.complete(paused).due_on is not None
    with pytest.raises(RuleError, match="not paused"):
        org.cases.complete(paused, "The photo came")


def test_an_extension_keeps_within_its_rule(org: Session, eva: Contact) -> None:
    case = opened(org, topic="general")
    longer = org.cases.extend(case, "Too much to do", days=5)
    assert longer.extension_days == 5
    assert longer.due_on is not None and case.due_on is not None and longer.due_on > case.due_on
    assert org.cases.extend(opened(org, topic="general"), "Too much to do", to=longer.due_on).extension_days == 5
    with pytest.raises(RuleError, match="11 more days are too many"):
        org.cases.extend(longer, "Too much to do", days=11)
    with pytest.raises(RuleError):
        org.cases.extend(opened(org), "No law allows it", days=1)
    wrong: list[dict[str, Any]] = [{}, {"days": 1, "to": date(2034, 1, 2)}, {"days": 1.5}]
    for given in wrong:
        with pytest.raises(TypeError):
            org.cases.extend(longer, "Too much to do", **given)
    with pytest.raises(ValidationError) as negative:
        org.cases.extend(longer, "Too much to do", days=-1)
    assert negative.value.field == "days"


def test_cases_are_listed_and_changed(org: Session, eva: Contact) -> None:
    late = opened(org, received_at=HOLY_WEEK, external_id="C-1", priority="high")
    new = opened(org, external_id="C-2", assignee=org.user.email)
    assert new.status == "in_progress"
    assert [case.external_id for case in org.cases.list(order_by="received_at")] == ["C-1", "C-2"]
    assert [*org.cases.iter(overdue=True)] == [late]
    assert org.cases.count(open=True, overdue=False) == 1
    assert org.cases.list(due_on__lt=date(2025, 6, 1), assignee=None).first() == late
    assert org.cases.count(contact=eva, assignee=org.user) == 1
    org.cases.answer(late, "The bill is corrected.")
    assert org.cases.count(open=False) == 1
    assert org.cases.update(new, priority="urgent", subject="April").subject == "April"
    with pytest.raises(ValidationError) as fixed:
        org.cases.update(new, topic="general")
    assert fixed.value.field == "topic"
    with pytest.raises(ValidationError):
        opened(org, received_at=datetime(2034, 1, 2, 15, tzinfo=UTC))
    with pytest.raises(ValidationError):
        org.cases.open(kind="claim", contact=eva, subject="X", description="short")
    with pytest.raises(Duplicate):
        opened(org, external_id="C-1")
    with pytest.raises(NotFound):
        org.cases.get("ghost")
    with pytest.raises(NotFound):
        org.cases.explain(uuid4())
    with pytest.raises(TypeError):
        org.cases.answer(eva, "She is no case")  # type: ignore[arg-type]


def test_the_calendar_has_states(org: Session, eva: Contact) -> None:
    calendar = org.calendar.show()
    assert (calendar.revision, calendar.base, calendar.zone) == (2, "CO", "America/Bogota")
    assert calendar.days == []
    day = org.calendar.check(date(2025, 4, 17))
    assert (day.kind, day.name, day.counts_on, day.next_business_day) == (
        "holiday",
        "Jueves Santo",
        date(2025, 4, 21),
        date(2025, 4, 21),
    )
    assert org.calendar.check(date(2025, 4, 19)).kind == "weekend"
    assert org.calendar.check(date(2025, 4, 15)).kind == "business"
    with pytest.raises(RuleError, match="outside the years"):
        org.calendar.check(date(2040, 1, 2))
    assert org.calendar.holidays(from_=date(2025, 4, 1), to=date(2025, 4, 30)) == [
        (date(2025, 4, 17), "Jueves Santo"),
        (date(2025, 4, 18), "Viernes Santo"),
    ]
    case = opened(org, received_at=HOLY_WEEK)
    changed = org.calendar.add_day(date(2025, 4, 16), "The office moves")
    assert changed.days == [{"on": "2025-04-16", "kind": "holiday", "name": "The office moves"}]
    assert org.calendar.add_day(date(2025, 4, 16), "The office moves") == changed
    assert org.cases.get(case).due_on == date(2025, 5, 8)
    found = org.cases.recompute()
    assert (found.cases, found.applied) == (1, False)
    assert [(moved.case_id, moved.from_due_on, moved.to_due_on) for moved in found.moved] == [
        (case.id, date(2025, 5, 8), date(2025, 5, 9))
    ]
    assert org.cases.recompute(apply=True).applied
    assert org.cases.get(case).due_on == date(2025, 5, 9)
    assert org.calendar.remove_day(date(2025, 4, 16)).days == []
    assert org.calendar.add_day(date(2025, 4, 19), "Open", working=True).days[0]["kind"] == "working"
    assert org.calendar.check(date(2025, 4, 19)).kind == "business"
    week = "mon-fri 08:00-12:00 13:00-17:00; sat 08:00-12:00"
    assert org.calendar.set(week=week).week == week
    wrong: list[dict[str, Any]] = [{"week": "mon 12:00-08:00"}, {"base": "DE"}, {"zone": "Bogota"}]
    for fields in wrong:
        with pytest.raises(ValidationError):
            org.calendar.set(**fields)
    states = org.calendar.list(order_by="revision")
    assert [state.revision for state in states] == [1, 2, 3, 4, 5, 6]
    assert [state.is_current for state in states] == [False] * 5 + [True]


def test_an_organization_has_rules_of_its_own(org: Session, eva: Contact) -> None:
    built_in = {rule.code: rule for rule in org.deadline_rules.list()}
    assert built_in["CO-UTILITIES"].source.startswith("Law 142 of 1994")
    assert (built_in["CO-GENERAL"].largest_extension, built_in["CO-GENERAL"].largest_extension_days) == ("x2", 15)
    ours = org.deadline_rules.add(
        code="OURS",
        rule_version="1",
        topic="utilities",
        base_days=8,
        unit="calendar",
        valid_from=date(2025, 1, 1),
        source="Contract, clause 12",
    )
    first = org.deadline_rules.list()[0]
    assert (first.id, first.code, first.base_days, first.unit) == (ours.id, "OURS", 8, "calendar")
    assert opened(org, received_at=HOLY_WEEK).due_on == date(2025, 4, 22)
    with pytest.raises(ValidationError):
        org.deadline_rules.update(ours, base_days=9)
    assert org.deadline_rules.update(ours, valid_until=date(2025, 12, 31)).valid_until == date(2025, 12, 31)
    with pytest.raises(Conflict):
        org.deadline_rules.delete(ours)
    org.calendar.set(base=None)
    assert [rule.code for rule in org.deadline_rules.list()] == ["OURS"]
    assert len(org.deadline_rules.list(all=True)) == len(built_in) + 1
    undated = opened(org)
    assert (undated.due_on, undated.rule_code) == (None, None)
    with pytest.raises(RuleError, match="no deadline rule"):
        org.cases.explain(undated)


def test_the_report_tells_answers_and_what_waits(org: Session, eva: Contact) -> None:
    org.cases.answer(opened(org, received_at=HOLY_WEEK), "The bill is corrected.")
    opened(org, received_at=HOLY_WEEK, kind="petition", channel="phone", assignee=org.user)
    org.cases.pause(opened(org), "A photo of the meter")
    report = org.reports.cases(days=2)
    assert report.cases == 3
    assert {row.of: row.cases for row in report.by_kind if row.cases} == {"petition": 1, "claim": 2}
    assert {row.of: row.cases for row in report.by_status if row.cases} == {"in_progress": 2, "answered": 1}
    assert {row.of: row.cases for row in report.by_channel if row.cases} == {"phone": 1, "other": 2}
    assert (report.by_month[0].month, report.by_month[0].cases) == (date(2025, 4, 1), 2)
    days = report.answers.p90_days
    assert (report.answers.answered, report.answers.late) == (1, 1)
    assert days is not None and report.answers.mean_days == report.answers.median_days == Decimal(days)
    assert (report.waiting.open, report.waiting.overdue, report.waiting.paused) == (2, 1, 1)
    assert {row.silence: row.open for row in report.waiting_by_silence} == {"none": 0, "positive": 2, "negative": 0}
    assert [(row.assignee, row.assignee_id, row.open) for row in report.waiting_by_assignee] == [
        ("Ana", org.user.id, 1),
        (None, None, 1),
    ]
    april = org.reports.cases(from_=date(2025, 4, 1), to=date(2025, 4, 30), as_of=date(2025, 5, 8))
    assert (april.cases, april.answers.answered, april.answers.mean_days) == (2, 0, None)
    assert (april.waiting.open, april.waiting.due_today, april.waiting.overdue) == (2, 2, 0)
    assert april.to_dict()["waiting"]["due_today"] == 2
    with pytest.raises(ValidationError):
        org.reports.cases(days=-1)


def test_roles_decide(database: crm_py.Crm, org: Session, eva: Contact) -> None:
    org.members.add("luis@acme.example", role="member", full_name="Luis")
    luis = database.organization("acme", acting_as="luis@acme.example")
    case = opened(org)
    assert luis.cases.count() == 0
    with pytest.raises(NotFound):
        luis.cases.answer(case, "It is not his")
    org.cases.assign(case, "luis@acme.example")
    assert luis.cases.answer(case, "The bill is corrected.").status == "answered"
    with pytest.raises(PermissionDenied):
        luis.cases.reopen(case, "It was wrong")
    with pytest.raises(PermissionDenied):
        luis.calendar.add_day(date(2026, 7, 6), "Bridge")
    with pytest.raises(PermissionDenied):
        luis.cases.recompute()
    assert luis.calendar.show().base == "CO"
