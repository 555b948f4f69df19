"""A file of bots: an e-mail address or login per line, ``!`` before one that is not a bot, ``#`` before a comment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from podium.errors import BadSetting

# 20,000 addresses of an ordinary length.
MAX_BYTES = 2**20
# RFC 5321.
LONGEST_EMAIL = 254

_ENTRY = re.compile(r"(!?)\s*([^\s!#]\S*)(?:\s+#.*)?")
_EMAIL = re.compile(r"[^@<>,;]+@[^@<>,;]+")
_LOGIN = re.compile(r"[a-z0-9_-]{1,64}(?:\[bot\])?", re.ASCII)


def read_bots_file(path: Path) -> Mapping[str, bool]:
    """Whether each address or login is a bot, in lower case; the last line about one decides.

    Raises:
        BadSetting: the file cannot be read or is too large, or a line of it is neither.
    """
    try:
        with path.expanduser().open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, ValueError, RuntimeError) as error:
        # A NUL in the path, or an unknown user.
        reason = getattr(error, "strerror", None) or error
        raise BadSetting(f"The file of bots {path} cannot be read ({reason}).") from error
    if len(content) > MAX_BYTES:
        raise BadSetting(f"The file of bots {path} is larger than {MAX_BYTES // 2**20} MiB: it holds addresses only.")
    entries: dict[str, bool] = {}
    # Not splitlines(): an editor counts lines by LF.
    for number, line in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        if (text := line.strip()) and not text.startswith(b"#"):
            is_bot, entry = _parse(text, f"{path}, line {number}")
            entries[entry] = is_bot
    return entries


def _parse(line: bytes, place: str) -> tuple[bool, str]:
    # Only ASCII, as git compares addresses.
    text = line.lower().decode("utf-8", "replace")
    match = _ENTRY.fullmatch(text)
    if match is not None:
        entry = match[2]
        if _LOGIN.fullmatch(entry) or (_EMAIL.fullmatch(entry) and len(entry) <= LONGEST_EMAIL and entry.isprintable()):
            return not match[1], entry
    raise BadSetting(
        f"{place}: {text[:80]!r} is neither an e-mail address nor a login. Write one per line, ! before one that is "
        "not a bot, and # before a comment."
    )
