"""The stream of objects, cut anywhere."""

from __future__ import annotations

import pytest

from podium.errors import HistoryError
from podium.history.cat_file import BatchReader

NONCE = "5f2b"
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


def read(pieces: list[bytes], largest: int = 1 << 20) -> list[tuple[bytes, bytes]]:
    reader = BatchReader(NONCE, largest)
    found = [each for piece in pieces for each in reader.feed(piece)]
    return found + list(reader.close())


@pytest.mark.parametrize("largest", [1 << 20, 5, 500])
def test_every_cut_gives_the_same_objects(largest: int) -> None:
    whole = stream()
    expected = [(name, content[:largest]) for name, content in OBJECTS]
    assert read([whole], largest) == expected
    for at in range(len(whole) + 1):
        assert read([whole[:at], whole[at:]], largest) == expected
    for size in (1, 2, 3, 7, 64):
        assert read([whole[at : at + size] for at in range(0, len(whole), size)], largest) == expected


def test_no_objects_at_all() -> None:
    assert read([]) == []


def test_a_large_object_is_not_held() -> None:
    reader = BatchReader(NONCE, largest=1000)
    found = list(reader.feed(b"5f2b %s %d\n" % (b"a" * 40, 10_000_000)))
    for _ in range(1000):
        found += reader.feed(b"x" * 10_000)
        assert len(reader._tail) < 20_000
    found += reader.feed(b"\n5f2b %s 1\ny\n" % (b"b" * 40))
    found += reader.close()
    assert found == [(b"a" * 40, b"x" * 1000), (b"b" * 40, b"y")]


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
            read([output], largest)
        assert caught.value.code == "corrupt"
