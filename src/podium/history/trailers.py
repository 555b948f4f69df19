"""The trailers of a commit message, by git's own definition. Pure.

A message may mention ``Co-authored-by:`` anywhere; only its last block counts, and only where git takes that block
for trailers: all of its lines are trailers, or at least a quarter are and one of them is a line that git itself
writes. This follows what ``git log --format='%(trailers:key=…,valueonly,unfold)'`` prints
(https://git-scm.com/docs/git-interpret-trailers), without a person's ``trailer.*`` configuration.
"""

from __future__ import annotations

import re

# What git takes for white space (its own isspace), which is less than Python does.
_SPACE = b" \t\n\r"
_TOKEN = re.compile(rb"([A-Za-z0-9-]+)[ \t]*:")
_LEADING_BLANK_LINES = re.compile(rb"(?:[ \t\r]*\n)*")
_FOLD = re.compile(rb"\n[ \t\n\r]*")
_WRITTEN_BY_GIT = (b"Signed-off-by: ", b"(cherry picked from commit ")
_SCISSORS = b"# ------------------------ >8 ------------------------\n"


def trailer_values(message: bytes, key: bytes) -> list[bytes]:
    """The unfolded values of the trailers called ``key``.

    Args:
        message: everything behind the blank line that ends a commit's header.
        key: the trailer's name in lower case.
    """
    text = _LEADING_BLANK_LINES.sub(b"", message.partition(b"\0")[0], count=1)
    return [
        _FOLD.sub(b" ", trailer[match.end() :].strip(_SPACE)).strip(_SPACE)
        for trailer in _joined(_block(_lines(text[: _end_of_trailers(text)])))
        if (match := _TOKEN.match(trailer)) and match[1].lower() == key
    ]


def _lines(text: bytes) -> list[bytes]:
    # Not splitlines(): a lone carriage return ends no line for git.
    return re.findall(rb"[^\n]*\n|[^\n]+", text)


def _is_blank(line: bytes) -> bool:
    return not line.strip(_SPACE)


def _end_of_trailers(text: bytes) -> int:
    """Where the comments, empty lines and old conflict lists begin that close the message."""
    end = _start_of_scissors(text)
    run = 0  # Like git, a run that begins with the very first line is not seen as one.
    in_conflicts = False
    at = 0
    for line in _lines(text[:end]):
        if line.startswith((b"#", b"\n")):
            run = run or at
        elif line == b"Conflicts:\n":
            in_conflicts = True
            run = run or at
        elif not (in_conflicts and line.startswith(b"\t")):
            run = 0
            in_conflicts = False
        at += len(line)
    return run or end


def _start_of_scissors(text: bytes) -> int:
    if text.startswith(_SCISSORS):
        return 0
    found = text.find(b"\n" + _SCISSORS)
    return len(text) if found < 0 else found + 1


def _block(lines: list[bytes]) -> list[bytes]:
    """The lines of the last paragraph, where git takes it for trailers; the first paragraph never is."""
    title = 0
    while title < len(lines) and (lines[title].startswith(b"#") or not _is_blank(lines[title])):
        title += 1
    trailers = others = continuations = 0
    written_by_git = False
    seen_text = False
    for number in range(len(lines) - 1, title - 1, -1):
        line = lines[number]
        if line.startswith(b"#"):
            others += continuations
            continuations = 0
        elif _is_blank(line):
            if not seen_text:
                continue
            others += continuations
            accepted = trailers * 3 >= others if written_by_git else trailers > 0 and others == 0
            return lines[number + 1 :] if accepted else []
        elif line.startswith(_WRITTEN_BY_GIT):
            trailers += 1
            continuations = 0
            written_by_git = True
        elif _TOKEN.match(line):
            trailers += 1
            continuations = 0
        elif line[:1] in (b" ", b"\t", b"\r"):
            continuations += 1
        else:
            others += 1 + continuations
            continuations = 0
        seen_text = seen_text or not line.startswith(b"#")
    return []


def _joined(lines: list[bytes]) -> list[bytes]:
    """Each trailer with the indented lines that continue it."""
    joined: list[bytes] = []
    in_trailer = False
    for line in lines:
        if in_trailer and line[:1] in (b" ", b"\t", b"\r", b"\n"):
            joined[-1] += line
            continue
        joined.append(line)
        in_trailer = _TOKEN.match(line) is not None
    return joined
