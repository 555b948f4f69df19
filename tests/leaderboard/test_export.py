"""A board in each of its formats, with hostile names."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from podium.errors import BadRule
from podium.leaderboard.counts.row_roles import ROLES
from podium.leaderboard.export.formats import CSV_FIELDS, FORMATS, render
from podium.leaderboard.rules import Rules
from podium.textutil.sanitize import clean
from podium.textutil.width import width

HOSTILE = [
    "\x1b[31mred\x1b[0m",
    "\x9b31mC1",
    "\x1b]0;title\x07",
    "line\nbreak\r\nand\ttab",
    "sep\u2028line\u2029para\x85next",
    "\u202eright to left\u202c \u2066isolate\u2069",
    "zero\u200bwidth\u200d\u2060joined\ufeff",
    "half \ud83d surrogate",
    "nul\x00del\x7f",
    '=HYPERLINK("http://evil.example","x")',
    "\t=1+1",
    "+1-1",
    "-2",
    "@SUM(A1)",
    "\uff1d1+1",
    "| pipe \\| and `code`",
    "\\",
    "<script>alert(1)</script>&amp;<!-- x",
    "[link](http://evil.example) ![img](http://evil.example/x.png)",
    "**bold** _em_ ~~gone~~ # head",
    "@torvalds and #1 and www.evil.example and http://evil.example and a@evil.example",
    "$math$ {{template}} :tada:",
    "a" + "\u0301" * 500,
    "\u5f20\u4e09\u4e30" * 40,
    "",
]


def entry(**changes: Any) -> dict[str, Any]:
    return {
        "rank": 1,
        "username": "ada",
        "githubId": 7,
        "name": "Ada Lovelace",
        "email": "ada@x",
        "profileUrl": "https://github.com/ada",
        "avatarUrl": "https://avatars.githubusercontent.com/u/7",
        "commitCount": 1234,
        "share": 0.5,
        "mergeCount": 12,
        "coAuthoredCount": 3,
        "aiCount": 0,
        "firstCommitAt": "2001-09-09T01:46:40Z",
        "lastCommitAt": "2023-11-14T22:13:20Z",
        "oddDates": 0,
        "isBot": False,
        "isEnriched": True,
        "joinedByName": False,
        "isNew": False,
        "isBack": False,
    } | changes


def document(*entries: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "repository": {
            "id": 1,
            "url": "https://github.com/o/r",
            "path": None,
            "host": "github.com",
            "owner": "o",
            "name": "r",
            "branch": "main",
            "revision": None,
        },
        "state": "completed",
        "base": None,
        "head": "a1b2c3d4e5f6" + "0" * 28,
        "headCommittedAt": "2024-04-30T12:00:00Z",
        "asOf": "2024-05-01T12:00:00Z",
        "rules": Rules().as_dict(),
        "totalCommits": 2600,
        "mergeCommits": 132,
        "commits": {
            "total": 2600,
            "ranked": 2468,
            "merges": 132,
            "bots": 0,
            "agents": 0,
            "people": 0,
            "earlier": 0,
            "removed": 0,
        },
        "botCommits": 0,
        "aiCommits": 0,
        "agents": [],
        "oddDates": 0,
        "isCoarse": False,
        "joinedByName": 0,
        "roleOnlyPeople": 0,
        "trimmedCommits": 0,
        "uniqueContributors": 40,
        "isPartial": False,
        "unresolved": 0,
        "unresolvedReason": None,
        "refreshError": None,
        "rankedCommits": 2468,
        "removedCommits": 0,
        "total": len(entries),
        "limit": None,
        "offset": 0,
        "top_contributors": list(entries),
    } | changes


def range_of(revision: str, base: str = "b" * 40) -> dict[str, Any]:
    return {"base": base, "repository": document()["repository"] | {"revision": revision}}


def hostile_board() -> dict[str, Any]:
    return document(
        *(entry(rank=number, name=name, username=name, email=name) for number, name in enumerate(HOSTILE, 1)),
        repository={"id": 1, "url": "x", "host": "", "owner": HOSTILE[0], "name": HOSTILE[17], "branch": HOSTILE[3]}
        | {"revision": HOSTILE[4]},
        state="failed",
        error="\x1b[2Jgone\n<b>",
    )


def controls(text: str) -> set[str]:
    """Characters that act on what shows them, other than line breaks."""
    return {
        character
        for character in text
        if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") and character != "\n"
    } | (
        set(text)
        & set("\u200b\u200c\u200d\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
    )


@pytest.mark.parametrize("format", FORMATS)
def test_no_format_lets_a_control_character_through(format: str) -> None:
    text = render(hostile_board(), format)
    assert not controls(text.replace("\r\n", "\n") if format == "csv" else text)
    assert text.endswith("\n")
    text.encode()


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_shows_an_empty_board(format: str) -> None:
    assert render(document(), format).endswith("\n")


def test_the_error_of_an_unknown_format_lists_the_known_ones() -> None:
    with pytest.raises(BadRule, match="choose table, json, csv, markdown or svg"):
        render(document(), "yaml")


# --- JSON


def test_json_is_the_document_itself() -> None:
    board = hostile_board()
    text = render(board, "json")
    assert json.loads(text) == board
    assert "\u5f20\u4e09" in text


def test_json_is_the_document_whatever_the_name() -> None:
    tagged = document(entry(name="\U000e0041 flag \u202e \x9b \ud800 \u2028"))
    assert json.loads(render(tagged, "json")) == tagged


# --- CSV


def records(board: dict[str, Any]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(render(board, "csv"), newline="")))


def test_csv_has_a_header_and_a_record_for_each_row() -> None:
    [record] = records(document(entry(name='Ada "the, first"')))
    assert tuple(record) == CSV_FIELDS
    assert record == {
        "rank": "1",
        "username": "ada",
        "githubId": "7",
        "name": 'Ada "the, first"',
        "email": "ada@x",
        "profileUrl": "https://github.com/ada",
        "avatarUrl": "https://avatars.githubusercontent.com/u/7",
        "commitCount": "1234",
        "share": "0.500000",
        "mergeCount": "12",
        "coAuthoredCount": "3",
        "aiCount": "0",
        "firstCommitAt": "2001-09-09T01:46:40Z",
        "lastCommitAt": "2023-11-14T22:13:20Z",
        "oddDates": "0",
        "isBot": "false",
        "isEnriched": "true",
        "joinedByName": "false",
        "isNew": "false",
        "isBack": "false",
    }


def test_csv_of_an_empty_board_is_the_header() -> None:
    assert render(document(), "csv") == ",".join(f'"{field}"' for field in CSV_FIELDS) + "\r\n"


def test_csv_quotes_text_and_no_number() -> None:
    text = render(document(entry(name='Ada "the, first"', githubId=None, share=1e-6)), "csv")
    assert text.splitlines()[1] == (
        '1,"ada","","Ada ""the, first""","ada@x","https://github.com/ada","https://avatars.githubusercontent.com/u/7",'
        '1234,0.000001,12,3,0,"2001-09-09T01:46:40Z","2023-11-14T22:13:20Z",0,"false","true","false","false","false"'
    )
    [_, row] = csv.reader(io.StringIO(text, newline=""), quoting=csv.QUOTE_NONNUMERIC)
    assert [str(cell) for cell in row[:4]] == ["1.0", "ada", "", 'Ada "the, first"']


