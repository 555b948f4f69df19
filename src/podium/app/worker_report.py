"""What a worker reports of itself: the limits of its counts, and whether its machine works."""

from __future__ import annotations

from podium.app.ready_checks import counting_checks
from podium.settings import Settings


def counting_problem(settings: Settings) -> str | None:
    """Say what keeps this machine from counting: its disk or its git; None: nothing. It takes milliseconds."""
    return next((problem for check in counting_checks(settings) if (problem := check.look()) is not None), None)


def limits_of_counts(settings: Settings) -> dict[str, float | None]:
    """Limits of one count, by which workers are compared (:mod:`~podium.jobs.worker_fault_rules`); None: no limit."""
    limits = {
        "repositoryBytes": settings.max_repository_bytes,
        "commits": settings.max_commits,
        "people": settings.max_people,
        "countMemory": settings.count_memory,
        "cpuSeconds": settings.count_cpu_seconds,
        "gitMemory": settings.git_memory,
        "gitTimeout": settings.git_timeout,
    }
    return {name: value or None for name, value in limits.items()}
