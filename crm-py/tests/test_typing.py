"""The types: generated from the tables, complete, and true."""

from __future__ import annotations

import importlib.util
import sys
from importlib.resources import files
from pathlib import Path
from types import ModuleType

import pytest

TOOL = Path(__file__).resolve().parent.parent / "tools" / "make_stubs.py"


@pytest.fixture
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_stubs", TOOL)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_generated_types_are_up_to_date(tool: ModuleType) -> None:
    assert tool.outdated() == [], "run tools/make_stubs.py"


def test_the_package_says_that_it_is_typed() -> None:
    assert files("crm_py").joinpath("py.typed").is_file()
    assert files("crm_py").joinpath("_crm_py.pyi").is_file()


def test_every_public_name_is_there() -> None:
    import crm_py

    for name in crm_py.__all__:
        assert getattr(crm_py, name) is not None
    assert sorted(crm_py.__all__, key=str) == list(crm_py.__all__)
    assert sys.modules["crm_py"].__doc__ is not None
