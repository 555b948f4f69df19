"""git's settings mailmap.file and mailmap.blob mean for a path what they mean for git."""

from __future__ import annotations

import os
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from podium.clones.local import open_local
from podium.clones.mailmaps.mailmap import Mailmaps, identities
from podium.errors import HistoryError
from podium.git.command import Git
from podium.git.limits import Limits
from tests.support import repos

PEOPLE = [("Ann", "ann@x"), ("Bob", "bob@x"), ("Carl", "carl@x"), ("Dora", "dora@x")]
COMMITTED = b"By Commit <c@x> <ann@x>\nBy Commit <c@x> <bob@x>\n"
BLOB = b"By Blob <b@x> <bob@x>\nBy Blob <b@x> <carl@x>\n"
FILE = b"By File <f@x> <carl@x>\nBy File <f@x> <dora@x>"


class Home:
    """A home folder with git's settings, and a bare and a cloned repository of four people."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C"}
        self.bare = repos.make_bare(folder / "bare.git")
        tree = repos.write_tree(self.bare, {".mailmap": COMMITTED})
        parents: list[str] = []
        for name, email in PEOPLE:
            parents = [repos.commit(self.bare, parents, author=f"{name} <{email}> 1 +0000".encode(), tree=tree)]
        repos.set_branch(self.bare, parents[0])
        other = repos.commit(self.bare, tree=repos.write_tree(self.bare, {"people": BLOB}))
        repos.set_branch(self.bare, other, "mailmap")
        self.clone = folder / "clone"
        repos.git(self.bare, "clone", "-q", str(self.bare), str(self.clone))
        repos.git(self.clone / ".git", "branch", "-q", "mailmap", "origin/mailmap")
        (self.clone / "sub").mkdir()

    def write_settings(self, *lines: str) -> None:
        (self.folder / ".gitconfig").write_text("[mailmap]\n" + "".join(f"\t{line}\n" for line in lines))

    def by_git(self, place: Path) -> Counter[str]:
        words = ("git", "-C", str(place), "shortlog", "-sne", "HEAD")
        answer = subprocess.run(words, env=self.environment, capture_output=True, check=True)
        found = (line.split("\t") for line in answer.stdout.decode().splitlines())
        return Counter({person: int(number) for number, person in found})

    def by_podium(self, place: Path) -> tuple[Counter[str], str | None]:
        git = Git.for_person(self.environment)
        found = open_local(git, place)
        people = identities(git, found.path, found.mailmaps, PEOPLE).values()
        return Counter(f"{person.name} <{person.email}>" for person in people), found.note


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("home"))
    for folder in (home.folder, home.clone, home.bare):
        (folder / "own.mailmap").write_bytes(FILE)
    return home


SETTINGS = [
    (),
    ("file = ~/own.mailmap",),
    ("file = ~/missing",),
    ("file = own.mailmap",),
    ("file = /dev/null/x",),
    ("file =",),
    ("blob = mailmap:people",),
    ("blob = mailmap:missing",),
    ("blob = no such name",),
    ("blob =",),
    ("blob = mailmap:people", "file = ~/own.mailmap"),
    ("file = ~/own.mailmap", "file = ~/missing"),
]


@pytest.mark.parametrize("settings", SETTINGS, ids=" & ".join)
def test_settings_mean_what_they_mean_for_git(home: Home, settings: tuple[str, ...]) -> None:
    home.write_settings(*settings)
    for place in (home.bare, home.clone, home.clone / "sub"):
        assert home.by_podium(place) == (home.by_git(place), None), place


@pytest.mark.parametrize(
    ("settings", "note"),
    [
        ("file = ~/", "The mailmap of git's setting mailmap.file is not a regular file, so it is not applied."),
        ("file = /dev/zero", "The mailmap of git's setting mailmap.file is not a regular file, so it is not applied."),
        ("file = ~/large", "The mailmap of git's setting mailmap.file is larger than 4 MiB or 20,000 lines"),
        ("blob = mailmap", "git's setting mailmap.blob names no file, so it is not applied."),
    ],
)
def test_what_cannot_be_applied_is_noted_and_the_rest_applies(home: Home, settings: str, note: str) -> None:
    (home.folder / "large").write_bytes(b"#\n" * 20_001)
    home.write_settings(settings)
    people, why = home.by_podium(home.clone)
    assert people == {"By Commit <c@x>": 2, "Carl <carl@x>": 1, "Dora <dora@x>": 1}
    assert why is not None
    assert why.startswith(note)


@pytest.mark.parametrize(
    ("settings", "cause"),
    [
        ("file = ~no-such-user/x", "names ~no-such-user/x, and there is no such user"),
        ("file", "git cannot use its setting mailmap.file in line 2 of "),
        ("blob", "git cannot use its setting mailmap.blob in line 2 of "),
    ],
)
def test_settings_that_git_cannot_read_are_an_error(home: Home, settings: str, cause: str) -> None:
    home.write_settings(settings)
    with pytest.raises(HistoryError, match=cause):
        home.by_podium(home.clone)


def test_a_blob_that_must_be_fetched_is_not_applied(home: Home, tmp_path: Path) -> None:
    home.write_settings("blob = origin/mailmap:people")
    repos.git(home.bare, "config", "uploadpack.allowFilter", "true")
    clone = tmp_path / "clone"
    repos.git(home.bare, "clone", "-q", "--no-checkout", "--filter=tree:0", f"file://{home.bare}", str(clone))
    people, why = home.by_podium(clone)
    assert people == {f"{name} <{email}>": 1 for name, email in PEOPLE}
    assert why is not None
    assert why.endswith("so it is not applied.")


def test_a_servers_git_reads_no_settings(home: Home) -> None:
    home.write_settings("file = ~/own.mailmap", "blob = mailmap:people")
    git = Git.for_server(Limits(), search_path=os.environ["PATH"])
    assert open_local(git, home.bare).mailmaps == Mailmaps(
        repos.git(home.bare, "rev-parse", "main:.mailmap").decode().strip()
    )
