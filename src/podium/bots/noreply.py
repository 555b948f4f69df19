"""The account that a noreply address of GitHub names.

The number identifies the account. Anyone can write any login after it (``583231+evil@users.noreply.github.com``), so
the login only fills an empty field. The form without a number identifies no person: logins are reused. It does identify
an App, because no person can take a login that ends in ``[bot]``, also on Enterprise Server.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from podium.bots.bots_file import LONGEST_EMAIL
from podium.bots.known_tools import APP_NUMBERS

# Account numbers are stored as signed 64-bit integers.
_LARGEST_ID = 2**63 - 1
# Old logins may end in '-' or double it; Enterprise Managed Users have a `_shortcode`, Apps end in `[bot]`.
_LOGIN = r"[a-z0-9_-]{1,64}(?:\[bot\])?"
# `ID+login` since 2017-07-18, the login alone before. GitHub's numbers do not start with 0.
_NOREPLY = re.compile(rf"(?:([1-9][0-9]{{0,18}})\+)?({_LOGIN})", re.ASCII)


@dataclass(frozen=True, slots=True)
class NoreplyAccount:
    """An account as its noreply address names it.

    Attributes:
        account_id: None in the form without a number, except for Apps whose number is known.
        login: '' if it is that of an App with another number.
    """

    account_id: int | None
    login: str

    @property
    def is_app(self) -> bool:
        return self.login.endswith("[bot]")


def noreply_domain(github_host: str) -> str:
    return f"users.noreply.{github_host.partition(':')[0]}"


def is_app_email(email: str) -> bool:
    """Mail servers do not allow unquoted brackets, so ``[bot]`` always marks a GitHub App."""
    return email.rpartition("@")[0].endswith("[bot]")


def noreply_account(email: str, github_host: str) -> NoreplyAccount | None:
    """The account of ``email`` (any text in lower case) at ``github_host``; None for other addresses."""
    local, _, domain = email.rpartition("@")
    if len(email) > LONGEST_EMAIL or domain != noreply_domain(github_host):
        return None
    match = _NOREPLY.fullmatch(local)
    if match is None:
        return None
    number, login = match.groups()
    # Each GitHub has numbers of its own.
    known = APP_NUMBERS.get(login) if github_host == "github.com" else None
    if number is None:
        return NoreplyAccount(known, login)
    account_id = int(number)
    if account_id > _LARGEST_ID:
        return None
    return NoreplyAccount(account_id, login if known in (None, account_id) else "")