def test_csv_has_a_byte_order_mark_only_on_request() -> None:
    board = document(entry())
    assert render(board, "csv", bom=True) == "\ufeff" + render(board, "csv")
    assert render(board, "json", bom=True) == render(board, "json")


@pytest.mark.parametrize("sign", [*"=+-@", "\uff1d", "\uff0b", "\uff0d", "\uff20", "\u2212"])
def test_csv_has_no_formula_whatever_separates_the_columns(sign: str) -> None:
    for before in ("", " ", "\t", "\r", "\u200b", "\u3000", '"'):
        for split in ("", "a;", "a; b;", "\uff1b"):
            [record] = records(document(entry(name=f"{split}{before}{sign}cmd|x")))
            cells = re.split("[;\t\uff1b]", record["name"])
            assert not any(cell.lstrip(' "').startswith(sign) for cell in cells)
            assert record["name"].replace("'", "") == clean(f"{split}{before}{sign}cmd|x")
    [record] = records(document(entry(name=f"Jean{sign}Luc; Ada {sign} b")))
    assert record["name"] == f"Jean{sign}Luc; Ada {sign} b"


def test_csv_has_no_formulas_and_no_broken_lines() -> None:
    board = hostile_board()
    assert render(board, "csv").count("\r\n") == len(HOSTILE) + 1
    for record, name in zip(records(board), HOSTILE, strict=True):
        for field in ("name", "email", "username"):
            assert not record[field].startswith(("=", "+", "-", "@", "\t", "\r", "\uff1d"))
        assert record["name"].removeprefix("'") == clean(name)


