"""Names and e-mails as bytes: the mailmap, declared encodings, letters outside ASCII."""

from __future__ import annotations

from pathlib import Path

from tests.support import repos
from tests.support.small_histories import CountedHistory, Histories, Writer, shortlog
from tests.support.sqlite_database import open_or_create


def latin1_mailmap(write: Writer) -> None:
    for author in (b"J\xf6rg M", b"J\xf6rg M", b"Uwe K"):
        write.commit(author + b" <shared@team.example>")
    write.commit("Joerg M <joerg@home.example>")
    mailmap = b"Joerg M <joerg@home.example> J\xf6rg M <shared@team.example>\n"
    write.commit("Maintainer <m@corp.example>", mailmap=mailmap)


def test_a_mailmap_in_latin1_names_a_person_in_latin1(histories: Histories) -> None:
    history = histories(latin1_mailmap)
    assert history.counts() == {
        "Joerg M <joerg@home.example>": 3,
        "Uwe K <shared@team.example>": 1,
        "Maintainer <m@corp.example>": 1,
    }
    assert history.counts() == shortlog(history)


def bytes_that_only_look_equal(write: Writer) -> None:
    write.commit("Jörg M <utf8@x.example>")
    write.commit(b"J\xf6rg M <latin1@x.example>")
    write.commit(b"J\xff M <byte@x.example>")
    write.commit(b"J\xfe M <byte@x.example>")
    write.commit(b"Cut \xe2\x82 <cut@x.example>")
    write.commit("Cut \ufffd <cut@x.example>")
    write.commit("Apple \uf8ff <apple@x.example>")
    write.commit("Private \uf7fc <private@x.example>")
    write.commit(b"Private \xfc <private@x.example>")
    write.commit(
        "Maintainer <m@corp.example>",
        mailmap=(
            b"Joerg One <one@x.example> J\xf6rg M <utf8@x.example>\n"
            b"Joerg Two <two@x.example> J\xf6rg M <latin1@x.example>\n"
            b"Byte <right@x.example> J\xff M <byte@x.example>\n"
            b"Whole <whole@x.example> Cut \xe2\x82 <cut@x.example>\n"
            b"Fruit <fruit@x.example> Apple \xef\xa3\xbf <apple@x.example>\n"
            b"Raw <raw@x.example> Private \xfc <private@x.example>\n"
        ),
    )


def test_only_equal_bytes_match_the_mailmap(histories: Histories) -> None:
    history = histories(bytes_that_only_look_equal)
    assert history.counts() == shortlog(history)
    rows = history.counts()
    assert rows["Joerg Two <two@x.example>"] == 1
    assert "Joerg One <one@x.example>" not in rows
    assert rows["Raw <raw@x.example>"] == rows["Private \uf7fc <private@x.example>"] == 1


def declared_encoding_and_mailmap(write: Writer) -> None:
    write.commit(b"\xd5\xc5\xc8\xfd <zhang@x.example>", headers=[b"encoding CP936"])
    write.commit(b"\xd5\xc5\xc8\xfd <li@x.example>")
    write.commit(b"Andr\xe9 L <andre@x.example>", headers=[b"encoding ISO-8859-1"])
    write.commit(
        "Maintainer <m@corp.example>",
        mailmap="Zhang San <zhang@new.example> 张三 <zhang@x.example>\n".encode()
        + "Li <li@new.example> 张三 <li@x.example>\n".encode()
        + b"Andre <andre@old.example> Andr\xe9 L <andre@x.example>\n"
        + "André <andre@new.example> André L <andre@x.example>\n".encode(),
    )


def test_the_mailmap_applies_to_the_name_that_git_reads_in_the_declared_encoding(histories: Histories) -> None:
    history = histories(declared_encoding_and_mailmap)
    assert history.counts() == shortlog(history)
    assert history.counts()["Zhang San <zhang@new.example>"] == 1
    assert history.counts()["André <andre@new.example>"] == 1


def emails_that_look_equal(write: Writer) -> None:
    write.commit(b"Ann <b\xfcro@x.example>")
    write.commit(b"Bob <b\xfbro@x.example>")
    write.commit(b"Bobby <b\xfbro@x.example>")


def test_emails_join_if_all_of_their_bytes_are_equal(histories: Histories) -> None:
    history = histories(emails_that_look_equal)
    for mailmap in ("use", "ignore"):
        rows = history.board(mailmap=mailmap)["top_contributors"]
        assert [(row["email"], row["commitCount"]) for row in rows] == [("b\ufffdro@x.example", n) for n in (2, 1)]


