"""Check who can reach what, and warn of what an operator would regret."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

from podium.app.admin_token import token_file
from podium.cli.doctor.findings import Finding, warning
from podium.freshness.hooks.hook_events import HookHost
from podium.net import is_loopback
from podium.settings import MIN_TOKEN, Settings
from podium.textutil.plural import plural
from podium.web.webhooks.signatures import signing_key
from podium.web.webhooks.webhook_secrets import WebhookSecrets

# A random token of MIN_TOKEN hexadecimal digits has about ten different ones.
_FEW_CHARACTERS = 6
_MANY_SECRETS = 10
_EVERYONE = ("*", "0.0.0.0/0", "::/0")


def exposure(settings: Settings) -> Iterator[Finding]:
    yield from _tokens(settings)
    yield from _webhook_secrets(settings)
    yield from _emails(settings)
    yield from _proxies(settings)
    yield from _files(settings)


def is_public(settings: Settings) -> bool:
    """Whether others reach the server: directly, or through a proxy on this machine."""
    return bool(not is_loopback(settings.host) or settings.allowed_hosts or settings.trusted_proxies)


def _warning(detail: str, advice: str) -> Finding:
    return warning("settings", detail, advice)


def _tokens(settings: Settings) -> Iterator[Finding]:
    if not settings.admin_token and (settings.uses_redis or is_public(settings)):
        makes_one = "it uses the token in the file admin-token of its data folder"
        closed = "the queues, refreshes and metrics refuse every request"
        yield _warning(
            "There is no PODIUM_ADMIN_TOKEN.",
            f"Set it, as for the server: without it, {closed if settings.uses_redis else makes_one}.",
        )
    for variable, token in (
        ("PODIUM_ADMIN_TOKEN", settings.admin_token),
        ("PODIUM_METRICS_TOKEN", settings.metrics_token),
    ):
        if token and (len(token) < MIN_TOKEN or len(set(token)) < _FEW_CHARACTERS):
            yield _warning(f"{variable} is easy to guess.", "Replace it: `openssl rand -hex 24` makes one.")
    if settings.metrics_token and settings.metrics_token == settings.admin_token:
        yield _warning(
            "PODIUM_METRICS_TOKEN is the administrator's token, so every scraper is an administrator.",
            "Give it a value of its own.",
        )


def _webhook_secrets(settings: Settings) -> Iterator[Finding]:
    secrets = WebhookSecrets(settings)
    texts = [secret.secret.decode() for secret in secrets.all]
    if any(len(text) < MIN_TOKEN or len(set(text)) < _FEW_CHARACTERS for text in texts):
        yield _warning(
            "A secret of PODIUM_WEBHOOK_SECRETS is easy to guess: with it, anyone can hide boards for a while.",
            "Replace it, here and at the host: `openssl rand -hex 24` makes one.",
        )
    for host in secrets.bound_to_others():
        yield _warning(
            f"A secret of PODIUM_WEBHOOK_SECRETS is bound to {host}, whose repositories this server does not accept.",
            "Correct the name, or add its origin to PODIUM_GIT_HOSTS.",
        )
    if any(text.startswith("whsec_") and signing_key(text.encode()) is None for text in texts):
        yield _warning(
            "A signing token of GitLab in PODIUM_WEBHOOK_SECRETS is damaged: after whsec_ it is not base64.",
            "Copy the whole token.",
        )
    if {settings.admin_token, settings.metrics_token} & set(texts) - {""}:
        yield _warning(
            "A secret of PODIUM_WEBHOOK_SECRETS is a token of this server too, so a host can use it.",
            "Give the webhooks a value of their own.",
        )
    if len(texts) > _MANY_SECRETS:
        yield _warning(
            f"PODIUM_WEBHOOK_SECRETS has {len(texts)} secrets, and each delivery is compared with all of them.",
            "Remove those that no host uses any more.",
        )


def webhooks(settings: Settings) -> str:
    """Which webhooks are open, without their secrets."""
    secrets = WebhookSecrets(settings)
    hosts = sorted({host for route in HookHost for host in secrets.hosts_of(route, list(secrets.all))})
    return f"{plural(len(secrets), 'secret')} of webhooks, for {', '.join(hosts)}"


def _emails(settings: Settings) -> Iterator[Finding]:
    if settings.show_emails and is_public(settings):
        yield _warning(
            "PODIUM_SHOW_EMAILS=true shows whole e-mail addresses to everyone who reaches the server.",
            "Unset it: the administrator still sees them.",
        )


def _proxies(settings: Settings) -> Iterator[Finding]:
    if any(proxy in _EVERYONE for proxy in settings.trusted_proxies):
        yield _warning(
            "PODIUM_TRUSTED_PROXIES trusts everyone, so each client can choose its own address and has no limit.",
            "List only the addresses of your proxies.",
        )
    if is_loopback(settings.host) and settings.allowed_hosts and not settings.trusted_proxies:
        yield _warning(
            "Only a proxy on this machine can reach the names in PODIUM_ALLOWED_HOSTS, and PODIUM_TRUSTED_PROXIES is "
            "empty: all clients count as one, without a budget for reads.",
            "Set PODIUM_TRUSTED_PROXIES=127.0.0.1, and let the proxy send X-Forwarded-For.",
        )


def _files(settings: Settings) -> Iterator[Finding]:
    folder, token = settings.data_folder(), token_file(settings)
    if _is_open(folder):
        yield _warning(f"Other users of this machine can read {folder}.", f"chmod 700 {folder}")
    if not settings.admin_token and _is_open(token):
        yield _warning(
            f"Other users of this machine can read {token}.", "Restart `podium serve`: it makes another token."
        )


def _is_open(path: Path) -> bool:
    try:
        return bool(stat.S_IMODE(path.stat().st_mode) & 0o077)
    except OSError:
        # It does not exist, or cannot be read: the check of the disk reports it.
        return False