def test_csv_leaves_out_what_is_not_there() -> None:
    [record] = records(document(entry(username=None, githubId=None, email=None)))
    assert (record["username"], record["githubId"], record["email"]) == ("", "", "")


# --- Markdown


def shown(markdown: str) -> list[list[str]]:
    """The cells of the table, as a reader of Markdown sees them; fails if anything but text is in one."""
    cells: list[list[str]] = []
    in_cell = False
    for token in MarkdownIt("gfm-like", {"linkify": False}).parse(markdown):
        if token.type == "tr_open":
            cells.append([])
        in_cell = (in_cell or token.type == "td_open") and token.type != "td_close"
        if token.type == "inline" and in_cell:
            children = token.children or []
            assert {child.type for child in children} <= {"text", "text_special", "link_open", "link_close"}
            links = [child.attrGet("href") for child in children if child.type == "link_open"]
            assert set(links) <= {"https://github.com/ada"}
            cells[-1].append("".join(child.content for child in children))
    return cells[1:]


def test_markdown_is_a_table_between_what_it_says_of_itself() -> None:
    text = render(document(entry(), total=2, unresolved=3), "markdown")
    assert text.splitlines()[0] == "## o/r"
    assert (
        "| 1 | Ada Lovelace | [ada](https://github.com/ada) | 1,234 | 50.0% | 12 | 3 | 2001-09-09 | 2023-11-14 |"
        in text
    )
    assert "3 author e-mails have no known account" in text


def test_the_title_names_the_revision() -> None:
    repository = document()["repository"] | {"revision": "v1.0..feature/<b>|x"}
    board = document(entry(), repository=repository)
    assert render(board, "markdown").splitlines()[0] == "## o/r at v1.0..feature/&#60;b&#62;&#124;x"
    assert render(board, "table").splitlines()[0] == "o/r at v1.0..feature/<b>|x"
    assert ">o/r at v1.0..feature/&lt;b&gt;|x</text>" in render(board, "svg")


@pytest.mark.parametrize(
    ("revision", "base", "says"),
    [
        (
            "v2..v1",
            "b" * 40,
            "The range v2..v1 has no commits: v2 reaches all of v1. --rev v1..v2 counts what only v2 has",
        ),
        ("..v1", "b" * 40, "The range ..v1 has no commits: HEAD reaches all of v1. --rev v1..HEAD counts"),
        ("v1..v1^0", "a" * 40, "The range v1..v1^0 has no commits: v1 and v1^0 are the same commit."),
    ],
)
def test_an_empty_range_is_named_as_it_was_typed(revision: str, base: str, says: str) -> None:
    board = document(head="a" * 40, totalCommits=0, **range_of(revision, base))
    assert says in render(board, "table", width=None)
    assert "--rev" not in render(board, "markdown")


def test_markdown_shows_hostile_names_as_text() -> None:
    rows = shown(render(hostile_board(), "markdown"))
    assert len(rows) == len(HOSTILE)
    for row, name in zip(rows, HOSTILE, strict=True):
        assert len(row) == 9
        assert row[1].replace("\u2060", "") == (clean(name) or "(no name)")


def test_markdown_has_no_links_and_mentions_from_names() -> None:
    text = render(document(entry(name=HOSTILE[20], username=None)), "markdown")
    # GitHub looks for these in the text as shown, bare links in the text as written.
    assert not re.search(r"@[A-Za-z0-9]|#[0-9]", shown(text)[0][1])
    assert not re.search(r"www\.|http://", text)


def test_markdown_links_to_nothing_but_plain_addresses() -> None:
    text = render(document(entry(profileUrl="javascript:alert(1)"), entry(profileUrl="https://x/) [y](z")), "markdown")
    assert "](" not in text


def test_markdown_links_to_apps() -> None:
    board = document(entry(username="a[bot]", profileUrl="https://github.com/apps/a", isBot=True))
    assert "| [a\\[bot\\]](https://github.com/apps/a) |" in render(board, "markdown")


