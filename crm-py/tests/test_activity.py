"""Tasks, interactions, and the timelines that show them."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

import crm_py
from crm_py import Contact, Interaction, NotFound, Page, PermissionDenied, Session, StageChange, Task, ValidationError
from crm_py.reports import RecordChange, TimelineItem

SOON = timedelta(days=3)


@pytest.fixture
def eva(org: Session) -> Contact:
    return org.contacts.create(kind="person", given_name="Eva", email="eva@x.example")


def test_a_task_goes_through_its_life(org: Session, eva: Contact) -> None:
    due = datetime.now(UTC) + SOON
    task = org.tasks.create(title="Call Eva", contact="eva@x.example", due_at=due)
    assert (task.contact_id, task.assignee_id, task.status, task.due_at) == (eva.id, org.user.id, "open", due)
    assert (task.display_name, task.done_at) == ("Call Eva", None)
    task = org.tasks.update(task, due_at=None, due_on=due.date(), description="about the chairs")
    assert (task.due_at, task.due_on, task.version) == (None, due.date(), 2)
    done = org.tasks.complete(task)
    assert done.status == "done"
    assert done.done_at is not None
    assert org.tasks.complete(done) == done
    with pytest.raises(crm_py.RuleError):
        org.tasks.cancel(done)
    assert org.tasks.reopen(done.id).done_at is None
    assert org.tasks.cancel(task).status == "cancelled"
    deal = org.deals.create(title="x")
    task = org.tasks.update(task, contact=None, deal=deal)
    assert (task.contact_id, task.deal_id) == (None, deal.id)
    assert [found.id for found in org.tasks.list(deal=deal, status="cancelled")] == [task.id]
    assert org.tasks.count(assignee="ana@acme.example") == len([*org.tasks.iter(batch=1)]) == 1
    first = org.tasks.create(title="x", key="once")
    assert org.tasks.create(title="x", key="once") == first
    org.tasks.delete(task)
    with pytest.raises(NotFound):
        org.tasks.get(task)


def test_late_tasks_are_found(org: Session, eva: Contact) -> None:
    late = org.tasks.create(title="late", due_at=datetime.now(UTC), contact=eva)
    org.tasks.create(title="later", due_at=datetime.now(UTC) + SOON)
    org.tasks.create(title="whenever")
    org.tasks.complete(org.tasks.create(title="done", due_at=datetime.now(UTC)))
    assert list(org.tasks.overdue()) == [late]
    assert list(org.tasks.overdue(contact=eva, order_by="-created_at", limit=1)) == [late]
    assert list(org.tasks.overdue(contact=None)) == []
    assert org.tasks.count(overdue=True) == 1
    assert org.tasks.count(overdue=False) == 3
    assert [task.title for task in org.tasks.list(due_at=None)] == ["whenever"]


def test_what_is_no_task_is_refused(org: Session, eva: Contact) -> None:
    def refused(**fields: Any) -> str | None:
        with pytest.raises(ValidationError) as caught:
            org.tasks.create(**fields)
        return caught.value.field

    assert refused() == "title"
    assert refused(title="x", due_on=date(2020, 1, 1)) == "due_on"
    assert refused(title="x", due_at=datetime(2020, 1, 1, tzinfo=UTC)) == "due_at"
    assert refused(title="x", contact=eva, deal=org.deals.create(title="x")) == "deal_id"
    assert refused(title="x", contact=uuid4()) == "contact_id"
    assert refused(title="x", assignee="nobody@acme.example") == "assignee_id"
    assert refused(title="x", status="done") == "status"
    with pytest.raises(TypeError, match="due_on"):
        org.tasks.create(title="x", due_on=datetime.now(UTC))
    with pytest.raises(TypeError, match="time zone"):
        org.tasks.create(title="x", due_at=datetime(2030, 1, 1))
    with pytest.raises(TypeError, match="deal"):
        org.tasks.create(title="x", deal=eva)  # type: ignore[arg-type]
    assert org.tasks.count() == 0


def test_interactions_are_written_once(org: Session, eva: Contact) -> None:
    then = datetime.now(UTC) - SOON
    fields: dict[str, Any] = {"contact": eva, "kind": "call", "notes": "asked for chairs", "occurred_at": then}
    call = org.interactions.log(**fields, key="once")
    assert (call.kind, call.contact_id, call.occurred_at, call.author_id) == ("call", eva.id, then, org.user.id)
    assert org.interactions.log(**fields, key="once") == call
    note = org.interactions.log(contact="eva@x.example", kind="note", notes="likes oak")
    assert list(org.interactions.list(contact=eva, order_by="-occurred_at")) == [note, call]
    assert list(org.interactions.iter(kind__ne="note", occurred_at__lt=note.occurred_at)) == [call]
    assert org.interactions.count(author=org.user) == 2
    assert org.interactions.get(call.id) == call
    for field, wrong in (
        ("subject", {"contact": None}),
        ("notes", {"notes": "oak"}),
        ("kind", {"kind": "stage_change"}),
        ("occurred_at", {"occurred_at": datetime.now(UTC) + SOON}),
        ("author_id", {"author": org.user}),
    ):
        with pytest.raises(ValidationError) as caught:
            org.interactions.log(**(fields | wrong))
        assert caught.value.field == field
    with pytest.raises(PermissionDenied):
        org._native.update("interaction", call, {"notes": "something else"})
    with pytest.raises(PermissionDenied):
        org._native.act("interaction", "delete", call)


def kinds(items: Page[TimelineItem]) -> list[str]:
    return [item.kind for item in items]


def test_a_timeline_tells_everything_newest_first(org: Session, eva: Contact) -> None:
    lead = org.leads.create(contact=eva)
    lead = org.leads.convert(lead, amount=Decimal(5))
    deal = org.deals.list()[0]
    deal = org.deals.move(deal, "proposal")
    task = org.tasks.create(title="Write an offer", deal=deal)
    note = org.interactions.log(deal=deal, kind="note", notes="wants oak")
    deal = org.deals.update(deal, title="Oak chairs")
    items = org.timeline(deal)
    assert kinds(items)[:3] == ["change", "interaction", "task"]
    assert [item.record for item in items[1:3]] == [note, task]
    change = items[0].record
    assert isinstance(change, RecordChange)
    assert (change.entity, change.record_id, change.command) == ("deal", deal.id, "deal.update")
    assert (change.actor_id, change.fields) == (org.user.id, ("title",))
    steps = [item.record for item in items if isinstance(item.record, StageChange)]
    assert steps == org.deals.history(deal)[::-1]
    commands = [item.record.command for item in items if isinstance(item.record, RecordChange)]
    assert commands == ["deal.update", "lead.convert", "lead.create"]
    assert [item.at for item in items] == sorted((item.at for item in items), reverse=True)
    seen: list[TimelineItem] = []
    after: str | None = None
    while True:
        page = org.timeline(deal, limit=2, after=after)
        assert len(page) <= 2
        seen += page
        after = page.next
        if after is None:
            break
    assert seen == list(items)
    invoice = org.invoices.create(contact=eva, lines=[{"description": "x", "quantity": 1, "unit_price": Decimal(1)}])
    assert kinds(org.timeline(invoice)) == kinds(org.timeline(eva)) == ["change"]
    assert kinds(org.timeline(lead)) == ["change", "change"]
    with pytest.raises(ValidationError) as caught:
        org.timeline(eva, after=org.timeline(deal, limit=1).next)
    assert caught.value.field == "after"
    for limit in (0, 1_001, -1):
        with pytest.raises(ValidationError) as caught:
            org.timeline(eva, limit=limit)
        assert caught.value.field == "limit"
    for wrong in (task, eva.id, "eva@x.example", None):
        with pytest.raises(TypeError, match="record"):
            org.timeline(wrong)  # type: ignore[arg-type]
    org.contacts.delete(gone := org.contacts.create(kind="person", given_name="Gone"))
    with pytest.raises(NotFound):
        org.timeline(gone)


def test_records_pickle_copy_and_print(local: Session) -> None:
    eva = local.contacts.create(kind="person", given_name="Eva")
    records: list[Task | Interaction] = [
        local.tasks.create(title="x", contact=eva, due_on=date(2099, 1, 1)),
        local.interactions.log(contact=eva, kind="call", notes="long enough"),
    ]
    for record in records:
        again = pickle.loads(pickle.dumps(record))
        assert (again, type(again), again.to_dict()) == (record, type(record), record.to_dict())
        assert copy.copy(record) is record
        assert repr(record).startswith(f"{type(record).__name__}(id=UUID('{record.id}')")
    items = list(local.timeline(eva))
    assert pickle.loads(pickle.dumps(items)) == items
    assert items[-1].to_dict()["record"]["command"] == "contact.create"
    assert {item.record for item in items if item.kind != "change"} == set(records)
