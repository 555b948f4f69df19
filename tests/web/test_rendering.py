"""Compiled templates are kept from one start to the next, where that is possible."""

from __future__ import annotations

import sys
from pathlib import Path

import jinja2
import pytest

from podium.web.pages.rendering import bytecode_cache


@pytest.fixture(autouse=True)
def _may_write(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)


def rendered(folder: Path, source: str = "{{ 1 + 1 }}") -> str:
    loader = jinja2.DictLoader({"sum": source})
    return jinja2.Environment(loader=loader, bytecode_cache=bytecode_cache(folder)).get_template("sum").render()


def test_a_template_is_compiled_once_for_all_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert rendered(tmp_path) == "2"
    with monkeypatch.context() as patched:
        patched.setattr(jinja2.Environment, "compile", None)
        assert rendered(tmp_path) == "2"
    assert rendered(tmp_path, "{{ 1 + 2 }}") == "3"


def test_a_damaged_file_or_a_full_disk_only_cost_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rendered(tmp_path)
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(kept.read_bytes()[:-20])
    assert rendered(tmp_path) == "2"

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(jinja2.FileSystemBytecodeCache, "dump_bytecode", full)
    assert rendered(tmp_path, "{{ 3 }}") == "3"


def test_nothing_is_written_where_python_writes_no_bytecode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert bytecode_cache(tmp_path / "none") is None
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert bytecode_cache(tmp_path) is None
