"""E-mail addresses and secrets made unreadable in text."""

from __future__ import annotations

import re

# The first letter and the domain stay.
_EMAIL = re.compile(r"([^\s@<>()]?)[^\s@<>()]*@([^\s@<>()]+)")
# The domain of an e-mail that stands in a name, such as "me@example.com".
_DOMAIN = re.compile(r"(?<=[^\s@])@[^\s@]*\.[^\s@]*")
_USER_INFO = re.compile(r"(?<=://)[^/\s@']*@")
# The search takes time quadratic in the length, and names are hostile.
_LONGEST = 200


def masked(text: str) -> str:
    """``text`` with every e-mail shortened: ``ada@example.com`` becomes ``a…@example.com``.

    Text of more than 200 characters is cut first.
    """
    short = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
    return _EMAIL.sub(r"\1…@\2", short)


def without_domain(name: str) -> str:
    """A ``name`` that is an e-mail without its domain: ``me@example.com`` becomes ``me@…``."""
    return _DOMAIN.sub("@…", name)


def without_user_info(text: str) -> str:
    """``text`` without the user and password of the URLs in it."""
    return _USER_INFO.sub("", text)
