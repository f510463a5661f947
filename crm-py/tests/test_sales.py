"""Leads, their conversion, deals, pipelines with stages, tags, and the machines behind them."""

from __future__ import annotations

import copy
import pickle
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

import crm_py
from crm_py import (
    Conflict,
    Contact,
    CrmError,
    Deal,
    Duplicate,
    Lead,
    Money,
    NotFound,
    PermissionDenied,
    RuleError,
    Session,
    Stage,
    StageChange,
    ValidationError,
)


def usd(amount: str | int) -> Money:
    return Money(amount, "USD")


@pytest.fixture
def eva(org: Session) -> Contact:
    return org.contacts.create(kind="person", given_name="Eva", family_name="Núñez", email="eva@x.example")


@pytest.fixture
def bob(database: crm_py.Crm, org: Session) -> Session:
    """A member at work in the same organization."""
    org.members.add("bob@acme.example", role="member", full_name="Bob")
    return database.organization("acme", acting_as="bob@acme.example")


def titles(found: crm_py.Page[Deal]) -> list[str]:
    return [deal.title for deal in found]


def test_a_lead_goes_through_its_life(org: Session, eva: Contact) -> None:
    lead = org.leads.create(contact="eva@x.example", channel="web", external_id="L-1", sales_notes="asks for chairs")
    assert (lead.contact_id, lead.channel, lead.status, lead.assignee_id) == (eva.id, "web", "new", None)
    assert org.leads.create(contact=eva).channel == "manual"
    for reference in (lead, lead.id, str(lead.id), "L-1"):
        assert org.leads.get(reference) == lead
    lead = org.leads.update(lead, admin_notes="urgent", sales_notes=None)
    assert (lead.admin_notes, lead.sales_notes, lead.version) == ("urgent", None, 2)
    lead = org.leads.assign("L-1", "ana@acme.example")
    assert lead.assignee_id == org.user.id
    assert org.leads.assign(lead, org.user) == lead
    assert org.leads.assign(lead, None).assignee_id is None
    with pytest.raises(ValidationError) as caught:
        org.leads.assign(lead, "nobody@acme.example")
    assert caught.value.field == "assignee"
    lead = org.leads.move(lead, "quoted")
    assert lead.status == "quoted"
    assert org.leads.move(lead, "quoted") == lead
    with pytest.raises(RuleError, match="contacted"):
        org.leads.move(lead, "contacted")
    with pytest.raises(ValidationError) as caught:
        org.leads.move(lead, "lost")  # type: ignore[arg-type]
    assert caught.value.field == "status"
    assert [found.id for found in org.leads.list(status="quoted", channel__in=["web", "email"])] == [lead.id]
    assert org.leads.count(contact=eva) == len([*org.leads.iter(contact="eva@x.example", batch=1)]) == 2
    assert org.leads.archive(lead).archived_at is not None
    assert (org.leads.count(), org.leads.count(archived=True)) == (1, 2)
    assert org.leads.restore(lead).archived_at is None
    org.leads.delete(lead)
    with pytest.raises(NotFound):
        org.leads.get("L-1")


def test_what_is_no_lead_is_refused(org: Session, eva: Contact) -> None:
    def refused(**fields: Any) -> str | None:
        with pytest.raises(ValidationError) as caught:
            org.leads.create(**fields)
        return caught.value.field

    assert refused() == "contact_id"
    assert refused(contact=uuid4()) == "contact_id"
    assert refused(contact=eva, channel="pigeon") == "channel"
    assert refused(contact=eva, status="closed") == "status"
    assert refused(contact=eva, nonsense=1) == "nonsense"
    with pytest.raises(ValidationError) as caught:
        org.leads.create_many([{"contact": eva}, {"contact": "nobody@x.example"}])
    assert caught.value.field == "1.contact_id"
    assert org.leads.count() == 0
    with pytest.raises(TypeError, match="contact"):
        org.leads.create(contact=org.user)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="lead"):
        org.leads.move(eva, "quoted")  # type: ignore[arg-type]
    first = org.leads.create(contact=eva, key="once")
    assert org.leads.create(contact=eva, key="once") == first
    with pytest.raises(Duplicate):
        org.leads.create(contact=eva, channel="web", key="once")


