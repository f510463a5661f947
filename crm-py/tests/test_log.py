"""Nothing secret or personal gets into a log, on both databases."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import program_to_log
import pytest
from conftest import new_schema, postgres_url
from program_to_log import PLANTED


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_nothing_is_logged_even_when_it_is_asked_for(kind: str, tmp_path: Path) -> None:
    """The package has no logger, so nothing of anybody gets into a log."""
    folder, log, told = tmp_path / "folder", tmp_path / "log.txt", tmp_path / "told.json"
    folder.mkdir()
    place = [str(tmp_path / "log.db"), ""] if kind == "sqlite" else [postgres_url(), new_schema()]
    command = [sys.executable, "-X", "dev", program_to_log.__file__, *place, str(log), str(told)]
    asked = {"RUST_LOG": "trace", "RUST_BACKTRACE": "full", "TMPDIR": str(folder)}
    answer = subprocess.run(
        command, cwd=folder, env=os.environ | asked, capture_output=True, text=True, timeout=120, check=False
    )
    assert answer.returncode == 0, answer.stderr
    out, err, kept = answer.stdout, answer.stderr, log.read_text(encoding="utf-8")
    for captured in (out, err, kept):
        assert PLANTED in captured
    seen = f"{out}{err}{kept}".casefold()
    values: dict[str, str] = json.loads(told.read_text(encoding="utf-8"))
    assert [what for what, value in values.items() if value.casefold() in seen] == []
    # Nor is there anything else, there or in a file.
    assert (out, err) == (f"{PLANTED}\n", f"{PLANTED}\nLevel 1:crm_py.any:{PLANTED}\n")
    assert kept.count("\n") == 1
    assert list(folder.iterdir()) == []
