"""Boards of small and large repositories on one server, each counted when a test first asks for it."""

from __future__ import annotations

import contextlib
import dataclasses
import subprocess
from collections.abc import Iterator
from pathlib import Path

from benchmarks import synthetic
from tests.support.cli import Podium
from tests.support.githttp import serve_repositories
from tests.support.server import Server, serving

# Commits and people of the large ones, who take six years for them.
LARGE = {"big": (6_000, 800), "huge": (52_000, 2_400)}
_SECONDS = 6 * 365 * 86_400

HOSTILE = {
    2: '"onmouseover="alert(1)" x="',
    3: "محمد بن عبد الله الخوارزمي",
    4: "Z͑ͫ̓a͎̭̟ḻ̼̭͂g̟͖͊o̮͚̙ͦ͐" * 4,
    5: "\u202egnp.exe\u202c Evil",
    6: "Wolfeschlegelsteinhausenbergerdorff" * 14,
    7: "&lt;script&gt;alert(1)&lt;/script&gt;",
    8: "🦀🎉 {{7*7}} {% raw %} ${7*7}",
    11: "李 雷",
}
BOT = "dependabot[bot] <49699333+dependabot[bot]@users.noreply.github.com>"
AGENT = "Claude <noreply@anthropic.com>"
_ADA, _GRACE, _LIN = "Ada Lovelace <ada@example.org>", "Grace Hopper <grace@example.org>", "Lin <lin@example.org>"

# The authors of the small ones, from the first commit to the last; a commit a day until 2026-06-30.
SMALL: dict[str, list[str]] = {
    "empty": [],
    "one": [_ADA],
    "five": [_ADA, _ADA, _GRACE, _ADA, _GRACE],
    "sixty": [(_ADA, _GRACE, _ADA, BOT, _LIN, AGENT)[number % 6] for number in range(60)],
    "bots": [BOT] * 5,
    "ties": [f"{name} Example <{name.lower()}@example.org>" for name in ("Ada", "Bob", "Cy", "Dee", "Eve")] * 2,
    "hostile": [
        f"{name} <p{number}@example.org>" for number, name in sorted(HOSTILE.items()) for _ in range(20 - number)
    ],
}
_END = 1_782_820_800


def who(number: int) -> str:
    """People of all kinds: with and without an account, a bot, an agent, and those with hostile names."""
    if number == 9:
        return BOT
    if number == 10:
        return AGENT
    name = HOSTILE.get(number, f"Person {number}")
    if number % 5 == 1:
        return f"{name} <{1000 + number}+dev{number}@users.noreply.github.com>"
    return f"{name} <p{number}@example.org>"


@dataclasses.dataclass
class ReadyBoards:
    """See the module. Tests only read them."""

    server: Server
    host: str
    folder: Path
    _counted: set[str] = dataclasses.field(default_factory=set)

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    def url(self, name: str) -> str:
        """The repository's address."""
        return f"{self.host}/o/{name}.git"

    def repository(self, name: str) -> Path:
        """The bare repository itself, to compare with git."""
        return self.folder / "o" / f"{name}.git"

    def path(self, name: str) -> str:
        """The path of a page whose repository may not be counted yet, nor exist."""
        return f"/r/{self.host.removeprefix('http://')}/o/{name}"

    def page(self, name: str) -> str:
        """The path of a finished board's page: a name of :data:`SMALL` or :data:`LARGE`."""
        if name not in self._counted:
            _build(self.repository(name), name)
            self.server.submit(self.url(name))
            self.server.wait_for(self.url(name), "completed", "failed")
            self._counted.add(name)
        return self.path(name)


def _build(repository: Path, name: str) -> None:
    if name in LARGE:
        commits, people = LARGE[name]
        synthetic.build(repository, commits, people, everybody=True, who=who, pace=2 * _SECONDS // commits)
        return
    authors = SMALL[name]
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(repository)], check=True)
    first = _END - 86_400 * len(authors)
    lines = "".join(
        f"commit refs/heads/main\nauthor {author} {first + 86_400 * day} +0000\n"
        f"committer {author} {first + 86_400 * day} +0000\ndata 4\nWork\n"
        for day, author in enumerate(authors)
    )
    subprocess.run(
        ["git", "-C", str(repository), "fast-import", "--quiet"], input=lines.encode(), check=True, capture_output=True
    )


@contextlib.contextmanager
def ready_boards(folder: Path) -> Iterator[ReadyBoards]:
    """The server, with its data in ``folder``."""
    (folder / "repositories" / "o").mkdir(parents=True)
    settings = {"PODIUM_DISK_RESERVE_BYTES": "1M", "PODIUM_SUBMISSIONS_PER_MINUTE": "0", "PODIUM_READ_BUDGET": "0"}
    with serve_repositories(folder / "repositories") as host:
        settings["PODIUM_GIT_HOSTS"] = host.url
        with serving(Podium(folder / "data"), settings) as server:
            yield ReadyBoards(server, host.url, folder / "repositories")