def test_a_lead_becomes_a_deal(org: Session, eva: Contact) -> None:
    lead = org.leads.create(contact=eva, assignee=org.user)
    other = org.deals.create(title="Another matter", contact=eva)
    plan = org.leads.plan_conversion(lead, amount=Decimal("120.5"), currency="EUR")
    assert plan.fields == {
        "title": "Eva Núñez",
        "owner_id": org.user.id,
        "contact_id": eva.id,
        "amount": Money("120.50", "EUR"),
        "currency": "EUR",
    }
    assert (plan.contact_id, plan.company_id, plan.deal_id) == (eva.id, None, None)
    assert (plan.missing, plan.duplicates) == ((), (other.id,))
    for call in (org.leads.convert, org.leads.plan_conversion):
        with pytest.raises(ValidationError) as caught:
            call(lead, title="")
        assert caught.value.field == "title"
    assert org.leads.get(lead).status == "new"
    done = org.leads.convert(lead, amount=usd("9.99"), stage="proposal", expected_close_on=date(2026, 12, 1), key="k")
    assert (done.status, done.version) == ("closed", 2)
    assert done.deal_id is not None
    deal = org.deals.get(done.deal_id)
    assert (deal.title, deal.amount, deal.lead_id, deal.contact_id) == ("Eva Núñez", usd("9.99"), lead.id, eva.id)
    stages = {stage.name: stage.id for stage in org.pipelines.stages("Sales")}
    assert deal.stage_id == stages["proposal"]
    again = org.leads.convert(lead, amount=usd("9.99"), stage="proposal", expected_close_on=date(2026, 12, 1), key="k")
    assert again == done
    for call in (org.leads.convert, org.leads.plan_conversion):
        with pytest.raises(RuleError, match=str(deal.id)):
            call(lead)
    assert org.deals.count() == 2
    second = org.leads.create(contact=eva)
    assert org.leads.plan_conversion(second, deal=other).deal_id == other.id
    assert org.leads.convert(second, deal=other).deal_id == other.id
    assert org.deals.get(other).lead_id == second.id
    third = org.leads.create(contact=eva)
    with pytest.raises(RuleError):
        org.leads.convert(third, deal=other)
    for field in ("stage", "pipeline", "deal"):
        nowhere: Any = {field: "nowhere"}
        with pytest.raises(ValidationError) as caught:
            org.leads.convert(third, **nowhere)
        assert caught.value.field == field
    with pytest.raises(NotFound):
        org.leads.convert(third, deal=uuid4())
    for call in (org.leads.convert, org.leads.plan_conversion):
        with pytest.raises(TypeError, match="deal"):
            call(third, deal=deal, amount=5)
        with pytest.raises(TypeError, match="deal"):
            call(third, deal=deal, stage="lead")
    with pytest.raises(TypeError, match="amount"):
        org.leads.convert(third, amount=1.5)  # type: ignore[arg-type]


def test_many_leads_are_converted_with_an_outcome_each(org: Session, eva: Contact) -> None:
    leads = org.leads.create_many([{"contact": eva, "external_id": f"L-{number}"} for number in range(3)])
    converted = org.leads.convert(leads[1])
    first, second, third, fourth = org.leads.convert_many([leads[0], "L-1", uuid4(), "L-2"], amount=Decimal(5))
    assert isinstance(first, Lead)
    assert first.status == "closed"
    assert isinstance(second, RuleError)
    assert str(converted.deal_id) in str(second)
    assert isinstance(third, NotFound)
    assert isinstance(fourth, Lead)
    assert org.deals.count(amount=Decimal(5)) == 2
    outcomes = org.leads.convert_many(leads)
    assert len(outcomes) == 3
    assert all(isinstance(outcome, CrmError) and outcome.code == "rule" for outcome in outcomes)
    assert pickle.loads(pickle.dumps(outcomes[0])).args == outcomes[0].args  # type: ignore[union-attr]
    with pytest.raises(ValidationError) as caught:
        org.leads.convert_many(leads, stage="nowhere")
    assert caught.value.field == "stage"
    with pytest.raises(TypeError, match="leads"):
        org.leads.convert_many([eva])  # type: ignore[list-item]


