"""Packs are read entry by entry: whole, against every cut, and never trusted."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podium.history.packfile import delta as delta_module
from podium.history.packfile import reader
from podium.history.packfile.delta import BadDelta, apply_delta
from podium.history.packfile.reader import BadPack, PackReader
from tests.support import packs as make
from tests.support import repos
from tests.support.packs import Entry


def read_all(content: bytes, *, end: int | None = None) -> list[bytes]:
    """Every commit of a pack, read as far as it is there."""
    pack = PackReader(lambda at, most: content[:end][at : at + most])
    stop = len(content) - 20 if end is None else end
    found: list[bytes] = []
    at = reader.PACK_HEADER_SIZE
    while at < stop:
        commits, next_at = pack.commits(at, stop)
        if next_at == at:
            break
        found += commits
        at = next_at
    return found


def some_commits(number: int, seed: int = 1) -> list[bytes]:
    dice = random.Random(seed)
    sizes = [*range(number - 6), 15, 16, 2047, 2048, 70_000, 300_000]
    return [b"tree " + dice.randbytes(size // 2).hex().encode() + b"x" * (size % 2) for size in sizes]


def with_deltas(commits: list[bytes]) -> list[Entry]:
    """Each second one as a delta against the one before: chains of two."""
    entries = []
    for number, commit in enumerate(commits):
        if number % 3:
            entries.append(Entry(make.delta(commits[number - 1], commit), base=number - 1))
        else:
            entries.append(Entry(commit, level=number % 10))
    return entries


def test_commits_of_all_sizes_are_read_whole_or_as_deltas() -> None:
    commits = some_commits(60)
    assert read_all(make.pack([Entry(commit) for commit in commits])) == commits
    assert read_all(make.pack(with_deltas(commits))) == commits


def test_what_is_no_commit_is_passed_over_but_counted_as_an_entry() -> None:
    entries = [
        Entry(b"tree", "tree"),
        Entry(b"one"),
        Entry(b"blob" * 100_000, "blob"),
        Entry(b"tag", "tag"),
        Entry(make.delta(b"tree", b"trees"), base=0),
        Entry(make.delta(b"trees", b"treess"), base=4),
        Entry(make.delta(b"one", b"two"), base=1),
    ]
    content = make.pack(entries)
    pack = PackReader(lambda at, most: content[at : at + most])
    assert pack.commits(reader.PACK_HEADER_SIZE, len(content) - 20) == ([b"one", b"two"], len(content) - 20)
    assert pack.entries == 7


def test_a_pack_that_is_still_arriving_is_read_up_to_the_last_whole_entry_at_every_cut() -> None:
    commits = [b"tree " + b"%d" % number * number for number in range(12)]
    content = make.pack(with_deltas(commits))
    before: list[bytes] = []
    for end in range(reader.PACK_HEADER_SIZE, len(content) - 19):
        found = read_all(content, end=end)
        assert found == commits[: len(found)]
        assert len(found) >= len(before)
        before = found
    assert before == commits


def test_reading_goes_on_where_it_stopped_however_the_pack_is_cut() -> None:
    commits = some_commits(40)
    content = make.pack(with_deltas(commits))
    dice = random.Random(2)
    there = reader.PACK_HEADER_SIZE
    pack = PackReader(lambda at, most: content[:there][at : at + most])
    found: list[bytes] = []
    at = there
    while at < len(content) - 20:
        there = min(len(content) - 20, there + dice.choice((1, 2, 3, 50, 4096, 200_000)))
        more, at = pack.commits(at, there)
        found += more
    assert found == commits
    assert pack.entries == len(commits)


def test_a_delta_that_names_its_base_by_oid_is_left_to_git() -> None:
    one, two = b"tree one", b"tree two"
    with pytest.raises(BadPack, match="names its base"):
        read_all(make.pack([Entry(one), Entry(make.delta(one, two), base=b"\1" * 20)]))


def bomb() -> bytes:
    return zlib.compress(bytes(10_000_000), level=1)


BAD: dict[str, Callable[[], bytes]] = {
    "kind unknown": lambda: make.pack([Entry(b"x", stream=b"")])[:12] + b"\x51" + zlib.compress(b"x") + bytes(20),
    "kind zero": lambda: make.pack([])[:12] + b"\x01" + zlib.compress(b"x") + bytes(20),
    "larger than it says": lambda: make.pack([Entry(b"tree" * 50, says=10)]),
    "smaller than it says": lambda: make.pack([Entry(b"tree", says=100)]),
    "larger, of many bytes": lambda: make.pack([Entry(b"tree" * 50_000, says=5_000)]),
    "no stream": lambda: make.pack([Entry(b"tree", stream=b"nonsense" * 20)]),
    "a bomb": lambda: make.pack([Entry(b"", says=100, stream=bomb())]),
    "a bomb that says so": lambda: make.pack([Entry(b"", says=1 << 40, stream=bomb())]),
    "a checksum that is wrong": lambda: make.pack([Entry(b"t", says=4, stream=zlib.compress(b"tree")[:-1] + b"\0")]),
    "a size without end": lambda: make.pack([])[:12] + b"\x9f" + b"\xff" * 60 + bytes(20),
    "a base before the pack": lambda: make.pack([])[:12] + b"\x61\x7f" + zlib.compress(b"x") + bytes(20),
    "a base that is itself": lambda: make.pack([])[:12] + b"\x61\x00" + zlib.compress(b"x") + bytes(20),
    "a base of another size": lambda: make.pack([Entry(b"tree"), Entry(make.delta(b"other", b"x"), base=0)]),
    "a delta that makes too much": lambda: make.pack(
        [Entry(b"tree"), Entry(make.size(4) + make.size(1 << 40) + make.copy(0, 4), base=0)]
    ),
    "a delta cut off": lambda: make.pack([Entry(b"tree"), Entry(make.delta(b"tree", b"trees")[:-3], base=0)]),
}


@pytest.mark.parametrize("content", BAD.values(), ids=BAD.keys())
def test_what_is_odd_is_a_bad_pack_and_no_crash(content: Callable[[], bytes]) -> None:
    bad = content()
    with pytest.raises(BadPack):
        read_all(bad)


def test_a_chain_longer_than_git_makes_is_left_to_git(monkeypatch: pytest.MonkeyPatch) -> None:
    commits = [b"tree %d" % number for number in range(30)]
    entries = [Entry(commits[0])]
    entries += [Entry(make.delta(commits[n - 1], commits[n]), base=n - 1) for n in range(1, 30)]
    content = make.pack(entries)
    last = len(make.pack(entries[:-1])) - 20
    pack = PackReader(lambda at, most: content[at : at + most])
    assert pack.commits(last, len(content) - 20) == (commits[-1:], len(content) - 20)
    monkeypatch.setattr(reader, "_LONGEST_CHAIN", 10)
    with pytest.raises(BadPack, match="too long"):
        PackReader(lambda at, most: content[at : at + most]).commits(last, len(content) - 20)


def inserted(base: bytes, target: bytes) -> Entry:
    """A delta of one-byte inserts."""
    inserts = b"".join(bytes([1, byte]) for byte in target)
    return Entry(make.size(len(base)) + make.size(len(target)) + inserts, base=0)


def test_a_small_pack_that_takes_much_work_is_left_to_git(monkeypatch: pytest.MonkeyPatch) -> None:
    base = b"tree " + bytes(4_995)
    inserts = make.pack([Entry(base), *[inserted(base, base)] * 10])
    # Two chains, and deltas against the end of the one and of the other in turn.
    bases = [0, 1, *range(2, 40), *[40, 41] * 30]
    same = make.delta(base, base)
    chains = make.pack([Entry(base), Entry(base), *(Entry(same, base=each) for each in bases)])
    assert (len(read_all(inserts)), len(read_all(chains))) == (11, 102)
    monkeypatch.setattr(reader, "_FREE_WORK", 250_000)
    monkeypatch.setattr(reader, "_CACHED_BASES", 0)
    for content in (inserts, chains):
        with pytest.raises(BadPack, match="too much work"):
            read_all(content)


def test_a_caller_has_its_turn_after_some_megabytes_however_few_entries_they_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    large = b"tree " + bytes(50_000)
    content = make.pack([Entry(large), *[Entry(make.delta(large, large), base=0)] * 20])
    monkeypatch.setattr(reader, "_MOST_AT_ONCE", 200_000)
    found, at = PackReader(lambda at, most: content[at : at + most]).commits(reader.PACK_HEADER_SIZE, len(content) - 20)
    assert (len(found), at < len(content) - 20) == (4, True)
    assert len(read_all(content)) == 21


@settings(max_examples=60, deadline=None, database=None)
@given(st.data())
def test_any_damage_is_a_bad_pack_or_no_damage_to_commits(data: st.DataObject) -> None:
    commits = [b"tree " + b"%d" % number * (number * 3) for number in range(9)]
    content = bytearray(make.pack(with_deltas(commits)))
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(12, len(content) - 21))] = data.draw(st.integers(0, 255))
    try:
        found = read_all(bytes(content))
    except BadPack:
        return
    # What the damage did not reach is read as before; nothing is made up beyond what was there.
    assert len(found) <= len(content)


# --- deltas ---


@settings(max_examples=60, deadline=None, database=None)
@given(base=st.binary(max_size=300), target=st.binary(max_size=300))
def test_a_delta_makes_its_target(base: bytes, target: bytes) -> None:
    assert apply_delta(base, make.delta(base, target), 1000) == target


@settings(max_examples=100, deadline=None, database=None)
@given(base=st.binary(max_size=40), delta=st.binary(max_size=60))
def test_any_bytes_are_a_delta_or_a_bad_one(base: bytes, delta: bytes) -> None:
    try:
        made = apply_delta(base, make.size(len(base)) + delta, 10_000)
    except BadDelta:
        return
    assert len(made) == delta_module.read_size(delta, 0)[0] <= 10_000


def test_git_and_podium_make_the_same_of_gits_own_deltas(tmp_path: Path) -> None:
    repository = repos.make_bare(tmp_path / "r.git")
    text = b"\n".join(b"line %d of a message that is long enough" % number for number in range(60))
    head: list[str] = []
    for number in range(40):
        head = [repos.commit(repository, head, message=text + b"\n%d\n" % number)]
    repos.set_branch(repository, head[0])
    shas = repos.git(repository, "rev-list", "main").decode().split()
    expected = {repos.read_loose(repository, sha) for sha in shas}
    repos.git(repository, "repack", "-adfq", "--depth=50", "--window=50")
    path = next((repository / "objects" / "pack").glob("*.pack"))
    found = read_all(path.read_bytes())
    assert len(found) == len(expected) == 40
    assert set(found) == expected