# --- SVG


def test_the_card_shows_as_many_people_as_were_asked_for() -> None:
    rows = [entry(rank=rank, name=f"Person {rank}") for rank in range(1, 100)]
    for limit, faces in ((None, 12), (3, 3), (99, 60)):
        image = render(document(*rows[:limit], total=99, limit=limit), "svg")
        assert image.count("<title>") == 1 + faces
        assert f"Top {faces} of 99" in image
        assert ">Person 1<" in image


# --- The table


def test_the_table_as_a_whole() -> None:
    board = document(
        entry(aiCount=20),
        entry(rank=2, name="\u5f20\u4e09\u4e30", username=None, commitCount=9, share=0.0036, mergeCount=0, isNew=True),
        entry(rank=3, name="Claude", username=None, commitCount=1, share=0.0004, isBot=True, joinedByName=True),
        total=30,
        unresolved=12,
        isPartial=True,
        rules=Rules.parse(bots="include", since="2024-01-08").as_dict(),
        commits={
            "total": 1251,
            "ranked": 1241,
            "merges": 10,
            "bots": 0,
            "agents": 0,
            "people": 0,
            "earlier": 0,
            "removed": 0,
        },
        joinedByName=1,
        aiCommits=21,
        agents=[{"name": "Claude", "commitCount": 19}, {"name": "Codex", "commitCount": 2}],
        oddDates=1,
        roleOnlyPeople=3,
    )
    assert render(board, "table", width=81) == (
        "o/r\n"
        "1,251 of 2,600 commits in the window: 1,241 ranked, 10 merges.\n"
        "30 rows on this board, 1 row joined by name; 40 author e-mails in the whole\n"
        "  history.\n"
        "Counted up to a1b2c3d4e5 of main, committed on 2024-04-30.\n"
        "Not ranked: merges.\n"
        "Window: from 2024-01-08 (whole days in UTC, both inclusive; author dates).\n"
        "AI declared: 21 commits (Claude 19, Codex 2).\n"
        "\n"
        "# Name         Account Commits Share Merges Co-auth AI      First       Last Note\n"
        "- ------------ ------- ------- ----- ------ ------- -- ---------- ---------- ----\n"
        "1 Ada Lovelace ada       1,234 50.0%     12       3 20 2001-09-09 2023-11-14\n"
        "2 \u5f20\u4e09\u4e30                     9  0.4%      0       3  0 2001-09-09 2023-11-14 new\n"
        "3 Claude (bot)               1  0.0%     12       3  0 2001-09-09 2023-11-14 =\n"
        "\n"
        "Ranks 1 to 3 of 30.\n"
        "1 commit has an odd date (that git cannot read, from before 1970-01-02, or more\n"
        "  than a day after the count): counted in all of history, in no window.\n"
        "3 people in the whole history only have roles, such as reviewer, and are not on\n"
        "  this board.\n"
        "Accounts are still being looked up: rows may still be joined.\n"
        "12 author e-mails in the whole history have no known account; they are shown by\n"
        "  name.\n"
        "= joined by name: rows of one full name; --names apart keeps them apart.\n"
        "new: the first commit ever, merges included, is in the window.\n"
        "Co-auth: commits that name the person as co-author, ranked or not.\n"
        "AI: commits that an AI agent made, or whose trailers name one.\n"
    )


def test_the_parts_of_a_board_add_up_to_its_commits() -> None:
    def head(total: int, **parts: int) -> str:
        commits = {
            "total": total,
            "ranked": 0,
            "merges": 0,
            "bots": 0,
            "agents": 0,
            "people": 0,
            "earlier": 0,
            "removed": 0,
        } | parts
        return render(document(totalCommits=total, commits=commits), "table").splitlines()[1]

    assert head(9028, ranked=5319, merges=589, bots=3120) == "9,028 commits: 5,319 ranked, 589 merges, 3,120 by bots."
    assert head(9, ranked=3, merges=1, people=5) == "9 commits: 3 ranked, 1 merge, 5 by people."
    assert head(1, bots=1) == "1 commit: 0 ranked, 1 by bots."
    assert head(9, ranked=3, bots=5, agents=1) == "9 commits: 3 ranked, 5 by bots, 1 by AI agents."
    assert head(2, ranked=2) == "2 commits, all ranked."
    assert head(0) == "0 commits."


