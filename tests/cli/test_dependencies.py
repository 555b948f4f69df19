"""What works without the extra "server", and what the other commands say."""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from podium.cli.arguments import parser
from podium.leaderboard.export.schema import board_schema
from podium.storage import migrate, sqlite_schema
from podium.storage.sqlite import SqliteDatabase
from tests.support.cli import Podium, clean_environment

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


def test_rank_works_and_migrates_an_older_data_folder(tmp_path: Path, repository: Path, without_extra: str) -> None:
    podium = Podium(tmp_path / "data")
    podium.data.mkdir()
    migrate.migrate(f"sqlite:///{podium.data / 'podium.db'}", "0001")
    # A token makes it ask for accounts, which fails at once, and needs everything that looking accounts up needs.
    asked = {"GITHUB_TOKEN": "x", "GITHUB_API_URL": "http://127.0.0.1:9", "GITHUB_GRAPHQL_URL": "http://127.0.0.1:9"}
    board = podium.board(str(repository), PYTHONPATH=without_extra, **asked)
    assert [row["name"] for row in board["top_contributors"]] == ["Ada"]
    card = tmp_path / "card.svg"
    assert podium.run("rank", str(repository), "-q", "-o", str(card), PYTHONPATH=without_extra).returncode == 0
    assert ">Ada</text>" in card.read_text()
    assert podium.run("schema", PYTHONPATH=without_extra).stdout == board_schema()
    connection = sqlite3.connect(podium.data / "podium.db")
    assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(migrate.HEAD,)]
    connection.close()


@pytest.mark.parametrize(
    ("words", "variables"),
    [
        (["serve"], {}),
        (["serve", "--reload"], {}),
        (["worker", "all"], {"REDIS_URL": "redis://127.0.0.1:9"}),
        (["queue"], {"REDIS_URL": "redis://127.0.0.1:9"}),
        (["queue", "retry"], {"REDIS_URL": "redis://127.0.0.1:9"}),
        (["migrate"], {"DATABASE_URL": "postgresql://u@127.0.0.1:9/d"}),
        (["rank", "."], {"DATABASE_URL": "postgresql://u@127.0.0.1:9/d"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_command_that_needs_the_extra_says_so(
    tmp_path: Path, repository: Path, without_extra: str, words: list[str], variables: dict[str, str]
) -> None:
    podium = Podium(tmp_path)
    with contextlib.closing(SqliteDatabase(tmp_path / "podium.db")) as db:
        sqlite_schema.create(db)
    done = podium.run(*words, cwd=repository, PYTHONPATH=without_extra, **variables)
    assert done.returncode == 2
    assert re.fullmatch(
        rf"podium: `podium {words[0]}` needs the package \w+, which is not installed: "
        r"run `pip install 'podium\[server\]'`, or `pip install '\.\[server\]'` in a clone of Podium\.\n",
        done.stderr,
    )


def test_doctor_and_queue_work_without_the_extra_on_the_default_database(tmp_path: Path, without_extra: str) -> None:
    podium = Podium(tmp_path / "data")
    assert podium.run("migrate", PYTHONPATH=without_extra).returncode == 0
    assert podium.run("queue", PYTHONPATH=without_extra).stderr == ""
    assert "revision" in podium.run("doctor", "--offline", "--wait", "60", PYTHONPATH=without_extra).stdout
    found = podium.run("doctor", "--offline", "--wait", "60", PYTHONPATH=without_extra, REDIS_URL="redis://127.0.0.1:9")
    assert "pip install 'podium[server]'" in found.stdout
    assert found.stderr == ""


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
