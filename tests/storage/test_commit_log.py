"""The commit log gives back what was saved, and refuses what was not."""

from __future__ import annotations

import dataclasses
import random
import struct
import threading
import zlib
from array import array
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podium.errors import BadCommitLog
from podium.storage.commit_log import segments
from podium.storage.commit_log.codec import COLUMNS, decode, encode
from podium.storage.commit_log.compact import MOST_SMALL, mergeable, merged
from podium.storage.commit_log.segment import LARGEST_SEGMENT, LARGEST_SET, Segment
from podium.storage.commit_log.segments import Link, check_chain
from podium.storage.postgresql.postgres import PostgresDatabase
from podium.storage.session import Database
from podium.storage.transactions.steps import run_steps
from tests.support.rows import add_repository

INT64 = st.integers(-(2**63), 2**63 - 1)
DATES = st.one_of(st.integers(0, 2_000_000_000), INT64, st.sampled_from((-(2**63), 2**63 - 1, 0)))
SETS = st.lists(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=4).map(tuple), max_size=3)


@st.composite
def some_segments(draw: Any) -> Segment:
    keys = draw(st.lists(st.integers(0, 2**32 - 1), max_size=5, unique=True).map(sorted))
    authors = [(key, draw(st.integers(1, 4))) for key in keys]
    commits = sum(number for _, number in authors)
    named_sets, role_sets = ([*draw(SETS)][:commits] for _ in range(2))
    named, roles = (
        array("I", draw(st.lists(st.integers(0, len(sets)), min_size=commits, max_size=commits)))
        for sets in (named_sets, role_sets)
    )
    dates = array("q", draw(st.lists(DATES, min_size=commits, max_size=commits)))
    oids = draw(st.sampled_from((b"", random.Random(commits).randbytes(8 * commits))))
    return Segment(authors, dates, named, named_sets, roles, role_sets, oids)


@settings(max_examples=50, deadline=None, database=None)
@given(segment=some_segments())
def test_a_segment_is_what_it_was(segment: Segment) -> None:
    columns = encode(segment)
    assert decode(columns, segment.commits) == segment
    few = decode({name: columns[name] for name in ("authors", "dates")}, segment.commits)
    assert few == Segment(segment.authors, segment.dates)


def example(commits: int = 60) -> Segment:
    dates = array("q", (1_500_000_000 + 977 * number for number in range(commits)))
    named = array("I", (number % 3 for number in range(commits)))
    return Segment(
        [(0, commits - 2), (7, 2)], dates, named, [(1, 2), (3,)], named[:], [(8,), (17, 20)], bytes(8 * commits)
    )


def test_many_commits_take_few_bytes() -> None:
    segment = example(20_000)
    assert sum(len(packed) for name, packed in encode(segment).items() if name != "oids") < 20_000


@settings(max_examples=100, deadline=None, database=None)
@given(column=st.sampled_from(COLUMNS), place=st.integers(0, 2000), value=st.integers(1, 255), cut=st.booleans())
def test_damaged_bytes_are_refused(column: str, place: int, value: int, cut: bool) -> None:
    columns = encode(example())
    packed = bytearray(columns[column])
    place %= len(packed)
    if cut:
        del packed[place:]
    else:
        packed[place] ^= value
    with pytest.raises(BadCommitLog):
        decode({**columns, column: bytes(packed)}, 60)


def packed(column: str, content: bytes, commits: int, *, length: int | None = None) -> bytes:
    """A column whose header and CRC are right, whatever its content."""
    body = zlib.compress(content, 9, -15)
    length = len(content) if length is None else length
    return struct.pack("<BBIII", 1, COLUMNS.index(column), commits, length, zlib.crc32(body)) + body


@pytest.mark.parametrize(
    ("column", "content"),
    [
        ("authors", b"\1"),
        ("authors", bytes(8)),
        ("authors", b"\1\1\0\0\0\0\0\0" * 4),
        ("dates", bytes(8)),
        ("named", bytes(4)),
        ("named", b"\xff" * 16),
        ("named_sets", b"\xff" * 8),
        ("named_sets", bytes(16)),
        ("role_sets", b"\1\0\0\0"),
        ("roles", b"\1" + bytes(15)),
    ],
)
def test_wrong_content_with_a_right_checksum_is_refused(column: str, content: bytes) -> None:
    whole = Segment([(0, 4)], array("q", [1, 2, 3, 4]), array("I", bytes(16)), [], array("I", bytes(16)), [], b"")
    with pytest.raises(BadCommitLog):
        decode({**encode(whole), column: packed(column, content, 4)}, 4)


