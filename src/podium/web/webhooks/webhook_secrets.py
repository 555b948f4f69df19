"""The secrets of ``PODIUM_WEBHOOK_SECRETS``, and the hosts that each speaks for."""

from __future__ import annotations

import dataclasses
import re

from podium.freshness.hooks.hook_events import HookHost
from podium.repositories.address import host_of
from podium.settings import Settings

_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*(?::[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](?::[0-9]{1,5})?")


@dataclasses.dataclass(frozen=True, slots=True)
class WebhookSecret:
    """host: the only one that it speaks for; None: for all of the route's."""

    secret: bytes = dataclasses.field(repr=False)
    host: str | None = None


class WebhookSecrets:
    """``/webhooks/github`` speaks for the configured GitHub, the other routes for the other accepted hosts.

    So a secret never reaches beyond the hosts that this server accepts. One that is known at several hosts can be bound
    to each of them: ``HOST=SECRET``.
    """

    def __init__(self, settings: Settings) -> None:
        self._github = host_of(settings.github_server_url)
        self._others = frozenset(host_of(origin) for origin in (*settings.git_hosts, *settings.private_git_hosts)) - {
            self._github
        }
        self._secrets = tuple(self._read(text) for text in settings.webhook_secrets)

    def __len__(self) -> int:
        return len(self._secrets)

    @property
    def all(self) -> tuple[WebhookSecret, ...]:
        return self._secrets

    def hosts_of(self, route: HookHost, secrets: list[WebhookSecret]) -> frozenset[str]:
        """The hosts that a sender speaks for who has signed with one of ``secrets``."""
        hosts = frozenset({self._github}) if route is HookHost.GITHUB else self._others
        return frozenset(host for host in hosts if any(secret.host in (None, host) for secret in secrets))

    def bound_to_others(self) -> list[str]:
        """The hosts that secrets seem to be bound to and that this server does not accept."""
        return [
            host
            for secret in self._secrets
            if secret.host is None and (host := _bound_host(secret.secret.decode())) is not None
        ]

    def _read(self, text: str) -> WebhookSecret:
        host, _, rest = text.partition("=")
        host = host.lower()
        if rest and host in {self._github, *self._others}:
            return WebhookSecret(rest.encode(), host)
        return WebhookSecret(text.encode())


def _bound_host(text: str) -> str | None:
    host, mark, rest = text.partition("=")
    # The end of a base64 text is not a binding.
    is_host = bool(mark and rest.strip("=")) and ("." in host or ":" in host) and _HOST.fullmatch(host) is not None
    return host if is_host else None
