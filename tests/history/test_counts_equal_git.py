"""The count of a repository equals git's own, on repositories with every trap."""

from __future__ import annotations

import itertools
import os
import threading
from collections import Counter
from pathlib import Path

import pytest

from podium.clones.mailmaps.mailmap import Mailmaps, find_mailmap, identities
from podium.errors import HistoryError, Interrupted
from podium.git.command import Git
from podium.git.limits import Limits
from podium.history import mention_sets
from podium.history.commit import LATEST, UNREADABLE, Facts
from podium.history.count import committed_at, count, is_ancestor
from podium.history.count_limits import CountLimits
from podium.history.person import split_person
from podium.history.roles import ROLES
from podium.history.totals import Tally
from podium.textutil.raw_bytes import from_bytes
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


def test_dates_are_those_of_the_log(traps: Path) -> None:
    expected: Counter[tuple[str, int]] = Counter()
    for line in repos.git(traps, "log", "--no-mailmap", "--format=%at %ae", "HEAD").split(b"\n")[:-1]:
        at, _, email = line.partition(b" ")
        if at:  # git prints nothing for odd dates, such as a negative one
            expected[from_bytes(email.lower()), min(int(at[:30]), 2**63 - 1)] += 1
    counted: Counter[tuple[str, int]] = Counter()
    tally = count(GIT, traps, head_of(traps))
    people = tally.people()
    for segment in tally.segments({person: ordinal for ordinal, person in enumerate(people)}):
        dates = iter(segment.dates)
        for key, commits in segment.authors:
            counted.update((people[key // 2][1], date) for date in itertools.islice(dates, commits))
    assert expected - counted == Counter()
    assert all(date < 0 for _, date in counted - expected)


def test_kinds_and_samples_of_a_person(tmp_path: Path) -> None:
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
    assert (alice.commits, alice.merges) == (2, 1)
    assert (alice.sample_sha, alice.sample_at, alice.sample_co_authors) == (third, 2000, 0)
    assert (bob.commits, bob.merges, bob.sample_sha) == (1, 0, first)
    assert (carol.commits, carol.role_only) == (0, False)
    assert (carol.sample_sha, carol.sample_at, carol.sample_co_authors) == (second, 3000, 2)


def test_counting_from_an_old_head_counts_only_what_is_new(traps: Path) -> None:
    head = head_of(traps)
    old = repos.git(traps, "rev-parse", "HEAD~20").decode().strip()
    whole, before, new = count(GIT, traps, head), count(GIT, traps, old), count(GIT, traps, head, since=old)
    assert is_ancestor(GIT, traps, old, head)
    assert not is_ancestor(GIT, traps, head, old)
    assert not is_ancestor(GIT, traps, "1" * 40, head)
    assert before.total_commits + new.total_commits == whole.total_commits
    kinds = ("commits", "merges")
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
    tally = count(GIT, traps, head_of(traps), on_progress=lambda so_far: reported.append(so_far.total_commits))
    assert reported
    assert reported == sorted(reported)
    assert reported[-1] <= tally.total_commits


# --- the log ---


def logged(tally: Tally) -> Counter[tuple[str, str, bool, int, bytes]]:
    """(e-mail, name, is a merge, author date, first bytes of the id) of every commit in the log."""
    people = tally.people()
    ordinals = {person: 7 * ordinal for ordinal, person in enumerate(people)}
    found: Counter[tuple[str, str, bool, int, bytes]] = Counter()
    for segment in tally.segments(ordinals):
        assert segment.authors == sorted(segment.authors)
        at = 0
        for key, commits in segment.authors:
            dates = segment.dates[at : at + commits].tolist()
            assert dates == sorted(dates)
            name, email = people[(key >> 1) // 7]
            for number, when in enumerate(dates, at):
                found[email, name, bool(key & 1), when, segment.oids[8 * number : 8 * number + 8]] += 1
            at += commits
        assert at == segment.commits
    return found


def test_the_log_has_every_commit_as_git_has_it(traps: Path) -> None:
    expected: Counter[tuple[str, str, bool, int, bytes]] = Counter()
    separated = "--format=%H%x00%at%x00%ae%x00%an%x00%P%x00"
    cells = repos.git(traps, "log", "--no-mailmap", separated, "HEAD").split(b"\0")
    for at in range(0, len(cells) - 1, 5):
        oid, when, email, name, parents = cells[at : at + 5]
        date = min(int(when[:30]), 2**63 - 1) if when else UNREADABLE
        row = (from_bytes(email.lower()), from_bytes(name), b" " in parents, date, bytes.fromhex(oid.decode())[:8])
        expected[row] += 1
    found = logged(count(GIT, traps, head_of(traps)))
    # git prints nothing for a negative date; the log has the number.
    negative = {row for row in found if UNREADABLE < row[3] < 0}
    assert len(negative) == 2
    assert (
        Counter((*row[:3], UNREADABLE if row in negative else row[3], row[4]) for row in found.elements()) == expected
    )


def test_two_counts_have_the_commits_of_one(traps: Path) -> None:
    head, old = head_of(traps), repos.git(traps, "rev-parse", "HEAD~20").decode().strip()
    whole, before, new = count(GIT, traps, head), count(GIT, traps, old), count(GIT, traps, head, since=old)
    assert logged(before) + logged(new) == logged(whole)
    assert sorted({*before.roots, *new.roots}) == whole.roots == commits_without_parents(traps)


def commits_without_parents(repository: Path) -> list[str]:
    return sorted(repos.git(repository, "rev-list", "--max-parents=0", "HEAD").decode().split())


def test_segments_have_a_largest_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository = repos.make_bare(tmp_path / "r.git")
    head = repos.chain(repository, [repos.ALICE, repos.BOB] * 12)
    tally = count(GIT, repository, head)
    whole = logged(tally)
    monkeypatch.setattr("podium.history.sorted_commits.LARGEST_SEGMENT", 5)
    people = {person: ordinal for ordinal, person in enumerate(tally.people())}
    segments = list(tally.segments(people))
    assert [segment.commits for segment in segments] == [5, 5, 5, 5, 4]
    assert [segment.authors for segment in segments] == [[(0, 5)], [(0, 5)], [(0, 2), (2, 3)], [(2, 5)], [(2, 4)]]
    assert logged(tally) == whole
    assert list(count(GIT, repository, head, since=head).segments({})) == []


def test_the_log_names_rows_of_people_and_agents(tmp_path: Path) -> None:
    repository = repos.make_bare(tmp_path / "r.git")
    trailers = (
        b"Co-authored-by: Ann <ann@home.example>\nAssisted-by: Claude:opus\nSigned-off-by: Ann <ann@work.example>\n"
    )
    first = repos.commit(repository, author=b"Ann <ann@work.example> 5 +0000", message=b"t\n\n" + trailers)
    head = repos.commit(repository, [first], author=b"Ann <ann@work.example> 4 +0000")
    tally = count(GIT, repository, head)
    found = {(person.email, person.name): person for person in tally.persons()}
    assert list(found) == [("", "Claude"), ("ann@home.example", "Ann"), ("ann@work.example", "Ann")]
    assert [person.is_agent for person in found.values()] == [True, False, False]
    assert not any(person.role_only for person in found.values())
    (segment,) = tally.segments({("Claude", ""): 2, ("Ann", "ann@home.example"): 0, ("Ann", "ann@work.example"): 1})
    assert segment.authors == [(2, 2)]
    assert segment.dates.tolist() == [4, 5]
    assert (segment.named.tolist(), segment.named_sets) == ([0, 1], [(0, 2)])
    assert (segment.roles.tolist(), segment.role_sets) == ([0, 1], [(8 * 1 + ROLES.index("signed_off"),)])
    assert segment.oids == bytes.fromhex(head)[:8] + bytes.fromhex(first)[:8]


def test_a_person_who_only_has_roles_has_no_commit_to_look_up(tmp_path: Path) -> None:
    repository = repos.make_bare(tmp_path / "r.git")
    head = repos.commit(repository, message=b"t\n\nReviewed-by: Rob <rob@example.org>\n")
    alice, rob = count(GIT, repository, head).persons()
    assert (alice.role_only, alice.sample_sha) == (False, head)
    assert (rob.email, rob.role_only, rob.sample_sha, rob.other_sha) == ("rob@example.org", True, "", None)


# --- named people of a whole history ---


def mentions_tally(*lists: tuple[int, int]) -> Tally:
    """Commits of Alice that each name so many co-authors, and so many people in a role."""
    tally = Tally()
    facts: list[Facts] = []
    for named, roles in lists:
        people = tuple((f"P{each}", f"p{each}@example.org") for each in range(named))
        facts.append(
            (("Alice", "a@x"), 1, False, people, tuple((1, ("R", f"r{each}@x")) for each in range(roles)), b"", False)
        )
    tally.add([b"%040x" % number for number in range(len(facts))], facts)
    return tally


def sizes(tally: Tally) -> Counter[tuple[int, int]]:
    people = {person: ordinal for ordinal, person in enumerate(tally.people())}
    found: Counter[tuple[int, int]] = Counter()
    for segment in tally.segments(people):
        named, roles = [0, *map(len, segment.named_sets)], [0, *map(len, segment.role_sets)]
        found.update((named[a], roles[b]) for a, b in zip(segment.named, segment.roles, strict=True))
    return found


def test_a_history_names_a_limited_number_of_people(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mention_sets, "MOST_MORE_ENTRIES", 20)
    # Four for each of the four commits, and 20 more.
    fits = mentions_tally((12, 9), (15, 0), (0, 0), (0, 0))
    assert (sizes(fits), fits.trimmed_commits) == ({(12, 9): 1, (15, 0): 1, (0, 0): 2}, 0)
    # The longest are cut first, their roles first; two lists of 18.
    cut = mentions_tally((12, 9), (18, 0), (0, 0), (0, 0))
    assert (sizes(cut), cut.trimmed_commits) == ({(12, 6): 1, (18, 0): 1, (0, 0): 2}, 1)
    assert len([person for person in cut.persons() if person.role_only]) == 6
    back = mentions_tally((0, 0), (18, 0), (0, 0), (12, 9))
    assert (sizes(back), back.trimmed_commits) == (sizes(cut), 1)
    # Nothing is cut below four.
    many = mentions_tally(*[(100, 0)] * 30, *[(3, 1)] * 100)
    assert (sizes(many), many.trimmed_commits) == ({(4, 0): 30, (3, 1): 100}, 30)


def test_what_waits_for_the_last_commit_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mention_sets, "_MOST_KEPT", 100)
    lists = [(10 + each, 2) for each in range(40)]
    tally = mentions_tally(*lists, (2, 1))
    assert (sizes(tally), tally.trimmed_commits) == ({(4, 0): 40, (2, 1): 1}, 40)
    kept = sum(len(named) + len(roles) for named, roles in tally._mentions._known)
    assert 100 < kept < 250
    back = mentions_tally((2, 1), *reversed(lists))
    assert (sizes(back), back.trimmed_commits) == (sizes(tally), 40)
