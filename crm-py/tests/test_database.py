"""Opening, closing, threads, processes, and what goes wrong."""

from __future__ import annotations

import gc
import os
import pickle
import secrets
import signal
import subprocess
import sys
import textwrap
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

import pytest
from conftest import ANA, acme, new_schema, postgres_url

import crm_py
from crm_py import CrmError, RuleError, Session, Unavailable, ValidationError, errors


def test_one_file_is_opened_by_path_and_by_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with crm_py.open("sqlite:acme.db") as crm:
        acme(crm)
    for address in ("acme.db", tmp_path / "acme.db", f"sqlite:{tmp_path}/acme.db", f"sqlite://{tmp_path}/acme.db"):
        with crm_py.open(address, create=False) as crm:
            assert crm.organization("acme", acting_as=ANA).role == "owner"


def test_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    readme = Path(__file__).resolve().parents[2] / "README.md"
    _, _, rest = readme.read_text(encoding="utf-8").partition("```python\n")
    program, _, _ = rest.partition("```")
    assert "crm_py.open" in program
    monkeypatch.chdir(tmp_path)
    with crm_py.open("sqlite:acme.db") as crm:
        acme(crm)
    exec(compile(program, str(readme), "exec"), {})
    with crm_py.open("acme.db", create=False) as crm:
        assert crm.organization("acme", acting_as=ANA).invoices.count(status="paid") == 1


def test_what_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(CrmError):
        crm_py.open(tmp_path / "missing.db", create=False)
    with pytest.raises(CrmError):
        crm_py.open(tmp_path / "no" / "such" / "folder.db")
    (tmp_path / "text.db").write_text("this is no database, " * 100)
    with pytest.raises(CrmError):
        crm_py.open(tmp_path / "text.db")
    with pytest.raises(ValidationError) as caught:
        crm_py.open("mysql://localhost/x")
    assert caught.value.field == "database"
    with pytest.raises(ValidationError):
        crm_py.open(tmp_path / "x.db", durability="none")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        crm_py.open(tmp_path / "x.db", schema="x")
    with pytest.raises(TypeError):
        crm_py.open(5)  # type: ignore[arg-type]


def test_an_address_is_shown_without_its_password() -> None:
    with pytest.raises(CrmError) as caught:
        crm_py.open("postgres://ana:sec@ret@127.0.0.1:1/none")
    assert "ret" not in str(caught.value).replace("returned", "")
    with crm_py.open(postgres_url(), schema=new_schema()) as crm:
        assert repr(crm).startswith("<open database postgres")
        shown = crm._native.url
    sign = "&" if "?" in postgres_url() else "?"
    with crm_py.open(f"{postgres_url()}{sign}password=se@cret", schema="py_shown") as crm:
        assert "cret" not in repr(crm)
        assert "password=***" in repr(crm)
    assert ":" not in shown.split("://")[1].split("@")[0] or "@" not in shown


def test_a_role_is_granted_what_programs_need(tmp_path: Path) -> None:
    name = f"py_{secrets.token_hex(8)}"
    with crm_py.open(postgres_url(), schema=name) as crm:
        acme(crm)
        assert refused_role(crm, "nobody-of-that-name") == "role"
        # A role that every server has.
        crm.grant("pg_read_all_data")
    with crm_py.open(tmp_path / "x.db") as crm:
        assert refused_role(crm, "pg_read_all_data") == "role"


def refused_role(crm: crm_py.Crm, role: str) -> str | None:
    with pytest.raises(ValidationError) as caught:
        crm.grant(role)
    return caught.value.field


def test_closing_ends_everything(database: crm_py.Crm) -> None:
    org = acme(database)
    contact = org.contacts.create(kind="person", given_name="Eva")
    assert "open" in repr(database)
    database.close()
    database.close()
    assert database.closed
    for call in (org.contacts.list, org.reports.summary, database.organizations):
        with pytest.raises(Unavailable, match="the database is closed") as caught:
            call()
        assert caught.value.hint is not None
    assert contact.given_name == "Eva"
    assert "closed" in repr(database)


