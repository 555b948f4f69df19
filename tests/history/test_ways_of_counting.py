"""All ways of counting give the same totals, and a fast way that does not hold gives way to the plain one."""

from __future__ import annotations

import logging
import os
import shutil
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podium.errors import HistoryError, Interrupted
from podium.git.command import Git
from podium.git.limits import Limits
from podium.history import at_rest, count, helpers, rev_list, survey
from podium.history.closed_history import Proof
from podium.history.packfile.reader import BadPack
from podium.history.reach import Reach
from podium.history.survey import everything
from podium.history.totals import Tally
from tests.support import packs as make
from tests.support import repos
from tests.support.packs import Entry

GIT = Git.for_server(Limits(), search_path=os.environ["PATH"])


def totals(tally: Tally) -> tuple[Any, ...]:
    return tally.total_commits, tally.merge_commits, list(tally.persons()), list(tally.weeks())


def plainly(repository: Path, head: str, since: str | None = None) -> tuple[Any, ...]:
    return totals(rev_list.count(GIT, repository, head, since=since, on_progress=lambda _: None, stop=None))


def directly(repository: Path, head: str) -> tuple[Any, ...]:
    """By its packs alone, which must hold that one history and nothing else."""
    found = everything(repository / "objects", len(head))
    return totals(at_rest.count(GIT, found, head, on_progress=lambda *_: None, stop=None))


def waiting(repository: Path, head: str) -> tuple[Any, ...]:
    """By all that is there, of which the head may reach some."""
    found = everything(repository / "objects", len(head))._replace(whole=False)
    return totals(at_rest.count(GIT, found, head, on_progress=lambda *_: None, stop=None))


