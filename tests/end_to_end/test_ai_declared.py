"""Which commits declare AI, and in which series each commit is."""

from __future__ import annotations

from tests.support.small_histories import Histories, Writer

CLAUDE = "Claude <noreply@anthropic.com>"
COPILOT = "Copilot <175728472+Copilot@users.noreply.github.com>"
CURSOR = "Cursor <cursoragent@cursor.com>"


def several_agents(write: Writer) -> None:
    for _ in range(2):
        write.commit(
            "A <a@x.example>", "feat\n\n" + "".join(f"Co-authored-by: {a}\n" for a in (CLAUDE, COPILOT, CURSOR))
        )
    write.commit("A <a@x.example>")


def test_a_commit_that_names_three_agents_is_one_commit(histories: Histories) -> None:
    history = histories(several_agents)
    assert history.column("aiCount") == {"A": 2}
    board = history.board()
    assert board["aiCommits"] == 2
    assert history.activity()["split"] == {"human": 1, "bot": 0, "ai": 2}
    assert sorted((agent["name"], agent["commitCount"]) for agent in board["agents"]) == [
        ("Claude", 2),
        ("Copilot", 2),
        ("Cursor", 2),
    ]


DECLARED = (
    "Assisted-by: Claude:claude-opus-4",
    "Assisted-by: Codex:gpt-5 [shell]",
    "assisted-by: Claude Opus 4.5 <noreply@anthropic.com>",
    "ASSISTED-BY: GitHub Copilot",
    "Assisted-by: Gemini",
    "Assisted-by: Some-New-Agent:model-9",
    "Generated-by: Claude Code",
    "Generated-by: Cursor",
    "Generated-by: ChatGPT",
    f"Co-authored-by: {CLAUDE}",
    "Co-authored-by: Whatever <NOREPLY@ANTHROPIC.COM>",
    f"Assisted-by: Claude:opus\nAssisted-by: Claude:sonnet\nCo-authored-by: {CLAUDE}",
)
NOT_DECLARED = (
    "Assisted-by: Jane Doe",
    "Assisted-by: Jane Doe <jane@x.example>",
    "Assisted-by: Claude Monet <claude.monet@x.example>",
    "Assisted-by: Claudette Colbert",
    "Assisted-by: Ampère",
    "Assisted-by: Dan Cursorius <dan@x.example>",
    "Generated-by: scripts/make-tables.py",
    "Generated-by: protoc",
    "Co-authored-by: Claude <claude@x.example>",
    "Co-authored-by: Claude Code",
    "Co-authored-by: Jane <jane@anthropic.com>",
    f"Reviewed-by: {CLAUDE}",
    "Helped-by: Copilot",
    "Assisted-by: ",
)


def declarations(write: Writer) -> None:
    for number, trailer in enumerate(DECLARED):
        write.commit(f"Yes{number} <yes{number}@x.example>", f"feat\n\n{trailer}\n")
    for number, trailer in enumerate(NOT_DECLARED):
        write.commit(f"No{number} <no{number}@x.example>", f"feat\n\n{trailer}\n")
    write.commit("Body <body@x.example>", f"feat\n\nCo-authored-by: {CLAUDE}\n\nThe last paragraph.\n")


def test_which_trailers_declare_ai(histories: Histories) -> None:
    history = histories(declarations)
    counts = history.column("aiCount")
    assert {DECLARED[n]: counts[f"Yes{n}"] for n in range(len(DECLARED))} == dict.fromkeys(DECLARED, 1)
    assert {NOT_DECLARED[n]: counts[f"No{n}"] for n in range(len(NOT_DECLARED))} == dict.fromkeys(NOT_DECLARED, 0)
    assert counts["Body"] == 0
    assert history.board()["aiCommits"] == len(DECLARED)


def authors_of_every_kind(write: Writer) -> None:
    write.commit(CLAUDE, f"feat\n\nCo-authored-by: {COPILOT}\n")
    write.commit(CLAUDE, merge=True)
    write.commit("dependabot[bot] <49699333+dependabot[bot]@users.noreply.github.com>")
    write.commit(
        "dependabot[bot] <49699333+dependabot[bot]@users.noreply.github.com>", f"feat\n\nCo-authored-by: {CURSOR}\n"
    )
    write.commit("Claude <claude@x.example>")
    write.commit(
        "Person <person@x.example>", "feat\n\nAssisted-by: Claude:opus\nCo-authored-by: Friend <f@x.example>\n"
    )


def test_each_commit_is_in_one_series(histories: Histories) -> None:
    history = histories(authors_of_every_kind)
    board = history.board(bots="include", merges="include")
    assert board["aiCommits"] == 4
    weeks = history.activity(bots="include", merges="include")["weeks"]
    assert sum(week[kind] for week in weeks for kind in ("human", "bot", "ai")) == board["totalCommits"] == 7
    assert {kind: sum(week[kind] for week in weeks) for kind in ("human", "bot", "ai")} == {
        "human": 2,
        "bot": 1,
        "ai": 4,
    }
    assert history.column("aiCount") == {"Claude": 0, "Person": 1, "Side": 0}
    assert history.board()["aiCommits"] == 3


def test_the_parts_of_the_total_add_up(histories: Histories) -> None:
    board = histories(authors_of_every_kind).board()
    assert (board["rankedCommits"], board["mergeCommits"], board["botCommits"]) == (3, 1, 3)
    assert board["totalCommits"] == 7