def test_a_deal_goes_through_its_life(org: Session, eva: Contact) -> None:
    deal = org.deals.create(title="Ten chairs", contact=eva, external_id="D-1", expected_close_on=date(2026, 12, 1))
    assert (deal.status, deal.is_open, deal.amount, deal.currency) == ("new", True, usd(0), "USD")
    assert (deal.owner_id, deal.display_name) == (org.user.id, "Ten chairs")
    lead, qualification, proposal, negotiation = org.pipelines.stages(deal.pipeline_id)
    assert deal.stage_id == lead.id
    with pytest.raises(ValidationError) as caught:
        org.deals.win(deal)
    assert caught.value.field == "amount"
    deal = org.deals.update("D-1", amount=Decimal("1234.50"), contact=None)
    assert (deal.amount, deal.contact_id) == (usd("1234.50"), None)
    deal = org.deals.move(deal, "Proposal")
    assert (deal.status, deal.stage_id) == ("in_progress", proposal.id)
    assert org.deals.move(deal, proposal) == deal
    deal = org.deals.move(deal, qualification.id)
    won = org.deals.win(deal)
    assert (won.status, won.is_open) == ("won", False)
    assert won.closed_at is not None
    with pytest.raises(RuleError):
        org.deals.move(won, negotiation)
    with pytest.raises(RuleError):
        org.deals.lose(won, "changed their mind")
    with pytest.raises(ValidationError):
        org.deals.update(won, amount=0)
    assert org.deals.reopen(won).closed_at is None
    lost = org.deals.lose(won.id, "too dear", key="once")
    assert (lost.status, lost.lost_reason) == ("lost", "too dear")
    assert org.deals.lose(won.id, "too dear", key="once") == lost
    with pytest.raises(ValidationError) as caught:
        org.deals.lose(won, " ")
    assert caught.value.field == "reason"
    steps = org.deals.history("D-1")
    assert [(step.from_stage_id, step.to_stage_id, step.to_status) for step in steps] == [
        (None, lead.id, "new"),
        (lead.id, proposal.id, "in_progress"),
        (proposal.id, qualification.id, "in_progress"),
        (qualification.id, qualification.id, "won"),
        (qualification.id, qualification.id, "in_progress"),
        (qualification.id, qualification.id, "lost"),
    ]
    assert all(type(step) is StageChange and step.deal_id == deal.id for step in steps)
    assert org.stage_changes.count(to_status="won") == 1
    assert org.stage_changes.list(deal=deal, order_by="-at").first() == steps[-1]
    assert org.deals.archive(lost).archived_at is not None
    assert titles(org.deals.list()) == []
    assert titles(org.deals.list(archived=True)) == ["Ten chairs"]
    org.deals.restore(lost)
    org.deals.delete(lost)
    assert (org.deals.count(), org.stage_changes.count()) == (0, 0)
    started = org.deals.start(org.deals.create(title="Begun"))
    assert started.status == "in_progress"


def test_deals_are_found_and_ordered(org: Session, eva: Contact) -> None:
    for number, title in enumerate(("Ála", "beta", "Gamma")):
        org.deals.create(title=title, contact=eva, amount=Decimal(number))
    org.deals.create(title="Euros", amount=Money(1, "EUR"))
    org.deals.win(org.deals.list(title="BETA")[0])
    assert titles(org.deals.list(order_by="title")) == ["Ála", "beta", "Euros", "Gamma"]
    assert titles(org.deals.list(is_open=True, currency="USD", order_by="-amount")) == ["Gamma", "Ála"]
    assert titles(org.deals.list(title__startswith="al")) == ["Ála"]
    assert titles(org.deals.list(amount__ge=1, order_by="amount")) == ["beta", "Gamma"]
    assert titles(org.deals.list(amount__ge=Money("0.5", "EUR"))) == ["Euros"]
    assert titles(org.deals.list(stage="lead", contact=None)) == ["Euros"]
    assert org.deals.count(owner="ana@acme.example", status__ne="won") == 3
    page = org.deals.list(order_by="title", limit=3)
    assert titles(org.deals.list(order_by="title", after=page.next)) == ["Gamma"]
    assert [deal.title for deal in org.deals.iter(order_by="-title", batch=2)] == ["Gamma", "Euros", "beta", "Ála"]
    with pytest.raises(TypeError, match="is_open"):
        org.deals.list(is_open=1)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="overdue"):
        org.tasks.list(overdue="yes")  # type: ignore[arg-type]
    with pytest.raises(ValidationError):
        org.deals.list(overdue=True)  # type: ignore[call-arg]


