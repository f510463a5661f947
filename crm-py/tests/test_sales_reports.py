"""The reports of sales: their figures, their types, and what is refused."""

from __future__ import annotations

import pickle
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

import crm_py
from crm_py import Deal, Money, NotFound, Session, ValidationError


def usd(amount: str | int) -> Money:
    return Money(amount, "USD")


@pytest.fixture
def deals(org: Session) -> list[Deal]:
    """One in the first stage, one in the third, one won, one lost, one in euros; expected late, soon and never."""
    first = org.deals.create(title="first", amount=Decimal("100.05"), expected_close_on=date(2099, 3, 31))
    third = org.deals.create(title="third", amount=50, expected_close_on=date(2020, 1, 1), stage="proposal")
    won = org.deals.win(org.deals.move(org.deals.create(title="won", amount=30), "qualification"))
    lost = org.deals.lose(org.deals.create(title="lost", amount=7), "too dear")
    euros = org.deals.create(title="euros", amount=Money("0.05", "EUR"))
    return [first, third, won, lost, euros]


def test_leads_are_counted_by_status_and_channel(org: Session) -> None:
    eva = org.contacts.create(kind="person", given_name="Eva")
    leads = org.leads.create_many([{"contact": eva, "channel": channel} for channel in ("web", "web", "phone")])
    org.leads.move(leads[0], "quoted")
    org.leads.archive(org.leads.create(contact=eva))
    report = org.reports.leads()
    assert (report.leads, report.recent) == (3, 3)
    assert len(report.rows) == 5 * 7
    assert {(row.status, row.channel): row.leads for row in report.rows if row.leads} == {
        ("quoted", "web"): 1,
        ("new", "web"): 1,
        ("new", "phone"): 1,
    }
    assert report.as_of - report.since == timedelta(hours=24)
    then = datetime.now(UTC) - timedelta(days=2)
    earlier = org.reports.leads(hours=1, as_of=then)
    assert (earlier.leads, earlier.recent, earlier.as_of) == (3, 0, then)
    assert org.reports.leads(to=then.date()).leads == 0
    assert org.reports.leads(from_=then.date(), zone="Asia/Tokyo").leads == 3


def test_deals_are_summed_by_status(org: Session, deals: list[Deal]) -> None:
    report = org.reports.deals()
    assert [(row.currency, row.status, row.deals, row.amount, row.mean) for row in report.totals] == [
        ("EUR", None, 1, Money("0.05", "EUR"), Money("0.05", "EUR")),
        ("USD", None, 4, usd("187.05"), usd("46.76")),
    ]
    dollars = {row.status: (row.deals, row.amount, row.new) for row in report.rows if row.currency == "USD"}
    assert dollars == {
        "new": (2, usd("150.05"), 2),
        "in_progress": (0, usd(0), 0),
        "won": (1, usd(30), 1),
        "lost": (1, usd(7), 1),
    }
    assert report.as_of - report.since == timedelta(days=29)
    assert org.reports.deals(days=1, as_of=date(2020, 1, 1)).totals[0].new == 0
    nothing = org.reports.deals(to=date(2020, 1, 1))
    assert [(row.currency, row.deals, row.amount, row.mean) for row in nothing.totals] == [("USD", 0, usd(0), None)]


def test_the_funnel_and_a_cohort(org: Session, deals: list[Deal]) -> None:
    report = org.reports.funnel()
    assert (report.pipeline, report.deals, report.won, report.won_conversion) == ("Sales", 5, 1, Decimal(1))
    assert [(stage.stage, stage.open, stage.reached, stage.conversion) for stage in report.stages] == [
        ("lead", 2, 5, None),
        ("qualification", 0, 2, Decimal("0.4")),
        ("proposal", 1, 2, Decimal(1)),
        ("negotiation", 0, 1, Decimal("0.5")),
    ]
    assert report.stages[0].amounts == (Money("0.05", "EUR"), usd("100.05"))
    assert report.stages[0].stage_id == deals[0].stage_id
    assert org.reports.funnel(pipeline="Sales", as_of=date(2020, 1, 1)).deals == 0
    cohort = org.reports.cohort(from_=date(2020, 1, 1))
    assert (cohort.deals, cohort.won, cohort.lost, cohort.open) == (5, 1, 1, 3)
    assert (cohort.from_, cohort.to) == (date(2020, 1, 1), None)
    assert [stage.reached for stage in cohort.stages] == [5, 2, 2, 1]
    assert org.reports.cohort(to=date(2020, 1, 1), zone="UTC").deals == 0


