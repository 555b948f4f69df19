"""The distributed arrangement, typed from its page: four terminals, each command and answer as they stand there."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cli import clean_environment
from tests.support.githttp import serve_repositories
from tests.support.github_double import GitHubDouble
from tests.support.hello_world import accounts, make_hello_world
from tests.support.postgres import running_postgres
from tests.support.server import free_port, wait_until
from tests.support.terminal import Terminal, Typed, blocks, terminal, typed
from tests.support.valkey import running_valkey

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "distributed.md").read_text()

TOKEN = "ghp_0fThisTest"

# What is another's at each reader: times, sizes, versions, numbers of processes.
_ANYBODYS = (
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( UTC|Z)"), "TIME"),
    (re.compile(r"\b\d+ (s|min|h)\b"), "SPAN"),
    (re.compile(r"^[\w.-]+:\d+ +(?=(commit|user)-)", re.MULTILINE), "PROCESS "),
    (re.compile(r"has revision [0-9a-f]{12}"), "REVISION"),
    (re.compile(r"(Valkey|PostgreSQL|revision +)[\d. ]+"), r"\1"),
    # A worker may have taken the only job.
    (re.compile(r',\n +"queue": \{[^}]*\}'), ""),
    # git and disk of this machine.
    (re.compile(r"^.{8} (git|disk) .*\n( +→.*\n)*", re.MULTILINE), ""),
    (re.compile(r"\d+ warnings?\."), "WARNINGS"),
    (re.compile(r" +"), " "),
)


@dataclasses.dataclass(frozen=True)
class Stage:
    """The home of whoever types, their environment, the port of the API, and what stands in for what the page names."""

    home: Path
    environment: dict[str, str]
    port: int
    stand_ins: dict[str, str]

    def here(self, text: str) -> str:
        """A text of the page as it is to be understood here."""
        for theirs, ours in self.stand_ins.items():
            text = text.replace(theirs, ours)
        return text


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """PostgreSQL and Redis as the page wants them, and a GitHub."""
    (database,) = blocks(PAGE, "Four terminals", "sql")
    (configuration,) = blocks(PAGE, "Four terminals", "conf")
    repository = make_hello_world(tmp_path / "repositories" / "octocat" / "Hello-World")
    port = free_port()
    with (
        running_postgres("postgres") as postgres,
        running_valkey(configuration, password="") as valkey,
        serve_repositories(tmp_path / "repositories") as host,
        GitHubDouble({"octocat/Hello-World": repository}, accounts(), tokens=(TOKEN,)) as github,
    ):
        for statement in database.split(";\n"):
            if statement:
                postgres.ask(statement)
        home = tmp_path / "home"
        home.mkdir()
        environment = clean_environment(
            HOME=str(home),
            PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            GITHUB_SERVER_URL=host.url,
            GITHUB_API_URL=github.api_url,
            GITHUB_GRAPHQL_URL=github.graphql_url,
            NO_PROXY="127.0.0.1,localhost",
        )
        stand_ins = {
            "localhost:5432": f"127.0.0.1:{postgres.port}",
            "localhost:6379": f"127.0.0.1:{valkey.port}",
            "localhost:3000": f"localhost:{port}",
            "127.0.0.1:3000": f"127.0.0.1:{port}",
            "https://github.com/octocat": f"{host.url}/octocat",
            '"github.com"': f'"{host.url.removeprefix("http://")}"',
            "https://avatars.githubusercontent.com": "https://avatars.example",
            "/home/you": str(home),
            "ghp_yours": TOKEN,
            # Other tests may keep both cores busy.
            "podium doctor": "podium doctor --wait 60",
        }
        yield Stage(home, environment, port, stand_ins)


def plain(text: str) -> str:
    """A text without what is another's at each reader, such as the order in which processes came."""
    for pattern, word in _ANYBODYS:
        text = pattern.sub(word, text)
    processes = sorted(line for line in text.splitlines() if line.startswith("PROCESS"))
    return "\n".join(processes.pop(0) if line.startswith("PROCESS") else line for line in text.strip().splitlines())


def show(stage: Stage, window: Terminal, line: Typed) -> None:
    """Type a line and see what the page shows; again, where it only asks, until the work is done."""
    shown = [""]

    def is_shown() -> bool:
        shown[0] = window.run(stage.here(line.command))
        return plain(shown[0]) == plain(stage.here(line.shown))

    if "POST" in line.command or not line.shown:
        is_shown()
    else:
        with contextlib.suppress(AssertionError):
            wait_until(is_shown, line.command)
    assert plain(shown[0]) == plain(stage.here(line.shown))


def start(stage: Stage, window: Terminal, section: str) -> None:
    """Type the lines of a terminal, the last of which goes on running, until that shows what the page does."""
    *first, last = typed(PAGE, section)
    for line in first:
        show(stage, window, line)
    window.type(stage.here(last.command))
    wanted = plain(stage.here(last.shown))
    assert wanted
    wait_until(lambda: wanted in plain(window.said()), f"{section} to show {wanted}")


def test_four_terminals(stage: Stage) -> None:
    with contextlib.ExitStack() as opened:
        api, commits, users, you = (
            opened.enter_context(terminal(stage.home, str(number), stage.environment | port))
            for number, port in enumerate([{"PORT": str(stage.port)}, {}, {}, {}], start=1)
        )
        start(stage, api, "Terminal 1")
        start(stage, commits, "Terminal 2")
        start(stage, users, "Terminal 3")
        lines = typed(PAGE, "Terminal 4")
        assert len(lines) > 4
        for line in lines:
            show(stage, you, line)
        # Ctrl-C in each.
        assert [window.interrupt() for window in (users, commits, api)] == [0, 0, 0]


def test_the_readme_has_the_same_commands() -> None:
    readme = {line.command.partition("#")[0].strip() for line in typed((ROOT / "README.md").read_text(), "On more")}
    page = {line.command for number in range(1, 5) for line in typed(PAGE, f"Terminal {number}")}
    assert readme == {command for command in page if command.startswith(("podium migrate", "podium serve", "podium w"))}