@pytest.mark.parametrize("column", [name for name in COLUMNS if name != "oids"])
def test_a_column_is_not_inflated_beyond_what_its_commits_can_need(column: str) -> None:
    bomb = packed(column, bytes(1 << 20), 60)
    for packed_column in (bomb, packed(column, bytes(1 << 20), 60, length=240)):
        with pytest.raises(BadCommitLog):
            decode({**encode(example()), column: packed_column}, 60)


def test_another_version_is_refused_with_what_to_do() -> None:
    columns = encode(example())
    with pytest.raises(BadCommitLog, match=r"version 2.*update Podium"):
        decode({**columns, "dates": b"\2" + columns["dates"][1:]}, 60)


def test_columns_do_not_stand_for_each_other() -> None:
    columns = encode(example())
    with pytest.raises(BadCommitLog):
        decode({**columns, "named": columns["roles"]}, 60)
    with pytest.raises(BadCommitLog):
        decode(columns, 59)
    with pytest.raises(BadCommitLog):
        decode(columns, 2**40)


@pytest.mark.parametrize(
    "change",
    [
        {"authors": [(0, 59)]},
        {"authors": [(7, 30), (0, 30)]},
        {"authors": [(0, 60), (1, 0)]},
        {"authors": [(2**33, 60)]},
        {"named": array("I", [9]) * 60},
        {"named_sets": [tuple(range(LARGEST_SET + 1)), (1,)]},
        {"named_sets": [(1,), ()]},
        {"role_sets": [(2**40,), (1,)]},
        {"oids": b"1"},
    ],
)
def test_a_segment_that_cannot_be_read_again_is_not_saved(change: dict[str, Any]) -> None:
    with pytest.raises(BadCommitLog):
        encode(dataclasses.replace(example(), **change))


# --- the table


def insert(db: Database, repository_id: int, count_id: int, made: list[Segment], **rest: Any) -> None:
    steps = segments.insert_steps(repository_id, count_id, made, **rest)
    run_steps(db.write, steps, threading.Event())


def test_segments_are_saved_loaded_and_deleted(db: Database) -> None:
    number = add_repository(db)
    made = [example(size) for size in (5, 60, 7, 8, 9, 10)]
    insert(db, number, 3, made, base_oid="", head_oid="a")
    insert(db, number, 3, [example(11)], base_oid="a", head_oid="b", first=7)
    insert(db, number, 4, [example(12)], base_oid="", head_oid="z")
    with db.read() as session:
        loaded = list(segments.load(session, number, 3))
        few = list(segments.load(session, number, 3, columns=["named", "named_sets"]))
        links = segments.links(session, number, 3)
    assert [segment for _, segment in loaded] == [*made, example(11)]
    assert [link for link, _ in loaded] == links
    assert links[0] == Link(1, "", "a", 5, is_coarse=False)
    assert links[-1] == Link(7, "a", "b", 11, is_coarse=False)
    assert few[0][1] == dataclasses.replace(example(5), roles=array("I"), role_sets=[], oids=b"")
    check_chain(links, head="b", total_commits=110)
    with db.write() as session:
        assert segments.delete_some(session, number, 3)
        assert not segments.delete_some(session, number, 3)
        assert segments.links(session, number, 3) == []
        assert len(segments.links(session, number, 4)) == 1
        session.run("DELETE FROM repository WHERE id = :id", id=number)
        assert segments.links(session, number, 4) == []


CHAIN = [
    Link(1, "", "a", 5, is_coarse=False),
    Link(2, "", "a", 6, is_coarse=False),
    Link(3, "a", "b", 1, is_coarse=False),
    Link(4, "b", "c", 2, is_coarse=False),
]


@pytest.mark.parametrize("missing", range(4))
def test_a_missing_segment_breaks_the_chain(missing: int) -> None:
    check_chain(CHAIN, head="c", total_commits=14)
    with pytest.raises(BadCommitLog):
        check_chain(CHAIN[:missing] + CHAIN[missing + 1 :], head="c", total_commits=14)


