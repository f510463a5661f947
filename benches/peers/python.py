"""A list of contacts of which every field is read once: crm_py, or SQLAlchemy's ORM on a file of its own.

usage: python.py crm|sqlalchemy DB SLUG EMAIL
"""

import sqlite3
import statistics
import sys
import tempfile
import time
from datetime import datetime, timedelta, timezone
from operator import attrgetter
from uuid import UUID

NAMES = (
    "id kind given_name family_name company_name company_id email phone phone_raw address_line city region postal_code "
    "country tax_scheme tax_number account_number stratum code external_id instagram owner_id source notes custom version "
    "created_at updated_at archived_at"
).split()
IDS = {"id", "company_id", "owner_id"}
INSTANTS = {"created_at", "updated_at", "archived_at"}
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
who, path, slug, email = sys.argv[1:5]
read_all = attrgetter(*NAMES)


def measured(work):
    """The median of five, after one that warms up."""
    times = []
    for turn in range(6):
        begun = time.perf_counter()
        count = work()
        if turn:
            times.append(time.perf_counter() - begun)
    assert count > 0
    print(statistics.median(times))


def with_library():
    import crm_py

    with crm_py.open(f"sqlite:{path}") as crm:
        organization = crm.organization(slug, acting_as=email)

        def work():
            count = 0
            for contact in organization.contacts.list(limit=10_000):
                read_all(contact)
                count += 1
            return count

        measured(work)


def with_sqlalchemy(folder):
    """The file has SQLAlchemy's own types for ids and instants, as a program that uses it would choose."""
    from sqlalchemy import Column, DateTime, Integer, String, Uuid, create_engine, insert, select
    from sqlalchemy.orm import DeclarativeBase, Session

    def kind(name):
        if name in IDS:
            return Uuid()
        if name in INSTANTS:
            return DateTime()
        return Integer() if name in ("version", "stratum") else String()

    class Base(DeclarativeBase):
        pass

    columns = {name: Column(kind(name), primary_key=name == "id") for name in NAMES}
    Contact = type("Contact", (Base,), {"__tablename__": "contact", **columns})
    engine = create_engine(f"sqlite:///{folder}/peer.db")
    Base.metadata.create_all(engine)

    def value(name, stored):
        if stored is None:
            return None
        if name in IDS:
            return UUID(bytes=stored)
        return EPOCH + timedelta(microseconds=stored) if name in INSTANTS else stored

    source = sqlite3.connect(path).execute(f"SELECT {', '.join(NAMES)} FROM crm_contact ORDER BY id")
    with engine.begin() as connection:
        rows = [{name: value(name, stored) for name, stored in zip(NAMES, row)} for row in source]
        connection.execute(insert(Contact), rows)

    def work():
        count = 0
        with Session(engine) as session:
            query = select(Contact).where(Contact.archived_at.is_(None)).order_by(Contact.id).limit(10_000)
            for contact in session.scalars(query).all():
                read_all(contact)
                count += 1
        return count

    measured(work)


if who == "crm":
    with_library()
else:
    with tempfile.TemporaryDirectory() as folder:
        with_sqlalchemy(folder)
