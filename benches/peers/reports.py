"""pandas: reads the columns that a report needs and groups them.

usage: reports.py URL SCHEMA REPORT; the report is "summary", "per contact" or "ageing".
"""

import sys
import time
from datetime import date

import pandas as pd
from sqlalchemy import create_engine

url, schema, report = sys.argv[1:4]
engine = create_engine(url.replace("postgres://", "postgresql+psycopg://"))
connection = engine.connect()
if schema:
    connection.exec_driver_sql(f"SET search_path = {schema}")
day = date(2026, 11, 1)
is_sqlite = url.startswith("sqlite")
if is_sqlite:
    day = (day - date(1970, 1, 1)).days


def read(columns, table, where="TRUE"):
    return pd.read_sql_query(f"SELECT {columns} FROM {table} WHERE org = 1 AND {where}", connection)


def days(column):
    return column if is_sqlite else pd.to_datetime(column)


def summary(keys):
    as_of = day if is_sqlite else pd.Timestamp(day)
    columns = [*keys, "status", "issued_on", "settled_on", "voided_on", "due_on", "total", "paid", "balance"]
    invoices = read(", ".join(columns), "crm_invoice", "status <> 'draft'")
    for name in ("issued_on", "settled_on", "voided_on", "due_on"):
        invoices[name] = days(invoices[name])
    invoices = invoices[invoices.issued_on <= as_of]
    settled = invoices.settled_on <= as_of
    void = invoices.voided_on <= as_of
    invoices["billed"] = invoices.total.where(~void, 0)
    invoices["taken_off"] = invoices.total - invoices.paid - invoices.balance
    invoices["pending"] = invoices.balance.where(~settled, 0)
    invoices["overdue"] = invoices.balance.where(~settled & (invoices.due_on < as_of), 0)
    invoices["given_up"] = invoices.balance.where(settled & (invoices.status == "uncollectible"), 0)
    invoices["withdrawn"] = invoices.total.where(void, 0)
    names = ["billed", "paid", "taken_off", "pending", "overdue", "given_up", "withdrawn"]
    sums = invoices.groupby(keys)[names].sum()
    left = [read(", ".join([*keys, "unapplied"]), table) for table in ("crm_payment", "crm_credit_note")]
    sums["credit"] = pd.concat(left).groupby(keys).unapplied.sum()
    if "contact_id" in keys:
        contacts = read("id, given_name, family_name, email, name_key", "crm_contact")
        sums = sums.reset_index().merge(contacts, left_on="contact_id", right_on="id").sort_values("name_key")
    return sums


def ageing():
    invoices = read("currency, due_on, balance", "crm_invoice", "status = 'open'")
    late = (day - invoices.due_on) if is_sqlite else (pd.Timestamp(day) - days(invoices.due_on)).dt.days
    bucket = pd.cut(late, [-100_000, 0, 30, 60, 90, 100_000])
    return invoices.groupby(["currency", bucket], observed=True).balance.sum()


begun = time.perf_counter()
if report == "ageing":
    result = ageing()
elif report == "summary":
    result = summary(["currency"])
else:
    result = summary(["contact_id", "currency"])
took = time.perf_counter() - begun
assert len(result) > 0
print(took)
