"""The environment of child processes: only what they need, so that a flaw in one reveals no other secret."""

from __future__ import annotations

import os

from podium.settings import Settings

# For Python and for the platform. PATH and XDG_DATA_HOME are settings.
_ALWAYS = frozenset(
    "HOME LANG LC_ALL LC_CTYPE LD_LIBRARY_PATH PYTHONDONTWRITEBYTECODE PYTHONHOME PYTHONPATH PYTHONPYCACHEPREFIX "
    "TMPDIR TZ".split()
)
# For requests to GitHub's API. A proxy's address may contain a password.
_REQUESTS = frozenset(
    "ALL_PROXY HTTP_PROXY HTTPS_PROXY NO_PROXY all_proxy http_proxy https_proxy no_proxy "
    "SSL_CERT_DIR SSL_CERT_FILE".split()
)

_EVERY_SECRET = (
    *("database_url", "redis_url", "redis_password", "github_tokens", "admin_token", "metrics_token"),
    "webhook_secrets",
)


def counting_environment(settings: Settings) -> dict[str, str]:
    """For a process that counts one repository: no token, no Redis."""
    return {**_inherited(settings, _ALWAYS), **settings.to_environment("database_url")}


def worker_environment(settings: Settings, kind: str) -> dict[str, str]:
    """For ``podium _work KIND``: only a user worker asks GitHub."""
    shared = ("database_url", "redis_url", "redis_password")
    if kind == "commits":
        return {**_inherited(settings, _ALWAYS), **settings.to_environment(*shared)}
    return {**_inherited(settings, _ALWAYS | _REQUESTS), **settings.to_environment(*shared, "github_tokens")}


def doctor_environment(settings: Settings) -> dict[str, str]:
    """For ``podium doctor``, which checks every secret."""
    return {**_inherited(settings, _ALWAYS | _REQUESTS), **settings.to_environment(*_EVERY_SECRET)}


def _inherited(settings: Settings, names: frozenset[str]) -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        # libpq's variables complete DATABASE_URL: https://www.postgresql.org/docs/current/libpq-envars.html.
        if name in names or (settings.uses_postgres and name.startswith("PG"))
    }