def test_a_chain_ends_at_the_head_with_all_commits() -> None:
    check_chain([], head=None, total_commits=None)
    for head, total in (("b", 14), ("c", 13), (None, None)):
        with pytest.raises(BadCommitLog):
            check_chain(CHAIN, head=head, total_commits=total)


def test_bytes_are_loaded_in_bulk(db: Database) -> None:
    number = add_repository(db)
    every = bytes(range(256)) * 3
    columns = ("repository_id", "count_id", "segment", "base_oid", "head_oid", "commits", "is_coarse", *COLUMNS)
    with db.write() as session:
        session.copy("commit_log", columns, [(number, 1, 1, "", "a", 1, False, *[every] * 7)])
        [row] = session.tuples(f"SELECT {', '.join(COLUMNS)} FROM commit_log")
    assert row == (every,) * 7


def test_postgresql_does_not_compress_what_is_compressed(postgresql: PostgresDatabase) -> None:
    with postgresql.read() as session:
        rows = session.tuples(
            """SELECT attname, attstorage FROM pg_attribute
            WHERE attrelid = 'commit_log'::regclass AND atttypid = 'bytea'::regtype"""
        )
    assert dict(rows) == dict.fromkeys(COLUMNS, "e")


# --- compaction


def links_of(*commits: int, base: int = 1000) -> list[Link]:
    heads = [f"h{number}" for number in range(len(commits) + 1)]
    added = [
        Link(number, heads[number - 2], heads[number - 1], size, is_coarse=False)
        for number, size in enumerate(commits, 2)
    ]
    return [Link(1, "", "h0", base, is_coarse=False), *added]


def test_a_log_is_merged_after_many_segments_or_an_eighth() -> None:
    assert mergeable(links_of()) == ()
    assert mergeable(links_of(*[1] * (MOST_SMALL - 1))) == ()
    small = links_of(*[1] * MOST_SMALL)
    assert mergeable(small) == small[1:]
    assert mergeable(links_of(125)) == ()
    grown = links_of(100, 26)
    assert mergeable(grown) == grown
    large = links_of(*[1000] * MOST_SMALL, base=LARGEST_SEGMENT)
    assert mergeable(large) == large[1:]
    full = links_of(*[LARGEST_SEGMENT] * MOST_SMALL, *[9] * MOST_SMALL)
    assert mergeable(full) == full[-MOST_SMALL:]
    assert mergeable([dataclasses.replace(link, is_coarse=True) for link in small]) == ()


@settings(max_examples=60, deadline=None, database=None)
@given(seed=st.integers(0, 10_000), sizes=st.lists(st.integers(1, 30), min_size=1, max_size=5))
def test_a_merged_segment_has_the_commits_of_its_parts(seed: int, sizes: list[int]) -> None:
    dice = random.Random(seed)
    parts = [random_segment(dice, size) for size in sizes]
    whole = merged(parts)
    encode(whole)
    assert sorted(commits_of(whole)) == sorted(commit for part in parts for commit in commits_of(part))
    assert [commit[:2] for commit in commits_of(whole)] == sorted(commit[:2] for commit in commits_of(whole))
    assert len(set(whole.named_sets)) == len(whole.named_sets)


def random_segment(dice: random.Random, size: int) -> Segment:
    keys = sorted(dice.choices(range(6), k=size))
    dates = array("q")
    for key in sorted(set(keys)):
        dates.extend(sorted(dice.randrange(50) for _ in range(keys.count(key))))
    sets = [(dice.randrange(3),), (1, 2, dice.randrange(3, 6))][:size]
    ids = array("I", (dice.randrange(len(sets) + 1) for _ in range(size)))
    authors = [(key, keys.count(key)) for key in sorted(set(keys))]
    return Segment(authors, dates, ids, sets, ids[::-1], sets[::-1], dice.randbytes(8 * size))


def commits_of(segment: Segment) -> list[tuple[Any, ...]]:
    keys = [key for key, commits in segment.authors for _ in range(commits)]
    return [
        (
            *(key, segment.dates[place]),
            segment.named_sets[segment.named[place] - 1] if segment.named[place] else (),
            segment.role_sets[segment.roles[place] - 1] if segment.roles[place] else (),
            segment.oids[8 * place : 8 * place + 8],
        )
        for place, key in enumerate(keys)
    ]