@pytest.mark.parametrize(
    ("columns", "left_out"),
    [(120, []), (72, ["Helped"]), (60, ["Reported", "Helped"]), (30, ["Reviewed", "Tested", "Signed"])],
)
def test_the_table_of_roles_fits_the_terminal(columns: int, left_out: list[str]) -> None:
    roles = dict.fromkeys(ROLES, 1234) | {"acked": 0, "suggested": 0}
    text = render(document(entry(name="Ada, Countess of Lovelace", roles=roles)), "table", width=columns)
    lines = table_lines(text)
    shown = [label for label in ("Reviewed", "Tested", "Signed", "Reported", "Helped") if label not in left_out]
    assert lines[0].split()[:3] == ["#", "Name", "Commits"]
    assert lines[0].split()[3:] == (shown if columns > 30 else [])
    assert max(map(width, text.splitlines())) <= columns
    assert ("A wider terminal also shows:" in text) == bool(left_out)


def test_a_board_without_roles_says_so() -> None:
    assert "No one in these rows has a role" in render(document(entry(roles=dict.fromkeys(ROLES, 0))), "table")


def test_roles_are_columns_of_csv_and_markdown() -> None:
    board = document(entry(roles={role: number for number, role in enumerate(ROLES)}))
    [record] = csv.DictReader(io.StringIO(render(board, "csv", roles=True)))
    assert [record[role] for role in ROLES] == ["0", "1", "2", "3", "4", "5", "6"]
    # No one reviewed.
    assert "| Co-authored | Tested | Acked | Signed off |" in render(board, "markdown")
    assert render(document(), "csv", roles=True) == ",".join(f'"{field}"' for field in CSV_FIELDS + ROLES) + "\r\n"


@pytest.mark.parametrize("format", ["table", "markdown"])
def test_an_odd_date_is_unknown(format: str) -> None:
    odd = entry(firstCommitAt=None, lastCommitAt=None, oddDates=2)
    text = render(document(odd, oddDates=2), format)
    assert text.count("unknown") == 2
    assert "2 commits have an odd date" in text
    assert "unknown" not in render(document(entry(firstCommitAt=None, lastCommitAt=None)), format)


NARROWER = [
    (114, "# Name Account Commits Share Merges Co-auth AI First Last Note"),
    (113, "# Name Account Commits Share Merges Co-auth AI Last Note"),
    (102, "# Name Account Commits Share Merges Co-auth AI Note"),
    (91, "# Name Account Commits Share Merges AI Note"),
    (70, "# Name Account Commits Share Merges AI Note"),
    (69, "# Name Account Commits Merges AI Note"),
    (63, "# Name Account Commits Merges Note"),
    (60, "# Name Account Commits Note"),
    (53, "# Name Account Commits"),
    (46, "# Name Commits"),
    (20, "# Name Commits"),
]


@pytest.mark.parametrize(("columns", "labels"), NARROWER)
def test_a_narrow_table_leaves_out_columns_before_it_cuts_names_and_never_cuts_numbers(
    columns: int, labels: str
) -> None:
    names = ["Augusta Ada King, Countess of Lovelace", "Ada"]
    row = entry(username="ada-lovelace", isBack=True, joinedByName=True)
    rules = Rules.parse(since="2024-01-08").as_dict()
    board = document(*(row | {"name": name} for name in names), aiCommits=9, rules=rules)
    board["top_contributors"][0]["aiCount"] = 9
    text = render(board, "table", width=columns)
    assert max(map(width, text.splitlines())) <= columns
    lines = table_lines(text)
    assert lines[0].split() == labels.split()
    assert names[0][:5] in lines[2] and "1,234" in lines[2]
    assert (names[0] in lines[2]) == (columns >= 84)
    assert ("= joined by name" in text) == ("Note" in labels)


@pytest.mark.parametrize(
    ("column", "label"),
    [("first", "First"), ("co-authored", "Co-auth"), ("ai", "AI"), ("email", "E-mail"), ("merges", "Merges")],
)
def test_the_column_that_rows_are_sorted_by_stays(column: str, label: str) -> None:
    row = entry(name="Augusta Ada King, Countess", username=None, aiCount=1, email="ada@example.org")
    board = document(row, sort={"column": column, "reverse": False})
    assert table_lines(render(board, "table", width=40))[0].split() == ["#", "Name", *label_order(label)]


