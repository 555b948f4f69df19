"""Classify an e-mail by its text.

Anyone can write any login into an e-mail (``583231+evil@users.noreply.github.com``): use it to fill an empty field
only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from podium.bots.bots_file import LONGEST_EMAIL
from podium.bots.tools import BUILT_IN, Kind

# Account numbers are stored as signed 64-bit integers.
_LARGEST_ID = 2**63 - 1

# Old logins may end in '-' or double it; Enterprise Managed Users have a `_shortcode`, Apps end in `[bot]`.
_LOGIN = r"[a-z0-9_-]{1,64}(?:\[bot\])?"
# `ID+login` since 2017-07-18, the login alone before. GitHub's numbers do not start with 0.
_NOREPLY = re.compile(rf"(?:([1-9][0-9]{{0,18}})\+)?({_LOGIN})", re.ASCII)


@dataclass(frozen=True, slots=True)
class NoreplyAccount:
    """``account_id`` is None in the form without a number, which identifies no account: logins are reused."""

    account_id: int | None
    login: str


@dataclass(frozen=True, slots=True)
class Classified:
    """``account`` is set for noreply addresses only."""

    kind: Kind
    account: NoreplyAccount | None


_HUMAN = Classified("human", None)


def classify(email: str, github_host: str = "github.com") -> Classified:
    """Classify ``email``, any text in lower case.

    Accounts are read from ``users.noreply.<github_host>`` only; bots are recognised by their github.com addresses
    everywhere.
    """
    if len(email) > LONGEST_EMAIL:
        return _HUMAN
    local, _, domain = email.rpartition("@")
    hostname = github_host.partition(":")[0]
    account = _noreply_account(local) if domain == f"users.noreply.{hostname}" else None
    kind = BUILT_IN.kind_of(email)
    return _HUMAN if kind == "human" and account is None else Classified(kind, account)


def _noreply_account(local: str) -> NoreplyAccount | None:
    match = _NOREPLY.fullmatch(local)
    if match is None:
        return None
    number, login = match.groups()
    if number is None:
        return NoreplyAccount(None, login)
    account_id = int(number)
    return NoreplyAccount(account_id, login) if account_id <= _LARGEST_ID else None
