"""The count of a repository equals git's own, on repositories with every trap."""

from __future__ import annotations

import os
import threading
from collections import Counter
from pathlib import Path

import pytest

from podium.clones.mailmap import Mailmaps, find_mailmap, identities
from podium.errors import HistoryError, Interrupted
from podium.git.command import Git
from podium.git.limits import Limits
from podium.history.commit import EARLIEST, LATEST, split_person
from podium.history.count import committed_at, count, is_ancestor
from podium.history.count_limits import CountLimits
from podium.history.totals import Tally
from podium.textutil.raw_bytes import from_bytes
from podium.timeutil import week_of
from tests.support import repos

GIT = Git.for_server(Limits(), search_path=os.environ["PATH"])


@pytest.fixture(scope="module")
def traps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return repos.make_traps(tmp_path_factory.mktemp("traps") / "traps.git")


def head_of(repository: Path, branch: str = "main") -> str:
    return repos.git(repository, "rev-parse", f"refs/heads/{branch}").decode().strip()


def shortlog(repository: Path, *words: str, mailmap: bool = False) -> Counter[str]:
    counted: Counter[str] = Counter()
    off = () if mailmap else ("-c", "mailmap.blob=")
    for line in repos.git(repository, *off, "shortlog", "-se", *words, "HEAD").split(b"\n")[:-1]:
        number, _, person = line.partition(b"\t")
        split = split_person(person)
        assert split is not None
        # Where it finds no author, shortlog prints its own format.
        counted[split[1] if person != b"%aN <%aE>" else ""] += int(number)
    return counted


def by_email(tally: Tally, *kinds: str) -> Counter[str]:
    counted: Counter[str] = Counter()
    for person in tally.persons():
        counted[person.email] += sum(getattr(person, kind) for kind in kinds)
    return +counted


def test_the_sum_is_gits(traps: Path) -> None:
    tally = count(GIT, traps, head_of(traps))
    assert tally.total_commits == int(repos.git(traps, "rev-list", "--count", "HEAD"))
    assert tally.merge_commits == int(repos.git(traps, "rev-list", "--count", "--merges", "HEAD"))
    assert tally.total_commits == sum(by_email(tally, "commits", "merges").values())


def test_every_email_is_counted_as_shortlog_does(traps: Path) -> None:
    tally = count(GIT, traps, head_of(traps))
    assert by_email(tally, "commits", "merges") == shortlog(traps)
    assert by_email(tally, "commits") == shortlog(traps, "--no-merges")


def test_with_the_mailmap_every_email_is_counted_as_shortlog_does(traps: Path) -> None:
    tally = count(GIT, traps, head_of(traps))
    blob = find_mailmap(GIT, traps, head_of(traps))
    mapped = identities(GIT, traps, Mailmaps(blob), [(person.name, person.email) for person in tally.persons()])
    counted: Counter[str] = Counter()
    for person in tally.persons():
        counted[mapped[person.name, person.email].email] += person.commits + person.merges
    expected = shortlog(traps, mailmap=True)
    assert +counted == expected
    assert expected != shortlog(traps)


def test_weeks_are_those_of_the_log(traps: Path) -> None:
    expected: Counter[tuple[str, int]] = Counter()
    for line in repos.git(traps, "log", "--no-mailmap", "--format=%at %ae", "HEAD").split(b"\n")[:-1]:
        at, _, email = line.partition(b" ")
        if at:  # git prints nothing for odd dates, such as a negative one
            clamped = min(max(int(at[:30]), EARLIEST), LATEST)
            expected[from_bytes(email.lower()), week_of(clamped)] += 1
    counted: Counter[tuple[str, int]] = Counter()
    tally = count(GIT, traps, head_of(traps))
    for (_, address), weeks in tally.weeks():
        for week, commits, merges, *_ in weeks:
            assert (week + 4 * 86400) % (7 * 86400) == 0
            counted[address, week] += commits + merges
    odd = counted - expected
    assert expected - counted == Counter()
    assert sum(odd.values()) <= sum(person.odd_dates for person in tally.persons())


