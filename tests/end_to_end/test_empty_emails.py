"""People whose e-mail is empty or blank."""

from __future__ import annotations

from tests.support.small_histories import Histories, Writer, shortlog


def empty_emails(write: Writer) -> None:
    for author in ("Anna <>", "Anna <>", "Anna <>", "Bert <>", "Bert <>", "Carl <carl@x.example>"):
        write.commit(author)


def test_an_empty_email_joins_no_people(histories: Histories) -> None:
    history = histories(empty_emails)
    assert history.counts() == {"Anna <>": 3, "Bert <>": 2, "Carl <carl@x.example>": 1}
    assert history.counts(mailmap="ignore") == history.counts(names="apart") == history.counts() == shortlog(history)


def test_a_search_for_one_without_an_email_never_answers_another(histories: Histories) -> None:
    history = histories(empty_emails)
    assert [history.search(text) for text in ("Anna", "bert", "Carl")] == [["Anna"], ["Bert"], ["Carl"]]
    assert history.search("<>") == []


def blank_emails(write: Writer) -> None:
    for author in ("Dora < >", "Emil <  >", "Emil < >", "Fritz <\t>", " <>", "<>", "Gerd <>", "GERD <>"):
        write.commit(author)
    write.commit("Hugo <hugo@x.example>", "feat\n\nCo-authored-by: Anna <>\nCo-authored-by: Bert < >\n")
    write.commit("Ida Lang <>")
    write.commit("Ida Lang <ida@x.example>", mailmap=b"Gerd <gerd@x.example> Gerd <>\n")


def test_a_blank_email_joins_no_people_either(histories: Histories) -> None:
    history = histories(blank_emails)
    rows = history.column("commitCount", names="apart", co_authors="include", mailmap="ignore")
    emil = sum(row["commitCount"] for row in history.board()["top_contributors"] if row["name"] == "Emil")
    assert (rows["Dora"], rows["Fritz"], emil) == (1, 1, 2)
    assert history.search("Dora") == ["Dora"]
    assert "Anna" not in rows
    # Git's mailmap may name one of them; a name of two words may join one.
    assert history.counts()["Gerd <gerd@x.example>"] == 2
    assert history.column("commitCount")["Ida Lang"] == 2
    assert history.column("commitCount", names="apart") != history.column("commitCount")
