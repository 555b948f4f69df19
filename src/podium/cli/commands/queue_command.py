"""``podium queue``: show the queues, retry, drop or move repositories, pause and limit hosts."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping

from podium.app import factories
from podium.app.operations import installation
from podium.audit import audit_log
from podium.cli import output
from podium.errors import NoDatabaseYet, PodiumError
from podium.freshness import name_decisions
from podium.monitoring.inspector import Inspector
from podium.monitoring.overview import DENIALS, Overview, WorkerRow, as_json, nothing_yet
from podium.repositories.store.queue.pauses import PauseKind, why_host_is_paused
from podium.settings import Settings
from podium.submissions import admin, control
from podium.submissions.control import QueueChange
from podium.submissions.refresh_interval import set_interval
from podium.textutil.age import age
from podium.textutil.plural import plural
from podium.textutil.sanitize import clean
from podium.textutil.table import text_table
from podium.textutil.width import cut
from podium.timeutil import readable_time

# Cursor home, clear to the end.
_CLEAR = "\x1b[H\x1b[J"

_WIDEST = 60


def show(options: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Show the queues once, or every ``--watch`` seconds.

    Raises:
        PodiumError: the database or the queue cannot be read.
    """
    settings = Settings.from_environment(environment)
    try:
        while not _show_database(settings, options) and options.watch is not None:
            time.sleep(options.watch)
    except KeyboardInterrupt:
        if options.watch is None:
            raise
    return 0


def _show_database(settings: Settings, options: argparse.Namespace) -> bool:
    """Return False if there is none yet."""
    try:
        with installation(settings) as installed:
            if options.watch is None:
                output.write(_document(installed.inspector, as_json=options.json, indent=2))
                return True
            while True:
                output.write(_glance(installed.inspector, as_json=options.json))
                time.sleep(options.watch)
    except NoDatabaseYet as error:
        _show_nothing_yet(error, options)
        return False


def _show_nothing_yet(error: NoDatabaseYet, options: argparse.Namespace) -> None:
    if options.json:
        output.write(_json(nothing_yet(time.time()), 2 if options.watch is None else None))
    else:
        output.write(f"Nothing is queued. {error.message} That is normal on a new machine.\n")


def _glance(inspector: Inspector, *, as_json: bool) -> str:
    # Show an error instead of raising it: the next read may succeed.
    try:
        document = _document(inspector, as_json=as_json, indent=None)
    except PodiumError as error:
        document = json.dumps({"error": error.message}) + "\n" if as_json else f"{error.message}\n"
    if as_json:
        return document
    return _CLEAR + document if sys.stdout.isatty() else document + "\n"


def retry(options: argparse.Namespace, environment: Mapping[str, str]) -> int:
    with installation(Settings.from_environment(environment)) as installed:
        due = admin.retry(installed.db, options.ids, actor=audit_log.command_line())
        if installed.queues:
            installed.queues.forget_dead(set(options.ids) or None)
        works = installed.inspector.has_workers()
    output.write(f"{admin.retry_message(due, works=works)}\n")
    return 0


def drop(options: argparse.Namespace, environment: Mapping[str, str]) -> int:
    with installation(Settings.from_environment(environment)) as installed:
        row = admin.drop(installed.db, options.id, actor=audit_log.command_line())
        if installed.queues:
            installed.queues.forget_dead({options.id})
    output.write(f"{admin.drop_message(row)}\n")
    return 0


def check_every(options: argparse.Namespace, environment: Mapping[str, str]) -> int:
    settings = Settings.from_environment(environment)
    with installation(settings) as installed:
        row = set_interval(
            installed.db,
            options.id,
            options.seconds,
            every=settings.refresh_interval(),
            actor=audit_log.command_line(),
        )
    output.write(f"{row.url} is checked for new commits {_how_often(row.refresh_every)}.\n")
    return 0


def _how_often(seconds: float | None) -> str:
    if seconds is None:
        return "as often as PODIUM_REFRESH_EVERY says"
    return f"every {plural(int(seconds), 'second')}" if seconds else "only when it is submitted"


