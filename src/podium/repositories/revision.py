"""The name of a branch or tag at an address: checked before anything is saved, and the refs that it may mean. No I/O.

The rules for names are those of https://git-scm.com/docs/git-check-ref-format.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable

from podium.errors import BadRule

# Bytes of UTF-8. A file system's name of a ref has at most 255, with `.lock`.
MAX_BYTES = 250

# What an error compares with a misspelt name: at most this many names, and none that is longer. Each takes the
# product of two lengths.
MOST_SIMILAR = 2_000
_LONGEST_SIMILAR = 60

_OID = re.compile(r"[0-9a-fA-F]{40}(?:[0-9a-fA-F]{24})?")
_RELATIVE = re.compile(r"[~^:]|@\{")
_NAME = re.compile(r"(?!.*(?:\.\.|//|@\{|\.lock(?:/|$)|/\.))(?![./])[^\x00-\x20\x7f~^:?*\[\\]+(?<![./])")
_BRANCHES, _TAGS = "refs/heads/", "refs/tags/"


def parse_revision(text: str) -> str | None:
    """Return the name of a branch or tag; None for the default branch: '', ``HEAD`` and ``@``.

    Raises:
        BadRule: it cannot be the name of one. The message does not repeat it.
    """
    text = text.strip(" ")
    if text in ("", "HEAD", "@"):
        return None
    if len(text.encode(errors="replace")) > MAX_BYTES:
        raise BadRule(f"rev is longer than {MAX_BYTES} bytes: give the name of a branch or tag.")
    if " " in text or not text.isprintable():
        raise BadRule("rev contains spaces or control characters: give the name of a branch or tag.")
    if text.startswith("-"):
        raise BadRule("rev cannot begin with '-': give the name of a branch or tag.")
    if ".." in text:
        raise BadRule("A range of revisions is counted in a clone only: podium rank PATH --rev A..B.")
    if _RELATIVE.search(text):
        raise BadRule(
            "At an address, rev is the name of a branch or tag: other revisions are counted in a clone only, with "
            "podium rank PATH --rev."
        )
    if _OID.fullmatch(text):
        raise BadRule(
            "At an address, rev cannot be a commit: hosts also give out commits of forks by their ids. Name a branch "
            "or tag, or count the commit in a clone: podium rank PATH --rev."
        )
    if text.startswith("refs/") and not text.startswith((_BRANCHES, _TAGS)):
        raise BadRule("At an address, rev is a branch (refs/heads/…) or a tag (refs/tags/…): no other ref is counted.")
    if not _NAME.fullmatch(text) or text in (_BRANCHES, _TAGS):
        raise BadRule("rev is not a valid name of a branch or tag: see git help check-ref-format.")
    return text


def refs_named(revision: str) -> tuple[str, ...]:
    """The full names of what ``revision`` may mean, in git's order: a tag comes before a branch (gitrevisions(7))."""
    if revision.startswith("refs/"):
        return (revision,)
    short = (f"refs/{revision}",) if revision.startswith(("heads/", "tags/")) else ()
    return (*short, _TAGS + revision, _BRANCHES + revision)


def similar(revision: str, names: Iterable[str]) -> str | None:
    """The one of ``names`` that ``revision`` may be a misspelling of; what follows the name, such as ``~2``, stays."""
    import difflib

    relative = _RELATIVE.search(revision)
    end = relative.start() if relative else len(revision)
    name, rest = revision[:end], revision[end:]
    # No ref has .. in its name.
    if len(name) > _LONGEST_SIMILAR or ".." in name:
        return None
    short = [each for each in itertools.islice(names, MOST_SIMILAR) if len(each) <= _LONGEST_SIMILAR]
    # `main` may mean origin/main.
    known = {each.rpartition("/")[2].casefold(): each for each in short} | {each.casefold(): each for each in short}
    found = difflib.get_close_matches(name.casefold(), known, n=1)
    return known[found[0]] + rest if found and known[found[0]] != name else None