def test_amounts_are_in_the_currency_that_is_meant(org: Session) -> None:
    euros = org.deals.create(title="x", amount=Money("5.50", "EUR"))
    assert (euros.amount, euros.currency) == (Money("5.50", "EUR"), "EUR")
    assert org.deals.create(title="x", amount=Decimal("5.5"), currency="EUR").amount == euros.amount
    assert org.deals.update(euros, amount=Decimal("7.25")).amount == Money("7.25", "EUR")
    assert org.deals.update(euros, amount=Money(8, "EUR")).amount == Money(8, "EUR")
    fields: dict[str, Any]
    for fields in ({"amount": usd(8)}, {"amount": usd(8), "currency": "EUR"}):
        with pytest.raises(ValidationError) as caught:
            org.deals.update(euros, **fields)
        assert caught.value.field == "currency"
    with pytest.raises(ValidationError):
        org.deals.create(title="x", amount=usd(8), currency="EUR")
    assert org.deals.update(euros, amount=usd(8), currency="USD").amount == usd(8)
    yen = org.deals.create(title="x", amount=Money(500, "JPY"))
    with pytest.raises(ValidationError) as caught:
        org.deals.update(yen, amount=Decimal("0.5"))
    assert caught.value.details[0]["code"] == "too_many_decimals"
    with pytest.raises(NotFound):
        org.deals.update(uuid4(), amount=1)


@pytest.mark.parametrize("wrong", [9.99, 10.0, "9.99", True])
def test_floats_are_refused_wherever_a_number_goes(local: Session, wrong: Any) -> None:
    deal = local.deals.create(title="x", amount=1)
    for call in (
        lambda: local.deals.create(title="x", amount=wrong),
        lambda: local.deals.update(deal, amount=wrong),
        lambda: local.deals.list(amount__ge=wrong),
        lambda: local.leads.plan_conversion(uuid4(), amount=wrong),
        lambda: local.pipelines.create("x", stages=[{"name": "a", "probability": wrong}]),
        lambda: local.pipelines.add_stage("Sales", "a", probability=wrong),
        lambda: local.pipelines.update_stage("Sales", "lead", probability=wrong),
    ):
        with pytest.raises(TypeError, match=r"amount|probability"):
            call()
    assert local.deals.count() == 1


def test_pipelines_and_their_stages(org: Session) -> None:
    (sales,) = org.pipelines.list()
    assert (sales.name, sales.is_default, org.pipelines.get("Sales")) == ("Sales", True, sales)
    assert [(stage.name, stage.position, stage.probability) for stage in org.pipelines.stages(sales)] == [
        ("lead", 1, Decimal(10)),
        ("qualification", 2, Decimal(25)),
        ("proposal", 3, Decimal(50)),
        ("negotiation", 4, Decimal(75)),
    ]
    rent = org.pipelines.create(
        "Rent", stages=[{"name": "call", "probability": 5}, {"name": "lead", "probability": Decimal("12.5")}], key="k"
    )
    assert not rent.is_default
    assert org.pipelines.add_stage(rent, "visit", probability=80).version == 2
    assert org.pipelines.update_stage("Rent", "Visit", name="view", probability=Decimal(90)).version == 3
    call, lead, view = org.pipelines.stages(rent)
    assert (lead.probability, view.name, view.probability) == (Decimal("12.5"), "view", Decimal(90))
    org.pipelines.reorder(rent, [view, call.id, "lead"])
    assert [stage.name for stage in org.pipelines.stages("Rent")] == ["view", "call", "lead"]
    orders: list[list[Stage | str]] = [[view, call], [view, call, call], [view, call, "nowhere"]]
    for order in orders:
        with pytest.raises(ValidationError):
            org.pipelines.reorder(rent, order)
    org.pipelines.remove_stage(rent, "call", key="gone")
    assert [stage.name for stage in org.stages.list(pipeline=rent, order_by="position")] == ["view", "lead"]
    assert org.stages.count() == 6
    with pytest.raises(NotFound):
        org.pipelines.remove_stage(rent, "call")
    with pytest.raises(NotFound):
        org.pipelines.update_stage(sales, view, name="x")
    deal = org.deals.create(title="x", pipeline=rent, stage="lead")
    assert deal.stage_id == lead.id
    assert org.deals.create(title="x", stage=view).pipeline_id == rent.id
    with pytest.raises(CrmError) as ambiguous:
        org.deals.create(title="x", stage="lead")
    assert len(ambiguous.value.details) == 2
    with pytest.raises(RuleError):
        org.deals.create(title="x", stage=view, pipeline=sales)
    with pytest.raises(RuleError):
        org.deals.move(deal, org.pipelines.stages(sales)[0])
    for nowhere in ("proposal", "\0", str(uuid4())):
        with pytest.raises(ValidationError) as caught:
            org.deals.move(deal, nowhere)
        assert caught.value.field in ("stage", "stage_id")
    for used in (lead, view):
        with pytest.raises(Conflict):
            org.pipelines.remove_stage(rent, used)
    with pytest.raises(Conflict):
        org.pipelines.delete(rent)
    rent = org.pipelines.update(rent, name="Rentals")
    assert org.pipelines.make_default(rent).is_default
    assert not org.pipelines.get(sales).is_default
    with pytest.raises(RuleError):
        org.pipelines.delete(rent)
    org.pipelines.delete(sales)
    assert [pipeline.name for pipeline in org.pipelines.iter()] == ["Rentals"]


