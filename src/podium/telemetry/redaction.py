"""What must not stand in a log, taken out of a line. Pure.

Podium's own messages name ids, never e-mail addresses or secrets. What others wrote may: a database quotes the row that
it refused, git the address that it was given. So every line passes here, whoever wrote it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote, unquote, urlsplit

HIDDEN = "***"

# A user and a password before a host; what GitHub's tokens look like (https://github.blog/2021-04-05-…-token-formats/).
_CREDENTIALS = re.compile(r"(?<=://)[^\s/@:]*:[^\s/@]+(?=@)")
_GITHUB_TOKEN = re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9_]{16,}|github_pat_[A-Za-z0-9_]{16,})")
_BEARER = re.compile(r"(?i)(?<=\bbearer )[A-Za-z0-9._~+/=-]{8,}")
# Not git@host, which is nobody's address.
_EMAIL = re.compile(r"(?<![\w.+-])(?!git@)[\w.+-]{1,100}@[\w-]{1,100}(?:\.[\w-]{1,100})+")


def secrets_of(values: Iterable[str]) -> frozenset[str]:
    """What of ``values`` (secrets, or URLs that may carry one) must never be shown, in every spelling."""
    found: set[str] = set()
    for value in values:
        if "://" in value:
            password = _password(value)
            found |= {password, unquote(password)}
        else:
            found |= {value, quote(value, safe="")}
    # What is shorter would blot out half of the line, and is no secret worth the name.
    return frozenset(secret for secret in found if len(secret) >= 4)


def _password(url: str) -> str:
    try:
        return urlsplit(url).password or ""
    except ValueError:
        return ""


def redact(text: str, secrets: Iterable[str]) -> str:
    """``text`` without ``secrets``, credentials in URLs, tokens and e-mail addresses."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    text = _CREDENTIALS.sub(HIDDEN, text)
    text = _BEARER.sub(HIDDEN, _GITHUB_TOKEN.sub(HIDDEN, text))
    return _EMAIL.sub("<e-mail>", text) if "@" in text else text
