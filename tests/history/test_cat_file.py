"""The output of cat-file, cut anywhere."""

from __future__ import annotations

import pytest

from podium.errors import HistoryError
from podium.history.commit_reader import CommitReader
from podium.history.large_commit import beginning_of
from podium.history.walks.cat_file import BatchSplitter

NONCE = b"5f2b"
OBJECTS = [
    (b"a" * 40, b"tree\n\nmessage\n"),
    (b"b" * 40, b""),
    (b"c" * 40, b"\n"),
    (b"d" * 40, b"forged\n5f2 " + b"a" * 40 + b" 3\nabc\n"),
    (b"e" * 40, b"x" * 599),
    (b"f" * 40, b"no line break"),
]


def stream(objects: list[tuple[bytes, bytes]] = OBJECTS) -> bytes:
    return b"".join(b"5f2b %s %d\n%s\n" % (name, len(content), content) for name, content in objects)


def batches(pieces: list[bytes], largest: int = 1 << 20) -> list[tuple[bytes, list[tuple[bytes, bytes]]]]:
    splitter = BatchSplitter(NONCE, largest)
    found = [splitter.feed(piece) for piece in pieces]
    return [*found, (splitter.close(), [])]


def records(batch: bytes) -> list[tuple[bytes, bytes]]:
    """The records of a batch by nothing but the sizes that they say."""
    found = []
    while batch:
        announced, _, rest = batch.partition(b"\n")
        nonce, oid, size = announced.split(b" ")
        found.append((oid, rest[: int(size)]))
        assert nonce == NONCE
        assert rest[int(size) : int(size) + 1] == b"\n"
        batch = rest[int(size) + 1 :]
    return found


@pytest.mark.parametrize("largest", [1 << 20, 5, 500])
def test_every_cut_gives_the_same_objects(largest: int) -> None:
    whole = stream()
    expected = [(name, beginning_of(content, largest)) for name, content in OBJECTS]

    def read(pieces: list[bytes]) -> list[tuple[bytes, bytes]]:
        found: list[tuple[bytes, bytes]] = []
        for batch, large in batches(pieces, largest):
            oids, _ = CommitReader(NONCE).read(batch, large)
            # A large object that arrives at once is not cut here, but where it is read.
            objects = [(oid, beginning_of(content, largest)) for oid, content in records(batch)] + large
            assert oids == [oid for oid, _ in objects]
            found += objects
        return sorted(found)

    assert read([whole]) == expected
    for at in range(len(whole) + 1):
        assert read([whole[:at], whole[at:]]) == expected
    for size in (1, 2, 3, 7, 64):
        assert read([whole[at : at + size] for at in range(0, len(whole), size)]) == expected


def test_no_objects_at_all() -> None:
    assert batches([]) == [(b"", [])]
    assert CommitReader(NONCE).read(b"") == ([], [])


def test_a_large_object_is_not_held() -> None:
    splitter = BatchSplitter(NONCE, largest=1000)
    header = b"tree 0\nauthor A <a@b> 1 +0000\n\n"
    found = [splitter.feed(b"5f2b %s %d\n%s" % (b"a" * 40, len(header) + 10_000_000, header))]
    for _ in range(1000):
        found.append(splitter.feed(b"x" * 9_999 + b"\n"))
        assert len(splitter._rest) < 20_000
        assert splitter._large is None or len(splitter._large._kept) <= 1000
    found.append(splitter.feed(b"\n5f2b %s 1\ny\n" % (b"b" * 40)))
    assert [large for _, large in found if large] == [[(b"a" * 40, header)]]
    assert [batch for batch, _ in found if batch] == []
    assert records(splitter.close()) == [(b"b" * 40, b"y")]


@pytest.mark.parametrize(
    "output",
    [
        stream()[:-1],
        stream()[:-30],
        b"a" * 40 + b" missing\n",
        stream()[:-1] + b"\n" + b"a" * 40 + b" missing\n",
        b"5f2b " + b"a" * 40 + b" 5\nabc\n",
        b"5f2b " + b"a" * 40 + b" five\nabc\n",
        b"noise" + stream(),
        b"5f2b " + b"a" * 40 + b" 2\n" + b"x" * 5000,
        b"5f2b " + b"a" * 40 + b" 9000\n" + b"x" * 5000,
    ],
)
def test_anything_else_is_damage(output: bytes) -> None:
    for largest in (1 << 20, 1000):
        with pytest.raises(HistoryError) as caught:
            for batch, large in batches([output], largest):
                CommitReader(NONCE).read(batch, large)
        assert caught.value.code == "corrupt"
