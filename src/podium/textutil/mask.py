"""E-mail addresses and secrets masked in text."""

from __future__ import annotations

import re

HIDDEN = "…@…"

_WORD = re.compile(r"[^\s<>()]+")
# NFKD makes @ of the last two, so a search would find them.
_AT = re.compile("[@\ufe6b\uff20]")
_USER_INFO = re.compile(r"(?<=://)[^/\s@']*@")
# A path of this machine, which is neither a part of a URL nor a route of the API.
_PATH = re.compile(r"(?<![\w:/.~?&-])(?<!GET )(?<!POST )(?<!DELETE )/(?:[^\s'\"/:,;]+/)+(?P<last>[^\s'\"/:,;]*)")
_LONGEST = 200


def masked(text: str) -> str:
    """``text`` without e-mails, cut if longer than 200 characters."""
    short = without_emails(text)
    return short if len(short) <= _LONGEST else short[: _LONGEST - 1] + "…"


def without_emails(text: str) -> str:
    """``text`` with :data:`HIDDEN` for each e-mail, which reveals neither its first letter nor its domain."""
    if text.isascii() and "@" not in text:
        return text
    return _WORD.sub(lambda word: HIDDEN if is_email(word[0]) else word[0], text)


def is_email(text: str) -> bool:
    """Whether ``text`` has an @ inside, as every e-mail that can be looked up."""
    return _AT.search(text.strip("@\ufe6b\uff20")) is not None


def hinted(email: str) -> str:
    """``a…@example.com``, for readers who may see the whole e-mail."""
    local, _, domain = email.rpartition("@")
    return masked(email) if not local else f"{local[:1]}…@{domain}"[:_LONGEST]


def without_user_info(text: str) -> str:
    """``text`` without the user and password of URLs."""
    return _USER_INFO.sub("", text)


def without_folders(text: str) -> str:
    """``text`` with the names of files only, without their folders on this machine."""
    return _PATH.sub(lambda path: path["last"] or "a folder", text)
