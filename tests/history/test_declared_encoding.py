"""Commits that declare an encoding read as git shows them, under every name of the encoding."""

from __future__ import annotations

import codecs
import unicodedata
from pathlib import Path

import pytest

from podium.history.commit import read_commit
from podium.history.encoding import euc_tw
from podium.history.encoding.codec_names import CODECS, codec_of
from podium.history.encoding.declared import to_utf_8
from podium.history.encoding.single_byte import table_of
from podium.history.large_commit import LARGEST_COMMIT
from podium.textutil.raw_bytes import from_bytes
from tests.support import repos
from tests.support.growth import growth

# Names in scripts that the larger character sets have.
_NAMES = "André Jiří Łukasz Ёлка Ναταλία 张三 王小明 山田太郎 こころ カナ 김철수 이 éüßœ"
_OF_SEVERAL_BYTES = ("iso2022", "big5", "cp932", "cp949", "cp950", "euc", "gb", "johab", "shift")
# Where iconv of the GNU C library decides differently, in a letter.
_DIFFERENT = {"mac_roman": "\u2206", "cp950": "Ёлкаこころカナ"}


def name_in(codec: str) -> str:
    """Letters that an encoding has."""
    table = table_of(codec)
    if table is None and not codec.startswith(_OF_SEVERAL_BYTES):
        table = bytes(range(256)).decode(codec, "replace")
    return "".join(each for each in (table[128:] if table else _NAMES) if is_sample(each, codec))


def is_sample(character: str, codec: str) -> bool:
    raw = encoded(character, codec)
    # An accent that stands alone would join the letter before; `git fast-import` refuses brackets as parts of letters.
    is_letter = unicodedata.category(character)[0] == "L"
    return bool(raw) and is_letter and not set(raw) & set(b"<>") and character not in _DIFFERENT.get(codec, "")


def encoded(text: str, codec: str) -> bytes:
    """Empty if the encoding has no such text."""
    if codec == "euc_tw":
        found = {character: raw for raw, character in euc_tw.planes()[0].items()}
        return b"".join(each.encode() if each.isascii() else found.get(each, b"") for each in text)
    table = table_of(codec)
    if table is not None:
        return bytes(table.index(each) for each in text) if all(each in table for each in text) else b""
    try:
        return text.encode(codec)
    except UnicodeEncodeError:
        return b""


def authors_by_git(repository: Path, written: list[tuple[bytes, bytes]]) -> list[bytes]:
    """The author names that git shows for commits of (name, declared encoding)."""
    stream = b"".join(
        b"commit refs/heads/main\nauthor %b <a@x> 1600000000 +0000\ncommitter C <c@x> 1600000000 +0000\n"
        b"encoding %b\ndata 5\nwork\n" % commit
        for commit in written
    )
    repos.git(repository, "fast-import", "--quiet", stdin=stream)
    return repos.git(repository, "log", "--reverse", "--format=%an", "main").split(b"\n")[:-1]


def commit_of(name: bytes, encoding: bytes, rest: bytes = b"work\n") -> bytes:
    return b"tree 00\nauthor %b <a@x> 1600000000 +0000\ncommitter C <c@x> 1 +0000\nencoding %b\n\n%b" % (
        *(name, encoding),
        rest,
    )


def test_every_name_means_what_git_means(tmp_path: Path) -> None:
    names = {codec: name_in(codec) for codec in set(CODECS.values())}
    # Of the others one has a cent sign, one draws boxes.
    assert {codec for codec, name in names.items() if not name} == {"ascii", "cp904", "iso10367box"}
    written = [(b"A " + encoded(names[codec], codec) + b" Z", name.encode()) for name, codec in CODECS.items()]
    shown = authors_by_git(repos.make_bare(tmp_path / "r.git"), written)
    # git leaves a name alone if only Python knows the encoding by that name.
    known = [(*commit, by_git) for commit, by_git in zip(written, shown, strict=True) if by_git != commit[0]]
    assert len(known) > len(written) / 2
    for raw, name, by_git in known:
        assert read_commit(commit_of(raw, name)).author[0] == from_bytes(by_git), name