def other_letters_in_emails(write: Writer) -> None:
    write.commit("Kim <kim@x.example>")
    write.commit("Kelvin <\u212aim@x.example>")
    write.commit("Büro <BÜRO@x.example>")
    write.commit("Büro klein <büro@x.example>")
    write.commit(b"Ost <\xd6ST@x.example>")
    write.commit("Dotted <I\u0307@x.example>")
    write.commit("Turkish <\u0130@x.example>")
    write.commit("Loud <LOUD@X.EXAMPLE>")
    write.commit(
        "Maintainer <m@corp.example>",
        mailmap="Office <office@corp.example> <BÜRO@x.example>\n".encode()
        + b"East <east@corp.example> <\xd6st@X.example>\n"
        + b"Quiet <quiet@corp.example> <loud@x.example>\n",
    )


def test_only_ascii_letters_of_an_email_ignore_case(histories: Histories) -> None:
    history = histories(other_letters_in_emails)
    rows = history.counts()
    assert rows == shortlog(history)
    assert rows["Office <office@corp.example>"] == rows["East <east@corp.example>"] == 1
    assert rows["Kelvin <\u212aim@x.example>"] == rows["Büro klein <büro@x.example>"] == 1
    assert len(rows) == 9


def test_a_mailmap_that_changes_later_still_sees_the_bytes(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "new.git")
    db = open_or_create(tmp_path / "podium.db")
    for person in (b"J\xf6rg M <shared@x.example>", b"Uwe K <shared@x.example>", b"\xd5\xc5 L <zhang@x.example>"):
        writer.commit(person)
    history = CountedHistory(db, writer.path)
    assert len(history.counts()) == 2
    mailmap = (
        b"Joerg M <joerg@x.example> J\xf6rg M <shared@x.example>\nZhang <z@x.example> \xd5\xc5 L <zhang@x.example>\n"
    )
    writer.commit("Uwe K <uwe@x.example>", mailmap=mailmap)
    history.count()
    assert history.counts(names="apart") == shortlog(history)
    assert history.counts()["Joerg M <joerg@x.example>"] == history.counts()["Zhang <z@x.example>"] == 1
    db.close()


