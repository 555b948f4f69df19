"""Classify an e-mail by its text."""

from __future__ import annotations

from dataclasses import dataclass

from podium.bots.noreply import NoreplyAccount, noreply_account
from podium.bots.tools import BUILT_IN, Kind


@dataclass(frozen=True, slots=True)
class Classified:
    """``account`` is set for noreply addresses only."""

    kind: Kind
    account: NoreplyAccount | None


_HUMAN = Classified("human", None)


def classify_email(email: str, github_host: str = "github.com") -> Classified:
    """Classify ``email``, any text in lower case.

    Accounts are read from ``users.noreply.<github_host>`` only; bots are recognised by their github.com addresses
    everywhere.
    """
    kind, account = BUILT_IN.kind_of(email), noreply_account(email, github_host)
    return _HUMAN if kind == "human" and account is None else Classified(kind, account)
