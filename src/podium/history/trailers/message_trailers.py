"""The trailers of one message, by git's own definition.

Only the last block counts: all of its lines are trailers, or a quarter, with one line that git writes. This follows
``git log --format='%(trailers:key=…,valueonly,unfold)'`` (https://git-scm.com/docs/git-interpret-trailers), without a
user's ``trailer.*`` configuration.

The time is linear in the message, with a small factor: only :data:`MOST_LINES` lines are split.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from podium.history.trailers.mentions import KEYS, Mentions, mention_of, mentions_of

# Part of every trailer with one of KEYS. Spelled out, the pattern is faster than with re.IGNORECASE.
MAY_NAME = re.compile(rb"-[Bb][Yy][ \t]*+:")
# git's isspace().
SPACE = b" \t\n\r"
TOKEN = re.compile(rb"([A-Za-z0-9-]+)[ \t]*:")
# Possessive: otherwise each line would take memory, in case the match must be undone.
_LEADING_BLANK_LINES = re.compile(rb"(?:[ \t\r]*+\n)*+")
_UP_TO_THE_LAST_BLANK_LINE = re.compile(rb".*\n[ \t\r]*+\n", re.DOTALL)
_FOLD = re.compile(rb"\n[ \t\n\r]*")
WRITTEN_BY_GIT = (b"Signed-off-by: ", b"(cherry picked from commit ")
SCISSORS = b"# ------------------------ >8 ------------------------\n"

# Lines at the end of a message. The longest blocks of real histories have a few hundred.
MOST_LINES = 1000


class Trailers(NamedTuple):
    """Pairs of a key in lower case and an unfolded value.

    ``is_cut``: the message has too many lines for all of its trailers to be read.
    """

    pairs: list[tuple[bytes, bytes]]
    is_cut: bool


def read_mentions(message: bytes) -> Mentions:
    """Return who is named in ``message``: everything after the header's blank line."""
    trailers = read_trailers(message)
    found = [mention for key, value in trailers.pairs if (mention := mention_of(key, value))]
    return mentions_of(found, is_cut=trailers.is_cut)


def read_trailers(message: bytes) -> Trailers:
    """Return the trailers whose key is one of :data:`KEYS`.

    A block of more than :data:`MOST_LINES` lines ends after that many.
    """
    if not MAY_NAME.search(message):
        return Trailers([], False)
    text = message.partition(b"\0")[0]
    text = text[_end_of_match(_LEADING_BLANK_LINES, text) :]
    text = text[: _start_of_scissors(text)]
    if text.endswith(b"\n"):
        text = text.rstrip(b"\n") + b"\n"
    block, is_whole = _block(text)
    return Trailers(_pairs(block) if _is_trailers(block) else [], not is_whole)


def _end_of_match(pattern: re.Pattern[bytes], text: bytes) -> int:
    match = pattern.match(text)
    return match.end() if match else 0


def _lines(text: bytes) -> list[bytes]:
    # Not splitlines(): a lone carriage return ends no line for git.
    return re.findall(rb"[^\n]*\n|[^\n]+", text)


def _is_blank(line: bytes) -> bool:
    return not line.strip(SPACE)


def _start_of_scissors(text: bytes) -> int:
    if text.startswith(SCISSORS):
        return 0
    found = text.find(b"\n" + SCISSORS)
    return len(text) if found < 0 else found + 1


def _block(text: bytes) -> tuple[list[bytes], bool]:
    """Return the lines of the last paragraph, unless it is the first, and whether those are all of its lines."""
    tail_start = _start_of_last_lines(text)
    lines = _lines(text[tail_start:])
    if tail_start and all(line.startswith((b"#", b"\n", b"\t", b"Conflicts:\n")) for line in lines):
        # Conflicts that begin before these lines may continue to the end.
        return [], False
    lines = _without_ignored_end(lines, tail_start)
    seen_text = False
    for number in range(len(lines) - 1, -1, -1):
        if not _is_blank(lines[number]):
            seen_text = seen_text or not lines[number].startswith(b"#")
        elif seen_text:
            return lines[number + 1 :], True
    if not tail_start:
        return [], True
    start = _end_of_match(_UP_TO_THE_LAST_BLANK_LINE, text[:tail_start])
    if not seen_text or not start:
        return [], False
    return [line + b"\n" for line in text[start:].split(b"\n", MOST_LINES)[:MOST_LINES]], False


def _start_of_last_lines(text: bytes) -> int:
    """Where the last lines begin: as many as a block may have, and the blank line before it."""
    at = len(text) - text.endswith(b"\n")
    for _ in range(MOST_LINES + 1):
        at = text.rfind(b"\n", 0, at)
        if at < 0:
            return 0
    return at + 1


def _without_ignored_end(lines: list[bytes], begun: int) -> list[bytes]:
    """Remove the comments, blank lines and conflicts with which a message ends, as git does.

    Like git, do not remove the message's first line; ``begun`` bytes come before these lines.
    """
    run: int | None = None
    in_conflicts = False
    for number, line in enumerate(lines):
        if line.startswith((b"#", b"\n")) or line == b"Conflicts:\n":
            in_conflicts = in_conflicts or line == b"Conflicts:\n"
            if run is None and (number or begun):
                run = number
        elif not (in_conflicts and line.startswith(b"\t")):
            run = None
            in_conflicts = False
    return lines[:run]


def _is_trailers(block: list[bytes]) -> bool:
    trailers = others = continuations = 0
    written_by_git = False
    for line in reversed(block):
        if line.startswith(b"#"):
            others += continuations
            continuations = 0
        elif _is_blank(line):
            continue
        elif line.startswith(WRITTEN_BY_GIT):
            trailers += 1
            continuations = 0
            written_by_git = True
        elif TOKEN.match(line):
            trailers += 1
            continuations = 0
        elif line[:1] in (b" ", b"\t", b"\r"):
            continuations += 1
        else:
            others += 1 + continuations
            continuations = 0
    others += continuations
    return are_trailers(trailers, others, written_by_git=written_by_git)


def are_trailers(trailers: int, others: int, *, written_by_git: bool) -> bool:
    """Whether these numbers of lines are a block of trailers."""
    return trailers * 3 >= others if written_by_git else trailers > 0 and others == 0


def _pairs(block: list[bytes]) -> list[tuple[bytes, bytes]]:
    return [
        (key, _FOLD.sub(b" ", trailer[match.end() :].strip(SPACE)).strip(SPACE))
        for trailer in _joined(block)
        if (match := TOKEN.match(trailer)) and (key := match[1].lower()) in KEYS
    ]


def _joined(lines: list[bytes]) -> list[bytes]:
    joined: list[list[bytes]] = []
    in_trailer = False
    for line in lines:
        if in_trailer and line[:1] in (b" ", b"\t", b"\r", b"\n"):
            joined[-1].append(line)
            continue
        joined.append([line])
        in_trailer = TOKEN.match(line) is not None
    return [b"".join(each) for each in joined]