def test_removing_a_stage_is_repeated_by_its_key(org: Session) -> None:
    stage = org.pipelines.stages("Sales")[0]
    first = org.pipelines.remove_stage("Sales", stage, key="k")
    assert org.pipelines.remove_stage("Sales", stage, key="k") == first
    assert org.stages.count() == 3


def test_stages_are_refused_by_position(local: Session) -> None:
    def refused(*stages: Any) -> str | None:
        with pytest.raises(ValidationError) as caught:
            local.pipelines.create("x", stages=stages)
        return caught.value.field

    good = {"name": "a", "probability": 1}
    assert refused() == "stages"
    assert refused(good, {"name": "b"}) == "stages.2.probability"
    assert refused({"probability": 1}) == "stages.1.name"
    assert refused(good, {"name": "b", "probability": 101}) == "stages.2.probability"
    assert refused({**good, "position": 1}) == "stages.1.position"
    with pytest.raises(Duplicate):
        local.pipelines.create("x", stages=[{"name": "a", "probability": 1}, {"name": "A", "probability": 1}])
    with pytest.raises(TypeError, match="stages"):
        local.pipelines.create("x", stages=["a"])  # type: ignore[list-item]
    with pytest.raises(TypeError, match="order"):
        local.pipelines.reorder("Sales", "lead")
    assert local.pipelines.count() == 1


def test_tags_find_records(org: Session, eva: Contact) -> None:
    lead = org.leads.create(contact=eva)
    deal = org.deals.create(title="x")
    vip = org.tags.add(eva, "VIP")
    assert org.tags.add(lead, "vip") == vip
    assert org.tags.add(deal, vip) == vip
    org.tags.add(deal, "Big")
    assert [tag.name for tag in org.tags.of(deal)] == ["Big", "VIP"]
    assert [tag.name for tag in org.tags.list(order_by="-name")] == ["VIP", "Big"]
    other = org.deals.create(title="y")
    assert org.tags.of(other) == []
    assert [contact.id for contact in org.contacts.list(tag="ViP")] == [eva.id]
    assert [found.id for found in org.leads.iter(tag=vip)] == [lead.id]
    assert titles(org.deals.list(tag="big", is_open=True)) == ["x"]
    assert titles(org.deals.list(tag__ne="big")) == ["y"]
    assert org.deals.count(tag__in=["big", vip]) == org.deals.count(tag__in=[vip]) == 1
    assert org.deals.count(tag__in=[]) == org.deals.count(tag="none such") == 0
    assert (org.deals.count(tag="\0"), org.deals.count(tag__ne="\0"), org.deals.count(title="\0")) == (0, 2, 0)
    assert org.tags.remove(deal, "big").name == "Big"
    assert org.deals.count(tag="big") == 0
    with pytest.raises(RuleError):
        org.tags.remove(deal, "big")
    assert org.tags.update("VIP", name="Gold").version == 2
    assert org.contacts.count(tag="gold") == 1
    with pytest.raises(Conflict):
        org.tags.delete("Gold")
    org.tags.delete("Big")
    assert org.tags.count() == 1
    with pytest.raises(ValidationError) as caught:
        org.tags.add(eva, " ")
    assert caught.value.field == "tag"
    with pytest.raises(TypeError, match="record"):
        org.tags.add(vip, "x")  # type: ignore[arg-type]
    filters: dict[str, Any]
    for filters in ({"tag": 5}, {"tag": None}, {"tag__in": "vip"}, {"tag__in": [eva]}):
        with pytest.raises(TypeError, match="tag"):
            org.deals.list(**filters)
    with pytest.raises(ValidationError):
        org.products.list(tag="vip")  # type: ignore[call-arg]