ENCODED = (
    ("CP936", b"\xd5\xc5\xc8\xfd", "张三"),
    ("cp1251", b"\xc8\xe2\xe0\xed", "Иван"),
    ("Shift_JIS", b"\x8eR\x93c", "山田"),
    ("IBM850", b"Andr\x82", "André"),
    ("MACINTOSH", b"Andr\x8e", "André"),
    ("UHC", b"\xb1\xe8\xc3\xb6", "김철"),
    ("eucKR", b"\xc0\xcc", "이"),
    ("ISO_8859-1", b"Andr\xe9", "André"),
    ("windows-1252", b"Andr\xe9", "André"),
    ("CP819", b"Andr\xe9", "André"),
    ("EUC-CN", b"\xa4\xb3", "こ"),
    ("latin2", b"Ji\xf8\xed", "Jiří"),
    # Other names of these, and others.
    ("MS936", b"\xd5\xc5\xc8\xfd", "张三"),
    ("windows-936", b"\xd5\xc5\xc8\xfd", "张三"),
    ("GBK", b"\xd5\xc5\xc8\xfd", "张三"),
    ("gb18030", b"\xd5\xc5\xc8\xfd", "张三"),
    ("CN-GB", b"\xd5\xc5\xc8\xfd", "张三"),
    ("MSCP949", b"\xb1\xe8\xc3\xb6", "김철"),
    ("CP949", b"\xb1\xe8\xc3\xb6", "김철"),
    ("johab", b"\x8b\xb1\xc0\xe9", "김철"),
    ("MS_KANJI", b"\x8eR\x93c", "山田"),
    ("windows-31j", b"\x8eR\x93c", "山田"),
    ("CP932", b"\x8eR\x93c", "山田"),
    ("EUC-JP", b"\xbb\xb3\xc5\xc4", "山田"),
    ("UJIS", b"\xbb\xb3\xc5\xc4", "山田"),
    ("Big5", b"\xb1i\xa4T", "張三"),
    ("cp950", b"\xb1i\xa4T", "張三"),
    ("EUC-TW", b"\xda\xaf\xc4\xb5", "張三"),
    ("l1", b"Andr\xe9", "André"),
    ("8859_1", b"Andr\xe9", "André"),
    ("csISOLatin1", b"Andr\xe9", "André"),
    ("iso-ir-100", b"Andr\xe9", "André"),
    ("iso8859-15", b"Andr\xe9", "André"),
    ("latin-9", b"Andr\xe9", "André"),
    ("IBM437", b"Andr\x82", "André"),
    ("437", b"Andr\x82", "André"),
    ("IBM819", b"Andr\xe9", "André"),
    ("CSMACINTOSH", b"Andr\x8e", "André"),
    ("HP-ROMAN8", b"Andr\xc5", "André"),
    ("DEC-MCS", b"Andr\xe9", "André"),
    ("CP10007", b"\x88\xe2\xe0\xed", "Иван"),
    ("MAC-CYRILLIC", b"\x88\xe2\xe0\xed", "Иван"),
    ("KOI8-R", b"\xe9\xd7\xc1\xce", "Иван"),
    ("koi8u", b"\xe9\xd7\xc1\xce", "Иван"),
    ("IBM866", b"\x88\xa2\xa0\xad", "Иван"),
    ("MS-CYRL", b"\xc8\xe2\xe0\xed", "Иван"),
    ("cp1125", b"\x88\xa2\xa0\xad", "Иван"),
    ("MIK", b"\x88\xa2\xa0\xad", "Иван"),
    ("MAC-CENTRALEUROPE", b"Ji\xde\x92", "Jiří"),
    ("MS-EE", b"Ji\xf8\xed", "Jiří"),
    ("IBM852", b"Ji\xfd\xa1", "Jiří"),
    ("ISO-8859-16", b"\xaatefan", "Ștefan"),
    ("MS-GREEK", b"\xcd\xdf\xea\xef\xf2", "Νίκος"),
    ("greek8", b"\xcd\xdf\xea\xef\xf2", "Νίκος"),
    ("ELOT_928", b"\xcd\xdf\xea\xef\xf2", "Νίκος"),
    ("MS-TURK", b"\xdeahin", "Şahin"),
    ("TIS-620", b"\xca\xc1\xaa\xd2\xc2", "สมชาย"),
    ("cp874", b"\xca\xc1\xaa\xd2\xc2", "สมชาย"),
    ("VISCII", b"Nguy\xadn", "Nguyễn"),
    ("CP1258", b"Nguy\xea", "Nguyê"),
    ("ARMSCII-8", b"\xb2\xf1\xb3\xd9", "Արամ"),
    ("GEORGIAN-PS", b"\xc2\xc9\xc0", "გია"),
    ("CP775", b"J\x83nis", "Jānis"),
    ("BALTIC", b"J\xe2nis", "Jānis"),
)
# No encoding of text, none that keeps ASCII, or none at all: the bytes stay.
NOT_ENCODED = (
    "UTF-16",
    "EBCDIC-US",
    "IBM037",
    "cp1026",
    "rot13",
    "idna",
    "no-such",
    "../utf8",
    "unicode_escape",
    "zlib",
)


def encoded(write: Writer) -> None:
    for number, (encoding, text, _) in enumerate(ENCODED):
        write.commit(text + b" <%d@x.example>" % number, headers=[b"encoding " + encoding.encode()])
    for number, encoding in enumerate(NOT_ENCODED):
        write.commit(b"Andr\xe9 <not%d@x.example>" % number, headers=[b"encoding " + encoding.encode()])
    write.commit(b"\xb1\xe8\xc3\xb6" + b" <ms949@x.example>", headers=[b"encoding MS949"])
    # The bytes do not fit the encoding.
    write.commit(b"Andr\xe9 <ascii@x.example>", headers=[b"encoding US-ASCII"])
    write.commit(b"Andr\xff\xff <sjis@x.example>", headers=[b"encoding SHIFT-JIS"])


def test_names_are_read_in_every_declared_encoding(histories: Histories) -> None:
    history = histories(encoded)
    rows = {row["email"]: row["name"] for row in history.board(names="apart")["top_contributors"]}
    found = {encoding: rows[f"{number}@x.example"] for number, (encoding, _, _) in enumerate(ENCODED)}
    assert found == {encoding: name for encoding, _, name in ENCODED}
    # git decodes some of these, and loses the header with it.
    assert [rows.pop(f"not{number}@x.example") for number in range(len(NOT_ENCODED))] == ["Andr\ufffd"] * len(
        NOT_ENCODED
    )
    # Python knows this one, iconv does not.
    assert rows.pop("ms949@x.example") == "김철"
    log = repos.git(history.path, "log", "--format=%ae%x09%an", "HEAD").decode("utf-8", "replace").splitlines()
    assert rows.items() <= dict(line.split("\t") for line in log).items()
