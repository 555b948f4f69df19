"""Remembers trailers: most commits of a history end with a block, or with lines, that others have too.

A block is read here if all of its lines begin in the first column and none is a comment. There git's definition needs
no context. Every other block is left to :mod:`podium.history.trailers.message_trailers`.
"""

from __future__ import annotations

from podium.history.trailers.mentions import KEYS, NO_MENTIONS, Mention, Mentions, mention_of, mentions_of
from podium.history.trailers.message_trailers import MOST_LINES, SPACE, TOKEN, WRITTEN_BY_GIT, are_trailers

# Longer ones are rare, and would stay in memory.
_LONGEST_BLOCK = 512
_LONGEST_LINE = 200
# Together at most about 10 MB.
_MOST_BLOCKS = 8_192
_MOST_LINES = 16_384

# How a line counts, and whom it names.
_Line = tuple[int, Mention | None]
_OTHER, _TRAILER, _BY_GIT = range(3)


class TrailerMemo(dict[bytes, Mentions | None]):
    """Who is named by a block, or None if the block alone does not decide that.

    A block is what follows the last empty line of a message that has text before it, without line breaks at its end.
    """

    def __init__(self) -> None:
        super().__init__()
        self._lines: dict[bytes, _Line] = {}

    def __missing__(self, block: bytes) -> Mentions | None:
        found = self._read(block)
        if len(block) <= _LONGEST_BLOCK:
            if len(self) >= _MOST_BLOCKS:
                self.clear()
            self[block] = found
        return found

    def _read(self, block: bytes) -> Mentions | None:
        texts = block.split(b"\n", MOST_LINES)
        if len(texts) >= MOST_LINES:
            return None
        others = by_git = 0
        found: list[Mention] = []
        known = self._lines.get
        for text in texts:
            line = known(text) or self._line(text)
            if line is None:
                return None
            kind, mention = line
            if mention:
                found.append(mention)
            if kind == _OTHER:
                others += 1
            elif kind == _BY_GIT:
                by_git += 1
        if not found or not are_trailers(len(texts) - others, others, written_by_git=by_git > 0):
            return NO_MENTIONS
        return mentions_of(found)

    def _line(self, text: bytes) -> _Line | None:
        # A continuation, a comment, a blank line, or a conflict that ends the message.
        if not text or text[0] in b" \t\r#" or text == b"Conflicts:":
            return None
        match = TOKEN.match(text)
        kind = _BY_GIT if text.startswith(WRITTEN_BY_GIT) else _TRAILER if match else _OTHER
        key = match[1].lower() if match else b""
        line = (kind, mention_of(key, text[match.end() :].strip(SPACE)) if match and key in KEYS else None)
        # Others are read as fast, and would displace these.
        if line[1] and len(text) <= _LONGEST_LINE:
            if len(self._lines) >= _MOST_LINES:
                self._lines.clear()
            self._lines[text] = line
        return line