def test_the_forecast_is_weighted_and_rounded_by_deal(org: Session, deals: list[Deal]) -> None:
    report = org.reports.forecast()
    (now, later) = report.months
    assert (now.figures.deals, now.won_deals, now.won) == (0, 1, usd(30))
    assert (later.month, later.won_deals) == (date(2099, 3, 1), 0)
    assert (later.figures.amount, later.figures.weighted) == (usd("100.05"), usd("10.01"))
    assert [(row.amount, row.weighted) for row in report.slipped] == [(usd(50), usd(25))]
    assert [(row.currency, row.weighted) for row in report.undated] == [("EUR", Money("0.01", "EUR"))]
    assert [(row.currency, row.deals, row.weighted) for row in report.totals] == [
        ("EUR", 1, Money("0.01", "EUR")),
        ("USD", 2, usd("35.01")),
    ]
    assert report.totals[0].unlikely == Money(0, "EUR")
    org.pipelines.update_stage("Sales", "lead", probability=0)
    assert org.reports.forecast(pipeline="Sales").totals[1].unlikely == usd("100.05")


def test_the_velocity(org: Session, deals: list[Deal]) -> None:
    report = org.reports.velocity()
    assert (report.won, report.lost, report.win_rate) == (1, 1, Decimal("0.5"))
    assert report.mean_cycle_seconds is not None
    assert report.mean_cycle_seconds < 60
    assert [(stage.stage, stage.visits, stage.open) for stage in report.stages] == [
        ("lead", 4, 2),
        ("qualification", 1, 0),
        ("proposal", 1, 1),
        ("negotiation", 0, 0),
    ]
    assert report.stages[3].mean_seconds is None
    hour = org.reports.velocity(as_of=datetime.now(UTC) + timedelta(hours=1))
    assert 3_600 <= hour.stages[2].seconds < 3_700
    empty = org.reports.velocity(to=date(2020, 1, 1), zone="UTC")
    assert (empty.won, empty.win_rate, empty.mean_cycle_seconds) == (0, None, None)
    assert empty.as_of == datetime(2020, 1, 2, tzinfo=UTC)


def test_what_no_report_can_be_about_is_refused(org: Session, deals: list[Deal]) -> None:
    def refused(report: Any, **options: Any) -> str | None:
        with pytest.raises(ValidationError) as caught:
            report(**options)
        return caught.value.field

    reports = org.reports
    day = date(2026, 1, 31)
    report: Any
    for report in (reports.leads, reports.deals, reports.cohort, reports.velocity):
        assert refused(report, from_=day, to=day - timedelta(days=1)) == "to"
    for report in (reports.leads, reports.deals, reports.funnel, reports.cohort, reports.forecast, reports.velocity):
        assert refused(report, zone="Mars/Olympus") == "zone"
    assert refused(reports.leads, hours=-1) == "hours"
    assert refused(reports.deals, days=2**40) == "days"
    for report in (reports.funnel, reports.cohort, reports.forecast, reports.velocity):
        for nowhere in ("nowhere", uuid4()):
            with pytest.raises(NotFound):
                report(pipeline=nowhere)
    with pytest.raises(TypeError, match="as_of"):
        reports.funnel(as_of=datetime.now(UTC))
    with pytest.raises(TypeError, match="time zone"):
        reports.velocity(as_of=datetime(2026, 1, 1))


def test_members_are_told_of_their_own(database: crm_py.Crm, org: Session, deals: list[Deal]) -> None:
    org.members.add("bob@acme.example", role="member", full_name="Bob")
    bob = database.organization("acme", acting_as="bob@acme.example")
    bob.deals.create(title="Bob's", amount=5)
    assert [(row.currency, row.deals, row.amount) for row in bob.reports.deals().totals] == [("USD", 1, usd(5))]
    assert (bob.reports.funnel().deals, bob.reports.cohort().deals, bob.reports.velocity().won) == (1, 1, 0)
    assert [row.amount for row in bob.reports.forecast().totals] == [usd(5)]
    assert org.reports.funnel().deals == 6


def test_reports_are_plain_data(org: Session, deals: list[Deal]) -> None:
    for report in (
        org.reports.leads(),
        org.reports.deals(),
        org.reports.funnel(),
        org.reports.cohort(),
        org.reports.forecast(),
        org.reports.velocity(),
    ):
        assert pickle.loads(pickle.dumps(report)) == report
        assert set(report.to_dict()) == set(report.__slots__)
