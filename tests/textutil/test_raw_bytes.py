"""Bytes that are no UTF-8 survive every database, and stay distinct."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podium.storage.session import Database
from podium.textutil.raw_bytes import from_bytes, readable, to_bytes

# Bytes that are likely to form, or nearly form, the escape characters and surrogates.
_BYTES = st.one_of(
    st.binary(max_size=12),
    st.lists(st.sampled_from([b"a", b"\xef", b"\x9e", b"\x9f", b"\x80", b"\xbf", b"\xed", b"\xa0"])).map(b"".join),
    st.text(st.sampled_from("a\u00e9\ue000\uf77f\uf780\uf7ff\uf800\U0001f600")).map(str.encode),
)


@settings(max_examples=60, deadline=None, database=None)
@given(one=_BYTES, other=_BYTES)
def test_any_bytes_come_back_and_stay_distinct(one: bytes, other: bytes) -> None:
    assert to_bytes(from_bytes(one)) == one
    assert (from_bytes(one) == from_bytes(other)) is (one == other)
    from_bytes(one).encode()
    assert readable(from_bytes(one)) == one.decode("utf-8", "replace")


@pytest.mark.parametrize(
    ("raw", "text", "shown"),
    [
        (b"Ann Lee", "Ann Lee", "Ann Lee"),
        ("Jörg 😀".encode(), "Jörg 😀", "Jörg 😀"),
        (b"J\xf6rg", "J\uf7f6rg", "J\ufffdrg"),
        (b"\xe2\x82", "\uf7e2\uf782", "\ufffd"),
        ("\uf7f6".encode(), "\uf7ef\uf79f\uf7b6", "\uf7f6"),
        ("\uf77f\uf800".encode(), "\uf77f\uf800", "\uf77f\uf800"),
        (b"\xed\xa0\x80", "\uf7ed\uf7a0\uf780", "\ufffd\ufffd\ufffd"),
        (b"", "", ""),
    ],
)
def test_bytes_are_written_as(raw: bytes, text: str, shown: str) -> None:
    assert (from_bytes(raw), readable(text)) == (text, shown)


def test_databases_return_every_byte(db: Database) -> None:
    raw = bytes(range(1, 256))
    with db.read() as session:
        assert to_bytes(session.value("SELECT CAST(:text AS TEXT)", text=from_bytes(raw))) == raw