def test_a_leaked_database_is_warned_of(tmp_path: Path) -> None:
    crm = crm_py.open(tmp_path / "leak.db")
    org = acme(crm)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        del crm
        gc.collect()
        assert not caught, "a session keeps its database open"
        assert org.role == "owner"
        del org
        gc.collect()
    assert [warning.category for warning in caught] == [ResourceWarning]
    assert "leak.db" in str(caught[0].message)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with crm_py.open(tmp_path / "leak.db") as again:
            pass
        del again
        gc.collect()
    assert not caught


def test_other_threads_run_while_a_call_waits(sqlite: crm_py.Crm, tmp_path: Path) -> None:
    """A call that waits for another process's lock lets Python go on."""
    org = acme(sqlite)
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sqlite3, sys\n"
            f"c = sqlite3.connect({str(tmp_path / 'test.db')!r}, isolation_level=None)\n"
            "c.execute('BEGIN IMMEDIATE'); print('held', flush=True); sys.stdin.read(); c.execute('ROLLBACK')",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with holder:
        assert holder.stdout is not None and holder.stdin is not None
        assert holder.stdout.readline() == "held\n"
        done = threading.Event()

        def write() -> None:
            org.contacts.create(kind="person", given_name="Eva")
            done.set()

        writer = threading.Thread(target=write)
        writer.start()
        ticks = 0
        end = time.monotonic() + 0.5
        while time.monotonic() < end:
            time.sleep(0.01)
            ticks += 1
        assert ticks > 10
        assert not done.is_set()
        holder.stdin.close()
        writer.join(20)
        assert done.is_set()


def test_calls_of_two_threads_overlap(database: crm_py.Crm) -> None:
    """While one thread is inside a long call, another one makes many."""
    org = acme(database)
    many = [{"kind": "person", "given_name": f"n{number}", "email": f"n{number}@x.example"} for number in range(3_000)]
    inside = threading.Event()
    ended = threading.Event()

    def load() -> None:
        inside.set()
        org.contacts.create_many(many)  # type: ignore[arg-type]
        ended.set()

    thread = threading.Thread(target=load)
    thread.start()
    inside.wait()
    during = 0
    while not ended.is_set():
        org.members.list()
        during += 1
    thread.join()
    assert during > 3
    assert org.contacts.count() == 3_000


def test_no_more_is_accepted_than_is_due(database: crm_py.Crm) -> None:
    org = acme(database)
    contact = org.contacts.create(kind="person", given_name="Eva")
    invoice = org.invoices.create(
        contact=contact, lines=[{"description": "x", "quantity": 1, "unit_price": Decimal(20)}], issue=True
    )

    def pay(_: int) -> int:
        accepted = 0
        for _ in range(5):
            try:
                org.invoices.pay(invoice, Decimal(1))
                accepted += 1
            except RuleError:
                pass
        return accepted

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(pay, range(8))) == 20
    assert org.invoices.get(invoice).status == "paid"
    assert org.audit.verify().ok