def test_members_see_and_work_on_their_own(org: Session, bob: Session, eva: Contact) -> None:
    theirs = org.leads.create(contact=eva)
    his = org.leads.create(contact=eva, assignee="bob@acme.example")
    mine = org.deals.create(title="Ana's", contact=eva)
    org.tags.add(mine, "vip")
    assert [lead.id for lead in bob.leads.list()] == [his.id]
    assert (bob.leads.count(), bob.deals.count(), bob.deals.count(tag="vip"), bob.stage_changes.count()) == (1, 0, 0, 0)
    for call in (
        lambda: bob.leads.get(theirs),
        lambda: bob.leads.move(theirs, "quoted"),
        lambda: bob.leads.convert(theirs),
        lambda: bob.deals.win(mine),
        lambda: bob.deals.history(mine),
        lambda: bob.tags.of(mine),
        lambda: bob.tags.add(mine, "x"),
        lambda: bob.timeline(mine),
    ):
        with pytest.raises(NotFound):
            call()
    deal = bob.deals.get(bob.leads.convert(his, amount=1).deal_id or uuid4())
    assert deal.owner_id == bob.user.id
    deal = bob.deals.move(deal, "proposal")
    with pytest.raises(PermissionDenied):
        bob.deals.move(deal, "lead")
    won = bob.deals.win(deal)
    with pytest.raises(PermissionDenied):
        bob.deals.reopen(won)
    with pytest.raises(PermissionDenied):
        bob.pipelines.add_stage("Sales", "x", probability=1)
    with pytest.raises(PermissionDenied):
        bob.deals.delete(won)


def test_records_pickle_copy_and_print(local: Session) -> None:
    eva = local.contacts.create(kind="person", given_name="Eva")
    lead = local.leads.convert(local.leads.create(contact=eva), amount=Decimal("9.99"))
    deal = local.deals.list()[0]
    records: list[crm_py.Record] = [
        lead,
        deal,
        *local.deals.history(deal),
        local.pipelines.get("Sales"),
        *local.stages.list(),
        local.tags.add(deal, "vip"),
    ]
    assert len({type(record) for record in records}) == 6
    for record in records:
        again = pickle.loads(pickle.dumps(record))
        assert (again, type(again), again.to_dict()) == (record, type(record), record.to_dict())
        assert copy.deepcopy(record) is record
        assert repr(record).startswith(f"{type(record).__name__}(id=UUID('{record.id}')")
    assert deal == local.deals.get(deal)
    assert "is_open=True" in repr(deal)
    with pytest.raises(AttributeError, match="update"):
        deal.title = "y"  # type: ignore[misc]
    match deal:
        case Deal(title="Eva", amount=Money(amount=Decimal() as amount)):
            assert amount == Decimal("9.99")
        case _:
            pytest.fail("did not match")
    plan = local.leads.plan_conversion(local.leads.create(contact=eva))
    assert pickle.loads(pickle.dumps(plan)) == plan
    assert plan.to_dict()["duplicates"] == (deal.id,)


def test_the_machines_are_data() -> None:
    machines = crm_py.machines()
    assert {"lead", "deal", "deal_stage", "task", "invoice", "record"} <= set(machines)
    deal = machines["deal"]
    assert (deal.name, deal.states) == ("deal", ("new", "in_progress", "won", "lost"))
    (reopened,) = (move for move in deal.moves if move.event == "reopened" and move.from_ == "lost")
    assert (reopened.to, reopened.operation) == ("in_progress", "deal.reopen")
    assert reopened.roles == ("owner", "admin", "manager")
    assert deal.dot.startswith("digraph deal {")
    assert deal.mermaid.startswith("stateDiagram-v2")
    assert "digraph" not in repr(deal)
    assert pickle.loads(pickle.dumps(machines)) == machines
    assert deal.to_dict()["moves"][0]["event"] == "started"
