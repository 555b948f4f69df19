"""E-mail addresses and secrets masked in text."""

from __future__ import annotations

import re

_EMAIL = re.compile(r"([^\s@<>()]?)[^\s@<>()]*@([^\s@<>()]+)")
_DOMAIN = re.compile(r"(?<=[^\s@])@[^\s@]*\.[^\s@]*")
_USER_INFO = re.compile(r"(?<=://)[^/\s@']*@")
# The search is quadratic in the length, and names are hostile.
_LONGEST = 200


def masked(text: str) -> str:
    """``text`` with e-mails as ``a…@example.com``; cut first if longer than 200 characters."""
    short = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
    return _EMAIL.sub(r"\1…@\2", short)


def without_domain(name: str) -> str:
    """``me@example.com`` becomes ``me@…``."""
    return _DOMAIN.sub("@…", name)


def without_user_info(text: str) -> str:
    """``text`` without the user and password of URLs."""
    return _USER_INFO.sub("", text)
