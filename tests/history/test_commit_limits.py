"""A commit costs time in proportion to its size, and counts for its author however far it is beyond a limit."""

from __future__ import annotations

import random

import pytest

from podium.history.commit import MOST_PARENTS, CommitFacts, read_commit
from podium.history.commit_reader import CommitReader
from podium.history.large_commit import LARGEST_COMMIT, LargeCommit, beginning_of
from podium.history.trailers import message_trailers
from podium.history.trailers.mentions import MOST_NAMED
from podium.history.trailers.message_trailers import MOST_LINES, read_trailers
from podium.history.walks.cat_file import BatchSplitter, record
from tests.support.growth import growth
from tests.support.hostile import CO_AUTHOR, HOSTILE, co_authors, raw_commit, repeated

NONCE = b"5f2b"
ALICE = ("Alice", "alice@example.org")
CAROL = ("Carol", "carol@example.org")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_commit_is_read_in_time_in_proportion_to_its_size(name: str) -> None:
    sizes = (100_000, 200_000)
    batches = {
        size: record(NONCE, b"0" * 40, raw_commit(**HOSTILE[name](size)))  # type: ignore[arg-type]
        for size in sizes
    }
    assert growth(lambda size: CommitReader(NONCE).read(batches[size]), sizes[0]) < 3.2


def test_a_block_of_many_lines_names_the_people_of_its_first_lines() -> None:
    spare = MOST_LINES - 1
    for lines, trimmed in ((spare, False), (spare + 1, True), (340_000, True)):
        facts = read_commit(raw_commit(message=b"t\n\n" + CO_AUTHOR + b" x\n" * lines))
        assert (facts.author, facts.named, facts.trimmed) == (ALICE, (CAROL,), trimmed)
    late = read_commit(raw_commit(message=b"t\n\n" + b"Acked-by: A\n" * MOST_LINES + CO_AUTHOR))
    assert (late.named, late.trimmed) == ((), True)
    # The block before it is not the last paragraph.
    text = read_commit(raw_commit(message=b"t\n\n" + CO_AUTHOR + b"\n" + b"text\n" * 2 * MOST_LINES))
    assert text.named == ()


