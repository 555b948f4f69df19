"""Remove secrets and personal data from a line of the log.

Podium's own messages contain neither. Messages of libraries and of git may contain both: a database quotes the row it
rejects, git the address it was given.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote, unquote, urlsplit

HIDDEN = "***"

# User and password before a host. GitHub's token formats: https://github.blog/2021-04-05-…-token-formats/.
_CREDENTIALS = re.compile(r"(?<=://)[^\s/@:]*:[^\s/@]+(?=@)")
_GITHUB_TOKEN = re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9_]{16,}|github_pat_[A-Za-z0-9_]{16,})")
_BEARER = re.compile(r"(?i)(?<=\bbearer )[A-Za-z0-9._~+/=-]{8,}")
# git@host is not a person's address.
_EMAIL = re.compile(r"(?<![\w.+-])(?!git@)[\w.+-]{1,100}@[\w-]{1,100}(?:\.[\w-]{1,100})+")


def secrets_of(values: Iterable[str]) -> frozenset[str]:
    """The secrets in ``values`` (secrets, or URLs with a password), each also URL-quoted and unquoted."""
    found: set[str] = set()
    for value in values:
        if "://" in value:
            password = _password(value)
            found |= {password, unquote(password)}
        else:
            found |= {value, quote(value, safe="")}
    # A shorter one would hide half of every line, and protects nothing.
    return frozenset(secret for secret in found if len(secret) >= 4)


def _password(url: str) -> str:
    try:
        return urlsplit(url).password or ""
    except ValueError:
        return ""


def redact(text: str, secrets: Iterable[str]) -> str:
    """Replace ``secrets``, credentials in URLs, tokens and e-mail addresses."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    text = _CREDENTIALS.sub(HIDDEN, text)
    text = _BEARER.sub(HIDDEN, _GITHUB_TOKEN.sub(HIDDEN, text))
    return _EMAIL.sub("<e-mail>", text) if "@" in text else text