def label_order(label: str) -> list[str]:
    return [label, "Commits"] if label == "E-mail" else ["Commits", label]


def test_a_column_without_a_value_is_left_out() -> None:
    bare = entry(username=None, email=None, mergeCount=0, coAuthoredCount=0, firstCommitAt=None, lastCommitAt=None)
    assert table_lines(render(document(bare, bare), "table"))[0].split() == "# Name Commits Share".split()
    assert table_lines(render(document(bare, bare | {"mergeCount": 1}), "table"))[0].split()[4:] == ["Merges"]
    # Other rows of the board have commits with AI, these have none.
    assert " AI" not in table_lines(render(document(entry(), aiCommits=9), "table"))[0]


def test_markdown_leaves_out_the_columns_that_a_table_leaves_out() -> None:
    bare = entry(username=None, email=None, mergeCount=0, coAuthoredCount=0, firstCommitAt=None, lastCommitAt=None)
    assert "\n| # | Name | Commits | Share |\n|-----:|:-----|-----:|-----:|\n" in render(document(bare), "markdown")
    second = bare | {"mergeCount": 1, "email": "ada@example.org"}
    text = render(document(bare, second), "markdown")
    assert "| # | Name | E-mail | Commits | Share | Merges |" in text
    assert [row[2].replace("\u2060", "") for row in shown(text)] == ["", "ada@example.org"]
    assert "E-mail" not in render(document(bare, second, entry()), "markdown")


def test_notes_explain_the_marks_and_columns_of_the_shown_rows() -> None:
    def notes(format: str, *rows: dict[str, Any], **changes: Any) -> list[str]:
        text = render(document(*rows, **changes), format, width=None)
        return [line.rstrip() for line in text.split("\n\n")[-1].splitlines() if ": " in line]

    window, pairs = (Rules.parse(since="2024-01-08", co_authors=value).as_dict() for value in ("exclude", "include"))
    plain = entry(coAuthoredCount=0)
    back, new = plain | {"isBack": True}, plain | {"isNew": True}
    returned = ["back: earlier commits, but none in the window of the same length before this one."]
    assert notes("table", back, rules=window) == notes("markdown", back, rules=window) == returned
    assert notes("table", back) == notes("table", plain, rules=window)[1:] == []
    assert notes("table", new, rules=pairs, rankedCommits=2469) == [
        "new: the first commit ever, merges and co-authored ones included, is in the window."
    ]
    assert notes("table", new, rules=window, **range_of("v1..v2"))[-1] == (
        "new: no commit that bbbbbbbbbb reaches is theirs, and the first one is in the window."
    )
    assert notes("markdown", entry(aiCount=1, joinedByName=True)) == [
        "joined by name: rows of one full name.",
        "AI declared: commits that an AI agent made, or whose trailers name one.",
    ]


def test_a_range_says_how_to_see_who_is_new() -> None:
    for revision, start in (("v1.0..v2.0", "v1.0"), ("..v2.0", "HEAD")):
        board = document(entry(), **range_of(revision))
        hint = f"--new shows only people without a commit in {start}."
        assert hint in render(board, "table").splitlines()
        assert "--new" not in render(board, "markdown")
        assert hint not in render(board | {"rules": board["rules"] | {"new": "only"}}, "table")
    assert "--new" not in render(document(entry()), "table")


def test_numbers_that_do_not_follow_the_window_say_so() -> None:
    numbers: dict[str, Any] = {"unresolved": 1, "roleOnlyPeople": 1, "rules": Rules.parse(since="2024").as_dict()}
    for format in ("table", "markdown"):
        text = render(document(entry(), **numbers), format, width=None)
        assert "1 person on this board; 40 author e-mails in the whole history." in text
        assert "1 author e-mail in the whole history has no known account; it is shown by name." in text
        assert "1 person in the whole history only has roles, such as reviewer, and is not on this board." in text
        assert "40 author e-mails in the whole range." in render(
            document(entry(), **range_of("v1..v2"), **numbers), format
        )
        assert "whole" not in render(document(entry(), unresolved=1, roleOnlyPeople=1), format)


