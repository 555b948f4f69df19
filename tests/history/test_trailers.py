"""Whom the trailers of a commit name."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podium.history.commit import read_commit
from podium.history.commit_reader import CommitReader
from podium.history.person import Person
from podium.history.roles import ROLES
from podium.history.trailers import trailer_memo
from podium.history.trailers.agent_values import agent_of
from podium.history.trailers.message_trailers import read_mentions
from podium.history.trailers.trailer_memo import TrailerMemo
from podium.history.walks.cat_file import record
from tests.support.growth import growth
from tests.support.hostile import HOSTILE, raw_commit

ALICE = ("Alice", "alice@example.org")


def mentions(*lines: str) -> tuple[tuple[Person, ...], list[tuple[str, Person]]]:
    facts = read_commit(raw_commit(message="\n".join(("title", "", *lines, "")).encode()))
    return facts.named, [(ROLES[role], person) for role, person in facts.roles]


def test_seven_trailers_give_a_role() -> None:
    keys = ("Reviewed", "Tested", "Acked", "Signed-off", "Reported", "Suggested", "Helped")
    named, roles = mentions(*(f"{key}-by: Bob <BOB@example.org>" for key in keys))
    assert named == ()
    assert roles == [(role, ("Bob", "bob@example.org")) for role in ROLES]


def test_a_person_has_a_role_once_in_a_commit_and_may_be_its_author() -> None:
    lines = ("Signed-off-by: Alice <alice@example.org>", "signed-off-by : Alice <ALICE@example.org>")
    assert mentions(*lines) == ((), [("signed_off", ALICE)])


def test_a_role_without_an_email_names_nobody() -> None:
    lines = ("Reviewed-by: Bob", "Tested-by: bob@example.org", "Acked-by: Bob <>", "Helped-by: Bob < >")
    assert mentions(*lines) == ((), [])


def test_only_the_authors_exact_row_is_left_out() -> None:
    rows = (("Alice A.", "alice@example.org"), ("Alice", "alice@home.example"), ("Bob", "b@x.org"), ("B.", "b@x.org"))
    lines = [f"Co-authored-by: {name} <{email}>" for name, email in (ALICE, *rows, *rows)]
    assert mentions(*lines) == (rows, [])


@pytest.mark.parametrize(
    ("value", "agent"),
    [
        ("Claude:claude-opus-4", ("Claude", "")),
        ("Claude:claude-opus-4 [coccinelle] [sparse]", ("Claude", "")),
        ("claude-code:claude-sonnet-4@20250514", ("Claude", "")),
        ("Some Agent:model-1", ("Some Agent", "")),
        ("Claude Opus 4.6", ("Claude", "")),
        ("Opus 4.7", ("Claude", "")),
        ("GitHub Copilot", ("Copilot", "")),
        ("GPT-5", ("ChatGPT", "")),
        ("Qwen3-Coder", ("Qwen", "")),
        ("Claude <noreply@anthropic.com>", ("Claude", "noreply@anthropic.com")),
        ("Claude <NoReply@Anthropic.com>", ("Claude", "noreply@anthropic.com")),
        ("Claude < noreply@anthropic.com >", ("Claude", "noreply@anthropic.com")),
        ("Claude Sonnet noreply@anthropic.com", ("Claude Sonnet", "noreply@anthropic.com")),
        # People, whatever they are called and wherever they work.
        ("Claude <claude@example.org>", None),
        ("Claude Monet claude.monet@example.org", None),
        ("Claude:opus <jane@example.org>", None),
        ("Jane <jane@anthropic.com>", None),
        ("Jane Doe", None),
        ("Jane Doe <jane@example.org>", None),
        ("jane@example.org", None),
        ("Dependabot <49699333+dependabot[bot]@users.noreply.github.com>", None),
        ("Claudette", None),
        ("Ampère", None),
        ("Amper Sand", None),
        ("Not Claude", None),
        ("https://claude.ai/code", None),
        ("mailto:jane@example.org", None),
        ("Jane: thanks", None),
        (":opus", None),
        ("", None),
    ],
)
def test_a_value_names_an_agent_or_a_person(value: str, agent: Person | None) -> None:
    assert agent_of(value.encode()) == agent
    for key in ("Assisted-by", "Generated-by"):
        assert mentions(f"{key}: {value}") == ((agent,) if agent else (), [])


def test_a_co_author_is_named_by_an_address_only() -> None:
    assert mentions("Co-authored-by: Claude", "Co-authored-by: Claude:claude-opus-4") == ((), [])
    assert mentions("Co-authored-by: Claude <c@example.org>") == ((("Claude", "c@example.org"),), [])


# --- remembered blocks are read as by themselves ---

_LINES = (
    b"Signed-off-by: A <a@x>",
    b"Signed-off-by:A <a@x>",
    b"signed-OFF-by : B <b@x>\r",
    b"Co-authored-by: C <c@x>",
    b"Co-authored-by: Alice <alice@example.org>",
    b"Assisted-by: Claude:opus",
    b"Reviewed-by:",
    b"Reviewed-by: no e-mail",
    b"Helped-by: \xff <\xe9@x>",
    b"Change-Id: I1",
    b"Conflicts:",
    b"(cherry picked from commit 12)",
    b"[a: note]",
    b"plain text",
    b"Tested-by",
    b"x-by: y",
    b" folded <f@x>",
    b"\tfolded",
    b"# comment",
    b"# ------------------------ >8 ------------------------",
    b"\r",
    b" ",
    b"",
    b"",
    b"",
    b"nul \0 by",
    b"encoding latin-1",
)


def assert_read_alike(messages: list[bytes]) -> None:
    raws = [raw_commit(message=message) for message in messages]
    batch = b"".join(record(b"5f2b", b"%040d" % number, raw) for number, raw in enumerate(raws))
    _, facts = CommitReader(b"5f2b").read(batch)
    for raw, found in zip(raws, facts, strict=True):
        assert found == read_commit(raw), raw


@settings(max_examples=25, deadline=None, database=None)
@given(
    messages=st.lists(
        st.builds(
            lambda lines, end: b"\n".join(lines) + end,
            st.lists(st.sampled_from(_LINES), max_size=10),
            st.sampled_from((b"", b"\n", b"\n\n", b"\n\n\n", b"\r\n")),
        ),
        min_size=1,
        max_size=30,
    )
)
def test_a_batch_of_any_messages_is_read_as_each_by_itself(messages: list[bytes]) -> None:
    assert_read_alike(messages)


def test_many_random_messages_are_read_as_each_by_itself() -> None:
    dice = random.Random(13)
    for _ in range(8):
        assert_read_alike([b"\n".join(dice.choices(_LINES, k=dice.randrange(12))) for _ in range(100)])


def test_a_batch_of_hostile_commits_is_read_as_each_by_itself() -> None:
    raws = [raw_commit(**make(size)) for make in HOSTILE.values() for size in (300, 4_000)]  # type: ignore[arg-type]
    batch = b"".join(record(b"5f2b", b"%040d" % number, raw) for number, raw in enumerate(raws))
    assert CommitReader(b"5f2b").read(batch)[1] == [read_commit(raw) for raw in raws]


def test_a_name_that_looks_like_a_trailer_is_no_message() -> None:
    author = b"author Signed-off-by: X <x@example.org> 1700000000 +0000\n"
    raws = [
        raw_commit(author=author, message=message) for message in (b"", b"\n\n", b"t\n", b"t\n\nHelped-by: A <a@x>")
    ]
    batch = b"".join(record(b"5f2b", b"%040d" % number, raw) for number, raw in enumerate(raws))
    _, facts = CommitReader(b"5f2b").read(batch)
    assert facts == [read_commit(raw) for raw in raws]
    assert [len(each[4]) for each in facts] == [0, 0, 0, 1]


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trailer_memo, "_MOST_BLOCKS", 50)
    monkeypatch.setattr(trailer_memo, "_MOST_LINES", 50)
    memo = TrailerMemo()
    for number in range(500):
        block = b"Signed-off-by: A%d <a@x>\nHelped-by: B <b@x>" % number
        assert memo[block] == read_mentions(b"t\n\n" + block)
        memo[b"Helped-by: long <" + b"x" * 1000 + b"%d>" % number]
        assert len(memo) <= 50
        assert len(memo._lines) <= 50


_HOSTILE_MESSAGES: dict[str, Callable[[int], bytes]] = {
    "an endless agent": lambda size: b"t\n\nAssisted-by: " + b"a" * size,
    "an endless address": lambda size: b"t\n\nAssisted-by: " + b"a@" * (size // 2),
    "an endless role": lambda size: b"t\n\nHelped-by: " + b"<" * size,
    "roles": lambda size: b"t\n\n" + b"Helped-by: A <a@b>\n" * (size // 19),
    "blank lines at the end": lambda size: b"t\n\nHelped-by: A <a@b>" + b"\n" * size,
    "blank lines before": lambda size: b"t" + b"\n" * size + b"Helped-by: A <a@b>\n",
    "keys cut short": lambda size: b"t\n\n" + b"-by-by -by\t" * (size // 11) + b"\n",
}


@pytest.mark.parametrize("name", _HOSTILE_MESSAGES)
def test_commits_with_hostile_trailers_are_read_in_time_in_proportion_to_their_size(name: str) -> None:
    make = _HOSTILE_MESSAGES[name]
    # A reader has one way for small commits, and another one for large ones.
    for size in (4_500, 50_000):
        number = 50_000 // size

        def read(size: int, number: int = number) -> None:
            raw = record(b"5f2b", b"0" * 40, raw_commit(message=make(size)))
            CommitReader(b"5f2b").read(raw * number)

        assert growth(read, size) < 3.2