def keep(options: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Keep the board of a repository whose name another one has."""
    with installation(Settings.from_environment(environment)) as installed:
        row = name_decisions.keep(installed.db, options.id, actor=audit_log.command_line())
    output.write(f"The board of {clean(row.url)} is kept as it is.\n")
    return 0


def start_over(options: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Forget such a board, and count the repository that has the name now."""
    settings = Settings.from_environment(environment)
    with installation(settings) as installed:
        kept = factories.kept_on_disk(settings)
        row = name_decisions.start_over(installed.db, options.id, actor=audit_log.command_line(), kept=kept)
        if installed.queues:
            installed.queues.forget_dead({options.id})
    output.write(f"The old board of {clean(row.url)} is forgotten, and the repository that has the name is counted.\n")
    return 0


def pause(options: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Pause the schedule, a host or a repository.

    Raises:
        BadRule, BadAddress, NotFound: there is nothing of that name to pause.
        StorageError: the database cannot be written.
    """
    return _pause(options, environment, control.pause)


def resume(options: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """End a pause; raises as :func:`pause`."""
    return _pause(options, environment, control.resume)


def _pause(options: argparse.Namespace, environment: Mapping[str, str], change: Callable[..., QueueChange]) -> int:
    settings = Settings.from_environment(environment)
    with installation(settings) as installed:
        github_url = settings.github_server_url
        actor = audit_log.command_line()
        _say(change(installed.db, options.kind, options.name, actor=actor, github_url=github_url))
    return 0


def limit(options: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Set how many repositories of a host are counted at once; raises as :func:`pause`."""
    with installation(Settings.from_environment(environment)) as installed:
        _say(control.limit_host(installed.db, options.host, options.number, actor=audit_log.command_line()))
    return 0


def first(options: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Let a repository be counted next.

    Raises:
        NotFound, Conflict: it is not here, or does not wait to be counted.
    """
    return _move(options, environment, to_front=True)


def last(options: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Let a repository wait behind all others; raises as :func:`first`."""
    return _move(options, environment, to_front=False)


def _move(options: argparse.Namespace, environment: Mapping[str, str], *, to_front: bool) -> int:
    with installation(Settings.from_environment(environment)) as installed:
        _say(control.move(installed.db, options.id, to_front=to_front, actor=audit_log.command_line()))
    return 0


def _say(done: QueueChange) -> None:
    output.write(f"{clean(done.message)}\n")


def _document(inspector: Inspector, *, as_json: bool, indent: int | None) -> str:
    overview = inspector.overview()
    return _json(overview, indent) if as_json else table(overview)


def _json(overview: Overview, indent: int | None) -> str:
    return json.dumps(as_json(overview), indent=indent) + "\n"


def table(overview: Overview) -> str:
    blocks = [
        *(_queues(overview), _repositories(overview), _facts(overview), _workers(overview)),
        *(_paused(overview), _limits(overview), _next_in_queue(overview)),
        *(_delayed(overview), _hidden(overview), _undecided(overview), _failures(overview)),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


_SOURCES = {
    "memory": "",
    "redis": "",
    "heartbeat": "From the workers' last heartbeat: these queues are in their memory.",
}


def _queues(overview: Overview) -> str:
    if overview.queues is None:
        return (
            "Queues: none. They are in the memory of `podium serve`, and none is running on this database. "
            "That is normal for `podium rank` alone."
        )
    rows = [
        [name, str(depth.waiting), str(depth.active), str(depth.delayed), str(depth.dead)]
        for name, depth in overview.queues.items()
    ]
    text = text_table(["Queue", "Waiting", "Active", "Delayed", "Dead"], rows, right={1, 2, 3, 4})
    note = _SOURCES[overview.queues_source or "memory"]
    return f"{text}\n{note}" if note else text


def _repositories(overview: Overview) -> str:
    rows = []
    for state, found in overview.repositories.items():
        oldest = since = ""
        if found.oldest is not None:
            oldest = f"#{found.oldest.id} {cut(clean(found.oldest.url), _WIDEST)}"
            since = "" if found.oldest.since is None else age(overview.at - found.oldest.since)
        rows.append([state.words, f"{found.count:,}", since, oldest])
    return text_table(["Repositories", "Count", "Since", "Oldest"], rows, right={1, 2})


def _facts(overview: Overview) -> str:
    lines = [
        f"Leases: {overview.leases.held:,} held, {overview.leases.expired:,} expired. Delayed: {overview.waiting:,}.",
        f"Waiting to be counted: {overview.queued.people:,} for people, {overview.queued.schedule:,} for the schedule.",
        *_checks(overview),
        f"Batches left: {overview.batches_left:,}, of {plural(overview.emails_left, 'e-mail')}.",
        *(_budget(overview) or ["GitHub's budget: unknown, because no request was sent since the workers started."]),
    ]
    if overview.limits_in_force:
        lines.append(
            f"GitHub's limit is in force for {plural(len(overview.limits_in_force), 'token')}; "
            f"the first until {readable_time(overview.limits_in_force[0].until)}."
        )
    if overview.counting_problem:
        lines.append(clean(overview.counting_problem))
    lines += _tokens(overview)
    if overview.github_away_since is not None:
        lines.append(f"GitHub has not answered since {readable_time(overview.github_away_since)}.")
    if overview.boards_unresolved:
        boards = plural(overview.boards_unresolved, "board")
        lines.append(f"Accounts are missing on {boards}: they are looked up as soon as GitHub answers.")
    return "\n".join(lines)


def _checks(overview: Overview) -> list[str]:
    due = overview.checks_due
    return [f"Checks of hosts that are due: {due.count:,}, the first for {age(due.seconds)}."] if due.count else []


def _paused(overview: Overview) -> str:
    lines = []
    for one in overview.paused:
        name = {"schedule": "the schedule", "host": clean(one.name)}.get(
            one.kind, f"#{one.name} {cut(clean(one.url or 'not here any more'), _WIDEST)}"
        )
        waiting = f"; waiting for it: {plural(one.waiting, 'repository', 'repositories')}" if one.waiting else ""
        lines.append(f"{name}, for {age(overview.at - one.since)}{waiting}")
    return "\n".join(["Paused by an administrator:", *lines]) if lines else ""


def _limits(overview: Overview) -> str:
    rows = [[clean(one.host), str(one.running), str(one.at_once or "any")] for one in overview.host_limits]
    return text_table(["Host with a limit", "Counted", "At once"], rows, right={1, 2}) if rows else ""


def _next_in_queue(overview: Overview) -> str:
    rows = [
        [str(one.place), one.priority, f"#{one.id} {cut(clean(one.url), _WIDEST)}", clean(one.reason or "")]
        for one in overview.next
    ]
    return text_table(["Next", "For", "Repository", ""], rows, right={0}) if rows else ""


def _tokens(overview: Overview) -> list[str]:
    lines = []
    for token in overview.tokens:
        name = f"Token {token.number} of {len(overview.tokens)}"
        if token.refused_since is not None:
            again = "" if token.next_try_at is None else f", next try in {age(token.next_try_at - overview.at)}"
            lines.append(f"{name}: GitHub has refused it since {readable_time(token.refused_since)}{again}.")
        lines += [f"{name}: {DENIALS[code]}." for code in token.denied]
    return lines


def _budget(overview: Overview) -> list[str]:
    lines = []
    for budget in overview.budget:
        if budget.remaining is None or budget.limit is None:
            lines.append(f"GitHub's budget ({budget.api}): no limit.")
            continue
        resets = ""
        if budget.resets_at is not None:
            resets = f", resets at {readable_time(budget.resets_at)} (in {age(budget.resets_at - overview.at)})"
        lines.append(f"GitHub's budget ({budget.api}): {budget.remaining:,} of {budget.limit:,} left{resets}.")
    return lines


def _workers(overview: Overview) -> str:
    """A table, and below it what keeps workers from counting."""
    rows = [
        [
            f"{clean(worker.host)}:{worker.pid}",
            " ".join(worker.queues),
            age(overview.at - worker.started_at),
            _liveness(worker) if worker.alive else f"silent for {age(overview.at - worker.seen_at)}",
        ]
        for worker in overview.workers
    ]
    if not rows:
        return "Workers: none."
    problems = [
        f"{clean(worker.host)}:{worker.pid} is not counting: {clean(worker.problem)}"
        for worker in overview.workers
        if worker.alive and worker.problem
    ]
    return "\n".join([text_table(["Worker", "Queues", "Up", ""], rows, right={2}), *problems])


def _liveness(worker: WorkerRow) -> str:
    return "not ready" if worker.problem else "alive"


def _delayed(overview: Overview) -> str:
    lines = [
        f"{clean(one.host)} has been down for {age(overview.at - one.since)}; waiting for it: "
        f"{plural(one.waiting, 'repository', 'repositories')}{_next(overview, one.next_try_at)}."
        for one in overview.hosts_away
    ]
    away = {one.message for one in overview.hosts_away}
    paused = {why_host_is_paused(one.name) for one in overview.paused if one.kind == PauseKind.HOST}
    lines += [
        f"#{one.id} {cut(clean(one.url), _WIDEST)}{_next(overview, one.next_try_at)}: {clean(one.reason)}"
        for one in overview.delayed
        if one.reason not in away and one.reason not in paused
    ]
    return "\n".join(["Waiting for a retry:", *lines]) if lines else ""


def _hidden(overview: Overview) -> str:
    lines = [
        f"#{one.id} {cut(clean(one.url), _WIDEST)}, hidden for {age(overview.at - one.since)}"
        f"{_next(overview, one.next_try_at)}"
        for one in overview.hidden
    ]
    return "\n".join(["Hidden, because their host says that they are private or missing:", *lines]) if lines else ""


def _undecided(overview: Overview) -> str:
    lines = [
        f"#{one.id} {cut(clean(one.url), _WIDEST)}, for {age(overview.at - one.since)}" for one in overview.undecided
    ]
    decide = "Decide with `podium queue keep ID` or `podium queue start-over ID`."
    return "\n".join(["Another repository has taken the name of:", *lines, decide]) if lines else ""


def _next(overview: Overview, at: float | None) -> str:
    return "" if at is None else f", next try in {age(max(0.0, at - overview.at))}"


def _failures(overview: Overview) -> str:
    if not overview.failures:
        return ""
    lines = [
        f"#{one.id} {cut(clean(one.url), _WIDEST)}, {age(overview.at - one.since)} ago: {clean(one.error)}"
        for one in overview.failures
    ]
    return "\n".join(["Latest failures:", *lines])