def test_names_are_whole_beside_other_columns_at_80_columns() -> None:
    row = entry(name="Augusta Ada King, Countess of Lovelace", username=None, email=None, joinedByName=True)
    lines = table_lines(render(document(row, row | {"joinedByName": False}), "table", width=80))
    assert all(row["name"] in line for line in lines[2:])


def test_markdown_notes_what_marks_a_row() -> None:
    row = entry(joinedByName=True, isNew=True)
    window = Rules.parse(since="2024-01-08").as_dict()
    assert "| Ada Lovelace (joined by name, new) |" in render(document(row, rules=window), "markdown")
    assert "| Ada Lovelace (joined by name) |" in render(document(row), "markdown")
    assert "AI declared" not in render(document(row), "markdown")
    declared = document(entry(aiCount=5), aiCommits=5, agents=[{"name": "Claude", "commitCount": 5}])
    assert "| 3 | 5 | 2001-09-09 |" in render(declared, "markdown")


@pytest.mark.parametrize("format", ["table", "markdown"])
def test_a_board_says_how_many_commits_were_trimmed(format: str) -> None:
    assert "too large" not in render(document(entry()), format)
    assert "1 commit is too large to be read whole" in render(document(entry(), trimmedCommits=1), format)
    assert "1,200 commits are too large to be read whole" in render(document(entry(), trimmedCommits=1200), format)


def table_lines(text: str) -> list[str]:
    return text.split("\n\n")[1].splitlines()


@pytest.mark.parametrize("columns", [40, 60, 80, 100, 132, 200])
def test_the_table_fits_the_terminal(columns: int) -> None:
    board = hostile_board()
    board["top_contributors"] = [
        row | {"commitCount": 1_234_567, "mergeCount": 123_456, "share": 1.0} for row in board["top_contributors"]
    ]
    lines = table_lines(render(board, "table", width=columns))
    assert len(lines) == len(HOSTILE) + 2
    assert max(map(width, lines)) <= columns
    # Aligned whatever the names: the last column ends in one place.
    assert {width(line) for line in lines} == {width(lines[0])}


def test_equal_ranks_and_long_numbers_stay_in_line() -> None:
    rows = [entry(rank=1), entry(rank=2, commitCount=9), entry(rank=2, commitCount=9), entry(rank=12_345)]
    rows[0]["commitCount"] = 12_345_678
    for columns in (None, 80, 40):
        lines = table_lines(render(document(*rows), "table", width=columns))
        assert [line.split()[0] for line in lines[2:]] == ["1", "2", "2", "12,345"]
        ends = {line.index(number) + len(number) for line, number in zip(lines[2:], ["12,345,678", " 9"], strict=False)}
        assert len(ends) == 1
    (head, rule, row) = table_lines(render(document(entry()), "table"))
    assert len(head) == len(rule) == len(row)


def test_a_table_without_a_width_cuts_nothing() -> None:
    board = document(entry(name="n" * 200, username="u" * 39))
    assert "n" * 200 + "  " + "u" * 39 in render(board, "table", width=None)
    assert "…" in render(board, "table")


def test_a_table_without_accounts_shows_e_mails() -> None:
    board = document(entry(username=None, email="ada@example.org"))
    assert "Ada Lovelace  ada@example.org" in render(board, "table", width=120)
    hidden = document(entry(username=None, email=None))
    assert "E-mail" not in render(hidden, "table", width=120)


def test_the_table_says_what_the_rules_left_out() -> None:
    assert "Not ranked: merges, bots and AI agents.\n" in render(document(entry()), "table")
    everything = Rules(merges=True, bots="include", co_authors=True)
    text = render(document(entry(), rules=everything.as_dict(), rankedCommits=2480), "table")
    assert "Not ranked" not in text
    assert "2,600 commits: 2,468 ranked, 132 merges; 12 credits of co-authors.\n" in text
    assert "Also ranked: co-authors.\n" in text
    assert "people.\n" in render(document(entry(), rules=Rules(bots="only").as_dict()), "table")


def test_the_table_says_what_is_missing() -> None:
    assert "The board ends at rank 5.\n" in render(document(total=5, offset=9), "table")
    assert "The last refresh failed: no such host\n" in render(document(state="failed", error="no such host"), "table")
    nobody_asked = Rules(identities=False).as_dict()
    assert "no known account" not in render(document(entry(), unresolved=9, rules=nobody_asked), "table")