def test_kinds_dates_and_samples_of_a_person(tmp_path: Path) -> None:
    repository = repos.make_bare(tmp_path / "r.git")
    both = b"t\n\nCo-authored-by: Bob <BOB@example.org>\nCo-authored-by: Carol <carol@example.org>\n"
    first = repos.commit(repository, author=b"Bob <bob@example.org> 1000 +0000")
    second = repos.commit(repository, [first], author=b"Alice <a@example.org> 3000 +0000", message=both)
    third = repos.commit(repository, [first], author=b"Alice <a@example.org> 2000 +0000")
    merge = repos.commit(
        repository,
        [second, third],
        author=b"Alice <a@example.org> 99999999999999999999 +0000",
        message=b"Merge\n\nCo-authored-by: Bob <bob@example.org>\nCo-authored-by: Alice <A@example.org>\n",
    )
    repos.set_branch(repository, merge)
    tally = count(GIT, repository, merge)
    found = {person.email: person for person in tally.persons()}
    alice, bob, carol = (found[f"{name}@example.org"] for name in ("a", "bob", "carol"))
    assert (alice.commits, alice.merges, alice.co_authored, alice.co_authored_merges) == (2, 1, 0, 0)
    assert (alice.first_commit_at, alice.last_commit_at) == (2000, 3000)
    assert (alice.first_merge_at, alice.last_merge_at, alice.odd_dates) == (LATEST, LATEST, 1)
    assert alice.first_co_authored_at is None
    assert (alice.sample_sha, alice.sample_co_authors) == (third, 0)
    assert (bob.commits, bob.co_authored, bob.co_authored_merges) == (1, 1, 1)
    assert (bob.first_co_authored_at, bob.last_co_authored_at) == (3000, LATEST)
    assert (carol.commits, carol.co_authored, carol.first_commit_at) == (0, 1, None)
    assert (carol.sample_sha, carol.sample_co_authors) == (second, 2)
    assert sum(week[3] for _, weeks in tally.weeks() for week in weeks) == 2


def test_counting_from_an_old_head_counts_only_what_is_new(traps: Path) -> None:
    head = head_of(traps)
    old = repos.git(traps, "rev-parse", "HEAD~20").decode().strip()
    whole, before, new = count(GIT, traps, head), count(GIT, traps, old), count(GIT, traps, head, since=old)
    assert is_ancestor(GIT, traps, old, head)
    assert not is_ancestor(GIT, traps, head, old)
    assert not is_ancestor(GIT, traps, "1" * 40, head)
    assert before.total_commits + new.total_commits == whole.total_commits
    kinds = ("commits", "merges", "co_authored", "co_authored_merges")
    assert by_email(before, *kinds) + by_email(new, *kinds) == by_email(whole, *kinds)
    assert count(GIT, traps, head, since=head).total_commits == 0


def test_a_sha256_repository_is_counted(tmp_path: Path) -> None:
    repository = repos.make_bare(tmp_path / "r.git", object_format="sha256")
    head = repos.chain(repository, [repos.ALICE, repos.BOB, repos.BOB])
    assert len(head) == 64
    assert by_email(count(GIT, repository, head), "commits") == {"alice@example.org": 1, "bob@example.org": 2}


def test_a_missing_commit_is_damage_and_no_smaller_count(tmp_path: Path) -> None:
    repository = repos.make_bare(tmp_path / "r.git")
    head = repos.chain(repository, [repos.ALICE] * 5)
    gone = repos.git(repository, "rev-parse", "HEAD~2").decode().strip()
    (repository / "objects" / gone[:2] / gone[2:]).unlink()
    with pytest.raises(HistoryError) as caught:
        count(GIT, repository, head)
    assert caught.value.code == "corrupt"


def test_a_damaged_object_is_damage(tmp_path: Path) -> None:
    repository = repos.make_bare(tmp_path / "r.git")
    head = repos.chain(repository, [repos.ALICE] * 5)
    bad = repos.git(repository, "rev-parse", "HEAD~2").decode().strip()
    (repository / "objects" / bad[:2] / bad[2:]).write_bytes(b"not an object")
    with pytest.raises(HistoryError) as caught:
        count(GIT, repository, head)
    assert caught.value.code == "corrupt"


def test_more_commits_than_allowed_are_refused(tmp_path: Path) -> None:
    repository = repos.make_bare(tmp_path / "r.git")
    head = repos.chain(repository, [repos.ALICE] * 5)
    assert count(GIT, repository, head, limits=CountLimits(commits=5)).total_commits == 5
    with pytest.raises(HistoryError) as caught:
        count(GIT, repository, head, limits=CountLimits(commits=4))
    assert caught.value.code == "too-large"


@pytest.mark.parametrize(
    ("committer", "when"),
    [
        (b"C <c@x> 1700000000 +0530", 1_700_000_000),
        (b"C <c@x> 253402300799 +0000", LATEST),
        (b"C <c@x> 253402300800 +0000", None),
        (b"C <c@x> 99999999999999999999 +0000", None),
        (b"C <c@x> never", None),
        (b"C <c@x>", None),
    ],
)
def test_the_time_of_a_commit_is_its_committers(tmp_path: Path, committer: bytes, when: int | None) -> None:
    repository = repos.make_bare(tmp_path / "r.git")
    tree, parent = repos.write_tree(repository).encode(), repos.commit(repository).encode()
    lines = b"tree " + tree, b"parent " + parent, b"author " + repos.ALICE, b"committer " + committer
    commit = repos.write(repository, "commit", b"\n".join(lines) + b"\n\nchange\n")
    assert committed_at(GIT, repository, commit) == when


def test_a_stopped_count_is_interrupted(traps: Path) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(Interrupted):
        count(GIT, traps, head_of(traps), stop=stop)


def test_progress_tells_commits(traps: Path) -> None:
    reported: list[int] = []
    tally = count(GIT, traps, head_of(traps), on_progress=reported.append)
    assert reported
    assert reported == sorted(reported)
    assert reported[-1] <= tally.total_commits
