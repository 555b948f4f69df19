"""The limits of a server's git, from the settings."""

from __future__ import annotations

from podium.app import factories
from podium.app.worker_report import limits_of_counts
from podium.settings import Settings


def test_zero_is_no_limit() -> None:
    variables = ("PODIUM_GIT_TIMEOUT", "PODIUM_GIT_MEMORY", "PODIUM_MAX_REPOSITORY_BYTES", "PODIUM_COUNT_CPU_SECONDS")
    settings = Settings.from_environment(dict.fromkeys(variables, "0"))
    limits = factories._server_git(settings).limits
    assert (limits.timeout, limits.memory, limits.repository_bytes, limits.cpu_seconds) == (None,) * 4
    # What a worker says of itself.
    reported = limits_of_counts(settings)
    assert [reported[name] for name in ("gitTimeout", "gitMemory", "repositoryBytes", "cpuSeconds")] == [None] * 4
