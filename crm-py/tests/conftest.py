"""Databases to test on: each test that asks for ``org`` runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import crm_py

ANA = "ana@acme.example"
ZONES = [ZoneInfo(name) for name in ("UTC", "America/New_York", "America/Bogota")]
"""Whose days matter: that of quotas, and those of the organizations and the calendar of the tests."""


def postgres_url() -> str:
    url = os.environ.get("CRM_TEST_POSTGRES_URL")
    if not url:
        pytest.fail(
            "there is no PostgreSQL to test on: `cargo xtask test` starts one, and so does"
            " `cargo xtask postgres -- pytest tests`; or set CRM_TEST_POSTGRES_URL"
        )
    return url


def new_schema() -> str:
    """A name that no other run on the same server has used."""
    return f"py_{secrets.token_hex(8)}"


def to_midnight() -> timedelta:
    """How long until the next of the days that matter begins."""
    now = datetime.now(UTC)
    tomorrows = (datetime.combine(now.astimezone(zone) + timedelta(days=1), datetime.min.time(), zone) for zone in ZONES)
    return min(tomorrow.astimezone(UTC) for tomorrow in tomorrows) - now


@pytest.fixture(autouse=True)
def one_day() -> None:
    """A test begins and ends on the same day: what is left of one that is about to end is waited for."""
    while (left := to_midnight()) < timedelta(seconds=30):
        time.sleep(left.total_seconds())


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[crm_py.Crm]:
    """An empty database: a new file, or a new schema."""
    if request.param == "sqlite":
        opened = crm_py.open(tmp_path / "test.db")
    else:
        opened = crm_py.open(postgres_url(), schema=new_schema(), max_connections=4)
    with opened as crm:
        yield crm


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[crm_py.Crm]:
    """An empty file."""
    with crm_py.open(tmp_path / "test.db") as crm:
        yield crm


def acme(crm: crm_py.Crm) -> crm_py.Session:
    """A new organization, as its owner sees it."""
    crm.create_organization(
        "acme", name="Acme", currency="USD", time_zone="America/New_York", owner_email=ANA, owner_name="Ana"
    )
    return crm.organization("acme", acting_as=ANA)


def today(org: crm_py.Session) -> date:
    """The day in the organization's zone, which for hours of each day is not that of UTC."""
    return datetime.now(ZoneInfo(org.organization.time_zone)).date()


@pytest.fixture
def org(database: crm_py.Crm) -> crm_py.Session:
    """An organization on each database."""
    return acme(database)


@pytest.fixture
def local(sqlite: crm_py.Crm) -> crm_py.Session:
    """An organization in a file, for what no database decides."""
    return acme(sqlite)
