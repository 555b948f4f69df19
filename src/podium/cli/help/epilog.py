"""The text below the options in ``--help``: examples and exit codes."""

from __future__ import annotations

import shutil
import textwrap

from podium.cli.help.exit_codes import EXIT_CODES

# Among many, a longer command line does not move the remarks of the others.
_WIDEST, _FEW = 55, 3
# By command: a command line, and what it does.
EXAMPLES: dict[str, list[tuple[str, str]]] = {
    "podium": [
        ("podium rank .", "who made the repository in this folder"),
        ("podium rank vercel/next.js", "the same for a repository at GitHub"),
        ("podium rank --help", "all options of a command"),
        ("podium serve", "the page and the API at http://127.0.0.1:3000"),
    ],
    "podium rank": [
        ("podium rank .", "the 20 people with the most commits"),
        ("podium rank vercel/next.js -n 50", "50 people of a repository at GitHub"),
        ("podium rank https://gitlab.com/gitlab-org/cli --json", "any git URL, as JSON"),
        ("podium rank . -o people.csv -o card.svg", "also as files, by extension"),
        ("podium rank . --rev v1.0..v2.0", "who made 2.0"),
        ("podium rank . --rev v7.0.. --new", "who is new since v7.0"),
        ("podium rank . --sort last --reverse", "who has been away the longest"),
        ("podium rank . --since 'last quarter' --until 'last quarter' --format csv", "the last quarter, as CSV"),
        ("podium rank . --bots only", "only bots and AI agents"),
        ("podium rank . --mailmap-file my.mailmap", "with a mailmap of your own"),
        ("podium rank . --roles", "how often Reviewed-by, Tested-by and so on name each person"),
    ],
    "podium list": [
        ("podium list", "repositories, their state and size, and the data folder"),
        ("podium list --json", "the same for scripts"),
    ],
    "podium completion": [
        ("podium completion bash > ~/.local/share/bash-completion/completions/podium", "bash, with bash-completion"),
        ("podium completion zsh > ~/.zfunc/_podium", "zsh, with ~/.zfunc in fpath before compinit"),
        ("podium completion fish > ~/.config/fish/completions/podium.fish", "fish"),
    ],
    "podium serve": [
        ("podium serve", "listen on http://127.0.0.1:3000"),
        (
            "podium serve --host 0.0.0.0 --port 8080",
            "let other machines reach it (first read Podium's guide to serving)",
        ),
    ],
    "podium worker": [
        ("podium worker commits", "clone and count"),
        ("podium worker users --threads 8", "find accounts, eight batches of e-mails at a time"),
        ("podium worker all --drain", "do everything that waits, then exit"),
    ],
    "podium queue": [
        ("podium queue", "what waits, runs and failed"),
        ("podium queue --watch 5", "the same every five seconds"),
        ("podium queue retry", "try all failed repositories again"),
        ("podium queue drop 12", "take repository #12 out of the queue"),
        ("podium queue pause host git.example.org", "count and check nothing of this host"),
        ("podium queue limit github.com 4", "count four of its repositories at once"),
    ],
    "podium queue retry": [
        ("podium queue retry", "all failed repositories"),
        ("podium queue retry 12 15", "repositories #12 and #15"),
    ],
    "podium queue pause": [
        ("podium queue pause schedule", "boards are refreshed only on request"),
        ("podium queue pause host git.example.org", "nothing of this host is counted or checked"),
        ("podium queue pause repository git/git", "this repository is refreshed only on request"),
    ],
    "podium queue resume": [
        ("podium queue resume schedule", "boards are refreshed automatically again"),
        ("podium queue resume host git.example.org", "what waited for it follows, one after another"),
        ("podium queue resume repository 12", "repository #12 is refreshed automatically again"),
    ],
    "podium queue limit": [
        ("podium queue limit github.com 4", "four of its repositories at once, over all workers"),
        ("podium queue limit github.com 0", "any number of them"),
        ("podium queue limit github.com default", "as PODIUM_COUNTS_PER_HOST says"),
    ],
    "podium queue first": [("podium queue first 12", "repository #12 is counted next")],
    "podium queue last": [("podium queue last 12", "repository #12 is counted last")],
    "podium queue drop": [("podium queue drop 12", "repository #12 becomes failed; `podium queue` shows the ids")],
    "podium queue check-every": [
        ("podium queue check-every 12 3600", "repository #12 every hour"),
        ("podium queue check-every 12 default", "as PODIUM_REFRESH_EVERY says; 0 is never"),
    ],
    "podium queue keep": [("podium queue keep 12", "the board of #12 stays, and is not counted again")],
    "podium queue start-over": [("podium queue start-over 12", "the old board of #12 makes way for a new one")],
    "podium forget": [
        ("podium forget vercel/next.js", "delete its board and its clone"),
        ("podium forget . --rev v1.0", "only the board of one revision"),
        ("podium forget vercel/next.js --block", "and refuse it from now on"),
        ("podium forget --person ada@example.org", "a person, from every board, permanently"),
    ],
    "podium block": [
        ("podium block list", "what is refused"),
        ("podium block add owner some-company", "all repositories of an account at GitHub"),
        ("podium block add address git.example.org/team", "all repositories below an address"),
        ("podium block remove owner some-company", "accept them again"),
    ],
    "podium block list": [("podium block list", "what is refused")],
    "podium block add": [("podium block add owner some-company", "all repositories of an account at GitHub")],
    "podium block remove": [("podium block remove owner some-company", "accept them again")],
    "podium doctor": [
        ("podium doctor", "check git, disk, settings, database, queues and GitHub"),
        ("podium doctor --offline", "the same without a request to GitHub"),
    ],
    "podium migrate": [
        ("podium migrate", "after an upgrade"),
        ("podium migrate --check", "compare the tables with those of this Podium"),
    ],
    "podium backup": [
        ("podium backup podium-2026-11-30.gz", "all repositories, people and blocks, in one file"),
        ("podium backup - > /mnt/backups/podium.gz", "through standard output"),
    ],
    "podium restore": [
        ("podium restore podium-2026-11-30.gz", "into an empty database"),
        ("podium restore podium-2026-11-30.gz --force", "in place of what the database has"),
    ],
    "podium copy": [
        ("podium copy", "from DATABASE_URL to an empty database"),
        ("podium copy --force", "in place of what the other one has"),
    ],
    "podium schema": [("podium schema", "describe what `podium rank --json` prints")],
}
# They are the same for every command.
_WITH_EXIT_CODES = ("podium", "podium rank")


def epilog(command: str) -> str:
    blocks = [_examples(EXAMPLES[command])] if command in EXAMPLES else []
    if command in _WITH_EXIT_CODES:
        blocks.append(_exit_codes())
    return "\n\n".join(blocks)


def _examples(examples: list[tuple[str, str]]) -> str:
    wide = max(len(line) for line, _ in examples if len(line) <= _WIDEST or len(examples) <= _FEW)
    return "\n".join(["examples:", *(f"  {line:<{wide}}  # {what}" for line, what in examples)])


def _exit_codes() -> str:
    columns = max(40, min(shutil.get_terminal_size().columns - 2, 120))
    lines = ["exit codes:"]
    for code, text in EXIT_CODES.items():
        lines += textwrap.wrap(text, columns, initial_indent=f"  {code:<5}", subsequent_indent=" " * 7)
    return "\n".join(lines)
