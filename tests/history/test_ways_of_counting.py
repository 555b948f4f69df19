"""Both ways of counting give the same totals on every repository, and damage is never a smaller count."""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podium.errors import HistoryError, Interrupted
from podium.git.command import Git
from podium.git.limits import Limits
from podium.history.commit import MOST_PARENTS
from podium.history.count import count
from podium.history.large_commit import LARGEST_COMMIT
from podium.history.totals import Tally
from podium.history.walks.closed_history import ClosedHistoryCheck
from podium.history.walks.incoming_pack import IncomingPack
from tests.support import packs as make
from tests.support import repos
from tests.support.hostile import HOSTILE, hostile_repository, raw_commit
from tests.support.packs import Entry

GIT = Git.for_server(Limits(), search_path=os.environ["PATH"])


def totals(tally: Tally) -> tuple[Any, ...]:
    numbers = (tally.total_commits, tally.merge_commits, tally.trimmed_commits)
    ordinals = {person: ordinal for ordinal, person in enumerate(tally.people())}
    return *numbers, list(tally.persons()), tally.roots, list(tally.segments(ordinals))


def walked(repository: Path, head: str) -> tuple[Any, ...]:
    return totals(count(GIT, repository, head))


def arrived(source: Path, target: Path, shas: list[str], head: str, *options: str) -> IncomingPack:
    """These commits as a first clone receives them, read while they arrive."""
    words = ("pack-objects", "-q", "--stdout", "--delta-base-offset", *options)
    content = repos.git(source, *words, stdin="\n".join(shas).encode() + b"\n")
    folder = target / "objects" / "pack"
    folder.mkdir(parents=True)
    file = folder / "tmp_pack_Ab12cd"
    incoming = IncomingPack(len(head), lambda *_: None)
    for end in (len(content) // 2, len(content)):
        file.write_bytes(content[:end])
        incoming.step(target)
    file.rename(folder / f"pack-{content[-len(head) // 2 :].hex()}.pack")
    incoming.finish(target, head)
    incoming.close()
    return incoming


def totals_of(incoming: IncomingPack) -> tuple[Any, ...]:
    assert incoming.fault is None
    assert incoming.tally is not None
    return totals(incoming.tally)


def packed(source: Path, target: Path, shas: list[str], *options: str) -> Path:
    """A repository that holds nothing but these commits, in one pack, as a treeless clone does."""
    repos.make_bare(target)
    base = target / "objects" / "pack" / "pack"
    repos.git(source, "pack-objects", "-q", *options, str(base), stdin="\n".join(shas).encode() + b"\n")
    return target


def commits_of(repository: Path, *revisions: str) -> list[str]:
    return repos.git(repository, "rev-list", *revisions).decode().split()


# --- any history ---

_AUTHORS = st.sampled_from((repos.ALICE, repos.BOB, *repos.ODD_AUTHORS))
_LINES = st.sampled_from((None,) * 4 + repos.ODD_AUTHOR_LINES)
_MESSAGES = st.sampled_from((*repos.MESSAGES, *(b"a message of some length\n" * 9 + b"%d\n" % n for n in range(9))))
_HEADERS = st.sampled_from(([],) * 6 + repos.ODD_HEADERS)
# A commit: how far back its parents are, and what is in it.
_COMMITS = st.lists(
    st.tuples(st.lists(st.integers(0, 6), max_size=3), _AUTHORS, _LINES, _MESSAGES, _HEADERS), min_size=1, max_size=25
)


@settings(max_examples=12, deadline=None, database=None)
@given(described=_COMMITS, join=st.booleans(), window=st.sampled_from(("0", "5")))
def test_any_history_is_counted_alike(
    tmp_path_factory: pytest.TempPathFactory, described: list[Any], join: bool, window: str
) -> None:
    source = repos.make_bare(tmp_path_factory.mktemp("any") / "source.git")
    tree = repos.write_tree(source)
    made: list[str] = []
    for back, author, line, message, headers in described:
        parents = [made[-1 - number] for number in back if number < len(made)]
        fields = {"author": author, "author_line": line, "message": message, "headers": headers, "tree": tree}
        made.append(repos.commit(source, parents, **fields))
    parents = repos.git(source, "rev-list", "--parents", "--no-walk", *made).decode().split()
    childless = [sha for sha in dict.fromkeys(made) if parents.count(sha) == 1]
    head = repos.commit(source, childless, tree=tree) if join else made[-1]
    everything = list(dict.fromkeys([*made, head]))
    clone = packed(source, source.parent / "clone.git", everything, f"--window={window}")
    incoming = arrived(source, source.parent / "arriving", everything, head, f"--window={window}")
    expected = walked(source, head)
    if set(commits_of(source, head)) == set(everything):
        assert totals_of(incoming) == expected
    else:
        assert "without a child" in str(incoming.fault)
        assert incoming.tally is None
    assert walked(clone, head) == expected


def test_every_trap_is_counted_alike(tmp_path: Path) -> None:
    source = repos.make_traps(tmp_path / "traps.git")
    head, shas = commits_of(source, "main")[0], commits_of(source, "main")
    for window in ("0", "10"):
        clone = packed(source, tmp_path / f"clone-{window}.git", shas, f"--window={window}")
        incoming = arrived(source, tmp_path / f"arriving-{window}", shas, head, f"--window={window}")
        assert totals_of(incoming) == walked(clone, head) == walked(source, head)


def test_a_sha256_repository_is_counted_alike(tmp_path: Path) -> None:
    source = repos.make_bare(tmp_path / "source.git", object_format="sha256")
    head = repos.chain(source, [repos.ALICE, repos.BOB] * 9)
    incoming = arrived(source, tmp_path / "arriving", commits_of(source, "main"), head)
    repos.git(source, "repack", "-adq")
    assert totals_of(incoming) == walked(source, head)


def test_hostile_commits_are_counted_alike(tmp_path: Path) -> None:
    large = ("continuation lines", "many co-authors", "a signature", "lines before the author")
    for size, names in ((30_000, tuple(HOSTILE)), (LARGEST_COMMIT, large)):
        source = tmp_path / f"{size}.git"
        oids = hostile_repository(source, size, names)
        incoming = arrived(source, tmp_path / f"arriving-{size}", oids, oids[0], "--window=0")
        found = totals_of(incoming)
        assert found == walked(source, oids[0])
        commits, merges, trimmed, *_ = found
        assert (commits, merges) == (len(names) + 1, 0)
        assert trimmed == len(names) if names == large else 5 < trimmed < len(names)


def test_commits_with_many_parents_are_counted_alike(tmp_path: Path) -> None:
    for number in (MOST_PARENTS, MOST_PARENTS + 1, 100_000):
        source = repos.make_bare(tmp_path / f"{number}.git")
        parent = repos.commit(source)
        tree = repos.write_tree(source)
        head = repos.write(source, "commit", raw_commit(parents=[parent] * number, tree=tree))
        incoming = arrived(source, tmp_path / f"arriving-{number}", [head, parent], head)
        is_too_many = number > MOST_PARENTS
        assert (incoming.tally is None) == is_too_many
        counted = totals(count(GIT, source, head, incoming=incoming))
        assert counted == walked(source, head)
        assert counted[:3] == (2, 1, is_too_many)
        authors = {person.email: person.commits + person.merges for person in counted[3]}
        assert authors == {"alice@example.org": 2, "carol@example.org": 0}


# --- what a repository goes through ---


def fetch(source: Path, clone: Path) -> str:
    repos.git(
        clone,
        *("-c", f"remote.origin.url={source.as_uri()}", "-c", "fetch.unpackLimit=1"),
        *("-c", "remote.origin.uploadpack=git -c uploadpack.allowFilter=true upload-pack"),
        *("fetch", "-q", "--no-tags", "--filter=tree:0", "origin", "+refs/heads/main:refs/heads/main"),
    )
    return repos.git(clone, "rev-parse", "refs/heads/main").decode().strip()


def test_what_a_force_push_leaves_behind_is_not_counted(tmp_path: Path) -> None:
    source, clone = repos.make_bare(tmp_path / "source.git"), repos.make_bare(tmp_path / "clone.git")
    head = repos.chain(source, [repos.ALICE, repos.BOB] * 8)
    fetch(source, clone)
    for number in range(3):
        head = repos.chain(source, [repos.BOB] * (3 + number), [head])
        assert fetch(source, clone) == head
    rewritten = repos.chain(source, [repos.ALICE] * 3)
    assert len(list(clone.glob("objects/pack/*.pack"))) == 4
    assert walked(clone, head) == walked(source, head)
    assert fetch(source, clone) == rewritten
    assert walked(clone, rewritten) == walked(source, rewritten)
    assert count(GIT, clone, rewritten).total_commits == 3


def test_a_working_clone_with_all_that_can_be_in_one(tmp_path: Path) -> None:
    source = repos.make_bare(tmp_path / "source.git")
    trees = [repos.write_tree(source, {"file": b"%d\n" % number * 50}) for number in range(6)]
    head: list[str] = []
    for number in range(60):
        message = b"a message that deltas are made of, %d\n" % number * 5
        head = [repos.commit(source, head, author=repos.ALICE, message=message, tree=trees[number % 6])]
    repos.set_branch(source, head[0])
    fork = repos.git(source, "rev-parse", "main~20").decode().strip()
    repos.chain(source, [repos.BOB] * 7, [fork], "other")
    clone = tmp_path / "clone.git"
    repos.git(source, "clone", "-q", "--bare", source.as_uri(), str(clone))
    for number in range(3):
        head = [repos.chain(source, [repos.BOB] * 4, head)]
        words = ("-c", "fetch.unpackLimit=1", "fetch", "-q", source.as_uri(), "+refs/heads/*:refs/heads/*")
        repos.git(clone, *words)
        if number == 1:
            repos.git(clone, "repack", "-q", "-a", "--cruft", "-d")
    upstream = head[0]
    # Loose commits. Some are unreachable, and one of those has lost its parent.
    lost = repos.commit(clone, head, author=repos.BOB, message=b"lost\n")
    repos.commit(clone, [lost], author=repos.ALICE, message=b"child of the lost\n")
    (clone / "objects" / lost[:2] / lost[2:]).unlink()
    repos.commit(clone, head, author=repos.ALICE, message=b"dropped\n")
    own = repos.chain(clone, [repos.ALICE, repos.BOB] * 3, head)
    # The same commits in two packs.
    objects = "\n".join(commits_of(clone, own)[:30]).encode()
    repos.git(clone, "pack-objects", "-q", str(clone / "objects" / "pack" / "pack"), stdin=objects)
    # Objects in another repository.
    borrowing = repos.make_bare(tmp_path / "borrowing.git")
    (borrowing / "objects" / "info").mkdir(exist_ok=True)
    (borrowing / "objects" / "info" / "alternates").write_text(f"{clone}/objects\n")
    assert walked(clone, fork) == walked(source, fork)
    assert walked(clone, upstream) == walked(borrowing, upstream) == walked(source, upstream)
    everything = arrived(clone, tmp_path / "arriving", commits_of(clone, own), own)
    assert walked(clone, own) == walked(borrowing, own) == totals_of(everything)
    assert count(GIT, clone, own).total_commits == 78


def test_refs_are_not_what_is_counted(tmp_path: Path) -> None:
    source = repos.make_bare(tmp_path / "source.git")
    head = repos.chain(source, [repos.ALICE, repos.BOB] * 8)
    proposals = [repos.commit(source, [head], author=repos.BOB, message=b"%d\n" % number) for number in range(5)]
    # As `git pack-refs --all` writes them; git itself would first write a file for each.
    refs = "".join(f"{proposals[n % 5]} refs/pull/{n}/head\n" for n in range(5_000))
    (source / "packed-refs").write_text(refs)
    assert len(repos.git(source, "for-each-ref").splitlines()) == 5_001
    assert count(GIT, source, head).total_commits == 16


# --- damage ---


def file_of(repository: Path, revision: str) -> Path:
    sha = repos.git(repository, "rev-parse", revision).decode().strip()
    return repository / "objects" / sha[:2] / sha[2:]


def test_git_does_not_look_whether_a_file_has_another_commit_in_it(tmp_path: Path) -> None:
    source = repos.make_bare(tmp_path / "source.git")
    head = repos.chain(source, [repos.ALICE, repos.BOB, repos.ALICE])
    file_of(source, "main~1").write_bytes(file_of(source, "main~2").read_bytes())
    assert count(GIT, source, head).total_commits == 2


@pytest.mark.parametrize("harm", ["gone", "no commit", "noise", "cut short"])
def test_a_single_commit_that_is_damaged_is_damage(tmp_path: Path, harm: str) -> None:
    source = repos.make_bare(tmp_path / "source.git")
    head = repos.chain(source, [repos.ALICE, repos.BOB, repos.ALICE])
    path = file_of(source, "main~1")
    content = path.read_bytes()
    match harm:
        case "gone":
            path.unlink()
        case "no commit":
            path.write_bytes(file_of(source, repos.write_tree(source)).read_bytes())
        case "noise":
            path.write_bytes(b"noise")
        case "cut short":
            path.write_bytes(content[: len(content) // 2])
    with pytest.raises(HistoryError) as caught:
        count(GIT, source, head)
    assert caught.value.code == "corrupt"


@pytest.fixture
def history(tmp_path: Path) -> tuple[Path, str, list[bytes]]:
    """A repository, its head, and the bytes of its commits, the newest first."""
    source = repos.make_bare(tmp_path / "source.git")
    head = repos.chain(source, [repos.ALICE, repos.BOB] * 10)
    return source, head, [repos.read_loose(source, sha) for sha in commits_of(source, "main")]


def test_a_commit_that_is_there_twice_counts_once(tmp_path: Path, history: tuple[Path, str, list[bytes]]) -> None:
    source, head, raws = history
    one, two = repos.make_bare(tmp_path / "one.git"), repos.make_bare(tmp_path / "two.git")
    make.write(one, make.pack([Entry(raw) for raw in [*raws, raws[5], raws[-1]]]))
    make.write(two, make.pack([Entry(raw) for raw in raws]))
    make.write(two, make.pack([Entry(raw) for raw in raws[3:6]]))
    assert walked(one, head) == walked(two, head) == walked(source, head)


def test_an_index_of_version_1_is_read_too(tmp_path: Path, history: tuple[Path, str, list[bytes]]) -> None:
    source, head, raws = history
    clone = repos.make_bare(tmp_path / "clone.git")
    path = make.write(clone, make.pack([Entry(raw) for raw in raws]))
    repos.git(clone, "index-pack", "--index-version=1", str(path), "-o", str(path.with_suffix(".idx")))
    assert walked(clone, head) == walked(source, head)


def test_an_object_that_git_takes_for_no_commit_is_damage_in_both_ways(tmp_path: Path) -> None:
    source = repos.make_bare(tmp_path / "source.git")
    bogus = repos.write(source, "commit", b"author A <a@x> 1600000000 +0000\n\nno tree\n")
    head = repos.commit(source, [bogus])
    clone = packed(source, tmp_path / "clone.git", [head, bogus])
    incoming = arrived(source, tmp_path / "arriving", [head, bogus], head)
    assert incoming.fault == "it contains 1 damaged commit"
    with pytest.raises(HistoryError) as caught:
        count(GIT, clone, head)
    assert caught.value.code == "corrupt"


@pytest.mark.parametrize("harm", ["cut short", "noise inside", "an index of another", "no index", "empty"])
def test_damage_is_never_a_smaller_count(tmp_path: Path, history: tuple[Path, str, list[bytes]], harm: str) -> None:
    _, head, raws = history
    clone = repos.make_bare(tmp_path / "clone.git")
    path = make.write(clone, make.pack([Entry(raw) for raw in raws]))
    path.chmod(0o600)
    content = path.read_bytes()
    match harm:
        case "cut short":
            path.write_bytes(content[: len(content) // 2])
        case "noise inside":
            path.write_bytes(content[:500] + bytes(200) + content[700:])
        case "an index of another":
            other = make.write(repos.make_bare(tmp_path / "other.git"), make.pack([Entry(raws[0]), Entry(raws[1])]))
            path.with_suffix(".idx").unlink()
            shutil.copy(other.with_suffix(".idx"), path.with_suffix(".idx"))
        case "no index":
            path.with_suffix(".idx").unlink()
        case "empty":
            path.write_bytes(b"")
    with pytest.raises(HistoryError) as caught:
        count(GIT, clone, head)
    assert caught.value.code == "corrupt"


def test_an_index_that_lies_is_never_a_wrong_count(tmp_path: Path, history: tuple[Path, str, list[bytes]]) -> None:
    _, head, raws = history
    clone = repos.make_bare(tmp_path / "clone.git")
    path = make.write(clone, make.pack([Entry(raw) for raw in raws])).with_suffix(".idx")
    honest = path.read_bytes()
    path.chmod(0o600)
    at = 8 + 1024 + 24 * len(raws)
    # Offsets into the middle of entries, and beyond the end.
    for lie in (bytes(range(4 * len(raws))), b"\x7f" * 4 * len(raws)):
        path.write_bytes(honest[:at] + lie + honest[at + 4 * len(raws) :])
        with pytest.raises(HistoryError):
            count(GIT, clone, head)


# --- its limits ---


def test_stop_and_time_end_a_count(history: tuple[Path, str, list[bytes]]) -> None:
    source, head, _ = history
    stop = threading.Event()
    stop.set()
    with pytest.raises(Interrupted):
        count(GIT, source, head, stop=stop)
    hurried = Git.for_server(Limits(timeout=0), search_path=os.environ["PATH"])
    with pytest.raises(HistoryError) as caught:
        count(hurried, source, head)
    assert caught.value.code == "too-large"


# --- the check of a closed history ---


def any_graph(data: st.DataObject) -> tuple[int, dict[int, set[int]], int]:
    """How many commits, the parents of each, and which is the head."""
    number = data.draw(st.integers(1, 12))
    parents = {n: data.draw(st.sets(st.integers(0, n - 1), max_size=3)) if n else set() for n in range(number)}
    return number, parents, data.draw(st.integers(0, number - 1))


def reached_from(head: int, parents: dict[int, set[int]]) -> set[int]:
    reached, waiting = set[int](), [head]
    while waiting:
        here = waiting.pop()
        if here not in reached:
            reached.add(here)
            waiting += parents[here]
    return reached


def lines_of(parents: set[int]) -> bytes:
    return b"".join(b"parent %d\n" % parent for parent in sorted(parents))


@settings(max_examples=60, deadline=None, database=None)
@given(data=st.data())
def test_only_a_closed_history_passes(data: st.DataObject) -> None:
    number, parents, head = any_graph(data)
    reached = reached_from(head, parents)
    read = data.draw(st.lists(st.integers(0, number - 1), max_size=14) | st.permutations(sorted(reached)))
    blocks = data.draw(st.integers(1, 5))
    check = ClosedHistoryCheck()
    for at in range(0, len(read), blocks):
        block = read[at : at + blocks]
        check.add([b"%d" % n for n in block], [lines_of(parents[n]) for n in block])
    whole = sorted(read) == sorted(reached)
    assert (check.fault(str(head)) is None) == whole