@pytest.fixture(params=[1, 3], ids=["alone", "with two helpers"])
def processes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many processes read packs, however small they are."""
    monkeypatch.setattr(helpers, "_processors", lambda: request.param)
    monkeypatch.setattr(helpers, "_TOO_FEW_PARTS", 1)
    monkeypatch.setattr(survey, "_OBJECTS_IN_A_PART", 2)
    return int(request.param)


@pytest.fixture
def fell_back() -> Iterator[list[str]]:
    """What was said about a fast way that did not hold."""
    said: list[str] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger("podium.notes").addHandler(handler)
    yield said
    logging.getLogger("podium.notes").removeHandler(handler)


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
    expected = plainly(source, head)
    if set(commits_of(source, head)) == set(everything):
        assert directly(clone, head) == expected
    else:
        with pytest.raises(BadPack):
            directly(clone, head)
    assert waiting(clone, head) == expected
    repos.set_branch(clone, head)
    assert totals(count.count(GIT, clone, head)) == expected


def test_every_trap_is_counted_alike(tmp_path: Path, processes: int) -> None:
    source = repos.make_traps(tmp_path / "traps.git")
    head = commits_of(source, "main")[0]
    for window in ("0", "10"):
        clone = packed(source, tmp_path / f"clone-{window}.git", commits_of(source, "main"), f"--window={window}")
        assert directly(clone, head) == waiting(clone, head) == plainly(source, head)
    assert processes


def test_a_sha256_repository_is_counted_alike(tmp_path: Path, processes: int) -> None:
    source = repos.make_bare(tmp_path / "source.git", object_format="sha256")
    head = repos.chain(source, [repos.ALICE, repos.BOB] * 9)
    repos.git(source, "repack", "-adq")
    assert directly(source, head) == waiting(source, head) == plainly(source, head)
    assert processes


# --- what a repository goes through ---


def fetch(source: Path, clone: Path) -> str:
    repos.git(
        clone,
        *("-c", f"remote.origin.url={source.as_uri()}", "-c", "fetch.unpackLimit=1"),
        *("-c", "remote.origin.uploadpack=git -c uploadpack.allowFilter=true upload-pack"),
        *("fetch", "-q", "--no-tags", "--filter=tree:0", "origin", "+refs/heads/main:refs/heads/main"),
    )
    return repos.git(clone, "rev-parse", "refs/heads/main").decode().strip()


def test_fetches_and_repacks_and_what_a_force_push_leaves_are_counted_directly(
    tmp_path: Path, processes: int, fell_back: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    source, clone = repos.make_bare(tmp_path / "source.git"), repos.make_bare(tmp_path / "clone.git")
    head = repos.chain(source, [repos.ALICE, repos.BOB] * 8)
    fetch(source, clone)
    for number in range(3):
        head = repos.chain(source, [repos.BOB] * (3 + number), [head])
        assert fetch(source, clone) == head
    rewritten = repos.chain(source, [repos.ALICE] * 3)
    expected = plainly(source, head), plainly(source, rewritten)
    monkeypatch.setattr(rev_list, "count", None)
    assert len(list(clone.glob("objects/pack/*.pack"))) == 4
    assert totals(count.count(GIT, clone, head)) == expected[0]
    repos.git(clone, "repack", "-adfq")
    assert totals(count.count(GIT, clone, head)) == expected[0]
    assert fell_back == []
    assert fetch(source, clone) == rewritten
    assert totals(count.count(GIT, clone, rewritten)) == expected[1]
    assert "nobody's parent" in fell_back[0]
    assert processes


def test_how_a_repository_is_read_is_seen_beforehand(
    tmp_path: Path, fell_back: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    source = repos.make_bare(tmp_path / "source.git")
    head = repos.chain(source, [repos.ALICE, repos.BOB] * 8)

    def seen(repository: Path, revision: str = head) -> tuple[bool, int] | None:
        found = survey.survey(GIT, repository, revision, stop=None)
        return found and (found.whole, len(found.parts))

    assert seen(source) == (False, 0)
    treeless = packed(source, tmp_path / "treeless.git", commits_of(source, "main"))
    repos.set_branch(treeless, head)
    assert seen(treeless) == (True, len(everything(treeless / "objects", 40).parts))
    with_files = Path(shutil.copytree(source, tmp_path / "files.git"))
    whole = head
    for number in range(40):
        tree = repos.write_tree(with_files, {"file": b"%d" % number, "other": b"%d" % -number})
        whole = repos.commit(with_files, [whole], tree=tree)
    repos.set_branch(with_files, whole)
    repos.git(with_files, "repack", "-adq", "--depth=1")
    two_branches = Path(shutil.copytree(treeless, tmp_path / "two.git"))
    repos.set_branch(two_branches, commits_of(treeless, "main")[1], "other")
    assert seen(two_branches) == (False, len(everything(treeless / "objects", 40).parts))
    monkeypatch.setattr(survey, "_OBJECTS_IN_A_PART", 4)
    some = seen(with_files, whole)
    assert some is not None
    assert (some[0], some[1] < len(everything(with_files / "objects", 40).parts) * 2 // 3) == (False, True)
    # Where git reads what lies elsewhere, or reads faster.
    borrowing = repos.make_bare(tmp_path / "borrowing.git")
    (borrowing / "objects" / "info").mkdir(exist_ok=True)
    (borrowing / "objects" / "info" / "alternates").write_text(f"{treeless}/objects\n")
    repos.set_branch(borrowing, head)
    assert seen(borrowing) is None
    for name, value in (("_MOST_LOOSE", -1), ("_MOST_NAMED", -1), ("_MOST_WAITING", -1), ("_MOST_PARTS", 0.5)):
        with monkeypatch.context() as patched:
            patched.setattr(survey, name, value)
            assert seen(two_branches) is None
    for repository in (source, treeless, two_branches, borrowing):
        assert totals(count.count(GIT, repository, head)) == plainly(source, head)
    assert totals(count.count(GIT, with_files, whole)) == plainly(with_files, whole)
    assert fell_back == []


def test_a_working_clone_with_all_that_lies_about_in_one(
    tmp_path: Path, processes: int, fell_back: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
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
    # Commits of one's own with a file each; some belong to nothing any more, and one of those lost its parent.
    lost = repos.commit(clone, head, author=repos.BOB, message=b"lost\n")
    repos.commit(clone, [lost], author=repos.ALICE, message=b"child of the lost\n")
    (clone / "objects" / lost[:2] / lost[2:]).unlink()
    repos.commit(clone, head, author=repos.ALICE, message=b"dropped\n")
    own = repos.chain(clone, [repos.ALICE, repos.BOB] * 3, head)
    # The same commits in two packs.
    objects = "\n".join(commits_of(clone, own)[:30]).encode()
    repos.git(clone, "pack-objects", "-q", str(clone / "objects" / "pack" / "pack"), stdin=objects)
    expected = plainly(clone, own), plainly(clone, fork)
    monkeypatch.setattr(rev_list, "count", None)
    assert totals(count.count(GIT, clone, own)) == expected[0]
    assert totals(count.count(GIT, clone, fork)) == expected[1]
    assert fell_back == []
    assert processes


def test_a_repository_of_many_files_of_one_commit_each_is_left_to_git(
    tmp_path: Path, fell_back: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    source = repos.make_bare(tmp_path / "source.git")
    head = repos.chain(source, [repos.ALICE] * 30)
    monkeypatch.setattr(at_rest, "_MOST_LOOKED_UP", 29)
    assert count.count(GIT, source, head).total_commits == 30
    assert "stand alone" in fell_back[0]


def file_of(repository: Path, revision: str) -> Path:
    sha = repos.git(repository, "rev-parse", revision).decode().strip()
    return repository / "objects" / sha[:2] / sha[2:]


def test_a_file_with_another_commit_in_it_is_not_taken_for_the_one_it_is_named_by(
    tmp_path: Path, fell_back: list[str]
) -> None:
    source = repos.make_bare(tmp_path / "source.git")
    head = repos.chain(source, [repos.ALICE, repos.BOB, repos.ALICE])
    file_of(source, "main~1").write_bytes(file_of(source, "main~2").read_bytes())
    # git does not look, and neither way crashes.
    assert count.count(GIT, source, head).total_commits == 2
    assert "another name than its own" in fell_back[0]


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
        count.count(GIT, source, head)
    assert caught.value.code == "corrupt"


# --- packs that are odd ---


def commit_bytes(repository: Path, sha: str) -> bytes:
    return repos.git(repository, "cat-file", "commit", sha)


@pytest.fixture
def history(tmp_path: Path) -> tuple[Path, str, list[bytes]]:
    """A repository, its head, and the bytes of its commits, the newest first."""
    source = repos.make_bare(tmp_path / "source.git")
    head = repos.chain(source, [repos.ALICE, repos.BOB] * 10)
    return source, head, [commit_bytes(source, sha) for sha in commits_of(source, "main")]


def test_a_commit_that_is_there_twice_is_noticed(
    tmp_path: Path, history: tuple[Path, str, list[bytes]], processes: int
) -> None:
    source, head, raws = history
    clone = repos.make_bare(tmp_path / "clone.git")
    make.write(clone, make.pack([Entry(raw) for raw in [*raws, raws[5], raws[-1]]]))
    repos.set_branch(clone, head)
    with pytest.raises(BadPack, match="twice"):
        directly(clone, head)
    assert totals(count.count(GIT, clone, head)) == plainly(source, head)


def test_the_same_commit_in_two_packs_is_noticed(
    tmp_path: Path, history: tuple[Path, str, list[bytes]], processes: int, fell_back: list[str]
) -> None:
    source, head, raws = history
    clone = repos.make_bare(tmp_path / "clone.git")
    make.write(clone, make.pack([Entry(raw) for raw in raws]))
    make.write(clone, make.pack([Entry(raw) for raw in raws[3:6]]))
    repos.set_branch(clone, head)
    assert totals(count.count(GIT, clone, head)) == plainly(source, head)
    assert "twice" in fell_back[0]


def test_packs_that_git_reads_and_podium_does_not_are_left_to_git(
    tmp_path: Path, history: tuple[Path, str, list[bytes]], processes: int, fell_back: list[str]
) -> None:
    source, head, raws = history
    clone = repos.make_bare(tmp_path / "clone.git")
    path = make.write(clone, make.pack([Entry(raw) for raw in raws]))
    repos.git(clone, "index-pack", "--index-version=1", str(path), "-o", str(path.with_suffix(".idx")))
    repos.set_branch(clone, head)
    assert totals(count.count(GIT, clone, head)) == plainly(source, head)
    with pytest.raises(BadPack, match="version"):
        directly(clone, head)
    assert fell_back == []


def test_an_object_that_git_takes_for_no_commit_is_damage_on_every_way(tmp_path: Path, processes: int) -> None:
    source = repos.make_bare(tmp_path / "source.git")
    bogus = repos.write(source, "commit", b"author A <a@x> 1600000000 +0000\n\nno tree\n")
    head = repos.commit(source, [bogus])
    clone = packed(source, tmp_path / "clone.git", [head, bogus])
    with pytest.raises(BadPack, match="damaged"):
        directly(clone, head)
    with pytest.raises(HistoryError) as caught:
        count.count(GIT, clone, head)
    assert caught.value.code == "corrupt"


@pytest.mark.parametrize("harm", ["cut short", "noise inside", "an index of another", "no index", "empty"])
def test_damage_is_never_a_smaller_count(
    tmp_path: Path, history: tuple[Path, str, list[bytes]], processes: int, harm: str
) -> None:
    _, head, raws = history
    clone = repos.make_bare(tmp_path / "clone.git")
    path = make.write(clone, make.pack([Entry(raw) for raw in raws]))
    repos.set_branch(clone, head)
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
    with pytest.raises(BadPack):
        directly(clone, head)
    with pytest.raises(HistoryError) as caught:
        count.count(GIT, clone, head)
    assert caught.value.code == "corrupt"


def test_an_index_that_lies_is_never_a_wrong_count(
    tmp_path: Path, history: tuple[Path, str, list[bytes]], processes: int
) -> None:
    source, head, raws = history
    clone = repos.make_bare(tmp_path / "clone.git")
    path = make.write(clone, make.pack([Entry(raw) for raw in raws])).with_suffix(".idx")
    expected = plainly(source, head)
    honest = path.read_bytes()
    path.chmod(0o600)
    at = 8 + 1024 + 24 * len(raws)
    # Offsets in another order, into the middle of entries, and beyond the end.
    lies = [honest[at : at + 4 * len(raws)][::-1], bytes(range(4 * len(raws))), b"\x7f" * 4 * len(raws)]
    for lie in lies:
        path.write_bytes(honest[:at] + lie + honest[at + 4 * len(raws) :])
        try:
            found = directly(clone, head)
        except BadPack:
            continue
        assert found == expected


# --- its limits ---


def test_stop_and_time_end_a_count_of_packs(tmp_path: Path, history: tuple[Path, str, list[bytes]]) -> None:
    source, head, _ = history
    clone = packed(source, tmp_path / "clone.git", commits_of(source, "main"))
    found = everything(clone / "objects", 40)
    stop = threading.Event()
    stop.set()
    with pytest.raises(Interrupted):
        at_rest.count(GIT, found, head, on_progress=lambda *_: None, stop=stop)
    hurried = Git.for_server(Limits(timeout=0), search_path=os.environ["PATH"])
    with pytest.raises(HistoryError) as caught:
        at_rest.count(hurried, found, head, on_progress=lambda *_: None, stop=None)
    assert caught.value.code == "too-large"


def test_a_helper_that_is_ended_from_outside_leaves_the_count_to_git(
    tmp_path: Path, history: tuple[Path, str, list[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    source, head, _ = history
    clone = packed(source, tmp_path / "clone.git", commits_of(source, "main"))
    monkeypatch.setattr(helpers, "_processors", lambda: 2)
    monkeypatch.setattr(helpers, "_TOO_FEW_PARTS", 1)
    monkeypatch.setattr(survey, "_OBJECTS_IN_A_PART", 2)
    # As the system does where memory is short.
    killed = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    monkeypatch.setattr(helpers, "command", lambda *_, **__: [sys.executable, "-c", killed])
    with pytest.raises(BadPack, match="second process"):
        directly(clone, head)


def test_too_many_commits_are_refused_on_every_way(tmp_path: Path, history: tuple[Path, str, list[bytes]]) -> None:
    source, head, _ = history
    clone = packed(source, tmp_path / "clone.git", commits_of(source, "main"))
    repos.set_branch(clone, head)
    for repository in (source, clone):
        assert count.count(GIT, repository, head, most=20).total_commits == 20
        with pytest.raises(HistoryError) as caught:
            count.count(GIT, repository, head, most=19)
        assert caught.value.code == "too-large"


# --- the proof ---


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


@settings(max_examples=200, deadline=None, database=None)
@given(data=st.data())
def test_only_a_whole_history_is_proved(data: st.DataObject) -> None:
    number, parents, head = any_graph(data)
    reached = reached_from(head, parents)
    read = data.draw(st.lists(st.integers(0, number - 1), max_size=14) | st.permutations(sorted(reached)))
    blocks = data.draw(st.integers(1, 5))
    proof = Proof()
    for at in range(0, len(read), blocks):
        block = read[at : at + blocks]
        proof.add(0, [b"%d" % n for n in block], [lines_of(parents[n]) for n in block])
    whole = sorted(read) == sorted(reached)
    assert (proof.fault(str(head)) is None) == whole


def lines_of(parents: set[int]) -> bytes:
    return b"".join(b"parent %d\n" % parent for parent in sorted(parents))


@settings(max_examples=200, deadline=None, database=None)
@given(data=st.data())
def test_what_a_head_reaches_is_known_whatever_was_read(data: st.DataObject) -> None:
    number, parents, head = any_graph(data)
    read = data.draw(st.lists(st.integers(0, number - 1), max_size=20))
    reach = Reach(str(head))
    parts: dict[int, list[list[int]]] = {0: [], 1: []}
    for at in range(0, len(read), 3):
        reader = data.draw(st.integers(0, 1))
        block = read[at : at + 3]
        parts[reader].append(list(block))
        reach.add(reader, [b"%d" % n for n in block], [lines_of(parents[n]) for n in block])
    for reader, blocks in parts.items():
        for part, place in reach.again[reader]:
            blocks[part][place] = -1
    kept = [n for blocks in parts.values() for block in blocks for n in block if n >= 0]
    assert sorted(kept) == sorted(set(read))
    reached = reached_from(head, parents)
    beyond = reach.beyond()
    missing = reach.missing(beyond)
    assert missing.isdisjoint(b"%d" % n for n in read)
    assert bool(missing) == (not reached <= set(read))
    if not missing:
        assert beyond == {b"%d" % n for n in set(read) - reached}
