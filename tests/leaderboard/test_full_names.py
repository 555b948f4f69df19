"""Full names, and which rows of one name join."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podium.leaderboard.joining.joined_names import JoinedNames, join_names
from podium.textutil.full_names import LONGEST, full_name


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Rafael Mendonça França", "RAFAEL MENDONCA FRANCA"),
        ("Rafael Mendonc\u0327a Franc\u0327a", "Rafael Mendonça França"),
        ("Ada  \t Lovelace ", "\u00a0ada lovelace"),
        ("Łukasz Ødegård", "lukasz odegard"),
        ("Weiß Straße", "WEISS STRASSE"),
        ("\u0130lker I\u015f\u0131k", "ilker ISIK"),
        ("Андрей Иванов", "АНДРЕЙ ИВАНОВ"),
        ("Νίκος Παπαδόπουλος", "ΝΙΚΟΣ ΠΑΠΑΔΟΠΟΥΛΟΣ"),
        ("Ａｄａ Ｌｏｖｅｌａｃｅ", "Ada Lovelace"),  # noqa: RUF001 - full width
        ("Ada\u200d Lovelace\u202c", "\u202eAda Lovelace"),
        ("محمّد علي", "محمد علي"),
        ("山田 太郎", "山田\u3000太郎"),
        ("Z\u0337o\u0300\u0301e\u0316 K\u0334i\u0353m", "Zoe Kim"),
    ],
)
def test_names_are_compared_without_case_accents_and_forms(one: str, other: str) -> None:
    assert full_name(one) == full_name(other) is not None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ada Lovelace", "Ada B. Lovelace"),
        ("Ada Lovelace", "\u0410da Lovelace"),  # a Cyrillic A
        ("Ada Lovelace", "Lovelace Ada"),
        ("かなだ はな", "かなた はな"),
        ("\u0e1c\u0e38\u0e14 \u0e14\u0e35", "\u0e1c\u0e39\u0e14 \u0e14\u0e35"),  # Thai vowels
    ],
)
def test_other_names_differ(one: str, other: str) -> None:
    assert full_name(one) != full_name(other)
    assert full_name(one)


@pytest.mark.parametrize(
    "name",
    [
        *("", " ", "ada", "Ada", "root", "unknown", "山田太郎", "Ada 2", "Ada .", "- -", "💥 💥"),
        *("Your Name", "your  NAME", "<Your Name>", "First Last", "no author", "(no author)", "Unknown Author"),
        *("Firstname Lastname", "User Name", "Test User", "Test User 2", "root root", "Not Committed Yet"),
        *("John Doe", "No Name", "My Full Name", "Vorname Nachname", "Tu Nombre", "Votre Nom", "Имя Фамилия"),
        *("Ubuntu User", "EC2 Default User", "System Administrator", "GitHub User", "Yöur Nâme"),
        *("A U Thor", "C O Mitter", "New User", "asdf asdf", "Real Name", "J\ufffdrg M\ufffdller"),
        *("ada@example.com", "Ada ada@example.com", "ada at example dot com", "ada ＠ example"),  # noqa: RUF001
        *("a" * LONGEST + " b", "a" + "\u0301" * 5_000 + " b", "\ufdfa" * 40 + " \ufdfa"),
    ],
)
def test_these_are_no_full_names(name: str) -> None:
    assert full_name(name) is None


@pytest.mark.parametrize(
    "name", ["An Na", "Dev Patel", "My Tran", "Bill Gates", "Mark Guest", "Will Power", "J. Smith"]
)
def test_short_and_common_words_may_be_names(name: str) -> None:
    assert full_name(name)


@settings(max_examples=50)
@given(st.text(max_size=60))
def test_a_key_is_stable(name: str) -> None:
    key = full_name(name)
    assert key is None or full_name(key) == key


Row = tuple[tuple[str, ...], bool, int, str]


def row(*names: str, account: bool = False, commits: int = 1, kind: str = "human") -> Row:
    return names, account, commits, kind


def join(*rows: Row) -> JoinedNames:
    accounts = [number if has_account else None for number, (_, has_account, _, _) in enumerate(rows)]
    return join_names(
        [names for names, *_ in rows], [kind for *_, kind in rows], accounts, lambda index: rows[index][2]
    )


def into(*rows: Row) -> list[int]:
    joined = join(*rows).into
    return [joined.get(index, index) for index in range(len(rows))]


def test_rows_without_an_account_join_the_one_with_the_most_commits() -> None:
    assert into(row("a b"), row("a b", commits=3), row("c d"), row("a b")) == [1, 1, 2, 1]


def test_rows_without_an_account_join_the_one_account() -> None:
    assert into(row("a b", commits=9), row("a b", "c d", account=True), row("c d")) == [1, 1, 1]


def test_two_accounts_never_join_and_leave_the_others_together() -> None:
    rows = row("a b", account=True), row("a b"), row("a b", account=True), row("a b", commits=2)
    assert into(*rows) == [0, 3, 2, 3]
    assert join(*rows).namesakes == {3: 2}


def test_bots_agents_and_people_do_not_join() -> None:
    assert into(row("a b"), row("a b", kind="bot"), row("a b", kind="agent"), row("a b", kind="bot")) == [0, 1, 2, 1]


def test_rows_without_a_full_name_join_nothing() -> None:
    assert into(row(), row(), row(account=True)) == [0, 1, 2]


@settings(max_examples=50)
@given(st.lists(st.builds(row, st.sampled_from("abc"), account=st.booleans(), commits=st.integers())))
def test_rows_join_at_most_one_step(rows: list[Row]) -> None:
    joined = into(*rows)
    for index, target in enumerate(joined):
        assert joined[target] == target
        assert rows[index][0] == rows[target][0]
        assert index == target or not rows[index][1]
