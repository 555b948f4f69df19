"""The output of cat-file, cut anywhere."""

from __future__ import annotations

import pytest

from podium.errors import HistoryError
from podium.history.cat_file import BatchSplitter
from podium.history.commit_reader import CommitReader

NONCE = b"5f2b"
OBJECTS = [
    (b"a" * 40, b"tree\n\nmessage\n"),
    (b"b" * 40, b""),
    (b"c" * 40, b"\n"),
    (b"d" * 40, b"forged\n5f2 " + b"a" * 40 + b" 3\nabc\n"),
    (b"e" * 40, b"x" * 999),
    (b"f" * 40, b"no line break"),
]


def stream(objects: list[tuple[bytes, bytes]] = OBJECTS) -> bytes:
    return b"".join(b"5f2b %s %d\n%s\n" % (name, len(content), content) for name, content in objects)


def batches(pieces: list[bytes], largest: int = 1 << 20) -> list[bytes]:
    splitter = BatchSplitter(NONCE, largest)
    found = [splitter.feed(piece) for piece in pieces]
    return [*found, splitter.close()]


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
    expected = [(name, content[:largest]) for name, content in OBJECTS]

    def read(pieces: list[bytes]) -> list[tuple[bytes, bytes]]:
        found = batches(pieces, largest)
        assert [oid for batch in found for oid in CommitReader(NONCE).read(batch)[0]] == [name for name, _ in OBJECTS]
        # A large object that arrives at once is not cut here, but where it is read.
        return [(oid, content[:largest]) for batch in found for oid, content in records(batch)]

    assert read([whole]) == expected
    for at in range(len(whole) + 1):
        assert read([whole[:at], whole[at:]]) == expected
    for size in (1, 2, 3, 7, 64):
        assert read([whole[at : at + size] for at in range(0, len(whole), size)]) == expected


def test_no_objects_at_all() -> None:
    assert batches([]) == [b""]
    assert CommitReader(NONCE).read(b"") == ([], [])


def test_a_large_object_is_not_held() -> None:
    splitter = BatchSplitter(NONCE, largest=1000)
    found = splitter.feed(b"5f2b %s %d\n" % (b"a" * 40, 10_000_000))
    for _ in range(1000):
        found += splitter.feed(b"x" * 10_000)
        assert len(splitter._rest) < 20_000
    found += splitter.feed(b"\n5f2b %s 1\ny\n" % (b"b" * 40))
    found += splitter.close()
    assert records(found) == [(b"a" * 40, b"x" * 1000), (b"b" * 40, b"y")]


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
            for batch in batches([output], largest):
                CommitReader(NONCE).read(batch)
        assert caught.value.code == "corrupt"