@pytest.mark.parametrize("most", [1, 2, 5])
def test_a_message_within_the_limit_has_the_trailers_it_has_without_one(
    most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    dice = random.Random(most)
    lines = (
        b"x",
        b"",
        b" ",
        b" x",
        b"\tf",
        b"# c",
        b"Conflicts:",
        b"Co-authored-by: A <a@b>",
        b"Signed-off-by: S <s@b>",
    )
    messages = [b"\n" + b"\n".join(dice.choices(lines, k=dice.randrange(3, 14))) for _ in range(1200)]
    whole = [read_trailers(message) for message in messages]
    monkeypatch.setattr(message_trailers, "MOST_LINES", most)
    cut = [read_trailers(message) for message in messages]
    assert not any(each.is_cut for each in whole)
    kept = [(few.pairs, all_of_them.pairs) for few, all_of_them in zip(cut, whole, strict=True) if not few.is_cut]
    assert 120 < len(kept) < 1200
    assert all(few == all_of_them for few, all_of_them in kept)


def test_long_messages_without_co_authors_are_not_trimmed() -> None:
    assert not read_commit(raw_commit(message=b"t\n\n" + b"a: b\n" * 40_000)).trimmed
    facts = read_commit(raw_commit(message=b"t\n\n" + b"a paragraph\n\n" * 10_000 + CO_AUTHOR))
    assert (facts.named, facts.trimmed) == ((CAROL,), False)


def test_a_commit_credits_a_limited_number_of_people() -> None:
    for number, trimmed in ((MOST_NAMED, False), (MOST_NAMED + 1, True), (100_000, True)):
        facts = read_commit(raw_commit(message=b"t\n\n" + co_authors(number)))
        names = tuple((f"P{each}", f"p{each}@example.org") for each in range(MOST_NAMED))
        assert (facts.author, facts.named, facts.trimmed) == (ALICE, names, trimmed)
    repeats = read_commit(raw_commit(message=b"t\n\n" + CO_AUTHOR * (MOST_NAMED + 1) + co_authors(1)))
    assert (len(repeats.named), repeats.trimmed) == (2, False)


def test_a_commit_has_a_limited_number_of_people_in_roles() -> None:
    for number, trimmed in ((MOST_NAMED, False), (MOST_NAMED + 1, True), (900, True)):
        roles = co_authors(number).replace(b"Co-authored", b"Acked")
        facts = read_commit(raw_commit(message=b"t\n\n" + roles + CO_AUTHOR))
        assert (facts.named, len(facts.roles), facts.trimmed) == ((CAROL,), MOST_NAMED, trimmed)
        assert facts.roles[-1] == (2, (f"P{MOST_NAMED - 1}", f"p{MOST_NAMED - 1}@example.org"))


def test_a_commit_with_many_parents_counts_for_its_author() -> None:
    for number, trimmed in ((MOST_PARENTS, False), (MOST_PARENTS + 1, True), (100_000, True)):
        facts = read_commit(raw_commit(parents=["1" * 40] * number))
        assert (facts.author, facts.is_merge, facts.named, facts.trimmed) == (ALICE, True, (CAROL,), trimmed)


@pytest.mark.parametrize(
    "raw",
    [
        raw_commit(message=CO_AUTHOR + b"x\n" * LARGEST_COMMIT),
        raw_commit(headers=repeated(b"x y z\n", 2 * LARGEST_COMMIT)),
        raw_commit(before_author=repeated(b"x y z\n", 2 * LARGEST_COMMIT)),
        raw_commit(before_author=b"x" * 2 * LARGEST_COMMIT + b"\n"),
        raw_commit(before_author=repeated(b"x\0y", 2 * LARGEST_COMMIT) + b"\n"),
        raw_commit(parents=["1" * 40] * 30_000, message=b"x" * LARGEST_COMMIT),
    ],
)
def test_a_commit_of_many_bytes_counts_for_its_author(raw: bytes) -> None:
    facts = read_commit(raw)
    assert (facts.author, facts.when, facts.trimmed) == (ALICE, 1_700_000_000, True)
    assert len(beginning_of(raw)) <= LARGEST_COMMIT


def test_a_message_that_is_cut_names_the_people_of_what_is_left() -> None:
    facts = read_commit(raw_commit(message=b"t\n\n" + co_authors(MOST_NAMED - 1) + repeated(b"a: b\n", 2 << 20)))
    assert (len(facts.named), facts.trimmed) == (MOST_NAMED - 1, True)
    exact = raw_commit(message=b"t\n\n" + CO_AUTHOR)
    exact = raw_commit(message=b"t" * (LARGEST_COMMIT + 1 - len(exact)) + b"\n\n" + CO_AUTHOR)
    assert len(exact) == LARGEST_COMMIT
    assert read_commit(exact).trimmed is False
    assert read_commit(exact + b"x").trimmed is True


@pytest.mark.parametrize("seed", range(12))
def test_a_large_commit_is_cut_alike_in_whatever_pieces_it_arrives(seed: int) -> None:
    dice = random.Random(seed)
    words = [b"author A <a@b> 1 +0000\n", b"x\n", b"\n", b"\0", b"parent 1\n", b"y" * 40, b"auth", b"\n\n"]
    raw = b"tree 0\n" + b"".join(dice.choices(words, weights=[1, 9, 1, 1, 5, 3, 3, 0.2], k=60))
    for largest in (20, 90, 200):
        large, at = LargeCommit(largest), 0
        while at < len(raw):
            size = dice.choice((1, 2, 5, 30, 300))
            large.feed(raw[at : at + size])
            at += size
        assert large.kept() == beginning_of(raw, largest)
        assert len(large.kept()) <= largest


def test_a_large_commit_is_read_alike_whole_and_in_pieces() -> None:
    raws = [
        raw_commit(parents=["1" * 40] * 30_000),
        raw_commit(message=b"t\n\n" + co_authors(60_000)),
        raw_commit(before_author=repeated(b"x\n", LARGEST_COMMIT)),
    ]
    output = b"".join(record(NONCE, b"%040d" % number, raw) for number, raw in enumerate(raws))
    splitter, reader = BatchSplitter(NONCE, LARGEST_COMMIT), CommitReader(NONCE)
    read = [reader.read(*splitter.feed(output[at : at + 130_000])) for at in range(0, len(output), 130_000)]
    read.append(reader.read(splitter.close()))
    found = {oid: CommitFacts(*facts) for oids, each in read for oid, facts in zip(oids, each, strict=True)}
    assert found == {b"%040d" % number: read_commit(raw) for number, raw in enumerate(raws)}
