"""What works without the extra "server", and what the other commands say."""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import re
import sqlite3
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from podium.cli.arguments import parser
from podium.leaderboard.export.schema import board_schema
from podium.storage import migrate
from tests.support.cli import Podium, clean_environment, migrated_podium

# Refuses to import what `pip install .` does not bring.
_BLOCKER = """
import sys

BLOCKED = {blocked!r}


class Blocker:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in BLOCKED:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
        return None


sys.meta_path.insert(0, Blocker)
"""


def brought_by(distribution: str, extras: frozenset[str] = frozenset()) -> set[str]:
    """The names of all distributions that installing this one brings here."""
    brought, todo = set[str](), [(distribution, extras)]
    while todo:
        name, wanted = todo.pop()
        name = re.sub(r"[-_.]+", "-", name).lower()
        if name in brought:
            continue
        try:
            requirements = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            # Needed on another platform or Python only.
            continue
        brought.add(name)
        for requirement in requirements:
            needs = re.search(r"extra == ['\"]([\w-]+)['\"]", requirement)
            match = re.match(r"[\w.-]+", requirement)
            if match and (needs is None or needs[1] in wanted):
                todo.append((match[0], frozenset()))
    return brought


@pytest.fixture(scope="module")
def without_extra(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder for PYTHONPATH that hides every package which `pip install .` does not bring."""
    brought = brought_by("podium")
    blocked = {
        module
        for module, distributions in importlib.metadata.packages_distributions().items()
        if not {re.sub(r"[-_.]+", "-", name).lower() for name in distributions} & brought
    }
    assert {"fastapi", "uvicorn", "dramatiq", "redis", "psycopg", "jinja2", "prometheus_client"} <= blocked
    assert not {"alembic", "sqlalchemy", "httpx", "rich"} & blocked
    folder = tmp_path_factory.mktemp("without")
    (folder / "sitecustomize.py").write_text(_BLOCKER.format(blocked=blocked))
    return str(folder)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("repository")
    person = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    for words in (["init", "--quiet"], [*person, "commit", "--quiet", "--allow-empty", "--message=Begin"]):
        subprocess.run(["git", "-C", str(folder), *words], env=clean_environment(), check=True)
    return folder


# A process runs several commands: each start of Podium takes as long as a command.
_COMMANDS = """
import contextlib, io, json, os, sys
from podium.cli import main

for words, variables in json.load(sys.stdin):
    os.environ |= variables
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as errors:
        code = main(words)
    for name in variables:
        del os.environ[name]
    print(json.dumps([code, out.getvalue(), errors.getvalue()]))
"""
Command = tuple[Sequence[str], Mapping[str, str]]


def run(data: Path, without_extra: str, *commands: Command) -> list[tuple[int, str, str]]:
    """Run them one after the other without the extra; give exit codes, output and errors."""
    done = subprocess.run(
        [sys.executable, "-c", _COMMANDS],
        env=Podium(data).environment(PYTHONPATH=without_extra),
        input=json.dumps(commands),
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    return [(code, out, errors) for code, out, errors in map(json.loads, done.stdout.splitlines())]


def test_rank_works_and_migrates_an_older_data_folder(tmp_path: Path, repository: Path, without_extra: str) -> None:
    data = tmp_path / "data"
    data.mkdir()
    migrate.migrate(f"sqlite:///{data / 'podium.db'}", "0001")
    # A token makes it ask for accounts, which fails at once, and needs everything that looking accounts up needs.
    asked = {"GITHUB_TOKEN": "x", "GITHUB_API_URL": "http://127.0.0.1:9", "GITHUB_GRAPHQL_URL": "http://127.0.0.1:9"}
    card = tmp_path / "card.svg"
    ranked, drawn, described = run(
        data,
        without_extra,
        (["rank", str(repository), "--format", "json"], asked),
        (["rank", str(repository), "-q", "-o", str(card)], {}),
        (["schema"], {}),
    )
    assert ranked[0] == 0, ranked
    assert [row["name"] for row in json.loads(ranked[1])["top_contributors"]] == ["Ada"]
    assert drawn[0] == 0, drawn
    assert ">Ada</text>" in card.read_text()
    assert described == (0, board_schema(), "")
    connection = sqlite3.connect(data / "podium.db")
    assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(migrate.HEAD,)]
    connection.close()


def test_a_command_that_needs_the_extra_says_so(tmp_path: Path, repository: Path, without_extra: str) -> None:
    redis, postgresql = {"REDIS_URL": "redis://127.0.0.1:9"}, {"DATABASE_URL": "postgresql://u@127.0.0.1:9/d"}
    commands: list[Command] = [
        (["serve"], {}),
        (["serve", "--reload"], {}),
        (["worker", "all"], redis),
        (["queue"], redis),
        (["queue", "retry"], redis),
        (["migrate"], postgresql),
        (["rank", str(repository)], postgresql),
    ]
    for (words, _), done in zip(
        commands, run(migrated_podium(tmp_path / "data").data, without_extra, *commands), strict=True
    ):
        assert done[:2] == (2, ""), done
        assert re.fullmatch(
            rf"podium: `podium {words[0]}` needs the package \w+, which is not installed: "
            r"run `pip install 'podium\[server\]'`, or `pip install '\.\[server\]'` in a clone of Podium\.\n",
            done[2],
        ), words


def test_migrate_queue_and_doctor_work_without_the_extra_on_the_default_database(
    tmp_path: Path, without_extra: str
) -> None:
    doctor = ["doctor", "--offline", "--wait", "60"]
    migrated, queues, found, found_beside_redis = run(
        tmp_path / "data",
        without_extra,
        (["migrate"], {}),
        (["queue"], {}),
        (doctor, {}),
        (doctor, {"REDIS_URL": "redis://127.0.0.1:9"}),
    )
    assert migrated[0] == 0, migrated
    assert (queues[0], queues[2]) == (0, "")
    assert "revision" in found[1]
    assert "pip install 'podium[server]'" in found_beside_redis[1]
    assert found_beside_redis[2] == ""


def test_every_command_names_a_function_that_runs_it() -> None:
    for words in (["rank", "."], ["serve"], ["worker", "all"], ["queue"], ["queue", "retry"], ["queue", "drop", "1"]):
        module, _, function = parser().parse_args(words).func.partition(":")
        assert callable(getattr(importlib.import_module(f"podium.cli.{module}"), function))


def test_drawing_libraries_are_imported_by_the_first_picture() -> None:
    script = """
import sys
import podium.cli.rank.rank_command
import podium.app.processes.server_process
import podium.web.application
from podium.web.share.preview.fonts import Fonts
from podium.web.share.preview.typesetting import Typesetter

Typesetter(Fonts())
print(sorted({name.partition(".")[0] for name in sys.modules} & {"PIL", "uharfbuzz"}))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
