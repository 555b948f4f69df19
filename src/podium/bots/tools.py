"""Decides whether an address or a login belongs to a bot or an AI agent. Names and company domains decide nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from podium.bots.agent_products import product_at_start
from podium.bots.bots_file import LONGEST_EMAIL, read_bots_file
from podium.bots.known_tools import AGENT_APPS, AGENT_EMAILS, BOT_EMAILS

Kind = Literal["human", "bot", "agent"]

# https://docs.gitlab.com/user/project/settings/project_access_tokens/
_GITLAB_TOKEN = re.compile(r"(?:project|group)_?[0-9]+_bot_?[0-9a-z]*@noreply\..+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Bots:
    """The built-in list of bots and AI agents, with what users added and removed.

    A board asks it whenever it is read, so another list changes old boards, too.

    Args:
        added, removed: e-mail addresses and logins in lower case. An address precedes its login.
    """

    added: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()

    @classmethod
    def from_files(cls, paths: Iterable[Path]) -> Bots:
        """The built-in list with files in the form of :mod:`podium.bots.bots_file`; later files precede earlier ones.

        Raises:
            BadSetting: a file cannot be read.
        """
        entries: dict[str, bool] = {}
        for path in paths:
            entries.update(read_bots_file(path))
        return cls(
            frozenset(entry for entry, is_bot in entries.items() if is_bot),
            frozenset(entry for entry, is_bot in entries.items() if not is_bot),
        )

    def kind_of(self, email: str, stored_kind: Kind = "human") -> Kind:
        """The kind of one row.

        Args:
            email: in lower case.
            stored_kind: what the count saved, by the built-in list and by trailers that name an agent. It decides if
                this list says nothing.
        """
        if len(email) > LONGEST_EMAIL:
            return stored_kind
        local, _, domain = email.rpartition("@")
        # Mail servers do not allow unquoted brackets, so `[bot]` always marks a GitHub App.
        is_app = local.endswith("[bot]")
        login = local.rpartition("+")[2] if is_app or domain.startswith("users.noreply.") else ""
        is_bot = None
        if self.added or self.removed:
            is_bot = self._listed(email)
            if is_bot is None and login:
                is_bot = self._listed(login)
        if is_bot is False:
            return "human"
        if email in AGENT_EMAILS or (is_app and login in AGENT_APPS):
            return "agent"
        # The pattern costs more than all else, and most addresses have no such word.
        if is_bot or is_app or email in BOT_EMAILS or ("_bot" in local and _GITLAB_TOKEN.fullmatch(email)):
            return "bot"
        return stored_kind

    def is_bot_login(self, login: str, *, is_marked: bool = False) -> bool:
        """Whether an account is a bot's. No person can take a login that ends in ``[bot]``.

        Args:
            login: as the host states it.
            is_marked: whether the host marks the account as a bot.
        """
        login = login.lower()
        listed = self._listed(login)
        return (is_marked or login.endswith("[bot]")) if listed is None else listed

    def product(self, email: str, name: str) -> str:
        """The product of an agent, such as ``Claude``; all of its models and addresses have one."""
        login = email.rpartition("@")[0].rpartition("+")[2]
        listed = AGENT_EMAILS.get(email) or AGENT_APPS.get(login) or product_at_start(name)
        # Linux' form of the trailer is NAME:MODEL.
        return listed or name.partition(":")[0].strip() or email

    def _listed(self, entry: str) -> bool | None:
        return True if entry in self.added else False if entry in self.removed else None


BUILT_IN = Bots()
