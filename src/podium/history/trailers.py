"""The trailers of a commit message, by git's own definition.

Only the last block counts: all of its lines are trailers, or a quarter, with one line that git writes. This follows
``git log --format='%(trailers:key=…,valueonly,unfold)'`` (https://git-scm.com/docs/git-interpret-trailers), without a
user's ``trailer.*`` configuration.
"""

from __future__ import annotations

import re

# git's isspace().
_SPACE = b" \t\n\r"
_TOKEN = re.compile(rb"([A-Za-z0-9-]+)[ \t]*:")
_LEADING_BLANK_LINES = re.compile(rb"(?:[ \t\r]*\n)*")
_FOLD = re.compile(rb"\n[ \t\n\r]*")
_WRITTEN_BY_GIT = (b"Signed-off-by: ", b"(cherry picked from commit ")
_SCISSORS = b"# ------------------------ >8 ------------------------\n"


def trailer_values(message: bytes, key: bytes) -> list[bytes]:
    """Return the unfolded values.

    Args:
        message: everything after the header's blank line.
        key: in lower case.
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
    end = _start_of_scissors(text)
    run = 0  # Like git, a run that begins with the first line does not count.
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
    """Never the first paragraph."""
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
    joined: list[bytes] = []
    in_trailer = False
    for line in lines:
        if in_trailer and line[:1] in (b" ", b"\t", b"\r", b"\n"):
            joined[-1] += line
            continue
        joined.append(line)
        in_trailer = _TOKEN.match(line) is not None
    return joined