@pytest.mark.parametrize(
    ("parts", "rules", "why"),
    [
        ({"bots": 5}, Rules(), "All 5 commits are by bots: --bots only shows them."),
        ({"bots": 1}, Rules(), "The only commit is by a bot: --bots only shows it."),
        ({"agents": 5000}, Rules(), "All 5,000 commits are by AI agents: --bots only shows them."),
        ({"merges": 2}, Rules(), "All 2 commits are merges: --merges include shows them."),
        ({"earlier": 9}, Rules(), "All 9 commits are by people who are not new: a board without --new shows them."),
        (
            {"people": 3},
            Rules(bots="only"),
            "No bot or AI agent is among the authors: --bots-file FILE names further ones.",
        ),
        (
            {"people": 3, "merges": 1},
            Rules.parse(bots="only", since="2024-01-08"),
            "Merges aside, no bot or AI agent is among the authors in the window: --bots-file FILE names further ones, "
            "--merges include adds merges.",
        ),
        (
            {"people": 3, "earlier": 1},
            Rules.parse(bots="only", new="only", since="2024-01-08"),
            "All 4 commits in the window are left out (3 by people, 1 by contributors who are not new): "
            "--bots include and a board without --new show them.",
        ),
        (
            {"merges": 2, "bots": 5, "agents": 1},
            Rules(),
            "All 8 commits are left out (2 merges, 5 by bots, 1 by AI agents): "
            "--merges include and --bots only show them.",
        ),
        (
            {"bots": 5},
            Rules.parse(since="2024-01-08"),
            "All 5 commits in the window are by bots: --bots only shows them.",
        ),
        ({}, Rules.parse(since="2024-01-08"), "No commit has its author date in the window."),
        ({"ranked": 3}, Rules(), "No one is on this board under these rules."),
    ],
)
def test_an_empty_board_says_why(parts: dict[str, int], rules: Rules, why: str) -> None:
    commits = {
        "total": sum(parts.values()),
        "ranked": 0,
        "merges": 0,
        "bots": 0,
        "agents": 0,
        "people": 0,
        "earlier": 0,
        "removed": 0,
    } | parts
    board = document(commits=commits, rules=rules.as_dict())
    assert render(board, "table", width=None).endswith(f"\n\n{why}\n")
    assert f"\n\n{why.partition(' (')[0].partition(':')[0]}" in render(board, "markdown")
    assert "--" not in render(board, "markdown")


@pytest.mark.parametrize(
    ("before", "after", "hint"),
    [
        ("2023-11-14T22:13:20Z", None, "the newest one is from 2023-11-14, before it"),
        (None, "2025-01-02T00:00:00Z", "the oldest one is from 2025-01-02, after it"),
        (
            "2023-11-14T22:13:20Z",
            "2025-01-02T00:00:00Z",
            "the nearest ones are from 2023-11-14, before it, and 2025-01-02, after",
        ),
    ],
)
def test_an_empty_window_names_the_nearest_commits_and_nothing_else(
    before: str | None, after: str | None, hint: str
) -> None:
    board = document(
        rules=Rules.parse(since="2024", until="2024").as_dict(),
        commits=dict.fromkeys(document()["commits"], 0),
        nearestCommits={"before": before, "after": after},
        **{"oddDates": 1, "roleOnlyPeople": 3, "unresolved": 9, "trimmedCommits": 1, "isPartial": True},
    )
    for format in ("table", "markdown"):
        [note] = render(board, format, width=None).split("\n\n")[-1].splitlines()
        assert note.startswith(f"No commit has its author date in the window: {hint}")


def test_people_who_declare_ai_are_no_bots() -> None:
    parts = document()["commits"] | {"ranked": 0, "people": 2468}
    board = document(rules=Rules(bots="only").as_dict(), commits=parts, aiCommits=2)
    assert render(board, "markdown").endswith("among the authors. 2 commits that declare AI are by people.\n")
    assert render(board | {"aiCommits": 1}, "markdown").endswith(" 1 commit that declares AI is by people.\n")


# --- The text itself


@given(st.text(st.characters(codec=None)))
def test_clean_text_is_harmless_and_stays_so(text: str) -> None:
    cleaned = clean(text)
    assert not controls(cleaned)
    assert "\n" not in cleaned
    assert clean(cleaned) == cleaned
