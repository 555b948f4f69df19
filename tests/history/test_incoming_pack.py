"""A pack that is followed while git receives it gives the totals that a count after the clone gives, or none."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podium.clones.mirrors import Mirror, Mirrors
from podium.errors import HistoryError
from podium.git.command import Git
from podium.git.limits import Limits
from podium.history.count import count
from podium.history.count_limits import CountLimits
from podium.history.totals import Tally
from podium.history.walks import incoming_pack
from podium.history.walks.incoming_pack import IncomingPack
from tests.support import packs as make
from tests.support import repos
from tests.support.githttp import GitHost, serve_repositories
from tests.support.packs import Entry

GIT = Git.for_server(
    Limits(timeout=60, idle_timeout=30, memory=4 << 30, repository_bytes=1 << 30, disk_reserve=1),
    search_path=os.environ["PATH"],
    protocols=("http",),
)


def totals(tally: Tally | None) -> tuple[Any, ...]:
    assert tally is not None
    numbers = (tally.total_commits, tally.merge_commits, tally.trimmed_commits)
    ordinals = {person: ordinal for ordinal, person in enumerate(tally.people())}
    return *numbers, list(tally.persons()), list(tally.segments(ordinals))


def plainly(repository: Path, head: str) -> tuple[Any, ...]:
    return totals(count(GIT, repository, head))


# --- as index-pack writes ---


class Arriving:
    """A pack that arrives in a repository, as ``git index-pack`` writes it."""

    def __init__(self, repository: Path, content: bytes) -> None:
        self.content = content
        self._folder = repository / "objects" / "pack"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._file = self._folder / "tmp_pack_Ab12cd"
        self._there = 0

    def some(self, number: int) -> None:
        with self._file.open("ab") as file:
            file.write(self.content[self._there : self._there + number])
        self._there += number

    def kept(self) -> None:
        self.some(len(self.content))
        self._file.rename(self._folder / f"pack-{self.content[-20:].hex()}.pack")


@pytest.fixture(scope="module")
def traps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return repos.make_traps(tmp_path_factory.mktemp("traps") / "traps.git")


@pytest.fixture(scope="module")
def arriving(traps: Path) -> bytes:
    """The pack that a clone of the traps brings, deltas and all."""
    shas = repos.git(traps, "rev-list", "main")
    return repos.git(traps, "pack-objects", "-q", "--stdout", "--delta-base-offset", stdin=shas)


@pytest.fixture(scope="module")
def head(traps: Path) -> str:
    return repos.git(traps, "rev-parse", "refs/heads/main").decode().strip()


@pytest.fixture(scope="module")
def expected(traps: Path, head: str) -> tuple[Any, ...]:
    return plainly(traps, head)


@settings(max_examples=25, deadline=None, database=None)
@given(seed=st.integers(0, 10**6), worth=st.sampled_from((1, 700)))
def test_however_it_arrives_the_totals_are_those_of_a_count(
    tmp_path_factory: pytest.TempPathFactory,
    arriving: bytes,
    head: str,
    expected: tuple[Any, ...],
    seed: int,
    worth: int,
) -> None:
    repository = tmp_path_factory.mktemp("arriving")
    reported: list[int] = []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(incoming_pack, "_WORTH_READING", worth)
        incoming = IncomingPack(40, lambda tally, _: reported.append(tally.total_commits))
        pack = Arriving(repository, arriving)
        dice = random.Random(seed)
        incoming.step(repository)
        for _ in range(dice.randrange(60)):
            pack.some(dice.choice((1, 2, 7, 11, 40, 100, 1000, 4096)))
            for _ in range(dice.randrange(3)):
                incoming.step(repository)
        pack.kept()
        incoming.finish(repository, head)
        incoming.close()
    assert incoming.fault is None
    assert totals(incoming.tally) == expected
    assert reported == sorted(reported)


def test_at_every_single_cut(tmp_path: Path) -> None:
    source = repos.make_bare(tmp_path / "source.git")
    head = repos.chain(source, [repos.ALICE, repos.BOB])
    shas = repos.git(source, "rev-list", "main")
    content = repos.git(source, "pack-objects", "-q", "--stdout", "--delta-base-offset", stdin=shas)
    expected = plainly(source, head)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(incoming_pack, "_WORTH_READING", 1)
        for cut in range(len(content) + 1):
            repository = tmp_path / f"r{cut}"
            incoming, pack = IncomingPack(40, lambda *_: None), Arriving(repository, content)
            pack.some(cut)
            while incoming.step(repository):
                pass
            pack.kept()
            incoming.finish(repository, head)
            incoming.close()
            assert totals(incoming.tally) == expected, cut


def followed(repository: Path, content: bytes, head: str) -> IncomingPack:
    incoming, pack = IncomingPack(40, lambda *_: None), Arriving(repository, content)
    pack.some(len(content) // 2)
    incoming.step(repository)
    pack.kept()
    incoming.finish(repository, head)
    incoming.close()
    return incoming


@pytest.fixture
def small(tmp_path: Path) -> tuple[str, list[bytes]]:
    source = repos.make_bare(tmp_path / "source.git")
    head = repos.chain(source, [repos.ALICE, repos.BOB] * 3)
    shas = repos.git(source, "rev-list", "main").decode().split()
    return head, [repos.read_loose(source, sha) for sha in shas]


def test_what_proves_to_be_no_whole_history_is_not_counted(tmp_path: Path, small: tuple[str, list[bytes]]) -> None:
    head, raws = small
    packs = {
        "lacks 1 parent": make.pack([Entry(raw) for raw in raws[:-1]]),
        "twice": make.pack([Entry(raw) for raw in [*raws, raws[2]]]),
        "2 commits in it without a child": make.pack([*map(Entry, raws), Entry(b"tree " + b"1" * 40 + b"\nauthor")]),
        "another number": make.pack([Entry(raw) for raw in raws], announced=9),
        "names its base": make.pack([*map(Entry, raws), Entry(b"x", base=bytes(20))]),
        "larger than it says": make.pack([*map(Entry, raws), Entry(b"x" * 50, says=3)]),
    }
    for number, (fault, content) in enumerate(packs.items()):
        incoming = followed(tmp_path / f"r{number}", content, head)
        assert incoming.tally is None
        assert fault in str(incoming.fault), fault
    good = make.pack([Entry(raw) for raw in raws])
    assert followed(tmp_path / "good", good, head).fault is None
    assert "1 commit in it without a child" in str(followed(tmp_path / "other", good, "1" * 40).fault)


def test_a_pack_that_git_did_not_keep_is_not_counted(tmp_path: Path, small: tuple[str, list[bytes]]) -> None:
    head, raws = small
    content = make.pack([Entry(raw) for raw in raws])
    incoming = IncomingPack(40, lambda *_: None)
    pack = Arriving(tmp_path / "r", content)
    pack.some(len(content))
    incoming.step(tmp_path / "r")
    (tmp_path / "r" / "objects" / "pack" / f"pack-{content[-20:].hex()}.pack").write_bytes(content)
    incoming.finish(tmp_path / "r", head)
    incoming.close()
    assert "kept another pack" in str(incoming.fault)
    nothing = IncomingPack(40, lambda *_: None)
    nothing.finish(tmp_path / "none", head)
    assert (nothing.fault, nothing.tally) == (None, None)
    nothing.step(tmp_path / "none")
    nothing.finish(tmp_path / "none", head)
    assert "no pack arrived" in str(nothing.fault)


def test_two_packs_at_once_are_not_followed(tmp_path: Path) -> None:
    folder = tmp_path / "objects" / "pack"
    folder.mkdir(parents=True)
    for name in ("tmp_pack_a", "tmp_pack_b"):
        (folder / name).write_bytes(b"PACK")
    incoming = IncomingPack(40, lambda *_: None)
    assert not incoming.step(tmp_path)
    assert "another pack" in str(incoming.fault)


def test_a_pack_that_git_renames_at_that_moment_is_found_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small: tuple[str, list[bytes]]
) -> None:
    head, raws = small
    pack = Arriving(tmp_path, make.pack([Entry(raw) for raw in raws]))
    incoming = IncomingPack(40, lambda *_: None)
    renamed = tmp_path / "objects" / "pack" / "tmp_pack_renamed"
    with monkeypatch.context() as patched:
        patched.setattr(Path, "glob", lambda _, pattern: iter([renamed] if pattern.startswith("tmp") else []))
        assert not incoming.step(tmp_path)
    pack.kept()
    incoming.finish(tmp_path, head)
    incoming.close()
    assert incoming.fault is None and incoming.tally is not None


def test_a_large_object_is_not_read_again_and_again_while_it_arrives(tmp_path: Path) -> None:
    content = make.pack([Entry(os.urandom(6 << 20), "blob", level=0)])
    incoming, pack = IncomingPack(40, lambda *_: None), Arriving(tmp_path, content)
    pack.some(5 << 20)
    assert not incoming.step(tmp_path)
    assert "too large" in str(incoming.fault)


# --- while git receives ---


@pytest.fixture
def host(tmp_path: Path) -> Iterator[GitHost]:
    with serve_repositories(tmp_path / "repositories") as host:
        yield host


def cloned(tmp_path: Path, host: GitHost, name: str, *, most: int | None = None) -> Mirror:
    with Mirrors(tmp_path / "mirrors", GIT).open(
        host="h",
        owner="o",
        name=name,
        key=name,
        url=f"{host.url}/o/{name}",
        progress=lambda *_: None,
        on_arrival=lambda tally, _: CountLimits(commits=most).check(tally),
    ) as mirror:
        return mirror


def test_a_first_clone_is_counted_when_it_is_there(
    tmp_path: Path, host: GitHost, traps: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (host.folder / "o").mkdir(parents=True)
    served = shutil.copytree(traps, host.folder / "o" / "traps.git")
    # A host that rewrites its own history sends another one.
    (served / "info" / "grafts").unlink()
    shutil.rmtree(served / "refs" / "replace")
    monkeypatch.setattr(incoming_pack, "_WORTH_READING", 1)
    mirror = cloned(tmp_path, host, "traps.git")
    assert mirror.incoming is not None
    assert mirror.incoming.fault is None
    found = count(GIT, mirror.path, mirror.head, incoming=mirror.incoming)
    assert found is mirror.incoming.tally
    assert totals(found) == plainly(traps, mirror.head)


def test_a_host_that_sends_files_too_is_counted_after_the_clone(tmp_path: Path, host: GitHost) -> None:
    repository = repos.make_bare(host.folder / "o" / "files.git")
    head: list[str] = []
    for number in range(30):
        tree = repos.write_tree(repository, {"file": hashlib.sha256(b"%d" % number).digest() * 50})
        head = [repos.commit(repository, head, tree=tree)]
    repos.set_branch(repository, head[0])
    host.configuration["uploadpack.allowFilter"] = "false"
    mirror = cloned(tmp_path, host, "files.git")
    assert mirror.incoming is not None
    assert totals(count(GIT, mirror.path, mirror.head, incoming=mirror.incoming)) == plainly(repository, mirror.head)


def test_a_fault_gives_way_to_a_count_after_the_clone(
    tmp_path: Path, host: GitHost, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    repository = repos.make_bare(host.folder / "o" / "r.git")
    head = repos.chain(repository, [repos.ALICE, repos.BOB] * 5)
    monkeypatch.setattr(incoming_pack, "_WORTH_READING", 1 << 40)
    monkeypatch.setattr(IncomingPack, "_found", lambda self, repository: None)
    mirror = cloned(tmp_path, host, "r.git")
    assert totals(count(GIT, mirror.path, head, incoming=mirror.incoming)) == plainly(repository, head)
    assert "no pack arrived" in caplog.text


def test_too_many_commits_end_the_clone_and_leave_nothing(
    tmp_path: Path, host: GitHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = repos.make_bare(host.folder / "o" / "r.git")
    repos.chain(repository, [repos.ALICE] * 30)
    with pytest.raises(HistoryError) as caught:
        cloned(tmp_path, host, "r.git", most=29)
    assert caught.value.code == "too-large"
    assert list((tmp_path / "mirrors").glob("*.git")) + list((tmp_path / "mirrors").glob("incoming*")) == []
    assert cloned(tmp_path, host, "r.git", most=30).incoming is not None
