"""Decides whether an address or a login belongs to a bot or an AI agent. Names and company domains decide nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from podium.bots.agent_products import product_at_start
from podium.bots.known_tools import AGENT_APPS, AGENT_EMAILS, BOT_EMAILS

Kind = Literal["human", "bot", "agent"]

# https://docs.gitlab.com/user/project/settings/project_access_tokens/
_GITLAB_TOKEN = re.compile(r"(?:project|group)_?[0-9]+_bot_?[0-9a-z]*@noreply\..+", re.ASCII)
# RFC 5321.
LONGEST_EMAIL = 254


@dataclass(frozen=True, slots=True)
class Bots:
    """The built-in list of bots and AI agents. Decides whenever a board is read, so a new list changes old boards."""

    def kind_of(self, email: str, stored_kind: str = "human") -> Kind:
        """The kind of one row.

        Args:
            email: in lower case.
            stored_kind: what the count saved. It decides for a row without an e-mail: an agent that a trailer names.
        """
        if not email.strip():
            return "agent" if stored_kind == "agent" else "human"
        if len(email) > LONGEST_EMAIL:
            return "human"
        if email in AGENT_EMAILS:
            return "agent"
        local = email.rpartition("@")[0]
        # Mail servers do not allow unquoted brackets, so `[bot]` always marks a GitHub App.
        if local.endswith("[bot]"):
            return "agent" if local.rpartition("+")[2] in AGENT_APPS else "bot"
        if email in BOT_EMAILS or _GITLAB_TOKEN.fullmatch(email):
            return "bot"
        return "human"

    def is_bot_login(self, login: str) -> bool:
        """Whether a login of a GitHub account is a bot's; no person can take one that ends in ``[bot]``."""
        return login.lower().endswith("[bot]")

    def product(self, email: str, name: str) -> str:
        """The product of an agent, such as ``Claude``; all of its models and addresses have one."""
        login = email.rpartition("@")[0].rpartition("+")[2]
        listed = AGENT_EMAILS.get(email) or AGENT_APPS.get(login) or product_at_start(name)
        # Linux' form of the trailer is NAME:MODEL.
        return listed or name.partition(":")[0].strip() or email