@pytest.mark.parametrize(
    ("raw", "encoding", "name"),
    [
        (b"\xd5\xc5\xc8\xfd", b"CP936", "张三"),
        (b"\xc8\xe2\xe0\xed", b"cp1251", "Иван"),
        (b"\x8eR\x93c", b"Shift_JIS", "山田"),
        (b"Andr\x82", b"IBM850", "André"),
        (b"Andr\x82", b"850", "André"),
        (b"Andr\x8e", b"MACINTOSH", "André"),
        (b"Andr\x8e", b"MacRoman", "André"),
        (b"\xb1\xe8\xc3\xb6", b"UHC", "김철"),
        (b"\xb1\xe8\xc3\xb6", b"MS949", "김철"),
        (b"\xb1\xe8\xc3\xb6", b"ks_c_5601-1987", "김철"),
        (b"\xc0\xcc", b"eucKR", "이"),
        (b"Andr\xe9", b"ISO_8859-1", "André"),
        (b"Andr\xe9", b"ISO_8859-1:1987", "André"),
        (b"Andr\xe9", b"8859_1", "André"),
        (b"Andr\xe9", b"CP819", "André"),
        (b"Andr\xe9", b"l1", "André"),
        (b"Andr\xe9", b"latin-1", "André"),
        (b"Andr\xe9", b" LATIN1 \r", "André"),
        (b"Andr\xe9", b"ISO-8859-1//TRANSLIT", "André"),
        (b"Andr\xe9", b"windows-1252", "André"),
        (b"Andr\xe9", b"WINDOWS_1252", "André"),
        (b"\xa4\xb3", b"EUC-CN", "こ"),
        (b"Ji\xf8\xed", b"latin2", "Jiří"),
        (b"\xc4\xe3 \x8e\xa1\xc4\xe3\x8e\xa2\xa1\xa1", b"EUC-TW", "中 中乂"),
        (b"\x1b$B;3ED\x1b(B", b"ISO-2022-JP", "山田"),
        (b"\x1b$B<+\x1b(B", b"ISO-2022-JP", "自"),
        (b"\xb2\xb3\xb4", b"ARMSCII-8", "ԱաԲ"),
        (b"Nguy\xaan", b"TCVN", "Nguyên"),
        (b"Nguye\xcc", b"CP1258", "Nguyè"),
        (b"\xc8\xc9\xcf", b"GEORGIAN-PS", "თიო"),
        (b"\xf0\xd2", b"koi8_r", "Пр"),
    ],
)
def test_usual_names_of_encodings(raw: bytes, encoding: bytes, name: str) -> None:
    assert read_commit(commit_of(raw, encoding)).author == (name, "a@x")


@pytest.mark.parametrize(
    "encoding",
    [
        *(b"UTF-8", b"utf8", b"UTF-16", b"UTF-7", b"UTF-32LE", b"UCS-2", b"cp037", b"IBM1047", b"EBCDIC-US", b"hz"),
        *(b"idna", b"punycode", b"rot13", b"base64", b"zlib", b"unicode_escape", b"raw_unicode_escape", b"mbcs"),
        *(b"ISO646-DE", b"ISIRI-3342", b"no-such", b"", b"../../x", b"x" * 3000, b"antigravity"),
    ],
)
def test_other_encodings_leave_the_bytes(encoding: bytes) -> None:
    assert codec_of(encoding) is None
    assert read_commit(commit_of(b"\xff+AOk-\\n", encoding)).author == ("\uf7ff+AOk-\\n", "a@x")


def test_names_from_commits_fill_no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = set()

    def decoder(codec: str) -> object:
        asked.add(codec)
        return lookup(codec)

    lookup = codecs.getincrementaldecoder
    monkeypatch.setattr(codecs, "getincrementaldecoder", decoder)
    for number in range(300):
        for spelling in (b"latin%d", b"cp%d", b"ISO_8859-1 %d", b"mac-%d"):
            read_commit(commit_of(b"\xe9", spelling % number))
    assert asked <= set(CODECS.values())


def test_bytes_that_do_not_fit_the_encoding_leave_all_as_it_is() -> None:
    assert read_commit(commit_of(b"\xe9", b"us-ascii")).author == ("\uf7e9", "a@x")
    assert read_commit(commit_of(b"\xd5\xc5", b"GBK", b"\xff\n")).author == ("\uf7d5\uf7c5", "a@x")
    assert read_commit(commit_of(b"\xd5\xc5", b"GBK", b"ok\0\xff\n")).author == ("张", "a@x")


def test_the_first_encoding_of_the_header_counts() -> None:
    other = b"encoding latin-1\nencoding CP936"
    assert read_commit(commit_of(b"\xd5\xc5", b"CP936\nencoding latin-1")).author[0] == "张"
    assert read_commit(commit_of(b"\xd5\xc5", b"CP936", other)).author[0] == "张"
    assert read_commit(commit_of(b"\xd5\xc5", b"x" * 50 + b"\n" + other)).author[0] == from_bytes(b"\xd5\xc5")


@pytest.mark.parametrize(
    ("raw", "encoding", "name"),
    [(b"\xd5\xc5", b"CP936", "张"), (b"\xc4\xe3", b"EUC-TW", "中"), (b"\x8e\xa1\xc4\xe3", b"EUC-TW", "中")],
)
def test_a_commit_that_is_cut_within_a_character_is_read(raw: bytes, encoding: bytes, name: str) -> None:
    for shift in range(len(raw)):
        facts = read_commit(commit_of(raw, encoding, b"x" * shift + raw * (LARGEST_COMMIT // 2)))
        assert (facts.author, facts.trimmed) == ((name, "a@x"), True)


def test_other_characters_of_taiwan_leave_the_bytes() -> None:
    for raw in (b"\x8e\xa3\xa1\xa1", b"\xc4", b"\x8e\xa1\xc4", b"\xa5\xff", b"\x80", b"\xa8\xfe"):
        assert read_commit(commit_of(raw, b"EUC-TW")).author == (from_bytes(raw), "a@x")


def test_a_run_of_accents_takes_linear_time() -> None:
    def work(size: int) -> None:
        to_utf_8(commit_of(b"A", b"CP1258", b"\xcc" * size + b"\xf2" * size), is_cut=False)

    assert growth(work, 20_000) < 3
