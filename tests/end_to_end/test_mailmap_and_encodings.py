"""Names and e-mails as bytes: the mailmap, letters outside ASCII."""

from __future__ import annotations

from pathlib import Path

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
