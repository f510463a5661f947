"""The sales pipeline sample by its documented maps, and its figures computed again with pandas."""

from __future__ import annotations

import csv
import importlib
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest

from crm_py import Session

pd: Any = importlib.import_module("pandas")

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "crm-core" / "tests" / "data" / "sales-pipeline"
MAPS = ROOT / "examples" / "sales-pipeline"
ZONE = "America/New_York"
#: Within the file's time: many deals are open, many are closed.
DAY = date(2017, 6, 30)
#: The probability of both stages, in hundredths.
PROBABILITY = {"Prospecting": 30, "Engaging": 63}


@pytest.fixture
def sales(org: Session) -> Session:
    """The sample, imported."""
    stages: Any = [{"name": name, "probability": Decimal(percent)} for name, percent in PROBABILITY.items()]
    org.pipelines.create("Opportunities", stages=stages)
    with (DATA / "sales_teams.csv").open(newline="") as teams:
        for row in csv.DictReader(teams):
            name = row["sales_agent"]
            email = f"{name.lower().replace(' ', '.')}@sales.example"
            org.members.add(email, role="member", full_name=name)
    for kind, file, mapping, key in (
        ("contacts", "accounts.csv", "accounts.toml", "external_id"),
        ("products", "products.csv", "products.toml", "sku"),
        ("deals", "sales_pipeline.csv", "deals.toml", "external_id"),
    ):
        report = org.import_csv(kind, DATA / file, mapping=MAPS / mapping, upsert_by=key)  # type: ignore[arg-type]
        assert report.written and not report.problems
    return org


@pytest.fixture(scope="module")
def frame() -> Any:
    """The opportunities, their days as instants of midnight in the organization's zone, their amounts in cents."""
    frame = pd.read_csv(DATA / "sales_pipeline.csv", dtype=str, keep_default_na=False)
    for column in ("engage_date", "close_date"):
        days = pd.to_datetime(frame[column], format="%d-%m-%y", errors="coerce")
        assert (days.isna() == (frame[column] == "")).all()
        frame[column] = days.dt.tz_localize(ZONE)
    frame["cents"] = frame["close_value"].map(lambda text: int(Decimal(text or 0) * 100))
    return frame


def after(day: date) -> Any:
    """The instant at which the day is over."""
    return (pd.Timestamp(day) + pd.Timedelta(days=1)).tz_localize(ZONE)


def half_up(value: Decimal, places: str = "1") -> Decimal:
    return value.quantize(Decimal(places), ROUND_HALF_UP)


def test_the_figures_of_the_sample_are_those_that_pandas_computes(sales: Session, frame: Any) -> None:
    assert len(frame) == 8_800
    counted = {row.status: (row.deals, row.amount.amount) for row in sales.reports.deals().rows}
    names = {"Won": "won", "Lost": "lost", "Engaging": "in_progress", "Prospecting": "new"}
    groups = frame.groupby(frame["deal_stage"].map(names))["cents"].agg(["count", "sum"])
    assert counted == {status: (int(row["count"]), Decimal(int(row["sum"])) / 100) for status, row in groups.iterrows()}
    assert counted["won"] == (4_238, Decimal(10_005_534))
    assert [counted[status][0] for status in ("lost", "in_progress", "new")] == [2_473, 1_589, 500]

    end = after(DAY)
    begun = frame[frame["engage_date"] < end]
    won = begun[(begun["deal_stage"] == "Won") & (begun["close_date"] < end)]
    closed = begun["close_date"] < end
    open_ = begun[~closed]

    # The funnel: every deal of the time begins in the second stage, so all of them have passed the first.
    funnel = sales.reports.funnel(pipeline="Opportunities", as_of=DAY)
    prospecting, engaging = funnel.stages
    assert funnel.deals == prospecting.reached == engaging.reached == len(begun)
    assert (prospecting.open, engaging.open) == (0, len(open_))
    assert [money.amount for money in engaging.amounts] == [Decimal(int(open_["cents"].sum())) / 100]
    assert funnel.won == len(won)
    assert funnel.won_conversion == half_up(Decimal(len(won)) / len(begun), "0.000001")

    # The forecast: what was open then at what it came to be worth, weighted deal by deal. No close was expected.
    forecast = sales.reports.forecast(pipeline="Opportunities", as_of=DAY)
    weighted = sum(half_up(Decimal(cents) * PROBABILITY["Engaging"] / 100) for cents in open_["cents"])
    (undated,) = forecast.undated
    assert (undated.deals, undated.amount.amount) == (len(open_), Decimal(int(open_["cents"].sum())) / 100)
    assert undated.weighted.amount == weighted / 100
    assert undated.weighted.amount > 0
    assert forecast.slipped == ()
    month = won[won["close_date"] >= pd.Timestamp(DAY.replace(day=1)).tz_localize(ZONE)]
    (of_june,) = [row for row in forecast.months if row.month == DAY.replace(day=1)]
    assert (of_june.won_deals, of_june.won.amount) == (len(month), Decimal(int(month["cents"].sum())) / 100)

    # The velocity of a quarter, over a change of the clocks in the visits.
    first = date(2017, 4, 1)
    begin = pd.Timestamp(first).tz_localize(ZONE)
    velocity = sales.reports.velocity(pipeline="Opportunities", from_=first, to=DAY)
    ended = begun[closed & (begun["close_date"] >= begin)]
    seconds = int((ended["close_date"] - ended["engage_date"]).dt.total_seconds().sum())
    seconds += int((end - open_["engage_date"]).dt.total_seconds().sum())
    stage = velocity.stages[1]
    visits = len(ended) + len(open_)
    assert (stage.visits, stage.open, stage.seconds) == (visits, len(open_), seconds)
    assert stage.mean_seconds == half_up(Decimal(seconds) / visits)
    quarter = ended[ended["deal_stage"] == "Won"]
    assert (velocity.won, velocity.lost) == (len(quarter), len(ended) - len(quarter))
    assert velocity.win_rate == half_up(Decimal(len(quarter)) / len(ended), "0.000001")
    cycle = int((quarter["close_date"] - quarter["engage_date"]).dt.total_seconds().sum())
    assert velocity.mean_cycle_seconds == half_up(Decimal(cycle) / len(quarter))
