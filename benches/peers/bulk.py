"""SQLAlchemy's `add_all`: contacts and their audit entries into the library's own tables, in one transaction.

usage: bulk.py EMPTY_DB WRITTEN_DB; the rows are those that the library wrote, read before the clock starts.
"""

import sqlite3
import sys
import time

from sqlalchemy import Column, Integer, MetaData, Table, create_engine, event
from sqlalchemy.orm import DeclarativeBase, Session

empty, written = sys.argv[1:3]
engine = create_engine(f"sqlite:///{empty}")


@event.listens_for(engine, "connect")
def settings(connection, _record):
    for name, value in (("synchronous", "FULL"), ("cache_size", "-16384"), ("foreign_keys", "ON")):
        connection.execute(f"PRAGMA {name} = {value}")


class Base(DeclarativeBase):
    metadata = MetaData()


# Tables that these refer to come along.
class Contact(Base):
    # The row number is the database's to give; reflected, it would be taken for one that the program gives.
    rid = Column("rid", Integer, primary_key=True, autoincrement=True)
    __table__ = Table("crm_contact", Base.metadata, rid, autoload_with=engine)


class AuditEntry(Base):
    __table__ = Table("crm_audit_entry", Base.metadata, autoload_with=engine)


def rows(table, where):
    source = sqlite3.connect(written)
    source.row_factory = sqlite3.Row
    names = [column.name for column in table.columns if column.name != "rid"]
    text = f"SELECT {', '.join(names)} FROM {table.name} WHERE {where}"
    return [dict(row) for row in source.execute(text)]


contacts = rows(Contact.__table__, "TRUE ORDER BY rid")
entries = rows(AuditEntry.__table__, "entity = 'contact' ORDER BY seq")
with engine.connect() as connection:
    connection.exec_driver_sql("SELECT 1")

begun = time.perf_counter()
with Session(engine) as session:
    session.add_all([Contact(**row) for row in contacts])
    session.add_all([AuditEntry(**row) for row in entries])
    session.commit()
print(time.perf_counter() - begun)