def test_numbers_have_no_gaps(database: crm_py.Crm) -> None:
    org = acme(database)
    contact = org.contacts.create(kind="person", given_name="Eva")

    def issue(_: int) -> str | None:
        return org.invoices.create(
            contact=contact, lines=[{"description": "x", "quantity": 1, "unit_price": Decimal(1)}], issue=True
        ).number

    with ThreadPoolExecutor(6) as pool:
        numbers = sorted(filter(None, pool.map(issue, range(60))))
    assert numbers == [f"INV-{number:06}" for number in range(1, 61)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_gets_a_clear_error(database: crm_py.Crm) -> None:
    org = acme(database)
    org.contacts.create(kind="person", given_name="Eva")
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(30)
        try:
            org.contacts.list()
            answer = "nothing was raised"
        except Unavailable as error:
            answer = f"{error}; {error.hint}"
        except BaseException as error:  # noqa: BLE001
            answer = repr(error)
        database.close()
        os.write(writer, answer.encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as answers:
        answer = answers.read()
    assert os.waitpid(child, 0)[1] == 0
    assert answer.startswith("the database was opened by another process")
    assert "spawn" in answer
    assert org.contacts.count() == 1
    org.contacts.create(kind="person", given_name="Ida")
    assert org.audit.verify().ok


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_forked_child_opens_its_own(kind: str, tmp_path: Path) -> None:
    """In a fresh interpreter, since this one has threads."""
    address = str(tmp_path / "fork.db") if kind == "sqlite" else postgres_url()
    more = "" if kind == "sqlite" else f", schema={new_schema()!r}"
    script = f"""
        import os, signal, crm_py
        options = dict(a=1{more})
        del options["a"]
        crm = crm_py.open({address!r}, **options)
        crm.create_organization("acme", name="A", currency="USD", time_zone="UTC", owner_email="a@x.example", owner_name="A")
        child = os.fork()
        if child == 0:
            signal.alarm(30)
            with crm_py.open({address!r}, **options) as own:
                own.organization("acme", acting_as="a@x.example").contacts.create(kind="person", given_name="Eva")
        else:
            assert os.waitpid(child, 0)[1] == 0
            assert crm.organization("acme", acting_as="a@x.example").contacts.count() == 1
            crm.close()
            print("done")
    """
    command = [sys.executable, "-W", "error", "-W", "ignore::DeprecationWarning", "-c", textwrap.dedent(script)]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (answer.stdout, answer.stderr) == ("done\n", "")


def test_every_kind_of_error_has_its_class() -> None:
    kinds: dict[str, tuple[type[CrmError], type[Exception]]] = {
        "unauthenticated": (errors.Unauthenticated, CrmError),
        "forbidden": (errors.PermissionDenied, PermissionError),
        "not_found": (errors.NotFound, LookupError),
        "conflict": (errors.Conflict, CrmError),
        "duplicate": (errors.Duplicate, errors.Conflict),
        "invalid": (errors.ValidationError, ValueError),
        "rule": (errors.RuleError, CrmError),
        "throttled": (errors.Throttled, CrmError),
        "unavailable": (errors.Unavailable, CrmError),
        "outcome_unknown": (errors.OutcomeUnknown, CrmError),
        "corrupt": (errors.Corrupt, CrmError),
        "failure": (errors.CrmError, Exception),
    }
    classes = [getattr(errors, name) for name in errors.__all__]
    assert {kind.default_code for kind in classes} == set(kinds)
    for code, (kind, base) in kinds.items():
        assert issubclass(kind, CrmError)
        assert issubclass(kind, base)
        error = kind("it failed", field="email", details=[{"field": "email"}], hint="try")
        assert (error.code, str(error), error.field, error.hint) == (code, "it failed", "email", "try")
        again = pickle.loads(pickle.dumps(error))
        assert type(again) is kind
        assert (str(again), again.code, again.field, again.details, again.hint) == (
            "it failed",
            code,
            "email",
            ({"field": "email"},),
            "try",
        )


def test_raised_errors_pickle(local: Session) -> None:
    with pytest.raises(ValidationError) as caught:
        local.contacts.create(kind="person", given_name="x", email="no")
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.details) == (str(caught.value), caught.value.details)


def test_importing_does_not_import_much() -> None:
    script = "import sys, crm_py; print(*sorted(m for m in sys.modules if not m.startswith(('crm_py', '_'))))"
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not {"numpy", "pandas", "asyncio", "sqlite3"} & set(answer.stdout.split())


def test_two_processes_use_one_file(sqlite: crm_py.Crm, tmp_path: Path) -> None:
    org = acme(sqlite)
    script = (
        "import sys, crm_py\n"
        "with crm_py.open(sys.argv[1]) as crm:\n"
        f"    org = crm.organization('acme', acting_as={ANA!r})\n"
        "    for n in range(20): org.contacts.create(kind='person', given_name=f'p{n}')\n"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(tmp_path / "test.db")]) as other:
        for number in range(20):
            org.contacts.create(kind="person", given_name=f"q{number}")
        assert other.wait(60) == 0
    assert org.contacts.count() == 40
    assert org.audit.verify().ok
