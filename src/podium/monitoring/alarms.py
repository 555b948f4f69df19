"""The facts behind the alarms that the overview does not show."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Mapping, Sequence

from podium.jobs.messages.queues import COMMITS, USERS
from podium.monitoring import stalled
from podium.repositories.store.freshness import names
from podium.repositories.store.queue import host_limits, host_outages, worker_faults
from podium.repositories.store.queue.pauses import PauseKind
from podium.repositories.store.readers import alarm_counts, queue_counts
from podium.storage.session import Database
from podium.telemetry.metrics import Gauge

# What always has a value, so that an alarm sees its end. Other codes appear with their first repository.
FAILURES = ("worker-crashed", "internal", "git-failed")
# Hosts that have gauges of their own.
HOSTS = 50
STALLED = ("expired_lease", "never_enqueued", "no_progress")


@dataclasses.dataclass(frozen=True, slots=True)
class AlarmFacts:
    """At one moment.

    Attributes:
        hosts_away: git hosts that do not answer, and host_away_seconds: for how long the first of them.
        waiting: repositories by the code of what they wait for.
        hidden: repositories that their host no longer shows.
        undecided: boards about which an administrator must decide, because other repositories have their names.
        failed: repositories by error code.
        worker_faults: workers that could not do a repository in the last hour, by code.
        stalled: repositories by reason.
        backlog: seconds by queue.
        paused, paused_seconds: pauses by kind, and for how long the first of them has lasted.
        queued: repositories that wait to be counted, by who asked for it.
        checks_due, checks_late_seconds: checks of hosts that are due, and for how long the first of them.
        host_limits, host_running: how many repositories of a host with a limit are counted at once, and are now.
    """

    hosts_away: int
    host_away_seconds: float
    waiting: Mapping[str, int]
    hidden: int
    undecided: int
    failed: Mapping[str, int]
    worker_faults: Mapping[str, int]
    stalled: Mapping[str, int]
    backlog: Mapping[str, float]
    paused: Mapping[str, int]
    paused_seconds: Mapping[str, float]
    queued: Mapping[str, int]
    checks_due: int
    checks_late_seconds: float
    host_limits: Mapping[str, int]
    host_running: Mapping[str, int]


def read(db: Database, *, no_progress_after: float, counts_per_host: int = 0) -> AlarmFacts:
    """Read them in one snapshot.

    Raises:
        StorageError: the database cannot be read.
    """
    with db.read() as session:
        away, away_seconds = host_outages.number_down(session)
        stages = alarm_counts.backlog(session)
        paused = dict.fromkeys(PauseKind, (0, 0.0)) | queue_counts.paused(session)
        queued = queue_counts.queued(session)
        due, late = queue_counts.due_checks(session)
        limited = host_limits.limits(session, counts_per_host, limit=HOSTS)
        return AlarmFacts(
            hosts_away=away,
            host_away_seconds=away_seconds,
            waiting=alarm_counts.waiting(session),
            hidden=alarm_counts.hidden(session),
            undecided=names.count_undecided(session),
            failed=dict.fromkeys(FAILURES, 0) | alarm_counts.failed(session),
            worker_faults=worker_faults.workers_by_code(session, within=3600.0),
            stalled=dict.fromkeys(STALLED, 0) | _by_reason(stalled.find(session, no_progress_after=no_progress_after)),
            backlog={COMMITS: stages.get("commits", 0.0), USERS: stages.get("users", 0.0)},
            paused={str(kind): number for kind, (number, _) in paused.items()},
            paused_seconds={str(kind): seconds for kind, (_, seconds) in paused.items()},
            queued=dataclasses.asdict(queued),
            checks_due=due,
            checks_late_seconds=late,
            host_limits={one.host: one.at_once for one in limited if one.at_once},
            host_running={one.host: one.running for one in limited},
        )


def _by_reason(found: Sequence[stalled.StalledRepository]) -> dict[str, int]:
    return dict(collections.Counter(one.reason for one in found))


def gauges(facts: AlarmFacts) -> list[Gauge]:
    return [
        Gauge.single("podium_git_hosts_away", "Git hosts that do not answer.", facts.hosts_away),
        Gauge.single(
            "podium_git_host_away_seconds", "For how long the first of them does not answer.", facts.host_away_seconds
        ),
        _by("podium_repositories_delayed", "Repositories by what they wait for.", "reason", facts.waiting),
        Gauge.single("podium_repositories_hidden", "Repositories that their host no longer shows.", facts.hidden),
        Gauge.single("podium_boards_undecided", "Boards whose names other repositories have.", facts.undecided),
        _by("podium_repositories_failed", "Failed repositories by error code.", "code", facts.failed),
        _by(
            "podium_worker_faults",
            "Workers that could not do a repository in the last hour, by the code of the reason.",
            "code",
            facts.worker_faults,
        ),
        _by("podium_repositories_stalled", "Stalled repositories (at most ten), by reason.", "reason", facts.stalled),
        _by(
            "podium_backlog_seconds",
            "Time since the last progress of the repository that could be worked on for longest.",
            "queue",
            facts.backlog,
        ),
        _by("podium_paused", "What an administrator has paused, by kind.", "kind", facts.paused),
        _by("podium_paused_seconds", "For how long the first of them is paused.", "kind", facts.paused_seconds),
        _by("podium_repositories_queued", "Repositories that wait to be counted.", "priority", facts.queued),
        Gauge.single("podium_checks_due", "Checks of hosts that are due.", facts.checks_due),
        Gauge.single("podium_checks_late_seconds", "For how long the first of them is due.", facts.checks_late_seconds),
        _by("podium_host_limit", "Repositories of a host that may be counted at once.", "host", facts.host_limits),
        _by("podium_host_running", "Repositories of a host with a limit that are counted.", "host", facts.host_running),
    ]


def _by(name: str, doc: str, label: str, values: Mapping[str, float]) -> Gauge:
    return Gauge(name, doc, (label,), {(key,): value for key, value in values.items()})
